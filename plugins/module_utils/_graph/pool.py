# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app registrations that a task may use, and what is left of their quotas and of the tenant's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .connection import Connection
from .errors import MAX_RETRY_AFTER, GraphError, folded, retry_after, too_long
from .pacer import REPORT_QUOTA, UNIT_QUOTA, TokenBucket

BATCH_SIZE = 20  # the most that $batch takes; https://learn.microsoft.com/graph/json-batching
ATTEMPTS = 6  # the most that a request is sent


class Cost(NamedTuple):
    """What requests take from the quotas."""

    units: int
    writes: int = 0
    reports: int = 0


class Application:
    """One app registration at work: its sign-in, and the quotas that are its own."""

    def __init__(self, connection: Connection, now: float) -> None:
        self.connection = connection
        self.writes = _write_bucket(connection.write_quota, now)
        self.units = TokenBucket(*UNIT_QUOTA, now)
        self.reports = TokenBucket(*REPORT_QUOTA, now)
        self.tokens: Any = None
        self.adapter: Any = None
        #: requests sent, those inside batches one by one, and how many of the latter were refused with 429
        self.requests = 0
        self.refused = 0
        #: why it takes part no longer
        self.lost: GraphError | None = None

    def costs(self, cost: Cost) -> list[tuple[TokenBucket, int]]:
        """The quotas of its own that requests take something from."""
        return [(bucket, count) for bucket, count in ((self.units, cost.units), (self.writes, cost.writes), (self.reports, cost.reports)) if count]

    def delay(self, cost: Cost, now: float) -> float:
        """Seconds until its own quotas allow so many requests."""
        return max(bucket.delay(count, now) for bucket, count in self.costs(cost))

    def paused(self, cost: Cost, now: float) -> float:
        """Seconds that remain of the longest pause that Graph asked it for."""
        return max(bucket.blocked(now) for bucket, _unused in self.costs(cost))


def _write_bucket(quota: tuple[int, float], now: float) -> TokenBucket:
    # Requests bunch up on their way; two batches kept back cost 2 s of a full quota, and spare nearly all refusals.
    requests, seconds = quota
    return TokenBucket(requests, seconds, now, keep_back=min(2 * BATCH_SIZE, requests // 2))


class Pool:
    """The applications that share the work, each with its own quotas, and the quota of the tenant that is theirs together."""

    def __init__(self, connections: Iterable[Connection], clock: Callable[[], float]) -> None:
        self.clock = clock
        #: the app registration of the task's connection, then the further ones
        self.applications = [Application(one, clock()) for one in connections]
        self._tenant_writes = _write_bucket(self.applications[0].connection.tenant_write_quota, clock())

    def usable(self) -> list[Application]:
        """Those that have not been lost; never empty."""
        return [application for application in self.applications if application.lost is None]

    def lose(self, application: Application, error: GraphError) -> bool:
        """Go on without an application that Graph or the sign-in service no longer serves. False when it is the last one."""
        if application.lost is None and len(self.usable()) > 1:
            application.lost = error
        return application.lost is not None

    def take(self, application: Application, cost: Cost) -> float:
        """Reserve what requests cost; seconds to wait before they may go out."""
        now = self.clock()
        application.requests += max(cost)
        return max([bucket.take(count, now) for bucket, count in self.costs(application, cost)], default=0.0)

    def give_back(self, application: Application, cost: Cost) -> None:
        """What was reserved is not sent."""
        application.requests -= max(cost)
        for bucket, count in self.costs(application, cost):
            bucket.give_back(count)

    def costs(self, application: Application, cost: Cost) -> list[tuple[TokenBucket, int]]:
        """All quotas that requests of an application take something from."""
        return [*application.costs(cost), *([(self._tenant_writes, cost.writes)] if cost.writes else [])]

    def tenant_pause(self, cost: Cost, now: float) -> float:
        """Seconds that remain of a pause that Graph asked all applications for."""
        return self._tenant_writes.blocked(now) if cost.writes else 0.0

    def pause(self, application: Application, error: GraphError, headers: Mapping[str, str], attempt: int, cost: Cost) -> None:
        """Send nothing for as long as a 429 asks; exponentially longer where it asks nothing. Raises `error` when that would take too long."""
        seconds = retry_after(headers)
        if seconds is None:
            seconds = min(2.0**attempt, 60.0)
        if seconds > MAX_RETRY_AFTER:
            raise too_long(seconds) from error
        if attempt >= ATTEMPTS:
            raise error
        self.throttled(application, headers, seconds, cost)

    def throttled(self, application: Application, headers: Mapping[str, str], seconds: float, cost: Cost) -> None:
        """`x-ms-throttle-scope` begins with whose limit it is: `Tenant` all applications', else the application's own."""
        scope = folded(headers).get("x-ms-throttle-scope", "").partition("/")[0]
        if scope == "Tenant" and cost.writes:
            bucket = self._tenant_writes
        else:
            bucket = application.reports if cost.reports else application.writes if cost.writes else application.units
        bucket.pause(seconds, self.clock())

    def note_usage(self, application: Application, headers: Mapping[str, str]) -> None:
        """What Graph says about the share of the quota that is used, by whomever (only above 0.8)."""
        share = headers.get("x-ms-throttle-limit-percentage")
        if share:
            with contextlib.suppress(ValueError):
                application.writes.correct(float(share), self.clock())
