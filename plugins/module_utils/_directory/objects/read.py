# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects with all that their guards look at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..._core.dn import Name, canonical, first_value
from ..._core.dn import key as dn_key
from ..._core.model import Object
from ..client import Client, equals
from ..values import Entry, denied, guid, guid_bytes, parent_dn, sid
from . import plan as objects
from . import saved

# Attributes that name another object without being a link in the schema
_NAMING = ("assistant", "secretary", "seeAlso")
ACT_ON_BEHALF, DELEGATE_TO = "msDS-AllowedToActOnBehalfOfOtherIdentity", "msDS-AllowedToDelegateTo"
_BATCH = 50  # objects per filter


class Reader:
    """Reads objects with all that their guards look at."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._schema: dict[str, saved.SchemaAttribute] = {}
        self._forward: dict[int, str] = {}  # forward links by linkID
        self._parents: dict[str, int] = {}

    def entry(self, name: Name) -> Entry | None:
        """The object that is meant: by its objectGUID where that is known."""
        return self._client.read(canonical(name.dn), descriptor=True, guid=name.guid)

    def entries(self, names: Iterable[Name]) -> tuple[list[Entry], list[Name]]:
        """The objects that exist, once each, and the names of those that do not."""
        found: dict[str, Entry] = {}
        missing: dict[str, Name] = {}
        for name in names:
            entry = self.entry(name)
            if entry is None:
                missing.setdefault(dn_key(str(name)), name)
            else:
                found.setdefault(dn_key(entry.dn), entry)
        return list(found.values()), list(missing.values())

    def spelled_alike(self, dn: str) -> list[Entry]:
        """Users and groups that have the first part of a DN, which is nobody's, as their name or sign-in name: it was moved, or the DN was mistyped."""
        name = first_value(dn)
        spellings = dict.fromkeys([name, *(re.sub(r"[\s_-]+", mark, name) for mark in " _-"), re.sub(r"[\s_-]+", "", name)])
        tests = [equals(attribute, text) for text in spellings if text for attribute in ("cn", "sAMAccountName")]
        filters = (f"(&(|(objectClass=user)(objectClass=group)){query})" for query in _any_of(tests))
        return [entry for query in filters for entry in self._client.search(query, ["objectGUID", "sAMAccountName"])]

    def guids(self, dns: Iterable[str]) -> dict[str, str]:
        """The objectGUID of each of the objects that is in this domain, by its DN."""
        wanted = {dn_key(dn): dn for dn in dns}
        found: dict[str, str] = {}
        for query in _any_of([equals("distinguishedName", dn) for dn in wanted.values()]):
            for entry in self._client.search(query, ["objectGUID"]):
                found[wanted.get(dn_key(entry.dn), entry.dn)] = guid(entry.raw("objectGUID")[0])
        return found

    def names(self, guids: Iterable[str]) -> dict[str, str]:
        """The DN that each of the objects in this domain has now, by its objectGUID."""
        queries = _any_of([equals("objectGUID", guid_bytes(text)) for text in sorted(set(guids))])
        return {guid(entry.raw("objectGUID")[0]): entry.dn for query in queries for entry in self._client.search(query, ["objectGUID"])}

    def describe(self, entries: Sequence[Entry], *, again: bool = False) -> list[Object]:
        """Raises OffboardError `unsupported_class`. `again` when nothing that was read before may count."""
        if again:
            self._parents.clear()
        schema = self.schema(entries)
        back_links = {known.name: self._forward[known.link_id - 1] for known in schema.values() if known.link_id and known.is_back_link}
        own = {sid(value) for value in self._client.root.raw("tokenGroups")}
        references = self._references(entries)
        return [
            objects.describe(
                entry,
                objects.Surroundings(
                    own_sids=own,
                    parent_denied=self._parent_denied(entry.dn),
                    back_links=back_links,
                    references=references[entry.dn],
                    children=[below.dn for below in self._client.search("(objectClass=*)", ["objectClass"], base=entry.dn) if below.dn != entry.dn],
                    primary_members=self._primary_members(entry),
                ),
            )
            for entry in entries
        ]

    def _primary_members(self, entry: Entry) -> list[str]:
        """Of a group; its relative identifier is what the members' primaryGroupID holds."""
        rid = sid(entry.raw("objectSid")[0]).rpartition("-")[2] if entry.raw("groupType") and entry.raw("objectSid") else ""
        return [member.dn for member in self._client.search(equals("primaryGroupID", rid), ["objectClass"])] if rid else []

    def schema(self, entries: Iterable[Entry]) -> dict[str, saved.SchemaAttribute]:
        """What the schema says of the attributes that the entries have, by name in lower case."""
        names = {name.casefold() for entry in entries for name in entry.attributes} - self._schema.keys()
        base = self._client.root.text("schemaNamingContext")
        wanted = ["lDAPDisplayName", "systemOnly", "systemFlags", "linkID"]
        for query in _any_of([equals("lDAPDisplayName", name) for name in sorted(names)]):
            for found in self._client.search(f"(&(objectClass=attributeSchema){query})", wanted, base=base):
                known = saved.SchemaAttribute.of(found)
                self._schema[known.name.casefold()] = known
        forward = {known.link_id - 1 for known in self._schema.values() if known.link_id and known.is_back_link} - self._forward.keys()
        for query in _any_of([equals("linkID", str(number)) for number in sorted(forward)]):
            for found in self._client.search(f"(&(objectClass=attributeSchema){query})", ["lDAPDisplayName", "linkID"], base=base):
                self._forward[found.number("linkID") or 0] = found.text("lDAPDisplayName") or ""
        return self._schema

    def _parent_denied(self, dn: str) -> int:
        parent = parent_dn(dn)
        if dn_key(parent) not in self._parents:
            entry = self._client.read(parent, ("objectClass",), descriptor=True)
            descriptor = entry.raw("nTSecurityDescriptor") if entry else []
            self._parents[dn_key(parent)] = denied(descriptor[0]) if descriptor else 0
        return self._parents[dn_key(parent)]

    def _references(self, entries: Sequence[Entry]) -> dict[str, dict[str, list[str]]]:
        """Who names the entries without a link: by DN, by a service principal name for delegation, or by SID in a descriptor."""
        result: dict[str, dict[str, list[str]]] = {entry.dn: {} for entry in entries}
        tests = [equals(name, entry.dn) for entry in entries for name in _NAMING]
        tests += [equals(DELEGATE_TO, spn) for entry in entries for spn in entry.texts("servicePrincipalName")]
        for query in _any_of([*tests, f"({ACT_ON_BEHALF}=*)"] if entries else []):
            for other in self._client.search(query, [*_NAMING, DELEGATE_TO, ACT_ON_BEHALF]):
                for entry in entries:
                    for name in _named_by(entry, other):
                        result[entry.dn].setdefault(name, []).append(other.dn)
        return result


def _named_by(entry: Entry, other: Entry) -> Iterator[str]:
    for name in _NAMING:
        if dn_key(entry.dn) in map(dn_key, other.texts(name)):
            yield name
    spns = {spn.casefold() for spn in entry.texts("servicePrincipalName")}
    if spns & {spn.casefold() for spn in other.texts(DELEGATE_TO)}:
        yield DELEGATE_TO
    if any(entry.raw("objectSid")[0] in descriptor for descriptor in other.raw(ACT_ON_BEHALF)):
        yield ACT_ON_BEHALF


def _any_of(tests: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(tests), _BATCH):
        yield f"(|{''.join(tests[start : start + _BATCH])})"
