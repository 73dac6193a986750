@echo off
rem Directory Sync look-alike of the lab: writes down that it ran, syncs nothing.
echo %DATE% %TIME% recovery_mode_output_log>>"%~dp0..\log\lab_recovery_mode_output_log_stdout.log"
