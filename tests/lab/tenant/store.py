# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant's objects: in memory, with every change appended to a journal on disk.

The state is the fixture plus the journal: a restart makes the fixture again (it is the same every time) and
replays the journal. A line that a kill cut off was never answered for, and is left out.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import company, names
from .answers import encode

Object = dict[str, Any]

#: how many objects' earlier versions are kept for stale reads on demand
_VERSIONS = 20_000


class Table:
    """Objects of one kind by id, in the order in which they were made."""

    def __init__(self, objects: list[Object] | None = None, key: str = "id") -> None:
        self.key = key
        self.objects: dict[str, Object] = {item[key]: item for item in objects or ()}
        #: only ever grows, so that a page's place in it stays true while objects come and go
        self.order: list[str] = list(self.objects)
        self._known = set(self.order)
        self._pending: dict[str, list[tuple[float, Object | None]]] = {}
        self._previous: OrderedDict[str, Object | None] = OrderedDict()
        #: how often the table was changed, and at which change each object last; for delta queries
        self.changes = 0
        self.changed_at: dict[str, int] = {}
        #: encoded objects by $select and version, for pages at the speed of a join
        self.fragments: dict[tuple[tuple[str, ...] | None, bool], dict[str, bytes]] = {}

    def replace(self, key: str, new: Object | None, delay: float) -> None:
        """Put `new` (None removes) in the place of the object; reads see it after `delay` seconds."""
        old = self.objects.get(key)
        self.changes += 1
        self.changed_at[key] = self.changes
        self._previous[key] = old
        if len(self._previous) > _VERSIONS:
            self._previous.popitem(last=False)
        if delay > 0:
            self._pending.setdefault(key, []).append((time.time() + delay, old))
        if new is None:
            self.objects.pop(key, None)
        else:
            self.objects[key] = new
            if key not in self._known:
                self._known.add(key)
                self.order.append(key)
        for cache in self.fragments.values():
            cache.pop(key, None)

    def settled(self, key: str) -> bool:
        """Whether a read of this object now sees its latest state."""
        return not self._pending or self.visible(key) is self.objects.get(key)

    def visible(self, key: str) -> Object | None:
        """The object as a read sees it now."""
        waiting = self._pending.get(key) if self._pending else None
        if waiting:
            now = time.time()
            for until, old in waiting:
                if until > now:
                    return old
            del self._pending[key]
        return self.objects.get(key)

    def previous(self, key: str) -> Object | None:
        """The object before its latest write; its present state when it was never written."""
        return self._previous[key] if key in self._previous else self.objects.get(key)

    def __iter__(self) -> Iterator[Object]:
        """The objects as reads see them."""
        if not self._pending:
            return iter(list(self.objects.values()))
        return (item for key in list(self.order) if (item := self.visible(key)) is not None)


class Store:
    """All tables of a tenant. `folder` holds `fixture.json` and `journal.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.delay = 0.0
        #: writes are answered, and nothing is kept of them
        self.forgetful = False
        self.audits: list[list[Any]] = []
        #: seats in use by SKU id
        self.consumed: Counter[str] = Counter()
        #: user ids by userPrincipalName, folded
        self.upns: dict[str, str] = {}
        self.tables: dict[str, Table] = {}
        self._lines: list[bytes] = []
        folder.mkdir(parents=True, exist_ok=True)
        meta_file = folder / "fixture.json"
        meta = json.loads(meta_file.read_text()) if meta_file.exists() else {}
        if meta.get("company") == _company_hash():
            self._make(company.Fixture(**meta["fixture"]))
            self._replay()
            self._journal = open(folder / "journal.jsonl", "ab", buffering=0)  # noqa: SIM115 - open as long as the store
        else:
            self.reset(company.Fixture())

    def _make(self, fixture: company.Fixture) -> None:
        self.fixture = fixture
        tables = company.tenant_tables(fixture)
        self.audits = tables.pop("audits")
        self.tables = {name: Table(items, "_domain" if name == "federations" else "id") for name, items in tables.items()}
        for name in (
            "deleted_groups",
            "deleted_applications",
            "deleted_service_principals",
            "external_federations",
            "cross_tenant_access",
            "invitations",
            "access_passes",
            "sign_ins",
            "registrations",
        ):
            self.tables[name] = Table()
        self.upns = {item["userPrincipalName"].casefold(): key for key, item in self.tables["users"].objects.items()}
        self.consumed = Counter(licence["skuId"] for item in self.tables["users"].objects.values() for licence in item["assignedLicenses"])

    def reset(self, fixture: company.Fixture) -> None:
        """Back to a fixture; forgets the journal."""
        if hasattr(self, "_journal"):
            self._journal.close()
        self._lines.clear()
        (self.folder / "fixture.json").unlink(missing_ok=True)
        self._journal = open(self.folder / "journal.jsonl", "wb", buffering=0)  # noqa: SIM115 - open as long as the store
        self._make(fixture)
        (self.folder / "fixture.json").write_text(json.dumps({"company": _company_hash(), "fixture": vars(fixture)}))

    def _replay(self) -> None:
        file = self.folder / "journal.jsonl"
        whole = 0
        with open(file, "rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._apply(json.loads(line))
                whole += len(line)
        with open(file, "r+b") as journal:
            journal.truncate(whole)

    def _apply(self, record: list[Any]) -> None:
        match record:
            case ["put", table, key, values]:
                self._replace(table, key, self.tables[table].objects.get(key, {}) | values, 0)
            case ["remove", table, key]:
                self._replace(table, key, None, 0)
            case ["audit", entry]:
                self.audits.append(entry)

    def _replace(self, table: str, key: str, new: Object | None, delay: float) -> None:
        if table == "users":
            self.upns.pop((self.tables[table].objects.get(key) or {}).get("userPrincipalName", "").casefold(), None)
            if new is not None:
                self.upns[new["userPrincipalName"].casefold()] = key
            old = self.tables[table].objects.get(key)
            self.consumed.subtract(item["skuId"] for item in (old or {}).get("assignedLicenses", ()))
            self.consumed.update(item["skuId"] for item in (new or {}).get("assignedLicenses", ()))
        self.tables[table].replace(key, new, delay)

    def put(self, table: str, key: str, values: Object) -> Object:
        """Make an object, or change the properties given. Returns the new version; objects are never changed in place."""
        new = self.tables[table].objects.get(key, {}) | values
        if self.forgetful:
            return new
        self._replace(table, key, new, self.delay)
        self._lines.append(encode(["put", table, key, values]))
        return new

    def remove(self, table: str, key: str) -> None:
        if self.forgetful:
            return
        self._replace(table, key, None, self.delay)
        self._lines.append(encode(["remove", table, key]))

    def audit(self, entry: list[Any]) -> None:
        if self.forgetful:
            return
        self.audits.append(entry)
        self._lines.append(encode(["audit", entry]))

    def flush(self) -> None:
        """Hand the changes to the operating system; from here on they survive a kill. Called before an answer goes out."""
        if self._lines:
            self._journal.write(b"\n".join(self._lines) + b"\n")
            self._lines.clear()

    def close(self) -> None:
        self.flush()
        self._journal.close()


def _company_hash() -> str:
    return hashlib.sha256(names.COMPANY.encode() + company.FILE.read_bytes()).hexdigest()
