@echo off
rem Directory Sync look-alike of the lab: writes down that it ran, syncs nothing.
echo %DATE% %TIME% recovery_mode_dry_run>>"%~dp0..\log\lab_recovery_mode_dry_run_stdout.log"
