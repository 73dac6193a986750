# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single objects of Intune, to whom they are assigned, and on how many devices they are. The lists are in references.py.

Sources: learn.microsoft.com/graph/api/intune-apps-mobileappassignment-list, -create, -delete; the same of
intune-apps-manageddevicemobileappconfigurationassignment, intune-mam-targetedmanagedapppolicyassignment and
intune-deviceconfig-deviceconfigurationassignment; intune-apps-manageddevicemobileappconfigurationdevicesummary-get and
intune-deviceconfig-deviceconfigurationdeviceoverview-get. Of apps, and of managed apps' configurations, v1.0 counts no devices. Filters of assignments
(deviceAndAppManagementAssignmentFilterId) are in beta only: learn.microsoft.com/graph/api/resources/
intune-shared-deviceandappmanagementassignmenttarget?view=graph-rest-beta; so is whether a policy set is where an assignment comes from (source):
intune-apps-mobileappassignment?view=graph-rest-beta.

Of the refusals only the statuses are published; the texts are the lab's own, and no client may depend on them. Where it is unknown what the service does,
the tenant does what is harder on a client: an assignment that was made again has another id, a second one to the same target is refused unless a policy
set made the first, and what a policy set made is not removed alone.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..answers import Answer, bad_request, encode, not_found
from ..operation import NO_CONTENT, Call, operation
from ..store import Object
from .references import APPS, CONFIGURATION, licensed

#: path: (Graph type, table, type of an assignment, permissions)
_FAMILIES = {
    "/deviceAppManagement/mobileApps": ("mobileApp", "mobile_apps", "mobileAppAssignment", APPS),
    "/deviceAppManagement/mobileAppConfigurations": (
        "managedDeviceMobileAppConfiguration",
        "mobile_app_configurations",
        "managedDeviceMobileAppConfigurationAssignment",
        APPS,
    ),
    "/deviceAppManagement/targetedManagedAppConfigurations": (
        "targetedManagedAppConfiguration",
        "managed_app_configurations",
        "targetedManagedAppPolicyAssignment",
        APPS,
    ),
    "/deviceManagement/deviceConfigurations": ("deviceConfiguration", "device_configurations", "deviceConfigurationAssignment", CONFIGURATION),
}
_TARGETS = ("allDevicesAssignmentTarget", "allLicensedUsersAssignmentTarget", "groupAssignmentTarget", "exclusionGroupAssignmentTarget")
_FILTER = "deviceAndAppManagementAssignmentFilter"


def _of(item: Object) -> list[Object]:
    return item.get("_assignments", [])


def _of_policy_set(assignment: Object) -> bool:
    return assignment.get("source") == "policySets"


def _in_v1(assignment: Object) -> Object:
    target = {name: value for name, value in assignment["target"].items() if not name.startswith(_FILTER)}
    return {name: value for name, value in assignment.items() if name not in ("source", "sourceId")} | {"target": target}


def _raw(call: Call, values: list[Object]) -> Answer:
    """Of beta, for which there is no description to hold it to."""
    return Answer(200, encode({"@odata.context": f"{call.url}/$metadata#{call.path.strip('/')}", "value": values}))


def _target(target: Any) -> tuple[str, str]:
    """What tells assignments apart. Refuses what is none of Microsoft's types, and a group without its id."""
    kind = str((target or {}).get("@odata.type") or "").rpartition(".")[2]
    if kind not in _TARGETS:
        bad_request(f"lab: {kind!r} is no target of an assignment.", "BadRequest")
    group = str(target.get("groupId") or "")
    if "roup" in kind and not group:
        bad_request("lab: the target has no groupId.", "BadRequest")
    return kind.replace("exclusionGroup", "group"), group


def _declare(path: str, kind: str, table: str, assignment: str, permissions: str) -> None:
    write = " ".join(name for name in permissions.split() if ".ReadWrite." in name)

    @operation("GET", f"{path}/{{id}}", permissions=permissions)
    def get(call: Call) -> Answer:
        licensed(call)
        return call.one(kind, call.get(table, call.params["id"]))

    @operation("GET", f"{path}/{{id}}/assignments", permissions=permissions)
    def listed(call: Call) -> Answer:
        licensed(call)
        rows = _of(call.get(table, call.params["id"]))
        return _raw(call, rows) if call.beta else call.page(assignment, [_in_v1(row) for row in rows])

    @operation("POST", f"{path}/{{id}}/assignments", permissions=write, body=assignment)
    def create(call: Call) -> Answer:
        licensed(call)
        item = call.current(table, call.params["id"])
        wanted = (_target(call.body.get("target")), call.body.get("intent"))
        if assignment == "mobileAppAssignment" and not wanted[1]:
            bad_request("lab: an app is assigned with an intent.", "BadRequest")
        if wanted in [(_target(row["target"]), row.get("intent")) for row in _of(item) if not _of_policy_set(row)]:
            bad_request("lab: there is such an assignment already.", "BadRequest")
        made = {"@odata.type": f"#microsoft.graph.{assignment}", "id": str(uuid.uuid4())}
        made |= {name: value for name, value in call.body.items() if name in ("intent", "target", "settings")}
        call.store.put(table, item["id"], {"_assignments": [*_of(item), made]})
        return call.one(assignment, made, 201)

    @operation("DELETE", f"{path}/{{id}}/assignments/{{assignment}}", permissions=write)
    def delete(call: Call) -> Answer:
        licensed(call)
        item = call.current(table, call.params["id"])
        left = [row for row in _of(item) if row["id"] != call.params["assignment"]]
        if len(left) == len(_of(item)):
            not_found(call.params["assignment"])
        if any(_of_policy_set(row) for row in _of(item) if row not in left):
            bad_request("lab: a policy set makes this assignment.", "BadRequest")
        call.store.put(table, item["id"], {"_assignments": left})
        return NO_CONTENT


for _path, _values in _FAMILIES.items():
    _declare(_path, *_values)


def _declare_devices(path: str, table: str, kind: str, permissions: str) -> None:
    @operation("GET", path, permissions=permissions)
    def counted(call: Call) -> Answer:
        licensed(call)
        item = call.get(table, call.params["id"])
        names = ("pendingCount", "notApplicableCount", "successCount", "errorCount", "failedCount")
        return call.one(kind, {"id": item["id"], **dict.fromkeys(names, 0), **item.get("_devices", {})})


_declare_devices(
    "/deviceAppManagement/mobileAppConfigurations/{id}/deviceStatusSummary",
    "mobile_app_configurations",
    "managedDeviceMobileAppConfigurationDeviceSummary",
    APPS,
)
_declare_devices(
    "/deviceManagement/deviceConfigurations/{id}/deviceStatusOverview", "device_configurations", "deviceConfigurationDeviceOverview", CONFIGURATION
)


def _declare_beta(path: str, table: str) -> None:
    """learn.microsoft.com/graph/api/resources/intune-deviceconfigv2-devicemanagementconfigurationpolicyassignment (view=graph-rest-beta), and that of
    intune-grouppolicy-grouppolicyconfiguration."""

    @operation("GET", f"{path}/{{id}}/assignments", permissions=CONFIGURATION)
    def listed(call: Call) -> Answer:
        licensed(call)
        if not call.beta:
            bad_request(f"Resource not found for the segment '{path.split('/')[2]}'.", "BadRequest")
        return _raw(call, _of(call.get(table, call.params["id"])))


_declare_beta("/deviceManagement/configurationPolicies", "configuration_policies")
_declare_beta("/deviceManagement/groupPolicyConfigurations", "group_policies")
