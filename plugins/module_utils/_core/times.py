# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The times of records: how they are read, how far they are believed, and how people see them. Pure."""

from __future__ import annotations

import datetime
import re
from typing import Any

#: By so much the clock of another controller may be ahead. What is later than that was written by a wrong clock, and proves nothing.
SKEW = datetime.timedelta(minutes=5)
#: of a time that cannot be read
NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)

#: a time as records have it, where it is a word of a sentence and no part of a path, a name or markup
_IN_TEXT = re.compile(r"""(?<![\w/."-])\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)(?![\w/"-]|\.\w)""", re.ASCII)


def told(text: str) -> bool:
    """Whether a text for people holds times as records have them."""
    return _IN_TEXT.search(text) is not None


def local(text: str, zone: datetime.tzinfo) -> str:
    """A text for people, its times in their own zone: 2026-11-29T09:00:00Z is 2026-11-29 18:00:00 JST in Tokyo. Records stay in UTC."""

    def shown(found: re.Match[str]) -> str:
        try:
            return f"{datetime.datetime.fromisoformat(found[0]).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
        except (ValueError, OverflowError):
            return found[0]

    return _IN_TEXT.sub(shown, text)


def moment(text: Any) -> datetime.datetime:
    """A time in RFC 3339, UTC. Raises ValueError, which quotes nothing."""
    try:
        if isinstance(text, str) and text.endswith("Z"):
            return datetime.datetime.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("its time is none")


def past(text: Any, now: datetime.datetime) -> datetime.datetime:
    """`moment`, of what has been done: not of a time that is yet to come, which tells nobody how old it is. Raises ValueError, which quotes nothing."""
    if (found := moment(text)) > now + SKEW:
        raise ValueError("its time is yet to come; is a clock wrong?")
    return found


def as_time(text: Any) -> datetime.datetime:
    """A time in RFC 3339, as UTC; one that cannot be read is older than everything, so that it confirms nothing."""
    try:
        found = datetime.datetime.fromisoformat(text)
        return found.astimezone(datetime.UTC) if found.tzinfo is not None else NEVER
    except (TypeError, ValueError, OverflowError):  # the last: on the first or the last day of the calendar, in another zone
        return NEVER


def is_later(one: str, other: str) -> bool:
    """Whether a time (RFC 3339) is later than another; one that cannot be read is older than everything."""
    return as_time(one) > as_time(other)
