# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of OpenLDAP, pure: what may be removed, what a saved copy holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..._core import phrases
from ..._core.dn import Name, extended
from ..._core.heads import some
from ..._core.model import Change, Object, Refusal
from ..._core.plain import file_part
from ..._core.plan import Plan
from .. import ldif
from ..values import Entry

KIND = "openldap_entry"
#: The attribute that stays an entry's own, whatever its name becomes.
UUID = "entryUUID"
#: What only the server writes.
_OPERATIONAL = frozenset({"hassubordinates", UUID.casefold()})
_SECRET = re.compile(r"(?i)passw|pwd|secret|key\b|hash")
#: Entries that hold others, and are no accounts.
_CONTAINERS = frozenset({"organizationalunit", "organization", "domain", "dcobject", "country", "locality", "groupofnames", "groupofuniquenames", "posixgroup"})


def uuid_of(entry: Entry) -> str:
    """Its entryUUID; empty where it may not be read."""
    return (entry.text(UUID) or "").lower()


def attributes(entry: Entry) -> dict[str, list[bytes]]:
    """What brings the entry back: everything but what the server writes."""
    return {name: values for name, values in entry.attributes.items() if name.casefold() not in _OPERATIONAL}


def holds_a_secret(entry: Entry) -> bool:
    """Whether a copy of it would hold a password or its hash."""
    return any(_SECRET.search(name) for name in attributes(entry))


def copy_of(entry: Entry) -> bytes:
    """An LDIF file that brings it back, and says which entry it was."""
    return f"{ldif.comment(f'{UUID}: {uuid_of(entry)}')}\n{ldif.add(entry.dn, attributes(entry))}".encode()


def copied_from(content: str) -> str:
    """The entryUUID of the one of which a copy was saved; empty where it was not known."""
    first = content.partition("\n")[0]
    begins = ldif.comment(f"{UUID}: ")
    return first.removeprefix(begins).strip() if first.startswith(begins) else ""


def begin(dn: str) -> str:
    """How the file names of an entry's copies begin."""
    return f"{file_part(dn)}_"


def object_of(entry: Entry, key: str) -> Object:
    """The entry as plans see it: names of its attributes, no values but its classes."""
    state = {"dn": entry.dn, "objectClass": entry.texts("objectClass"), "attributes": sorted(attributes(entry))}
    if uuid := uuid_of(entry):
        state[UUID] = uuid
    return Object(KIND, key, entry.dn, state)


def plan_for(state: str, dn: str, key: str, current: Iterable[Object], saved: Mapping[str, Any] | None) -> Plan:
    """Removed where it is, or brought back where it is not. `saved`: the state of the newest copy. Rule: no_saved_copy."""
    plan, there = Plan(), [item for item in current if item.id == key]
    if state == "absent":
        plan.unchanged = int(not there)
        for item in there:
            undo = phrases.english("undo_same_state", state="present")
            plan.changes.append(Change(KIND, key, item.name, "delete", before=dict(item.state), after=None, risk="medium", undo=undo))
    elif there:
        plan.unchanged = 1
    elif saved is None:
        plan.refusals.append(Refusal("no_saved_copy", f"There is no saved copy of {dn} in backup_dir, so it cannot be brought back", (dn,)))
    else:
        plan.changes.append(Change(KIND, key, dn, "restore", before=None, after=dict(saved), undo=phrases.english("undo_same_state", state="absent")))
    return plan


def other_object(confirmed: Name, there: Entry, why: str) -> Refusal:
    """What is at the confirmed name is not the entry that was confirmed. `why`: by what that is known."""
    here = extended(uuid_of(there), there.dn)
    msg = f"{confirmed.dn} was confirmed for the entry {confirmed.guid}{f' ({why})' if why else ''}, but what has that name now is another one."
    return Refusal("other_object", msg, (there.dn,), phrases.english("allow_this_one", setting=f"dn: '{here}'"))


def moved(confirmed: Name, there: Entry, why: str) -> Refusal:
    """The confirmed name is nobody's, but the entry that had it is there."""
    told = f" ({why})" if why else ""
    msg = f"{confirmed.dn} does not exist, but the entry {confirmed.guid}, for which it was confirmed{told}, is now {there.dn}."
    return Refusal("moved", msg, (there.dn,), f"dn: '{extended(confirmed.guid, there.dn)}'")


def left_in(dn: str, named_in: Iterable[Mapping[str, str]], not_searched: Iterable[str]) -> list[str]:
    """Warnings: slapd keeps the values of others that name an account, and a new account of that name would have what they give."""
    shown = some(f"{one['dn']} ({one['attribute']})" for one in named_in)
    told = [phrases.english("entries_name_it", name=dn, entries=shown)] if shown else []
    return told + [phrases.english("entries_not_searched", name=dn, base=base) for base in not_searched]


def refusals(entry: Entry, encrypted: bool) -> list[Refusal]:
    """Rules of a removal: has_children, unsupported_class, vault_password_missing."""
    found = []
    if entry.text("hasSubordinates") == "TRUE":
        found.append(Refusal("has_children", f"{entry.dn} has entries below it, and they are not removed", (entry.dn,)))
    if hit := sorted({name for name in entry.texts("objectClass") if name.casefold() in _CONTAINERS}):
        found.append(Refusal("unsupported_class", f"{entry.dn} is no account ({', '.join(hit)})", (entry.dn,)))
    if holds_a_secret(entry) and not encrypted:
        msg = f"{entry.dn} has a password, whose hash would be saved in clear"
        found.append(Refusal("vault_password_missing", msg, (entry.dn,), phrases.english("allow_encryption")))
    return found
