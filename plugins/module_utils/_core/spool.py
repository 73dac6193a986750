# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of changes that stays small in memory: beyond `in_memory` entries it lies in an unnamed temporary file."""

from __future__ import annotations

import json
import tempfile
import typing
from collections.abc import Iterable, Iterator

from .model import Change
from .plain import to_json


class Spool:
    """Append and iterate; iterating while appending is not supported."""

    def __init__(self, changes: Iterable[Change] = (), in_memory: int = 1000) -> None:
        self._head: list[Change] = []
        self._limit = in_memory
        self._rest: typing.IO[str] | None = None
        self._length = 0
        for change in changes:
            self.append(change)

    def append(self, change: Change) -> None:
        """Add one change at the end."""
        self._length += 1
        if len(self._head) < self._limit:
            self._head.append(change)
            return
        if self._rest is None:
            self._rest = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - lives as long as the spool
        self._rest.write(to_json(change.to_dict()) + "\n")

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Change]:
        yield from self._head
        if self._rest is not None:
            self._rest.seek(0)
            for line in self._rest:
                yield Change.from_dict(json.loads(line))
            self._rest.seek(0, 2)

    @property
    def head(self) -> list[Change]:
        """The first entries, those kept in memory."""
        return list(self._head)
