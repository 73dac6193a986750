# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""App registrations. Sources: learn.microsoft.com/graph/api/resources/application and its operations; deleting one deletes
its service principal of the same tenant too, restoring it does not bring that back."""

from __future__ import annotations

import secrets
import uuid

from ... import company
from .. import odata
from ..answers import Answer, bad_request, not_found, now
from ..operation import NO_CONTENT, Call, by_alternate_key, operation
from ..store import Object

_READ = "Application.Read.All Application.ReadWrite.All Directory.Read.All"
_WRITE = "Application.ReadWrite.All"
_CHANGEABLE = {"displayName", "description", "notes", "tags", "web", "isDisabled", "requiredResourceAccess", "identifierUris", "signInAudience"}


def _key(call: Call) -> str:
    return by_alternate_key(call, "applications", call.params["application"])


@operation("GET", "/applications", permissions=_READ, units=2)
def list_applications(call: Call) -> Answer:
    return call.page("application", call.table("applications"))


@operation("GET", "/applications/{application}", permissions=f"{_READ} Directory.ReadWrite.All")
def get_application(call: Call) -> Answer:
    return call.one("application", call.get("applications", _key(call)))


@operation("GET", "/applications/{application}/owners", permissions=f"{_READ} Directory.ReadWrite.All")
def owners(call: Call) -> Answer:
    call.get("applications", _key(call))
    return call.page("directoryObject", [])


@operation("PATCH", "/applications/{application}", permissions=_WRITE, body="application")
def update(call: Call) -> Answer:
    application = call.current("applications", _key(call))
    if wrong := set(call.body) - _CHANGEABLE:
        bad_request(f"Property '{sorted(wrong)[0]}' is read-only and cannot be set.")
    call.store.put("applications", application["id"], _merged(application, call.body))
    call.audit("Update application", "Application", application)
    return NO_CONTENT


def _merged(application: Object, body: Object) -> Object:
    """A complex property that is changed keeps what the request does not name: OData 4.01, part 1, 11.4.3."""
    return {name: application[name] | value if isinstance(value, dict) and isinstance(application.get(name), dict) else value for name, value in body.items()}


@operation("POST", "/applications", permissions=_WRITE, body="application")
def create(call: Call) -> Answer:
    if not call.body.get("displayName"):
        bad_request("A value is required for property 'displayName' of resource 'Application'.")
    if wrong := set(call.body) - _CHANGEABLE - {"api", "appRoles", "optionalClaims", "publicClient", "spa"}:
        bad_request(f"Property '{sorted(wrong)[0]}' is read-only and cannot be set.")
    values = company.application(str(uuid.uuid4()), call.body["displayName"], id=str(uuid.uuid4()), createdDateTime=now())
    values |= _merged(values, call.body)
    call.audit("Add application", "Application", values)
    return call.one("application", call.store.put("applications", values["id"], values), 201)


@operation("GET", "/applications/delta", permissions=_READ)
def delta(call: Call) -> Answer:
    return odata.delta(call, "application", "applications")


@operation("DELETE", "/applications/{application}", permissions=_WRITE)
def delete(call: Call) -> Answer:
    application = call.current("applications", _key(call))
    for principal in list(call.table("service_principals").objects.values()):
        if principal["appId"] == application["appId"]:
            delete_principal(call, principal)
    call.store.remove("applications", application["id"])
    call.store.put("deleted_applications", application["id"], application | {"deletedDateTime": now()})
    call.audit("Delete application", "Application", application)
    return NO_CONTENT


def delete_principal(call: Call, principal: Object) -> None:
    """Soft-delete a service principal."""
    call.store.remove("service_principals", principal["id"])
    call.store.put("deleted_service_principals", principal["id"], principal | {"deletedDateTime": now()})
    call.audit("Remove service principal", "ServicePrincipal", principal)


@operation(
    "POST",
    "/applications/{application}/addPassword",
    permissions=_WRITE,
    body="applications.item.add_password.add_password_post_request_body:AddPasswordPostRequestBody",
)
def add_password(call: Call) -> Answer:
    application = call.current("applications", _key(call))
    secret, key_id = secrets.token_urlsafe(30), str(uuid.uuid4())
    credential = {
        "customKeyIdentifier": None,
        "displayName": (call.body.get("passwordCredential") or {}).get("displayName"),
        "endDateTime": "2098-12-31T00:00:00Z",
        "hint": secret[:3],
        "keyId": key_id,
        "secretText": None,
        "startDateTime": now(),
    }
    values = {
        "passwordCredentials": [*application["passwordCredentials"], credential],
        "_secrets": application["_secrets"] | {key_id: company.hash_secret(secret, key_id)},
    }
    call.store.put("applications", application["id"], values)
    call.audit("Update application – Certificates and secrets management", "Application", application)
    return call.one("passwordCredential", credential | {"secretText": secret}, context="microsoft.graph.passwordCredential")


@operation(
    "POST",
    "/applications/{application}/removePassword",
    permissions=_WRITE,
    body="applications.item.remove_password.remove_password_post_request_body:RemovePasswordPostRequestBody",
)
def remove_password(call: Call) -> Answer:
    application, key_id = call.current("applications", _key(call)), call.body.get("keyId")
    kept = [item for item in application["passwordCredentials"] if item["keyId"] != key_id]
    if len(kept) == len(application["passwordCredentials"]):
        not_found(str(key_id))
    call.store.put("applications", application["id"], {"passwordCredentials": kept})
    call.audit("Update application – Certificates and secrets management", "Application", application)
    return NO_CONTENT
