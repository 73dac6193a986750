; Copyright (c) 2026, the offboard.iij_id maintainers
; GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
; SPDX-License-Identifier: GPL-3.0-or-later
; A look-alike of Directory Sync for Active Directory: names, folders and batch files as its manual gives them.
#define Product "directory_sync"
[Setup]
AppName=IIJ ID Service Directory Sync
AppVersion=3.0.0
AppPublisher=Internet Initiative Japan Inc.
UninstallDisplayName=IIJ ID Service Directory Sync
DefaultDirName={autopf}\IIJ ID Service Directory Sync
DisableProgramGroupPage=yes
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
PrivilegesRequired=admin
Compression=none

[Dirs]
Name: "{app}\config"
Name: "{app}\log"
Name: "{app}\work"

[Files]
Source: "files\bin\*"; DestDir: "{app}\bin"

#include "fault.iss"
