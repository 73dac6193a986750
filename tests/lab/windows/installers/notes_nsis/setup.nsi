; Copyright (c) 2026, the offboard.iij_id maintainers
; GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
; SPDX-License-Identifier: GPL-3.0-or-later
; Another vendor's product, for variety. A plain /S uninstall returns before the work is done, as NSIS' do.
Unicode true
Target amd64-unicode
Name "Sumire Notes"
RequestExecutionLevel admin
InstallDir "$PROGRAMFILES64\Sumire Notes"
SilentInstall silent
SilentUnInstall silent
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\SumireNotes"

Section
  SetRegView 64
  SetOutPath "$INSTDIR"
  File /oname=notes.exe "service.exe"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayName" "Sumire Notes"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "Publisher" "Sumire Software"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayVersion" "1.4.0"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
SectionEnd

Section "Uninstall"
  SetRegView 64
  again:
  ReadRegStr $0 HKLM "SOFTWARE\OffboardLab\Faults" "notes_nsis"
  StrCmp $0 "hang" 0 +3
  Sleep 500
  Goto again
  StrCmp $0 "fail" 0 +3
  SetErrorLevel 42
  Quit
  Delete "$INSTDIR\notes.exe"
  Delete "$INSTDIR\uninstall.exe"
  SetOutPath "$TEMP"
  RMDir "$INSTDIR"
  DeleteRegKey HKLM "${UNINSTALL_KEY}"
  StrCmp $0 "reboot" 0 +2
  SetErrorLevel 3010
SectionEnd
