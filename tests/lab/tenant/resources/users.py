# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users: read, create, change, delete, sign-in sessions, memberships.

Sources: learn.microsoft.com/graph/api/user-list, -get, -update (permissions for accountEnabled and passwordProfile), -delete, -delta,
-revokesigninsessions; learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions ("who can reset
passwords"); learn.microsoft.com/graph/api/resources/users ("who can perform sensitive actions").
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable
from typing import Any

from ... import company
from .. import odata
from ..answers import Answer, bad_request, denied, not_found, now
from ..operation import NO_CONTENT, Call, expandable, operation
from ..store import Object
from .audits import require_premium
from .domains import is_federated

_WRITE = "User.ReadWrite.All Directory.ReadWrite.All"
_READ = f"User.ReadBasic.All User.Read.All {_WRITE} Directory.Read.All"
_PASSWORD, _ENABLE = "User-PasswordProfile.ReadWrite.All", "User.EnableDisableAccount.All"

#: roles whose holders a User Administrator may still act on
_LIMITED_ROLES = {"User Administrator", "Helpdesk Administrator"}
_HIGHER_ROLES = {"Privileged Authentication Administrator", "Global Administrator"}
#: changes that are as guarded as a new password
_SENSITIVE = {"accountEnabled", "businessPhones", "mobilePhone", "onPremisesImmutableId", "otherMails", "passwordProfile", "userPrincipalName"}
#: properties that the on-premises directory masters for a synced user
_ON_PREMISES = {
    "displayName", "givenName", "surname", "mail", "mailNickname", "jobTitle", "department", "companyName", "businessPhones", "mobilePhone",
    "faxNumber", "officeLocation", "userPrincipalName", "onPremisesImmutableId", "proxyAddresses",
}  # fmt: skip
_READ_ONLY = {
    "id", "createdDateTime", "deletedDateTime", "creationType", "assignedLicenses", "licenseAssignmentStates", "assignedPlans",
    "onPremisesSyncEnabled", "onPremisesLastSyncDateTime", "onPremisesSamAccountName", "lastPasswordChangeDateTime",
    "signInSessionsValidFromDateTime", "proxyAddresses",
}  # fmt: skip

#: what precedes the @: a dot-atom as in RFC 822 with the characters of learn.microsoft.com/entra/identity/authentication/concept-sspr-policy, "Username
#: policies"; learn.microsoft.com/graph/api/user-get knows names with $ as well
_LOCAL = re.compile(r"[A-Za-z0-9'_!#^~$-]+(?:\.[A-Za-z0-9'_!#^~$-]+)*")
_MOST_LOCAL = 64
_MOST_CHECKED = 20
#: learn.microsoft.com/graph/api/resources/user, "Properties"
_LENGTHS = {
    "displayName": 256, "givenName": 64, "surname": 64, "jobTitle": 128, "department": 64, "companyName": 64, "mobilePhone": 64, "city": 128, "country": 128,
    "postalCode": 40, "state": 128, "streetAddress": 1024,
}  # fmt: skip

#: the same page: "only one number can be set", the policies that there are, what a user may be
_POLICIES = {"None", "DisablePasswordExpiration", "DisableStrongPassword"}
USER_TYPES = ("Member", "Guest")
_MOST_OTHER_MAILS, _LONGEST_OTHER_MAIL = 250, 250
_FITS: dict[str, Callable[[Any], bool]] = {
    "businessPhones": lambda value: len(value) <= 1,
    "passwordPolicies": lambda value: {name.strip() for name in value.split(",")} <= _POLICIES,
    "userType": lambda value: value in USER_TYPES,
    "mail": lambda value: _is_address(value),
    "otherMails": lambda value: len(value) <= _MOST_OTHER_MAILS and all(len(text) <= _LONGEST_OTHER_MAIL and _is_address(text) for text in value),
}
#: of two letters, but for those that ISO 3166-1 leaves to its users, and for languages (JA) and habits (UK) that are no countries
_COUNTRY = re.compile("(?!EN|JA|KO|UK|ZH|AA|Q[M-Z]|X[A-JL-Z]|ZZ)[A-Z]{2}")


def _is_address(text: str) -> bool:
    """The same page: an SMTP address, which "can't contain accent characters"."""
    return text.isascii() and re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text) is not None


def find(call: Call, key: str | None = None) -> Object:
    """The user by id or userPrincipalName, or 404."""
    key = key or call.params["user"]
    return call.get("users", call.store.upns.get(key.casefold(), key))


def find_current(call: Call) -> Object:
    key = call.params["user"]
    return call.current("users", call.store.upns.get(key.casefold(), key))


def domain_of(upn: str) -> str:
    return upn.rpartition("@")[2].lower()


def password_values(password: str) -> Object:
    """What is kept of a new password: a salted hash, never the password."""
    salt = secrets.token_hex(8)
    return {"_password": company.hash_secret(password, salt), "_salt": salt, "lastPasswordChangeDateTime": now()}


def password_matches(user: Object, password: str) -> bool:
    return user["_password"] is not None and user["_password"] == company.hash_secret(password, user.get("_salt", ""))


def check_password(profile: object) -> str:
    """The password of a passwordProfile, or 400 when it is weak: 8 to 256 characters of three of four classes."""
    password = profile.get("password") if isinstance(profile, dict) else None
    classes = [bool(re.search(pattern, password or "")) for pattern in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")]
    if not password or not 8 <= len(password) <= 256 or sum(classes) < 3:
        bad_request("The specified password does not comply with password complexity requirements. Please provide a different password.")
    return password


def check_target(call: Call, user: Object) -> None:
    """An administrator's account needs a higher role than User Administrator, whatever the permissions; so does that of a member or owner of
    a group that roles can be assigned to: learn.microsoft.com/entra/identity/role-based-access-control/groups-concept."""
    near = (item for item in call.table("groups").objects.values() if item.get("isAssignableToRole"))
    if not call.directory_roles(user["id"]) - _LIMITED_ROLES and not any(user["id"] in (*item["_members"], *item.get("_owners", ())) for item in near):
        return
    if not call.directory_roles(call.caller.principal_id) & _HIGHER_ROLES:
        denied()


def _check_permissions(call: Call, user: Object) -> None:
    names = set(call.body)
    if "passwordProfile" in names:
        roles = call.directory_roles(call.caller.principal_id)
        if not call.may(_PASSWORD) or not roles & ({"User Administrator"} | _HIGHER_ROLES):
            denied()
    if "accountEnabled" in names and not (call.may(*_WRITE.split()) or (call.may(_ENABLE) and call.may("User.Read.All"))):
        denied()
    if names - {"passwordProfile", "accountEnabled"} and not call.may(*_WRITE.split()):
        denied()
    if names & _SENSITIVE:
        check_target(call, user)


def _check_activity(call: Call) -> None:
    """The last sign-in is a report, with a permission of its own."""
    if not odata.asks_for_activity(call.query):
        return
    if not call.may("AuditLog.Read.All"):
        denied()
    require_premium(call)


@operation("GET", "/users", permissions=_READ, units=2)
def list_users(call: Call) -> Answer:
    _check_activity(call)
    return call.page("user", call.table("users"))


@operation("GET", "/users/delta", permissions=f"User.Read.All {_WRITE} Directory.Read.All")
def delta(call: Call) -> Answer:
    _check_activity(call)
    return odata.delta(call, "user", "users")


@operation("GET", "/users/{user}", permissions=_READ)
def get_user(call: Call) -> Answer:
    _check_activity(call)
    return call.one("user", find(call))


@operation("POST", "/users", permissions=_WRITE, body="user")
def create(call: Call) -> Answer:
    body = call.body
    for name in ("accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"):
        if body.get(name) in (None, ""):
            bad_request(f"A value is required for property '{name}' of resource 'User'.")
    _check_values(body)
    upn = body["userPrincipalName"]
    _check_upn(call, upn)
    if is_federated(call.store, domain_of(upn)) and not body.get("onPremisesImmutableId"):
        bad_request("A value is required for property 'onPremisesImmutableId' of resource 'User'.")
    password = check_password(body["passwordProfile"])
    values = company.user(upn, body["displayName"], id=str(uuid.uuid4()), mail=None, usageLocation=None, createdDateTime=now())
    values |= {name: value for name, value in body.items() if name != "passwordProfile"}
    values |= password_values(password) | {"_password_count": 1}
    call.audit("Add user", "User", values)
    return call.one("user", call.store.put("users", values["id"], values), 201)


def check_nickname(resource: str, name: object) -> None:
    """learn.microsoft.com/graph/api/resources/group, "mailNickname"; microsoft-graph-docs-contrib#6580 has the refusal of a user's."""
    if not isinstance(name, str) or not re.fullmatch(r"[\x21-\x7e]{1,64}", name) or set(name) & set('@()\\[]";:<>,'):
        bad_request(f"Invalid value specified for property 'mailNickname' of resource '{resource}'.")


def _check_values(body: Object) -> None:
    """What a user cannot be made or changed with. The display name "cannot be cleared": learn.microsoft.com/graph/api/resources/user."""
    if wrong := set(body) & _READ_ONLY:
        bad_request(f"Property '{sorted(wrong)[0]}' is read-only and cannot be set.")
    for name in set(body) & set(_LENGTHS):
        if len(body[name] or "") > _LENGTHS[name] or (name == "displayName" and not body[name]):
            bad_request(f"Invalid value specified for property '{name}' of resource 'User'.")
    if "mailNickname" in body:
        check_nickname("User", body["mailNickname"])
    if "usageLocation" in body and not _COUNTRY.fullmatch(str(body["usageLocation"])):
        bad_request("Invalid value specified for property 'usageLocation' of resource 'User'.")
    for name, fits in _FITS.items():
        if body.get(name) is not None and not fits(body[name]):
            bad_request(f"Invalid value specified for property '{name}' of resource 'User'.")


def _check_upn(call: Call, upn: str | None, own: str | None = None) -> None:
    """The text for a name that is none is that of microsoft-graph-docs-contrib#7106."""
    local = (upn or "").rpartition("@")[0]
    if upn is None or len(local) > _MOST_LOCAL or not _LOCAL.fullmatch(local):
        bad_request("Property userPrincipalName is invalid.")
    domain = call.table("domains").objects.get(domain_of(upn))
    if domain is None or not domain["isVerified"]:
        bad_request("The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.")
    if call.store.upns.get(upn.casefold(), own) != own:
        bad_request("Another object with the same value for property userPrincipalName already exists.")


@operation("PATCH", "/users/{user}", permissions=f"{_WRITE} {_PASSWORD} {_ENABLE}", body="user")
def update(call: Call) -> Answer:
    user, body = find_current(call), call.body
    _check_permissions(call, user)
    _check_values(body)
    if user["onPremisesSyncEnabled"] and set(body) & (_ON_PREMISES | {"passwordProfile"}):
        # For a password no text is published; without writeback the cloud cannot set one for a synced user.
        bad_request("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
    federated = is_federated(call.store, domain_of(user["userPrincipalName"]))
    values = dict(body)
    if "passwordProfile" in values:
        if federated:
            # No text is published; the rule is: passwordProfile "can't be used for federated users".
            bad_request("The password of a federated user cannot be set.")
        password = check_password(values.pop("passwordProfile"))
        values |= password_values(password) | {"_password_count": user["_password_count"] + 1}
    if values.get("onPremisesImmutableId", user["onPremisesImmutableId"]) != user["onPremisesImmutableId"] and federated:
        bad_request("Property 'onPremisesImmutableId' cannot be changed while the user's domain is federated.")
    if values.get("userPrincipalName", user["userPrincipalName"]) != user["userPrincipalName"]:
        _check_upn(call, values["userPrincipalName"], user["id"])
    call.store.put("users", user["id"], values)
    changed: dict[str, tuple[str, str]] = {}
    if "accountEnabled" in body and body["accountEnabled"] != user["accountEnabled"]:
        # learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities: an activity of its own beside "Update user"
        changed = {"AccountEnabled": (f"[{str(user['accountEnabled']).lower()}]", f"[{str(body['accountEnabled']).lower()}]")}
        call.audit("Enable account" if body["accountEnabled"] else "Disable account", "User", user, changed)
    call.audit("Reset user password" if "passwordProfile" in body else "Update user", "User", user, changed)
    return NO_CONTENT


@operation("DELETE", "/users/{user}", permissions="User.DeleteRestore.All User.ReadWrite.All")
def delete(call: Call) -> Answer:
    user = find_current(call)
    check_target(call, user)
    call.store.remove("users", user["id"])
    call.store.put("deleted_users", user["id"], user | {"deletedDateTime": now()})
    call.audit("Delete user", "User", user)
    return NO_CONTENT


@operation("POST", "/users/{user}/revokeSignInSessions", permissions=f"User.RevokeSessions.All {_WRITE}")
def revoke_sessions(call: Call) -> Answer:
    user = find_current(call)
    check_target(call, user)
    call.store.put("users", user["id"], {"signInSessionsValidFromDateTime": now()})
    call.audit("Update StsRefreshTokenValidFrom Timestamp", "User", user)
    return call.value(True)


@operation(
    "GET",
    "/users/{user}/memberOf",
    "/users/{user}/transitiveMemberOf",
    permissions="Directory.Read.All Directory.ReadWrite.All Group.ReadBasic.All GroupMember.ReadBasic.All",
    units=2,
)
def member_of(call: Call) -> Answer:
    return call.page("directoryObject", groups_and_roles(call, find(call)))


@expandable("user", "memberOf")
def groups_and_roles(call: Call, user: Object) -> list[Object]:
    groups = [{"@odata.type": "#microsoft.graph.group", **item} for item in call.table("groups") if user["id"] in item["_members"]]
    roles = [
        {"@odata.type": "#microsoft.graph.directoryRole", "id": company.make_id("directoryRole", name), "displayName": name}
        for name in sorted(call.directory_roles(user["id"]))
    ]
    return groups + roles


@operation("POST", "/users/{user}/getMemberGroups", "/users/{user}/getMemberObjects", permissions="Directory.Read.All Directory.ReadWrite.All")
def get_member_groups(call: Call) -> Answer:
    """Source: learn.microsoft.com/graph/api/directoryobject-getmembergroups, directoryobject-getmemberobjects (with the roles)."""
    secure = call.body.get("securityEnabledOnly") if isinstance(call.body, dict) else None
    if not isinstance(secure, bool):
        bad_request("The parameter 'securityEnabledOnly' is required, true or false.", "BadRequest")
    groups_only = call.operation.path.endswith("Groups")
    found = groups_and_roles(call, find(call))
    keys = [item["id"] for item in found if (item["securityEnabled"] or not secure if item["@odata.type"].endswith("group") else not groups_only)]
    return call.value(keys, "Collection(Edm.String)")


@operation("POST", "/users/{user}/checkMemberGroups", permissions="Directory.Read.All Directory.ReadWrite.All")
def check_member_groups(call: Call) -> Answer:
    """Source: learn.microsoft.com/graph/api/directoryobject-checkmembergroups: up to 20 groups."""
    wanted = call.body.get("groupIds") if isinstance(call.body, dict) else None
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= _MOST_CHECKED:
        bad_request(f"The parameter 'groupIds' is required, with 1 to {_MOST_CHECKED} ids.", "BadRequest")
    held = {item["id"] for item in groups_and_roles(call, find(call))} & set(call.table("groups").objects)
    return call.value([key for key in wanted if str(key).lower() in held], "Collection(Edm.String)")


@operation("GET", "/users/{user}/oauth2PermissionGrants", permissions="Directory.Read.All DelegatedPermissionGrant.ReadWrite.All")
def grants(call: Call) -> Answer:
    user = find(call)
    return call.page("oAuth2PermissionGrant", [item for item in call.table("oauth2_permission_grants") if item["principalId"] == user["id"]])


# -- who stands above and below


@operation("GET", "/users/{user}/manager", permissions=_READ)
def manager(call: Call) -> Answer:
    return call.one("directoryObject", _above(call, find(call)) or not_found("manager"))


@expandable("user", "manager", options="$levels $select")
def _above(call: Call, user: Object) -> Object | None:
    above = call.find("users", user.get("_manager") or "")
    return above and {"@odata.type": "#microsoft.graph.user", **above}


@operation("PUT", "/users/{user}/manager/$ref", permissions=_WRITE)
def set_manager(call: Call) -> Answer:
    """Source: learn.microsoft.com/graph/api/user-post-manager."""
    user, reference = find_current(call), (call.body or {}).get("@odata.id")
    if not isinstance(reference, str):
        bad_request("The property '@odata.id' is required.")
    above = call.current("users", reference.rstrip("/").rpartition("/")[2])
    call.store.put("users", user["id"], {"_manager": above["id"]})
    call.audit("Update user", "User", user)
    return NO_CONTENT


@operation("DELETE", "/users/{user}/manager/$ref", permissions=_WRITE)
def remove_manager(call: Call) -> Answer:
    """Source: learn.microsoft.com/graph/api/user-delete-manager."""
    user = find_current(call)
    if _above(call, user) is None:
        not_found("manager")
    call.store.put("users", user["id"], {"_manager": None})
    call.audit("Update user", "User", user)
    return NO_CONTENT


@operation("GET", "/users/{user}/directReports", permissions=_READ)
def direct_reports(call: Call) -> Answer:
    return call.page("directoryObject", _below(call, find(call)))


@expandable("user", "directReports")
def _below(call: Call, user: Object) -> list[Object]:
    return [{"@odata.type": "#microsoft.graph.user", **item} for item in call.table("users") if item.get("_manager") == user["id"]]


@operation("GET", "/users/{user}/ownedObjects", permissions="User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All")
def owned_objects(call: Call) -> Answer:
    key = find(call)["id"]
    return call.page("directoryObject", [{"@odata.type": "#microsoft.graph.group", **item} for item in call.table("groups") if key in item.get("_owners", ())])
