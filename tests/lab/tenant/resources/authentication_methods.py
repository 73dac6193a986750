# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication methods: the policy, what users have registered, and Temporary Access Passes.

Sources: learn.microsoft.com/graph/api/authentication-post-temporaryaccesspassmethods (a new pass takes the place of one that can
still be used; its value is in that answer and nowhere else), -list-temporaryaccesspassmethods, -list-methods,
temporaryaccesspassauthenticationmethod-delete, authenticationmethodspolicy-get,
resources/temporaryaccesspassauthenticationmethodconfiguration, authenticationmethodsroot-list-userregistrationdetails (no row for disabled users; Entra ID
P1: learn.microsoft.com/entra/identity/authentication/howto-authentication-methods-activity);
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
from .audits import require_premium
from .users import find, find_current

_READ = "UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All UserAuthMethod-TAP.Read.All UserAuthMethod-TAP.ReadWrite.All"
_WRITE = "UserAuthenticationMethod.ReadWrite.All UserAuthMethod-TAP.ReadWrite.All"
_POLICY = "Policy.Read.All Policy.Read.AuthenticationMethod Policy.ReadWrite.AuthenticationMethod"
_KIND = "temporaryAccessPassAuthenticationMethod"


_CONFIGURATIONS = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
_CHANGE = "Policy.ReadWrite.AuthenticationMethod"
#: the other methods, none of which the fixture has switched on
_OTHERS = {
    "Fido2": "fido2AuthenticationMethodConfiguration",
    "MicrosoftAuthenticator": "microsoftAuthenticatorAuthenticationMethodConfiguration",
    "Sms": "smsAuthenticationMethodConfiguration",
    "SoftwareOath": "softwareOathAuthenticationMethodConfiguration",
    "Voice": "voiceAuthenticationMethodConfiguration",
    "Email": "emailAuthenticationMethodConfiguration",
    "X509Certificate": "x509CertificateAuthenticationMethodConfiguration",
}
#: the id of every account's password method: learn.microsoft.com/graph/api/passwordauthenticationmethod-list
_PASSWORD_ID = "28c10230-6103-485e-b985-444c60001490"


def _policy(call: Call) -> Object:
    return call.table("authentication_method_configurations").objects["TemporaryAccessPass"]


def _configurations(call: Call) -> list[Object]:
    kept = call.table("authentication_method_configurations")
    others = [{"@odata.type": f"#microsoft.graph.{kind}", "id": key, "state": "disabled", "excludeTargets": []} for key, kind in _OTHERS.items()]
    return [item | (kept.visible(str(item["id"])) or {}) for item in others] + [item for item in kept if item["id"] not in _OTHERS]


def _configuration(call: Call) -> Object:
    key = call.params["id"].casefold()
    return next((item for item in _configurations(call) if item["id"].casefold() == key), None) or not_found(call.params["id"])


def _view(item: Object) -> Object:
    start = datetime.fromisoformat(item["startDateTime"])
    end, present = start + timedelta(minutes=item["lifetimeInMinutes"]), datetime.now(UTC)
    reason = "OneTimeUsed" if item["_used"] else "Expired" if present >= end else "NotYetValid" if present < start else "EnabledByPolicy"
    return {**item, "temporaryAccessPass": None, "isUsable": reason == "EnabledByPolicy", "methodUsabilityReason": reason}


@operation("GET", "/policies/authenticationMethodsPolicy", permissions=_POLICY)
def get_policy(call: Call) -> Answer:
    return call.one(
        "authenticationMethodsPolicy",
        {
            "id": "authenticationMethodsPolicy",
            "displayName": "Authentication Methods Policy",
            "description": "The tenant-wide policy that controls which authentication methods are allowed in the tenant",
            "policyVersion": "1.5",
            "registrationEnforcement": {
                "authenticationMethodsRegistrationCampaign": {"snoozeDurationInDays": 1, "state": "default", "excludeTargets": [], "includeTargets": []}
            },
            "authenticationMethodConfigurations": _configurations(call),
        },
    )


@operation("GET", _CONFIGURATIONS, permissions=_POLICY)
def list_configurations(call: Call) -> Answer:
    return call.page("authenticationMethodConfiguration", _configurations(call))


@operation("GET", f"{_CONFIGURATIONS}/{{id}}", permissions=_POLICY)
def get_configuration(call: Call) -> Answer:
    return call.one("authenticationMethodConfiguration", _configuration(call))


@operation("PATCH", f"{_CONFIGURATIONS}/{{id}}", permissions=_CHANGE, body="authenticationMethodConfiguration")
def update_configuration(call: Call) -> Answer:
    found = _configuration(call)
    if call.body.get("state", found["state"]) not in ("enabled", "disabled"):
        bad_request("Invalid value specified for property 'state' of resource 'AuthenticationMethodConfiguration'.")
    call.store.put("authentication_method_configurations", found["id"], found | call.body)
    call.audit("Authentication Methods Policy Update", "Policy", {"id": found["id"]})
    return NO_CONTENT


@operation("GET", "/users/{user}/authentication/methods", permissions="UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All", report=True)
def list_methods(call: Call) -> Answer:
    user = find(call)
    item = call.find("access_passes", user["id"])
    password = {"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", **_password(user)}
    return call.page("authenticationMethod", [password, *([{"@odata.type": f"#microsoft.graph.{_KIND}", **_view(item)}] if item else [])])


def _password(user: Object) -> Object:
    return {"id": _PASSWORD_ID, "password": None, "createdDateTime": user["lastPasswordChangeDateTime"]}


@operation(
    "GET", "/users/{user}/authentication/passwordMethods", permissions="UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All", report=True
)
def list_passwords(call: Call) -> Answer:
    return call.page("passwordAuthenticationMethod", [_password(find(call))])


@operation(
    "GET",
    "/users/{user}/authentication/fido2Methods",
    permissions="UserAuthMethod-Passkey.Read.All",
    report=True,
)
def list_fido2(call: Call) -> Answer:
    """Nobody of the fixture has registered a key with Entra; IIJ ID keeps its own."""
    find(call)
    return call.page("fido2AuthenticationMethod", [])


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


@operation("GET", "/reports/authenticationMethods/userRegistrationDetails", permissions="AuditLog.Read.All", report=True)
def registration_details(call: Call) -> Answer:
    """Nobody of the fixture has registered a method with Entra; `registrations` holds what a test arranged, by the user's id."""
    require_premium(call)
    arranged, holders = call.table("registrations").objects, {item["principalId"] for item in call.table("role_assignments")}
    rows = [_registration(user, user["id"] in holders) | arranged.get(user["id"], {}) for user in call.table("users") if user["accountEnabled"]]
    return call.page("userRegistrationDetails", rows)


def _registration(user: Object, administrator: bool) -> Object:
    flags = ("isMfaCapable", "isMfaRegistered", "isPasswordlessCapable", "isSsprCapable", "isSsprEnabled", "isSsprRegistered")
    return {
        "id": user["id"],
        "userPrincipalName": user["userPrincipalName"],
        "userDisplayName": user["displayName"],
        "userType": user["userType"].lower(),
        "isAdmin": administrator,
        **dict.fromkeys(flags, False),
        "isSystemPreferredAuthenticationMethodEnabled": True,
        "systemPreferredAuthenticationMethods": [],
        "userPreferredMethodForSecondaryAuthentication": "none",
        "methodsRegistered": [],
        "lastUpdatedDateTime": now(),
    }
