# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""openldap_access and its _info twin: reading, saving, changing and verifying what plan.py decides."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import dn as names
from ..._core import guard
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plain import file_part
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module import waiting
from ..._module.clock import now
from ..._module.files import read_journal, write_atomically
from ..._module.runner import Resource
from .. import ldif
from ..client import Client
from ..connection import Connection
from ..openldap_entry.read import Found, Memory, find, named
from ..values import Entry
from . import plan as access
from .options import InfoOptions, Options
from .plan import Rule


def rules(client: Client, base: str) -> list[Rule]:
    """Every access rule of every database, in order. Raises OffboardError; a configuration that cannot be read is never one without rules."""
    # every server has two databases, its own configuration among them: who sees none may not read it, and is told of no rules either
    found = list(client.search("(|(objectClass=olcDatabaseConfig)(olcAccess=*))", ["olcDatabase", "olcAccess"], base=base))
    if not any(entry.texts("olcDatabase") for entry in found):
        msg = f"no database of the server's configuration can be seen below {base}, so nobody knows its access rules; sign in as one who may read them"
        raise OffboardError(msg, code="cannot_read", details={"base": base})
    return [Rule(entry.dn, value) for entry in found for value in entry.texts("olcAccess")]


def configuration(client: Client, base: str) -> list[Entry]:
    """All of the server's configuration but its schema, with the passwords that it holds."""
    return list(client.search("(!(objectClass=olcSchemaConfig))", ["*"], base=base))


def _account(client: Client, options: InfoOptions, memory: Memory) -> Found:
    """The account that the task names. Who may change the configuration sees no entry on many servers; there the name alone counts."""
    name = named(client, options.account, memory)
    try:
        return find(client, name, memory)
    except OffboardError as exc:
        if exc.code != "cannot_read":
            raise
        return Found(name.dn, None)


class Access(Resource):
    """The rules with a clause about one account."""

    noun = "access rules"
    kinds = (access.KIND,)

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._found = Found("", None)
        self._memory: Memory | None = None
        self._rules: dict[str, Rule] = {}
        self._saved: list[str] = []

    def _read(self) -> list[tuple[Object, Rule]]:
        return list(access.objects(rules(self._client, self._options.config_base)))

    def read(self) -> Iterator[Object]:
        """All rules."""
        self._memory = Memory(self._options.known, self._options.journal)
        self._found = _account(self._client, self._options, self._memory)
        for item, rule in self._read():
            self._rules[item.id] = rule
            yield item

    def plan(self, current: Iterable[Object]) -> Plan:
        """The clauses about the account go, or come back out of the saved files."""
        current = list(current)  # only then it is known which account is meant
        if self._options.state == "present":
            plan = access.plan_back(current, access.swaps(_records(self._options.backup_dir), self._found.dn))
        else:
            plan = access.plan_for(self._found.dn, current, self._options.allow)
        if self._found.refusal is not None:
            plan.refusals.append(self._found.refusal)
        plan.facts["mentions"] = _mentions(self._rules.values(), self._found.dn)
        return plan

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """Those of the plan, and nothing_found."""
        yield from plan.refusals
        absent, nothing = self._options.state == "absent", not (len(plan.changes) or plan.refusals)
        if absent and nothing and self._options.journal and self._found.entry is None and not self._is_known(self._options.journal):
            yield guard.nothing_known([str(self._options.account)], self._client.where)

    def _is_known(self, journal: str) -> bool:
        """Whether there once was such an entry, or a rule that named it."""
        texts = (str((record.get("before") or {}).get("access") or "") for record in read_journal(journal) if record.get("kind") == access.KIND)
        return (self._memory is not None and self._memory.ever_had(self._found.dn)) or any(access.without(text, self._found.dn) != text for text in texts)

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Those whose rule reads so now."""
        there = {key: rule.text for key, rule in self._rules.items()}
        yield from (change for change in begun if change.after is not None and there.get(change.id) == change.after["access"])

    def apply(self, change: Change) -> dict[str, Any]:
        """Save the way back of a removal, then swap the value for the new one in one request, which fails where the old one is not there any more."""
        rule = self._rules[change.id]
        new = f"{rule.index}{(change.after or {})['access']}"
        details = {"saved": self._save(rule, new)} if self._options.state == "absent" else {}
        changes = [("delete", "olcAccess", [rule.value.encode()]), ("add", "olcAccess", [new.encode()])]
        self._client.modify(rule.database, "", changes, "manage on the configuration database (cn=config)")
        return details

    def _save(self, rule: Rule, new: str) -> str:
        path = os.path.join(self._options.backup_dir, f"{file_part(f'{rule.database}-{rule.index}')}_{now().replace(':', '')}.ldif")
        write_atomically(path, ldif.swap(rule.database, "olcAccess", new.encode(), rule.value.encode()).encode(), overwrite=False)
        self._saved.append(path)
        return path

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read again until every change is seen."""

        def shown(waited: list[Change]) -> list[Change]:
            there = {item.id: item.state["access"] for item, _rule in self._read()}
            return [change for change in waited if there.get(change.id) == (change.after or {})["access"]]

        by_key = {change.id: change for change in applied}
        late = waiting.not_shown(
            list(by_key), lambda ids: [change.id for change in shown([by_key[one] for one in ids])], self._options.verify_timeout, agreeing=waiting.ONE_READ
        )
        for key in late:
            yield Outcome(by_key[key], "failed", "not_seen", f"{by_key[key].name} was changed, but is read as before")

    def to_be_saved(self, changes: Iterable[Change]) -> Iterator[str]:
        """The account, by its name: the rules have no other."""
        yield names.key(self._found.dn)

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {**plan.facts, "saved": self._saved}

    def close(self) -> None:
        self._client.close()


def _records(folder: str) -> Iterator[ldif.ChangeRecord]:
    """Of the LDIF files in the folder, the newest first. Copies of entries, which may be encrypted, are others' matter. Raises OffboardError."""
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.ldif")), key=lambda path: path.rpartition("_")[2], reverse=True):
        try:
            with open(path, "rb") as stream:
                content = stream.read()
        except OSError as exc:
            raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
        if not content.startswith(b"$ANSIBLE_VAULT"):
            yield from ldif.parse(content.decode("utf-8", "replace"))


def _mentions(every: Iterable[Rule], account: str) -> list[dict[str, Any]]:
    """Clauses that may be about the account too: groups, sets, patterns. A person decides."""
    return [
        {"database": rule.database, "index": rule.index, "what": rule.what, "clause": " ".join(clause.written)}
        for rule in every
        for clause in access.clauses(rule.text)
        if clause.is_of_some and not clause.is_about(account)
    ]


def make(params: Mapping[str, Any], check_mode: bool) -> Access:
    options = Options.of(params)
    return Access(Client(Connection.from_params(params), read_only=check_mode), options)


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    options = InfoOptions.of(params)
    with contextlib.closing(Client(Connection.from_params(params), read_only=True)) as client:
        account = _account(client, options, Memory(options.known)).dn
        return about(rules(client, options.config_base), configuration(client, options.config_base), account)


def about(found: Sequence[Rule], everything: Iterable[Entry], account: str) -> dict[str, Any]:
    """Which of the rules, and of the other settings, speak of the account, as openldap_access_info returns it."""
    clauses = [
        {"database": rule.database, "index": rule.index, "what": rule.what, "clause": " ".join(clause.written), "denies": clause.denies}
        for rule in found
        for clause in access.clauses(rule.text)
        if clause.is_about(account)
    ]
    return {"clauses": clauses, "mentions": _mentions(found, account), "settings": access.settings(everything, account), "rules": len(found)}
