# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""openldap_entry and its _info twin: reading, saving, changing and verifying what plan.py decides."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import dn as names
from ..._core import vault
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

_WANTED = ("*", "hasSubordinates", "entryUUID")


class OpenLdapEntry(Resource):
    """The one entry of a task."""

    noun = "accounts"
    kinds = (entries.KIND,)

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._key = names.key(options.dn)
        self._password = options.vault_password() if options.vault_password else None
        self._entry: Entry | None = None
        self._saved: list[str] = []

    def _read(self) -> Entry | None:
        return self._client.read(self._options.dn, _WANTED)

    def read(self) -> Iterator[Object]:
        """The entry. One that the directory does not show is absent only where its parent can be read."""
        self._entry = self._read()
        if self._entry is not None:
            yield entries.object_of(self._entry, self._key)

    def plan(self, current: Iterable[Object]) -> Plan:
        """Removed or brought back."""
        copy = self._copy() if self._options.state == "present" else None
        saved = entries.object_of(copy, self._key).state if copy else None
        return entries.plan_for(self._options.state, self._options.dn, self._key, current, saved)

    def _copy(self) -> Entry | None:
        """The newest copy of the entry. Raises OffboardError where it cannot be read."""
        pattern = os.path.join(glob.escape(self._options.backup_dir), f"{glob.escape(entries.begin(self._options.dn))}*.ldif")
        for path in sorted(glob.glob(pattern), reverse=True):
            try:
                with open(path, "rb") as stream:
                    content = stream.read()
            except OSError as exc:
                raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
            if content.startswith(b"$ANSIBLE_VAULT"):
                if self._password is None:
                    raise OffboardError(f"{path} is encrypted; give vault_password or vault_password_file", code="vault_password_missing")
                content = decrypt_file(path, self._password) or b""
            records = list(ldif.parse(content.decode("utf-8", "replace")))
            if len(records) == 1 and names.key(records[0].dn) == self._key:
                return Entry(records[0].dn, records[0].attributes)
        return None

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """Those of the plan, and `entries.refusals` of a removal."""
        yield from plan.refusals
        if self._entry is not None and self._options.state == "absent":
            yield from entries.refusals(self._entry, self._password is not None)

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        for change in begun:
            if change.id == self._key and (self._entry is None) == (change.after is None):
                yield change

    def apply(self, change: Change) -> dict[str, Any]:
        """Save and remove, if it is still what was read; or bring back."""
        if change.after is not None:
            copy = self._copy()
            if copy is None:
                raise OffboardError(f"the saved copy of {self._options.dn} has disappeared", code="changed_since_read")
            self._client.add(copy.dn, entries.attributes(copy))
            return {}
        there = self._read()
        if there is None or self._entry is None or there.attributes != self._entry.attributes:
            raise OffboardError(f"{change.name} was changed since it was read; look at it, and run the task again", code="changed_since_read")
        path = os.path.join(self._options.backup_dir, f"{entries.begin(self._options.dn)}{now().replace(':', '')}.ldif")
        content = entries.copy_of(there)
        write_atomically(path, vault.encrypt(content, self._password, os.urandom(32)) if self._password else content)
        self._saved.append(path)
        self._client.delete(there.dn, "")
        return {"saved": path}

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read again until it is seen."""
        for change in applied:
            if not waiting.is_shown(lambda: self._is_there() == (self._options.state == "present"), self._options.verify_timeout, agreeing=waiting.ONE_READ):
                yield Outcome(change, "failed", "not_seen", f"{change.name} was changed ({change.action}), but is read as before")

    def _is_there(self) -> bool:
        return self._read() is not None

    def to_be_saved(self, changes: Iterable[Change]) -> Iterator[str]:
        """The account, as the task names it."""
        yield self._options.dn_as_given

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {"saved": self._saved}

    def close(self) -> None:
        self._client.close()


def make(params: Mapping[str, Any], check_mode: bool) -> OpenLdapEntry:
    options = Options.of(params)
    return OpenLdapEntry(Client(Connection.from_params(params), read_only=check_mode), options)


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    dn = InfoOptions.of(params).dn
    client = Client(Connection.from_params(params), read_only=True)
    try:
        entry = client.read(dn, _WANTED)
    finally:
        client.close()
    if entry is None:
        return {"exists": False, "entry": {}, "removal_refusals": []}
    state = dict(entries.object_of(entry, names.key(dn)).state)
    return {"exists": True, "entry": state, "removal_refusals": [item.msg for item in entries.refusals(entry, encrypted=True)]}
