# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of 100,000 objects, in some bytes each: marks instead of strings and objects."""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from . import names
from .errors import OffboardError


def mark(*parts: str | None) -> int:
    """64 bits that stand for `parts`. Two of 100,000 objects share one with a probability of 3 in 10,000,000,000."""
    text = "\0".join("" if part is None else f"={part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Shard:
    """One of `count` parts of the users, by a hash of the object id that is the same on every machine and in every release."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str | None) -> Shard:
        """From "2/4"; everything without a text. Raises OffboardError `bad_option`."""
        if text is None:
            return cls()
        found = re.fullmatch(r"\s*([0-9]{1,6})\s*/\s*([0-9]{1,6})\s*", text, re.ASCII)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise OffboardError(f"shard is {text!r}, but must be i/n with 1 ≤ i ≤ n, for instance 2/4", code="bad_option")
        return cls(int(found[1]), int(found[2]))

    def __contains__(self, user_id: str) -> bool:
        return self.count == 1 or mark(names.uuid(user_id)) % self.count == self.number - 1


class Marks:
    """A set of marks, 8 bytes each; made once."""

    def __init__(self, marks: Iterable[int] = ()) -> None:
        found = array("Q", marks)
        self._marks = array("Q")
        for top in range(8):  # in parts, because a list of all would take six times the memory
            self._marks.extend(sorted(one for one in found if one >> 61 == top))

    def place(self, one: int) -> int | None:
        """Where `one` lies, None when it is not there. Places are numbers from 0, in the order of iteration."""
        place = bisect_left(self._marks, one)
        return place if place < len(self._marks) and self._marks[place] == one else None

    def place_of(self, one: int) -> int:
        """Where `one` lies. Raises KeyError when it is not there."""
        if (place := self.place(one)) is None:
            raise KeyError(one)
        return place

    def __contains__(self, one: int) -> bool:
        return self.place(one) is not None

    def __len__(self) -> int:
        return len(self._marks)

    def __iter__(self) -> Iterator[int]:
        return iter(self._marks)


class Once:
    """Which texts have come, in 10 to 20 bytes each; two of 100,000 are taken for one as seldom as two marks are."""

    def __init__(self) -> None:
        self._slots, self._count = array("Q", [0]) * 1024, 0

    def is_new(self, text: str) -> bool:
        """Whether it has not come before; from now on it has."""
        new = self._put(hash(text) % 2**64 or 1)
        if new and self._count * 5 > len(self._slots) * 4:
            full = self._slots
            self._slots, self._count = array("Q", [0]) * (2 * len(full)), 0
            for one in full:
                if one:
                    self._put(one)
        return new

    def _put(self, one: int) -> bool:
        slots, last = self._slots, len(self._slots) - 1
        place = one & last
        while there := slots[place]:
            if there == one:
                return False
            place = (place + 1) & last
        slots[place] = one
        self._count += 1
        return True
