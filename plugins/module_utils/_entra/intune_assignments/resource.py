# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""intune_assignment: assignments of apps and configurations in Intune that go, and come back from the journal. Never the apps themselves."""

from __future__ import annotations

import urllib.parse
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ..._core import names, phrases, plain
from ..._core.errors import OffboardError
from ..._core.guard import nothing_known
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._graph.errors import AnswerLost
from ..._module import waiting
from ..._module.files import read_journal
from ..of_tenant import OfTenant
from . import plan as rules
from .options import InfoOptions, Options
from .read import Assigned, address, group_names, read_assigned

Pair = tuple[str, str]


def _client(params: Mapping[str, Any], beta: bool) -> Client:
    return Client(Connection.from_params(params), version="beta" if beta else "v1.0")


class _Reader:
    """Objects of Intune with their assignments."""

    def __init__(self, client: Client) -> None:
        self._client = client
        #: the objects that are there, by kind and id, as Graph shows them
        self.items: dict[Pair, dict[str, Any]] = {}
        self.groups: dict[str, str] = {}

    def read(self, pairs: Iterable[Pair]) -> dict[Pair, Assigned]:
        """Those that are there. Raises GraphError: what cannot be read is never absent."""
        self.items = {pair: item for pair in dict.fromkeys(pairs) if (item := self._client.find(address(*pair))) is not None}
        found = read_assigned(self._client, self.items)
        for one in found.values():
            if one.error is not None:
                raise one.error
        self.groups |= group_names(self._client, (item for one in found.values() for item in one.assignments or ()))
        return found

    def objects(self, pairs: Iterable[Pair]) -> list[Object]:
        """The same, each assignment by itself."""
        found = self.read(pairs)
        return [item for (kind, key), one in found.items() for item in rules.described(kind, self.items[kind, key], one.assignments or (), self.groups)]


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of intune_assignment_info."""
    options = InfoOptions.of(params)
    with _client(params, options.beta) as client:
        reader = _Reader(client)
        found = reader.read((one.kind, one.object) for one in options.wanted)
    rows = []
    there: list[Object] = []
    for (kind, key), assigned in found.items():
        item = reader.items[kind, key]
        rows.append({"kind": kind, "id": key, "name": plain.line(str(item.get("displayName") or key)), **assigned.shown(reader.groups)})
        there += rules.described(kind, item, assigned.assignments or (), reader.groups)
    entries = [one._asdict() | {"name": next((item.name for item in there if one.means(item.state)), "")} for one in options.wanted]
    return {
        "objects": rows,
        "left": [entry for entry in entries if entry["name"]],
        "not_there": [entry for entry in entries if not entry["name"]],
    }


class IntuneAssignments(OfTenant):
    noun = "assignments"
    kinds: ClassVar[tuple[str, ...]] = (rules.KIND,)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._recorded: dict[str, Object] = {}
        self._brought_back: dict[str, Object] = {}
        self._client = _client(params, self._options.beta)
        self._reader = _Reader(self._client)
        self._current: list[Object] = []

    def _pairs(self) -> list[Pair]:
        named = [(one.kind, one.object) for one in self._options.wanted]
        return named or [(item.state["kind"], names.uuid(item.state["object"])) for item in self._recorded.values()]

    def read(self) -> Iterable[Object]:
        if self._options.journal:
            self._recorded = rules.removed(read_journal(self._options.journal), self._brought_back)
        return self._reader.objects(self._pairs())

    def plan(self, current: Iterable[Object]) -> Plan:
        self._current = list(current)
        if not self._options.absent:
            return rules.plan_present(self._current, self._recorded, self._options.wanted, self._options.beta, self._brought_back.values())
        plan = rules.plan_absent(self._current, self._options.wanted)
        for pair in dict.fromkeys(self._pairs()):
            if pair not in self._reader.items:
                plan.warnings.append(phrases.english("not_in_intune", kind=pair[0], id=pair[1]))
        for one in self._options.wanted:
            if (one.kind, one.object) in self._reader.items and not any(one.means(item.state) for item in self._current):
                plan.warnings.append(phrases.english("not_assigned", kind=one.kind, id=one.object, target=plain.line(one.target)))
        if len(plan.changes) and not self._options.beta:
            plan.warnings.append(phrases.english("filters_in_beta"))
        return plan

    def guard(self, plan: Plan) -> Iterable[Refusal]:
        if not self._options.absent:
            return rules.guard(list(plan.changes), self._current, {})
        named = self._options.wanted
        if self._options.journal and not any(one.means(item.state) for one in named for item in (*self._current, *self._recorded.values())):
            where = f"Intune of the tenant {self._client.identity()['tenant_id']}"
            return [nothing_known([f"{one.kind} {one.object}: {plain.line(one.target)}" for one in named], where)]
        return rules.guard(list(plan.changes), self._current, self._not_iij(plan))

    def _not_iij(self, plan: Plan) -> dict[str, str]:
        touched = {(change.before["kind"], names.uuid(change.before["object"])) for change in plan.changes if change.before}
        return {
            key: plain.line(str(item.get("displayName") or key))
            for (kind, key), item in self._reader.items.items()
            if (kind, key) in touched and key not in self._options.expected_objects and not self._options.matcher.look(item)[0]
        }

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        """Of the objects that were read."""
        for change in begun:
            state = change.before or change.after or {}
            if (state.get("kind"), names.uuid(str(state.get("object") or ""))) in self._reader.items and rules.is_seen(change, self._current):
                yield change

    def lacking(self, manifest: Mapping[str, Any], changes: Iterable[Change]) -> Collection[str]:
        """The snapshot holds none of them: an assignment is brought back by the journal alone, which holds it whole before it goes."""
        return ()

    def apply(self, change: Change) -> None:
        state = change.before or change.after or {}
        path = f"{address(state['kind'], str(state['object']))}/assignments"
        if change.action == "remove":
            self._client.delete(f"{path}/{urllib.parse.quote(str(state['assignment']), safe='')}")
            return
        try:
            self._client.post(path, rules.body(state))
        except AnswerLost as lost:
            shown = waiting.is_shown(
                lambda: rules.is_there(state, self._now([change])), min(waiting.LOST_TIMEOUT, self._options.verify_timeout), agreeing=waiting.ONE_READ
            )
            if not shown:
                msg = f"{lost.msg} Read back, {change.name} is not there, and it was not sent again."
                raise OffboardError(msg, code=lost.code) from lost  # pylint: disable=bad-exception-cause

    def _now(self, changes: Iterable[Change]) -> list[Object]:
        states = [change.before or change.after or {} for change in changes]
        return self._reader.objects((state["kind"], names.uuid(str(state["object"]))) for state in states)

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        changes = {change.key: change for change in applied}

        def shown(keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
            there = self._now(changes[key] for key in keys)
            return {key for key in keys if rules.is_seen(changes[key], there)}

        # One read is enough: nothing in the run builds on it.
        for key in waiting.not_shown(changes, shown, self._options.verify_timeout, agreeing=waiting.ONE_READ, longest_pause=10.0):
            msg = f"Graph accepted it, but after {self._options.verify_timeout} s {changes[key].name} still reads as before"
            yield Outcome(changes[key], "failed", "not_seen", msg)

    def close(self) -> None:
        self._client.close()
