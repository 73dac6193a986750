# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Licences of users and groups, and the SKUs they come from.

Sources: learn.microsoft.com/graph/api/user-assignlicense, group-assignlicense, subscribedsku-list;
learn.microsoft.com/entra/identity/users/licensing-groups-resolve-problems. The messages are those that public clients match on.
"""

from __future__ import annotations

import json
from typing import Any

from ... import company
from ..answers import Answer, bad_request, not_found, now
from ..operation import Call, operation
from ..store import Object, Store
from .users import find, find_current

_WRITE = "LicenseAssignment.ReadWrite.All Directory.ReadWrite.All"
_SKU_READ = "LicenseAssignment.Read.All Directory.Read.All Directory.ReadWrite.All Organization.Read.All Organization.ReadWrite.All"
_USER_BODY = "users.item.assign_license.assign_license_post_request_body:AssignLicensePostRequestBody"
_GROUP_BODY = "groups.item.assign_license.assign_license_post_request_body:AssignLicensePostRequestBody"


def free_seats(store: Store, sku: Object) -> int:
    """Seats in grace count: after a subscription has expired they are `warning` for 30 days, and can still be assigned.
    learn.microsoft.com/graph/api/resources/licenseunitsdetail."""
    units = sku["prepaidUnits"]
    return units["enabled"] + units["warning"] - store.consumed[sku["skuId"]]


def licence_values(states: list[Object]) -> Object:
    """A user's two licence properties; a plan is off only where every assignment of its SKU switches it off."""
    assigned: dict[str, set[str]] = {}
    for state in states:
        if state["state"] == "Active":
            plans = set(state["disabledPlans"])
            assigned[state["skuId"]] = assigned.get(state["skuId"], plans) & plans
    return {
        "assignedLicenses": [{"skuId": sku, "disabledPlans": sorted(plans)} for sku, plans in assigned.items()],
        "licenseAssignmentStates": states,
    }


def _skus(call: Call) -> dict[str, Object]:
    return {item["skuId"]: item for item in call.table("skus").objects.values()}


def _read_body(call: Call) -> tuple[dict[str, list[str]], list[str]]:
    """SKU → disabled plans to add, SKUs to remove; 400 for a SKU or plan that the tenant does not have."""
    body: dict[str, Any] = call.body
    if not isinstance(body.get("addLicenses"), list) or not isinstance(body.get("removeLicenses"), list):
        bad_request("The parameters 'addLicenses' and 'removeLicenses' are both required; either may be empty.")
    skus = _skus(call)
    add = {str(item.get("skuId")).lower(): list(item.get("disabledPlans") or ()) for item in body["addLicenses"]}
    remove = [str(sku).lower() for sku in body["removeLicenses"]]
    for sku in (*add, *remove):
        if sku not in skus:
            bad_request(f"License {sku} does not correspond to a valid company License.")
    for sku, disabled in add.items():
        if set(disabled) - {plan["servicePlanId"] for plan in skus[sku]["servicePlans"]}:
            bad_request(f"License assignment failed because a disabled plan does not belong to the license {sku}.")
    return add, remove


@operation("POST", "/users/{user}/assignLicense", permissions=f"{_WRITE} User.ReadWrite.All", body=_USER_BODY)
def assign_to_user(call: Call) -> Answer:
    user = find_current(call)
    add, remove = _read_body(call)
    states = user["licenseAssignmentStates"]
    direct = {item["skuId"] for item in states if item["assignedByGroup"] is None}
    held = {item["skuId"] for item in states if item["state"] == "Active"}
    if add and not user["usageLocation"]:
        bad_request("License assignment cannot be done for user with invalid usage location.")
    for sku in remove:
        if sku not in direct:
            bad_request(
                "User license is inherited from a group membership and it cannot be removed directly from the user."
                if sku in held
                else "User does not have a corresponding license."
            )
    skus = _skus(call)
    for sku in set(add) - held:
        if free_seats(call.store, skus[sku]) < 1:
            bad_request(f"Subscription with SKU {sku} does not have any available licenses.")
    kept = [item for item in states if item["assignedByGroup"] is not None or (item["skuId"] not in add and item["skuId"] not in remove)]
    added = [company.licence_state(sku, None, now()) | {"disabledPlans": plans} for sku, plans in add.items()]
    changed = call.store.put("users", user["id"], licence_values(kept + added))
    # "To see what licenses were changed, see the corresponding Updated user activity" (Microsoft on audited activities).
    call.audit("Change user license", "User", user)
    call.audit("Update user", "User", user, {"AssignedLicense": (_audited(user, skus), _audited(changed, skus))})
    return call.one("user", changed, whole=True)


@operation("POST", "/users/{user}/reprocessLicenseAssignment", permissions="User.ReadWrite.All Directory.ReadWrite.All")
def reprocess(call: Call) -> Answer:
    """Group licences once more: learn.microsoft.com/graph/api/user-reprocesslicenseassignment."""
    user = find_current(call)
    for group in call.table("groups").objects.values():
        apply_group(call.store, call.table("users").objects[user["id"]], group, user["id"] in group["_members"])
    return call.one("user", call.table("users").objects[user["id"]], whole=True)


@operation("GET", "/groups/{group}/membersWithLicenseErrors", permissions="GroupMember.Read.All Group.Read.All Directory.Read.All")
def members_with_errors(call: Call) -> Answer:
    wrong = with_errors(call, call.get("groups", call.params["group"]))
    return call.page("directoryObject", [{"@odata.type": "#microsoft.graph.user", **user} for user in wrong])


def with_errors(call: Call, group: Object) -> list[Object]:
    """The group's members whose licences from it are in error."""
    rows = [user for key in group["_members"] if (user := call.table("users").visible(key)) is not None]
    return [user for user in rows if any(item["assignedByGroup"] == group["id"] and item["state"] == "Error" for item in user["licenseAssignmentStates"])]


def _audited(user: Object, skus: dict[str, Object]) -> str:
    """A user's licences as the directory's audit log writes them."""
    return json.dumps(
        [
            f"[SkuName={skus[item['skuId']]['skuPartNumber']}, AccountId={company.tenant_id()}, SkuId={item['skuId']}, DisabledPlans=[]]"
            for item in user["assignedLicenses"]
        ]
    )


@operation("GET", "/users/{user}/licenseDetails", permissions="LicenseAssignment.Read.All Directory.Read.All Directory.ReadWrite.All "
           "User.Read.All User.ReadWrite.All", units=2)  # fmt: skip
def details(call: Call) -> Answer:
    user, skus = find(call), _skus(call)
    rows = []
    for licence in user["assignedLicenses"]:
        sku = skus[licence["skuId"]]
        plans = [plan | {"provisioningStatus": "Disabled"} if plan["servicePlanId"] in licence["disabledPlans"] else plan for plan in sku["servicePlans"]]
        key = company.make_id("licence", f"{user['id']}:{sku['skuId']}")
        rows.append({"id": key, "skuId": sku["skuId"], "skuPartNumber": sku["skuPartNumber"], "servicePlans": plans})
    return call.page("licenseDetails", rows)


def apply_group(store: Store, user: Object, group: Object, is_member: bool) -> None:
    """Bring a user's inherited licences in line with the group's. A user without location inherits the tenant's."""
    wanted = {item["skuId"]: item["disabledPlans"] for item in group["assignedLicenses"]} if is_member else {}
    mine = [item for item in user["licenseAssignmentStates"] if item["assignedByGroup"] == group["id"]]
    if {item["skuId"]: item["disabledPlans"] for item in mine if item["state"] == "Active"} == wanted and len(mine) == len(wanted):
        return
    others = [item for item in user["licenseAssignmentStates"] if item["assignedByGroup"] != group["id"]]
    held = {item["skuId"] for item in user["licenseAssignmentStates"] if item["state"] == "Active"}
    skus = {item["skuId"]: item for item in store.tables["skus"].objects.values()}
    for sku, plans in wanted.items():
        state = company.licence_state(sku, group["id"], now()) | {"disabledPlans": plans}
        if sku not in held and free_seats(store, skus[sku]) < 1:
            state |= {"state": "Error", "error": "CountViolation"}
        others.append(state)
    store.put("users", user["id"], licence_values(others))


@operation("POST", "/groups/{group}/assignLicense", permissions=f"{_WRITE} Group.ReadWrite.All", body=_GROUP_BODY)
def assign_to_group(call: Call) -> Answer:
    group = call.current("groups", call.params["group"])
    add, remove = _read_body(call)
    kept = [item for item in group["assignedLicenses"] if item["skuId"] not in add and item["skuId"] not in remove]
    licences = kept + [{"skuId": sku, "disabledPlans": plans} for sku, plans in add.items()]
    changed = call.store.put("groups", group["id"], {"assignedLicenses": licences})
    users = call.table("users").objects
    for key in group["_members"]:
        if key in users:
            apply_group(call.store, users[key], changed, True)
    call.audit("Set group license", "Group", group)
    return call.one("group", changed, 202)


def _sku_view(call: Call, sku: Object) -> Object:
    return sku | {"consumedUnits": call.store.consumed[sku["skuId"]]}


@operation("GET", "/subscribedSkus", permissions=_SKU_READ, units=3)
def list_skus(call: Call) -> Answer:
    # learn.microsoft.com/graph/api/subscribedsku-list: $select alone
    if call.counting or {name for name in call.query if name.startswith("$")} - {"$select"}:
        bad_request("Only the query option '$select' is supported here.", "BadRequest")
    return call.page("subscribedSku", [_sku_view(call, item) for item in call.table("skus")])


@operation("GET", "/subscribedSkus/{sku}", permissions=_SKU_READ)
def get_sku(call: Call) -> Answer:
    return call.one("subscribedSku", _sku_view(call, call.find("skus", call.params["sku"]) or not_found(call.params["sku"])))
