# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time as journals, hand-over files and copies name it, and the zone in which people read it."""

from __future__ import annotations

import datetime
import math
import zoneinfo

from .._core.errors import OffboardError
from .._core.times import SKEW


def now() -> str:
    """RFC 3339, UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def seconds_since(at: str) -> float:
    """From `at`, in the form that `now` gives. What is yet to come was written by a wrong clock, and nobody knows how old it is: as old as can be."""
    passed = (datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(at)).total_seconds()
    return passed if passed >= -SKEW.total_seconds() else math.inf


def time_zone(name: str) -> datetime.tzinfo:
    """Of a name of the IANA database. Raises OffboardError `timezone_unknown`."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        known = f"Give a name such as Asia/Tokyo or UTC{'' if zoneinfo.available_timezones() else '; this machine has no time zones: install tzdata'}."
        raise OffboardError(f"There is no time zone {name!r}. {known}", code="timezone_unknown") from exc
