# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delegated permission grants. Sources: learn.microsoft.com/graph/api/resources/oauth2permissiongrant, oauth2permissiongrant-post, -update;
hashicorp/terraform-provider-azuread#690 (a second one for the same client, resource and user), MicrosoftDocs/azure-docs#105249 (what cannot be changed).
"""

from __future__ import annotations

import uuid

from .. import odata
from ..answers import Answer, GraphError, bad_request
from ..operation import NO_CONTENT, Call, operation

_WRITE = "DelegatedPermissionGrant.ReadWrite.All Directory.ReadWrite.All"
_READ = f"Directory.Read.All {_WRITE}"
#: what no two grants have in common
_KEY = ("clientId", "resourceId", "consentType", "principalId")


@operation("GET", "/oauth2PermissionGrants", permissions=_READ, units=2)
def list_grants(call: Call) -> Answer:
    return call.page("oAuth2PermissionGrant", call.table("oauth2_permission_grants"))


@operation("GET", "/oauth2PermissionGrants/delta", permissions=_READ)
def delta(call: Call) -> Answer:
    return odata.delta(call, "oAuth2PermissionGrant", "oauth2_permission_grants")


@operation("GET", "/oauth2PermissionGrants/{id}", permissions=_READ, units=2)
def get_grant(call: Call) -> Answer:
    return call.one("oAuth2PermissionGrant", call.get("oauth2_permission_grants", call.params["id"]))


@operation("POST", "/oauth2PermissionGrants", permissions=_WRITE, body="oAuth2PermissionGrant")
def create(call: Call) -> Answer:
    body, principals = call.body, call.table("service_principals").objects
    if body.get("clientId") not in principals or body.get("resourceId") not in principals or not body.get("scope"):
        bad_request("Not a valid reference update.")
    values = {"id": str(uuid.uuid4()), "consentType": None, "principalId": None} | body
    if values["consentType"] not in ("AllPrincipals", "Principal"):
        bad_request("Invalid value specified for property 'consentType' of resource 'OAuth2PermissionGrant'.")
    if (values["consentType"] == "Principal") is not (values["principalId"] in call.table("users").objects):
        bad_request("Not a valid reference update.")
    if any(all(grant[name] == values[name] for name in _KEY) for grant in call.table("oauth2_permission_grants").objects.values()):
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
    call.audit("Add delegated permission grant", "ServicePrincipal", principals[body["clientId"]])
    return call.one("oAuth2PermissionGrant", call.store.put("oauth2_permission_grants", values["id"], values), 201)


@operation("PATCH", "/oauth2PermissionGrants/{id}", permissions=_WRITE, body="oAuth2PermissionGrant")
def update(call: Call) -> Answer:
    grant = call.current("oauth2_permission_grants", call.params["id"])
    if wrong := sorted(set(call.body) - {"scope"}):
        bad_request(f"Property cannot be updated: {wrong[0]}")
    call.store.put("oauth2_permission_grants", grant["id"], {"scope": call.body.get("scope")})
    call.audit("Add delegated permission grant", "ServicePrincipal", {"id": grant["clientId"]})
    return NO_CONTENT


@operation("DELETE", "/oauth2PermissionGrants/{id}", permissions=_WRITE)
def delete(call: Call) -> Answer:
    grant = call.current("oauth2_permission_grants", call.params["id"])
    call.store.remove("oauth2_permission_grants", grant["id"])
    call.audit("Remove delegated permission grant", "ServicePrincipal", {"id": grant["clientId"]})
    return NO_CONTENT
