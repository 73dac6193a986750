# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary Access Passes and the policy that allows them.

Sources: learn.microsoft.com/graph/api/authentication-post-temporaryaccesspassmethods (a new pass takes the place of one that can
still be used; its value is in that answer and nowhere else), -list-temporaryaccesspassmethods,
temporaryaccesspassauthenticationmethod-delete, resources/temporaryaccesspassauthenticationmethodconfiguration;
learn.microsoft.com/entra/identity/authentication/howto-authentication-temporary-access-pass.
"""

from __future__ import annotations

import secrets
import string
import uuid
from datetime import UTC, datetime, timedelta

from ..answers import Answer, bad_request, not_found, now
from ..operation import NO_CONTENT, Call, operation
from ..store import Object
from .users import find, find_current

_READ = "UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All UserAuthMethod-TAP.Read.All UserAuthMethod-TAP.ReadWrite.All"
_WRITE = "UserAuthenticationMethod.ReadWrite.All UserAuthMethod-TAP.ReadWrite.All"
_POLICY = "Policy.Read.All Policy.Read.AuthenticationMethod Policy.ReadWrite.AuthenticationMethod"
_KIND = "temporaryAccessPassAuthenticationMethod"


def _policy(call: Call) -> Object:
    return call.table("authentication_method_configurations").objects["TemporaryAccessPass"]


def _view(item: Object) -> Object:
    start = datetime.fromisoformat(item["startDateTime"])
    end, present = start + timedelta(minutes=item["lifetimeInMinutes"]), datetime.now(UTC)
    reason = "OneTimeUsed" if item["_used"] else "Expired" if present >= end else "NotYetValid" if present < start else "EnabledByPolicy"
    return {**item, "temporaryAccessPass": None, "isUsable": reason == "EnabledByPolicy", "methodUsabilityReason": reason}


@operation("GET", "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{id}", permissions=_POLICY)
def get_configuration(call: Call) -> Answer:
    if call.params["id"].casefold() != "temporaryaccesspass":
        not_found(call.params["id"])
    return call.one("temporaryAccessPassAuthenticationMethodConfiguration", _policy(call))


@operation("GET", "/users/{user}/authentication/temporaryAccessPassMethods", permissions=_READ, report=True)
def list_passes(call: Call) -> Answer:
    item = call.find("access_passes", find(call)["id"])
    return call.page(_KIND, [_view(item)] if item else [])


@operation("POST", "/users/{user}/authentication/temporaryAccessPassMethods", permissions=_WRITE, body=_KIND, report=True)
def create(call: Call) -> Answer:
    user, policy, body = find_current(call), _policy(call), call.body
    if user["userType"] == "Guest":
        bad_request("Temporary Access Pass cannot be added to an external guest user")
    # For the rest no text is published.
    if policy["state"] != "enabled":
        bad_request("Temporary Access Pass is not enabled in the authentication methods policy.")
    lifetime = body.get("lifetimeInMinutes") or policy["defaultLifetimeInMinutes"]
    if not policy["minimumLifetimeInMinutes"] <= lifetime <= policy["maximumLifetimeInMinutes"]:
        bad_request("The lifetime of the Temporary Access Pass is outside the range of the policy.")
    if policy["isUsableOnce"] and body.get("isUsableOnce") is False:
        bad_request("The policy allows only one-time Temporary Access Passes.")
    value = "".join(secrets.choice(string.ascii_letters + string.digits + "!#$%&*+") for _ in range(policy["defaultLength"]))
    once = body.get("isUsableOnce")
    item = {
        "id": str(uuid.uuid4()),
        "createdDateTime": now(),
        "startDateTime": body.get("startDateTime") or now(),
        "lifetimeInMinutes": lifetime,
        "isUsableOnce": policy["isUsableOnce"] if once is None else once,
        "_value": value,
        "_used": False,
        "_count": (call.table("access_passes").objects.get(user["id"]) or {}).get("_count", 0) + 1,
    }
    call.store.put("access_passes", user["id"], item)
    call.audit("Admin registered security info", "User", user)
    return call.one(_KIND, _view(item) | {"temporaryAccessPass": value}, 201)


@operation("DELETE", "/users/{user}/authentication/temporaryAccessPassMethods/{id}", permissions=_WRITE, report=True)
def delete(call: Call) -> Answer:
    user = find_current(call)
    item = call.table("access_passes").objects.get(user["id"])
    if item is None or item["id"] != call.params["id"]:
        not_found(call.params["id"])
    call.store.remove("access_passes", user["id"])
    call.audit("Admin deleted security info", "User", user)
    return NO_CONTENT
