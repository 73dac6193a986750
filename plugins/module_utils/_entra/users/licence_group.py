# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Licences by membership in a group: 20 users a write, while direct licences cost one write each.

https://learn.microsoft.com/graph/api/group-post-members ("Add multiple members to a group in a single request"),
https://learn.microsoft.com/entra/identity/users/licensing-groups-resolve-problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError

#: Users that one request adds; the same page.
MEMBERS_PER_REQUEST = 20

FIELDS = "id,displayName,groupTypes,onPremisesSyncEnabled,isAssignableToRole,assignedLicenses"


@dataclass(frozen=True)
class LicenceGroup:
    """A group that gives licences: id → plans that it switches off."""

    id: str
    name: str
    licences: Mapping[str, frozenset[str]]
    remove_direct: bool = False

    @classmethod
    def read(cls, group: Mapping[str, Any], remove_direct: bool) -> LicenceGroup:
        """From Graph's group. Raises OffboardError `group_refused` for one whose members cannot or should not be changed here."""
        name = group.get("displayName") or group["id"]
        reasons = {
            "its members follow a rule (dynamic membership)": "DynamicMembership" in (group.get("groupTypes") or ()),
            "it is synchronized from Active Directory": bool(group.get("onPremisesSyncEnabled")),
            "it can hold directory roles, and members would get those too": bool(group.get("isAssignableToRole")),
            "it gives no licence": not group.get("assignedLicenses"),
        }
        if found := [reason for reason, holds in reasons.items() if holds]:
            raise OffboardError(f"licence_group: no users are added to the group {name}: {'; '.join(found)}. Name another group.", code="group_refused")
        licences = {names.licence(item["skuId"]): frozenset(item.get("disabledPlans") or ()) for item in group["assignedLicenses"]}
        return cls(group["id"], name, licences, remove_direct)

    def gives(self, states: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Of a user's licenseAssignmentStates those that come from this group: id → "Active" or the error."""
        return {names.licence(one["skuId"]): _state(one) for one in states if one.get("assignedByGroup") == self.id}

    def replaceable(self, direct: Mapping[str, Iterable[str]], given: Mapping[str, str]) -> set[str]:
        """Direct licences that the group gives as well, seen, and without switching off a plan that the direct one leaves on."""
        if not self.remove_direct:
            return set()
        return {name for name, plans in direct.items() if given.get(name) == "Active" and self.licences.get(name, frozenset()) <= set(plans)}


#: https://learn.microsoft.com/graph/api/resources/licenseassignmentstate
_WORKING = ("Active", "ActiveWithError")


def is_given(one: Mapping[str, Any]) -> bool:
    """Of a licenseAssignmentState: whether the licence is there, whatever else is wrong with it."""
    return one.get("state") in _WORKING


def _state(one: Mapping[str, Any]) -> str:
    if is_given(one):
        return "Active"
    error = one.get("error")
    return error if error and error != "None" else one.get("state") or "Error"
