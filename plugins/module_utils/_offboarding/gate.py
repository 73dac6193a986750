# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict of the gate: can IIJ ID still change the tenant? How it is reached, kept and believed. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._core import journal_lines, plain
from .._core.errors import OffboardError
from .._core.names import domain
from .._core.text import Text
from .._core.times import SKEW, as_time, is_later, moment
from . import evidence, phrases

#: in the run folder
NAME = "gate.json"
#: the step of a person whose confirmation says that IIJ ID provisions nobody any more: a verdict judges what came after it
STOPPED = "provisioning_stopped"
#: What a verdict says beside its time, and of what type it is.
_FACTS: dict[str, type] = {"tenant_id": str, "domains": list, "client_id": str, "evidence_hours": int, "activity_count": int, "open": bool, "reasons": list}


def judge(
    tenant_id: str,
    domains: Sequence[str],
    client_id: str,
    hours: int,
    activity: Sequence[str] | None,
    start: str | None = None,
    token_until: str | None = None,
    clock_ahead: float | None = None,
) -> dict[str, Any]:
    """The verdict, without its time.

    client_id: IIJ ID's app, empty where none is known. activity: when it changed the tenant within `hours`, and after `start` where that is known: the
    confirmed stop, or the app's switch-off; None when the tenant does not know the app. token_until: until when a token of before the switch-off is
    good. clock_ahead: by how many seconds the clock that `start` is of is ahead of the one that `activity` is of.
    Raises OffboardError `bad_option`.
    """
    if hours < 0:
        raise OffboardError(
            f"microsoft_365_evidence_hours is {hours} (option activity_hours), but must be 1 or more: hours without a change by IIJ ID. Only 0 says that you "
            "rely on the person's word alone.",
            code="bad_option",
        )
    reasons = []
    if hours and not client_id:
        reasons.append(phrases.english("gate_no_client_id"))
    elif hours and activity is None:
        reasons.append(phrases.english("gate_no_app", client_id=client_id))
    elif hours and abs(clock_ahead or 0) > SKEW.total_seconds():
        reasons.append(phrases.english("gate_clock", minutes=round(abs(clock_ahead or 0) / 60)))
    elif hours and activity:
        when = phrases.told("since", start=start) if start else phrases.told("within_hours", hours=hours)
        reasons.append(still_active(activity, when, token_until).en)
    return {
        "tenant_id": tenant_id,
        "domains": sorted(set(map(domain, domains)) - {""}),
        "client_id": client_id,
        "evidence_hours": hours,
        "activity_count": len(activity or ()),
        "open": not reasons,
        "reasons": reasons,
    }


def still_active(activity: Sequence[str], when: Text, token_until: str | None) -> Text:
    """That IIJ ID still changes the tenant, and the way out. activity: when it did (RFC 3339); when: in which time that was looked for."""
    way_out = phrases.told("token_until", until=token_until) if token_until else phrases.told("off_for_everybody")
    return phrases.told("still_active", number=len(activity), when=when, last=max(activity, key=as_time), way_out=way_out)


def _is(value: Any, kind: type) -> bool:
    """true and false are no numbers here."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def parse(content: Any) -> dict[str, Any]:
    """A verdict as it lies in the run folder. Raises ValueError, which quotes nothing."""
    if not isinstance(content, Mapping) or not all(_is(content.get(name), kind) for name, kind in _FACTS.items()):
        raise ValueError("it is no verdict of the gate")
    if content["evidence_hours"] < 0 or content["activity_count"] < 0:
        raise ValueError("a number of it is negative")
    if not all(isinstance(item, str) and item == plain.line(item) for item in (*content["domains"], *content["reasons"])) or content["open"] is bool(
        content["reasons"]
    ):
        raise ValueError("its reasons or domains are none")
    moment(content.get("at"))
    if not content["tenant_id"].strip() or content["tenant_id"] != plain.line(content["tenant_id"]):
        raise ValueError("its tenant is none")
    return dict(content)


def is_last(lines: Iterable[bytes], at: str) -> bool:
    """Whether the verdict of that time stands in a journal's lines behind the last return of an app."""
    found, written = False, f'"at":"{at}"'.encode()
    for line in lines:
        if journal_lines.brings_app_back(line):
            found = False
        elif b'"kind":"gate_verdict"' in line and written in line.partition(b'"after":')[2]:
            found = True
    return found


def objection(
    verdict: Mapping[str, Any] | None,
    owner: Mapping[str, str],
    domains: Iterable[str],
    max_age_hours: int,
    now: datetime.datetime,
    stopped_at: str = "",
    app_back: str = "",
) -> OffboardError | None:
    """Why nothing may be changed on this verdict; None when it may.

    owner: the `tenant_id` of the change, where it is known. stopped_at: when the stop was confirmed (RFC 3339), of which an earlier verdict knows nothing.
    app_back: when the app was last brought back: nor does it know what IIJ ID can do since.
    """
    if verdict is None:
        return OffboardError(phrases.english("gate_no_verdict"), code="gate_closed")
    doubt = evidence.doubt(verdict, owner, domains, max_age_hours, now)
    if not verdict["open"] and (doubt is None or doubt.about != "tenant"):
        msg = phrases.english("gate_stays_closed", at=verdict["at"], reasons=" ".join(verdict["reasons"]))
        return OffboardError(msg, code="gate_closed", details={"at": verdict["at"], "open": False})
    if doubt is None and is_later(app_back, verdict["at"]):
        doubt = evidence.Doubt("age", phrases.english("is_before_app_back", at=verdict["at"], back=app_back))
    if doubt is None and is_later(stopped_at, verdict["at"]):
        doubt = evidence.Doubt("age", phrases.english("is_of_before_the_stop", at=verdict["at"], stopped_at=stopped_at))
    if doubt is None:
        return None
    code = {"tenant": "other_run_folder", "age": "gate_outdated"}.get(doubt.about, "gate_closed")
    return OffboardError(phrases.english("gate_doubted", why=doubt.why), code=code, details={"at": verdict["at"], "open": verdict["open"]})
