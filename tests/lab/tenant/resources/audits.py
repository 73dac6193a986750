# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory audit: one entry for each write, newest first; and people's sign-ins: each one's last, and those that a test arranged (`sign_ins`).
Sources: learn.microsoft.com/graph/api/directoryaudit-list, signin-list. The log of sign-ins needs Entra ID P1 (resources/signin); the refusal is that of
public reports."""

from __future__ import annotations

from typing import Any

from ... import company
from ..answers import Answer, GraphError
from ..operation import Call, operation
from ..store import Object

_OPERATIONS = {"Add": "Add", "Update": "Update", "Delete": "Delete", "Hard": "Delete", "Remove": "Unassign", "Restore": "Update"}
_CATEGORIES = {"User": "UserManagement", "Group": "GroupManagement", "Application": "ApplicationManagement", "Role": "RoleManagement"}
#: Of many entries the app is named by its service principal alone: public samples of the log have `"appId": null` there.
_WITHOUT_APP_ID = {"Change user license", "Disable account", "Enable account"}


def _view(number: int, entry: list[Any]) -> Object:
    when, app_id, app_name, principal, activity, kind, target, name, upn, modified = entry
    if activity in _WITHOUT_APP_ID:
        app_id = None
    key = company.make_id("audit", f"{number}:{when}")
    changed = [{"displayName": name, "oldValue": old, "newValue": new} for name, (old, new) in (modified or {}).items()]
    return {
        "id": f"Directory_{key}",
        "activityDateTime": when,
        "activityDisplayName": activity,
        "additionalDetails": [],
        "category": _CATEGORIES.get(kind, "ApplicationManagement" if kind == "ServicePrincipal" else "DirectoryManagement"),
        "correlationId": key,
        "initiatedBy": {
            "user": None,
            "app": {"appId": app_id, "displayName": app_name, "servicePrincipalId": principal, "servicePrincipalName": None},
        },
        "loggedByService": "Core Directory",
        "operationType": _OPERATIONS.get(activity.split(" ", 1)[0], "Update"),
        "result": "success",
        "resultReason": "",
        "targetResources": [{"id": target, "displayName": name, "type": kind, "userPrincipalName": upn, "modifiedProperties": changed}],
    }


@operation("GET", "/auditLogs/directoryAudits", permissions="AuditLog.Read.All", report=True)
def list_audits(call: Call) -> Answer:
    entries = call.store.audits
    rows = [_view(number, entries[number]) for number in range(len(entries) - 1, -1, -1)]
    return call.page("directoryAudit", rows, default_top=1000, max_top=1000)


def require_premium(call: Call) -> None:
    """What only tenants with Entra ID P1 have."""
    if not call.graph.settings.premium:
        raise GraphError(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license")


def _sign_in(user: Object, when: str) -> Object:
    return {
        "id": company.make_id("signIn", f"{user['id']}:{when}"),
        "createdDateTime": when,
        "userDisplayName": user["displayName"],
        "userPrincipalName": user["userPrincipalName"].lower(),
        "userId": user["id"],
        "appDisplayName": None,
        "appId": None,
        "clientAppUsed": None,
        "ipAddress": None,
        "isInteractive": True,
        "resourceDisplayName": None,
        "status": {"errorCode": 0, "failureReason": None, "additionalDetails": None},
    }


@operation("GET", "/auditLogs/signIns", permissions="AuditLog.Read.All", report=True)
def list_sign_ins(call: Call) -> Answer:
    require_premium(call)
    users = call.table("users")
    rows = [_sign_in(user, when) for user in users if (when := (user.get("signInActivity") or {}).get("lastSignInDateTime"))]
    rows += [_sign_in(users.objects[item["userId"]], item["createdDateTime"]) | item for item in call.table("sign_ins")]
    rows.sort(key=lambda item: item["createdDateTime"], reverse=True)
    return call.page("signIn", rows, default_top=1000, max_top=1000)
