@echo off
rem Password Sync look-alike of the lab: writes down that it ran, sends nothing.
echo %DATE% %TIME% enqueue_password_sync_task>>"%~dp0..\log\lab.log"
