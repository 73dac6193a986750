# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export of IIJ ID holds, and whether it is worth another one. Pure."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from ..._core import phrases
from ..._core.errors import OffboardError
from ..._core.heads import some
from ..._core.model import Change, Object
from ..._core.plain import to_json
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._core.spreadsheet import BOM, cell
from .attributes import attribute

KIND = "iij_id_export"
USERS, GROUPS, SERVICE, PEOPLE = "users.jsonl", "groups.jsonl", "service.json", "users.csv"
#: the first columns; what else the users have comes after them
_COLUMNS = ("id", "userName", "externalId", "active", "name.familyName", "name.givenName", "displayName", "emails", "phoneNumbers", "groups")


#: Bytes of a file before it is encrypted, which takes some nine times that in memory; the next ones are called users-2.jsonl and so on.
PART = 2_000_000


class Kept(Protocol):
    """Users or groups in the order of their ids."""

    def __len__(self) -> int:
        """How many there are."""

    def lines(self) -> Iterator[str]:
        """Each as JSON on a line."""

    def each(self) -> Iterator[dict[str, Any]]:
        """The same, read again from the beginning each time."""

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The one with that id."""


@dataclass(frozen=True)
class ExportedLists:
    """What the service gave: users and groups, what it says of itself, and whether the lists are whole.

    cut: groups that lack members whom the users name. unchecked: groups of which nothing tells whether they do.
    """

    users: Kept
    groups: Kept
    service: Mapping[str, Any] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def files(found: ExportedLists) -> Iterator[tuple[str, bytes]]:
    """Names and contents, one at a time; the same for the same data."""
    yield from _parts(GROUPS, b"", (line.encode() for line in found.groups.lines()))
    yield SERVICE, (to_json(found.service, indent=2, sort_keys=True) + "\n").encode()
    yield from table(found)
    yield from _parts(USERS, b"", (line.encode() for line in found.users.lines()))


def _parts(name: str, head: bytes, lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Files of PART bytes at most, unless a single line has more; each begins with `head`."""
    stem, dot, ending = name.rpartition(".")
    number, part = 1, bytearray(head)
    for line in lines:
        if len(part) + len(line) > PART and len(part) > len(head):
            yield name if number == 1 else f"{stem}-{number}{dot}{ending}", bytes(part)
            number, part = number + 1, bytearray(head)
        part += line
    yield name if number == 1 else f"{stem}-{number}{dot}{ending}", bytes(part)


def digest(contents: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 of the names and contents, in their order."""
    made = hashlib.sha256()
    for name, content in contents:
        made.update(f"{name}\0{len(content)}\0".encode() + content)
    return made.hexdigest()


def table(found: ExportedLists) -> Iterator[tuple[str, bytes]]:
    """The users for people: one row each, for Excel. Of what has several values the primary or first one; groups by name; lists whole."""

    @lru_cache(10_000)
    def called(identity: str) -> str:
        group = found.groups.get(identity)
        return "" if group is None else str(attribute(group, "displayName") or identity)

    keys = dict.fromkeys(key for user in found.users.each() for key in _keys(user))
    prefixes = _prefixes({name for name, _inner in keys})
    columns: dict[str, str] = {}
    for column in (*_COLUMNS, *(_column(name, inner, prefixes) for name, inner in keys)):
        columns.setdefault(column.casefold(), column)
    rows = (_row(user, called, prefixes) for user in found.users.each())
    yield from _parts(PEOPLE, BOM.encode() + _line(columns.values()), (_line([row.get(column, "") for column in columns]) for row in rows))


def _line(values: Iterable[str]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow(map(cell, values))
    return stream.getvalue().encode()


def _keys(user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What has a column: name, and the name inside of it (empty without one)."""
    for name, value in user.items():
        if name.casefold() not in ("schemas", "meta"):
            yield from ((name, inner) for inner in value) if isinstance(value, Mapping) else [(name, "")]


def _column(name: str, inner: str, prefixes: Mapping[str, str]) -> str:
    return f"{prefixes.get(name.casefold(), name)}.{inner}" if inner else name


def _prefixes(names: Iterable[str]) -> dict[str, str]:
    """A short prefix for each extension; its whole URN where two would have the same. Both of IIJ's end in enterprisejp:2.0:User."""
    urns = sorted({name.casefold(): name for name in sorted(names, reverse=True) if name.casefold().startswith("urn:")}.values())
    short = {urn: f"{parts[1]}.{parts[-3]}" if len(parts := urn.split(":")) > 4 else urn for urn in urns}
    shared = Counter(prefix.casefold() for prefix in short.values())
    return {urn.casefold(): urn if shared[prefix.casefold()] > 1 else prefix for urn, prefix in short.items()}


def _row(user: Mapping[str, Any], called: Callable[[str], str], prefixes: Mapping[str, str]) -> dict[str, str]:
    row: dict[str, str] = {}
    for name, inner in _keys(user):
        value = user[name]
        if name.casefold() == "groups" and isinstance(value, list):
            column, shown = "groups", "; ".join(_group(item, called) for item in value)
        else:
            column, shown = _column(name, inner, prefixes).casefold(), _shown(value[inner] if inner else value)
        # "a.b" beside "a" with a "b", or one name in two cases: none takes the other's place
        row[column] = "; ".join(filter(None, (row.get(column), shown)))
    return row


def _group(item: Any, called: Callable[[str], str]) -> str:
    if not isinstance(item, Mapping):
        return _shown(item)
    identity = str(attribute(item, "value") or "")
    return called(identity) or str(attribute(item, "display") or identity)


def _shown(value: Any) -> str:
    """A value on one line: of several with a value of their own the primary or first one."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and "value" in map(str.casefold, item) for item in value):
        return _shown(attribute(next((item for item in value if attribute(item, "primary") is True), value[0]), "value"))
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def plan(current: Iterable[Object], path: str, found: ExportedLists, content_sha256: str) -> Plan:
    """A new export where the newest one holds something else. None takes the place of another: each lies in a folder of its own.

    current: the newest export, if there is one. Raises OffboardError `export_incomplete` for lists that are not whole where there is a whole export.
    """
    newest = next((item for item in current if item.id == path), None)
    after = {"users": len(found.users), "groups": len(found.groups), "complete": not found.incomplete, "content_sha256": content_sha256}
    if found.incomplete and newest is not None and newest.state["complete"]:
        raise incomplete(found, f"The export in {path} stays as it is: it was whole.")
    told = [f"{some(found.cut)}: the service leaves out members whom users name; see groups.jsonl beside users.jsonl."] if found.cut else []
    if found.unchecked:
        told.append(
            f"{some(found.unchecked)}: nothing tells whether all their members came, since the service shows of no user which groups they are in. Compare with "
            "the console's own list of group members."
        )
    if newest is not None and not found.incomplete and newest.state == after:
        return Plan(unchanged=1, warnings=told)
    action = "create" if newest is None else "update"
    undo = phrases.english("undo_folder", path=path)
    return Plan(changes=Spool([Change(KIND, path, "IIJ ID", action, None if newest is None else dict(newest.state), after, undo=undo)]), warnings=told)


def incomplete(found: ExportedLists, kept: str, record: Mapping[str, Any] | None = None) -> OffboardError:
    """`export_incomplete`, with what becomes of the files, and what is recorded of those that were written."""
    return OffboardError(
        f"The lists of {' and '.join(found.incomplete)} were never whole: they changed while they were read, or the service counts otherwise than it "
        f"sends. {kept} "
        "Run it again when nobody changes users or groups, perhaps with another page_size.",
        code="export_incomplete",
        details={"lists": list(found.incomplete), **(record or {})},
    )
