# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Intune: assignments are made, shown and removed as Microsoft describes it, and what it would not take is refused."""

from __future__ import annotations

from typing import Any

import pytest
from lab import company
from lab.testing import RunningTenant

APP = f"/deviceAppManagement/mobileApps/{company.make_id('mobile_apps', 'IIJ SmartKey')}"
PROFILE = f"/deviceManagement/deviceConfigurations/{company.make_id('device_configurations', 'iPhoneのシングルサインオン')}"
TYPE, DEVICES = "#microsoft.graph.mobileAppAssignment", {"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}
NEW = {"@odata.type": TYPE, "intent": "required", "target": DEVICES}
USERS = {"@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget"}


def test_an_assignment_comes_and_goes(tenant: RunningTenant) -> None:
    client = tenant.client()
    before = client.get(f"{APP}/assignments").data["value"]
    made = client.call("POST", f"{APP}/assignments", NEW)
    assert made.status == 201 and made.data["target"] == DEVICES
    assert [item["id"] for item in client.get(f"{APP}/assignments").data["value"]] == [*(item["id"] for item in before), made.data["id"]]
    path = f"{APP}/assignments/{made.data['id']}"
    assert [client.call("DELETE", path).status for _ in range(2)] == [204, 404]
    assert client.get(f"{APP}/assignments").data["value"] == before
    assert client.call("POST", f"{APP}/assignments", NEW).data["id"] != made.data["id"]
    assert client.get(APP).data["displayName"] == "IIJ SmartKey" and tenant.violations() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"@odata.type": TYPE, "target": DEVICES}, 400),
        ({"@odata.type": TYPE, "intent": "required"}, 400),
        ({**NEW, "target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget"}}, 400),
        ({**NEW, "target": {"@odata.type": "#microsoft.graph.deviceAndAppManagementAssignmentTarget"}}, 400),
        # there is one already
        ({**NEW, "intent": "available", "target": USERS}, 400),
    ],
)
def test_what_is_refused(tenant: RunningTenant, body: dict[str, Any], status: int) -> None:
    before = tenant.client().get(f"{APP}/assignments").data
    assert tenant.client().call("POST", f"{APP}/assignments", body).status == status
    assert tenant.client().get(f"{APP}/assignments").data == before


def test_who_may_and_where(tenant: RunningTenant) -> None:
    assert tenant.client("readonly").get(f"{APP}/assignments").status == 403
    assert tenant.client("readonly").call("POST", f"{APP}/assignments", NEW).status == 403
    nowhere = f"/deviceAppManagement/mobileApps/{company.make_id('mobile_apps', 'no such')}"
    assert tenant.client().call("POST", f"{nowhere}/assignments", NEW).status == tenant.client().get(nowhere).status == 404
    # v1.0 counts the devices of apps that were detected only
    detected = tenant.client().get("/deviceManagement/detectedApps?$filter=displayName%20eq%20'IIJ%20SmartKey'").data["value"]
    assert sorted(item["deviceCount"] for item in detected) == [41, 120] and tenant.client("readonly").get("/deviceManagement/detectedApps").status == 403
    assert tenant.client().get(f"{APP}/installSummary").status >= 400
    assert tenant.client().get(f"{PROFILE}/deviceStatusOverview").data["successCount"] == 31
    tenant.settings.change({"intune": False})
    assert tenant.client().get(f"{APP}/assignments").status == 400


def test_filters_are_in_beta_only(tenant: RunningTenant) -> None:
    name = "deviceAndAppManagementAssignmentFilterId"
    row = company.assignment("allDevices", "required", **{name: company.make_id("filter", "a")})
    tenant.arrange("mobile_apps", APP.rpartition("/")[2], _assignments=[row])
    client = tenant.client()
    assert name not in client.get(f"{APP}/assignments").data["value"][0]["target"]
    beta = client.rest.call("GET", f"/beta{APP}/assignments", None, client._headers)
    assert beta.data["value"] == [row]
    assert client.call("POST", f"{APP}/assignments", {**row, "@odata.type": TYPE}).status == 400 and len(tenant.violations()) > 0
    tenant.violations().clear()
