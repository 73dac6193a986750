# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps file of the run folder: a person's steps, who confirmed them and when."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ..._core import steps
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.clock import now
from ..._module.files import folder_locked, read_lines, write_atomically
from ..._module.runner import Record, Resource


def read_steps(path: str) -> list[Object]:
    """The recorded steps; none when there is no file yet. Raises OffboardError `file_read_failed`, `steps_file_damaged`."""
    try:
        with open(path, encoding="utf-8") as stream:
            return [steps.to_object(record) for record in json.load(stream)["steps"]]
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise OffboardError(f"{path} is not a steps file: {exc}. Restore it from a backup of the run folder.", code="steps_file_damaged") from exc


def steps_now(path: str) -> list[Object]:
    """The recorded steps; a confirmation that is older than what it confirms, by the journal of the run folder, is none."""
    recorded = read_steps(path)
    if not any(item.id in steps.CONFIRMS and item.state["done"] for item in recorded):
        return recorded
    last = steps.latest(read_lines(os.path.join(os.path.dirname(os.path.abspath(path)), "journal.jsonl")))
    states = steps.as_of({item.id: item.state for item in recorded}, last)
    return [replace(item, state=states[item.id]) for item in recorded]


class ManualSteps(Resource):
    """Registers steps, confirms or withdraws them, and requires that some are done."""

    noun: ClassVar[str] = "steps"
    kinds: ClassVar[tuple[str, ...]] = (steps.KIND,)

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self._params, self._check_mode = params, check_mode
        self._path: str = params["path"]
        self._states: dict[str, dict[str, Any]] = {}

    def read(self) -> Iterable[Object]:
        """The steps file."""
        return steps_now(self._path)

    def plan(self, current: Iterable[Object]) -> Plan:
        """Definitions that are new or worded anew, confirmations, withdrawals."""
        params = self._params
        before = {item.id: dict(item.state) for item in current}
        made = steps.changes(before, params["steps"], params["confirm"], params["withdraw"], by=params["by"] or "", note=params["note"] or "", at=now())
        self._states = steps.apply(before, made)
        plan = Plan(changes=Spool(made), unchanged=len(before.keys() - {change.id for change in made}))
        missing = steps.not_done(self._states, params["require"])
        if missing:
            error = steps.not_done_error(self._states, missing, os.path.dirname(os.path.abspath(self._path)))
            if not self._check_mode:
                raise error
            plan.warnings.append(f"check mode: a real run would stop here. {error.msg}")
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        """A registered step may have been confirmed since."""
        recorded = self._recorded()
        for change in begun:
            state, after = recorded.get(change.id), change.after or {}
            if state is not None and (change.action == "register" or all(state.get(name) == value for name, value in after.items())):
                yield change

    def apply(self, change: Change) -> dict[str, Any] | None:
        """Record one change."""
        self._record([change])
        return None

    def apply_all(self, changes: Iterable[Change], begin: Callable[[list[Change]], None], record: Record) -> None:
        """All of them in one write: the file holds all or none."""
        batch = list(changes)
        begin(batch)
        try:
            self._record(batch)
        except OffboardError as exc:
            for change in batch:
                record(Outcome(change, "failed", exc.code, exc.msg))
        else:
            for change in batch:
                record(Outcome(change, "done"))

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """The file read again."""
        recorded = self._recorded()
        for change in applied:
            state = recorded.get(change.id, {})
            if any(state.get(name) != self._states[change.id][name] for name in change.after or {}):
                yield Outcome(change, "failed", "not_seen", f"{self._path} does not hold it; did another run write the file at the same time? Run it again.")

    def facts(self, plan: Plan) -> dict[str, Any]:
        """All steps as they are after this task."""
        return {"steps": [steps.to_record(identity, state) for identity, state in self._states.items()]}

    def _recorded(self) -> dict[str, dict[str, Any]]:
        return {item.id: dict(item.state) for item in read_steps(self._path)}

    def _record(self, batch: list[Change]) -> None:
        """Add to what is recorded now: another run may have confirmed or withdrawn since this one planned, and that must not be lost."""
        with folder_locked(self._path):
            recorded = self._recorded()
            for number, change in enumerate(batch):
                if change.action == "register" and change.before is None and change.id in recorded:
                    after = {name: value for name, value in (change.after or {}).items() if name in steps.DEFINITION}
                    batch[number] = replace(change, after=after)
            self._write(steps.apply(recorded, batch))

    def _write(self, states: dict[str, dict[str, Any]]) -> None:
        records = [steps.to_record(identity, state) for identity, state in states.items()]
        write_atomically(self._path, (json.dumps({"steps": records}, ensure_ascii=False, indent=2) + "\n").encode())


def steps_info(params: dict[str, Any]) -> dict[str, Any]:
    """The recorded steps, and which are open."""
    recorded = steps_now(params["path"])
    records = [steps.to_record(item.id, item.state) for item in recorded]
    opened = [record for record in records if not record["done"]]
    return {
        "steps": records,
        "open": [record["id"] for record in opened],
        "blocking": [record["id"] for record in opened if record["blocks_final_gate"]],
    }
