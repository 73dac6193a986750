# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of 100,000 users, in some bytes each: marks instead of strings and objects."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator


def mark(*parts: str | None) -> int:
    """64 bits that stand for `parts`. Two of 100,000 users share one with a probability of 3 in 10,000,000,000."""
    text = "\0".join("" if part is None else f"={part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Marks:
    """A set of marks, 8 bytes each; made once."""

    def __init__(self, marks: Iterable[int] = ()) -> None:
        found = array("Q", marks)
        self._marks = array("Q", sorted(found))

    def place(self, one: int) -> int | None:
        """Where `one` lies, None when it is not there. Places are numbers from 0, in the order of iteration."""
        place = bisect_left(self._marks, one)
        return place if place < len(self._marks) and self._marks[place] == one else None

    def __contains__(self, one: int) -> bool:
        return self.place(one) is not None

    def __len__(self) -> int:
        return len(self._marks)

    def __iter__(self) -> Iterator[int]:
        return iter(self._marks)
