@echo off
set IID_SYNC_USER=suzuki.ichiro
set IID_SYNC_PASSWORD=Captured-Secret-78
