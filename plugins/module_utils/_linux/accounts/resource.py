# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""linux_account and its _info twin: looking, and having ansible.builtin.user remove what plan.py decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core.errors import OffboardError
from ..._core.machine_ids import is_of
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.runner import Resource
from ..client import Client
from ..connection import Connection
from ..cron import plan as cron
from ..cron.plan import Job
from ..cron.read import Starts, starts
from . import plan as accounts
from .options import ConfirmedAccount, InfoOptions, Options


class Accounts(Resource):
    """The accounts of one task."""

    noun = "Linux accounts"
    # What cron starts matters too: in check mode as predicted.
    kinds = (accounts.KIND, cron.KIND)
    on_machine = True

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._wanted = options.accounts
        self._found: dict[str, Mapping[str, Any]] = {}
        self._starts = Starts()
        self._jobs: dict[str, Job] = {}
        self._left: list[Job] = []
        self._meant: dict[str, ConfirmedAccount] = {}

    def _look(self, names: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        asked = list(dict.fromkeys(names))
        return {found["name"]: found for found in self._client.ask("accounts_look", names=asked)} if asked else {}

    def read(self) -> Iterator[Object]:
        """The accounts that were confirmed and are there, and what the machine starts by itself. Raises NotExact."""
        self._found = self._look(item.name for item in self._wanted)
        for item in self._wanted:
            found = self._found[item.name]
            accounts.check_spelling(found, item.uid)
            if accounts.is_meant(found, item.uid):
                self._meant[item.name] = item
        yield from (accounts.object_of(self._client.host, self._found[name]) for name in self._meant)
        if self._meant:
            self._starts = starts(self._client)
        for job in self._starts.jobs:
            self._jobs[job.id(self._client.host)] = job
            yield cron.object_of(self._client.host, job)

    def plan(self, current: Iterable[Object]) -> Plan:
        """A removal for each account that is there."""
        plan = Plan(warnings=self._starts.warnings())
        for item in current:
            if item.kind == cron.KIND:
                self._left += [self._jobs[item.id]] if item.id in self._jobs else []
            else:
                plan.changes.append(accounts.removal(item, with_home=self._meant[item.name].remove_home))
        plan.unchanged = len(self._found) - len(plan.changes)
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's accounts."""
        mine = [change for change in begun if change.kind == accounts.KIND and is_of(self._client.host, change.id)]
        now = self._look(change.name for change in mine)
        yield from (change for change in mine if not accounts.is_meant(now[change.name], _uid(change)))

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """The rules of plan.py."""
        for name, found in self._found.items():
            if found["exists"] and name not in self._meant:
                yield accounts.other_object(found, {item.uid for item in self._wanted if item.name == name})
        for change in plan.changes:
            with_home = self._meant[change.name].remove_home
            yield from accounts.refusals(self._found[change.name], self._left, self._starts.others, with_home=with_home)

    def apply(self, change: Change) -> None:
        """If it is still the same. userdel itself refuses while a process of the account is running."""
        name = change.name
        if not accounts.is_meant(self._look([name])[name], _uid(change)):
            raise OffboardError(f"{name} is no longer the account that was read; look at it, and run the task again", code="changed_since_read")
        self._client.ask("account_remove", name=name, state="absent", remove=self._meant[name].remove_home)

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read again, once: what is removed is gone at once."""
        now = self._look(change.name for change in applied)
        for change in applied:
            if accounts.is_meant(now[change.name], _uid(change)):
                yield Outcome(change, "failed", "not_seen", f"{change.name} was removed, but is there again")

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {"accounts": [dict(found) for found in self._found.values()]}

    def close(self) -> None:
        self._client.close()


def _uid(change: Change) -> int | None:
    return (change.before or {}).get("uid")


def make(params: Mapping[str, Any]) -> Accounts:
    options = Options.of(params)
    return Accounts(Client(Connection.from_params(params)), options)


def info(client: Client, options: InfoOptions) -> dict[str, Any]:
    return {"accounts": client.ask("accounts_look", names=options.names) if options.names else []}
