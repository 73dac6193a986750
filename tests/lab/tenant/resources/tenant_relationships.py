# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tenant knows of others. Sources: learn.microsoft.com/graph/api/tenantrelationship-findtenantinformationbydomainname,
-findtenantinformationbytenantid, -list-delegatedadminrelationships."""

from __future__ import annotations

from ... import company
from ..answers import Answer, not_found
from ..operation import Call, operation
from ..store import Object

_INFORMATION = "CrossTenantInformation.ReadBasic.All CrossTenantInformation.Read.All"
_PATH = "/tenantRelationships"


def _tenants(call: Call) -> list[tuple[str, Object]]:
    """Domain and tenant, its own ones first. Each domain of `outside` is a tenant of its own."""
    own = company.data()["tenant"]
    mine = {
        "tenantId": company.tenant_id(),
        "federationBrandName": None,
        "displayName": own["display_name"],
        "defaultDomainName": own["default_domain"],
    }
    others = [
        (name, {"tenantId": company.make_id("tenant", name), "federationBrandName": None, "displayName": name.partition(".")[0], "defaultDomainName": name})
        for name in call.graph.outside.tenants
    ]
    return [(item["id"], mine) for item in call.table("domains") if item["isVerified"]] + others


def _answer(call: Call, found: Object | None, wanted: str) -> Answer:
    return call.one("tenantInformation", found or not_found(wanted), context="microsoft.graph.tenantInformation")


@operation("GET", f"{_PATH}/findTenantInformationByDomainName/{{domain}}", permissions=_INFORMATION)
def by_domain(call: Call) -> Answer:
    wanted = call.params["domain"].partition("=")[2].lower()
    return _answer(call, next((item for name, item in _tenants(call) if name == wanted), None), wanted)


@operation("GET", f"{_PATH}/findTenantInformationByTenantId/{{id}}", permissions=_INFORMATION)
def by_id(call: Call) -> Answer:
    wanted = call.params["id"].partition("=")[2].lower()
    return _answer(call, next((item for _, item in _tenants(call) if item["tenantId"] == wanted), None), wanted)


@operation("GET", f"{_PATH}/delegatedAdminRelationships", permissions="DelegatedAdminRelationship.Read.All DelegatedAdminRelationship.ReadWrite.All")
def delegated(call: Call) -> Answer:
    """No partner administers the fixture company."""
    return call.page("delegatedAdminRelationship", [])
