# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""App registrations with their service principals and grants: found with reasons, switched off, removed by client id, brought back."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from .._core.errors import AmbiguousMatch, OffboardError
from .._core.model import Change, Object, Outcome, Refusal
from .._module.runner import ANSWER_LIMIT, Plan
from .._module.spool import Spool
from .app_audit import entries_of
from .client import Client
from .connection import Connection
from .ids import is_id
from .of_tenant import OfTenant

APPLICATION, PRINCIPAL, GRANT, ASSIGNMENT = "application", "servicePrincipal", "oauth2PermissionGrant", "appRoleAssignment"

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
#: Tenants that own Microsoft's own applications; https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
MICROSOFT_TENANTS = {"f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"}

#: Application permissions with which an identity provider converts domains and writes users. Holding one of each group is a reason.
_DOMAIN_WRITERS = {"Domain.ReadWrite.All"}
_USER_WRITERS = {"User.ReadWrite.All", "Directory.ReadWrite.All"}

_APPLICATION_FIELDS = "id,appId,displayName,createdDateTime,identifierUris,notes,web,passwordCredentials,keyCredentials"
_PRINCIPAL_FIELDS = "id,appId,displayName,accountEnabled,appOwnerOrganizationId,homepage,replyUrls,servicePrincipalType"


# -- pure


def reasons(app: Mapping[str, Any], named: Sequence[str], patterns: Sequence[str], hosts: Sequence[str]) -> list[str]:
    """Why an app may be the one that is looked for; empty when nothing speaks for it. `app` is as `info` returns it, `named` in lower case."""
    why = []
    if app["client_id"].casefold() in named:
        why.append("its client id was named")
    why += [f"its name matches {pattern}" for pattern in patterns if re.search(pattern, app["display_name"] or "")]
    addresses = [text for text in app["addresses"] if any(host in text for host in hosts)]
    why += [f"it has the address {text}" for text in addresses]
    held = set(app["permissions"])
    if held & _DOMAIN_WRITERS and held & _USER_WRITERS:
        why.append(f"it may convert domains and write users ({', '.join(sorted(held & (_DOMAIN_WRITERS | _USER_WRITERS)))})")
    return why


def plan_app(objects: Sequence[Object], client_id: str, state: str, enabled: bool | None, remove_grants: bool) -> Plan:
    """The changes in the order in which they are made: grants, service principal, application; back in the other order.

    Raises OffboardError `not_found` when there is nothing to keep or to bring back.
    """
    plan = Plan()
    by_kind: dict[str, list[Object]] = {}
    for item in objects:
        by_kind.setdefault(item.kind, []).append(item)
    applications, principals = by_kind.get(APPLICATION, []), by_kind.get(PRINCIPAL, [])
    grants = by_kind.get(GRANT, []) + by_kind.get(ASSIGNMENT, [])
    if state == "absent":
        for item in (*grants, *(one for one in (*principals, *applications) if not one.state["deleted"])):
            plan.changes.append(_removal(item))
    else:
        if not (*applications, *principals):
            raise OffboardError(f"the tenant has no application with the client id {client_id}, not even a deleted one", code="not_found")
        for item in (*applications, *principals):
            if item.state["deleted"]:
                back = Change(item.kind, item.id, item.name, "restore", {"deleted": True}, {"deleted": False}, "medium", "entra_app with state=absent")
                plan.changes.append(back)
        if remove_grants:
            for item in grants:
                plan.changes.append(_removal(item))
        for item in principals:
            if enabled is not None and item.state["accountEnabled"] != enabled:
                before, after = {"accountEnabled": item.state["accountEnabled"]}, {"accountEnabled": enabled}
                action, risk = ("enable", "low") if enabled else ("disable", "medium")
                undo = f"entra_app with enabled={str(not enabled).lower()}"
                plan.changes.append(Change(PRINCIPAL, item.id, item.name, action, before, after, risk, undo))
    if not len(plan.changes):
        plan.unchanged = 1
    return plan


def _removal(item: Object) -> Change:
    if item.kind in (GRANT, ASSIGNMENT):
        return Change(item.kind, item.id, item.name, "remove", item.state, None, "medium", "consent to the permission in before again")
    return Change(item.kind, item.id, item.name, "delete", {**item.state}, None, "high", "entra_app with state=present, within 30 days")


def guard_app(changes: Sequence[Change], client_id: str, own_app_id: str, owner: str | None) -> list[Refusal]:
    """Neither our own application nor one of Microsoft's may be switched off, stripped or deleted."""
    harmful = [change for change in changes if change.action not in ("enable", "restore")]
    if not harmful:
        return []
    refusals = []
    if client_id.casefold() == own_app_id.casefold():
        msg = f"{client_id} is the application that these modules sign in with. Sign in with another one."
        refusals.append(Refusal("own_identity", msg, (client_id,)))
    if owner in MICROSOFT_TENANTS:
        refusals.append(Refusal("microsoft_app", f"{client_id} ({harmful[0].name}) belongs to Microsoft.", (client_id,)))
    return refusals


# -- reading


def read_app(client: Client, client_id: str) -> Iterator[Object]:
    """The application, its service principal, deleted ones of both, and what the principal holds. Raises AmbiguousMatch."""
    for kind, path, fields in ((APPLICATION, "applications", _APPLICATION_FIELDS), (PRINCIPAL, "servicePrincipals", _PRINCIPAL_FIELDS)):
        living = list(client.list(f"/{path}?$filter=appId eq '{client_id}'&$select={fields}"))
        deleted = [item for item in client.list(f"/directory/deletedItems/microsoft.graph.{kind}?$top=999") if item.get("appId") == client_id]
        if len(living) > 1 or (not living and len(deleted) > 1):
            found = [{"id": item["id"], "name": item["displayName"]} for item in living or deleted]
            raise AmbiguousMatch(f"{len(found)} {kind} objects have the client id {client_id}", found)
        for item in living:
            yield Object(kind, item["id"], item["displayName"], _state(kind, item, deleted=False))
            if kind == PRINCIPAL:
                yield from read_grants(client, item["id"], item["displayName"])
        if not living:
            for item in deleted:
                yield Object(kind, item["id"], item["displayName"], _state(kind, item, deleted=True))


def _state(kind: str, item: Mapping[str, Any], deleted: bool) -> dict[str, Any]:
    state: dict[str, Any] = {"appId": item["appId"], "displayName": item["displayName"], "deleted": deleted}
    if kind == PRINCIPAL:
        state |= {"accountEnabled": item.get("accountEnabled"), "appOwnerOrganizationId": item.get("appOwnerOrganizationId")}
    return state


def read_grants(client: Client, principal_id: str, name: str) -> Iterator[Object]:
    """Delegated permissions that were granted to the principal, and application permissions that it holds."""
    for item in client.list(f"/servicePrincipals/{principal_id}/oauth2PermissionGrants"):
        state = {key: item.get(key) for key in ("clientId", "resourceId", "scope", "consentType", "principalId")}
        yield Object(GRANT, item["id"], f"{name}: {(item.get('scope') or '').strip()} (delegated)", state)
    roles: dict[str, dict[str, str]] = {}
    for item in client.list(f"/servicePrincipals/{principal_id}/appRoleAssignments"):
        resource = item["resourceId"]
        if resource not in roles:
            roles[resource] = _role_names(client, resource)
        permission = roles[resource].get(item["appRoleId"], item["appRoleId"])
        state = {key: item.get(key) for key in ("principalId", "resourceId", "appRoleId")} | {"permission": permission}
        yield Object(ASSIGNMENT, item["id"], f"{name}: {permission} on {item.get('resourceDisplayName')}", state)


def _role_names(client: Client, resource_id: str) -> dict[str, str]:
    roles = client.get(f"/servicePrincipals/{resource_id}?$select=id,appRoles").get("appRoles") or ()
    return {role["id"]: role.get("value") or role["id"] for role in roles}


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_app_info."""
    for pattern in params["name_patterns"]:
        try:
            re.compile(pattern)
        except re.error as exc:
            raise OffboardError(f"name_patterns: {pattern!r} is not a regular expression: {exc}", code="bad_option") from exc
    named = [client_id.strip().casefold() for client_id in params["client_ids"]]
    with Client(Connection.from_params(params)) as client:
        apps = _all_apps(client)
        found = []
        for app in apps.values():
            app["why"] = reasons(app, named, params["name_patterns"], params["hosts"])
            if app["why"]:
                found.append({**app, **_details(client, app, params["activity_hours"])})
    known = {client_id.casefold() for client_id in apps}
    missing = [client_id for client_id in named if client_id not in known]
    return {"apps": sorted(found, key=lambda app: -len(app["why"])), "missing": missing}


def _all_apps(client: Client) -> dict[str, dict[str, Any]]:
    """Every application of the tenant but Microsoft's, by client id, with its permissions on Microsoft Graph."""
    graph = next(client.list(f"/servicePrincipals?$filter=appId eq '{GRAPH_APP_ID}'&$select=id,appRoles"), None)
    permissions: dict[str, list[str]] = {}
    if graph is not None:
        names = {role["id"]: role.get("value") or role["id"] for role in graph.get("appRoles") or ()}
        for item in client.list(f"/servicePrincipals/{graph['id']}/appRoleAssignedTo?$top=999"):
            permissions.setdefault(item["principalId"], []).append(names.get(item["appRoleId"], item["appRoleId"]))
    apps: dict[str, dict[str, Any]] = {}
    sources = (
        (False, APPLICATION, f"/applications?$select={_APPLICATION_FIELDS}&$top=999"),
        (False, PRINCIPAL, f"/servicePrincipals?$select={_PRINCIPAL_FIELDS}&$top=999"),
        (True, APPLICATION, "/directory/deletedItems/microsoft.graph.application?$top=999"),
        (True, PRINCIPAL, "/directory/deletedItems/microsoft.graph.servicePrincipal?$top=999"),
    )
    for deleted, kind, path in sources:
        for item in client.list(path):
            if item.get("appOwnerOrganizationId") in MICROSOFT_TENANTS or (deleted and item["appId"] in apps):
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
    texts += [*(item.get("replyUrls") or ()), *(item.get("identifierUris") or ()), *(web.get("redirectUris") or ())]
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
        entries = entries_of(client, app["client_id"], f"{since:%Y-%m-%dT%H:%M:%SZ}", name=app["display_name"], principal_id=principal)
        times = [item["activityDateTime"] for item in entries]
        newest = sorted(times, reverse=True)[:ANSWER_LIMIT]
        details |= {"last_activity": max(times, default=None), "activity_count": len(times), "activity_times": newest}
    return details


# -- the resource


class App(OfTenant):
    """entra_app."""

    noun = "objects"
    kinds: ClassVar[tuple[str, ...]] = (APPLICATION, PRINCIPAL, GRANT, ASSIGNMENT)
    stop_at_first_failure = True

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params
        self._client_id: str = params["app_id"].strip().casefold()
        if not is_id(self._client_id):
            raise OffboardError(f"app_id {params['app_id']!r} is not a client id (UUID); names match more than one thinks", code="bad_option")
        self._client = Client(Connection.from_params(params))
        self._owner: str | None = None
        self._seen: dict[tuple[str, str], Mapping[str, Any]] = {}

    def read(self) -> Iterable[Object]:
        return read_app(self._client, self._client_id)

    def plan(self, current: Iterable[Object]) -> Plan:
        objects = list(current)
        self._seen = {(item.kind, item.id): item.state for item in objects}
        self._owner = next((item.state.get("appOwnerOrganizationId") for item in objects if item.kind == PRINCIPAL), None)
        params = self._params
        return plan_app(objects, self._client_id, params["state"], params["enabled"], params["grants"] == "remove")

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this application: the objects that are there, and those of which `before` tells that they were its own."""
        principals = {key[1] for key, state in self._seen.items() if key[0] == PRINCIPAL and not state["deleted"]}
        for change in begun:
            before = change.before or {}
            ours = before.get("appId") == self._client_id or not principals.isdisjoint({before.get("clientId"), before.get("principalId")})
            if (change.key in self._seen or ours) and _is_seen(change, self._seen):
                yield change

    def guard(self, plan: Plan) -> Iterable[Refusal]:
        changes = list(plan.changes)
        return guard_app(changes, self._client_id, self._client.identity()["app_id"], self._owner) if changes else []

    def apply(self, change: Change) -> dict[str, Any] | None:
        match change.kind, change.action:
            case _, "restore":
                self._client.post(f"/directory/deletedItems/{change.id}/restore", {})
            case "oauth2PermissionGrant", _:
                self._client.delete(f"/oauth2PermissionGrants/{change.id}")
            case "appRoleAssignment", _:
                self._client.delete(f"/servicePrincipals/{(change.before or {})['principalId']}/appRoleAssignments/{change.id}")
            case "servicePrincipal", "delete":
                self._client.delete(f"/servicePrincipals/{change.id}")
            case "application", "delete":
                self._client.delete(f"/applications/{change.id}")
            case _:
                self._client.patch(f"/servicePrincipals/{change.id}", dict(change.after or {}))
        return None

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Read again until everything is seen, at most verify_timeout."""
        deadline, pause = time.monotonic() + self._params["verify_timeout"], 0.5
        while True:
            seen = {(item.kind, item.id): item.state for item in self.read()}
            late = [change for change in applied if not _is_seen(change, seen)]
            if not late or time.monotonic() + pause > deadline:
                break
            time.sleep(pause)
            pause = min(2 * pause, 10.0)
        for change in late:
            yield Outcome(change, "failed", "not_seen", f"Graph accepted it, but after {self._params['verify_timeout']} s {change.name} still reads as before")

    def close(self) -> None:
        self._client.close()


def _is_seen(change: Change, seen: Mapping[tuple[str, str], Mapping[str, Any]]) -> bool:
    state = seen.get(change.key)
    if change.after is None:
        return state is None or bool(state.get("deleted"))
    return state is not None and all(state.get(name) == value for name, value in change.after.items())
