# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps file of the run folder: a person's steps, who confirmed them and when."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ..._core import journal_lines, plain, strict_json, times
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome
from ..._core.plain import to_json
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._core.text import Text, counted
from ..._module import binding
from ..._module.clock import now
from ..._module.files import check_run_file, file_locked, read_lines, write_atomically
from ..._module.runner import Record, Resource
from .. import evidence, phrases
from ..finding import SEVERITIES
from ..preconditions import read_steps, steps_now
from . import attached, services
from . import plan as steps
from .options import InfoOptions, Options


def _check_final_gate(folder: str, identities: Sequence[str], max_age_hours: int) -> None:
    """Raises OffboardError `gate_closed` unless the final gate has found nothing in the way, `gate_outdated` where it judged before the last change, or too
    long ago, `other_run_folder`, `file_read_failed`."""
    path = os.path.join(folder, "results", "final_gate.json")
    found, findings = {}, None
    check_run_file(path)
    try:
        with open(path, encoding="utf-8") as stream:
            found = strict_json.loads(stream.read())
        findings = found["findings"]
        if not isinstance(findings, list) or not all(finding["severity"] in SEVERITIES for finding in findings):
            raise ValueError
        blockers = [finding for finding in findings if finding["severity"] == "blocker"]
    except FileNotFoundError:
        blockers = []
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it holds no findings"
        raise OffboardError(f"cannot read {path}: {why}; run offboard.iij_id.final_gate again", code="file_read_failed") from None
    if findings is None or blockers:
        left = counted(len(blockers), "thing still stands", "things still stand")
        why = f"{left} in the way, as {path} tells" if blockers else f"it has not judged yet: there is no {path}"
        raise OffboardError(
            f"{', '.join(identities)} may be confirmed only after the final gate has opened, and {why}. Run offboard.iij_id.final_gate until nothing does.",
            code="gate_closed",
        )
    if doubt := _doubt(folder, found, max_age_hours):
        code, why = doubt
        raise OffboardError(
            f"{', '.join(identities)} may be confirmed only after the final gate has opened, and its verdict in {path} {why}. "
            "Run offboard.iij_id.final_gate again.",
            code=code,
        )


def _doubt(folder: str, found: Mapping[str, Any], max_age_hours: int) -> tuple[str, str] | None:
    """Why a verdict of the final gate does not count, as a code and in words. Raises OffboardError `run_file_damaged`, `file_read_failed`."""
    journal = os.path.join(folder, "journal.jsonl")
    try:
        times.moment(found.get("at"))
    except ValueError:
        found = {}
    bound, tenant, options = binding.check(journal, {}).get("tenant_id", ""), found.get("tenant_id"), found.get("options")
    listed = isinstance(options, list) and options and all(isinstance(item, str) for item in options)
    if not listed or not isinstance(tenant, str) or (bound and not tenant):
        return "gate_outdated", "does not say when, of which tenant and of which options it was reached"
    verdict = {"at": found["at"], "tenant_id": plain.line(tenant), "domains": []}
    if doubt := evidence.doubt(verdict, {"tenant_id": bound or tenant}, (), max_age_hours, datetime.datetime.now(datetime.UTC)):
        return "other_run_folder" if doubt.about == "tenant" else "gate_outdated", doubt.why
    if times.is_later(last := journal_lines.last_change(read_lines(journal), found["at"]), found["at"]):
        return "gate_outdated", f"is of {found['at']}, and the journal has a later change, of {last}"
    return None


class ManualSteps(Resource):
    """Registers steps, confirms or withdraws them, and requires that some are done."""

    noun: ClassVar[str] = "steps"
    in_run_folder = True
    kinds: ClassVar[tuple[str, ...]] = (steps.KIND,)

    def __init__(self, params: Mapping[str, Any], check_mode: bool) -> None:
        self._options, self._check_mode = Options.of(params), check_mode
        self._sources = attached.look(self._options.evidence, self._options.max_bytes)
        self._attaching = self._new_attaching()
        #: once the task has written: the steps as it meant them, and as the file held them
        self._wanted: dict[str, dict[str, Any]] = {}
        self._held: dict[str, dict[str, Any]] = {}

    def read(self) -> Iterable[Object]:
        given, folder = self._options, os.path.dirname(os.path.abspath(self._options.path))
        confirms_alone = (given.confirm or given.withdraw) and not (given.steps or given.services)
        if confirms_alone and not self._check_mode and not os.path.isdir(folder):  # a check run makes none, and predicts the steps
            raise OffboardError(phrases.english("no_run_folder", folder=folder), code="run_dir_missing")
        self._owner()
        return steps_now(given.path)

    def plan(self, current: Iterable[Object]) -> Plan:
        """Definitions that are new or worded anew, confirmations, withdrawals."""
        before = {item.id: dict(item.state) for item in current}
        made, states = self._decide(before)
        plan = Plan(changes=Spool(made), unchanged=len(before.keys() - {change.id for change in made}), facts={"steps": self._shown(states)})
        plan.warnings += [_kept(change.id, states).told(self._options.language) for change in made if _keeps(change, states)]
        if self._check_mode:
            if missing := self._missing(states):
                plan.warnings.append(phrases.english("would_stop", why=missing.msg))
        elif missing := self._missing(states):
            raise missing
        return plan

    def _decide(self, before: dict[str, dict[str, Any]]) -> tuple[list[Change], dict[str, dict[str, Any]]]:
        """What is to be changed, and the steps as they are then."""
        options, at = self._options, now()
        wanted = [*options.steps, *services.definitions(options.services)]
        by, self._attaching = options.by, self._new_attaching()
        # a step that nobody knows is told by `changes`
        held = {one: before.get(one, {}).get("evidence", ()) for one in dict.fromkeys(options.confirm)} if self._sources else {}
        evidence = {one: found for one, entries in held.items() if (found := self._attaching.entries(one, entries, by, at))}
        made = steps.changes(before, wanted, options.confirm, options.withdraw, evidence, by=by, note=options.note, at=at)
        states = steps.apply(before, made)
        for identity, by, note in services.done(options.services, at):
            made += (confirmed := steps.changes(states, confirm=[identity], by=by, note=note, at=at))
            states = steps.apply(states, confirmed)
        if last := [change.id for change in made if change.action == "confirm" and states[change.id]["stage"] == steps.AFTER_FINAL_GATE]:
            _check_final_gate(options.folder, last, options.gate_max_age_hours)
        return made, states

    def _new_attaching(self) -> attached.Attaching:
        return attached.Attaching(self._options.folder, self._sources, self._options.max_bytes)

    def _shown(self, states: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        return _shown(self._options.folder, states)

    def _missing(self, states: dict[str, dict[str, Any]]) -> OffboardError | None:
        try:
            missing = steps.not_done(states, self._options.require)
        except OffboardError as exc:  # nobody has recorded it: that stops a real run, and in check mode no stage that is played alone
            return exc
        return steps.not_done_error(states, missing, self._options.folder, self._options.language) if missing else None

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        """A registered step may have been confirmed since."""
        recorded = self._recorded()
        for change in begun:
            state, after = recorded.get(change.id), change.after or {}
            if state is not None and (change.action == "register" or all(state.get(name) == value for name, value in after.items())):
                yield change

    def apply(self, change: Change) -> dict[str, Any] | None:
        raise NotImplementedError("steps are changed together, see apply_all")

    def apply_all(self, changes: Iterable[Change], begin: Callable[[list[Change]], None], record: Record) -> None:
        """All of them in one write: the file holds all or none.

        Decided anew under the lock, and read again under it: others may have confirmed or withdrawn since this task planned, and may do so again
        as soon as it has written. What they did already is not done again, and what they do later is theirs.
        """
        with file_locked(self._options.path):
            recorded = self._recorded()
            batch, states = self._decide(self._now())
            if missing := self._missing(states):
                raise missing
            begin(batch)
            try:
                self._attaching.copy()
                # what nobody changes stays as it is recorded, an outdated confirmation too
                self._write({**recorded, **{change.id: states[change.id] for change in batch}})
            except OffboardError as exc:
                record(*(Outcome(change, "failed", exc.code, exc.msg) for change in batch))
            else:
                record(*(Outcome(change, "done") for change in batch))
            self._wanted, self._held = states, self._now()

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """By what the file held after the write."""
        for change in applied:
            state = self._held.get(change.id, {})
            if any(state.get(name) != self._wanted[change.id][name] for name in change.after or {}):
                yield Outcome(
                    change, "failed", "not_seen", f"{self._options.path} does not hold it; did something else write the file at the same time? Run it again."
                )

    def facts(self, plan: Plan) -> dict[str, Any]:
        """All steps as they are after this task."""
        return {"steps": self._shown(self._held)} if self._held else plan.facts

    def _now(self) -> dict[str, dict[str, Any]]:
        return {item.id: dict(item.state) for item in steps_now(self._options.path)}

    def _recorded(self) -> dict[str, dict[str, Any]]:
        return {item.id: dict(item.state) for item in read_steps(self._options.path)}

    def _write(self, states: dict[str, dict[str, Any]]) -> None:
        records = [steps.to_record(identity, state) for identity, state in states.items()]
        write_atomically(self._options.path, (to_json({**self._owner(), "steps": records}, indent=2) + "\n").encode())

    def _owner(self) -> dict[str, str]:
        """Whose the run folder is, which the steps say as well."""
        return binding.check(os.path.join(self._options.folder, "journal.jsonl"), {})


def _shown(folder: str, states: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [attached.with_states(folder, steps.to_shown(identity, state)) for identity, state in states.items()]


def _keeps(change: Change, states: Mapping[str, Mapping[str, Any]]) -> bool:
    return change.action == "withdraw" and bool(states[change.id].get("evidence"))


def _kept(identity: str, states: Mapping[str, Mapping[str, Any]]) -> Text:
    count, folder = len(states[identity]["evidence"]), steps.evidence_folder(identity)
    return Text(
        f"{identity}: the confirmation is withdrawn; {'its file of evidence stays' if count == 1 else f'its {count} files of evidence stay'} in {folder} of "
        "the run folder.",
        f"{identity}: 確認を取り消しました。証跡のファイル{count}件は、実行フォルダーの {folder} に残ります。",
    )


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded steps, and which are open."""
    options = InfoOptions.of(params)
    records = _shown(options.folder, {item.id: item.state for item in steps_now(options.path)})
    opened = [record for record in records if not record["done"]]
    return {
        "steps": records,
        "open": [record["id"] for record in opened],
        "blocking": [record["id"] for record in opened if record["blocks_final_gate"]],
    }
