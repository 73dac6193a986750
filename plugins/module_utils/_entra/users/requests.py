# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of a user's change, how Graph's user shows that they were carried out, and what a refusal of one means. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..._core import phrases
from ..._core.model import Change
from .licence_group import LicenceGroup
from .licences import Sku, Skus
from .plan import PASSWORD, named, user_state

_FORCE = {"none": {"forceChangePasswordNextSignIn": False}, "next_sign_in": {"forceChangePasswordNextSignIn": True}}
_FORCE["next_sign_in_with_mfa"] = {"forceChangePasswordNextSignIn": True, "forceChangePasswordNextSignInWithMfa": True}


def patch_body(change: Change, password: str | None, force_change: str) -> dict[str, Any]:
    """The one PATCH that unblocks, sets the password and the usage location; empty when none of them changes."""
    after = change.after or {}
    body: dict[str, Any] = {name: after[name] for name in ("accountEnabled", "usageLocation") if name in after}
    if PASSWORD in after:
        if password is None:
            raise ValueError("a password that is in no hand-over file must not be set")
        body["passwordProfile"] = {"password": password, **_FORCE[force_change]}
    return body


def licence_body(change: Change, skus: Skus) -> dict[str, Any]:
    """assignLicense with additions and removals together, so that no service goes away in between; empty when nothing changes."""
    before, after = (change.before or {}).get("licences"), (change.after or {}).get("licences")
    if after is None:
        return {}
    before = before or {}
    add = [{"skuId": skus.id(name), "disabledPlans": plans} for name, plans in after.items() if before.get(name) != plans]
    return {"addLicenses": add, "removeLicenses": [skus.id(name) for name in before if name not in after]}


def too_few(name: str, needed: int, sku: Sku) -> str:
    """What to tell of a licence that has fewer seats than the changes need; empty when it has enough."""
    free = max(0, sku.free)
    if needed <= free:
        return ""
    return phrases.english("seats_ended" if sku.ended else "seats_missing", name=name, needed=needed, free=free, missing=needed - free)


def new_seats(change: Change, steps: Collection[str] = ("group", "licences")) -> list[str]:
    """Part numbers of which the change, or those of its steps, take a seat."""
    before, after = change.before or {}, change.after or {}
    by_group = (after.get("licenceGroup") or {}).get("seats", []) if "group" in steps else []
    direct = [name for name in after.get("licences") or {} if name not in (before.get("licences") or {})] if "licences" in steps else []
    return [*by_group, *direct]


Expectation = tuple[tuple[str, Any], ...]


def expectation(change: Change, parts: Collection[str] | None = None) -> Expectation:
    """What Graph's user must show after the change (or after those of its properties in `parts`). Revoked sessions are no state of it."""
    after = (change.after or {}).items()
    return tuple(
        (name, value) for name, value in after if name not in ("signInSessions", "temporaryAccessPass", "left_out") and (parts is None or name in parts)
    )


def password_changed(change: Change, item: Mapping[str, Any]) -> bool:
    """Whether the password of Graph's user was set after the change was planned."""
    return (change.before or {}).get(PASSWORD) != item.get("lastPasswordChangeDateTime")


def meets(item: Mapping[str, Any], expected: Expectation, skus: Skus, *, password_changed: bool) -> bool:
    """Whether Graph's user shows what is expected. A password cannot be read: `password_changed` tells whether the time of its last change is another."""
    state = user_state(item)
    for name, value in expected:
        if name == PASSWORD:
            seen = password_changed
        elif name == "licenceGroup":
            seen = not group_errors(item, value, skus)
        elif name == "licences":
            seen = named(state[name], skus) == value
        else:
            seen = state[name] == value
        if not seen:
            return False
    return True


def group_errors(item: Mapping[str, Any], group: Mapping[str, Any], skus: Skus) -> dict[str, str]:
    """What a user does not have yet of a group's licences (`licenceGroup` of a change): part number → the error, "" while it is on its way."""
    made = LicenceGroup(group["id"], group["name"], {}).gives(item.get("licenseAssignmentStates") or ())
    errors = {name: made.get(skus.id(name) if name in skus else name, "") for name in group["licences"]}
    return {name: error for name, error in errors.items() if error != "Active"}


_SEATS = re.compile(r"does not have any available licenses", re.IGNORECASE)
_LOCATION = re.compile(r"invalid usage location", re.IGNORECASE)
_COMPLEXITY = re.compile(r"password (complexity|.*banned|.*policy)", re.IGNORECASE)


def refusal_code(status: int, message: str, step: str) -> str:
    """Our code for a refused step. The texts are those that Graph is known to send; without one, the status decides."""
    if status == 404:
        return "user_deleted"
    if status == 403:
        return "needs_higher_role" if step == "patch" else "permission_missing"
    if status == 400 and step == "licences":
        return "no_seat" if _SEATS.search(message) else "no_usage_location" if _LOCATION.search(message) else "licence_refused"
    if status == 400 and step in ("pass", "old_pass"):
        return "pass_refused"
    if status == 400 and _COMPLEXITY.search(message):
        return "password_refused"
    return {401: "unauthorized", 429: "throttled"}.get(status, "refused")
