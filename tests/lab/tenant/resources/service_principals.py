# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service principals and what they hold. Sources: learn.microsoft.com/graph/api/resources/serviceprincipal and its operations."""

from __future__ import annotations

import uuid

from ... import company
from .. import odata
from ..answers import Answer, GraphError, bad_request, now
from ..operation import NO_CONTENT, Call, by_alternate_key, operation
from ..store import Object
from .applications import delete_principal
from .users import find as find_user
from .users import find_current as current_user

_READ = "Application.Read.All Application.ReadWrite.All Directory.Read.All"
_WRITE = "Application.ReadWrite.All Directory.ReadWrite.All"
_CHANGEABLE = {"accountEnabled", "appRoleAssignmentRequired", "description", "displayName", "homepage", "isDisabled", "notes", "tags"}


def _find(call: Call) -> Object:
    return call.get("service_principals", by_alternate_key(call, "service_principals", call.params["principal"]))


def _current(call: Call) -> Object:
    return call.current("service_principals", by_alternate_key(call, "service_principals", call.params["principal"]))


@operation("GET", "/servicePrincipals", permissions=_READ)
def list_principals(call: Call) -> Answer:
    return call.page("servicePrincipal", call.table("service_principals"))


@operation("GET", "/servicePrincipals/{principal}", permissions=f"{_READ} Directory.ReadWrite.All")
def get_principal(call: Call) -> Answer:
    return call.one("servicePrincipal", _find(call))


@operation("PATCH", "/servicePrincipals/{principal}", permissions=_WRITE, body="servicePrincipal")
def update(call: Call) -> Answer:
    principal = _current(call)
    if wrong := set(call.body) - _CHANGEABLE:
        bad_request(f"Property '{sorted(wrong)[0]}' is read-only and cannot be set.")
    call.store.put("service_principals", principal["id"], call.body)
    call.audit("Update service principal", "ServicePrincipal", principal)
    return NO_CONTENT


@operation("POST", "/servicePrincipals", permissions=_WRITE, body="servicePrincipal")
def create(call: Call) -> Answer:
    """Of an application of this tenant. The texts are those of public reports (terraform-provider-azuread, Azure CLI)."""
    app_id = call.body.get("appId")
    application = next((item for item in call.table("applications").objects.values() if item["appId"] == app_id), None)
    if application is None:
        bad_request(f"The appId '{app_id}' of the service principal does not reference a valid application object.")
    if any(item["appId"] == app_id for item in call.table("service_principals").objects.values()):
        text = f"The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", text)
    if wrong := set(call.body) - _CHANGEABLE - {"appId"}:
        bad_request(f"Property '{sorted(wrong)[0]}' is read-only and cannot be set.")
    values = company.service_principal(str(app_id), application["displayName"], id=str(uuid.uuid4()), tags=[]) | call.body
    call.audit("Add service principal", "ServicePrincipal", values)
    return call.one("servicePrincipal", call.store.put("service_principals", values["id"], values), 201)


@operation("GET", "/servicePrincipals/delta", permissions=f"{_READ} Directory.ReadWrite.All")
def delta(call: Call) -> Answer:
    return odata.delta(call, "servicePrincipal", "service_principals")


@operation("GET", "/servicePrincipals/{principal}/synchronization/jobs", permissions="Synchronization.Read.All Synchronization.ReadWrite.All")
def synchronization_jobs(call: Call) -> Answer:
    principal = _find(call)
    return call.page("synchronizationJob", [item for item in call.table("synchronization_jobs") if item["_principal"] == principal["id"]])


@operation("DELETE", "/servicePrincipals/{principal}", permissions=_WRITE)
def delete(call: Call) -> Answer:
    delete_principal(call, _current(call))
    return NO_CONTENT


@operation("GET", "/servicePrincipals/{principal}/owners", permissions=f"{_READ} Directory.ReadWrite.All")
def owners(call: Call) -> Answer:
    _find(call)
    return call.page("directoryObject", [])


@operation(
    "GET", "/servicePrincipals/{principal}/memberOf", "/servicePrincipals/{principal}/transitiveMemberOf", permissions=f"{_READ} Directory.ReadWrite.All"
)
def member_of(call: Call) -> Answer:
    """Groups of the lab hold users, but for what a test arranges. Source: learn.microsoft.com/graph/api/serviceprincipal-list-memberof."""
    key = _find(call)["id"]
    return call.page("directoryObject", [{"@odata.type": "#microsoft.graph.group", **item} for item in call.table("groups") if key in item["_members"]])


@operation(
    "GET",
    "/servicePrincipals/{principal}/oauth2PermissionGrants",
    permissions="Directory.Read.All DelegatedPermissionGrant.ReadWrite.All Directory.ReadWrite.All",
)
def grants(call: Call) -> Answer:
    key = _find(call)["id"]
    return call.page("oAuth2PermissionGrant", [item for item in call.table("oauth2_permission_grants") if item["clientId"] == key])


@operation("GET", "/servicePrincipals/{principal}/appRoleAssignments", permissions=f"{_READ} Directory.ReadWrite.All", units=2)
def assignments(call: Call) -> Answer:
    key = _find(call)["id"]
    return call.page("appRoleAssignment", [item for item in call.table("app_role_assignments") if item["principalId"] == key])


@operation("GET", "/servicePrincipals/{principal}/appRoleAssignedTo", permissions=f"{_READ} Directory.ReadWrite.All")
def assigned_to(call: Call) -> Answer:
    key = _find(call)["id"]
    return call.page("appRoleAssignment", [item for item in call.table("app_role_assignments") if item["resourceId"] == key])


@operation(
    "POST",
    "/servicePrincipals/{principal}/appRoleAssignments",
    "/servicePrincipals/{principal}/appRoleAssignedTo",
    permissions="AppRoleAssignment.ReadWrite.All",
    body="appRoleAssignment",
)
def assign(call: Call) -> Answer:
    body, principals = call.body, call.table("service_principals").objects
    principal, resource = principals.get(str(body.get("principalId"))), principals.get(str(body.get("resourceId")))
    if principal is None or resource is None or _current(call)["id"] not in (principal["id"], resource["id"]):
        bad_request("Not a valid reference update.")
    return _assigned(call, principal, "ServicePrincipal", resource)


#: an application without roles is assigned with this one
_DEFAULT_ROLE = "00000000-0000-0000-0000-000000000000"


def _assigned(call: Call, principal: Object, kind: str, resource: Object) -> Answer:
    body = call.body
    roles = {role["id"] for role in resource["appRoles"]} or {_DEFAULT_ROLE}
    if body.get("appRoleId") not in roles:
        bad_request("Permission being assigned was not found on application.")
    for item in call.table("app_role_assignments").objects.values():
        if all(item[name] == body[name] for name in ("principalId", "resourceId", "appRoleId")):
            raise GraphError(400, "Request_BadRequest", "Permission being assigned already exists on the object.")
    values = {
        "id": str(uuid.uuid4()),
        "appRoleId": body["appRoleId"],
        "createdDateTime": now(),
        "deletedDateTime": None,
        "principalDisplayName": principal["displayName"],
        "principalId": principal["id"],
        "principalType": kind,
        "resourceDisplayName": resource["displayName"],
        "resourceId": resource["id"],
    }
    target = "service principal" if kind == "ServicePrincipal" else "user"
    call.audit(f"Add app role assignment {'grant ' if kind == 'User' else ''}to {target}", kind, principal)
    return call.one("appRoleAssignment", call.store.put("app_role_assignments", values["id"], values), 201)


@operation("GET", "/users/{user}/appRoleAssignments", permissions="AppRoleAssignment.ReadWrite.All Directory.Read.All", units=2)
def user_assignments(call: Call) -> Answer:
    """The user's own, and those of the groups that they are a direct member of."""
    user = find_user(call)
    principals = {user["id"], *(item["id"] for item in call.table("groups") if user["id"] in item["_members"])}
    return call.page("appRoleAssignment", [item for item in call.table("app_role_assignments") if item["principalId"] in principals])


@operation("POST", "/users/{user}/appRoleAssignments", permissions="AppRoleAssignment.ReadWrite.All", body="appRoleAssignment")
def assign_to_user(call: Call) -> Answer:
    user, resource = current_user(call), call.table("service_principals").objects.get(str(call.body.get("resourceId")))
    if resource is None or call.body.get("principalId") != user["id"]:
        bad_request("Not a valid reference update.")
    return _assigned(call, user, "User", resource)


@operation("DELETE", "/users/{user}/appRoleAssignments/{id}", permissions="AppRoleAssignment.ReadWrite.All")
def unassign_user(call: Call) -> Answer:
    user = current_user(call)
    _unassign(call, user["id"])
    call.audit("Remove app role assignment grant from user", "User", user)
    return NO_CONTENT


@operation(
    "DELETE",
    "/servicePrincipals/{principal}/appRoleAssignments/{id}",
    "/servicePrincipals/{principal}/appRoleAssignedTo/{id}",
    permissions="AppRoleAssignment.ReadWrite.All Application.ReadWrite.All",
)
def unassign(call: Call) -> Answer:
    principal = _current(call)
    _unassign(call, principal["id"])
    call.audit("Remove app role assignment from service principal", "ServicePrincipal", principal)
    return NO_CONTENT


def _unassign(call: Call, holder: str) -> None:
    assignment = call.table("app_role_assignments").objects.get(call.params["id"])
    if assignment is None or holder not in (assignment["principalId"], assignment["resourceId"]):
        # 400, not 404: microsoft-graph-docs#12385, msgraph-sdk-dotnet#968
        bad_request("EntitlementGrant being updated or deleted is not found.")
    call.store.remove("app_role_assignments", assignment["id"])
