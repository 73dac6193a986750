# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resources of SCIM by id, as many as there are: they lie in a temporary database that has no name, and nothing of them in memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.plain import to_json
from .attributes import attribute

#: KiB that the database keeps in memory
_CACHE = 4096


class Resources(Mapping[str, Mapping[str, Any]]):
    """In the order of their ids. Whoever has the same id takes the other's place."""

    def __init__(self, resources: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._base = sqlite3.connect("", isolation_level=None)  # SQLite's own temporary file, which is unlinked once it is open
        for setting in (f"cache_size = -{_CACHE}", "journal_mode = OFF", "synchronous = OFF"):
            self._base.execute(f"PRAGMA {setting}")
        self._base.execute("CREATE TABLE resource (id TEXT PRIMARY KEY, item TEXT) WITHOUT ROWID")
        for item in (resources or {}).values():
            self.put(item)

    def put(self, item: Mapping[str, Any]) -> None:
        """Keep one; it has an `id`."""
        self._base.execute("INSERT OR REPLACE INTO resource VALUES (?, ?)", (attribute(item, "id"), to_json(item, separators=(",", ":"))))

    def clear(self) -> None:
        """Forget all of them."""
        self._base.execute("DELETE FROM resource")

    def __getitem__(self, key: str) -> Mapping[str, Any]:
        try:
            found = self._base.execute("SELECT item FROM resource WHERE id = ?", (key,)).fetchone()
        except UnicodeEncodeError:  # half of a character, which no id has
            found = None
        if found is None:
            raise KeyError(key)
        item: dict[str, Any] = json.loads(found[0])
        return item

    def __iter__(self) -> Iterator[str]:
        yield from (row[0] for row in self._base.execute("SELECT id FROM resource ORDER BY id"))

    def __len__(self) -> int:
        return int(self._base.execute("SELECT count(*) FROM resource").fetchone()[0])

    def lines(self) -> Iterator[str]:
        """Each as JSON on a line, in the same order."""
        yield from (f"{row[0]}\n" for row in self._base.execute("SELECT item FROM resource ORDER BY id"))

    def each(self) -> Iterator[dict[str, Any]]:
        """Each of them, in the same order."""
        yield from map(json.loads, self.lines())
