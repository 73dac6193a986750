# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of long work, for the action plugin to show: done, total, present rate, time left at that rate."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from .._core.plain import line
from .files import append_records

#: The rate is that of so many seconds: a service takes a burst first and less then, which the mean of the whole time would not show for long.
_WINDOW_SECONDS = 60.0
_SAMPLE_SECONDS = 1.0


class Progress:
    """Counts finished objects and reports at most once every `interval` seconds to a JSON-lines file. total: None where nobody knows it before.

    Without a file (module called without its action plugin) it only counts.
    """

    def __init__(self, path: str | None, noun: str, total: int | None, interval: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._noun, self._total, self._interval, self._clock = path, noun, total, interval, clock
        self._last = clock()
        self.done = 0
        #: how much was done when; the first is where the window begins
        self._samples = deque([(self._last, 0)])

    def add(self, count: int = 1) -> None:
        """`count` more objects are finished."""
        self.done += count
        now = self._clock()
        if now - self._samples[-1][0] >= _SAMPLE_SECONDS:
            self._samples.append((now, self.done))
        if now - self._last >= self._interval or self.done == self._total:
            self.report()

    def _rate(self, now: float) -> float:
        # two stay, so that a pause longer than the window lowers the rate and does not make it unknown
        while len(self._samples) > 2 and self._samples[1][0] <= now - _WINDOW_SECONDS:
            self._samples.popleft()
        since, done = self._samples[0]
        return (self.done - done) / (now - since) if now > since else 0.0

    def report(self, doing: str = "") -> None:
        """Write the present state now; `doing` says what is being waited for."""
        self._last = self._clock()
        if self._path is None:
            return
        rate = self._rate(self._last)
        left = (self._total - self.done) / rate if rate > 0 and self._total is not None else None
        record = {
            "noun": self._noun,
            "done": self.done,
            "total": self._total,
            "per_second": round(rate, 2),
            "seconds_left": left and round(left),
        }
        append_records(self._path, [{**record, "doing": line(doing)} if doing else record])
