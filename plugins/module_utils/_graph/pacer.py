# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pacing by the published quotas: a token bucket that is told the time, so that a test needs no clock."""

from __future__ import annotations

#: Requests that write (POST, PATCH, PUT, DELETE), per application and tenant: (requests, seconds).
#: https://learn.microsoft.com/graph/throttling-limits, "Identity and access service limits"
WRITE_QUOTA = (3000, 150.0)

#: The same for all applications of a tenant together.
TENANT_WRITE_QUOTA = (18000, 300.0)

#: Resource units per application and tenant, for the smallest tenants (same page). A request costs 1 to 5; ours cost 1 or 2.
UNIT_QUOTA = (3500, 10.0)

#: Requests about users' authentication methods, per application and tenant (same page, "Identity and access reports service limits").
REPORT_QUOTA = (5, 10.0)


class TokenBucket:
    """`capacity` tokens that come back evenly within `seconds`; full at the start. `keep_back` of them are never used.

    Tokens may be reserved ahead of time: `take` says how long to wait until they are really there. Whoever reserves
    first is served first, so the bound is reached without polling.
    """

    def __init__(self, capacity: float, seconds: float, now: float, keep_back: float = 0.0) -> None:
        self._capacity = capacity - keep_back
        self._rate = capacity / seconds
        self._tokens = self._capacity
        self._at = now
        self._blocked_until = now

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._capacity, self._tokens + (now - self._at) * self._rate)
            self._at = now

    def take(self, count: int, now: float) -> float:
        """Reserve `count` tokens; seconds to wait before using them."""
        seconds = self.delay(count, now)
        self._tokens -= count
        return seconds

    def delay(self, count: float, now: float) -> float:
        """What `take` would say, without reserving anything."""
        self._refill(now)
        return max(self.blocked(now), (count - self._tokens) / self._rate, 0.0)

    def give_back(self, count: float) -> None:
        """Tokens that were reserved and not used."""
        self._tokens = min(self._capacity, self._tokens + count)

    @property
    def share_left(self) -> float:
        """1 when full, 0 when empty, less when tokens are reserved ahead of time."""
        return self._tokens / self._capacity

    def blocked(self, now: float) -> float:
        """Seconds that remain of a pause the service asked for."""
        return max(0.0, self._blocked_until - now)

    def pause(self, seconds: float, now: float) -> None:
        """The service refused: it counts less left than we do. Nothing is left now, and nothing is sent for `seconds`; tokens come back meanwhile."""
        self._refill(now)
        self._tokens = min(self._tokens, 0.0)
        self._blocked_until = max(self._blocked_until, now + seconds)

    def correct(self, used: float, now: float) -> None:
        """The service says which share of the quota is used (`x-ms-throttle-limit-percentage`, 0.8 to 1.8).

        Only a gross difference counts, one that other users of the same application make: small ones come from answers
        that are on their way, and following them would slow us below the limit.
        """
        self._refill(now)
        left = max(0.0, 1.0 - used) * self._capacity
        if self._tokens - left > 0.1 * self._capacity:
            self._tokens = left
