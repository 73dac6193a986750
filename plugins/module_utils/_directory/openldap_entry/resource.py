# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""openldap_entry and its _info twin: reading, saving, changing and verifying what plan.py decides."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import dn as names
from ..._core import guard, vault
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module import waiting
from ..._module.clock import now
from ..._module.files import write_atomically
from ..._module.runner import Resource
from ..._module.vault_password import decrypt_file
from .. import ldif
from ..client import Client
from ..connection import Connection
from ..values import Entry
from . import plan as entries
from .options import InfoOptions, Options
from .read import WANTED, Found, Memory, find, named, named_in


class OpenLdapEntry(Resource):
    """The one entry of a task."""

    noun = "accounts"
    kinds = (entries.KIND,)

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._dn = self._key = ""
        self._password = options.vault_password() if options.vault_password else None
        self._memory: Memory | None = None
        self._found = Found("", None)
        self._entry: Entry | None = None
        self._saved: list[str] = []

    def _read(self) -> Entry | None:
        return self._client.read(self._dn, WANTED)

    def read(self) -> Iterator[Object]:
        """The entry. One that the directory does not show is absent only where its parent can be read."""
        self._memory = Memory(self._options.known, self._options.journal)
        self._found = find(self._client, named(self._client, self._options.account, self._memory), self._memory)
        self._dn, self._entry = self._found.dn, self._found.entry
        self._key = names.key(self._dn)
        if self._entry is not None:
            yield entries.object_of(self._entry, self._key)

    def plan(self, current: Iterable[Object]) -> Plan:
        """Removed or brought back."""
        current = list(current)  # only then it is known what the name means
        copy = self._copy() if self._options.state == "present" else None
        saved = entries.object_of(copy, self._key).state if copy else None
        plan = entries.plan_for(self._options.state, self._dn, self._key, current, saved)
        if self._options.state == "absent":
            plan.warnings += entries.left_in(self._dn, *named_in(self._client, self._dn, self._entry))
        return plan

    def _copy(self) -> Entry | None:
        """The newest copy of the entry. Raises OffboardError where it cannot be read."""
        begins = tuple(entries.begin(text).casefold() for text in (self._dn, self._key))  # it may have been named in another case then
        paths = glob.glob(os.path.join(glob.escape(self._options.backup_dir), "*.ldif"))
        mine = [path for path in paths if os.path.basename(path).casefold().startswith(begins)]
        for path in sorted(mine, key=lambda path: path.rpartition("_")[2], reverse=True):
            try:
                with open(path, "rb") as stream:
                    content = stream.read()
            except OSError as exc:
                raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
            if content.startswith(b"$ANSIBLE_VAULT"):
                if self._password is None:
                    raise OffboardError(f"{path} is encrypted; give vault_password or vault_password_file", code="vault_password_missing")
                content = decrypt_file(path, self._password) or b""
            text = content.decode("utf-8", "replace")
            if self._is_of_another(entries.copied_from(text)):
                continue
            records = list(ldif.parse(text))
            if len(records) == 1 and names.key(records[0].dn) == self._key:
                return Entry(records[0].dn, records[0].attributes)
        return None

    def _is_of_another(self, copied: str) -> bool:
        """Whether a copy was saved of another entry that had the name for a while."""
        meant = self._found.meant
        return bool(copied and meant and self._memory is not None and self._memory.origin(copied) != self._memory.origin(meant))

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """Those of the plan, and `entries.refusals` of a removal."""
        yield from plan.refusals
        if self._found.refusal is not None:
            yield self._found.refusal
        elif self._entry is None and self._options.state == "absent" and self._options.journal and not self._is_known():
            yield guard.nothing_known([str(self._options.account)], self._client.where)
        elif self._entry is not None and self._options.state == "absent":
            yield from entries.refusals(self._entry, self._password is not None)

    def _is_known(self) -> bool:
        """Whether it was there once."""
        return self._memory is not None and self._memory.ever_had(self._dn)

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        for change in begun:
            if change.id == self._key and (self._entry is None) == (change.after is None):
                yield change

    def apply(self, change: Change) -> dict[str, Any]:
        """Save and remove, if it is still what was read; or bring back."""
        if change.after is not None:
            copy = self._copy()
            if copy is None:
                raise OffboardError(f"the saved copy of {self._dn} has disappeared", code="changed_since_read")
            self._client.add(copy.dn, entries.attributes(copy))
            made = self._read()
            return {entries.UUID: uuid} if made and (uuid := entries.uuid_of(made)) else {}
        there = self._read()
        if there is None or self._entry is None or there.attributes != self._entry.attributes:
            raise OffboardError(f"{change.name} was changed since it was read; look at it, and run the task again", code="changed_since_read")
        path = os.path.join(self._options.backup_dir, f"{entries.begin(self._dn)}{now().replace(':', '')}.ldif")
        content = entries.copy_of(there)
        write_atomically(path, vault.encrypt(content, self._password, os.urandom(32)) if self._password else content)
        self._saved.append(path)
        self._client.delete(there.dn, "", only=(entries.UUID, entries.uuid_of(there)))
        return {"saved": path}

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read again until it is seen."""
        for change in applied:
            if not waiting.is_shown(lambda: self._is_there() == (self._options.state == "present"), self._options.verify_timeout, agreeing=waiting.ONE_READ):
                yield Outcome(change, "failed", "not_seen", f"{change.name} was changed ({change.action}), but is read as before")

    def _is_there(self) -> bool:
        return self._read() is not None

    def to_be_saved(self, changes: Iterable[Change]) -> Iterator[str]:
        """What is there, by its entryUUID; of what was made anew, that of the one before. What is brought back comes from its saved copy."""
        if self._entry is not None and self._memory is not None:
            yield self._memory.origin(entries.uuid_of(self._entry)) or self._key

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {"saved": self._saved}

    def close(self) -> None:
        self._client.close()


def make(params: Mapping[str, Any], check_mode: bool) -> OpenLdapEntry:
    options = Options.of(params)
    return OpenLdapEntry(Client(Connection.from_params(params), read_only=check_mode), options)


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    options = InfoOptions.of(params)
    with contextlib.closing(Client(Connection.from_params(params), read_only=True)) as client:
        memory = Memory(options.known)
        found = find(client, named(client, options.account, memory), memory)
        named_by, not_searched = named_in(client, found.dn, found.entry)
        return {**about(found), "named_in": named_by, "not_searched": not_searched}


def about(found: Found) -> dict[str, Any]:
    """Whether the entry is there, as openldap_entry_info returns it."""
    if found.entry is None:
        return {"exists": False, "entry": {}, "confirm_as": "", "removal_refusals": [found.refusal.msg] if found.refusal else []}
    state, uuid = dict(entries.object_of(found.entry, names.key(found.dn)).state), entries.uuid_of(found.entry)
    stops = [found.refusal] if found.refusal else entries.refusals(found.entry, encrypted=True)
    confirm_as = names.extended(uuid, found.entry.dn) if uuid else found.entry.dn
    return {"exists": True, "entry": state, "confirm_as": confirm_as, "removal_refusals": [item.msg for item in stops]}
