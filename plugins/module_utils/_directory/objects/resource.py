# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""directory_object and its _info twin: reading, writing and verifying what objects.py decides."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.files import write_atomically
from ..._module.runner import Record, Resource
from .. import agent_config
from ..client import Client, equals
from ..values import ACCOUNT_DISABLED, Entry, denied, dn_key, guid_bytes, parent_dn, sid, without_blanks
from . import plan as objects
from . import saved

# Attributes that name another object without being a link in the schema
_NAMING = ("assistant", "secretary", "seeAlso")
_ACT_ON_BEHALF, _DELEGATE_TO = "msDS-AllowedToActOnBehalfOfOtherIdentity", "msDS-AllowedToDelegateTo"
_BATCH = 50  # objects per filter
#: A name that leads nowhere: a typo, one of another domain, or one below an organizational unit that is gone or may not be seen.
_NAMES_NOTHING = ("invalid_dn", "other_domain", "cannot_read", "not_found")


def now() -> datetime.datetime:
    """The present time, UTC."""
    return datetime.datetime.now(datetime.UTC)


class Reader:
    """Reads objects with all that their guards look at."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._schema: dict[str, saved.SchemaAttribute] = {}
        self._forward: dict[int, str] = {}  # forward links by linkID
        self._parents: dict[str, int] = {}

    def entries(self, dns: Iterable[str]) -> tuple[list[Entry], list[str]]:
        """The objects that exist, once each, and the DNs that do not."""
        found: dict[str, Entry] = {}
        missing: dict[str, str] = {}
        for dn in dns:
            if not dn.strip():
                raise OffboardError("an empty string is no distinguished name", code="invalid_dn")
            entry = self._client.read(without_blanks(dn), descriptor=True)
            if entry is None:
                missing.setdefault(dn_key(dn), dn)
            else:
                found.setdefault(dn_key(entry.dn), entry)
        return list(found.values()), list(missing.values())

    def describe(self, entries: Sequence[Entry]) -> list[Object]:
        """Raises OffboardError `unsupported_class`."""
        schema = self.schema(entries)
        back_links = {known.name: self._forward[known.link_id - 1] for known in schema.values() if known.link_id and known.is_back_link}
        own = {sid(value) for value in self._client.root.raw("tokenGroups")}
        references = self._references(entries)
        return [
            objects.describe(
                entry,
                objects.Surroundings(own_sids=own, parent_denied=self._parent_denied(entry.dn), back_links=back_links, references=references[entry.dn]),
            )
            for entry in entries
        ]

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
        tests += [equals(_DELEGATE_TO, spn) for entry in entries for spn in entry.texts("servicePrincipalName")]
        for query in _any_of([*tests, f"({_ACT_ON_BEHALF}=*)"] if entries else []):
            for other in self._client.search(query, [*_NAMING, _DELEGATE_TO, _ACT_ON_BEHALF]):
                for entry in entries:
                    for name in _named_by(entry, other):
                        result[entry.dn].setdefault(name, []).append(other.dn)
        return result


def _named_by(entry: Entry, other: Entry) -> Iterator[str]:
    for name in _NAMING:
        if dn_key(entry.dn) in map(dn_key, other.texts(name)):
            yield name
    spns = {spn.casefold() for spn in entry.texts("servicePrincipalName")}
    if spns & {spn.casefold() for spn in other.texts(_DELEGATE_TO)}:
        yield _DELEGATE_TO
    if any(entry.raw("objectSid")[0] in descriptor for descriptor in other.raw(_ACT_ON_BEHALF)):
        yield _ACT_ON_BEHALF


def _any_of(tests: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(tests), _BATCH):
        yield f"(|{''.join(tests[start : start + _BATCH])})"


class DirectoryObjects(Resource):
    """The objects of one task."""

    noun = "directory objects"
    kinds = (objects.KIND,)

    def __init__(self, client: Client, options: Mapping[str, Any]) -> None:
        self._client = client
        self._options = options
        self._reader = Reader(client)
        self._rules = rules(options)
        self._now = now()
        self._wanted: list[str] = []
        self._objects: dict[str, Object] = {}
        self._copies: dict[str, saved.SavedCopy] = {}
        self._saved: dict[str, str] = {}

    def read(self) -> Iterator[Object]:
        """The wanted objects that exist."""
        listed = self._options["objects"]
        entries, missing = self._reader.entries([self._options["dn"]] if listed is None else listed)
        self._wanted = [*(entry.dn for entry in entries), *missing]
        if self._options["state"] == "present":
            self._copies = self._load_copies()
        yield from self._reader.describe(entries)

    def _load_copies(self) -> dict[str, saved.SavedCopy]:
        """The newest copy of each wanted DN. Which is newest is in the copies themselves."""
        folder = self._options["backup_dir"]
        wanted = {dn_key(dn) for dn in self._wanted}
        copies: dict[str, saved.SavedCopy] = {}
        try:
            for name in sorted(os.listdir(folder)):
                if name.endswith(".ldif"):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as stream:
                        copy = saved.read(stream.read(), path)
                    key = dn_key(copy.dn)
                    if key in wanted and (key not in copies or copies[key].saved_at <= copy.saved_at):
                        copies[key] = copy
        except (OSError, UnicodeDecodeError) as exc:
            raise OffboardError(f"backup_dir: cannot read the saved copies in {folder}: {exc}", code="file_read_failed") from exc
        return copies

    def plan(self, current: Iterable[Object]) -> Plan:
        """See `objects.plan`."""
        self._objects = {dn_key(item.id): item for item in current}
        return objects.plan(self._wanted, self._objects, self._options["state"], self._copies)

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of the wanted objects, what was switched or removed."""
        wanted = {dn_key(dn) for dn in self._wanted}
        for change in begun:
            if dn_key(change.id) in wanted and change.action in ("delete", "enable", "disable") and self._seen(change):
                yield change

    def guard(self, plan: Plan) -> list[Refusal]:
        """See `objects.refusals`."""
        result: list[Refusal] = []
        for action in ("disable", "delete"):
            items = [self._objects[dn_key(change.id)] for change in plan.changes if change.action == action]
            result += objects.refusals(items, action, self._rules, self._now)
        return result

    def apply_all(self, changes: Iterable[Change], begin: Callable[[list[Change]], None], record: Record) -> None:
        """All copies are saved before the first removal, and all objects made before the first membership.

        Otherwise the copy of a group would miss the members that the same task has removed before it, and a membership
        could not be given to an object that comes back later.
        """
        prepared = []
        for change in changes:
            begin([change])
            try:
                prepared.append((change, self._prepare(change)))
            except OffboardError as exc:
                record(Outcome(change, "failed", exc.code, exc.msg, exc.details))
        for change, details in prepared:
            try:
                self.apply(change)
            except OffboardError as exc:
                steps = {"steps_done": ["restore"]} if change.action == "restore" else {}
                record(Outcome(change, "failed", exc.code, exc.msg, {**exc.details, **details, **steps}))
            else:
                record(Outcome(change, "done", details=details))

    def _prepare(self, change: Change) -> dict[str, Any]:
        """The first of two steps; details for the outcome."""
        match change.action:
            case "delete":
                return {"saved_copy": self._save(change.id)}
            case "restore":
                return {"sid_kept": self._restore(self._copies[dn_key(change.id)])}
            case _:
                return {}

    def apply(self, change: Change) -> None:
        """The second of two steps."""
        match change.action:
            case "disable" | "enable":
                self._switch(change.id, change.action == "enable")
            case "delete":
                self._client.delete(change.id)
            case _:
                self._complete(self._copies[dn_key(change.id)])

    def _present(self, dn: str) -> Entry:
        """Raises OffboardError `not_found`."""
        entry = self._client.read(dn, descriptor=True)
        if entry is None:
            raise OffboardError(f"{dn} has disappeared since it was read; run the task again", code="not_found")
        return entry

    def _switch(self, dn: str, enabled: bool) -> None:
        control = self._present(dn).number("userAccountControl") or 0
        control = control & ~ACCOUNT_DISABLED if enabled else control | ACCOUNT_DISABLED
        self._client.modify(dn, [("replace", "userAccountControl", [str(control).encode()])], "Write userAccountControl")

    def _save(self, dn: str) -> str:
        """Write the saved copy; returns its path. Raises OffboardError `file_write_failed`: nothing is deleted without a copy."""
        entry = self._present(dn)
        item = self._reader.describe([entry])[0]
        links = [saved.Link(group, "member", entry.dn) for group in item.state["memberOf"]]
        links += [saved.Link(entry.dn, "member", member) for member in item.state["member"]]
        links += [
            saved.Link(other, name, entry.dn)
            for name, others in item.state["referenced_by"].items()
            if name not in (_ACT_ON_BEHALF, _DELEGATE_TO)  # these outlive the object
            for other in others
        ]
        path = os.path.join(self._options["backup_dir"], saved.file_name(entry, now()))
        write_atomically(path, saved.make(entry, self._reader.schema([entry]), links, now()).encode(), overwrite=False)
        self._saved[dn] = path
        return path

    def _restore(self, copy: saved.SavedCopy) -> bool:
        """Bring the object itself back; returns whether it kept its SID."""
        deleted = self._deleted(copy.guid)
        if deleted is None:
            self._client.add(copy.dn, dict(copy.attributes))
            return False
        self._client.undelete(deleted, copy.dn)
        self._set(copy.dn, copy.restorable)
        return True

    def _set(self, dn: str, attributes: Mapping[str, list[bytes]]) -> None:
        if attributes:
            self._client.modify(dn, [("replace", name, values) for name, values in attributes.items()], "Write on these attributes")

    def _deleted(self, guid: str) -> str | None:
        """The DN of the deleted object with that objectGUID; None when it is gone for good, or this account may not see it."""
        try:
            query = equals("objectGUID", guid_bytes(guid))
            return next((entry.dn for entry in self._client.search(f"(&(isDeleted=TRUE){query})", ["objectGUID"], deleted=True)), None)
        except OffboardError as exc:
            if exc.code != "cannot_read":
                raise
            return None

    def _complete(self, copy: saved.SavedCopy) -> None:
        item = self._reader.describe([self._present(copy.dn)])[0]
        self._set(copy.dn, objects.missing_attributes(item, copy))
        failures = []
        for link in objects.missing_links(item, copy):
            try:
                self._client.modify(link.dn, [("add", link.attribute, [link.value.encode()])], f"Write {link.attribute}")
            except OffboardError as exc:
                failures.append(f"{link.text}: {exc.msg}")
        if failures:
            raise OffboardError(
                f"{copy.dn} is back, but {len(failures)} of its links are not: {'; '.join(failures[:10])}. Running the task again tries them again",
                code="links_not_restored",
            )

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read each changed object again until it is as planned."""
        deadline = time.monotonic() + self._options["verify_timeout"]
        for change in applied:
            while not self._seen(change):
                if time.monotonic() >= deadline:
                    msg = f"{change.action} was accepted, but {change.id} does not show it after {self._options['verify_timeout']} s"
                    yield Outcome(change, "failed", "not_seen", msg)
                    break
                time.sleep(0.5)

    def _seen(self, change: Change) -> bool:
        entry = self._client.read(change.id, ("userAccountControl", "objectClass"))
        match change.action:
            case "delete":
                return entry is None
            case "enable" | "disable":
                disabled = bool((entry.number("userAccountControl") or 0) & ACCOUNT_DISABLED) if entry else None
                return disabled is (change.action == "disable")
            case _:
                if entry is None:
                    return False
                item, copy = self._reader.describe([self._present(change.id)])[0], self._copies[dn_key(change.id)]
                return not objects.missing_links(item, copy) and not objects.missing_attributes(item, copy)

    def owner(self) -> Mapping[str, str]:
        return {"directory": self._client.root.text("defaultNamingContext") or ""}

    def to_be_saved(self, changes: Iterable[Change]) -> list[str]:
        """What is there. What is brought back comes from its saved copy."""
        return [self._objects[key].state["objectGUID"] for change in changes if (key := dn_key(change.id)) in self._objects]

    def facts(self, plan: Plan) -> dict[str, Any]:
        """Where the copies of this run lie."""
        return {"saved_copies": dict(self._saved)}

    def close(self) -> None:
        """End the connection."""
        self._client.close()


def rules(options: Mapping[str, Any]) -> objects.Rules:
    """The guards' options. Raises OffboardError `bad_pattern`."""
    names = objects.Rules.__dataclass_fields__
    result = objects.Rules(**{name: options[name] for name in names if options.get(name) is not None})
    result.spn_patterns()
    return result


def find(options: Mapping[str, Any]) -> dict[str, Any]:
    """What directory_object_info returns: candidates, why each is one, and what would refuse its removal."""
    client = Client(options, read_only=True)
    try:
        return _find(client, options)
    finally:
        client.close()


def _find(client: Client, options: Mapping[str, Any]) -> dict[str, Any]:
    reader = Reader(client)
    guard_rules = rules(options)
    unusable: list[dict[str, Any]] = []
    why: dict[str, list[str]] = {}
    dns: dict[str, str] = {}

    def candidate(dn: str, reason: str) -> None:
        dns.setdefault(dn_key(dn), dn)
        why.setdefault(dn_key(dn), []).append(reason)

    for dn in options["objects"]:
        candidate(dn, "named in objects")
    for text in options["agent_configs"]:
        for name, reason in agent_config.accounts(text):
            dn = name if "=" in name else _by_logon_name(client, name)
            if dn is None:
                unusable.append({"name": name, "found_by": [reason], "msg": "no such account in this domain"})
            else:
                candidate(dn, reason)
    patterns = objects.compiled("spn_patterns", options["spn_patterns"])
    with_spn = "(&(objectCategory=person)(objectClass=user)(servicePrincipalName=*))"
    for entry in client.search(with_spn, ["servicePrincipalName"]) if patterns else ():
        for spn in entry.texts("servicePrincipalName"):
            for pattern in patterns:
                if pattern.search(spn):
                    candidate(entry.dn, f"servicePrincipalName {spn} matches {pattern.pattern}")

    found = []
    for key, dn in dns.items():
        try:
            entries, missing = reader.entries([dn])
        except OffboardError as exc:  # one typo, or one name of another domain, hides none of the others
            if exc.code not in _NAMES_NOTHING:
                raise
            unusable.append({"name": dn, "found_by": why[key], "msg": exc.msg})
            continue
        if missing:
            unusable.append({"name": dn, "found_by": why[key], "msg": "no such object"})
            continue
        try:
            item = reader.describe(entries)[0]
        except OffboardError as exc:
            if exc.code != "unsupported_class":
                raise
            unusable.append({"name": dn, "found_by": why[key], "msg": exc.msg})
            continue
        stops = objects.refusals([item], "delete", guard_rules, now())
        shown = {name: value for name, value in item.state.items() if name != "attributes"}
        found.append({"dn": item.id, **shown, "found_by": why[key], "removal_refusals": [stop.to_dict() for stop in stops]})
    return {"objects": found, "unusable": unusable, "directory": client.root.text("defaultNamingContext") or ""}


def _by_logon_name(client: Client, name: str) -> str | None:
    """The DN of a userPrincipalName, or of `DOMAIN\\user` and `user`."""
    attribute = "userPrincipalName" if "@" in name else "sAMAccountName"
    return next((entry.dn for entry in client.search(equals(attribute, name.rpartition("\\")[2]), ["objectClass"])), None)
