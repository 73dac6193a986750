# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The saved copy of an object: one LDIF file that brings it back, by this collection or by ldapmodify. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ..._core.dn import key as dn_key
from ..._core.errors import OffboardError
from ..._core.plain import shortened
from .. import ldif
from ..values import ACCOUNT_DISABLED, Entry, guid, guid_bytes, sid

# No secret may reach the file, whatever a schema extension calls it. It also catches pwdLastSet and badPwdCount, which cannot
# be written anyway. Passwords of AD itself cannot be read at all.
_SECRET = re.compile(r"(?i)password|pwd|supplementalCredentials")
# Set by the directory's account management although the schema does not say "system only".
_OWNED_BY_SAM = frozenset(
    name.casefold()
    for name in (
        "isCriticalSystemObject", "lastLogonTimestamp", "lockoutTime", "nTSecurityDescriptor", "primaryGroupID", "sAMAccountType",
    )
)  # fmt: skip
_IDENTITY = frozenset(("objectclass", "objectcategory", "cn", "samaccountname"))
# systemFlags: attribute is not replicated, is constructed ([MS-ADTS] 2.2.10)
_NOT_REPLICATED, _CONSTRUCTED = 0x1, 0x4


@dataclass(frozen=True)
class SchemaAttribute:
    """What the schema says of an attribute; `link_id` as in [MS-ADTS] 3.1.1.1.6: even is a forward link, the odd one above it its back link."""

    name: str
    settable: bool
    link_id: int | None

    @property
    def is_back_link(self) -> bool:
        return self.link_id is not None and self.link_id % 2 == 1

    @classmethod
    def of(cls, entry: Entry) -> SchemaAttribute:
        link = entry.number("linkID")
        flags = entry.number("systemFlags") or 0
        settable = entry.text("systemOnly") != "TRUE" and not flags & (_NOT_REPLICATED | _CONSTRUCTED) and not (link or 0) % 2
        return cls(entry.text("lDAPDisplayName") or "", settable, link)


@dataclass(frozen=True)
class SavedLink:
    """`dn` names the object `value` in `attribute`. It is brought back by adding, so that a successor's name is never overwritten.

    The saved object is one of the two: a member of a group, or the group with its members. Both sides are saved, as both may go.
    """

    dn: str
    attribute: str
    value: str

    @property
    def text(self) -> str:
        return f"{self.attribute} of {self.dn}: {self.value}"


@dataclass(frozen=True)
class SavedCopy:
    """What a file says. `attributes` include objectClass; `guid` finds the deleted object, whose SID is then kept.

    guids: the objectGUID of the other end of each link, by `dn_key`: by the time of the restoration its name may be another object's.
    gone: those other ends (`dn_key`) that are known to be there no more.
    """

    dn: str
    guid: str
    saved_at: str
    attributes: Mapping[str, list[bytes]]
    links: Sequence[SavedLink]
    guids: Mapping[str, str] = field(default_factory=dict)
    gone: Collection[str] = ()

    @property
    def kind(self) -> str:
        classes = {value.decode().casefold() for value in self.attributes.get("objectClass", [])}
        return "group" if "group" in classes else "user"

    @property
    def restorable(self) -> dict[str, list[bytes]]:
        """Attributes that can be set on an object that is there again: without those that make it what it is."""
        return {name: values for name, values in self.attributes.items() if name.casefold() not in _IDENTITY}

    @property
    def name(self) -> str:
        return next((value.decode() for value in self.attributes.get("sAMAccountName", [])), self.dn)

    def ends(self) -> dict[str, str]:
        """The other end of each link, by `dn_key`."""
        return {dn_key(dn): dn for link in self.links for dn in (link.dn, link.value) if dn_key(dn) != dn_key(self.dn)}

    def is_origin_of(self, entry: Entry) -> bool:
        """Whether the object at the copy's DN is what was made of the copy when the deleted object could not be had: it has another objectGUID."""
        created = (entry.text("whenCreated") or "")[:14]
        return (entry.text("sAMAccountName") or "").casefold() == self.name.casefold() and created >= re.sub(r"\D", "", self.saved_at)


def file_name(entry: Entry, now: datetime.datetime) -> str:
    """Unlike any other object's and any other time's."""
    name = shortened(re.sub(r"[^\w.-]", "_", entry.text("sAMAccountName") or "object"))
    return f"{name}_{guid(entry.raw('objectGUID')[0])}_{now:%Y%m%dT%H%M%S.%fZ}.ldif"


def make(
    entry: Entry, schema: Mapping[str, SchemaAttribute], links: Sequence[SavedLink], now: datetime.datetime, guids: Mapping[str, str] | None = None
) -> str:
    """The file's text. What cannot be written back is kept as comments, without secrets. `guids` as in SavedCopy, by DN as in the links."""
    attributes: dict[str, list[bytes]] = {}
    notes: list[str] = []
    for name, values in sorted(entry.attributes.items(), key=lambda pair: (pair[0] != "objectClass", pair[0])):
        if _SECRET.search(name):
            continue
        known = schema.get(name.casefold())
        if name == "member":  # added afterwards, by `links`: the members may have to be brought back first
            continue
        if name == "objectClass" or (known is not None and known.settable and name.casefold() not in _OWNED_BY_SAM):
            attributes[name] = values
        elif name not in ("objectGUID", "objectSid", "nTSecurityDescriptor", "distinguishedName") and not (known and known.is_back_link):
            notes += [ldif.comment(f"{name}: {value.decode('utf-8', 'backslashreplace')}") for value in values]
    control = entry.number("userAccountControl")
    if control is not None:
        attributes["userAccountControl"] = [str(control | ACCOUNT_DISABLED).encode()]
        notes.append(ldif.comment(f"userAccountControl: {control}"))
    head = [
        "version: 1",
        ldif.comment("Saved by offboard.iij_id before the object was removed. Bring it back with state=present, or with ldapmodify -f."),
        ldif.comment("A user comes back disabled, because no password is saved. By ldapmodify the SID is a new one."),
        ldif.comment(f"saved: {now:%Y-%m-%dT%H:%M:%SZ}"),
        ldif.comment(f"objectGUID: {guid(entry.raw('objectGUID')[0])}"),
        ldif.comment(f"objectSid: {sid(entry.raw('objectSid')[0])}"),
        *(ldif.comment(f"objectGUID {known} is {dn}") for dn, known in sorted((guids or {}).items())),
        ldif.comment("Not restorable:"),
        *notes,
    ]
    records = [ldif.add(entry.dn, attributes)]
    records += [ldif.modify(link.dn, "add", link.attribute, [link.value.encode()]) for link in links]
    return "\n".join([*head, *records])


def read(text: str, path: str) -> SavedCopy:
    """The inverse of `make`. Raises OffboardError `ldif_unreadable`."""
    known = dict(re.findall(r"^# (saved|objectGUID): ([\w:.-]+)$", text, re.MULTILINE))
    try:
        records = list(ldif.parse(text))
        if len(known) != 2 or not records or records[0].changetype != "add":
            raise ValueError
        guid_bytes(known["objectGUID"])
        for name in ("objectClass", "sAMAccountName"):
            for value in records[0].attributes.get(name, ()):
                value.decode()
        links = [SavedLink(record.dn, attribute, value.decode()) for record in records[1:] for _unused, attribute, values in record.changes for value in values]
    except (ValueError, OffboardError) as exc:
        why = f": {exc.msg}" if isinstance(exc, OffboardError) and exc.code == "ldif_unreadable" else ""
        raise OffboardError(f"{path} is not a copy that directory_object saved{why}", code="ldif_unreadable") from None
    guids = {dn_key(dn): guid for guid, dn in re.findall(r"^# objectGUID ([0-9a-f-]{36}) is (.+)$", text, re.MULTILINE)}
    return SavedCopy(records[0].dn, known["objectGUID"], known["saved"], records[0].attributes, links, guids)
