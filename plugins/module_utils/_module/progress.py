# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of long work, for the action plugin to show: done, total, rate, time left."""

from __future__ import annotations

import time
from collections.abc import Callable

from .._core.plain import line
from .files import append_records


class Progress:
    """Counts finished objects and reports at most once every `interval` seconds to a JSON-lines file. total: None where nobody knows it before.

    Without a file (module called without its action plugin) it only counts.
    """

    def __init__(self, path: str | None, noun: str, total: int | None, interval: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._noun, self._total, self._interval, self._clock = path, noun, total, interval, clock
        self._start = self._last = clock()
        self.done = 0

    def add(self, count: int = 1) -> None:
        """`count` more objects are finished."""
        self.done += count
        if self._clock() - self._last >= self._interval or self.done == self._total:
            self.report()

    def report(self, doing: str = "") -> None:
        """Write the present state now; `doing` says what is being waited for."""
        self._last = self._clock()
        if self._path is None:
            return
        elapsed = self._last - self._start
        rate = self.done / elapsed if elapsed > 0 else 0.0
        left = (self._total - self.done) / rate if rate > 0 and self._total is not None else None
        record = {
            "noun": self._noun,
            "done": self.done,
            "total": self._total,
            "per_second": round(rate, 2),
            "seconds_left": left and round(left),
        }
        append_records(self._path, [{**record, "doing": line(doing)} if doing else record])
