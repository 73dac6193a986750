# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order invitations are redeemed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core import phrases
from ..._core.diff import changed_properties
from ..._core.errors import OffboardError
from ..._core.model import Change, Object
from ..._core.plan import Plan

KIND = "redemption_order"


PRIMARY = ("azureActiveDirectory", "externalFederation", "socialIdentityProviders")


FALLBACK = ("defaultConfiguredIdp", "emailOneTimePasscode", "microsoftAccount")


#: What the service does of itself.
DEFAULT: Mapping[str, Any] = {"primaryIdentityProviderPrecedenceOrder": list(PRIMARY), "fallbackIdentityProvider": "defaultConfiguredIdp"}


def describe(state: Mapping[str, Any]) -> dict[str, Any]:
    """In the options' words."""
    return {
        "order": state["primaryIdentityProviderPrecedenceOrder"],
        "fallback": state["fallbackIdentityProvider"],
        "is_default": dict(state) == dict(DEFAULT),
    }


def plan_order(current: Object, state: str, order: Sequence[str] | None, fallback: str | None) -> Plan:
    """`state` default: as the service does of itself. Raises OffboardError `bad_option` for an identity provider that is named twice."""
    if order is not None and len(set(order)) != len(order):
        raise OffboardError(f"order names an identity provider twice: {', '.join(order)}", code="bad_option")
    desired = dict(DEFAULT) if state == "default" else {}
    if order is not None:
        desired["primaryIdentityProviderPrecedenceOrder"] = list(order)
    if fallback is not None:
        desired["fallbackIdentityProvider"] = fallback
    before, after = changed_properties(current.state, desired)
    plan = Plan()
    if after:
        undo = phrases.english("undo_order")
        plan.changes.append(Change(KIND, current.id, current.name, "update", before, after, risk="medium", undo=undo))
        plan.warnings.append(phrases.english("order_is_for_the_next"))
    else:
        plan.unchanged += 1
    return plan
