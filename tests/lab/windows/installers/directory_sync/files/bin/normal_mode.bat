@echo off
rem Directory Sync look-alike of the lab: writes down that it ran, syncs nothing.
echo %DATE% %TIME% normal_mode>>"%~dp0..\log\lab_normal_mode_stdout.log"
