# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entry of OpenLDAP a confirmation means. A name may pass to another entry, an entryUUID (RFC 4530) never does."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..._core import dn as names
from ..._core import journal
from ..._core.errors import OffboardError
from ..._core.model import Refusal
from ..._module.files import read_lines
from ..client import Client, equals
from ..known import Known, remembered
from ..values import Entry
from . import plan as entries
from . import references

WANTED = ("*", "hasSubordinates", entries.UUID)


class Memory:
    """What the snapshot, and the journal of the run folder, have of the confirmed names. The journal is newer."""

    def __init__(self, known: Known, path: str | None = None) -> None:
        self._meant: dict[str, tuple[str, str]] = {}
        self._names: dict[str, str] = {}
        self._origins: dict[str, str] = {}
        self._gone: dict[str, str] = {}
        self._ever: set[str] = set()
        for item in remembered(known):
            if not item.get("dn"):
                continue
            self._ever.add(names.key(item["dn"]))
            if item.get(entries.UUID):
                self._add(item["dn"], item[entries.UUID].lower(), "the snapshot has it by that name", first=True)
        for line in read_lines(path) if path else ():
            if b'"kind":"openldap_entry"' in line:
                self._add_record(line)

    def _add(self, dn: str, uuid: str, why: str, *, first: bool = False) -> None:
        self._names.setdefault(uuid, dn)
        if not first or names.key(dn) not in self._meant:
            self._meant[names.key(dn)] = uuid, why

    def _add_record(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            key, why = str(record["id"]), f"the journal has its {record['action']} of {record['at']}"
            uuid = (record.get("before") or {}).get(entries.UUID) or (record.get("details") or {}).get(entries.UUID)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # cut off by a kill, or no line of ours
            return
        self._ever.add(key)
        if record["action"] == "restore" and journal.came_to_nothing(record):
            if self._gone.get(key):
                self._meant.setdefault(key, (self._gone[key], why))
        elif record["action"] == "restore":  # from here on it is the one that is made anew
            self._gone[key] = self._meant.pop(key, (self._gone.get(key, ""),))[0]
        if isinstance(uuid, str) and uuid:
            self._add(key, uuid, why)
            if record["action"] == "restore" and self._gone[key] not in ("", uuid):
                self._origins[uuid] = self._gone[key]

    def meant_by(self, dn: str) -> tuple[str, str] | None:
        """The entryUUID of the one that had the name, and who says so."""
        return self._meant.get(names.key(dn))

    def name_of(self, uuid: str) -> str | None:
        """The name that it had."""
        return self._names.get(uuid)

    def ever_had(self, dn: str) -> bool:
        """Whether an entry had the name."""
        return names.key(dn) in self._ever

    def origin(self, uuid: str) -> str:
        """The entryUUID of the one of whose saved copy it was made anew; its own where it was not."""
        while uuid in self._origins:
            uuid = self._origins[uuid]
        return uuid


@dataclass(frozen=True)
class Found:
    """What a confirmation means: its DN, the entry where there is one, why it must be left alone, and the entryUUID that was meant, where that is known."""

    dn: str
    entry: Entry | None
    refusal: Refusal | None = None
    meant: str = ""


def named(client: Client, name: names.Name, memory: Memory) -> names.Name:
    """The same, with the DN in any case.

    Raises OffboardError `invalid_dn`, `not_found` where an entryUUID alone is nobody's and never was, and those of `client`.
    """
    if name.dn:
        return name
    entry = _by_uuid(client, name.guid)
    dn = entry.dn if entry else memory.name_of(name.guid)
    if dn is None:
        raise OffboardError(
            f"no entry that {client.user} may see has the entryUUID {name.guid}, and neither the snapshot nor the journal knows one; give its "
            f"distinguished name too: {names.extended(name.guid, 'cn=...')}",
            code="not_found",
        )
    return names.Name(names.checked(dn), name.guid)


def find(client: Client, name: names.Name, memory: Memory) -> Found:
    """The entry that `named` has the name of. Raises OffboardError as `client` does, `cannot_read` also where its entryUUID may not be read."""
    dn = name.dn
    meant = (name.guid, "") if name.guid else memory.meant_by(dn)
    entry = client.read(dn, WANTED)
    if meant is None:
        return Found(dn, entry)
    uuid, why = meant
    if entry is None:
        elsewhere = _by_uuid(client, uuid)
        return Found(dn, None, entries.moved(names.Name(dn, uuid), elsewhere, why) if elsewhere else None, uuid)
    own = entries.uuid_of(entry)
    if not own:
        raise OffboardError(
            f"the entryUUID of {dn} may not be read by {client.user}, so nothing tells whether it is the entry that was confirmed; grant the right to read it",
            code="cannot_read",
        )
    same = memory.origin(own) == memory.origin(uuid)
    return Found(dn, entry, None if same else entries.other_object(names.Name(dn, uuid), entry, why), uuid)


def named_in(client: Client, dn: str, entry: Entry | None) -> tuple[list[dict[str, str]], list[str]]:
    """Which entries name the account, there or gone, by which attribute; and below what nobody could look."""
    holding = references.attributes(client.attribute_types())
    account = references.uids(dn, entry)
    query = "".join((*(equals(name, dn) for name in holding), *(equals(references.MEMBER_UID, uid) for uid in account)))
    found: list[dict[str, str]] = []
    not_searched = []
    for base in client.naming_contexts() if query else ():
        try:
            found += references.told(client.search(f"(|{query})", [*holding, references.MEMBER_UID], base=base), holding, dn, account)
        except OffboardError as exc:
            if exc.code not in ("not_found", "cannot_read", "timeout"):
                raise
            not_searched.append(base)
    return found, not_searched


def _by_uuid(client: Client, uuid: str) -> Entry | None:
    """The entry, wherever it is now; None where there is none, or this account may not see it."""
    for base in client.naming_contexts():
        try:
            entry = next(client.search(equals(entries.UUID, uuid), WANTED, base=base), None)
        except OffboardError as exc:
            if exc.code != "not_found":
                raise
            continue
        if entry is not None:
            return entry
    return None
