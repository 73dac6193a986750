# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of the end-to-end tests, and the story that many of them look at: a company leaves IIJ ID, from --check to the last rerun."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dev import lab as door
from lab import paths
from lab.evidence import Watch
from lab.tenant.part import control

from . import worlds
from .leaks import ProcessWatch
from .playbooks import Operator, Run, handover

PARTS = ("tenant", "directory", "windows")
#: The steps that open the gate; one of them is done in IIJ ID's console.
GATE_STEPS = ("provisioning_stopped", "break_glass_tested")
#: What a person makes sure of before domains are converted.
DOMAIN_STEPS = ("sign_in_methods_ready", "password_hash_sync_verified")


@pytest.fixture(scope="session")
def lab() -> Iterator[None]:
    """All parts run. They hold what the last test left; `reset` gives the fixture company."""
    if paths.STATE == paths.CACHE / "lab":
        pytest.exit("The end-to-end tests want a lab of their own, not the one you may be working with: ./dev test e2e", returncode=4)
    before = door.status()
    door.main(["up", *PARTS])
    status = door.status()
    reasons = [f"{part}: {status[part].get('why_not') or 'it does not run'}" for part in PARTS if not status[part]["running"]]
    if reasons:
        pytest.skip(f"the whole lab is needed; {'; '.join(reasons)}")
    yield
    assert control().call("GET", "/_lab/violations").data == []
    if not any(before[part]["running"] for part in PARTS):
        door.main(["down"])


def reset() -> None:
    """Everything back to the fixture company; what was before must have kept to Microsoft's description."""
    assert control().call("GET", "/_lab/violations").data == []
    assert door.main(["reset", *PARTS]) == 0


def stop_provisioning() -> None:
    """The person at IIJ ID's console."""
    assert door.main(["iij", "stop-provisioning"]) == 0


def open_gate(operator: Operator) -> None:
    """Everything that a person and the tool do until the gate is open, and domains may be converted: snapshot, provisioning stopped, word given."""
    operator.run("snapshot").must()
    operator.run("gate").failed("provisioning_stopped")
    stop_provisioning()
    operator.confirm(*GATE_STEPS, *DOMAIN_STEPS)
    operator.run("gate").must()


@dataclass
class Chapter:
    """A part of the story: what ran, and what the worlds were like afterwards."""

    run: Run
    writes: dict[str, list[str]]
    after: worlds.Worlds
    #: a copy of the run folder at this moment; None while there is none
    run_dir: Path | None
    #: userPrincipalName → whether the password handed over is the user's, and how many times one was set
    passwords: dict[str, tuple[bool, int]] | None = None


class Story:
    """The operator of the story. All of it runs with -vvv and a log, and with an eye on the process list, for the tests of secrets."""

    def __init__(self, folder: Path) -> None:
        self.operator = Operator(folder)
        self.log = folder / "ansible.log"
        self.watch = ProcessWatch()
        self._chapters = 0

    def run(self, playbook: str, *flags: str) -> Run:
        """One playbook, as loud as can be."""
        with self.watch:
            return self.operator.run(playbook, *flags, "--diff", "-vvv", environment={"ANSIBLE_LOG_PATH": str(self.log)})

    def chapter(self, run: Run, watch: Watch, **more: Any) -> Chapter:
        """What has just happened."""
        copy = None
        if self.operator.run_dir.exists():
            self._chapters += 1
            copy = self.operator.folder / f"chapter-{self._chapters}"
            shutil.copytree(self.operator.run_dir, copy)
        return Chapter(run, watch.new(), worlds.dump(), copy, **more)


@pytest.fixture(scope="session")
def story(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story before it begins: the fixture company."""
    reset()
    return Story(tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="session")
def start(story: Story) -> worlds.Worlds:
    """The worlds before anything was done."""
    return worlds.dump()


@pytest.fixture(scope="session")
def checked(story: Story, start: worlds.Worlds) -> Chapter:
    """decommission --check --diff from the untouched start."""
    watch = Watch()
    return story.chapter(story.run("decommission", "--check"), watch)


@pytest.fixture(scope="session")
def stopped(story: Story, checked: Chapter) -> Chapter:
    """The first real run, which ends at the gate."""
    watch = Watch()
    return story.chapter(story.run("decommission"), watch)


@pytest.fixture(scope="session")
def finished(story: Story, stopped: Chapter) -> Chapter:
    """The person does what was asked, and all that will be asked later, and runs it again."""
    watch = Watch()
    stop_provisioning()
    operator = story.operator
    operator.as_told(stopped.run).must()
    operator.confirm(*(name for name, step in operator.steps.items() if not step["done"] and step["blocks_final_gate"]))
    # Passwords are set, domains converted and filters unregistered only now: what was said of them before is no confirmation.
    too_early = ("passwords_handed_over", "administrators_have_passwords", "domain_controllers_restarted")
    # Somebody approves what the check run of that moment plans, in every stage and on every machine: all of it is done, and nothing else.
    approved = re.findall(r"-e offboard_plan_hash=([0-9a-f]{64})", story.run("decommission", "--check").must().output)
    story.run("decommission", "-e", f"offboard_plan_hash={approved[-1]}").failed(*too_early)
    operator.confirm(*too_early)
    run = story.run("decommission").must()
    passwords = {entry["userPrincipalName"]: worlds.password_is(entry["id"], entry["password"]) for entry in handover(operator.run_dir)}
    return story.chapter(run, watch, passwords=passwords)


@pytest.fixture(scope="session")
def again(story: Story, finished: Chapter) -> Chapter:
    """One more run."""
    watch = Watch()
    return story.chapter(story.run("decommission"), watch)
