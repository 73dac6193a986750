# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once, as processes of their own: with the same files the second is refused, and what the first said stays true."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from lab.testing import RunningTenant

from .entra import PEOPLE, VAULT_PASSWORD, connection, lines, run_module

#: those who get a password, among everybody of the domain
DOMAIN = "reiji.example"
PATCH = {"method": "PATCH", "path": "/v1.0/users/.*", "batch": True}
PLAIN = [PEOPLE[number].upn for number in range(71, 101)]

_SCRIPT = """
import importlib, json, sys
from ansible.module_utils.testing import patch_module_args
name, options = sys.argv[1], json.loads(sys.stdin.readline())
module = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}")
print("ready", flush=True)
sys.stdin.readline()
with patch_module_args({**options, "_ansible_module_name": f"offboard.iij_id.{name}"}): module.main()
"""


_FORKS = """
import importlib, json, os, sys
from ansible.module_utils.testing import patch_module_args
module = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{sys.argv[1]}")
for line in sys.stdin:
    if pid := os.fork():
        os.waitpid(pid, 0)
    else:
        with patch_module_args(json.loads(line)): module.main()
"""


class Forks:
    """Runs a module again and again, each time in a fork that has everything imported: so two of them begin within a moment."""

    def __init__(self, name: str) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-c", _FORKS, name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def begin(self, options: dict[str, Any]) -> None:
        self.process.stdin.write(json.dumps(options) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        self.process.stdout.readline()  # AnsibleModule begins with an empty line
        return json.loads(self.process.stdout.readline())

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        self.begin(options)
        return self.answer()


class Module:
    """A module's process, which begins when it is told to."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        self.process.stdin.write(json.dumps(options) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ready\n"

    def begin(self) -> Module:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self

    def answer(self) -> dict[str, Any]:
        return json.loads(self.process.communicate(timeout=300)[0])


@pytest.fixture
def users(tenant: RunningTenant, tmp_path: Path):
    """entra_users that gives passwords; `files` tells its files from another one's."""
    tenant.arrange("domains", DOMAIN, authenticationType="Managed")

    def make(files: str = "", **options: Any) -> Module:
        own = {name: str(tmp_path / f"{name}{files}") for name in ("journal", "handover_file", "results_file")}
        common = {"domain": DOMAIN, "password": "generate", "max_changes": 1000, "vault_password": VAULT_PASSWORD}
        return Module("entra_users", {**connection(tenant), **own, **common, **options})

    return make


def entries(tmp_path: Path, files: str = "") -> list[dict[str, str]]:
    return yaml.safe_load(vault.decrypt((tmp_path / f"handover_file{files}").read_bytes(), VAULT_PASSWORD.encode()))["users"]


def agree(tenant: RunningTenant, handed: list[dict[str, str]], count: int) -> None:
    """Each user has one entry, and its password is the one that works."""
    assert len(handed) == len({entry["id"] for entry in handed}) == count
    assert all(tenant.password_is(entry["userPrincipalName"], entry["password"]) for entry in handed)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def begun(tmp_path: Path, files: str = "") -> bool:
    journal = tmp_path / f"journal{files}"
    return journal.exists() and journal.stat().st_size > 0


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 2, "times": 30}, {"delay": 1.0, "times": 40}], ids=["the first is throttled", "it is slow"])
def test_a_second_run_is_refused_while_the_first_one_works(users, tenant, tmp_path, fault):
    tenant.faults.add(**PATCH, **fault)
    first, second = users(), users()
    first.begin()
    wait_for(lambda: begun(tmp_path))
    refused = second.begin().answer()
    assert refused["failure"]["code"] == "held_by_another_run"
    assert f"entra_users (process {first.process.pid})" in refused["msg"] and "changed" in refused and refused["changed"] is False
    done = first.answer()
    count = done["counts"]["done"]
    assert not done.get("failed") and count > 100
    agree(tenant, entries(tmp_path), count)
    assert len({record["run"] for record in lines(tmp_path / "journal")}) == 1
    again = users().begin().answer()
    assert (again["changed"], again["counts"]["unchanged"]) == (False, count)
    assert all(tenant.user(entry["userPrincipalName"])["_password_count"] == 1 for entry in entries(tmp_path))


def test_two_runs_that_begin_in_the_same_moment(users, tenant, tmp_path):
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        own = {name: str(folder / name) for name in ("journal", "handover_file", "results_file")}
        both = [users(**own), users(**own)]
        for one in both:
            one.begin()
        answers = [one.answer() for one in both]
        done = [answer for answer in answers if answer.get("counts", {}).get("done")]
        assert len(done) == 1, answers
        other = next(answer for answer in answers if answer is not done[0])
        assert other.get("failure", {}).get("code") == "held_by_another_run" or other["changed"] is False, other
        agree(tenant, entries(folder), done[0]["counts"]["done"])


def test_a_killed_run_holds_nothing(users, tenant, tmp_path):
    tenant.faults.add(**PATCH, delay=60.0, times=None)
    first = users().begin()
    wait_for(lambda: begun(tmp_path))
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    tenant.faults.clear()
    time.sleep(0.2)
    done = users().begin().answer()
    assert not done.get("failed"), done
    agree(tenant, entries(tmp_path), done["counts"]["done"] + done["counts"]["unchanged"])


def test_parts_with_files_of_their_own_go_on_side_by_side(users, tenant, tmp_path):
    tenant.faults.add(**PATCH, delay=1.0, times=40)
    parts = [users(files=f"-{number}", shard=f"{number}/2", max_changes=1000) for number in (1, 2)]
    for part in parts:
        part.begin()
    wait_for(lambda: all(begun(tmp_path, f"-{number}") for number in (1, 2)))
    assert all(part.process.poll() is None for part in parts), "both are at work"
    counts = [part.answer()["counts"]["done"] for part in parts]
    assert min(counts) > 30
    agree(tenant, [entry for number in (1, 2) for entry in entries(tmp_path, f"-{number}")], sum(counts))


def test_check_mode_and_reading_take_no_lock(users, tenant, tmp_path, capsys):
    tenant.faults.add(**PATCH, delay=1.0, times=40)
    first = users().begin()
    wait_for(lambda: begun(tmp_path))
    checked = users(_ansible_check_mode=True).begin().answer()
    assert not checked.get("failed"), checked
    assert run_module(capsys, "entra_users_info", {**connection(tenant), "domain": DOMAIN})["counts"]["total"] > 100
    assert not first.answer().get("failed")


def test_passes_of_two_runs(tenant, tmp_path, users):
    """A pass is told once: the second run would do away with the first one's."""
    tenant.settings.change({"throttling": False})
    tenant.faults.add(method="POST", path="/v1.0/users/.*/temporaryAccessPassMethods", batch=True, delay=3.0, times=2)
    options = {"password": "temporary_access_pass", "domain": None, "users": PLAIN[:2]}
    first, second = users(**options), users(**options, journal=str(tmp_path / "another"))  # the file of the passes alone is shared
    first.begin()
    wait_for(lambda: begun(tmp_path))
    refused = second.begin().answer()
    assert refused["failure"]["code"] == "held_by_another_run"
    assert first.answer()["counts"]["done"] == 2
    handed = {entry["userPrincipalName"]: entry["temporaryAccessPass"] for entry in entries(tmp_path)}
    passes = tenant.store.tables["access_passes"].objects
    assert handed == {upn: passes[tenant.user(upn)["id"]]["_value"] for upn in PLAIN[:2]}


def steps_of(path: Path) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in json.loads(path.read_text(encoding="utf-8"))["steps"]}


def test_a_confirmation_and_a_withdrawal_at_the_same_time(tmp_path):
    """Forty aligned races on the same step and on two: nothing is lost, and each run tells what the file held when it had written."""
    path = tmp_path / "run" / "steps.json"
    step = {"stage": "gate", "en": "do it", "ja": "する"}
    common = {"path": str(path), "by": "Hanako"}
    names = ("same", "confirmed", "withdrawn")
    one, other = Forks("manual_steps"), Forks("manual_steps")
    one.run({**common, "steps": [{"id": name, **step} for name in names]})
    for _unused in range(40):
        other.run({**common, "confirm": ["withdrawn"], "withdraw": ["confirmed"]})
        one.begin({**common, "confirm": ["same", "confirmed"], "require": ["confirmed"]})
        other.begin({**common, "withdraw": ["same", "withdrawn"]})
        confirmed, withdrawn = answers = [one.answer(), other.answer()]
        assert not any(answer.get("failed") for answer in answers), answers
        there = steps_of(path)
        assert there["confirmed"]["done"] and not there["withdrawn"]["done"]
        told = [{item["id"]: item for item in answer["steps"]} for answer in answers]
        assert told[0]["same"]["done"] and not told[1]["same"]["done"]
        assert told[0]["confirmed"]["done"] and not told[1]["withdrawn"]["done"]
        assert there in told, "the last one to write has told the file as it is"
        assert confirmed["changed"] and withdrawn["changed"]
    for forks in (one, other):
        forks.process.communicate()


def playbook(tmp_path: Path, tenant: RunningTenant, name: str, hosts: list[str], tasks: list[dict[str, Any]]) -> subprocess.Popen[str]:
    """ansible-playbook on its way."""
    defaults = {"group/offboard.iij_id.entra": connection(tenant)}
    plays = [{"hosts": "all", "connection": "local", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}]
    (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
    return subprocess.Popen(
        ["ansible-playbook", "-i", ",".join([*hosts, ""]), "-e", "ansible_python_interpreter={{ ansible_playbook_python }}", f"{name}.yml"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        start_new_session=True,
    )


def test_playbooks(tenant, tmp_path, users):
    """Two hosts of one play share the files: one after the other. Another playbook is refused until the first has ended, also between its tasks."""
    files = {name: str(tmp_path / name) for name in ("journal", "handover_file", "results_file")}
    give = {"users": PLAIN, "password": "generate", "max_changes": 1000, "vault_password": VAULT_PASSWORD, **files}
    task = {"name": "Give passwords", "offboard.iij_id.entra_users": give}
    wait = {"name": "Wait", "ansible.builtin.wait_for": {"path": str(tmp_path / "go-on")}}
    mark = {"name": "Say so", "ansible.builtin.copy": {"dest": str(tmp_path / "{{ inventory_hostname }}-waits"), "content": "", "mode": "0600"}}
    first = playbook(tmp_path, tenant, "first", ["one", "two"], [task, mark, wait, task])
    wait_for(lambda: all((tmp_path / f"{host}-waits").exists() for host in ("one", "two")) or first.poll() is not None)
    assert first.poll() is None, first.communicate()[0]
    agree(tenant, entries(tmp_path), 30)
    second = playbook(tmp_path, tenant, "second", ["three"], [task])
    printed = second.communicate(timeout=120)[0]
    assert second.returncode == 2 and "held_by_another_run" in printed and f"of ansible-playbook {first.pid})" in printed, printed
    (tmp_path / "go-on").touch()
    printed = first.communicate(timeout=120)[0]
    assert first.returncode == 0, printed
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in PLAIN)
    third = playbook(tmp_path, tenant, "third", ["three"], [task])
    printed = third.communicate(timeout=120)[0]
    assert third.returncode == 0 and "changed=0" in printed, printed
