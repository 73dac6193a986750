# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""directory_object: carrying out and verifying what plan.py decides, and bringing saved objects back."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._core import guard, journal, phrases
from ..._core.dn import Name, extended
from ..._core.dn import key as dn_key
from ..._core.errors import NotExact, OffboardError
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.names import uuid
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._core.text import counted
from ..._module import waiting
from ..._module.files import read_journal, read_lines, write_atomically
from ..._module.runner import Record, Resource
from ..client import Client, equals
from ..connection import Connection
from ..known import remembered
from ..values import ACCOUNT_DISABLED, Entry, guid, guid_bytes
from . import plan as objects
from . import saved
from .options import Options
from .read import ACT_ON_BEHALF, DELEGATE_TO, Reader


class DirectoryObjects(Resource):
    """The objects of one task."""

    noun = "directory objects"
    kinds = (objects.KIND,)

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._reader = Reader(client)
        self._now = datetime.datetime.now(datetime.UTC)
        self._wanted: list[str] = []
        self._objects: dict[str, Object] = {}
        self._every_copy: list[saved.SavedCopy] = []
        self._copies: dict[str, saved.SavedCopy] = {}
        self._not_meant: list[Refusal] = []
        self._nothing: list[str] = []
        self._never_seen: list[str] = []
        self._removed: list[str] = []
        self._made: dict[str, str] = {}
        self._saved: dict[str, str] = {}

    def read(self) -> Iterator[Object]:
        """The wanted objects that exist."""
        names = self._options.names
        entries, missing = self._reader.entries(names)
        present = self._options.state == "present"
        if present or (self._options.backup_dir and any(name.guid for name in missing)):
            self._every_copy = self._load_copies(must_be_there=present)
        entries, missing = self._made_anew(entries, missing)
        self._remember(names, entries, missing)
        if present:
            missing = self._choose_copies(entries, missing)
        self._wanted = [*(entry.dn for entry in entries), *(name.dn or str(name) for name in missing)]
        yield from self._reader.describe(entries)

    def _made_anew(self, entries: Sequence[Entry], missing: Iterable[Name]) -> tuple[list[Entry], list[Name]]:
        """What a confirmed objectGUID has become by a restoration, and a refusal for who else has its name."""
        found, lost = list(entries), []
        for name in missing:
            copies = [copy for copy in self._every_copy if copy.guid == name.guid]
            dn = name.dn or (copies[0].dn if copies else "")
            there = self._reader.entry(Name(dn)) if name.guid and dn else None
            if there is None:
                lost.append(name)
            elif any(dn_key(copy.dn) == dn_key(there.dn) and copy.is_origin_of(there) for copy in copies):
                found.append(there)
            else:
                self._not_meant.append(objects.other_object(Name(there.dn, name.guid), there, ""))
        return found, lost

    def _remember(self, names: Iterable[Name], entries: Sequence[Entry], missing: Sequence[Name]) -> None:
        """A name that the snapshot, or this run folder's journal, has for another object was not confirmed for the one that has it now."""
        earlier = self._known_before()
        ever = earlier.keys() | _add_from_journal(earlier, self._options.journal) | {known for known, _why in earlier.values()}
        ever |= {text for copy in self._every_copy for text in (dn_key(copy.dn), copy.guid)}
        self._not_meant += _others(entries, {dn_key(name.dn) for name in names if not name.guid}, earlier)
        known = entries or self._not_meant or any({dn_key(name.dn), name.guid} & ever for name in missing)
        if self._options.journal and missing and not known:
            self._nothing = [str(name) for name in missing]
        if self._options.state in ("absent", "disabled"):
            self._check_spelling(name.dn for name in missing if not name.guid and dn_key(name.dn) not in ever)
        if self._options.state == "absent" and self._options.journal:
            self._never_seen = [str(name) for name in missing if not {dn_key(name.dn), name.guid} & ever]
        self._not_meant += self._moved(missing, earlier)

    def _check_spelling(self, dns: Iterable[str]) -> None:
        """Raises NotExact."""
        for dn in dns:
            if near := [there.dn for there in self._reader.spelled_alike(dn) if not self._was_removed(dn, there)]:
                msg = f"{dn} does not exist, but {'; '.join(near)} does. Give the DN of the one that is meant, or the objectGUID of the one that is gone"
                raise NotExact(msg, [{"dn": there} for there in near])

    def _was_removed(self, dn: str, there: Entry) -> bool:
        """Whether the saved copy of what had the DN shows that it was another object than the one that is there."""
        if self._options.backup_dir and not self._every_copy:
            self._every_copy = self._load_copies(must_be_there=False)
        copies = [copy for copy in self._every_copy if dn_key(copy.dn) == dn_key(dn)]
        guids = {guid(data) for data in there.raw("objectGUID")}  # none where the account may not read it: then nothing is shown
        same = {*guids, (there.text("sAMAccountName") or "").casefold()}
        return bool(copies and guids) and same.isdisjoint(text for copy in copies for text in (copy.guid, copy.name.casefold()))

    def _moved(self, missing: Iterable[Name], earlier: Mapping[str, tuple[str, str]]) -> Iterator[Refusal]:
        """Whose object has another name now."""
        for name in missing:
            meant = earlier.get(dn_key(name.dn)) if not name.guid else None
            if meant and (there := self._client.read("", guid=meant[0])):
                yield objects.moved(Name(name.dn, meant[0]), there, f" ({meant[1]})")

    def _known_before(self) -> dict[str, tuple[str, str]]:
        """By the name that the option `known` has for an object: its objectGUID, and how that is known. Raises OffboardError `bad_option`."""
        earlier: dict[str, tuple[str, str]] = {}
        for item in remembered(self._options.known):
            if not item.get("dn") or not item.get("objectGUID"):
                raise OffboardError("known: each object needs dn and objectGUID, as directory_object_info returns it", code="bad_option")
            earlier.setdefault(dn_key(str(item["dn"])), (uuid(str(item["objectGUID"])), "it was known by that name"))
        return earlier

    def _load_copies(self, *, must_be_there: bool) -> list[saved.SavedCopy]:
        """All saved copies, the oldest first. Which is older is in the copies themselves."""
        folder = self._options.backup_dir
        copies = []
        try:
            for name in sorted(os.listdir(folder)):
                if name.endswith(".ldif"):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as stream:
                        copies.append(saved.read(stream.read(), path))
        except FileNotFoundError as exc:
            if must_be_there:
                raise OffboardError(f"backup_dir: cannot read the saved copies in {folder}: {exc}", code="file_read_failed") from exc
        except (OSError, UnicodeDecodeError) as exc:
            raise OffboardError(f"backup_dir: cannot read the saved copies in {folder}: {exc}", code="file_read_failed") from exc
        return sorted(copies, key=lambda copy: copy.saved_at)

    def _choose_copies(self, entries: Iterable[Entry], missing: Iterable[Name]) -> list[Name]:
        """The newest copy of each object, by the DN that it has or shall have. Returns the missing ones by that DN."""
        self._choose_for_those_there(entries)
        named = []
        for name in missing:
            at_name = [copy for copy in self._every_copy if dn_key(copy.dn) == dn_key(name.dn)]
            of_object = {(dn_key(copy.dn), copy.name) for copy in self._every_copy if copy.guid == name.guid}
            # made anew it has another objectGUID, and may have been removed once more
            mine = [copy for copy in self._every_copy if (dn_key(copy.dn), copy.name) in of_object] if name.guid else at_name
            if mine:
                self._copies[dn_key(mine[-1].dn)] = mine[-1]
            named.append(Name(mine[-1].dn) if mine else name)
        return named

    def _choose_for_those_there(self, entries: Iterable[Entry]) -> None:
        """A copy of another object that had the name is refused."""
        for entry in entries:
            own = guid(entry.raw("objectGUID")[0])
            at_name = [copy for copy in self._every_copy if dn_key(copy.dn) == dn_key(entry.dn)]
            mine = [copy for copy in self._every_copy if copy.guid == own] + [copy for copy in at_name if copy.is_origin_of(entry)]
            if mine:
                self._copies[dn_key(entry.dn)] = max(mine, key=lambda copy: copy.saved_at)
            elif at_name:
                self._not_meant.append(objects.other_object(Name(entry.dn, at_name[-1].guid), entry, " (whose copy was saved)"))

    def plan(self, current: Iterable[Object]) -> Plan:
        self._objects = {dn_key(item.id): item for item in current}
        copies = {key: self._as_it_is_now(copy, self._objects[key].id if key in self._objects else copy.dn) for key, copy in self._copies.items()}
        before = self._disabled_before() if self._options.only_disabled else []
        others = {item.id for item in before}
        plan = objects.plan([dn for dn in self._wanted if dn not in others], self._objects, self._options.state, copies)
        plan.leave_disabled(before)
        plan.warnings += [phrases.english("never_seen", dn=dn) for dn in self._never_seen]
        return plan

    def _disabled_before(self) -> list[Object]:
        """Those that are disabled, and not by a task with the same journal."""
        here = map(Change.from_dict, journal.disabled_last(read_journal(self._options.journal) if self._options.journal else (), objects.KIND))
        mine = {key for change in here for key in (dn_key(change.id), objects.guid_of(change))}
        return [item for key, item in self._objects.items() if item.state["enabled"] is False and mine.isdisjoint({key, item.state["objectGUID"]})]

    def _as_it_is_now(self, copy: saved.SavedCopy, dn: str) -> saved.SavedCopy:
        """The copy of the object that is, or shall be, at `dn`, with the names that the other ends of its links have by now."""
        names = {dn_key(copy.dn): dn}
        guids, gone = {}, set()
        current = self._reader.names(copy.guids.values())
        for key, end in copy.ends().items():
            known = copy.guids.get(key)
            if known is None:  # of another domain, or of an older copy
                continue
            if known not in current and (again := self._restored(known)):
                known, current = again[0], {**current, again[0]: again[1]}
            if known in current:
                names[key] = current[known]
                guids[dn_key(current[known])] = known
            else:
                gone.add(dn_key(end))
        links = [saved.SavedLink(names.get(dn_key(link.dn), link.dn), link.attribute, names.get(dn_key(link.value), link.value)) for link in copy.links]
        return replace(copy, dn=dn, links=links, guids=guids, gone=gone)

    def _restored(self, known: str) -> tuple[str, str] | None:
        """The objectGUID and DN of what was made anew of the saved copy with that objectGUID."""
        for copy in self._every_copy:
            there = self._client.read(copy.dn, ("objectGUID", "sAMAccountName", "whenCreated")) if copy.guid == known else None
            if there and copy.is_origin_of(there):
                return guid(there.raw("objectGUID")[0]), there.dn
        return None

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of the wanted objects, what was switched or removed."""
        wanted = {dn_key(dn) for dn in self._wanted}
        mine = {item.state["objectGUID"] for item in self._objects.values() if "objectGUID" in item.state}
        for change in begun:
            if (dn_key(change.id) in wanted or objects.guid_of(change) in mine) and change.action in ("delete", "enable", "disable") and self._seen(change):
                yield change

    def guard(self, plan: Plan) -> list[Refusal]:
        """See `objects.refusals`, and those for names that are other objects' now."""
        result = list(self._not_meant)
        if self._nothing:
            result.append(guard.nothing_known(self._nothing, f"The directory {self._client.root.text('defaultNamingContext')}"))
        for action in ("disable", "delete"):
            items = [self._objects[dn_key(change.id)] for change in plan.changes if change.action == action]
            result += objects.refusals(items, action, self._options.rules, self._now)
        self._removed = [change.id for change in plan.changes if change.action == "delete"]
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
                return {"saved_copy": self._save(change)}
            case "restore":
                return self._restore(self._copies[dn_key(change.id)])
            case _:
                return {}

    def apply(self, change: Change) -> None:
        """The second of two steps."""
        match change.action:
            case "disable" | "enable":
                self._switch(change)
            case "delete":
                self._judged(change)
                self._client.delete(change.id, objects.guid_of(change))
            case _:
                self._complete(change)

    def _guid(self, change: Change) -> str:
        return objects.guid_of(change) or self._made.get(dn_key(change.id), "")

    def _present(self, change: Change) -> Entry:
        """The object that the change is for, under its objectGUID. Raises OffboardError `not_found`, `changed_since_read`."""
        entry = self._client.read(change.id, descriptor=True, guid=self._guid(change))
        if entry is None:
            raise OffboardError(f"{change.id} has disappeared since it was read; run the task again", code="not_found")
        if dn_key(entry.dn) != dn_key(change.id):
            raise OffboardError(f"{change.id} has become {entry.dn} since it was read; look at both, and run the task again", code="changed_since_read")
        return entry

    def _judged(self, change: Change) -> Entry:
        """The object as it is now, which the guards let pass once more. Raises OffboardError `changed_since_read`."""
        entry = self._present(change)
        if stops := list(objects.refusals(self._reader.describe([entry], again=True), change.action, self._options.rules, self._now, self._removed)):
            raise OffboardError(
                f"it is no longer as it was when the plan was made: {' '.join(stop.msg for stop in stops)} Run the task again",
                code="changed_since_read",
                details={"refusals": [stop.to_dict() for stop in stops]},
            )
        return entry

    def _switch(self, change: Change) -> None:
        enabled = change.action == "enable"
        entry = self._present(change) if enabled else self._judged(change)
        control = entry.number("userAccountControl") or 0
        control = control & ~ACCOUNT_DISABLED if enabled else control | ACCOUNT_DISABLED
        self._client.modify(change.id, objects.guid_of(change), [("replace", "userAccountControl", [str(control).encode()])], "Write userAccountControl")

    def _save(self, change: Change) -> str:
        """Write the saved copy; returns its path. Raises OffboardError `file_write_failed`: nothing is deleted without a copy."""
        entry = self._judged(change)
        item = self._reader.describe([entry])[0]
        links = [saved.SavedLink(group, "member", entry.dn) for group in item.state["memberOf"]]
        links += [saved.SavedLink(entry.dn, "member", member) for member in item.state["member"]]
        links += [
            saved.SavedLink(other, name, entry.dn)
            for name, others in item.state["referenced_by"].items()
            if name not in (ACT_ON_BEHALF, DELEGATE_TO)  # these outlive the object
            for other in others
        ]
        guids = self._reader.guids(dn for link in links for dn in (link.dn, link.value) if dn != entry.dn)
        at = datetime.datetime.now(datetime.UTC)
        path = os.path.join(self._options.backup_dir, saved.file_name(entry, at))
        write_atomically(path, saved.make(entry, self._reader.schema([entry]), links, at, guids).encode(), overwrite=False)
        self._saved[change.id] = path
        return path

    def _restore(self, copy: saved.SavedCopy) -> dict[str, Any]:
        """Bring the object itself back; whether it kept its SID, and which one it is."""
        deleted = self._deleted(copy.guid)
        if deleted is not None:
            self._client.undelete(deleted, copy.dn)
            own = copy.guid
            self._set(copy.dn, own, copy.restorable)
        else:
            self._client.add(copy.dn, dict(copy.attributes))
            made = self._client.read(copy.dn, ("objectGUID",))
            if made is None:
                raise OffboardError(f"{copy.dn} has disappeared since it was made; run the task again", code="not_found")
            own = guid(made.raw("objectGUID")[0])
        self._made[dn_key(copy.dn)] = own
        return {"sid_kept": deleted is not None, "objectGUID": own}

    def _set(self, dn: str, own: str, attributes: Mapping[str, list[bytes]]) -> None:
        if attributes:
            self._client.modify(dn, own, [("replace", name, values) for name, values in attributes.items()], "Write on these attributes")

    def _deleted(self, own: str) -> str | None:
        """The DN of the deleted object with that objectGUID; None when it is gone for good, or this account may not see it."""
        try:
            query = equals("objectGUID", guid_bytes(own))
            return next((entry.dn for entry in self._client.search(f"(&(isDeleted=TRUE){query})", ["objectGUID"], deleted=True)), None)
        except OffboardError as exc:
            if exc.code != "cannot_read":
                raise
            return None

    def _complete(self, change: Change) -> None:
        dn, own = change.id, self._guid(change)
        item = self._reader.describe([self._present(change)])[0]
        copy = self._as_it_is_now(self._copies[dn_key(dn)], dn)
        self._set(dn, own, objects.missing_attributes(item, copy))
        known = {**copy.guids, dn_key(dn): own}
        failures = []
        for link in objects.missing_links(item, copy):
            if {dn_key(link.dn), dn_key(link.value)} & set(copy.gone):
                failures.append(f"{link.text}: the other object is there no more, or this account may not see it")
                continue
            value = extended(known[dn_key(link.value)]) if dn_key(link.value) in known else link.value
            try:
                self._client.modify(link.dn, known.get(dn_key(link.dn), ""), [("add", link.attribute, [value.encode()])], f"Write {link.attribute}")
            except OffboardError as exc:
                failures.append(f"{link.text}: {exc.msg}")
        if failures:
            raise OffboardError(
                f"{dn} is back, but {counted(len(failures), 'of its links is', 'of its links are')} not: {'; '.join(failures[:10])}. "
                "Running the task again tries them again",
                code="links_not_restored",
            )

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read each changed object again until it is as planned."""
        late = {change.key: change for change in applied if not self._seen(change)}  # of many objects few are, and only these are kept in memory

        def shown(keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
            return {key for key in keys if self._seen(late[key])}

        # one read each: the domain controller that was changed is asked, and no other copy
        for key in waiting.not_shown(late, shown, self._options.verify_timeout, agreeing=waiting.ONE_READ):
            msg = f"{late[key].action} was accepted, but {late[key].id} does not show it after {self._options.verify_timeout} s"
            yield Outcome(late[key], "failed", "not_seen", msg)

    def _seen(self, change: Change) -> bool:
        entry = self._client.read(change.id, ("userAccountControl", "objectClass"), guid=self._guid(change))
        match change.action:
            case "delete":
                return entry is None
            case "enable" | "disable":
                disabled = bool((entry.number("userAccountControl") or 0) & ACCOUNT_DISABLED) if entry else None
                return disabled is (change.action == "disable")
            case _:
                if entry is None:
                    return False
                item, copy = self._reader.describe([self._present(change)])[0], self._as_it_is_now(self._copies[dn_key(change.id)], change.id)
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
        self._client.close()


def _others(entries: Iterable[Entry], given: Collection[str], earlier: Mapping[str, tuple[str, str]]) -> Iterator[Refusal]:
    """Who has the name by which another one was confirmed. given: names (`dn_key`) that were given without an objectGUID."""
    for entry in entries:
        meant = earlier.get(dn_key(entry.dn)) if dn_key(entry.dn) in given else None
        if meant and meant[0] != guid(entry.raw("objectGUID")[0]):
            yield objects.other_object(Name(entry.dn, meant[0]), entry, f" ({meant[1]})")


def _add_from_journal(meant: dict[str, tuple[str, str]], path: str | None) -> set[str]:
    """The objectGUID that each DN had when this run folder's tasks last changed it, by `dn_key`, and in words what they did. Returns all DNs and GUIDs there.

    A name is confirmed for weeks (disabled first, then removed); what has it by then may be another object.
    """
    ever: set[str] = set()
    given_up: dict[str, tuple[str, str]] = {}
    for line in read_lines(path) if path else ():
        if b'"kind":"directory_object"' not in line:
            continue
        try:
            record = json.loads(line)
            key, did = dn_key(record["id"]), f"the journal has its {record['action']} of {record['at']}"
            own = _guid_in(record)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # cut off by a kill, or no line of ours
            continue
        ever |= {key, own} if isinstance(own, str) and own else {key}
        if isinstance(own, str) and own:
            meant[key] = own, did
        elif record["action"] == "restore" and journal.came_to_nothing(record):
            meant |= {key: given_up[key]} if key in given_up else {}
        elif record["action"] == "restore" and key in meant:  # from here on it may be one made anew
            given_up[key] = meant.pop(key)
    return ever


def _guid_in(record: Mapping[str, Any]) -> str:
    """The objectGUID in a record of the journal: an intent's, or what a restoration has made."""
    return (record.get("before") or {}).get("objectGUID") or (record.get("details") or {}).get("objectGUID") or ""


def make(params: Mapping[str, Any], check_mode: bool) -> DirectoryObjects:
    options = Options.of(params)
    return DirectoryObjects(Client(Connection.from_params(params), read_only=check_mode), options)
