# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts: which application permission and which directory role an operation needs, for messages about 401 and 403.

From Microsoft's permission data (github.com/microsoftgraph/microsoft-graph-devx-content, permissions.json) and the operations' pages
under https://learn.microsoft.com/graph/api/. Where several permissions do, the least one comes first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Need(NamedTuple):
    """What the caller must hold. `role` is a directory role that is needed besides; empty when none is."""

    permissions: tuple[str, ...]
    role: str = ""


_DOMAIN_ROLE = "Domain Name Administrator, if the permission alone is refused"
_ADMIN_ROLE = "User Administrator; Privileged Authentication Administrator where the target is an administrator"

_RULES: tuple[tuple[str, str, Need], ...] = (
    ("GET", r"/domains/[^/]+/federationConfiguration(/.*)?", Need(("Domain-InternalFederation.Read.All",))),
    ("WRITE", r"/domains/[^/]+/federationConfiguration(/.*)?", Need(("Domain-InternalFederation.ReadWrite.All", "Domain.ReadWrite.All"), _DOMAIN_ROLE)),
    ("GET", r"/domains(/.*)?", Need(("Domain.Read.All",))),
    ("WRITE", r"/domains/.*", Need(("Domain.ReadWrite.All",), _DOMAIN_ROLE)),
    ("GET", r"/subscribedSkus", Need(("LicenseAssignment.Read.All", "Organization.Read.All"))),
    ("POST", r"/users/[^/]+/assignLicense", Need(("LicenseAssignment.ReadWrite.All", "User.ReadWrite.All"))),
    ("POST", r"/users/[^/]+/revokeSignInSessions", Need(("User.RevokeSessions.All", "User.ReadWrite.All"))),
    ("GET", r"/users/[^/]+/(memberOf|appRoleAssignments|ownedObjects)", Need(("Directory.Read.All",))),
    ("GET", r"/users/[^/]+/(manager|directReports)", Need(("User.Read.All",))),
    ("PUT", r"/users/[^/]+/manager/\$ref", Need(("User.ReadWrite.All",))),
    ("WRITE", r"/users/[^/]+/appRoleAssignments", Need(("AppRoleAssignment.ReadWrite.All",))),
    ("POST", r"/groups/[^/]+/members/\$ref", Need(("GroupMember.ReadWrite.All (for a group that roles are given to: RoleManagement.ReadWrite.Directory)",))),
    ("GET", r"/users/[^/]+/authentication/temporaryAccessPassMethods(/[^/]+)?", Need(("UserAuthMethod-TAP.Read.All", "UserAuthenticationMethod.Read.All"))),
    (
        "WRITE",
        r"/users/[^/]+/authentication/temporaryAccessPassMethods(/[^/]+)?",
        Need(("UserAuthMethod-TAP.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All")),
    ),
    ("GET", r"/policies/authenticationMethodsPolicy(/.*)?", Need(("Policy.Read.AuthenticationMethod", "Policy.Read.All"))),
    ("GET", r"/users(/[^/]+)?", Need(("User.Read.All",))),
    ("DELETE", r"/users/[^/]+", Need(("User.DeleteRestore.All", "User.ReadWrite.All"), _ADMIN_ROLE)),
    ("POST", r"/invitations", Need(("User.Invite.All", "User.ReadWrite.All"))),
    ("GET", r"/policies/(crossTenantAccessPolicy/.*|[a-zA-Z]+Policies)", Need(("Policy.Read.All",))),
    ("WRITE", r"/policies/crossTenantAccessPolicy/.*", Need(("Policy.ReadWrite.CrossTenantAccess",))),
    ("WRITE", r"/groups/[^/]+(/members/.*)?", Need(("GroupMember.ReadWrite.All", "Group.ReadWrite.All"))),
    ("GET", r"/groups/.*", Need(("GroupMember.Read.All", "Group.Read.All"))),
    ("GET", r"/roleManagement/.*", Need(("RoleManagement.Read.Directory", "Directory.Read.All"))),
    ("GET", r"/auditLogs/.*", Need(("AuditLog.Read.All",))),
    ("GET", r"(/(servicePrincipals|users)/[^/]+)?/oauth2PermissionGrants(/.*)?", Need(("Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"))),
    ("WRITE", r"/oauth2PermissionGrants(/.*)?", Need(("DelegatedPermissionGrant.ReadWrite.All",))),
    ("GET", r"/servicePrincipals/[^/]+/synchronization/.*", Need(("Synchronization.Read.All",))),
    ("WRITE", r"/servicePrincipals/[^/]+/synchronization/.*", Need(("Synchronization.ReadWrite.All",))),
    ("WRITE", r"/servicePrincipals/[^/]+/appRole.*", Need(("AppRoleAssignment.ReadWrite.All",))),
    ("GET", r"/(applications|servicePrincipals)(/.*|\(.*)?", Need(("Application.Read.All",))),
    ("WRITE", r"/(applications|servicePrincipals)(/.*|\(.*)?", Need(("Application.ReadWrite.All",))),
    ("GET", r"/directory/deletedItems/.*user.*", Need(("User.Read.All",))),
    ("GET", r"/directory/deletedItems/.*", Need(("Application.Read.All", "Directory.Read.All"))),
    ("POST", r"/directory/deletedItems/[^/]+/restore", Need(("Application.ReadWrite.All (for a user: User.DeleteRestore.All)",))),
    ("GET", r"/identity/conditionalAccess/.*", Need(("Policy.Read.All",))),
    ("GET", r"/identity/identityProviders.*", Need(("IdentityProvider.Read.All",))),
    ("GET", r"/identity/customAuthenticationExtensions.*", Need(("CustomAuthenticationExtension.Read.All",))),
    ("GET", r"/identity/authenticationEventListeners.*", Need(("EventListener.Read.All",))),
    ("GET", r"/organization(/[^/]+/certificateBasedAuthConfiguration)?", Need(("Organization.Read.All",))),
    ("GET", r"/directory/publicKeyInfrastructure/.*", Need(("PublicKeyInfrastructure.Read.All",))),
    ("GET", r"/deviceAppManagement/.*", Need(("DeviceManagementApps.Read.All",))),
    (
        "GET",
        r"/deviceManagement/(deviceConfigurations|configurationPolicies|groupPolicyConfigurations)(/.*)?",
        Need(("DeviceManagementConfiguration.Read.All",)),
    ),
    ("GET", r"/directory/federationConfigurations.*", Need(("IdentityProvider.Read.All",))),
    ("WRITE", r"/directory/federationConfigurations.*", Need(("IdentityProvider.ReadWrite.All",))),
)


def needed(method: str, path: str, body: Mapping[str, Any] | None = None) -> Need | None:
    """What `method` on `path` (without version and query) needs; None when this table does not know it."""
    if method == "PATCH" and re.fullmatch(r"/users/[^/]+", path):
        return _user_update(body or {})
    if path == "/invitations" and (body or {}).get("resetRedemption"):
        return Need(("User.ReadWrite.All",))
    for kind, pattern, need in _RULES:
        if (kind == method or (kind == "WRITE" and method != "GET")) and re.fullmatch(pattern, path):
            return need
    return None


def _user_update(body: Mapping[str, Any]) -> Need:
    """PATCH /users/{id} needs what its most guarded property needs."""
    if "passwordProfile" in body:
        rest = "" if set(body) == {"passwordProfile"} else " and User.ReadWrite.All"
        return Need((f"User-PasswordProfile.ReadWrite.All{rest}",), _ADMIN_ROLE)
    if set(body) == {"accountEnabled"}:
        return Need(("User.EnableDisableAccount.All", "User.ReadWrite.All"), _ADMIN_ROLE)
    return Need(("User.ReadWrite.All",))


def sentence(need: Need | None) -> str:
    """For people: what to grant."""
    if need is None:
        return "Grant the app registration the application permission that the operation's page under https://learn.microsoft.com/graph/api/ names."
    text = f"Grant the app registration the application permission {' or '.join(need.permissions)} with admin consent"
    return text + (f", and its service principal the directory role {need.role}." if need.role else ".")
