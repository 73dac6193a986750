# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The win_* modules against the lab's Windows machines.

"Changes nothing" is what the machine's fingerprint and the WinRM service's own log say.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.controllers.plan import Controller
from ansible_collections.offboard.iij_id.plugins.module_utils._restart import resource as restarts
from ansible_collections.offboard.iij_id.plugins.module_utils._windows import client
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates.plan import PrivateKey, key_file
from dev import places
from lab import paths
from lab.windows import certificates as made
from lab.windows import server
from lab.windows.certificates import CAPI, MY_STORE
from lab.windows.part import WindowsPart

pytestmark = pytest.mark.lab

IIJ = "Internet Initiative Japan Inc."
DIRECTORY_SYNC = {"name": "IIJ ID Service Directory Sync", "publisher": IIJ}
PASSWORD_SYNC = {"name": "IIJ ID Service Password Sync", "publisher": IIJ}
BACKUP_AGENT = {"product_code": "{6F5B1C2A-3D4E-4F60-9A7B-1C2D3E4F5A6B}"}
NOTES = {"name": "Sumire Notes", "publisher": "Sumire Software"}
SYNC_FOLDER = r"C:\Program Files\IIJ ID Service Directory Sync"
PASSWORD_FOLDER = r"C:\Program Files\IIJ ID Service Password Sync"
SYNC_TASK = r"*\IIJ ID Service Directory Sync\bin\normal_mode.bat"
SYNC, DEQUEUE = {"name": r"\業務\ID同期"}, {"name": r"\PasswordSync 定期実行"}
FILTER = "iidpwfilter"
#: what lies in the fixture's files and must never be printed
SECRETS = (paths.PASSWORD, "Lab-Bind-Secret-31", "lab-iij-dirsync-token", "lab-iij-passsync-token", "Captured-Secret")


class Answer(dict[str, Any]):
    """What a module returned."""

    @property
    def code(self) -> str:
        return self["failure"]["code"]

    @property
    def rules(self) -> list[str]:
        return [item["rule"] for item in self["failure"]["details"]["refusals"]]


class Machines(WindowsPart):
    """Knows whether a test may have changed anything, as a reset takes seconds."""

    touched = True

    def run(self, machine: str, line: str, seconds: float = 120) -> tuple[int, str]:
        self.touched = True
        return super().run(machine, line, seconds)

    def rules(self, rules: list[dict[str, Any]]) -> None:
        self.touched = True
        super().rules(rules)

    def limits(self, **values: float) -> None:
        self.touched = True
        super().limits(**values)

    def fingerprint(self, machine: str) -> dict[str, str]:
        touched = self.touched
        found = super().fingerprint(machine)  # runs commands, but only to look
        self.touched = touched
        return found

    def fresh(self) -> None:
        """As the fixture company has them, with an empty log."""
        if self.touched or writes(self):
            self.reset()
            self.touched = False
        server.REQUESTS.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def part() -> Iterator[Machines]:
    windows = Machines()
    if reason := windows.why_not():
        pytest.skip(reason)
    windows.prepare()
    was_running = windows.status()["running"]
    windows.start()
    yield windows
    windows.reset()
    if not was_running:
        windows.stop()


@pytest.fixture
def lab(part: Machines) -> Machines:
    """The machines as the fixture company has them."""
    part.fresh()
    return part


def options(machine: str, **more: Any) -> dict[str, Any]:
    """Connection options of a machine."""
    connection = {
        "host": paths.WINDOWS[machine],
        "username": paths.WINDOWS_USER,
        "password": paths.PASSWORD,
        "ca_file": str(paths.ca_file()),
        "verify_timeout": 20,
    }
    return {name: value for name, value in {**connection, **more}.items() if value is not None}


Module = Callable[..., Answer]


@pytest.fixture
def module(capsys: pytest.CaptureFixture[str]) -> Module:
    """Runs a module's own main() in this process."""

    def run(module_name: str, machine: str, /, check: bool = False, **more: Any) -> Answer:
        main = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{module_name}").main
        capsys.readouterr()
        with patch_module_args({**options(machine, **more), "_ansible_check_mode": check, "_ansible_diff": True}), pytest.raises(SystemExit):
            main()
        output = capsys.readouterr()
        assert not [secret for secret in SECRETS if secret in output.out + output.err]
        return Answer(json.loads(output.out))

    return run


def writes(lab: WindowsPart) -> list[str]:
    return [entry["command"] for entry in lab.requests() if entry["write"]]


def lifecycle(lab: WindowsPart, module: Module, name: str, machine: str, /, changes: int = 1, **more: Any) -> Answer:
    """Check mode changes nothing, the real run does what was planned, and the run after it finds nothing to do."""
    before = lab.fingerprint(machine)
    checked = module(name, machine, check=True, **more)
    assert checked["changed"] is True and len(checked["plan"]) == changes and checked["applied"] == []
    assert len(checked["diff"]) == changes
    assert writes(lab) == []
    assert lab.fingerprint(machine) == before
    real = module(name, machine, **more)
    assert real["changed"] is True and real["plan"] == checked["plan"]
    assert len(real["applied"]) == changes and real["failed_objects"] == []
    assert writes(lab) != []
    after, written = lab.fingerprint(machine), writes(lab)
    assert after != before
    again = module(name, machine, **more)
    assert again["changed"] is False and again["plan"] == []
    assert writes(lab) == written
    assert lab.fingerprint(machine) == after
    return real


def installed(module: Module, machine: str) -> list[str]:
    return [product["name"] for product in module("win_software_info", machine)["products"]]


# --- software ---


def test_software_info(lab: WindowsPart, module: Module) -> None:
    before = lab.fingerprint("sync01")
    found = module("win_software_info", "sync01", name_patterns=["IIJ.*(Directory|Password) ?Sync"])
    (agent,) = found["products"]
    assert (agent["name"], agent["publisher"], agent["installer"], agent["scope"]) == (*DIRECTORY_SYNC.values(), "inno", "machine64")
    assert agent["why"] == ["name matches IIJ.*(Directory|Password) ?Sync"]
    # whatever its name: by the place where it lies
    (placed,) = module("win_software_info", "sync01", folders=[SYNC_FOLDER, PASSWORD_FOLDER])["products"]
    assert (placed["name"], placed["install_location"].rstrip("\\"), placed["why"]) == (agent["name"], SYNC_FOLDER, [f"is in {SYNC_FOLDER}"])
    every = {item["name"]: item for item in module("win_software_info", "sync01")["products"]}
    assert {name: item["installer"] for name, item in every.items()} == {agent["name"]: "inno", "IIJ Backup Agent": "msi", "Sumire Notes": "nsis"}
    assert every["IIJ Backup Agent"]["product_code"] == BACKUP_AGENT["product_code"]
    assert writes(lab) == []
    assert lab.fingerprint("sync01") == before


def test_software_of_32_bits_and_of_one_account(lab: WindowsPart, module: Module) -> None:
    sid = next(line for line in lab.run("sync01", "reg.exe query HKU")[1].split() if "S-1-5-21-" in line).partition("\\")[2]
    uninstall = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Mine"
    for root, view in (("HKLM", "/reg:32"), (rf"HKU\{sid}", "/reg:64")):
        assert lab.run("sync01", rf'reg.exe add "{root}\{uninstall}" /v DisplayName /d "Mine {view}" /f {view}')[0] == 0
    every = {item["name"]: item["scope"] for item in module("win_software_info", "sync01")["products"]}
    assert every["Mine /reg:32"] == "machine32"
    assert every["Mine /reg:64"] == f"user:{sid}"
    assert lab.run("sync01", rf'reg.exe add "HKU\{sid}\{uninstall}" /v UninstallString /d "C:\x.exe" /f')[0] == 0
    told = module("win_software", "sync01", products=[{"name": "Mine /reg:64", "publisher": ""}])
    assert "publisher" in told.get("msg", "") or [item["code"] for item in told["skipped_objects"]] == ["per_user"]
    # the machine's own is meant, and nothing tells how to uninstall it
    answer = module("win_software", "sync01", products=[{"product_code": "Mine"}])
    assert answer.rules == ["unknown_installer"] and [item["code"] for item in answer["skipped_objects"]] == ["per_user"]


@pytest.mark.parametrize("product", [DIRECTORY_SYNC, BACKUP_AGENT, NOTES], ids=["inno", "msi", "nsis"])
def test_software_lifecycle(lab: WindowsPart, module: Module, product: dict[str, str]) -> None:
    real = lifecycle(lab, module, "win_software", "sync01", products=[product])
    assert real["results"][0]["status"] == "uninstalled"
    if product != NOTES:  # every user may make files in that folder: nobody knows the name before
        assert re.fullmatch(r"C:\\windows\\Temp\\offboard-uninstall-[0-9a-f]{32}\.log", real["results"][0]["log"], re.IGNORECASE)
    assert real["reboot_required"] is False
    assert len(installed(module, "sync01")) == 2
    assert all("norestart" in command.casefold() or "/S" in command for command in writes(lab))


def test_software_several_at_once(lab: WindowsPart, module: Module) -> None:
    lifecycle(lab, module, "win_software", "sync01", changes=3, products=[DIRECTORY_SYNC, BACKUP_AGENT, NOTES])
    assert installed(module, "sync01") == []


@pytest.mark.parametrize("product", ["directory_sync", "backup_agent_msi"])
def test_software_that_wants_a_restart(lab: WindowsPart, module: Module, product: str) -> None:
    lab.fault("sync01", product, "reboot")
    answer = module("win_software", "sync01", products=[{"directory_sync": DIRECTORY_SYNC, "backup_agent_msi": BACKUP_AGENT}[product]])
    assert answer["reboot_required"] is True
    assert answer["results"][0]["reboot_required"] is True
    assert not [command for command in writes(lab) if "shutdown" in command]


def test_software_that_leaves_a_file_in_use(lab: WindowsPart, module: Module) -> None:
    """LSA holds the filter's file, so that Windows removes it at the next start."""
    answer = module("win_software", "dcwin1", products=[PASSWORD_SYNC])
    assert answer["reboot_required"] is True and answer["reboot_pending"] is True
    assert answer["results"][0]["password_filters_gone"] == [FILTER]  # in the journal too: a restart that was confirmed before is none
    assert module("win_software", "dcwin1", products=[PASSWORD_SYNC])["reboot_pending"] is True
    lab.power("dcwin1", "reboot")
    again = module("win_software", "dcwin1", products=[PASSWORD_SYNC])
    assert (again["changed"], again["reboot_required"], again["reboot_pending"]) == (False, False, False)


def test_software_one_failure_hides_no_other(lab: WindowsPart, module: Module, tmp_path: Path) -> None:
    lab.fault("sync01", "directory_sync", "fail")
    lab.fault("sync01", "notes_nsis", "fail")
    journal = tmp_path / "journal.jsonl"
    answer = module("win_software", "sync01", products=[DIRECTORY_SYNC, NOTES, BACKUP_AGENT], timeout_minutes=1, journal=str(journal))
    assert answer.code == "uninstaller_failed"
    assert "exit code 1" in answer["msg"] and "1 more" in answer["msg"]
    assert [item["status"] for item in answer["results"]] == ["failed", "failed", "uninstalled"]
    assert [item["name"] for item in answer["applied"]] == ["IIJ Backup Agent"]
    assert set(installed(module, "sync01")) == {"IIJ ID Service Directory Sync", "Sumire Notes"}
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [item["record"] for item in records] == ["intent", "outcome"] * 3
    lab.fault("sync01", "directory_sync", None)
    lab.fault("sync01", "notes_nsis", None)
    assert len(module("win_software", "sync01", products=[DIRECTORY_SYNC, NOTES, BACKUP_AGENT])["applied"]) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "product"),
    [
        pytest.param("directory_sync", DIRECTORY_SYNC, id="inno"),
        pytest.param("backup_agent_msi", BACKUP_AGENT, id="msi", marks=pytest.mark.long),
        pytest.param("notes_nsis", NOTES, id="nsis", marks=pytest.mark.long),
    ],
)
def test_software_that_hangs_is_ended(lab: WindowsPart, module: Module, key: str, product: dict[str, str]) -> None:
    lab.fault("sync01", key, "hang")
    answer = module("win_software", "sync01", products=[product], timeout_minutes=1)
    assert answer.code == "uninstaller_hangs"
    assert "within 1 minutes; it was ended" in answer["msg"]
    # nothing of it runs any more
    assert not re.search(r"unins|Un\.exe|\.tmp|msiexec", lab.run("sync01", "tasklist.exe /fo csv /nh")[1])
    lab.fault("sync01", key, None)
    assert module("win_software", "sync01", products=[product])["changed"] is True


@pytest.fixture
def slow_uninstaller(lab: Machines) -> Iterator[None]:
    """It works on for 8 s after its first process has ended."""
    lab.fault("sync01", "notes_nsis", "hang")
    timer = threading.Timer(8, lab.fault, ("sync01", "notes_nsis", None))
    timer.start()
    yield
    timer.join()


@pytest.mark.slow
@pytest.mark.usefixtures("slow_uninstaller")
def test_software_in_a_shell_that_nobody_uses_works_on(lab: Machines, module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """The idle time-out is 3 minutes where WinRM 2.0 is, and at least one minute; the lab's is shorter here for speed."""
    monkeypatch.setattr(client, "_IDLE_SECONDS", 1)
    lab.limits(idle_seconds=4)
    answer = module("win_software", "sync01", products=[NOTES], timeout_minutes=1)
    assert answer["results"][0]["status"] == "uninstalled", answer


@pytest.mark.slow
@pytest.mark.usefixtures("slow_uninstaller")
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"kind": "drop", "action": "Command", "match": "tasklist", "times": 2}, id="before"),
        pytest.param({"kind": "drop", "action": "Receive", "match": "reg.exe query", "times": 2}, id="in its midst"),
        pytest.param({"kind": "fault", "action": "Command", "match": "tasklist", "code": 2150859174, "times": 6}, id="quota"),
    ],
)
def test_software_works_on_while_nobody_can_look(lab: Machines, module: Module, rule: dict[str, Any]) -> None:
    """An error ends the shell, and the uninstaller with it."""
    timer = threading.Timer(4, lab.rules, ([rule],))
    timer.start()
    answer = module("win_software", "sync01", products=[NOTES], timeout_minutes=1)
    timer.join()
    assert answer["results"][0]["status"] == "uninstalled", answer


def test_software_whose_uninstaller_could_not_be_started_is_unchanged(lab: Machines, module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_client: client.Client) -> None:
        raise OffboardError("no further shell", code="winrm_quota")

    monkeypatch.setattr(client.Client, "own_shell", refused)
    answer = module("win_software", "sync01", products=[NOTES])
    assert (answer.code, answer["changed"]) == ("winrm_quota", False), answer


@pytest.mark.slow
def test_software_waits_for_another_installation(lab: WindowsPart, module: Module) -> None:
    lab.rules([{"kind": "exit", "match": "msiexec", "code": 1618, "times": 1}])
    answer = module("win_software", "sync01", products=[BACKUP_AGENT])
    assert answer["results"][0]["status"] == "uninstalled"
    assert len([command for command in writes(lab) if "msiexec" in command]) == 2


@pytest.mark.parametrize("code", [1603, 1605, 3010])
def test_software_exit_codes_alone_are_not_believed(lab: WindowsPart, module: Module, code: int) -> None:
    """The lab answers instead of msiexec, so the product stays: whatever the code says, that is no success."""
    lab.rules([{"kind": "exit", "match": "msiexec", "code": code}])
    answer = module("win_software", "sync01", products=[BACKUP_AGENT], timeout_minutes=1)
    assert answer.code == "uninstaller_failed"
    assert answer["results"][0]["exit_code"] == code
    assert "IIJ Backup Agent" in installed(module, "sync01")


@pytest.mark.parametrize(
    ("product", "code"),
    [
        ({"name": "IIJ ID Service Directory Sync", "publisher": "IIJ"}, "not_exact"),
        ({"name": "iij id service directory sync", "publisher": IIJ}, "not_exact"),
    ],
)
def test_software_must_be_named_exactly(lab: WindowsPart, module: Module, product: dict[str, str], code: str) -> None:
    answer = module("win_software", "sync01", products=[product])
    assert answer.code == code
    assert answer["failure"]["details"]["candidates"][0]["name"] == "IIJ ID Service Directory Sync"
    assert writes(lab) == []


def test_software_max_changes(lab: WindowsPart, module: Module) -> None:
    answer = module("win_software", "sync01", products=[DIRECTORY_SYNC, NOTES], max_changes=1)
    assert answer.rules == ["max_changes"]
    assert writes(lab) == []


# --- scheduled tasks ---


def test_tasks_info(lab: WindowsPart, module: Module) -> None:
    (task,) = module("win_scheduled_task_info", "sync01", action_paths=[SYNC_TASK])["tasks"]
    assert (task["name"], task["enabled"], task["logon_type"]) == (r"\業務\ID同期", True, "Password")
    assert task["why"] and task["run_as"] == r"REIJI\iij-dirsync-run"
    assert len(module("win_scheduled_task_info", "sync01")["tasks"]) == 3
    assert writes(lab) == []


def test_tasks_frozen_and_started_again(lab: WindowsPart, module: Module, tmp_path: Path) -> None:
    real = lifecycle(lab, module, "win_scheduled_task", "sync01", action_paths=[SYNC_TASK], tasks=[SYNC], state="disabled", backup_dir=str(tmp_path))
    assert real["tasks"] == [r"\業務\ID同期"]
    assert [change["after"] for change in real["plan"]] == [{"enabled": False}]
    assert module("win_scheduled_task_info", "sync01", action_paths=[SYNC_TASK])["tasks"][0]["enabled"] is False
    (saved,) = tmp_path.iterdir()
    assert "<Enabled>false</Enabled>" not in saved.read_text("utf-16")
    others = [task for task in module("win_scheduled_task_info", "sync01")["tasks"] if task["name"] != r"\業務\ID同期"]
    assert len(others) == 2 and all(task["enabled"] for task in others)
    assert module("win_scheduled_task", "sync01", action_paths=[SYNC_TASK], tasks=[SYNC], state="enabled")["changed"] is True
    assert module("win_scheduled_task_info", "sync01", action_paths=[SYNC_TASK])["tasks"][0]["enabled"] is True


def test_tasks_removed_and_brought_back(lab: WindowsPart, module: Module, tmp_path: Path) -> None:
    before = lab.run("dcwin1", "schtasks.exe /query /xml ONE")[1]
    real = lifecycle(lab, module, "win_scheduled_task", "dcwin1", action_paths=[PASSWORD_FOLDER], tasks=[DEQUEUE], state="absent", backup_dir=str(tmp_path))
    (saved,) = real["saved"].values()
    (name,) = real["tasks"]
    disk = server.machine_prefix("dcwin1") / "drive_c" / "task.xml"
    disk.write_bytes(Path(saved).read_bytes())
    assert lab.run("dcwin1", f'schtasks.exe /create /tn "{name}" /xml C:\\task.xml')[0] == 0
    after = lab.run("dcwin1", "schtasks.exe /query /xml ONE")[1]
    assert "".join(sorted(after.split())) == "".join(sorted(before.split()))


def test_tasks_are_not_removed_without_a_copy(lab: WindowsPart, module: Module, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    answer = module("win_scheduled_task", "sync01", action_paths=[SYNC_TASK], tasks=[SYNC], state="absent", backup_dir=str(blocked))
    assert answer.code == "file_write_failed"
    assert "backup_dir" in module("win_scheduled_task", "sync01", action_paths=[SYNC_TASK], state="absent")["msg"]
    assert writes(lab) == []


def test_a_task_that_nobody_has_confirmed_is_refused(lab: WindowsPart, module: Module, tmp_path: Path) -> None:
    for state in ("disabled", "absent"):
        for others in ([], [{"name": r"\業務\資産台帳"}]):
            answer = module("win_scheduled_task", "sync01", action_paths=[SYNC_TASK], tasks=others, state=state, backup_dir=str(tmp_path))
            assert answer.rules == ["not_confirmed"] and SYNC["name"] in answer["msg"]
    assert not module("win_scheduled_task", "sync01", action_paths=[SYNC_TASK], except_names=[SYNC["name"]], state="disabled")["changed"]
    assert writes(lab) == [] and list(tmp_path.iterdir()) == []


def test_definitions_are_saved_encrypted(lab: WindowsPart, module: Module, tmp_path: Path) -> None:
    options = {"action_paths": [SYNC_TASK], "tasks": [SYNC], "state": "absent", "backup_dir": str(tmp_path), "vault_password": "of the run"}
    (saved,) = module("win_scheduled_task", "sync01", **options)["saved"].values()
    content = Path(saved).read_bytes()
    assert content.startswith(b"$ANSIBLE_VAULT;") and "<Task" in vault.decrypt(content, b"of the run").decode("utf-16")


def test_tasks_of_every_kind_are_refused(lab: WindowsPart, module: Module) -> None:
    assert module("win_scheduled_task", "sync01", action_paths=["*"]).code == "action_path_too_broad"
    assert lab.requests() == []


# --- files ---


def test_file_info_returns_only_the_named_values(lab: WindowsPart, module: Module) -> None:
    config = SYNC_FOLDER + r"\config\config.yml"
    values = {"bind_dn": "ad.ldap.user", "user_filter": "ad.ldap.filter.user", "servers": "ad.ldap.server.addresses", "none": "ad.nothing"}
    file, folder, nothing = module("win_file_info", "sync01", paths=[config, SYNC_FOLDER, r"C:\nothing"], yaml_values=values)["files"]
    assert file["values"]["bind_dn"] == "CN=iij-dirsync-bind,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example"
    assert file["values"]["servers"] == ["dc1.ad.reiji.example"] and file["values"]["none"] is None
    assert "CN=iij-sync-scope" in file["values"]["user_filter"]
    assert {item["path"] for item in folder["children"]} >= {config, SYNC_FOLDER + r"\config\secret.yml"}
    assert (nothing["exists"], folder["is_dir"], file["is_dir"]) == (False, True, False)
    (task,) = module("win_file_info", "dcwin1", paths=[PASSWORD_FOLDER + r"\task"])["files"]
    assert task["hidden"] is True and len(task["children"]) == 2
    for name in ("ad.ldap.password", "ad.ldap"):
        assert module("win_file_info", "sync01", paths=[config], yaml_values={"x": name}).code in ("secret_refused", "not_a_value")
    assert module("win_file_info", "sync01", paths=[SYNC_FOLDER + r"\config\secret.yml"], yaml_values={"x": "access_token"}).code == "secret_refused"
    assert writes(lab) == []


def test_files_of_an_installed_product_are_refused(lab: WindowsPart, module: Module) -> None:
    before = lab.fingerprint("sync01")
    assert module("win_file", "sync01", paths=[SYNC_FOLDER]).rules == ["still_installed"]
    assert writes(lab) == []
    assert lab.fingerprint("sync01") == before


def test_files_left_behind_are_overwritten_and_removed(lab: WindowsPart, module: Module) -> None:
    module("win_software", "dcwin1", products=[PASSWORD_SYNC])
    (folder,) = module("win_file_info", "dcwin1", paths=[PASSWORD_FOLDER])["files"]
    names = {item["path"].rpartition("\\")[2] for item in folder["children"] if not item["is_dir"]}
    assert "secret.yml" in names and "password-sync-task-48213-10.21.bat" in names
    # further names of the same files show what became of the contents
    disk = server.machine_prefix("dcwin1") / "drive_c"
    keep = {}
    for name in ("config/secret.yml", "task/password-sync-task-48213-10.21.bat"):
        keep[name] = disk / Path(name).name
        os.link(disk / "Program Files/IIJ ID Service Password Sync" / name, keep[name])
    lab.run("dcwin1", rf'attrib.exe +r "{PASSWORD_FOLDER}\config\secret.yml"')
    writes_before = writes(lab)
    checked = module("win_file", "dcwin1", check=True, paths=[PASSWORD_FOLDER])
    assert checked["changed"] is True and writes(lab) == writes_before
    real = module("win_file", "dcwin1", paths=[PASSWORD_FOLDER])
    assert real["results"] == [{"path": PASSWORD_FOLDER, "status": "removed", "overwritten": len(names), "not_overwritten": []}]
    assert not (disk / "Program Files/IIJ ID Service Password Sync").exists()
    for path in keep.values():
        content = path.read_bytes()
        assert content and not content.strip(b"\0")
    again = module("win_file", "dcwin1", paths=[PASSWORD_FOLDER])
    assert again["changed"] is False and again["results"] == [{"path": PASSWORD_FOLDER, "status": "absent"}]


def test_file_in_use_is_told(lab: WindowsPart, module: Module) -> None:
    module("win_software", "sync01", products=[DIRECTORY_SYNC])
    system = server.machine_prefix("sync01") / "drive_c"
    program = system / "Program Files/IIJ ID Service Directory Sync/work/agent.exe"
    program.write_bytes((system / "Program Files/IIJ/Backup Agent/agent.exe").read_bytes())
    assert lab.run("sync01", f'sc.exe create Held binPath= "{SYNC_FOLDER}\\work\\agent.exe"')[0] == 0
    lab.run("sync01", "sc.exe start Held")
    answer = module("win_file", "sync01", paths=[SYNC_FOLDER])
    assert answer.code == "file_in_use"
    assert answer["failed_objects"][0]["details"]["left"] == [SYNC_FOLDER + r"\work\agent.exe"]
    lab.run("sync01", "sc.exe stop Held")
    assert module("win_file", "sync01", paths=[SYNC_FOLDER])["changed"] is True


@pytest.mark.parametrize(
    ("path", "more", "code"),
    [
        (r"C:\Windows\System32\drivers", {}, "guard_refused"),
        (r"C:\Program Files\Sumire Notes", {}, "guard_refused"),
        (r"C:\Program Files", {"allowed_roots": [r"C:\Program Files"]}, "allowed_root_refused"),
        ("C:\\", {"allowed_roots": ["C:\\"]}, "allowed_root_refused"),
        (SYNC_FOLDER + r"\..\..\Windows", {}, "path_invalid"),
        (SYNC_FOLDER + r"\*", {}, "path_invalid"),
        (SYNC_FOLDER + '" & del C:\\x & "', {}, "path_invalid"),
        (r"%ProgramFiles%\IIJ ID Service Directory Sync", {}, "path_invalid"),
    ],
)
def test_files_that_must_stay(lab: WindowsPart, module: Module, path: str, more: dict[str, Any], code: str) -> None:
    before = lab.fingerprint("sync01")
    assert module("win_file", "sync01", paths=[path], **more).code == code
    assert writes(lab) == []
    assert lab.fingerprint("sync01") == before


def test_check_mode_over_uninstallation_and_removal(lab: WindowsPart, module: Module, tmp_path: Path) -> None:
    """The removal is planned against what the uninstallation will have left, and refused without it."""
    predictions = str(tmp_path / "predictions.jsonl")
    module("win_software", "sync01", check=True, products=[DIRECTORY_SYNC], predictions=predictions)
    planned = module("win_file", "sync01", check=True, paths=[SYNC_FOLDER], predictions=predictions)
    assert planned["predicted"] is True and len(planned["plan"]) == 1
    assert module("win_file", "sync01", check=True, paths=[SYNC_FOLDER]).rules == ["still_installed"]
    # one file for all machines: the plan for one says nothing about another
    assert len(module("win_software", "sync01", check=True, products=[DIRECTORY_SYNC, NOTES], predictions=predictions)["plan"]) == 1
    assert writes(lab) == []


# --- password filter ---


def test_password_filter(lab: WindowsPart, module: Module) -> None:
    lab.fault("dcwin1", "password_sync", "leave")
    found = {item["name"]: item for item in module("win_password_filter_info", "dcwin1")["filters"]}
    assert [name for name, item in found.items() if item["why"]] == [FILTER]
    assert [name for name, item in found.items() if item["default"]] == ["rassfm", "scecli"]
    module("win_software", "dcwin1", products=[PASSWORD_SYNC])
    assert FILTER in [item["name"] for item in module("win_password_filter_info", "dcwin1")["filters"]]
    before, write_count = lab.fingerprint("dcwin1"), len(writes(lab))
    assert module("win_password_filter", "dcwin1", check=True, name=FILTER)["changed"] is True
    assert lab.fingerprint("dcwin1") == before and len(writes(lab)) == write_count
    real = module("win_password_filter", "dcwin1", name=FILTER)
    assert real["notification_packages"] == ["rassfm", "scecli", "acmepwfilter"]
    assert real["reboot_required"] is True and real["file_exists"] is True
    assert module("win_password_filter", "dcwin1", name=FILTER)["changed"] is False
    held = module("win_password_filter", "dcwin1", name=FILTER, remove_file=True)
    assert held.code == "file_in_use" and held["reboot_required"] is True
    lab.power("dcwin1", "reboot")
    removed = module("win_password_filter", "dcwin1", name=FILTER, remove_file=True)
    assert (removed["changed"], removed["file_exists"], removed["reboot_required"]) == (True, False, False)
    assert module("win_password_filter", "dcwin1", name=FILTER, remove_file=True)["changed"] is False
    assert [item["name"] for item in module("win_password_filter_info", "dcwin1")["filters"]] == ["rassfm", "scecli", "acmepwfilter"]


# --- restarts ---


def a_controller(name: str, *roles: str) -> Controller:
    return Controller(f"{name}.ad.reiji.example", roles)


class TwoControllers:
    """What the directory would say of the two machines; the lab's own directory has a domain controller of its own."""

    base = paths.AD_BASE

    def __init__(self, _options: Any, _ignored: Any = ()) -> None:
        self.well = [a_controller("dcwin1", "pdc_emulator"), a_controller("dcwin2")]

    def controllers(self) -> list[Controller]:
        return self.well

    def controller(self, name: str) -> Controller:
        return next(one for one in self.well if one.name == name)


def test_domain_controllers_are_restarted_one_at_a_time(lab: Machines, module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those alone whose filter was unregistered, the PDC emulator last; then the filter's file can be deleted, so it is no longer loaded."""
    monkeypatch.setattr(restarts, "Domain", TwoControllers)
    machines = [{"name": name, **{key: value for key, value in options(name).items() if key != "verify_timeout"}} for name in ("dcwin1", "dcwin2")]
    more = {"host": None, "machines": machines, "directory": {"host": "dc"}, "only_unregistered": True, "journal": str(tmp_path / "journal.jsonl")}
    assert module("win_restart", "dcwin1", **more)["changed"] is False
    lab.run("dcwin2", r'reg.exe add HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v "Notification Packages" /t REG_MULTI_SZ /d "scecli\0iidpwfilter" /f')
    for name in ("dcwin1", "dcwin2"):
        assert module("win_password_filter", name, name=FILTER, journal=more["journal"])["changed"] is True
        time.sleep(1)  # the journal knows seconds
    before = len(writes(lab))
    checked = module("win_restart", "dcwin1", check=True, **more)
    assert checked["order"] == ["dcwin2", "dcwin1"] and len(checked["plan"]) == 2 and checked["results"] == []
    assert len(writes(lab)) == before
    real = module("win_restart", "dcwin1", **more)
    assert [(item["name"], item["status"]) for item in real["results"]] == [("dcwin2", "restarted"), ("dcwin1", "restarted")], real
    assert len([line for line in writes(lab) if line.startswith("shutdown")]) == 2
    assert module("win_restart", "dcwin1", **more, also=["dcwin1"])["changed"] is False  # named besides, and restarted already
    assert module("win_password_filter", "dcwin1", name=FILTER, remove_file=True)["file_exists"] is False


def test_a_machine_that_does_not_come_back(lab: Machines, module: Module, tmp_path: Path) -> None:
    lab.run("dcwin2", r"reg.exe add HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions /v ProductType /d LanmanNT /f")
    assert module("win_restart", "dcwin2").rules == ["unguarded"]
    lab.run("dcwin2", r"reg.exe add HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions /v ProductType /d ServerNT /f")
    lab.rules([{"kind": "exit", "match": "shutdown", "code": 5}])
    assert module("win_restart", "dcwin2").code == "restart_refused"
    lab.rules([{"kind": "exit", "match": "shutdown", "code": 0}])
    off = threading.Timer(3, lab.power, ("dcwin2", "off"))
    off.start()
    lost = module("win_restart", "dcwin2", gone_minutes=1, back_minutes=0, timeout=5)
    off.join()
    assert lost.code == "not_back" and lost["failed_objects"][0]["code"] == "not_back"
    lab.power("dcwin2", "on")
    # somebody else's restart is waited for, and nothing is added to it
    lab.run("dcwin2", "shutdown.exe /r /t 8")
    real = module("win_restart", "dcwin2", gone_minutes=1, back_minutes=2, timeout=5)
    assert real["applied"][0]["details"]["under_way"] == "scheduled"


@pytest.mark.parametrize(("name", "code"), [("scecli", "filter_name_invalid"), ("rassfm", "filter_name_invalid"), ("iid.dll", "filter_name_invalid")])
def test_password_filters_that_must_stay(lab: WindowsPart, module: Module, name: str, code: str) -> None:
    assert module("win_password_filter", "dcwin1", name=name).code == code
    assert lab.requests() == []


def test_password_filter_list_is_never_left_empty(lab: WindowsPart, module: Module) -> None:
    lsa = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa"
    assert lab.run("dcwin2", rf'reg.exe add {lsa} /v "Notification Packages" /t REG_MULTI_SZ /d {FILTER} /f')[0] == 0
    assert module("win_password_filter", "dcwin2", name=FILTER).rules == ["would_be_empty"]
    assert writes(lab) == []


# --- browsers and zones ---

EDGE = r"SOFTWARE\Policies\Microsoft\Edge"
SPNEGO = r"SOFTWARE\Policies\Mozilla\Firefox\Authentication\SPNEGO"
ZONE_LIST = r"SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
DOMAINS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap\Domains"
PROFILES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
#: a user of an Entra-joined machine, signed in, and one of the domain who is not
ENTRA, AWAY = "S-1-12-1-2771420349-1278311459-3926234006-1103849205", "S-1-5-21-7-7-7-1002"


def registry(lab: WindowsPart, machine: str, key: str) -> dict[str, str]:
    """The values of all keys below one, by path without the root; empty when it is not there."""
    found: dict[str, str] = {}
    path = ""
    for line in lab.run(machine, f'reg.exe query "{key}" /s')[1].splitlines():
        if line.startswith("HKEY_"):
            path = line.strip().partition("\\")[2]
        elif len(parts := line.strip().split("    ")) == 3:
            found[f"{path}\\{parts[0]}"] = f"{parts[1]} {parts[2]}"
    return found


def browsers(lab: WindowsPart, machine: str) -> None:
    """A machine whose browsers sign in to IIJ ID, and to others."""
    values = [
        (rf"HKLM\{EDGE}", "AuthServerAllowlist", "REG_SZ", "*.Sumire.example , https://www1.auth.iij.jp,*iij.jp"),
        (rf"HKLM\{EDGE}", "AuthNegotiateDelegateAllowlist", "REG_SZ", "*.auth.iij.jp"),
        (rf"HKLM\{ZONE_LIST}", "ListBox_Support_ZoneMapKey", "REG_DWORD", "1"),
        (rf"HKLM\{ZONE_LIST}\ZoneMapKey", "https://*.auth.iij.jp", "REG_SZ", "1"),
        (rf"HKU\{ENTRA}\{SPNEGO}", "1", "REG_SZ", "https://auth.iij.jp"),
        (rf"HKU\{ENTRA}\{SPNEGO}", "2", "REG_SZ", "社内.example"),
        (rf"HKU\{ENTRA}\{DOMAINS}\iij.jp\www1.auth", "https", "REG_DWORD", "2"),
        (rf"HKU\{ENTRA}\{DOMAINS}\iij.jp\www1.auth", "*", "REG_DWORD", "2"),
        (rf"HKU\{ENTRA}\{DOMAINS}\sumire.example\*", "https", "REG_DWORD", "1"),
        (rf"{PROFILES}\{ENTRA}", "ProfileImagePath", "REG_EXPAND_SZ", r"C:\Users\鈴木"),
        (rf"{PROFILES}\{AWAY}", "ProfileImagePath", "REG_EXPAND_SZ", r"C:\Users\tanaka"),
    ]
    for key, name, kind, data in values:
        assert lab.run(machine, f'reg.exe add "{key}" /v "{name}" /t {kind} /d "{data}" /f /reg:64')[0] == 0, key


def test_browser_sign_in(lab: WindowsPart, module: Module, tmp_path: Path) -> None:
    browsers(lab, "dcwin1")
    hives = ("HKLM\\SOFTWARE\\Policies", f"HKU\\{ENTRA}")
    was = [registry(lab, "dcwin1", hive) for hive in hives]
    found = module("win_browser_sign_in_info", "dcwin1", hosts=["auth.iij.jp"])
    assert [(item["sort"], item["user"], item["policy"]) for item in found["settings"]] == [
        ("list", "", True),
        ("list", "", True),
        ("zone_list", "", True),
        ("numbered", "鈴木", True),
        ("zone", "鈴木", False),
    ]
    assert [item["broader"] for item in found["settings"] if item["broader"]] == [["*iij.jp"]]
    at_once = module("win_machine_info", "dcwin1", browser_sign_in={"hosts": ["auth.iij.jp"]}, password_filters={})
    assert at_once["browser_sign_in"] == {name: found[name] for name in at_once["browser_sign_in"]} and at_once["password_filters"]["filters"]
    assert {"sid": AWAY, "name": "tanaka"} in found["users_not_signed_in"] and {"sid": ENTRA, "name": "鈴木"} in found["users"]
    more = {"hosts": ["auth.iij.jp"], "backup_dir": str(tmp_path)}
    real = lifecycle(lab, module, "win_browser_sign_in", "dcwin1", changes=5, state="absent", **more)
    assert len(real["saved"]) == len(list(tmp_path.iterdir())) == 5
    machine, user = (registry(lab, "dcwin1", hive) for hive in hives)
    assert machine == {rf"{EDGE}\AuthServerAllowlist": "REG_SZ *.Sumire.example ,*iij.jp"}
    assert user == {rf"{ENTRA}\{SPNEGO}\1": "REG_SZ 社内.example", rf"{ENTRA}\{DOMAINS}\sumire.example\*\https": "REG_DWORD 0x1"}
    assert "iij.jp" not in lab.run("dcwin1", rf'reg.exe query "HKU\{ENTRA}\{DOMAINS}"')[1]
    back = module("win_browser_sign_in", "dcwin1", state="present", backup_dir=str(tmp_path))
    assert len(back["applied"]) == 5
    assert [registry(lab, "dcwin1", hive) for hive in hives] == was
    again = module("win_browser_sign_in", "dcwin1", state="present", backup_dir=str(tmp_path))
    assert again["changed"] is False and again["counts"]["unchanged"] == 5


# --- the connection ---


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"password": "not-the-one"}, "wrong_credentials"),
        ({"password": "not-the-one", "transport": "basic"}, "wrong_credentials"),
        ({"username": "nobody"}, "wrong_credentials"),
        ({"ca_file": None}, "certificate_untrusted"),
        ({"host": "no-such-host.invalid"}, "host_unknown"),
        ({"port": 1}, "connection_refused"),
        ({"scheme": "https", "port": paths.WINRM_HTTP}, "certificate_untrusted"),
        ({"scheme": "http", "transport": "basic"}, "unencrypted_refused"),
        ({"ca_file": "/nonexistent.pem"}, "ca_file_unusable"),
    ],
)
def test_connection_errors(lab: WindowsPart, module: Module, more: dict[str, Any], code: str) -> None:
    answer = module("win_software", "sync01", products=[DIRECTORY_SYNC], **more)
    assert answer.code == code
    assert "Traceback" not in json.dumps(answer)
    assert lab.requests() == []


@pytest.mark.parametrize("transport", [{"transport": "basic"}, {"transport": "ntlm"}, {"scheme": "http", "transport": "ntlm"}])
def test_transports(lab: WindowsPart, module: Module, transport: dict[str, Any]) -> None:
    lab.limits(basic=True)
    assert len(module("win_software_info", "sync01", **transport)["products"]) == 3


@pytest.mark.parametrize(
    "rule", [{"kind": "drop", "action": "Receive"}, {"kind": "drop_after", "action": "Command"}, {"kind": "fault", "action": "Create", "code": 5}]
)
def test_a_lost_connection_is_told_and_the_next_run_succeeds(lab: WindowsPart, module: Module, rule: dict[str, Any]) -> None:
    lab.rules([rule])
    assert module("win_software", "sync01", products=[NOTES]).code in ("connection_lost", "access_denied")
    assert module("win_software", "sync01", products=[NOTES])["results"][0]["status"] == "uninstalled"


def test_a_short_interruption_does_not_end_an_uninstaller(lab: WindowsPart, module: Module) -> None:
    lab.rules([{"kind": "drop", "action": "Receive", "match": "unins000"}])
    assert module("win_software", "sync01", products=[DIRECTORY_SYNC])["results"][0]["status"] == "uninstalled"


@pytest.mark.slow
def test_a_lost_connection_hides_no_other_product(lab: WindowsPart, module: Module) -> None:
    lab.rules([{"kind": "drop", "action": "Receive", "match": "unins000", "times": 0}])
    answer = module("win_software", "sync01", products=[DIRECTORY_SYNC, NOTES])
    assert answer.code == "connection_lost"
    assert [item["name"] for item in answer["applied"]] == ["Sumire Notes"]
    lab.rules([])
    module("win_software", "sync01", products=[DIRECTORY_SYNC, NOTES])
    assert installed(module, "sync01") == ["IIJ Backup Agent"]


# --- by ansible-playbook, with the host's connection variables ---

BOOK = """
- hosts: agents
  gather_facts: false
  module_defaults:
    group/offboard.iij_id.windows:
      verify_timeout: 20
  tasks:
    - offboard.iij_id.win_software_info:
        name_patterns: [IIJ ID]
      register: found
    - offboard.iij_id.win_file_info:
        paths: ["{{ found.products[0].install_location }}config\\\\config.yml"]
        yaml_values: {bind_dn: ad.ldap.user}
    - offboard.iij_id.win_scheduled_task:
        action_paths: ['*\\IIJ ID Service *\\bin\\*']
        tasks: [{name: '\\業務\\ID同期'}, {name: '\\PasswordSync 定期実行'}]
        state: absent
        backup_dir: "{{ run_dir }}/tasks"
        journal: "{{ run_dir }}/journal.jsonl"
    - offboard.iij_id.win_software:
        products: [{product_code: "{{ found.products[0].product_code }}"}]
        journal: "{{ run_dir }}/journal.jsonl"
    - offboard.iij_id.win_file:
        paths: ["{{ found.products[0].install_location }}"]
        journal: "{{ run_dir }}/journal.jsonl"
"""


def by_ansible_playbook(folder: Path, machines: Iterable[str], book: str, *more: str, group: str = "agents", **variables: Any) -> str:
    """Run a playbook for the hosts of `group`, as loud as can be; everything that was printed or logged."""
    connection = {
        "ansible_connection": "winrm",
        "ansible_user": paths.WINDOWS_USER,
        "ansible_password": paths.PASSWORD,
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_ca_trust_path": str(paths.ca_file()),
    }
    hosts = {name: {"ansible_host": paths.WINDOWS[name]} for name in machines}
    (folder / "inventory.json").write_text(json.dumps({"all": {"vars": variables}, group: {"hosts": hosts, "vars": connection}}))
    (folder / "book.yml").write_text(book)
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", folder / "inventory.json", folder / "book.yml", "-vvv", "--diff", *more]
    environment = os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOG_PATH": str(folder / "log")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    return printed + (folder / "log").read_text()


def test_machines_are_reached_by_their_hosts_variables(lab: WindowsPart, tmp_path: Path) -> None:
    """From a play on the controller, which has none of them."""
    book = """
- hosts: localhost
  gather_facts: false
  tasks:
    - offboard.iij_id.win_restart:
        machines: "{{ groups['agents'] }}"
      check_mode: true
      register: asked
    - assert:
        that: asked.order == groups['agents'] and asked.plan | map(attribute='id') == groups['agents'] | map('extract', hostvars, 'ansible_host')
"""
    printed = by_ansible_playbook(tmp_path, ["dcwin2", "sync01"], book)
    assert paths.PASSWORD not in printed
    assert writes(lab) == []


@pytest.mark.slow
def test_the_whole_way_by_ansible_playbook(lab: WindowsPart, tmp_path: Path) -> None:
    printed = by_ansible_playbook(tmp_path, paths.WINDOWS, BOOK, run_dir=str(tmp_path))
    assert len(re.findall(r"^\w+ +: ok=\d+ +changed=3 ", printed, re.MULTILINE)) == len(paths.WINDOWS)
    everything = printed + (tmp_path / "journal.jsonl").read_text()
    assert not [secret for secret in SECRETS if secret in everything]
    for machine in paths.WINDOWS:
        disk = server.machine_prefix(machine) / "drive_c/Program Files"
        assert not list(disk.glob("IIJ ID Service*"))


@pytest.mark.parametrize(
    ("machine", "kinds", "changed"),
    [
        # frozen and started again, uninstalled by name (the product code is that of another package), what it left removed
        ("sync01", ("win_scheduled_task", "win_file_info", "win_software", "win_file"), 5),
        # nothing of a browser is there to be taken out
        ("dcwin1", ("win_password_filter", "win_browser_sign_in"), 2),
    ],
)
def test_the_documented_examples(lab: WindowsPart, tmp_path: Path, machine: str, kinds: tuple[str, ...], changed: int) -> None:
    """As they stand, but for the address of a machine that is not in the inventory, and the folder of copies."""
    names = [name for kind in kinds for name in ((kind,) if kind.endswith("_info") else (f"{kind}_info", kind))]
    modules = [importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}") for name in dict.fromkeys(names)]
    tasks = [task for module in modules for task in yaml.safe_load(module.EXAMPLES.replace("/srv/offboard-run", str(tmp_path)))]
    own = {module.__name__.rpartition(".")[2] for module in modules}
    tasks = [task for task in tasks if all(key.rpartition(".")[2] in own for key in task if key.startswith("offboard."))]
    for task in tasks:
        options = next((value for key, value in task.items() if key.startswith("offboard.")), None) or {}
        if "host" in options:
            options |= {"host": paths.WINDOWS[machine], "username": paths.WINDOWS_USER, "ca_file": str(paths.ca_file())}
    play = {
        "hosts": "agents",
        "gather_facts": False,
        "module_defaults": {"group/offboard.iij_id.windows": {"verify_timeout": 20}},
        # a domain controller is not asked here: what it would have told
        "vars": {"windows_password": paths.PASSWORD, "password_filter_name": FILTER, "group_policies": {"policies": []}},
    }
    restart = next((number for number, task in enumerate(tasks) if task["name"].startswith("After the restart")), len(tasks))
    printed = by_ansible_playbook(tmp_path, [machine], yaml.safe_dump([{**play, "tasks": tasks[:restart]}], sort_keys=False))
    if tasks[restart:]:
        lab.power(machine, "reboot")
        printed += by_ansible_playbook(tmp_path, [machine], yaml.safe_dump([{**play, "tasks": tasks[restart:]}], sort_keys=False))
    counts = re.findall(rf"^{machine} +: ok=\d+ +changed=(\d+) ", printed, re.MULTILINE)
    assert sum(map(int, counts)) == changed, printed[-3000:]


# --- certificates ---

CNG = "Microsoft Software Key Storage Provider"
DEVICE_CA, OTHER_CA = "CN=Sumire Device CA,O=Internet Initiative Japan Inc.,C=JP", "CN=Other CA,O=Internet Initiative Japan Inc.,C=JP"
ROOT_STORE = r"HKLM\SOFTWARE\Microsoft\SystemCertificates\Root\Certificates"
TARO = "S-1-5-21-1-2-3-1001"


class CertificatesOfMachine:
    """A machine full of certificates: those that are meant, and decoys of all sorts."""

    def __init__(self, lab: Machines, machine: str) -> None:
        self._lab, self._machine = lab, machine
        self.prefix = server.machine_prefix(machine)
        made.install_certutil(self.prefix)
        made.install_tar(self.prefix)
        self.home = self.prefix / "drive_c/users/taro/AppData/Roaming"
        guid = re.search(r"MachineGuid\s+REG_SZ\s+(\S+)", lab.run(machine, r"reg.exe query HKLM\SOFTWARE\Microsoft\Cryptography /reg:64")[1])
        assert guid
        self._guid = guid[1]
        ours, decoys = made.Authority(DEVICE_CA), made.Authority(OTHER_CA)
        machine_key, shared = PrivateKey("le-pc", CAPI, 1, True), PrivateKey("{renewed}", CAPI, 1, False)
        self.machine = self.in_registry(MY_STORE, ours.issue("pc"), machine_key)
        self.machine_cng = self.in_registry(MY_STORE, ours.issue("pc-cng"), PrivateKey("cng", CNG, 0, True))
        self.keyless = self.in_registry(MY_STORE, ours.issue("keyless", expired=True), None)
        self.decoys = [
            self.in_registry(MY_STORE, decoys.issue("decoy"), PrivateKey("decoy", CAPI, 1, True)),
            self.in_registry(MY_STORE, ours.issue("server", client_auth=False), PrivateKey("server", CAPI, 1, True)),
            self.in_file(decoys.issue("taro-renewed"), shared),
        ]
        self.authority = self.in_registry(ROOT_STORE, ours.issue("", ca=True), None)
        self.alone = self.in_file(ours.issue("taro-1"), PrivateKey("{alone}", CAPI, 1, False))
        self.shared = self.in_file(ours.issue("taro-2"), shared)
        self.left = self.in_file(ours.issue("taro-3"), PrivateKey("ngc", CNG, 0, False))
        firefox = self.home / "Mozilla/Firefox/Profiles/x.default/cert9.db"
        firefox.parent.mkdir(parents=True)
        firefox.write_bytes(made.cert9([ours.issue("firefox"), decoys.issue("firefox")]))
        self.reg(r"HKLM\Software\Wine\Crypto\RSA\le-pc", "/v", "lab", "/d", "key")
        profile = rf"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\{TARO}"
        self.reg(profile, "/v", "ProfileImagePath", "/t", "REG_EXPAND_SZ", "/d", r"%SystemDrive%\users\taro")

    @property
    def ours(self) -> list[str]:
        return [self.machine, self.machine_cng, self.keyless, self.alone, self.shared, self.left]

    def reg(self, key: str, *rest: str) -> None:
        assert self._lab.run(self._machine, subprocess.list2cmdline(["reg.exe", "add", key, *rest, "/f", "/reg:64"]))[0] == 0

    def in_registry(self, store: str, der: bytes, key: PrivateKey | None) -> str:
        return made.into_registry(self._lab, self._machine, store, der, key)

    def in_file(self, der: bytes, key: PrivateKey) -> str:
        folder, keys = self.home / "Microsoft/SystemCertificates/My/Certificates", self.home / f"Microsoft/Crypto/RSA/{TARO}"
        folder.mkdir(parents=True, exist_ok=True)
        keys.mkdir(parents=True, exist_ok=True)
        (folder / made.thumbprint(der)).write_bytes(made.blob(der, key))
        if key.kind:
            (keys / key_file(key.container, self._guid)).write_bytes(b"private")
        return made.thumbprint(der)

    def keys(self) -> set[str]:
        """The containers of taro's that are there."""
        names = {key_file(name, self._guid): name for name in ("{alone}", "{renewed}")}
        return {names[path.name] for path in (self.home / f"Microsoft/Crypto/RSA/{TARO}").iterdir()}

    def machine_keys(self) -> str:
        return self._lab.run(self._machine, r"reg.exe query HKLM\Software\Wine\Crypto\RSA /reg:64")[1]


@pytest.mark.long  # minutes: each of five removals reads all stores again
def test_certificates_with_decoys(lab: Machines, module: Module, tmp_path: Path) -> None:
    there = CertificatesOfMachine(lab, "sync01")
    server.REQUESTS.unlink(missing_ok=True)
    found = module("win_certificate_info", "sync01", issuers=[DEVICE_CA])
    assert sorted(item["thumbprint"] for item in found["certificates"]) == sorted(there.ours)
    assert [item["thumbprint"] for item in found["authorities"]] == [there.authority]
    assert [[item["subject"] for item in database["certificates"]] for database in found["firefox"]] == [["CN=firefox"]]
    assert found["issuers"] == [{"issuer": OTHER_CA, "certificates": 2}, {"issuer": DEVICE_CA, "certificates": 6}] and found["unreadable"] == []
    assert writes(lab) == []
    at_once = module("win_machine_info", "sync01", certificates={"issuers": [DEVICE_CA]}, password_filters={})
    assert at_once["certificates"] == {name: found[name] for name in at_once["certificates"]} and at_once["password_filters"]["filters"]
    assert len([entry for entry in lab.requests() if "tar.exe" in entry["command"]]) == 2 * 2  # all certificates, all databases
    # a key that certutil does not remove keeps its certificate: Wine has no CNG
    journal = tmp_path / "journal.jsonl"
    refused = module("win_certificate", "sync01", thumbprints=[there.machine_cng], journal=str(journal))
    assert refused.code == "key_refused"
    assert [json.loads(line)["record"] for line in journal.read_text().splitlines()] == ["intent", "outcome"]
    assert lab.run("sync01", rf"reg.exe delete {MY_STORE}\{there.machine_cng} /f /reg:64")[0] == 0  # it was there still

    server.REQUESTS.unlink(missing_ok=True)
    wanted: dict[str, Any] = {"issuers": [DEVICE_CA], "backup_dir": str(tmp_path / "saved")}
    before = lab.fingerprint("sync01")
    checked = module("win_certificate", "sync01", check=True, **wanted)
    assert len(checked["plan"]) == 5 and writes(lab) == [] and lab.fingerprint("sync01") == before and not (tmp_path / "saved").exists()
    real = module("win_certificate", "sync01", **wanted)
    assert real["plan"] == checked["plan"] and len(real["applied"]) == 5
    assert [item["code"] for item in real["skipped_objects"]] == ["not_for_clients"]
    assert [item["thumbprint"] for item in real["keys_left"]] == [there.left]
    assert sorted(path.name[-44:-4] for path in (tmp_path / "saved").iterdir()) == sorted(set(there.ours) - {there.machine_cng})
    # the key first, whatever comes before by its thumbprint; and taro's certificate of the other authority still has its own
    order = [line for line in writes(lab) if "certutil.exe" in line]
    at = next(number for number, line in enumerate(order) if there.machine in line or "le-pc" in line)
    assert "-delkey le-pc" in order[at] and f"-delstore My {there.machine}" in order[at + 1]
    assert there.keys() == {"{renewed}"} and "le-pc" not in there.machine_keys()
    written = writes(lab)
    assert module("win_certificate", "sync01", **wanted)["changed"] is False and writes(lab) == written
    left = module("win_certificate_info", "sync01", firefox=False)["certificates"]
    assert sorted(item["thumbprint"] for item in left) == sorted(there.decoys)


def test_certificates_of_users_where_tar_is_missing(lab: Machines, module: Module) -> None:
    """As on Windows Server 2016: each file by way of a copy that is gone afterwards."""
    there = CertificatesOfMachine(lab, "sync01")
    (there.prefix / "drive_c/windows/system32/tar.exe").unlink()
    server.REQUESTS.unlink(missing_ok=True)
    found = module("win_certificate_info", "sync01", thumbprints=[there.alone, there.left], firefox=False)
    assert sorted(item["thumbprint"] for item in found["certificates"]) == sorted([there.alone, there.left])
    copied = [re.search(r'certutil\.exe -encode "[^"]+" "(\S+)" >nul & type "\1" & del /f /q "\1"', line) for line in writes(lab)]
    assert len(copied) == 4 and all(copied)
    assert not list((there.prefix / "drive_c/windows/temp").glob("offboard-*"))


def test_certificates_that_cannot_be_read_stop_all(lab: Machines, module: Module) -> None:
    """It might have the very key that would be removed."""
    authority = made.Authority(DEVICE_CA)
    broken, whole = (made.thumbprint(authority.issue(name)) for name in ("broken", "whole"))
    for thumbprint, data in ((broken, made.blob(authority.issued[0])[:-1]), (whole, made.blob(authority.issued[1]))):
        line = ["reg.exe", "add", rf"{MY_STORE}\{thumbprint}", "/v", "Blob", "/t", "REG_BINARY", "/d", data.hex(), "/f", "/reg:64"]
        assert lab.run("sync01", subprocess.list2cmdline(line))[0] == 0
    server.REQUESTS.unlink(missing_ok=True)
    answer = module("win_certificate", "sync01", thumbprints=[whole])
    assert answer.rules == ["certificate_unreadable"] and broken in str(answer["failure"]) and writes(lab) == []


def test_certificates_that_a_service_serves_with_stay(lab: Machines, module: Module) -> None:
    der = made.Authority(DEVICE_CA).issue("pc")
    used = made.thumbprint(der)
    listener = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp"
    for key, value, data in ((rf"{MY_STORE}\{used}", "Blob", made.blob(der).hex()), (listener, "SSLCertificateSHA1Hash", used)):
        line = ["reg.exe", "add", key, "/v", value, "/t", "REG_BINARY", "/d", data, "/f", "/reg:64"]
        assert lab.run("sync01", subprocess.list2cmdline(line))[0] == 0
    server.REQUESTS.unlink(missing_ok=True)
    found = module("win_certificate_info", "sync01", firefox=False)["certificates"]
    assert [item["used_by"] for item in found] == [["Remote Desktop RDP-Tcp"]]
    assert module("win_certificate", "sync01", issuers=[DEVICE_CA]).rules == ["certificate_in_use"]
    kept = module("win_certificate", "sync01", issuers=[DEVICE_CA], except_thumbprints=[used])
    assert kept["changed"] is False and [item["code"] for item in kept["skipped_objects"]] == ["excepted"] and writes(lab) == []


FLEET = """
- hosts: iij_id_browser_machines
  gather_facts: false
  module_defaults:
    group/offboard.iij_id.windows:
      verify_timeout: 20
  tasks:
    - ansible.builtin.import_role: {name: offboard.iij_id.multi_factor_authentication, tasks_from: machine}
    - ansible.builtin.import_role: {name: offboard.iij_id.offboard, tasks_from: look_at_client}
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: offboard.iij_id.offboard, tasks_from: summary}
      when: false
    - offboard.iij_id.readiness_info:
        gate: "{{ item }}"
        language: en
        clients: "{{ __offboard_clients }}"
        contract_options: "{{ offboard_options }}"
        variables: "{{ __offboard_decisions }}"
      loop: [preflight, final]
      register: judged
    - ansible.builtin.copy:
        content: "{{ judged.results | map(attribute='findings') | to_json }}"
        dest: "{{ offboard_run_dir }}/findings.json"
        mode: "0600"
      check_mode: false
"""


@pytest.mark.long
def test_device_certificates_by_the_roles(lab: Machines, tmp_path: Path) -> None:
    """Not decided, decided and tried, removed, gone; and a machine that cannot be read is never clean."""
    there = CertificatesOfMachine(lab, "sync01")
    assert lab.run("sync01", rf"reg.exe delete {MY_STORE}\{there.machine_cng} /f /reg:64")[0] == 0  # Wine has no CNG
    run = tmp_path / "run"
    run.mkdir()

    def judged(*more: str, **variables: Any) -> tuple[list[str], list[str]]:
        server.REQUESTS.unlink(missing_ok=True)
        options = {"offboard_options": ["multi_factor_authentication"], "offboard_run_dir": str(run)}
        by_ansible_playbook(tmp_path, ["sync01"], FLEET, *more, group="iij_id_browser_machines", **options, **variables)
        before, after = (
            sorted(f"{item['severity']} {item['code']} {item['objects'][0]}" for item in found) for found in json.loads((run / "findings.json").read_text())
        )
        return before, after

    firefox = r"warning certificates_in_firefox sync01 C:\users\taro\AppData\Roaming\Mozilla\Firefox\Profiles\x.default\cert9.db"
    undecided = [f"blocker certificate_not_confirmed {issuer}" for issuer in (OTHER_CA, DEVICE_CA)]
    assert judged() == ([*sorted(undecided), firefox], [*sorted(undecided), firefox])
    assert writes(lab) == []
    decided = {"multi_factor_authentication_certificates": [DEVICE_CA], "multi_factor_authentication_kept_certificates": [OTHER_CA.lower(), there.keyless]}
    tried, still = judged("--check", **decided)
    assert f"info certificates_removed {DEVICE_CA}" in tried and f"blocker certificate_left {DEVICE_CA}" in still
    assert writes(lab) == [] and not (run / "backups").exists()
    before, after = judged(**decided)
    assert [item for item in after if item.startswith("blocker")] == [] and f"warning certificate_not_found {DEVICE_CA}" not in before
    assert writes(lab) != [] and len(list((run / "backups/certificates").iterdir())) == 4
    assert judged(**decided) == (before, after) and writes(lab) == []
    assert judged(ansible_port=1)[1] == ["blocker client_not_readable sync01"]


@pytest.mark.long
def test_the_stage_clients_reads_a_machine_once_and_changes_it_only_where_something_is_left(lab: Machines, tmp_path: Path) -> None:
    there = CertificatesOfMachine(lab, "sync01")
    assert lab.run("sync01", rf"reg.exe delete {MY_STORE}\{there.machine_cng} /f /reg:64")[0] == 0  # Wine has no CNG
    book = yaml.safe_dump([{"ansible.builtin.import_playbook": str(places.ROOT / "playbooks" / "clients.yml")}])
    variables: dict[str, Any] = {
        "offboard_run_dir": str(tmp_path / "run"), "offboard_options": ["multi_factor_authentication"], "offboard_language": "en",
        "offboard_vault_password": "Vault-31", "multi_factor_authentication_certificate_issuers": [DEVICE_CA],
    }  # fmt: skip

    def stage(**more: Any) -> tuple[int, bool]:
        """How often the profiles were listed, and whether the changing task was reached."""
        server.REQUESTS.unlink(missing_ok=True)
        printed = by_ansible_playbook(tmp_path, ["sync01"], book, group="iij_id_browser_machines", **variables, **more)
        (tmp_path / "log").unlink()
        listed = [entry for entry in lab.requests() if "ProfileList" in entry["command"]]
        return len(listed), "Remove the confirmed device certificates" in printed

    once, reached = stage()
    assert not reached and once and writes(lab) == []
    decided = {"multi_factor_authentication_certificates": [DEVICE_CA]}
    assert stage(**decided)[1] and writes(lab) != []
    assert stage(**decided) == (once, False) and writes(lab) == []
