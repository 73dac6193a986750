# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the request log of the Windows machines may call no write."""

from __future__ import annotations

import pytest
from lab.windows.winrm import read_only

READS = r"""
reg.exe query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall" /s /reg:64
reg query HKLM\SOFTWARE
schtasks.exe /query /tn "\業務\ID同期" /xml
sc.exe query IIJBackupAgent
tasklist.exe /fo csv /nh
attrib.exe "C:\Program Files\x-1\task"
C:\Windows\System32\reg.exe query HKLM
cmd.exe /d /c dir /b /a "C:\Program Files\IIJ ID Service Password Sync"
cmd.exe /c "dir C:\"
if exist "C:\Program Files\x" (echo yes) else (echo no)
if not exist C:\x exit 7
cmd.exe /c if exist "C:\x\" (exit 0) else (exit 1)
for %f in ("C:\x\secret.yml") do @echo %~zf
for %f in ("C:\Program Files (x86)" "C:\Program Files (x86)\x") do @echo %~af %~zf %~ff
type "C:\x\config.yml"
cmd.exe /d /s /c "for %d in ("C:\Users\x y" "C:\z") do @for /f "delims=" %f in ('dir /s /b /a-d %d') do @echo %~af %~zf %~ff"
cmd.exe /d /s /c "for %d in ("C:\Users\x y" "C:\z") do @dir /a %d >nul 2>nul && echo %d"
cmd.exe /d /s /c "reg.exe query HKLM\X /s /reg:64 2>nul&&echo a-1:0||echo a-1:1"
cmd.exe /d /s /c "reg.exe query "HKLM\X Y" /s /reg:64 2>nul&&echo a-1:0||echo a-1:1&reg.exe query HKLM\Z /s 2>nul&&echo a-1:0||echo a-1:1"
C:\windows\System32\tar.exe -P -c -f - "C:\Users\x y\0A" C:\z
""".strip().splitlines()

WRITES = r"""
reg.exe add HKLM\SOFTWARE\X /f
reg.exe query HKLM & del C:\x
schtasks.exe /change /tn x /disable
sc.exe stop x
sc.exe queryx
attrib.exe C:\x +h
attrib.exe -h C:\x
type C:\x>C:\y
echo x|more
if exist C:\x (del C:\x) else (echo no)
if exist C:\x (exit 0) else (del C:\y)
if exist C:\x del C:\x
for %f in (a b) do @del %f
for %f in ("a (b)") do @del %f
for /f "delims=" %f in ('del x') do @echo %f
cmd.exe /d /s /c "for %d in ("C:\x") do @dir /a %d >nul 2>nul && del %d"
cmd.exe /d /s /c "for %d in ("C:\x") do @dir /a %d >C:\y 2>nul && echo %d"
cmd.exe /d /s /c "for %d in ("C:\x") do @for /f "delims=" %f in ('del %d') do @echo %f"
cmd.exe /d /s /c "reg.exe query HKLM\X /s 2>nul&&echo a:0||del C:\x"
cmd.exe /d /s /c "reg.exe query HKLM\X /s 2>C:\x&&echo a:0||echo a:1"
cmd.exe /d /s /c "reg.exe query HKLM\X /s 2>nul&&echo a:0||echo a:1&reg.exe add HKLM\X /f"
cmd.exe /d /s /c "reg.exe query HKLM\X&del x /s 2>nul&&echo a:0||echo a:1"
tar.exe -P -c -f C:\x C:\y
tar.exe -x -f -
directory.exe
msiexec.exe /x {6F5B1C2A-3D4E-4F60-9A7B-1C2D3E4F5A6B} /qn
"C:\Program Files\x\unins000.exe" /VERYSILENT
fsutil.exe file setzerodata offset=0 length=8 C:\x
""".strip().splitlines()


@pytest.mark.parametrize("line", READS)
def test_reads(line: str) -> None:
    assert read_only(line)


@pytest.mark.parametrize("line", WRITES)
def test_whatever_may_write_counts_as_a_write(line: str) -> None:
    assert not read_only(line)
