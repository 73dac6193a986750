# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organization. Source: learn.microsoft.com/graph/api/organization-list."""

from __future__ import annotations

import datetime

from ... import company
from ..answers import Answer, not_found
from ..operation import Call, operation
from ..store import Object

_READ = "Organization.Read.All Organization.ReadWrite.All Directory.Read.All Directory.ReadWrite.All User.Read.All"


def _organization(call: Call) -> Object:
    synced = any(item["onPremisesSyncEnabled"] for item in call.table("users"))
    # Entra Connect runs every 30 minutes: https://learn.microsoft.com/entra/identity/hybrid/connect/how-to-connect-sync-feature-scheduler
    last = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=20)
    return {
        "id": company.tenant_id(),
        "displayName": company.data()["tenant"]["display_name"],
        "countryLetterCode": "JP",
        "preferredLanguage": "ja",
        "tenantType": "AAD",
        "createdDateTime": "2022-04-01T00:00:00Z",
        "onPremisesSyncEnabled": True if synced else None,
        "onPremisesLastSyncDateTime": f"{last:%Y-%m-%dT%H:%M:%SZ}" if synced else None,
        "verifiedDomains": [
            {
                "name": item["id"],
                "type": "Managed",
                "isDefault": item["isDefault"],
                "isInitial": item["isInitial"],
                "capabilities": ", ".join(item["supportedServices"]),
            }
            for item in call.table("domains")
            if item["isVerified"]
        ],
        "assignedPlans": [],
        "businessPhones": [],
        "technicalNotificationMails": [],
    }


@operation("GET", "/organization", permissions=_READ)
def list_organizations(call: Call) -> Answer:
    return call.page("organization", [_organization(call)])


@operation("GET", "/organization/{id}", permissions="User.Read.All")
def get_organization(call: Call) -> Answer:
    if call.params["id"] != company.tenant_id():
        not_found(call.params["id"])
    return call.one("organization", _organization(call))
