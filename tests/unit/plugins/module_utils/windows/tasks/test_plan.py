# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What schtasks prints, and which tasks an action path means."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import decode
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks import plan as tasks
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks import resource as tasks_resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks.plan import Action, Task

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
    assert first.id("win") == r"win\業務\ID同期"


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
        (Action(r"C:\a[b]\run.exe", "", ""), r"C:\a[b]\*.exe", True),
        (Action(r"C:\ab\run.exe", "", ""), r"C:\a[b]\*.exe", False),
    ],
)
def test_why(action, pattern, matches):
    task = Task(r"\IIJ ID", True, "", "", (Action("other.exe", "", ""), action), (), "")
    assert bool(tasks.why(task, [pattern], ENVIRONMENT)) is matches


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
    made = tasks_resource.ScheduledTasks(Client(), {"state": state})
    plan = made.plan([tasks.object_of("win", task)])
    assert [change.action for change in plan.changes] == actions
    assert plan.unchanged == 1 - len(actions)
    assert list(made.guard(plan)) == []


def test_a_removed_task_cannot_be_enabled_and_its_definition_is_named(tmp_path):
    made = tasks_resource.ScheduledTasks(Client(), {"state": "enabled", "backup_dir": str(tmp_path)})
    assert not made.plan([]).changes
    (tmp_path / "win-sync-0123456789ab.xml").write_text("")
    with pytest.raises(OffboardError) as error:
        made.plan([])
    assert error.value.code == "task_gone" and str(tmp_path / "win-sync-0123456789ab.xml") in error.value.msg


def test_windows_own_tasks_are_refused():
    task = Task(r"\Microsoft\Windows\UpdateOrchestrator\x", True, "", "", (Action(BAT, "", ""),), (), "")
    made = tasks_resource.ScheduledTasks(Client(), {"state": "absent"})
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
    made = tasks_resource.ScheduledTasks(Client(), {"state": "disabled"})
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
    ],
)
def test_secrets_in_arguments_are_not_shown(arguments):
    task = Task(r"\x", True, "", "", (Action(BAT, arguments, ""),), (), "")
    assert "hush" not in str(tasks.state_of(task)) + str(tasks.why(task, [FOLDER], {}))
    assert "***" in str(tasks.state_of(task))


def test_other_arguments_are_shown():
    assert Action("a.exe", "/collect /port 80 -path C:\\x", "").shown() == "a.exe /collect /port 80 -path C:\\x"
