# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph's published quotas for directory objects, as token buckets that are full at the start.

Numbers: learn.microsoft.com/graph/throttling-limits, "Identity and access service limits" and
"Identity and access reports service limits".
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Bucket:
    """`limit` tokens that refill evenly within `seconds`."""

    limit: float
    seconds: float
    tokens: float = field(init=False)
    at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.tokens = self.limit

    def refill(self, now: float) -> None:
        if self.at:
            self.tokens = min(self.limit, self.tokens + (now - self.at) * self.limit / self.seconds)
        self.at = now

    def wait(self, cost: float) -> float:
        """Seconds until `cost` tokens are there."""
        return max(0.0, (cost - self.tokens) * self.seconds / self.limit)

    @property
    def used(self) -> float:
        return 1 - self.tokens / self.limit


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused, in the words of the x-ms-throttle-* headers; `seconds` until it would pass."""

    scope: str
    information: str
    seconds: float


def cost(base: int, query: dict[str, str], method: str) -> int:
    """Resource units of a request: $select saves one, $expand adds one, $top below 20 saves one, at least one."""
    if method != "GET":
        return 1
    top = query.get("$top", "")
    saved = ("$select" in query) + (top.isdigit() and int(top) < 20)
    return max(1, base - saved + ("$expand" in query))


class Throttle:
    """The buckets of one tenant. `clock` gives seconds; `scale` makes them run faster."""

    def __init__(self, users: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unit_limit = 3500 if users < 50 else 5000 if users <= 500 else 8000
        self._buckets: dict[tuple[str, str], Bucket] = {}
        #: requests refused so far
        self.refused = 0

    def _bucket(self, name: str, owner: str, limit: float, seconds: float) -> Bucket:
        return self._buckets.setdefault((name, owner), Bucket(limit, seconds))

    def take(self, app: str, units: int, writes: int, report: bool, scale: float = 1.0) -> tuple[Refusal | None, float]:
        """Take what a request costs, or nothing at all. Returns a refusal or None, and how full the fullest quota is (0 to 1)."""
        now = self._clock() * scale
        wanted: list[tuple[str, str, Bucket, float]] = []
        if report:
            wanted.append(("Application_Tenant", "Reports", self._bucket("report", app, 5, 10), 1))
        else:
            wanted.append(("Application_Tenant", "ResourceUnitLimitExceeded", self._bucket("unit", app, self._unit_limit, 10), units))
            if writes:
                wanted.append(("Application_Tenant", "WriteLimitExceeded", self._bucket("write", app, 3000, 150), writes))
                wanted.append(("Tenant", "WriteLimitExceeded", self._bucket("tenant write", "", 18000, 300), writes))
        worst: Refusal | None = None
        for scope, information, bucket, amount in wanted:
            bucket.refill(now)
            seconds = bucket.wait(amount) / scale
            if seconds > 0 and (worst is None or seconds > worst.seconds):
                worst = Refusal(scope, information, seconds)
        if worst is not None:
            self.refused += 1
            return worst, 1.0
        for _, _, bucket, amount in wanted:
            bucket.tokens -= amount
        return None, max(bucket.used for _, _, bucket, _ in wanted)


def retry_after(refusal: Refusal) -> int:
    """Whole seconds, at least one."""
    return max(1, math.ceil(refusal.seconds))
