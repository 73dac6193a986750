# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict of the gate: can IIJ ID still change the tenant? How it is reached, kept and believed. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import plain
from .errors import OffboardError
from .names import domain
from .times import SKEW

#: in the run folder
NAME = "gate.json"
#: What a verdict says beside its time, and of what type it is.
_FACTS: dict[str, type] = {"tenant_id": str, "domains": list, "client_id": str, "evidence_hours": int, "activity_count": int, "open": bool, "reasons": list}


def judge(
    tenant_id: str, domains: Sequence[str], client_id: str, hours: int, activity: Sequence[str] | None, start: str | None = None, token_until: str | None = None
) -> dict[str, Any]:
    """The verdict, without its time.

    client_id: IIJ ID's app, empty where none is known. activity: when it changed the tenant within `hours`, and after `start` where that is known: the
    confirmed stop, or the app's switch-off; None when the tenant does not know the app. token_until: until when a token of before the switch-off is good.
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
        reasons.append(
            "offboard_iij_client_id is empty, so the audit log cannot tell whether IIJ ID still changes the tenant. Set it to the Client ID that the console "
            "of IIJ ID shows for Microsoft 365, or set microsoft_365_evidence_hours: 0 to rely on the person's word."
        )
    elif hours and activity is None:
        reasons.append(
            f"The tenant has no application {client_id}, not even a deleted one, so nothing says that IIJ ID changes nothing any more. Is "
            "offboard_iij_client_id the Client ID that the console of IIJ ID shows? If the app was deleted over 30 days ago, set "
            "microsoft_365_evidence_hours: 0."
        )
    elif hours and activity:
        when = f"since {start}" if start else f"within the last {hours} hours"
        way = (
            f"A token that its app got before it was switched off may be good until {token_until}: run this stage again after that."
            if token_until
            else "Is the provisioning off for everybody? If it is, and these came of the stop itself, withdraw the step provisioning_stopped and confirm it "
            "again: what came before does not count. Else run this stage again later, or set microsoft_365_evidence_hours: 0 to rely on the person's word."
        )
        reasons.append(
            f"IIJ ID still changes the tenant: {len(activity)} entries in the audit log {when}, the last one at {max(activity)}. What the next stages repair, "
            f"IIJ ID would undo. {way}"
        )
    return {
        "tenant_id": tenant_id,
        "domains": sorted(set(map(domain, domains)) - {""}),
        "client_id": client_id,
        "evidence_hours": hours,
        "activity_count": len(activity or ()),
        "open": not reasons,
        "reasons": reasons,
    }


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


def moment(text: Any) -> datetime.datetime:
    """A time in RFC 3339, UTC. Raises ValueError."""
    if not isinstance(text, str) or not text.endswith("Z"):
        raise ValueError("its time is none")
    return datetime.datetime.fromisoformat(text)


def objection(
    verdict: Mapping[str, Any] | None, owner: Mapping[str, str], domains: Iterable[str], max_age_hours: int, now: datetime.datetime
) -> OffboardError | None:
    """Why nothing may be changed on this verdict; None when it may. owner: the `tenant_id` of the change, where it is known."""
    again = "Run offboard.iij_id.gate (it only reads, unless it switches IIJ ID's app off), then this stage again. Nothing was changed."
    if verdict is None:
        why = "The run folder holds no verdict of the gate, so nobody knows whether IIJ ID still changes the tenant."
        return OffboardError(f"{why} {again}", code="gate_closed")
    tenant = owner.get("tenant_id", verdict["tenant_id"])
    age = now - moment(verdict["at"])
    missing = sorted(set(map(domain, domains)) - set(map(domain, verdict["domains"])))
    if verdict["tenant_id"].casefold() != tenant.casefold():
        why, code = f"is for the tenant {verdict['tenant_id']}, and this task works on {tenant}", "other_run_folder"
    elif not verdict["open"]:
        why, code = f"of {verdict['at']} is that it stays closed: {' '.join(verdict['reasons'])}", "gate_closed"
    elif age < -SKEW:
        why, code = f"is of {verdict['at']}, which is yet to come; is a clock wrong?", "gate_closed"
    elif age.total_seconds() > max_age_hours * 3600:
        why, code = f"is of {verdict['at']}, older than the {max_age_hours} hours for which it is believed (offboard_gate_max_age_hours)", "gate_outdated"
    elif missing:
        why, code = f"was reached for {', '.join(verdict['domains']) or 'no domain'}, not for {', '.join(missing)}", "gate_closed"
    else:
        return None
    return OffboardError(f"The gate's verdict {why}. {again}", code=code, details={"at": verdict["at"], "open": verdict["open"]})
