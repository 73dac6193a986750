; Copyright (c) 2026, the offboard.iij_id maintainers
; GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
; SPDX-License-Identifier: GPL-3.0-or-later
; A look-alike of Password Sync for Active Directory: the folders its manual lists, and a password filter registered the
; way Microsoft documents it. The filter's name and what the uninstaller does about it are the lab's own: the vendor
; publishes neither.
#define Product "password_sync"
#define Filter "iidpwfilter"
[Setup]
AppName=IIJ ID Service Password Sync
AppVersion=2.1.0
AppPublisher=Internet Initiative Japan Inc.
UninstallDisplayName=IIJ ID Service Password Sync
DefaultDirName={autopf}\IIJ ID Service Password Sync
DisableProgramGroupPage=yes
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
PrivilegesRequired=admin
Compression=none

[Dirs]
Name: "{app}\config"
Name: "{app}\log"
Name: "{app}\task"; Attribs: hidden
Name: "{app}\work"

[Files]
Source: "files\bin\*"; DestDir: "{app}\bin"
Source: "service.exe"; DestName: "iid-password-sync.exe"; DestDir: "{app}\bin"
Source: "filter.dll"; DestName: "{#Filter}.dll"; DestDir: "{app}\dll"
Source: "filter.dll"; DestName: "{#Filter}.dll"; DestDir: "{sys}"; Flags: uninsneveruninstall

#include "fault.iss"

const
  Lsa = 'SYSTEM\CurrentControlSet\Control\Lsa';
  Packages = 'Notification Packages';

procedure CurStepChanged(CurStep: TSetupStep);
var
  Names: String;
begin
  if (CurStep = ssPostInstall) and RegQueryMultiStringValue(HKLM64, Lsa, Packages, Names) and (Pos('{#Filter}', Names) = 0) then
    RegWriteMultiStringValue(HKLM64, Lsa, Packages, Names + '{#Filter}' + #0);
end;

// A good uninstaller takes its filter back; one with the fault "leave" forgets it, and its copy in System32.
procedure CurUninstallStepChanged(CurUninstallStep: TUninstallStep);
var
  Names, Library: String;
begin
  if (CurUninstallStep <> usPostUninstall) or (Fault = 'leave') then
    exit;
  if RegQueryMultiStringValue(HKLM64, Lsa, Packages, Names) then begin
    StringChangeEx(Names, '{#Filter}' + #0, '', True);
    RegWriteMultiStringValue(HKLM64, Lsa, Packages, Names);
  end;
  Library := ExpandConstant('{sys}\{#Filter}.dll');
  // LSA holds it until the next restart
  if not DeleteFile(Library) then
    RestartReplace(Library, '');
end;
