# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications with their service principals, grants and assignments, as the tenant has them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from ..._core import names, plain
from ..._core.errors import AmbiguousMatch, NotExact
from ..._core.model import Object
from ..._core.plan import ANSWER_LIMIT
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._graph.errors import GraphError
from .audit import check_client_id, entries_of
from .options import InfoOptions
from .plan import APPLICATION, ASSIGNMENT, GRANT, GRAPH_APP_ID, MICROSOFT_TENANTS, PRINCIPAL, reasons

_APPLICATION_FIELDS = "id,appId,displayName,createdDateTime,identifierUris,notes,web,spa,publicClient,passwordCredentials,keyCredentials"


_PRINCIPAL_FIELDS = "id,appId,displayName,accountEnabled,appOwnerOrganizationId,homepage,replyUrls,servicePrincipalType"


def read_app(client: Client, client_id: str) -> Iterator[Object]:
    """The application, its service principal, deleted ones of both, and what the principal holds. Raises AmbiguousMatch, OffboardError `bad_option`."""
    check_client_id(client_id)
    for kind, path, fields in ((APPLICATION, "applications", _APPLICATION_FIELDS), (PRINCIPAL, "servicePrincipals", _PRINCIPAL_FIELDS)):
        living = list(client.list(f"/{path}?$filter=appId eq '{client_id}'&$select={fields}"))
        deleted = [item for item in client.list(f"/directory/deletedItems/microsoft.graph.{path.removesuffix('s')}?$top=999") if item.get("appId") == client_id]
        if len(living) > 1:
            found = [{"id": item["id"], "name": item["displayName"]} for item in living]
            raise AmbiguousMatch(f"{len(found)} {kind} objects have the client id {client_id}", found)
        for item in living:
            yield Object(kind, item["id"], item["displayName"], _state(kind, item, deleted=False))
            if kind == PRINCIPAL:
                yield from read_grants(client, item["id"], item["displayName"])
        if not living:
            for item in deleted:
                yield Object(kind, item["id"], item["displayName"], _state(kind, item, deleted=True))


def check_object_id(client: Client, client_id: str) -> None:
    """Raises NotExact where what was given as client id is the object id of an application or a service principal, which the portal shows beside it."""
    for kind, path in ((APPLICATION, "applications"), (PRINCIPAL, "servicePrincipals")):
        for item in client.list(f"/{path}?$filter=id eq '{client_id}'&$select=id,appId,displayName"):
            shown = plain.line(str(item.get("displayName")))
            msg = f"no application has the client id {client_id}: it is the object id of the {kind} {shown}, whose client id is {item['appId']}"
            raise NotExact(msg, [{"kind": kind, "client_id": item["appId"], "name": shown}])


def _state(kind: str, item: Mapping[str, Any], deleted: bool) -> dict[str, Any]:
    state: dict[str, Any] = {"appId": item["appId"], "displayName": item["displayName"], "deleted": deleted}
    if deleted:
        state["deletedDateTime"] = item.get("deletedDateTime")
    if kind == PRINCIPAL:
        state |= {"accountEnabled": item.get("accountEnabled"), "appOwnerOrganizationId": item.get("appOwnerOrganizationId")}
    return state


def read_grants(client: Client, principal_id: str, name: str) -> Iterator[Object]:
    """Delegated permissions that were granted to the principal, and application permissions that it holds."""
    for item in client.list_below(f"/servicePrincipals/{principal_id}", "oauth2PermissionGrants"):
        state = {key: item.get(key) for key in ("clientId", "resourceId", "scope", "consentType", "principalId")}
        yield Object(GRANT, item["id"], f"{name}: {(item.get('scope') or '').strip()} (delegated)", state)
    roles: dict[str, dict[str, str]] = {}
    for item in client.list_below(f"/servicePrincipals/{principal_id}", "appRoleAssignments"):
        resource = item["resourceId"]
        if resource not in roles:
            roles[resource] = _role_names(client, resource)
        permission = roles[resource].get(item["appRoleId"], item["appRoleId"])
        state = {key: item.get(key) for key in ("principalId", "resourceId", "appRoleId")} | {"permission": permission}
        yield Object(ASSIGNMENT, item["id"], f"{name}: {permission} on {item.get('resourceDisplayName')}", state)


def _role_names(client: Client, resource_id: str) -> dict[str, str]:
    try:
        roles = client.get(f"/servicePrincipals/{resource_id}?$select=id,appRoles").get("appRoles") or ()
    except GraphError as exc:
        if exc.status != 404:
            raise
        return {}  # the resource is gone, and the assignment has outlived it: only its name is missing
    return {role["id"]: role.get("value") or role["id"] for role in roles}


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_app_info."""
    options = InfoOptions.of(params)
    with Client(Connection.from_params(params)) as client:
        apps = _all_apps(client)
        found = []
        for app in apps.values():
            app["why"] = reasons(app, options.client_ids, options.name_patterns, options.hosts)
            if app["why"]:
                found.append({**app, **_details(client, app, options.activity_hours)})
    known = names.uuids(apps)
    missing = [client_id for client_id in options.client_ids if client_id not in known]
    return {"apps": sorted(found, key=lambda app: -len(app["why"])), "missing": missing}


def _all_apps(client: Client) -> dict[str, dict[str, Any]]:
    """Every application of the tenant but Microsoft's, by client id, with its permissions on Microsoft Graph."""
    graph = next(client.list(f"/servicePrincipals?$filter=appId eq '{GRAPH_APP_ID}'&$select=id,appRoles"), None)
    permissions: dict[str, list[str]] = {}
    if graph is not None:
        values = {role["id"]: role.get("value") or role["id"] for role in graph.get("appRoles") or ()}
        for item in client.list(f"/servicePrincipals/{graph['id']}/appRoleAssignedTo?$top=999"):
            permissions.setdefault(item["principalId"], []).append(values.get(item["appRoleId"], item["appRoleId"]))
    apps: dict[str, dict[str, Any]] = {}
    sources = (
        (False, APPLICATION, f"/applications?$select={_APPLICATION_FIELDS}&$top=999"),
        (False, PRINCIPAL, f"/servicePrincipals?$select={_PRINCIPAL_FIELDS}&$top=999"),
        (True, APPLICATION, "/directory/deletedItems/microsoft.graph.application?$top=999"),
        (True, PRINCIPAL, "/directory/deletedItems/microsoft.graph.servicePrincipal?$top=999"),
    )
    for deleted, kind, path in sources:
        # of several deleted ones the newest is told last: it is the one that would come back
        for item in sorted(client.list(path), key=lambda one: one.get("deletedDateTime") or "") if deleted else client.list(path):
            there = apps.get(item["appId"])
            if item.get("appOwnerOrganizationId") in MICROSOFT_TENANTS or (deleted and there and not there["deleted"]):
                continue
            app = apps.setdefault(item["appId"], _empty(item, deleted))
            app["addresses"] += _addresses(item)
            if kind == APPLICATION:
                app["application_id"] = item["id"]
                app["secrets"] = [_credential(entry) for entry in (item.get("passwordCredentials") or [])]
                app["certificates"] = [_credential(entry) for entry in (item.get("keyCredentials") or [])]
            else:
                app["service_principal_id"], app["enabled"] = item["id"], item.get("accountEnabled")
                app["permissions"] = sorted(permissions.get(item["id"], []))
    return apps


def _empty(item: Mapping[str, Any], deleted: bool) -> dict[str, Any]:
    return {
        "client_id": item["appId"],
        "display_name": item["displayName"],
        "application_id": None,
        "service_principal_id": None,
        "enabled": None,
        "deleted": deleted,
        "permissions": [],
        "secrets": [],
        "certificates": [],
        "addresses": [],
    }


def _addresses(item: Mapping[str, Any]) -> list[str]:
    web = item.get("web") or {}
    texts = [item.get("homepage"), item.get("notes"), web.get("homePageUrl"), web.get("logoutUrl")]
    texts += [*(item.get("replyUrls") or ()), *(item.get("identifierUris") or ())]
    texts += [uri for platform in ("web", "spa", "publicClient") for uri in (item.get(platform) or {}).get("redirectUris") or ()]
    return [text for text in texts if text]


def _credential(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Never the secret: Graph does not give it, and its hint is left out."""
    return {"key_id": entry.get("keyId"), "end": entry.get("endDateTime")}


def _details(client: Client, app: Mapping[str, Any], activity_hours: int) -> dict[str, Any]:
    """What costs requests, and is read for those apps only that something speaks for."""
    principal, grants, roles = app["service_principal_id"], [], []
    if principal and not app["deleted"]:
        grants = [dict(item.state, id=item.id) for item in read_grants(client, principal, app["display_name"]) if item.kind == GRANT]
        definitions = {item["id"]: item["displayName"] for item in client.list("/roleManagement/directory/roleDefinitions?$select=id,displayName")}
        held = client.list(f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{principal}'")
        roles = [definitions.get(item["roleDefinitionId"], item["roleDefinitionId"]) for item in held]
    details: dict[str, Any] = {"grants": grants, "directory_roles": roles, "last_activity": None, "activity_count": None, "activity_times": None}
    if activity_hours:
        since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=activity_hours)
        entries = entries_of(client, app["client_id"], f"{since:%Y-%m-%dT%H:%M:%SZ}")
        times = [item["activityDateTime"] for item in entries]
        newest = sorted(times, reverse=True)[:ANSWER_LIMIT]
        details |= {"last_activity": max(times, default=None), "activity_count": len(times), "activity_times": newest}
    return details
