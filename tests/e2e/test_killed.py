# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed with SIGKILL at points spread over all stages, run again each time: the end is the same as of the run that nobody disturbed."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from lab.evidence import Watch
from lab.tenant.part import control

from . import worlds
from .conftest import DOMAIN_STEPS, GATE_STEPS, Chapter, reset, stop_provisioning
from .expected import PEOPLE, gets_password
from .playbooks import Operator, handover, vault_view

pytestmark = [pytest.mark.lab, pytest.mark.long]

#: Change it to kill elsewhere; it is printed, so that a failure can be repeated.
SEED = 20261121

#: How long each request on hold waits for its refusal. The client goes on trying for half a minute; the playbook is killed meanwhile.
_HOLD_SECONDS = 0.2
#: So long after the last one nothing of the killed playbook's is under way in the tenant any more.
_QUIET_SECONDS = 2.0
#: The requests of users and passwords, as fault rules have them.
_PATCH, _LICENCE, _EITHER = ("PATCH", "/v1.0/users/.*"), ("POST", ".*/assignLicense"), ("PATCH|POST", "/v1.0/users/.*")

#: Says whether the point has come.
Trigger = Callable[[], bool]


@dataclass
class Play:
    """The run that is killed over and over."""

    operator: Operator
    random: random.Random = field(default_factory=lambda: random.Random(SEED))
    points: list[str] = field(default_factory=list)
    #: users whose password was set, and the kill came before the journal said so
    in_flight: set[str] = field(default_factory=set)
    after: worlds.Worlds = field(default_factory=dict)
    passwords: dict[str, tuple[bool, int]] = field(default_factory=dict)

    def kill(self, stage: str, what: str, trigger: Trigger) -> None:
        """Kill the stage's playbook at the point; `_settle` then lets the worlds end what they have begun."""
        self.operator.kill(stage, trigger)
        self.points.append(f"{stage}: {what}")
        print(f"killed {stage} at: {what} (seed {SEED})", flush=True)
        _settle()

    def done(self, stage: str) -> None:
        """The same stage again, to its end."""
        self.operator.run(stage).must()


def _settle() -> None:
    """Microsoft's side goes on with a batch whose client has gone; so does the lab's. The next run starts when that is over."""
    hits = -1
    while (now := sum(rule["hits"] for rule in control().call("GET", "/_lab/faults").data)) != hits:
        hits = now
        time.sleep(_QUIET_SECONDS if hits else 0.5)
    control().call("DELETE", "/_lab/faults")


def writes(world: str, count: int, of: str = "") -> Trigger:
    """The server's own log shows `count` more writes (that begin with `of`)."""
    watch = Watch([world])
    return lambda: sum(line.startswith(of) for line in watch.new()[world]) >= count


def intents(operator: Operator, count: int) -> Trigger:
    """The journal has `count` more intents: the writes that they announce are about to be sent."""

    def seen() -> int:
        return sum(record["record"] == "intent" for record in operator.journal)

    before = seen()
    return lambda: seen() >= before + count


def held(request: tuple[str, str], done: int) -> Trigger:
    """After `done` of these requests, all others are on hold, and will not take effect; the client has not seen the answer of the batch that they share."""
    rule = {"method": request[0], "path": request[1], "skip": done, "times": None, "delay": _HOLD_SECONDS, "status": 503}
    number = control().call("POST", "/_lab/faults", rule).data["id"]
    return lambda: any(item["id"] == number and item["hits"] for item in control().call("GET", "/_lab/faults").data)


def exists(folder: Path, pattern: str, count: int = 1) -> Trigger:
    """So many files are there."""
    return lambda: len(list(folder.glob(pattern))) >= count


def _unrecorded_passwords(operator: Operator) -> set[str]:
    """Users whose password is set in the tenant while the journal has no word of it."""
    recorded = {record["id"] for record in operator.journal if (record.get("details") or {}).get("password_set")}
    return {user["id"] for user in worlds.users(worlds.tenant()).values() if user["_password_count"]} - recorded


def _play(operator: Operator) -> Play:
    play = Play(operator)
    draw = play.random.randint
    run_dir = operator.run_dir

    play.kill("snapshot", "one machine saved", exists(run_dir, "snapshot/machines/*.yml"))
    play.kill("snapshot", "the tenant half saved", exists(run_dir, "snapshot/domains.yml"))
    play.done("snapshot")
    play.kill("freeze", "first write", writes("windows", 1))
    play.done("freeze")

    operator.run("gate").failed("provisioning_stopped")
    stop_provisioning()
    operator.confirm(*GATE_STEPS)
    operator.run("domains").failed(*DOMAIN_STEPS)
    operator.confirm(*DOMAIN_STEPS)
    operator.run("domains").failed("no verdict of the gate")
    operator.run("gate").must()

    play.kill("users", "intents in the journal, nothing written", held(_EITHER, 0))
    number = draw(1, 150)
    play.kill("users", f"write {number}", held(_EITHER, number))
    number = draw(3, 19)
    play.kill("users", f"{number} licences of a batch assigned, its answer lost", held(_LICENCE, number))
    play.done("users")

    play.kill("domains", "first intent in the journal", intents(operator, 1))
    play.kill("domains", "first write", writes("tenant", 1))
    play.done("domains")

    play.kill("passwords", "handed over, none set", held(_PATCH, 0))
    assert not [user for user in worlds.users(worlds.tenant()).values() if user["_password_count"]]
    for number in (draw(2, 18), draw(21, 80)):
        play.kill("passwords", f"{number} set, an answer lost", held(_PATCH, number))
        play.in_flight |= _unrecorded_passwords(operator)
    play.done("passwords")

    number = draw(1, 4)
    play.kill("app", f"write {number}", writes("tenant", number))
    number = draw(1, 3)
    play.kill("app", f"write {number} after that", writes("tenant", number))
    play.done("app")

    number = draw(1, 3)
    play.kill("agents", f"write {number}", writes("windows", number))
    play.kill("agents", "the uninstaller of Directory Sync at work", writes("windows", 1, "sync01: "))
    play.kill("agents", "first write on a domain controller", writes("windows", 1, "dcwin1: "))
    number = draw(1, 3)
    play.kill("agents", f"write {number} on the other domain controller", writes("windows", number, "dcwin2: "))
    play.done("agents")

    operator.run("relying_parties").must()
    operator.run("accounts").failed("iwa_unlinked")
    operator.confirm("iwa_unlinked")
    play.kill("accounts", "first write", writes("directory", 1))
    play.done("accounts")
    operator.run("clients").must()

    # preflight, which registers all steps, was never run: the gate knows them nevertheless
    operator.run("final_gate").failed("domain_controllers_restarted", "relying_parties_unlinked")
    operator.confirm(*(name for name, step in operator.steps.items() if not step["done"] and step["blocks_final_gate"]))
    play.done("final_gate")
    (run_dir / "report.html").unlink()
    (run_dir / "report.json").unlink()
    play.kill("report", "half of the report written", exists(run_dir, "report.json"))
    play.done("report")

    play.passwords = {entry["id"]: worlds.password_is(entry["id"], entry["password"]) for entry in handover(run_dir)}
    play.after = worlds.dump()
    return play


@pytest.fixture(scope="module")
def killed(finished: Chapter, again: Chapter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """The story once more, killed at every stage."""
    reset()
    yield _play(Operator(tmp_path_factory.mktemp("killed")))


def test_points_are_spread_over_the_stages(killed: Play) -> None:
    assert len(killed.points) >= 10
    assert {point.partition(":")[0] for point in killed.points} == {
        "snapshot", "freeze", "users", "domains", "passwords", "app", "agents", "accounts", "report",
    }  # fmt: skip


@pytest.mark.parametrize("world", ["tenant", "directory", "windows"])
def test_same_end_as_undisturbed(killed: Play, finished: Chapter, world: str) -> None:
    assert worlds.changes(worlds.timeless(finished.after[world]), worlds.timeless(killed.after[world])) == {}


def test_nothing_is_left_to_do(killed: Play) -> None:
    watch = Watch()
    run = killed.operator.run("decommission").must()
    assert run.changed == 0
    assert watch.new() == {"tenant": [], "directory": [], "windows": []}


def test_each_password_is_known_and_set_once(killed: Play) -> None:
    assert {person.id for person in PEOPLE if gets_password(person)} == killed.passwords.keys()
    wrong = {key: counted for key, counted in killed.passwords.items() if not counted[0]}
    assert wrong == {}
    twice = {key for key, counted in killed.passwords.items() if counted[1] != 1}
    # The same password once more, and only where nobody could know that it had been set.
    assert twice <= killed.in_flight


def test_no_entry_was_lost_from_the_hand_over_file(killed: Play) -> None:
    entries = handover(killed.operator.run_dir)
    assert len(entries) == len({entry["id"] for entry in entries}) == len({entry["password"] for entry in entries})


def test_journal_is_readable_and_complete(killed: Play) -> None:
    text = (killed.operator.run_dir / "journal.jsonl").read_text(encoding="utf-8")
    broken = []
    for line in text.splitlines():
        try:
            json.loads(line)
        except ValueError:
            broken.append(line)
    assert len(broken) <= len(killed.points), broken  # a kill may cut off one line, and every record after it is whole
    done = {(record["kind"], record["id"]) for record in killed.operator.journal if record["record"] == "outcome" and record["status"] == "done"}
    assert {("domain", "reiji.example"), ("domain", "reiji-group.example")} <= done
    assert journal.unfinished((killed.operator.run_dir / "journal.jsonl").read_bytes().splitlines()) == []


def test_report_has_nothing_unfinished(killed: Play) -> None:
    """Whatever a killed run had begun, a later one has looked up."""
    report = json.loads((killed.operator.run_dir / "report.json").read_text(encoding="utf-8"))
    assert report["state"] == "open"
    assert report["unfinished"] == report["failed"] == report["left"] == []


def test_snapshot_is_from_before_the_first_change(killed: Play) -> None:
    folder = killed.operator.run_dir / "snapshot"
    records: list[dict[str, Any]] = [json.loads(line) for file in sorted(folder.glob("users-*.jsonl")) for line in vault_view(file).splitlines()]
    enabled = {record["id"]: record["accountEnabled"] for record in records}
    assert {person.id: person.enabled for person in PEOPLE}.items() <= enabled.items()
