# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What schtasks prints, and which tasks an action path means."""

from __future__ import annotations

import base64
import dataclasses
import time
from pathlib import Path

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer, decode
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks import plan as tasks
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks import resource as tasks_resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks.options import InfoOptions, Options
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks.plan import Action, Task
from dev.options import given

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
BAT = r"C:\Program Files\IIJ ID Service Directory Sync\bin\normal_mode.bat"


def definition(command=BAT, arguments="", enabled="<Enabled>true</Enabled>", folder=""):
    return (
        f'<Task version="1.2" xmlns="{NAMESPACE}"><Triggers><CalendarTrigger><Repetition><Interval>PT2H</Interval></Repetition><Enabled>true</Enabled>'
        "</CalendarTrigger></Triggers><Principals><Principal><UserId>REIJI\\run</UserId><LogonType>Password</LogonType></Principal></Principals>"
        f"<Settings>{enabled}</Settings><Actions><Exec><Command>{command}</Command><Arguments>{arguments}</Arguments>"
        f"<WorkingDirectory>{folder}</WorkingDirectory></Exec></Actions></Task>"
    )


def printed(*entries, inner_declaration=False):
    declaration = '<?xml version="1.0" encoding="UTF-16"?>\r\n'
    body = "".join(f"<!-- {name} -->\r\n{declaration if inner_declaration else ''}{xml}\r\n\r\n\r\n" for name, xml in entries)
    return f"{declaration}<Tasks>\r\n{body}</Tasks>\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp932"])
@pytest.mark.parametrize("inner_declaration", [False, True])
def test_parse_query(encoding, inner_declaration):
    text = printed((r"\業務\ID同期", definition()), (r"\a -- b", definition("x.exe", enabled="")), inner_declaration=inner_declaration)
    first, second = tasks.parse_query(decode(text.encode(encoding)))
    assert (first.name, first.enabled, first.run_as, first.logon_type) == (r"\業務\ID同期", True, r"REIJI\run", "Password")
    assert first.actions == (Action(BAT, "", ""),)
    assert first.triggers == ("CalendarTrigger, Interval PT2H",)
    assert (second.name, second.enabled) == (r"\a -- b", True)
    assert first.id("win") == r"win/\業務\ID同期"


@pytest.mark.parametrize(
    ("settings", "enabled"), [("", True), ("<Enabled>true</Enabled>", True), ("<Enabled>false</Enabled>", False), ("<Enabled>0</Enabled>", False)]
)
def test_enabled_is_that_of_the_settings_not_of_a_trigger(settings, enabled):
    assert tasks.parse_task(r"\x", definition(enabled=settings)).enabled is enabled


@pytest.mark.parametrize(
    "text",
    [
        printed((r"\x", "<Task><unclosed></Task>")),
        printed((r"\x", definition())).replace(r"<!-- \x -->", ""),
        printed((r"\x", "<!DOCTYPE a [<!ENTITY b 'c'>]>" + definition())),
        printed((r"\x", definition()), (r"\y", definition())).replace(r"<!-- \y -->", "<!-- -->"),
    ],
)
def test_no_task_is_left_out(text):
    with pytest.raises(OffboardError) as error:
        tasks.parse_query(text)
    assert error.value.code == "task_unreadable"


def test_an_empty_list():
    assert tasks.parse_query(printed()) == []


ENVIRONMENT = {"programfiles": r"C:\Program Files", "systemroot": r"C:\Windows"}
FOLDER = r"C:\Program Files\IIJ ID Service Directory Sync"


POWERSHELL = [
    f"& {{ & '{BAT}' }}",
    f"&{{&'{BAT}'}}",
    f"try {{ & '{BAT}' }} catch {{ exit 1 }}",
    f"if (Test-Path C:\\x) {{ & '{BAT}' }}",
    f"if ($x) {{ exit }} else {{ & '{BAT}' x }}",
    f"foreach ($i in 1..2) {{ & '{BAT}' }}",
    f"1..2 | % {{ & '{BAT}' }}",
    f"$r = & '{BAT}'",
    f"$r=& '{BAT}' x; exit $r",
    f"$null = Start-Process '{BAT}' -Wait",
    f"[void](& '{BAT}')",
    f"[int]$r = & '{BAT}'",
    f"exit (Start-Process '{BAT}' -Wait -PassThru).ExitCode",
    f"exit (Start-Process -Wait -PassThru -FilePath '{BAT}').ExitCode",
    f"Start-Process -WorkingDirectory '{FOLDER}' -FilePath normal_mode.bat",
    f"Start-Job {{ & '{BAT}' }} | Wait-Job",
    f"Start-Job -ScriptBlock {{ & '{BAT}' }}",
    f"Invoke-Command -ScriptBlock {{ & '{BAT}' }}",
    f"Invoke-Command -ComputerName localhost -ScriptBlock {{ & '{BAT}' }}",
    f"Invoke-Item '{BAT}'",
    f"ii -Path '{BAT}'",
    f"& ('{BAT}')",
    r"& (Join-Path $env:ProgramFiles 'IIJ ID Service Directory Sync\bin\normal_mode.bat')",
    r"& (Join-Path -Path $env:ProgramFiles -ChildPath 'IIJ ID Service Directory Sync\bin\normal_mode.bat') x",
    r'& "$env:ProgramFiles\IIJ ID Service Directory Sync\bin\normal_mode.bat"',
    r'& "${env:ProgramFiles}\IIJ ID Service Directory Sync\bin\normal_mode.bat"',
    r"& (Join-Path ${env:ProgramFiles} 'IIJ ID Service Directory Sync\bin\normal_mode.bat')",
    f"$b = '{BAT}'; & $b",
    f"$d = '{FOLDER}'; Set-Location $d; .\\bin\\a.ps1",
    f"$d = '{FOLDER}'; & $d\\bin\\a.ps1",
    f"Write-Output 'x'; if (1) {{ 2 }} & '{BAT}'",
]
POWERSHELL_OTHERS = [
    f"Copy-Item '{FOLDER}' D:\\x -Recurse",
    f"Copy-Item -Path ('{FOLDER}') D:\\x",
    "Copy-Item (Join-Path $env:ProgramFiles 'IIJ ID Service Directory Sync') D:\\x",
    f"Copy-Item (Get-Item D:\\x) {BAT}",
    f"$b = '{FOLDER}'; Copy-Item $b D:\\x",
    f"foreach ($f in '{BAT}', 'x') {{ Copy-Item $f D:\\x }}",
    f"@('{BAT}') | Copy-Item -Destination D:\\x",
    f"Get-ChildItem '{FOLDER}' | ForEach-Object {{ Remove-Item $_.FullName }}",
    f"try {{ Compress-Archive '{FOLDER}' D:\\x.zip }} catch {{ Write-Output '{BAT}' }}",
    f"if (Test-Path '{BAT}') {{ & C:\\b.exe '{BAT}' }}",
    f"$p = @{{ Path = '{FOLDER}' }}; Remove-Item @p",
    f"Invoke-Command {{ C:\\b.exe }} -ArgumentList '{BAT}'",
    f"'{BAT}' -replace 'x', 'y'",
]
CMD = [
    f'>C:\\log 2>&1 "{BAT}"',
    f'>>"C:\\my log" "{BAT}"',
    f'2>nul "{BAT}"',
    f'<nul "{BAT}"',
    f'call >nul "{BAT}"',
    f'"{BAT}" 1>C:\\log 2>&1 <nul',
    f'for %a in ("{BAT}") do call %a',
    f'for %a in (x "{BAT}") do @call "%~fa" y',
    f'set "B={BAT}" & call "%B%"',
    f'set B={BAT}&& call "%b%" x',
    f'if exist C:\\x (exit) else ("{BAT}")',
    f'if not exist C:\\x (exit /b 1) else (call "{BAT}" x)',
    BAT.replace(" ", "^ "),
    f'echo a ^& "{BAT}"',
]
CMD_OTHERS = [
    f'>"{BAT}" echo x',
    f'C:\\b.exe >"{FOLDER}\\log" 2>&1',
    f"echo x>{BAT}",
    f'for %a in ("{BAT}") do copy %a D:\\x',
    f'set "B={BAT}" & copy "%B%" D:\\x',
    f'if exist C:\\x (exit) else (copy "{BAT}" D:\\x)',
    f'robocopy "{FOLDER}" D:\\x ^& echo "{BAT}"',
]


@pytest.mark.parametrize(
    ("action", "pattern", "matches"),
    [
        (Action(BAT, "", ""), FOLDER, True),
        (Action(f'"{BAT}"', "", ""), FOLDER, True),
        (Action(BAT.upper(), "", ""), FOLDER, True),
        (Action(BAT.replace("\\", "/"), "", ""), FOLDER, True),
        (Action(BAT.replace(r"C:\Program Files", "%ProgramFiles%"), "", ""), FOLDER, True),
        (Action(BAT, "", ""), r"%PROGRAMFILES%\IIJ ID Service Directory Sync", True),
        (Action("cmd.exe", f'/c "{BAT}"', ""), FOLDER, True),
        (Action(r"%SystemRoot%\System32\cmd.exe", f'/c ""{BAT}" >nul"', ""), r"C:\Program Files\IIJ ID Service *\bin\normal_mode.bat*", True),
        (Action("normal_mode.bat", "", FOLDER + "\\bin\\"), FOLDER, True),
        (Action("cmd", "/c normal_mode.bat", FOLDER + r"\bin"), r"*\IIJ ID Service Directory Sync\bin\normal_mode.bat", True),
        (Action(BAT, "", ""), r"*\normal_mode.bat", True),
        (Action(BAT, "", ""), r"*\IIJ ID Service ?irectory Sync\bin\*", True),
        (Action(BAT, "", ""), r"*\normal_mode", False),
        (Action(BAT, "", ""), r"D:\Program Files\IIJ ID Service Directory Sync", False),
        (Action(r"C:\Tools\IIJ ID\report.exe", "", ""), FOLDER, False),
        (Action(r"C:\Backup\copy.exe", r"D:\C:\x", ""), FOLDER, False),
        # what a program is told about is not what is started
        (Action(r"C:\Backup\backup.exe", f'--source "{FOLDER}" --password=x', ""), FOLDER, False),
        (Action(r"C:\Backup\backup.exe", f"{FOLDER}\\bin", ""), FOLDER, False),
        (Action("cmd.exe", f'/c robocopy "{FOLDER}" D:\\backup', ""), FOLDER, False),
        (Action("cmd.exe", f'/c robocopy "{FOLDER}" D:\\backup', ""), r"*\IIJ ID Service Directory Sync*", False),
        (Action("powershell.exe", f'-NoProfile -ExecutionPolicy Bypass -File "{BAT}"', ""), FOLDER, True),
        (Action("powershell.exe", f'-File C:\\backup.ps1 -From "{FOLDER}"', ""), FOLDER, False),
        (Action(r"C:\Windows\System32\wscript.exe", f'//B "{FOLDER}\\bin\\a.vbs"', ""), FOLDER, True),
        (Action("java", f'-Xmx1g -jar "{FOLDER}\\a.jar" x', ""), FOLDER, True),
        (Action("cmd", f'/c call "{BAT}" x', ""), FOLDER, True),
        (Action("cmd", f'/c start "" "{BAT}"', ""), FOLDER, True),
        (Action("powershell", f'-ExecutionPolicy Bypass "{FOLDER}\\a.ps1"', ""), FOLDER, True),
        (Action("powershell", f"-Command \"& '{FOLDER}\\a.ps1' x\"", ""), FOLDER, True),
        (Action(BAT.replace("\\bin", "\\\\bin"), "", ""), FOLDER + r"\bin", True),
        # what a script is told about is not what is started either, whatever the switch
        (Action("wscript", f'C:\\b\\b.vbs -f "{FOLDER}"', ""), FOLDER, False),
        (Action("python", f'C:\\b.py -c "{FOLDER}"', ""), FOLDER, False),
        (Action("java", f'-cp "{FOLDER}" -jar C:\\b.jar', ""), FOLDER, False),
        # another product whose folder begins alike
        (Action(FOLDER + r" Old\a.exe", "", ""), FOLDER, False),
        (Action(FOLDER + r"2\a.exe", "", ""), FOLDER + "\\", False),
        (Action(BAT, "", ""), BAT, True),
        (Action(BAT + " x", "", ""), BAT, True),
        # the folder is changed first
        (Action("cmd", f"/c cd /d {FOLDER}\\bin && normal_mode.bat", ""), FOLDER, True),
        (Action("cmd", f'/c cd /d "{FOLDER}\\bin" && normal_mode.bat', ""), FOLDER, True),
        (Action("cmd.exe", f'/d /c "cd /d "{FOLDER}" & bin\\normal_mode.bat -x"', ""), FOLDER, True),
        (Action("cmd", f'/c "cd /d {FOLDER} && call bin\\normal_mode.bat"', ""), FOLDER, True),
        (Action("cmd", r'/c pushd "%ProgramFiles%\IIJ ID Service Directory Sync\bin"&normal_mode.bat&popd', ""), FOLDER, True),
        (Action("cmd", r"/c C: && cd \Program Files\IIJ ID Service Directory Sync\bin && normal_mode.bat", ""), FOLDER, True),
        (Action("cmd", r'/c cd "IIJ ID Service Directory Sync" & cd bin & .\normal_mode.bat', r"C:\Program Files"), FOLDER, True),
        (Action("cmd", r"/c cd..\..\IIJ ID Service Directory Sync\bin&normal_mode.bat", r"C:\Program Files\a\b"), FOLDER, True),
        (Action("cmd", f'/c start "" /d "{FOLDER}\\bin" /min normal_mode.bat', ""), FOLDER, True),
        (Action("cmd", f'/c echo started >> C:\\log.txt & "{BAT}"', ""), FOLDER, True),
        (Action("cmd", f'/c powershell -NoProfile -File "{FOLDER}\\a.ps1"', ""), FOLDER, True),
        (Action("powershell", f"-Command \"cd '{FOLDER}\\bin'; .\\normal_mode.bat\"", ""), FOLDER, True),
        (Action("powershell", f"-NoProfile -Command Set-Location -LiteralPath '{FOLDER}'; & '.\\bin\\a.ps1' x", ""), FOLDER, True),
        (Action("powershell", "-enc " + base64.b64encode(f"& '{BAT}'".encode("utf-16-le")).decode(), ""), FOLDER, True),
        (Action(r"bin\normal_mode.bat", "", FOLDER), FOLDER, True),
        (Action(r"C:\Program Files\Other\..\IIJ ID Service Directory Sync\bin\normal_mode.bat", "", ""), FOLDER, True),
        (Action("cmd", r"/c C:\Program Files\IIJ ID Service Directory Sync\bin\normal_mode.bat x", ""), FOLDER, True),
        # a folder that is only looked at, or left again
        (Action("cmd", f'/c C:\\Backup\\copy.exe "{FOLDER}\\bin\\normal_mode.bat"', ""), r"*\IIJ ID Service Directory Sync*", False),
        (Action("cmd", f'/c cd /d "{FOLDER}" && C:\\Backup\\copy.exe *', ""), FOLDER, False),
        (Action("cmd", f'/c cd /d "{FOLDER}" & cd /d C:\\Jobs & report.bat', ""), FOLDER, False),
        (Action("cmd", f'/c dir "{FOLDER}" > C:\\list.txt && C:\\Jobs\\mail.exe C:\\list.txt', ""), FOLDER, False),
        (Action("powershell", f"-Command \"Get-ChildItem '{FOLDER}' | C:\\Jobs\\mail.exe\"", ""), FOLDER, False),
        (Action("powershell", "-enc !!!", ""), FOLDER, False),
        # launchers, and what stands before a command
        (Action("conhost.exe", f'--headless "{BAT}"', ""), FOLDER, True),
        (Action("conhost", f'--headless cmd /c "{BAT}"', ""), FOLDER, True),
        (Action("explorer.exe", f'"{BAT}"', ""), FOLDER, True),
        (Action("runas", f'/user:x "{BAT}"', ""), FOLDER, True),
        (Action("rundll32", f'shell32.dll,ShellExec_RunDLL "{BAT}"', ""), FOLDER, True),
        (Action("mshta", f'"{FOLDER}\\x.hta"', ""), FOLDER, True),
        (Action("msiexec", f'/qn /i "{FOLDER}\\x.msi" /norestart', ""), FOLDER, True),
        (Action("msiexec.exe", f'/i D:\\b.msi /l*v "{FOLDER}\\x.log"', ""), FOLDER, False),
        (Action("cmd", f'/c regsvr32 /s "{FOLDER}\\x.dll"', ""), FOLDER, True),
        (Action("forfiles", f'/c "cmd /c ""{BAT}"""', ""), FOLDER, True),
        (Action("cmd", f'/c start "a title" /min /wait "{BAT}"', ""), FOLDER, True),
        (Action("cmd", f'/c if exist "{BAT}" "{BAT}"', ""), FOLDER, True),
        (Action("cmd", f'/c if not "%x%"=="y" (call "{BAT}") else exit', ""), FOLDER, True),
        (Action("cmd", f'/c for /f %i in (x) do "{BAT}"', ""), FOLDER, True),
        (Action("python.exe", f'-X utf8 -W ignore "{FOLDER}\\x.py"', ""), FOLDER, True),
        (Action("java", f'-cp "C:\\x.jar;{FOLDER}\\x.jar" Main', ""), FOLDER, True),
        (Action("powershell", f"-c \"Start-Process -WindowStyle Hidden -FilePath '{BAT}'\"", ""), FOLDER, True),
        (Action("powershell", f"-c \"cmd /c '{BAT}'\"", ""), FOLDER, True),
        (Action(r"C:\PROGRA~1\IIJIDS~2\bin\normal_mode.bat", "", ""), FOLDER, True),
        (Action(r"C:\PROGRA~1\IIJIDS~1\bin\NORMAL~1.BAT", "", ""), r"*\IIJ ID Service Directory Sync\*", True),
        (Action(rf"\\?\{BAT}", "", ""), FOLDER, True),
        # PowerShell: blocks, results, what is put together
        *((Action("powershell.exe", f"-NoProfile -Command {text}", ""), FOLDER, True) for text in POWERSHELL),
        *((Action("powershell.exe", f'-NoProfile -Command "{text}"', ""), FOLDER, True) for text in POWERSHELL if '"' not in text),
        *((Action("powershell.exe", "-enc " + base64.b64encode(text.encode("utf-16-le")).decode(), ""), FOLDER, True) for text in POWERSHELL),
        (Action("powershell.exe", f"& '{BAT}'", ""), FOLDER, True),
        (Action("powershell.exe", f"-NoProfile & '{BAT}' x", ""), FOLDER, True),
        (Action("powershell.exe", f"\"& '{BAT}'\"", ""), FOLDER, True),
        (Action("powershell.exe", f'-Command "& \\"{BAT}\\" x"', ""), FOLDER, True),
        (Action("pwsh", f"& '{BAT}'", ""), FOLDER, True),
        (Action("pwsh", f'-WorkingDirectory "{FOLDER}" -File x.ps1', ""), FOLDER, True),
        (Action("pwsh.exe", f'-NoProfile -wd "{FOLDER}\\bin" -c .\\x.ps1', ""), FOLDER, True),
        (Action("pwsh.exe", r'-wd "$env:ProgramFiles\IIJ ID Service Directory Sync" -c .\x.ps1', ""), FOLDER, True),
        *((Action("powershell", f"{dash}NoProfile {dash}Command & '{BAT}'", ""), FOLDER, True) for dash in "\u2013\u2014\u2015/"),
        (Action("powershell", f'\u2013File "{BAT}"', ""), FOLDER, True),
        # cmd: redirections, carets, variables, else
        *((Action("cmd.exe", f"/c {text}", ""), FOLDER, True) for text in CMD),
        *((Action("cmd.exe", f"/c {text}", ""), BAT, True) for text in CMD),
        # further launchers
        (Action("forfiles", f'/p "{FOLDER}\\bin" /m normal_mode.bat /c "cmd /c @path"', ""), FOLDER, True),
        (Action("forfiles.exe", f'/P "{FOLDER}\\bin" /M *.bat /C "cmd /c call @file"', ""), FOLDER, True),
        (Action("pcalua.exe", f'-a "{BAT}"', ""), FOLDER, True),
        (Action("wt", f'"{BAT}"', ""), FOLDER, True),
        (Action("wt.exe", f'-w 0 new-tab -p "My profile" -d C:\\ cmd /c "{BAT}"', ""), FOLDER, True),
        (Action("gsudo", f'"{BAT}"', ""), FOLDER, True),
        (Action("gsudo", f'-n -i System cmd /c "{BAT}"', ""), FOLDER, True),
        (Action("psexec", f'-accepteula -u me -d cmd /c "{BAT}"', ""), FOLDER, True),
        (Action("%ComSpec%", f'/c "{BAT}"', ""), FOLDER, True),
        # and what only looks like it
        *((Action("powershell.exe", f'-NoProfile -Command "{text}"', ""), FOLDER, False) for text in POWERSHELL_OTHERS),
        *((Action("cmd.exe", f"/c {text}", ""), FOLDER, False) for text in CMD_OTHERS),
        (Action("powershell", f'-File C:\\backup.ps1 -c "{FOLDER}\\x.exe"', ""), FOLDER, False),
        (Action("pwsh", f'-wd "{FOLDER}" -File C:\\backup.ps1', ""), FOLDER, False),
        (Action("robocopy", ". D:\\x", FOLDER), FOLDER, False),
        (Action("conhost", f'--headless C:\\b.exe "{BAT}"', ""), FOLDER, False),
        (Action("cmd", f'/c start "{FOLDER}\\x" C:\\b.exe', ""), FOLDER, False),
        (Action("cmd", f'/c if exist "{BAT}" C:\\b.exe', ""), FOLDER, False),
        (Action("cmd", f'/c for %i in ("{FOLDER}\\*") do C:\\b.exe %i', ""), FOLDER, False),
        (Action("forfiles", f'/p "{FOLDER}\\log" /c "cmd /c del @file"', ""), FOLDER, False),
        (Action("powershell", f"-c \"Start-Process C:\\b.exe -ArgumentList '{BAT}'\"", ""), FOLDER, False),
        (Action(r"C:\PROGRA~1\OTHERS~1\bin\normal_mode.bat", "", ""), FOLDER, False),
        # a path that leads out of the folder again, or into it
        (Action(f"{FOLDER}\\..\\Other\\a.bat", "", ""), r"*\IIJ ID Service Directory Sync\*", False),
        (Action("cmd", f'/c "{FOLDER}\\bin\\..\\..\\Other\\a.bat" x', ""), FOLDER, False),
        (Action(r"C:\Program Files\Other\..\IIJ ID Service Directory Sync\a.bat", "", ""), r"*\IIJ ID Service Directory Sync\*", True),
        # an interpreter is Windows' own, whatever the folder that it begins in
        (Action("cmd", r"/c C:\Jobs\a.bat", FOLDER), FOLDER, False),
        (Action("powershell", r"-File C:\Jobs\a.ps1", FOLDER), FOLDER, False),
        (Action("cmd.exe", "/c bin\\a.bat", FOLDER), FOLDER, True),
        (Action("dotnet", f'"{FOLDER}\\sync.dll" -x', ""), FOLDER, True),
        (Action(r"C:\a[b]\run.exe", "", ""), r"C:\a[b]\*.exe", True),
        (Action(r"C:\ab\run.exe", "", ""), r"C:\a[b]\*.exe", False),
    ],
)
def test_why(action, pattern, matches):
    task = Task(r"\IIJ ID", True, "", "", (Action("other.exe", "", ""), action), (), "")
    assert bool(tasks.why(task, [pattern], ENVIRONMENT)) is matches


@pytest.mark.parametrize(
    ("action", "pattern", "yes"),
    [
        (Action("powershell", f"-c \"iex '& {BAT}'\"", ""), FOLDER, True),
        (Action("powershell", f"-c \"iex '& {BAT}'\"", ""), r"*\IIJ ID Service *\bin\*.bat", True),
        (Action("powershell", "-e " + base64.b64encode(f"iex '{BAT}'".encode("utf-16-le")).decode(), ""), FOLDER, True),
        (Action("cmd", r'/c for /r "C:\Program Files\IIJ ID Service Directory Sync" %i in (n*.bat) do @"%i"', ""), FOLDER, True),
        (Action("cmd", "/c for %i in (n*.bat) do (set x=%~fi) & %x%", FOLDER + r"\bin"), r"D:\*\IIJ ID Service Directory Sync\*", True),
        (Action("cmd", r"/c sub.exe C:\PROGRA~1\IIJIDS~1\bin", ""), FOLDER, True),
        (Action("wscript", f'C:\\Jobs\\hidden.vbs "{BAT}"', ""), FOLDER, True),
        (Action("cmd", "/c unknown.exe C:\\Program^ Files\\IIJ^ ID^ Service^ Directory^ Sync", ""), FOLDER, True),
        # nothing of theirs, or no interpreter
        (Action("powershell", f"-c \"Get-ChildItem '{FOLDER}' | % {{ & $_.FullName }}\"", ""), FOLDER, True),
        (Action("powershell", f"-c \"[Diagnostics.Process]::Start('{BAT}')\"", ""), FOLDER, True),
        (Action("powershell", f"-c \"Start-Process cmd -ArgumentList '/c', '{BAT}'\"", ""), FOLDER, True),
        (Action("powershell", "-c iex x", ""), FOLDER, False),
        (Action(r"C:\Backup\backup.exe", f'"{FOLDER}"', ""), FOLDER, False),
        # who only handles files
        (Action("robocopy", f'"{FOLDER}" D:\\x /mir', ""), FOLDER, False),
        (Action("cmd", f'/c robocopy "{FOLDER}" D:\\x /mir & exit', ""), FOLDER, False),
        (Action("cmd", f'/c if exist "{FOLDER}" xcopy /s "{FOLDER}" D:\\x', ""), FOLDER, False),
        (Action("cmd", f'/c ""C:\\Program Files\\7-Zip\\7z.exe" a D:\\x.7z "{FOLDER}""', ""), FOLDER, False),
        (Action("cmd", f'/c icacls "{FOLDER}" /grant x:F', ""), FOLDER, False),
        (Action("powershell", f"-c \"Copy-Item '{FOLDER}' D:\\x -Recurse\"", ""), FOLDER, False),
        (Action("forfiles", f'/p "{FOLDER}\\log" /d -30 /c "cmd /c del @file"', ""), FOLDER, False),
    ],
)
def test_perhaps(action, pattern, yes):
    task = Task(r"\IIJ ID", True, "", "", (Action("other.exe", "", ""), action), (), "")
    assert tasks.why(task, [pattern], ENVIRONMENT) == []
    assert bool(tasks.perhaps(task, [pattern], ENVIRONMENT)) is yes


@pytest.mark.parametrize(
    "text", ["for " * 9000, "(" * 30000, "{ " * 15000, "$a=" * 10000, "[a]" * 10000, "^" * 30000, "2>&1 " * 6000, "'" * 30000, '\\"' * 15000, "if a == " * 4000,
    "(join-path a " * 3000, "-c " * 10000, "& " * 15000, "for %a in (" * 3000, " " * 30000, "a " * 15000, "0>" * 15000, "-e AAAAAAAA " * 2500, "$" * 30000],
)  # fmt: skip
def test_no_line_takes_long(text):
    began = time.process_time()
    for program in ("cmd", "powershell", "psexec"):
        task = Task(r"\x", True, "", "", (Action(program, f"/c {text}", ""), Action(program, text, "")), (), "")
        assert tasks.why(task, [FOLDER], ENVIRONMENT) == tasks.perhaps(task, [FOLDER], ENVIRONMENT) == []
    assert time.process_time() - began < 10


def test_a_name_alone_never_matches():
    task = Task(r"\IIJ ID Service Directory Sync", True, "", "", (Action("backup.exe", "", ""),), (), "")
    assert tasks.why(task, [FOLDER, "*IIJ ID*"], {}) == []


@pytest.mark.parametrize(
    "path", ["", "*", "C:\\", r"C:\*", r"C:\Windows\System32\cmd.exe", r"%SystemRoot%\*", r"C:\Program Files\*", r"C:\Program Files (x86)", "*.bat"]
)
def test_paths_that_say_nothing(path):
    with pytest.raises(OffboardError) as error:
        tasks.check_action_paths([FOLDER, path])
    assert error.value.code == "action_path_too_broad"


@pytest.mark.parametrize("path", [FOLDER, r"*\normal_mode.bat", r"D:\IIJ\*", "*iid-password-sync.exe"])
def test_paths_that_say_enough(path):
    tasks.check_action_paths([path])


def test_file_names_differ_for_different_definitions():
    one, other = (tasks.parse_task(r"\業務\ID: 同期", definition(enabled=text)) for text in ("", "<Enabled>false</Enabled>"))
    assert one.file_name("win") != other.file_name("win")
    assert one.file_name("win").startswith("win-業務-ID-同期-")
    assert one.file_name("win") == one.file_name("win")


class Client:
    host = "win"


def asked(state, **options):
    return Options.of(given("win_scheduled_task", **{"state": state, "action_paths": [FOLDER], **options}))


@pytest.mark.parametrize(
    ("state", "enabled", "actions"),
    [
        ("disabled", True, ["disable"]),
        ("disabled", False, []),
        ("enabled", False, ["enable"]),
        ("enabled", True, []),
        ("absent", True, ["delete"]),
        ("absent", False, ["delete"]),
    ],
)
def test_plan(state, enabled, actions):
    task = Task(r"\x", enabled, "run", "Password", (Action(BAT, "", ""),), (), "")
    made = tasks_resource.ScheduledTasks(Client(), asked(state))
    plan = made.plan([tasks.object_of("win", task)])
    assert [change.action for change in plan.changes] == actions
    assert plan.unchanged == 1 - len(actions)
    assert list(made.guard(plan)) == []


def machine(monkeypatch, *there):
    """The machine's tasks, and the commands that it is given."""
    commands = []

    def run(*arguments):
        commands.append(arguments)
        return Answer(0, b"", b"")

    client = Client()
    client.run = run
    monkeypatch.setattr(tasks_resource, "query", lambda machine: list(there))
    return client, commands


def scheduled(client, state, confirmed=(), password=None, **options):
    return tasks_resource.ScheduledTasks(client, asked(state, tasks=confirmed, **options), password)


def one(name=r"\IIJ\x", arguments="", command=BAT, enabled=True):
    return tasks.parse_task(name, definition(command, arguments, f"<Enabled>{str(enabled).lower()}</Enabled>"))


@pytest.mark.parametrize(
    ("state", "confirmed", "options", "actions", "rules"),
    [
        ("disabled", [], {}, [], ["not_confirmed"]),
        ("absent", [], {}, [], ["not_confirmed"]),
        ("enabled", [], {}, [], []),  # it is enabled: nothing would be changed
        ("absent", [{"name": r"\IIJ\other"}], {}, [], ["not_confirmed"]),
        ("absent", [{"name": r"iij\X"}], {}, ["delete"], []),
        ("disabled", [{"action": BAT}], {}, ["disable"], []),
        ("absent", [], {"except_names": [r"\iij\x"]}, [], []),
    ],
)
def test_nothing_unconfirmed_is_changed(monkeypatch, state, confirmed, options, actions, rules):
    client, _unused = machine(monkeypatch, one())
    made = scheduled(client, state, confirmed, **options)
    plan = made.plan(made.read())
    assert [change.action for change in plan.changes] == actions
    stops = list(made.guard(plan))
    assert [stop.rule for stop in stops] == rules
    assert all(r"\IIJ\x" in stop.msg and "tasks" in stop.allow_with and "except_names" in stop.allow_with for stop in stops)


@pytest.mark.parametrize(
    ("confirmed", "there", "nothing"),
    [
        ([{"name": r"\IIJ\y"}], [one()], True),
        ([{"name": r"\IIJ\y"}, {"action": r"C:\b.exe"}], [], True),
        ([{"name": r"\IIJ\y"}, {"name": "iij\\X "}], [one(enabled=False)], False),
        # it is there, and starts something else by now, or nobody can tell what
        ([{"name": r"\IIJ\x"}], [one(command=r"C:\Jobs\payroll.exe")], False),
        ([{"name": r"\IIJ\x"}], [one(command="powershell.exe", arguments=f"-c iex '{BAT}'")], False),
        ([], [one()], False),
    ],
)
def test_whether_anything_of_what_was_confirmed_is_there(monkeypatch, confirmed, there, nothing):
    client, _unused = machine(monkeypatch, *there)
    made = scheduled(client, "disabled", confirmed)
    assert made.facts(made.plan(made.read()))["nothing_found"] is nothing


def test_a_confirmed_task_that_starts_something_else_by_now_is_left_alone(monkeypatch):
    client, _unused = machine(monkeypatch, one(command=r"C:\Jobs\payroll.exe"))
    made = scheduled(client, "absent", [{"name": r"\IIJ\x"}])
    plan = made.plan(made.read())
    assert len(plan.changes) == 0 and list(made.guard(plan)) == []
    assert [(item.code, item.name) for item in plan.skipped] == [("other_action", r"\IIJ\x")] and "payroll" in plan.skipped[0].msg


@pytest.mark.parametrize(
    ("state", "enabled", "confirmed", "rules", "skipped"),
    [
        ("disabled", True, [{"name": r"\IIJ\x"}], ["other_action"], []),
        ("absent", True, [{"name": r"\IIJ\x"}], ["other_action"], []),
        ("disabled", False, [{"name": r"\IIJ\x"}], [], ["other_action"]),
        ("enabled", False, [{"name": r"\IIJ\x"}], [], ["other_action"]),
        ("enabled", True, [{"name": r"\IIJ\x"}], [], ["other_action"]),
        ("disabled", True, [], [], []),
        ("disabled", True, [{"name": r"\IIJ\y"}], [], []),
    ],
)
def test_a_confirmed_task_that_cannot_be_made_out_is_no_silent_ok(monkeypatch, state, enabled, confirmed, rules, skipped):
    task = one(command="powershell.exe", arguments=f"-c iex '{BAT}' -password hush", enabled=enabled)
    client, commands = machine(monkeypatch, task)
    made = scheduled(client, state, confirmed)
    plan = made.plan(made.read())
    stops = list(made.guard(plan))
    assert [stop.rule for stop in stops] == rules and [item.code for item in plan.skipped] == skipped
    assert not plan.changes and commands == [] and "hush" not in str(stops)
    assert all("normal_mode.bat" in stop.msg and "/disable" in stop.msg and "except_names" in stop.allow_with for stop in stops)
    told = tasks_resource.info(client, InfoOptions.of(given("win_scheduled_task_info", action_paths=[FOLDER])))
    assert told["tasks"] == [] and [(item["name"], item["enabled"]) for item in told["perhaps"]] == [(r"\IIJ\x", enabled)] and told["perhaps"][0]["why"]


@pytest.mark.parametrize("now", [[one(command=r"C:\Jobs\payroll.exe")], []])
def test_a_task_that_was_changed_since_it_was_read_is_left_alone(monkeypatch, now):
    client, commands = machine(monkeypatch, one())
    made = scheduled(client, "absent", [{"name": r"\IIJ\x"}])
    (change,) = made.plan(made.read()).changes
    machine(monkeypatch, *now)
    with pytest.raises(OffboardError) as error:
        made.apply(change)
    assert error.value.code == "changed_since_read" and commands == []
    machine(monkeypatch, one())
    made.apply(change)
    assert commands == [("schtasks.exe", "/delete", "/tn", r"\IIJ\x", "/f")]


def test_a_definition_with_a_secret_is_saved_encrypted_or_not_at_all(monkeypatch, tmp_path):
    client, _unused = machine(monkeypatch, one(arguments="-phush"))
    made = scheduled(client, "absent", [{"name": r"\IIJ\x"}], backup_dir=str(tmp_path))
    stops = list(made.guard(made.plan(made.read())))
    assert [stop.rule for stop in stops] == ["vault_password_missing"] and "hush" not in str(stops)
    made = scheduled(client, "absent", [{"name": r"\IIJ\x"}], b"of the run", backup_dir=str(tmp_path))
    plan = made.plan(made.read())
    assert list(made.guard(plan)) == []
    saved = made.apply(next(iter(plan.changes)))["saved"]
    content = Path(saved).read_bytes()
    assert b"hush" not in content and "hush" not in str(next(iter(plan.changes)))
    text = vault.decrypt(content, b"of the run").decode("utf-16")  # what schtasks /create /xml takes
    assert text.startswith('<?xml version="1.0" encoding="UTF-16"?>') and "<Arguments>-phush</Arguments>" in text
    assert Path(saved).stat().st_mode & 0o777 == 0o600
    # nor does its name tell whether a guess is right
    assert one(arguments="-phush").file_name("win") not in saved


def test_a_removed_task_cannot_be_enabled_and_its_definition_is_named(tmp_path):
    made = scheduled(Client(), "enabled", backup_dir=str(tmp_path))
    assert not made.plan([]).changes
    (tmp_path / "win-sync-0123456789ab.xml").write_text("")
    with pytest.raises(OffboardError) as error:
        made.plan([])
    assert error.value.code == "task_gone" and str(tmp_path / "win-sync-0123456789ab.xml") in error.value.msg


@pytest.mark.parametrize(
    ("files", "options", "gone"),
    [
        (["win-IIJ-x-0123456789ab.xml"], {}, []),
        (["win-iij-X-0123456789ab.xml", "win-IIJ-x-ba9876543210.xml"], {}, []),
        (["win-IIJ-x-0123456789ab.xml", "win-IIJ-y-0123456789ab.xml", "win-IIJ-y-ba9876543210.xml"], {}, ["win-IIJ-y"]),
        (["win-IIJ-y-0123456789ab.xml"], {"except_names": [r"\iij\Y"]}, []),
        (["win-other-0123456789ab.xml"], {}, []),  # it is there, and starts something else by now
    ],
)
def test_a_part_of_the_tasks_is_not_taken_for_the_whole(monkeypatch, tmp_path, files, options, gone):
    client, _commands = machine(monkeypatch, one(enabled=False), one(r"\other", command=r"C:\other.exe"))
    for name in files:
        (tmp_path / name).write_text("")
    made = scheduled(client, "enabled", [{"name": r"\IIJ\x"}], backup_dir=str(tmp_path), **options)
    plan = made.plan(made.read())
    assert [(change.name, change.action) for change in plan.changes] == [(r"\IIJ\x", "enable")]
    refusals = list(made.guard(plan))
    assert [(item.rule, *item.objects) for item in refusals] == [("task_gone", name) for name in gone]
    assert all(str(tmp_path / name) in item.msg for item in refusals for name in files if name.startswith(item.objects[0]))


def test_windows_own_tasks_are_refused():
    task = Task(r"\Microsoft\Windows\UpdateOrchestrator\x", True, "", "", (Action(BAT, "", ""),), (), "")
    made = tasks_resource.ScheduledTasks(Client(), asked("absent"))
    assert [item.rule for item in made.guard(made.plan([tasks.object_of("win", task)]))] == ["system_task"]


@pytest.mark.parametrize(
    ("action", "enabled", "there"),
    [("disable", False, True), ("disable", True, False), ("enable", True, True), ("delete", True, False), ("delete", None, True)],
)
def test_what_a_stopped_run_had_begun(monkeypatch, action, enabled, there):
    found = [] if enabled is None else [Task(r"\x", enabled, "run", "Password", (Action(BAT, "", ""),), (), "")]
    monkeypatch.setattr(tasks_resource, "query", lambda machine: found)
    after = None if action == "delete" else {"enabled": action == "enable"}
    key = Task(r"\x", True, "run", "Password", (), (), "").id("win")
    mine, others = (Change(tasks.KIND, identity, r"\x", action, {}, after) for identity in (key, key.replace("win", "other")))
    made = tasks_resource.ScheduledTasks(Client(), asked("disabled"))
    assert list(made.carried_out([mine, others])) == [mine] * there
    assert list(made.carried_out([others])) == []


@pytest.mark.parametrize(
    "arguments",
    [
        "--password=hush",
        '--password "hush hush"',
        "/p hush",
        "-Token:hush",
        "-u me -p hush",
        "--db-pass hush",
        "CLIENT_SECRET=hush",
        "/pwd:hush",
        "--api-key hush",
        "--key hush",
        "https://me:hush@host/",
        "-phush",
        "-u root -phush-me",
        "-p'hush hush'",
        '-p"hush hush"',
        "/phush",
        "-Phush",
        "-pPort-hush",
        "-pathush@1",
        'cmd "-phush"',
        "-w hush",
        "-u me:hush",
        "--user me:hush",
        '-H "Authorization: Bearer hush"',
        "https://host/?sv=1&sig=hush",
    ],
)
def test_secrets_in_arguments_are_not_shown(arguments):
    task = Task(r"\x", True, "", "", (Action(BAT, arguments, ""),), (), "")
    assert "hush" not in str(tasks.state_of(task)) + str(tasks.why(task, [FOLDER], {}))
    assert "***" in str(tasks.state_of(task))


def test_other_arguments_are_shown():
    arguments = "/collect /port 80 -path C:\\x /passive -PassThru -Profile:a -port=80 -user me --print -u me"
    assert Action("a.exe", arguments, "").shown() == f"a.exe {arguments}"


@pytest.mark.parametrize(
    ("wanted", "yes"),
    [
        ({"name": r"\業務\ID同期"}, True),
        ({"name": "業務\\id同期 "}, True),
        ({"name": "\u200e\\業務\\ID同期\u200b\u3000"}, True),
        ({"name": "ID同期"}, False),
        ({"name": "業務\\ID同期", "action": f'"{BAT}"   --password=***'}, True),
        ({"name": ""}, False),
        ({}, False),
        ({"action": f"{BAT} --password=***"}, True),
        ({"action": f"{BAT} --password=hush"}, True),
        ({"action": BAT}, False),
        ({"name": r"\業務\ID同期", "action": f"{BAT} --password=***"}, True),
        ({"name": r"\業務\ID同期", "action": BAT}, False),
    ],
)
def test_confirmations(wanted, yes):
    task = Task(r"\業務\ID同期", True, "", "", (Action(BAT, "--password=hush", ""),), (), "")
    assert task.is_confirmed([{"name": "other"}, wanted]) is yes
    twice = dataclasses.replace(task, actions=(*task.actions, Action("export.exe", "", "")))
    assert twice.is_confirmed([wanted]) is (yes and "action" not in wanted)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (
            "<ComHandler><ClassId>{0C2E1B52-7F0A-4D2E-9A65-0D5D8D0B7F11}</ClassId><Data>hush</Data></ComHandler>",
            "ComHandler {0C2E1B52-7F0A-4D2E-9A65-0D5D8D0B7F11}",
        ),
        ("<ComHandler/>", "ComHandler"),
        ("<SendEmail><Server>a</Server><Body>hush</Body></SendEmail>", "SendEmail"),
        ("<ShowMessage><Title>a</Title><Body>hush</Body></ShowMessage>", "ShowMessage"),
    ],
)
def test_a_task_that_does_something_else_besides_is_not_meant_by_its_action(other, told):
    """It was disabled, and with it the job of somebody else that runs in the other one's program."""
    task = tasks.parse_task(r"\x", definition().replace("</Exec>", f"</Exec>{other}"))
    assert tasks.state_of(task)["actions"] == [BAT, told] and not task.holds_a_secret
    assert tasks.why(task, [FOLDER], {}) and not tasks.perhaps(task, [FOLDER], {})
    assert not task.is_confirmed([{"action": BAT}]) and task.is_confirmed([{"name": r"\x"}])


def test_names_in_another_unicode_form_mean_the_same_task():
    task = Task("\\\u30ac\u30fc\u30c9", True, "", "", (Action("C:\\\u30ac\\a.exe", "", ""),), (), "")
    decomposed = "\u30ab\u3099\u30fc\u30c8\u3099"
    assert task.is_confirmed([{"name": decomposed}]) and task.is_confirmed([{"action": "c:\\\u30ab\u3099\\A.exe"}])
