@echo off
set IID_SYNC_USER=sato.hanako
set IID_SYNC_PASSWORD=Captured-Secret-77
