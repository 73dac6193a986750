# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first objects of each kind, for an answer that has room for so many: a thousand of one kind hide none of another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from .plan import ANSWER_LIMIT

_T = TypeVar("_T")


class Heads(Generic[_T]):
    """Keeps at most `limit` objects of each kind, whatever comes."""

    def __init__(self, limit: int = ANSWER_LIMIT) -> None:
        self._limit = limit
        self._kept: dict[str, list[_T]] = {}

    def add(self, kind: str, item: _T) -> None:
        """One more; beyond the limit it is not kept."""
        kept = self._kept.setdefault(kind, [])
        if len(kept) < self._limit:
            kept.append(item)

    def of(self, kind: str) -> Sequence[_T]:
        """Those kept of a kind."""
        return self._kept.get(kind, ())

    def rows(self, order: Iterable[str] = (), limit: int | None = None) -> list[_T]:
        """At most `limit` of all kinds, those of `order` first. What small kinds leave free is shared by the large ones."""
        share = shares({kind: len(kept) for kind, kept in self._kept.items()}, self._limit if limit is None else limit)
        kinds = dict.fromkeys([*(kind for kind in order if kind in self._kept), *self._kept])
        return [item for kind in kinds for item in self._kept[kind][: share[kind]]]


def shares(sizes: Mapping[str, int], limit: int) -> dict[str, int]:
    """How many of each kind are shown where there is room for `limit`: as many of each as of the others, unless it has fewer."""
    left, made = limit, {}
    for number, (kind, size) in enumerate(sorted(sizes.items(), key=lambda item: item[1])):
        made[kind] = min(size, left // (len(sizes) - number))
        left -= made[kind]
    return made


def few(names: Sequence[str], count: int, limit: int = 10) -> str:
    """The first names, and how many of `count` are not named here."""
    shown = ", ".join(names[:limit])
    more = count - min(len(names), limit)
    return f"{shown} (+{more})".lstrip() if more > 0 else shown


def some(names: Iterable[str], limit: int = 10, between: str = ", ") -> str:
    """The first of several names, once each, and how many more there are."""
    listed = list(dict.fromkeys(names))
    more = len(listed) - limit
    return between.join(listed[:limit]) + (f" (+{more})" if more > 0 else "")


def sentences(told: Iterable[str], most: int = 10_000) -> list[str]:
    """The first sentences, once each, that have room in so many bytes of JSON; the last of them with how many more there are."""
    listed = list(dict.fromkeys(told))
    shown = listed[: max(sum(size <= most for size in accumulate(len(json.dumps(one)) for one in listed)), 1)]
    return [*shown[:-1], f"{shown[-1]} (+{len(listed) - len(shown)})"] if len(shown) < len(listed) else listed
