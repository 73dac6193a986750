# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeing what became of scheduled tasks, without a machine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Outcome
from ansible_collections.offboard.iij_id.plugins.module_utils._core.spool import Spool
from ansible_collections.offboard.iij_id.plugins.module_utils._module.files import append_records
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks import plan as tasks
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks import resource as tasks_resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks.plan import Task
from dev.options import given


def asked(seconds: float) -> Options:
    return Options.of(given("win_scheduled_task", state="disabled", action_paths=[r"C:\Program Files\IIJ"], verify_timeout=seconds))


def task(name: str, enabled: bool = True) -> Task:
    return Task(name, enabled, "SYSTEM", "", (), (), "<Task/>")


@pytest.mark.parametrize(
    ("shown", "late", "looks"),
    [
        pytest.param([[task(r"\b", False)]], [], 1, id="seen at once, by one look at the machine"),
        pytest.param([[task(r"\a"), task(r"\b")], [task(r"\b", False)]], [], 2, id="seen by the second look"),
        pytest.param([[task(r"\a"), task(r"\b")], [task(r"\a"), task(r"\b", False)]], [r"\a"], None, id="one that is late hides no other"),
        pytest.param([[]], [r"\b"], None, id="one that is gone is not disabled"),
    ],
)
def test_a_change_counts_when_it_is_seen(monkeypatch: pytest.MonkeyPatch, clock: object, shown: list[list[Task]], late: list[str], looks: int | None) -> None:
    done: list[int] = []

    def query(_client: object) -> list[Task]:
        done.append(1)
        return shown[min(len(done), len(shown)) - 1]

    monkeypatch.setattr(tasks_resource, "query", query)
    resource = tasks_resource.ScheduledTasks(SimpleNamespace(host="m"), asked(10))  # type: ignore[arg-type]
    changes = [
        Change(tasks.KIND, task(r"\a").id("m"), r"\a", "delete", {"enabled": True}, None),
        Change(tasks.KIND, task(r"\b").id("m"), r"\b", "disable", {"enabled": True}, {"enabled": False}),
    ]
    assert [(item.change.name, item.code) for item in resource.verify(Spool(changes))] == [(name, "not_seen") for name in late]
    assert looks is None or len(done) == looks


def test_a_machine_on_which_nothing_changed_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_resource, "query", lambda _client: pytest.fail("it was looked at"))
    resource = tasks_resource.ScheduledTasks(SimpleNamespace(host="m"), asked(0))  # type: ignore[arg-type]
    assert list(resource.verify(Spool([]))) == []


def test_what_was_disabled_before_the_exit_stays_disabled(tmp_path: Path) -> None:
    """`restore` enables what this exit has disabled; a task that somebody else had switched off long ago would run again."""
    path = str(tmp_path / "journal.jsonl")
    there = [task(rf"\{name}", enabled=False) for name in "abc"]
    for number, (name, action) in enumerate([(r"\A", "disable"), (r"\b", "disable"), (r"\b", "enable"), (r"\d", "disable")]):
        change = Change(tasks.KIND, task(name).id("m"), name, action, {"enabled": True}, {"enabled": False})
        run, at = f"r{number}", "2026-11-29T09:00:00Z"
        append_records(path, [journal.intent(change, run, at), journal.outcome(Outcome(change, "done"), run, at)])
    options = Options.of(given("win_scheduled_task", state="enabled", action_paths=[r"C:\Program Files\IIJ"], only_disabled=True, journal=path))
    resource = tasks_resource.ScheduledTasks(SimpleNamespace(host="m"), options)  # type: ignore[arg-type]
    plan = resource.plan([tasks.object_of("m", one) for one in [*there, task(r"\e")]])
    assert [change.name for change in plan.changes] == [r"\a"] and plan.unchanged == 1
    assert [(item.name, item.code) for item in plan.skipped] == [(r"\b", "disabled_before"), (r"\c", "disabled_before")]
    assert len(plan.warnings) == 2 and plan.warnings[0].startswith(r"\b: no task with this journal")
