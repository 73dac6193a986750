; Copyright (c) 2026, the offboard.iij_id maintainers
; GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
; SPDX-License-Identifier: GPL-3.0-or-later
; Lets the uninstaller misbehave when the lab says so (WindowsPart.fault). Needs `Product` defined.
[Code]
function Fault: String;
begin
  if not RegQueryStringValue(HKLM64, 'SOFTWARE\OffboardLab\Faults', '{#Product}', Result) then
    Result := '';
end;

function InitializeUninstall: Boolean;
begin
  while Fault = 'hang' do
    Sleep(500);
  Result := Fault <> 'fail';
end;

function UninstallNeedRestart: Boolean;
begin
  Result := Fault = 'reboot';
end;
