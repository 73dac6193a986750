# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""domain_controller_health_info against one domain controller, and against two that replicate with each other when a test says so."""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from dev import places
from lab import inventory, paths
from lab.directory import settings
from lab.directory.group_policies import CONTROLLERS
from lab.directory.second import SecondController
from lab.directory.testing import RunningDirectory
from lab.windows.part import WindowsPart

pytestmark = pytest.mark.lab

ALL_ROLES = ["domain_naming_master", "infrastructure_master", "pdc_emulator", "rid_master", "schema_master"]


def health(directory: RunningDirectory, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    main = importlib.import_module("ansible_collections.offboard.iij_id.plugins.modules.domain_controller_health_info").main
    capsys.readouterr()
    with patch_module_args({**directory.options(), "_ansible_check_mode": True}), pytest.raises(SystemExit):
        main()
    output = capsys.readouterr().out
    assert paths.PASSWORD not in output
    return json.loads(output)


def problems(answer: dict[str, Any]) -> dict[str, list[str]]:
    """Host name → the codes of what is wrong there."""
    return {one["name"].casefold(): [problem["code"] for problem in one["problems"]] for one in answer["controllers"]}


def test_the_domain_controller_is_well(directory: RunningDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """The one that is asked is reached by the address it was named by."""
    answer = health(directory, capsys)
    (one,) = answer["controllers"]
    assert one["problems"] == [] and one["healthy"] is answer["healthy"] is True and one["global_catalog"] is True
    assert one["name"].casefold() == paths.DC_HOST.casefold() and answer["restart_order"] == [one["name"]]
    assert sorted(one["roles"]) == ALL_ROLES
    assert directory.writes() == []


def test_a_domain_controller_whose_sysvol_is_not_there(directory: RunningDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """What a domain controller looks like whose replication of SYSVOL has never begun."""
    ini = next(settings.sysvol(directory.part.state).rglob("{31B2F340-016D-11D2-945F-00C04FB984F9}")) / "GPT.INI"
    ini.rename(away := ini.with_suffix(".away"))
    try:
        answer = health(directory, capsys)
    finally:
        away.rename(ini)
    assert [item["code"] for item in answer["controllers"][0]["problems"]] == ["sysvol_unreadable"]
    assert answer["healthy"] is False


@pytest.fixture
def second(directory: RunningDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecondController]:
    """Joined, and running. This process, and no other, knows the domain controllers' names."""
    controller = SecondController(tmp_path / "dc2")
    resolve, known = socket.getaddrinfo, {name.casefold(): address for name, address in SecondController.addresses().items()}
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **options: resolve(known.get(str(host).casefold(), host), *more, **options))
    try:
        controller.start()
        yield controller
    finally:
        controller.stop()
        directory.part.reset()  # else it would go on looking for the second one


def test_two_domain_controllers(directory: RunningDirectory, second: SecondController, capsys: pytest.CaptureFixture[str]) -> None:
    """From just joined, over well, to one that is gone: each says for itself what is wrong, and none hides the other."""
    dc1, dc2 = paths.DC_HOST, paths.SECOND_DC_HOST
    joined = health(directory, capsys)
    assert problems(joined) == {dc1: ["replication_missing"], dc2: ["sysvol_unreadable"]} and joined["restart_order"] == [dc2, dc1]
    assert {one["name"]: sorted(one["roles"]) for one in joined["controllers"]} == {dc1: ALL_ROLES, dc2: []}

    second.connect(directory.part)
    second.take_sysvol(directory.part)
    second.replicate()
    well = health(directory, capsys)
    assert problems(well) == {dc1: [], dc2: []} and well["healthy"] is True
    (partner,) = next(one["replication"] for one in well["controllers"] if one["name"] == dc2)
    assert partner["failures"] == 0 and partner["last_success"] and partner["partner"] == dc1

    second.stop()
    gone = health(directory, capsys)
    assert problems(gone) == {dc1: [], dc2: ["unreachable", "sysvol_unreadable"]} and gone["healthy"] is False


def test_a_policy_that_has_not_arrived_everywhere_is_told(
    directory: RunningDirectory, second: SecondController, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Its two halves replicate each for itself: who asks the first one hears of the other's directory, who asks the other one sees both halves there."""
    on_second = {"host": paths.SECOND_DC_ADDRESS, "valid_names": [paths.SECOND_DC_HOST]}

    def run(name: str, **options: Any) -> dict[str, Any]:
        main = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}").main
        capsys.readouterr()
        with patch_module_args({**directory.options(paths.AD_ADMIN), "policies": [CONTROLLERS], **options}), pytest.raises(SystemExit):
            main()
        return json.loads(capsys.readouterr().out)

    def info(**options: Any) -> dict[str, Any]:
        answer = run("group_policy_info", **options)
        assert "policies" in answer and answer["not_looked_at"] == [], answer
        return answer

    def take_out(member: str, **options: Any) -> dict[str, Any]:
        wanted = {"rights": ["SeBatchLogonRight"], "accounts": [member], "state": "absent", "backup_dir": str(tmp_path / "policies")}
        return run("group_policy_right", **wanted, **options)

    def halves_on_second() -> tuple[int, int]:
        (one,) = info(**on_second)["policies"]
        assert one["versions_differ"] == (one["version"] != one["sysvol_version"])
        return one["version"], one["sysvol_version"]

    second.connect(directory.part)
    second.take_sysvol(directory.part)
    assert info()["replication_pending"] == [] and halves_on_second() == (1, 1)
    first = take_out("S-1-5-32-559")
    assert first["changed"] and "replication_pending" not in json.dumps(first.get("warnings", ""))  # others are of earlier modules in this process
    (behind,) = info()["replication_pending"]
    assert (behind["domain_controller"].casefold(), behind["guid"], behind["version"]) == (paths.SECOND_DC_HOST.casefold(), CONTROLLERS, 1)
    again = take_out("S-1-5-32-551")
    assert again["changed"] and "replication_pending" in json.dumps(again["warnings"])

    second.replicate()
    assert info()["replication_pending"] == [] and halves_on_second() == (3, 1)
    second.take_sysvol(directory.part)
    assert halves_on_second() == (3, 3)
    elsewhere = take_out("S-1-5-32-544", **on_second)
    assert [item["rule"] for item in elsewhere["failure"]["details"]["refusals"]] == ["not_pdc_emulator"]

    second.stop()
    alone = run("group_policy_info")
    assert [(item["domain_controller"].casefold(), item["code"]) for item in alone["not_looked_at"]] == [(paths.SECOND_DC_HOST.casefold(), "unreachable")]


@pytest.fixture
def windows() -> Iterator[WindowsPart]:
    part = WindowsPart()
    if reason := part.why_not():
        pytest.skip(reason)
    part.prepare()
    ran = part.status()["running"]
    part.start()
    part.reset()  # with an empty log, whatever used the lab before
    yield part
    part.reset()
    if not ran:
        part.stop()


def test_both_are_restarted_while_the_other_is_well(
    windows: WindowsPart, directory: RunningDirectory, second: SecondController, capsys: pytest.CaptureFixture[str]
) -> None:
    """The machines are told apart from what the directory calls them; it is the directory that says how they are, and which of them is the last."""
    second.connect(directory.part)
    second.take_sysvol(directory.part)
    machines = [
        {"name": name, "host": paths.WINDOWS[name], "username": paths.WINDOWS_USER, "password": paths.PASSWORD, "ca_file": str(paths.ca_file()), "timeout": 10,
         "domain_controller": host}
        for name, host in (("dcwin1", paths.DC_HOST), ("dcwin2", paths.SECOND_DC_HOST))
    ]  # fmt: skip

    def restart(check: bool = False) -> dict[str, Any]:
        main = importlib.import_module("ansible_collections.offboard.iij_id.plugins.modules.win_restart").main
        capsys.readouterr()
        asked = {name: value for name, value in directory.options().items() if name != "verify_timeout"}
        wanted = {"machines": machines, "directory": asked, "healthy_others": 1, "_ansible_check_mode": check}
        with patch_module_args(wanted), pytest.raises(SystemExit):
            main()
        output = capsys.readouterr().out
        assert paths.PASSWORD not in output
        return json.loads(output)

    checked = restart(check=True)
    assert checked.get("order") == ["dcwin2", "dcwin1"], checked
    assert [entry for entry in windows.requests() if entry["write"]] == []
    real = restart()
    assert [(item["name"], item["status"]) for item in real["results"]] == [("dcwin2", "restarted"), ("dcwin1", "restarted")], json.dumps(real["results"])
    second.stop()
    refused = restart()
    assert {item["rule"] for item in refused["failure"]["details"]["refusals"]} >= {"unhealthy"}, refused
    assert len([entry for entry in windows.requests() if entry["command"].startswith("shutdown")]) == 2


FILTER_FILE = r"C:\windows\system32\iidpwfilter.dll"
STEP = "domain_controllers_restarted"


class Operator:
    """Plays stages for the two domain controllers, whose names mean the lab's where they run."""

    def __init__(self, folder: Path, hosts: Path) -> None:
        self.run_dir = folder / "run"
        self._folder = folder
        self._hosts = hosts
        machines = {
            name: {**inventory.windows_vars(), "ansible_host": paths.WINDOWS[name], "offboard_domain_controller": host}
            for name, host in (("dcwin1", paths.DC_HOST), ("dcwin2", paths.SECOND_DC_HOST))
        }
        local = {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
        groups = {"all": {"hosts": local}, "iij_id_domain_controllers": {"hosts": machines}, "iij_id_agents": {"children": {"iij_id_domain_controllers": {}}}}
        (folder / "inventory.json").write_text(json.dumps(groups))
        decided = inventory.decisions()
        self._variables = {
            **{name: value for name, value in decided.items() if name.startswith("directory_sync")},
            **inventory.directory_vars(),
            "offboard_run_dir": str(self.run_dir),
            "offboard_options": ["directory_sync"],
            "offboard_vault_password": inventory.VAULT_PASSWORD,
            "offboard_language": "en",
            "directory_sync_restart_domain_controllers": True,
        }

    def play(self, playbook: str, *words: str, fails: bool = False, **variables: Any) -> str:
        (self._folder / "variables.json").write_text(json.dumps({**self._variables, **variables}))
        named = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'mount --bind {self._hosts} /etc/hosts && exec "$@"', "sh"]
        book = places.ROOT / "playbooks" / f"{playbook}.yml"
        argv = ["ansible-playbook", "-i", self._folder / "inventory.json", "-e", f"@{self._folder / 'variables.json'}", book, *words]
        done = subprocess.run(
            [*named, Path(sys.executable).with_name(argv[0]), *argv[1:]],
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"}, capture_output=True, text=True, timeout=900, check=False, cwd=self._folder,
        )  # fmt: skip
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        assert paths.PASSWORD not in output and "Traceback" not in output
        return output

    def step(self) -> dict[str, Any]:
        return next(step for step in json.loads((self.run_dir / "steps.json").read_text())["steps"] if step["id"] == STEP)


@pytest.mark.long
def test_a_filter_is_proved_unloaded_in_the_run_that_restarts(
    windows: WindowsPart, directory: RunningDirectory, second: SecondController, tmp_path: Path
) -> None:
    """Restarted one after the other, then the filter's file goes, and only then is the step done. One that is still held keeps it open, until it is not."""
    second.connect(directory.part)
    second.take_sysvol(directory.part)
    operator = Operator(tmp_path, tmp_path / "dc2" / "hosts")
    for name in ("dcwin1", "dcwin2"):
        windows.fault(name, "password_sync", "leave")  # the filter and its file
    operator.play("snapshot")
    assert "file_in_use" not in operator.play("agents", "--check") and windows.run("dcwin1", rf"cmd.exe /c if not exist {FILTER_FILE} exit 1")[0] == 0
    assert [entry for entry in windows.requests() if entry["write"]] == []

    windows.rules([{"kind": "exit", "machine": "dcwin2", "match": r"del /f .*iidpwfilter", "times": 0}])  # held by something that the restart has not ended
    output = operator.play("agents", fails=True)
    assert "is in use by LSA" in output and operator.step()["done"] is False, output
    restarts = [entry["machine"] for entry in windows.requests() if entry["command"].startswith("shutdown")]
    assert restarts == ["dcwin2", "dcwin1"]

    windows.rules([])
    output = operator.play("agents")
    step = operator.step()
    assert (step["done"], step["by"], step["note"]) == (True, "offboard.iij_id.win_restart", "dcwin1, dcwin2"), output
    assert len([entry for entry in windows.requests() if entry["command"].startswith("shutdown")]) == 2
    for name in ("dcwin1", "dcwin2"):
        assert windows.run(name, rf"cmd.exe /c if exist {FILTER_FILE} exit 1")[0] == 0

    again = operator.play("agents")
    assert "changed=0" in again and "Remove the files of the confirmed password filters" not in again, again
