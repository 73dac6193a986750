# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether IIJ ID's app is quiet: what it did since its provisioning was stopped or it was switched off, and when the stop blocks nobody. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core.times import SKEW

#: An access token lives 60 to 90 minutes, and is good to its end although its application was switched off meanwhile.
#: https://learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime
TOKEN_MINUTES = 90


@dataclass(frozen=True)
class AppActivity:
    """The app as the tenant and the journal show it. Times are RFC 3339."""

    enabled: bool | None = None
    #: when a run has switched it off; None when none did
    switched_off_at: str | None = None
    #: when it changed something, as the directory's audit log says; None when that was not looked at
    activities: Sequence[str] | None = None


def switched_off(records: Iterable[Mapping[str, Any]], principal_id: str | None) -> str | None:
    """When the journal last recorded that this service principal was switched off, and not on again; and the same run did see it afterwards."""
    at, run = None, ""
    for record in records:
        if record.get("record") != "outcome" or record.get("kind") != "service_principal" or record.get("id") != principal_id:
            continue
        if record["status"] == "done" and record["action"] in ("disable", "enable"):
            at, run = record["at"] if record["action"] == "disable" else None, record.get("run", "")
        elif record.get("code") == "not_seen" and record["action"] == "disable" and record.get("run", "") == run:
            at = None
    return at


def counts_from(confirmed_at: str, app: AppActivity, token_minutes: int, now: str) -> str:
    """The time from which activity counts: the confirmed stop, whose own blocks came before it; or the switching-off, where that came later.

    The latter only when no token is good any more: an app that worked after the confirmed stop may go on until then. A time that is yet to come (a wrong
    clock) is none. Empty where neither is one: then all activity counts.
    """
    off = app.switched_off_at if app.enabled is False and not token_good_until(app, token_minutes, now) else None
    return max((text for text in (confirmed_at, off) if text and _has_come(text, now)), key=_time, default="")


def since(activities: Iterable[str], start: str) -> list[str]:
    """Those after `start`, a time to the second: what happened within that second came before it was written down."""
    return sorted((at for at in activities if not start or _time(at) - _time(start) >= datetime.timedelta(seconds=1)), key=_time)


def token_good_until(app: AppActivity, token_minutes: int, now: str) -> str | None:
    """Until when a token may be good that the app got before it was switched off; None when none is, or that time is none (see `counts_from`)."""
    if app.enabled is not False or not app.switched_off_at or token_minutes <= 0 or not _has_come(app.switched_off_at, now):
        return None
    until = _time(app.switched_off_at) + datetime.timedelta(minutes=token_minutes)
    return f"{until.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}" if until > _time(now) else None


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _has_come(text: str, now: str) -> bool:
    """Whether it is a time, and not one that is yet to come."""
    try:
        found = _time(text)
    except ValueError:
        return False
    return found.tzinfo is not None and found <= _time(now) + SKEW


def mostly(some: int, total: int, percent: int) -> bool:
    """Whether `some` are more than `percent` in a hundred of `total`."""
    return some * 100 > total * percent
