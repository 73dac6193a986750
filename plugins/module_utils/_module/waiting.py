# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to wait until reading shows a change, and to be sure that something is not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple, TypeVar

#: How many reads in a row must agree where replicas may differ for a while and what follows builds on the change.
AGREEING_READS = 3
#: Where one read is enough: nothing in the run builds on it, or the read itself settles the matter.
ONE_READ = 1
#: Seconds between two reads, at first.
READ_INTERVAL = 1.0
#: Seconds to look for what a request without an answer may have left behind.
LOST_TIMEOUT = 60.0


class Clock(NamedTuple):
    """Where the seconds come from, and how they pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


#: This machine's. Whoever passes no other waits by it; a test puts one in its place that is moved by waiting.
CLOCK = Clock(time.monotonic, time.sleep)

K = TypeVar("K")
V = TypeVar("V")


def not_shown(
    waiting: Iterable[K],
    shown: Callable[[list[K]], Collection[K]],
    seconds: float,
    *,
    agreeing: int = AGREEING_READS,
    longest_pause: float = 0.0,
    pausing: Callable[[int], None] | None = None,
    clock: Clock | None = None,
) -> list[K]:
    """Read until everything is seen; what is not, at the deadline, in the given order. One that is late hides no other.

    `shown` reads once: it gets what is still waited for, and gives those of it that the read shows. Each must be shown `agreeing` times in a row;
    a read that does not show it lets its count start anew. There is always one read. After `seconds` only a row that has begun is finished: reads
    that are slow, not the change, used up the time. The pause between two reads is READ_INTERVAL and doubles up to `longest_pause` where that is
    longer; `pausing` hears before each how many are waited for.
    What `shown` raises ends the waiting.
    """
    clock = clock or CLOCK
    deadline, pause = clock.now() + seconds, READ_INTERVAL
    counts = dict.fromkeys(waiting, 0)
    late = dict(counts)
    while counts:
        now = shown(list(counts))
        for key in list(counts):
            counts[key] = counts[key] + 1 if key in now else 0
            if counts[key] >= agreeing:
                del counts[key], late[key]
        if clock.now() + pause > deadline:
            counts = {key: count for key, count in counts.items() if count}
        if not counts:
            break
        if pausing is not None:
            pausing(len(counts))
        clock.sleep(pause)
        pause = max(pause, min(2 * pause, longest_pause))
    return list(late)


def is_shown(
    read: Callable[[], bool],
    seconds: float,
    *,
    agreeing: int = AGREEING_READS,
    longest_pause: float = 0.0,
    pausing: Callable[[int], None] | None = None,
    clock: Clock | None = None,
) -> bool:
    """`not_shown` for one single thing: whether `read` was true so many times in a row within the time."""
    late = not_shown([0], lambda waiting: waiting if read() else (), seconds, agreeing=agreeing, longest_pause=longest_pause, pausing=pausing, clock=clock)
    return not late


def insisted(wanted: Iterable[K], read: Callable[[list[K]], Iterable[tuple[K, V]]], *, clock: Clock | None = None) -> Iterator[tuple[K, V]]:
    """What `read` finds of `wanted`, as soon as it does. What it does not find it is asked for again: a single "not there" may come from a replica
    that lags, and only AGREEING_READS of them, READ_INTERVAL apart, mean absent."""
    missing = dict.fromkeys(wanted)
    for number in range(AGREEING_READS):
        if number and missing:
            (clock or CLOCK).sleep(READ_INTERVAL)
        for key, found in read(list(missing)) if missing else ():
            del missing[key]
            yield key, found
