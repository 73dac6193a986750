# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts: which application permission and which directory role an operation needs, for messages about 401 and 403, and which ones a module needs,
for the manual, the modules' own pages and the preflight.

From Microsoft's permission data (github.com/microsoftgraph/microsoft-graph-devx-content, permissions.json) and the operations' pages
under https://learn.microsoft.com/graph/api/. Where several permissions do, the least one comes first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from .._core.text import Text


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
    ("GET", r"/organization", Need(("Organization.Read.All", "Directory.Read.All"))),
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
    (
        "GET",
        r"/policies/(crossTenantAccessPolicy/.*|[a-zA-Z]+Policies|identitySecurityDefaultsEnforcementPolicy)",
        Need(("Policy.Read.All",)),
    ),
    ("WRITE", r"/policies/crossTenantAccessPolicy/.*", Need(("Policy.ReadWrite.CrossTenantAccess",))),
    ("WRITE", r"/groups/[^/]+(/members/.*)?", Need(("GroupMember.ReadWrite.All", "Group.ReadWrite.All"))),
    ("GET", r"/groups(/.*)?", Need(("GroupMember.Read.All", "Group.Read.All"))),
    ("GET", r"/roleManagement/.*", Need(("RoleManagement.Read.Directory", "Directory.Read.All"))),
    ("GET", r"/auditLogs/.*", Need(("AuditLog.Read.All",))),
    ("GET", r"/reports/authenticationMethods/.*", Need(("AuditLog.Read.All",))),
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
    ("GET", r"/organization/[^/]+/branding/.*", Need(("Organization.Read.All", "OrganizationalBranding.Read.All"))),
    ("GET", r"/organization(/[^/]+/certificateBasedAuthConfiguration)?", Need(("Organization.Read.All",))),
    ("GET", r"/directory/publicKeyInfrastructure/.*", Need(("PublicKeyInfrastructure.Read.All",))),
    ("GET", r"/deviceAppManagement/(mobileApps|mobileAppConfigurations|targetedManagedAppConfigurations)(/.*)?", Need(("DeviceManagementApps.Read.All",))),
    (
        "GET",
        r"/deviceManagement/(deviceConfigurations|configurationPolicies|groupPolicyConfigurations)(/.*)?",
        Need(("DeviceManagementConfiguration.Read.All",)),
    ),
    ("GET", r"/deviceManagement/detectedApps", Need(("DeviceManagementManagedDevices.Read.All", "DeviceManagementConfiguration.Read.All"))),
    ("WRITE", r"/deviceAppManagement/[^/]+/[^/]+/assignments(/.*)?", Need(("DeviceManagementApps.ReadWrite.All",))),
    ("WRITE", r"/deviceManagement/deviceConfigurations/[^/]+/assignments(/.*)?", Need(("DeviceManagementConfiguration.ReadWrite.All",))),
    ("GET", r"/directory/federationConfigurations.*", Need(("IdentityProvider.Read.All",))),
    ("WRITE", r"/directory/federationConfigurations.*", Need(("IdentityProvider.ReadWrite.All",))),
)


#: a key in parentheses, as Graph wants it of names that begin with a dollar sign
_KEY = re.compile(r"\('[^()']*'\)")


def needed(method: str, path: str, body: Mapping[str, Any] | None = None) -> Need | None:
    """What `method` on `path` (without version) needs; None when this table does not know it."""
    path, _unused, query = path.partition("?")
    path = _KEY.sub("/key", path)
    if path.startswith("/users") and "signInActivity" in query:  # a report, with a permission of its own
        return Need(("AuditLog.Read.All",))
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


# --- what each module needs -------------------------------------------------------------------

#: Directory roles by which an app may do what its permissions alone do not allow
USER_ADMINISTRATOR, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR, GLOBAL_ADMINISTRATOR = (
    "User Administrator", "Privileged Authentication Administrator", "Global Administrator",
)  # fmt: skip

#: options of a module that need more than the module itself
PASSWORDS, PASSES, LICENCE_GROUP, SESSIONS, ACTIVITY, SIGN_INS, REINVITED, PROFILES = (
    "passwords", "passes", "licence_group", "sessions", "activity", "sign_ins", "reinvited", "profiles",
)  # fmt: skip

_READS_FEDERATIONS = ("IdentityProvider.Read.All", "Domain.Read.All")

#: module: what its work is: the permissions for it; "" is what it needs always
MODULES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "entra_app": {"": ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "Domain.Read.All")},
    "entra_app_info": {"": ("Application.Read.All", "Directory.Read.All"), ACTIVITY: ("AuditLog.Read.All",)},
    "entra_arrivals_info": {"": ("User.Read.All", "AuditLog.Read.All", "Domain.Read.All")},
    "entra_domain": {"": ("Domain.ReadWrite.All", "Domain-InternalFederation.ReadWrite.All", "User.Read.All", "RoleManagement.Read.Directory")},
    "entra_domain_info": {"": ("Domain.Read.All", "Domain-InternalFederation.Read.All")},
    "entra_external_federation": {
        "": ("IdentityProvider.ReadWrite.All", "Domain.Read.All", "Domain-InternalFederation.Read.All", "User.Read.All"),
    },
    "entra_external_federation_info": {"": (*_READS_FEDERATIONS, "User.Read.All"), SIGN_INS: ("AuditLog.Read.All",)},
    "entra_federation_certificate": {"": ("IdentityProvider.ReadWrite.All", "Domain.Read.All", "Domain-InternalFederation.ReadWrite.All")},
    "entra_federation_certificate_info": {"": (*_READS_FEDERATIONS, "Domain-InternalFederation.Read.All", "User.Read.All")},
    "entra_guests": {
        "": (
            "User.Invite.All", "User.ReadWrite.All", "User.DeleteRestore.All", "Domain.Read.All", "RoleManagement.Read.Directory", "IdentityProvider.Read.All",
            "Policy.Read.All",
        ),
        REINVITED: ("Directory.Read.All", "GroupMember.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "LicenseAssignment.ReadWrite.All"),
    },
    "entra_guests_info": {"": ("User.Read.All", "IdentityProvider.Read.All", "Policy.Read.All"), SIGN_INS: ("AuditLog.Read.All",)},
    "entra_managers_info": {"": ("User.Read.All", "Domain.Read.All")},
    "entra_permissions_info": {"": ("RoleManagement.Read.Directory",)},
    "entra_provisioning_gate": {"": ("Application.Read.All", "Directory.Read.All"), ACTIVITY: ("AuditLog.Read.All",)},
    "entra_provisioning_info": {"": ("User.Read.All", "AuditLog.Read.All", "Application.Read.All", "Domain.Read.All")},
    "entra_redemption_order": {"": ("Policy.ReadWrite.CrossTenantAccess", "Policy.Read.All")},
    "entra_redemption_order_info": {"": ("Policy.Read.All",)},
    "entra_references_info": {
        "": (
            "Application.Read.All", "Policy.Read.All", "Synchronization.Read.All", "IdentityProvider.Read.All", "Domain.Read.All",
            "Domain-InternalFederation.Read.All", "Organization.Read.All", "CustomAuthenticationExtension.Read.All", "EventListener.Read.All",
            "PublicKeyInfrastructure.Read.All", "DeviceManagementApps.Read.All", "DeviceManagementConfiguration.Read.All", "GroupMember.Read.All",
        ),
    },
    "entra_sign_in_readiness_info": {
        "": (
            "User.Read.All", "Domain.Read.All", "Organization.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All", "AuditLog.Read.All",
            "Policy.Read.All",
        ),
    },
    "entra_snapshot": {
        "": (
            "Domain.Read.All", "Domain-InternalFederation.Read.All", "User.Read.All", "LicenseAssignment.Read.All", "Application.Read.All",
            "Directory.Read.All",
        ),
    },
    "entra_users": {
        "": (
            "User.ReadWrite.All", "User.EnableDisableAccount.All", "LicenseAssignment.ReadWrite.All", "Domain.Read.All", "RoleManagement.Read.Directory",
            "GroupMember.Read.All",
        ),
        PASSWORDS: ("User-PasswordProfile.ReadWrite.All",),
        SESSIONS: ("User.RevokeSessions.All",),
        PASSES: ("UserAuthMethod-TAP.ReadWrite.All", "Policy.Read.AuthenticationMethod"),
        LICENCE_GROUP: ("GroupMember.ReadWrite.All",),
    },
    "entra_users_info": {"": ("User.Read.All", "LicenseAssignment.Read.All"), "group": ("GroupMember.Read.All",)},
    "entra_users_readiness_info": {
        "": ("User.Read.All", "Domain.Read.All", "Organization.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All"),
        PASSES: ("UserAuthMethod-TAP.Read.All",),
    },
    "intune_assignment": {
        "": ("DeviceManagementApps.ReadWrite.All", "GroupMember.Read.All", "Domain.Read.All"),
        PROFILES: ("DeviceManagementConfiguration.ReadWrite.All",),
    },
    "intune_assignment_info": {"": ("DeviceManagementApps.Read.All", "GroupMember.Read.All"), PROFILES: ("DeviceManagementConfiguration.Read.All",)},
}  # fmt: skip

#: permissions that do as well as the one named, by the same data; X.ReadWrite.All does for X.Read.All without being listed
_AS_GOOD: Mapping[str, frozenset[str]] = {
    name: frozenset(others.split())
    for name, others in {
        "Application.Read.All": "Directory.Read.All Directory.ReadWrite.All",
        "Directory.Read.All": "Directory.ReadWrite.All",
        "Domain-InternalFederation.ReadWrite.All": "Domain.ReadWrite.All",
        "GroupMember.Read.All": "GroupMember.ReadWrite.All Group.Read.All Group.ReadWrite.All Directory.Read.All Directory.ReadWrite.All",
        "GroupMember.ReadWrite.All": "Group.ReadWrite.All",
        "LicenseAssignment.Read.All": "Organization.Read.All Organization.ReadWrite.All Directory.Read.All Directory.ReadWrite.All",
        "LicenseAssignment.ReadWrite.All": "User.ReadWrite.All Directory.ReadWrite.All",
        "Organization.Read.All": "Directory.Read.All Directory.ReadWrite.All",
        "Policy.Read.AuthenticationMethod": "Policy.Read.All Policy.ReadWrite.AuthenticationMethod",
        "RoleManagement.Read.Directory": "RoleManagement.ReadWrite.Directory Directory.Read.All Directory.ReadWrite.All",
        "User.DeleteRestore.All": "User.ReadWrite.All",
        "User.EnableDisableAccount.All": "User.ReadWrite.All Directory.ReadWrite.All",
        "User.Invite.All": "User.ReadWrite.All Directory.ReadWrite.All",
        "User.Read.All": "Directory.Read.All Directory.ReadWrite.All",
        "User.ReadWrite.All": "Directory.ReadWrite.All",
        "User.RevokeSessions.All": "User.ReadWrite.All Directory.ReadWrite.All",
        "UserAuthMethod-TAP.Read.All": "UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All",
        "UserAuthMethod-TAP.ReadWrite.All": "UserAuthenticationMethod.ReadWrite.All",
    }.items()
}


def lacking(wanted: Iterable[str], granted: Collection[str]) -> list[str]:
    """Those of the permissions wanted for which there is neither the permission itself, nor one that does as well."""
    return [name for name in wanted if not granted_for(name) & set(granted)]


def granted_for(name: str) -> frozenset[str]:
    """The permissions that do what `name` does."""
    return frozenset({name, name.replace(".Read.", ".ReadWrite.")}) | _AS_GOOD.get(name, frozenset())


class PermissionRow(NamedTuple):
    """One row of the manual's table. stages: of the exit, empty for what is read.

    options: those of the modules that the row is about. roles: the app's service principal has to hold one of them. note: what else to say.
    """

    name: str
    title: Text
    stages: tuple[str, ...]
    modules: tuple[str, ...]
    options: tuple[str, ...] = ("",)
    roles: tuple[str, ...] = ()
    note: Text = Text("", "")

    @property
    def permissions(self) -> tuple[str, ...]:
        """What the modules need for it, each once; what another of them includes is left out."""
        found = dict.fromkeys(name for module in self.modules for option in self.options for name in MODULES[module].get(option, ()))
        return tuple(name for name in found if name.replace(".Read.", ".ReadWrite.") == name or name.replace(".Read.", ".ReadWrite.") not in found)


WORKS = (
    PermissionRow(
        "reading", Text("preflight, snapshot, gate, final gate, check mode", "preflight、snapshot、gate、final_gate、チェックモード"), (),
        (
            "entra_domain_info", "entra_users_info", "entra_provisioning_info", "entra_app_info", "entra_permissions_info", "entra_snapshot",
            "entra_provisioning_gate", "entra_users_readiness_info", "entra_managers_info",
        ),
        ("", ACTIVITY),
    ),
    PermissionRow(
        "references", Text("what points at IIJ ID (preflight, final gate)", "IIJ IDを参照するもの（preflight、final_gate）"), (), ("entra_references_info",),
        note=Text(
            "what one of them is missing for is told as not looked at, and a person has to look there",
            "権限がない部分は「確認できない」と表示され、人が確認する必要があります",
        ),
    ),
    PermissionRow(
        "sign_in_readiness",
        Text("who can sign in, who has arrived (preflight, domains, arrivals)", "サインインの可否と状況（preflight、domains、arrivals）"),
        (), ("entra_sign_in_readiness_info", "entra_arrivals_info"),
        note=Text(
            "what one of them, or the licence Entra ID P1, is missing for is told as not looked at",
            "権限またはEntra ID P1のライセンスがない部分は「確認できない」と表示されます",
        ),
    ),
    PermissionRow("users", Text("users", "users（利用者）"), ("users",), ("entra_users",)),
    PermissionRow(
        "more", Text("users: licences by a group, sessions ended", "users: グループによるライセンス、セッションの終了"), (), ("entra_users",),
        (LICENCE_GROUP, SESSIONS),
    ),
    PermissionRow(
        "passwords", Text("passwords", "passwords（パスワード）"), ("passwords",), ("entra_users",), (PASSWORDS,),
        (USER_ADMINISTRATOR, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR, GLOBAL_ADMINISTRATOR),
        Text(
            "**and** the app's service principal holds the role User Administrator (Privileged Authentication Administrator for administrators' passwords)",
            "これらに**加えて**、アプリのサービスプリンシパルに「ユーザー管理者」ロール（管理者のパスワードには「特権認証管理者」）",
        ),
    ),
    PermissionRow(
        "passes", Text("Temporary Access Passes instead of passwords", "パスワードの代わりの一時アクセスパス"), ("passwords",),
        ("entra_users", "entra_users_readiness_info"), (PASSES,),
    ),
    PermissionRow(
        "domains", Text("domains", "domains（ドメイン）"), ("domains",), ("entra_domain",), note=Text(
            "some tenants answer 403 until the service principal also holds Domain Name Administrator",
            "テナントによっては、サービスプリンシパルに「ドメイン名管理者」ロールがないと403になります",
        ),
    ),
    PermissionRow("app", Text("gate, app (IIJ's app)", "gate、app（IIJのアプリ）"), ("app",), ("entra_app",)),
    PermissionRow(
        "intune_apps", Text("clients: assignments of apps in Intune", "clients: Intuneのアプリの割り当て"), ("clients",),
        ("intune_assignment", "intune_assignment_info"),
        note=Text("only for `multi_factor_authentication_intune_assignments`", "`multi_factor_authentication_intune_assignments` を使う場合のみ"),
    ),
    PermissionRow(
        "intune_profiles", Text("clients: assignments of device profiles in Intune", "clients: Intuneのデバイス構成プロファイルの割り当て"), ("clients",),
        ("intune_assignment", "intune_assignment_info"), (PROFILES,),
        note=Text("only where such assignments name `device_configuration`", "`device_configuration` の割り当てを指定した場合のみ"),
    ),
    PermissionRow(
        "guests", Text("direct federation and guests", "直接フェデレーションとゲスト"), (),
        (
            "entra_external_federation", "entra_external_federation_info", "entra_federation_certificate", "entra_federation_certificate_info",
            "entra_guests", "entra_guests_info", "entra_redemption_order", "entra_redemption_order_info",
        ),
        ("", SIGN_INS, REINVITED),
        note=Text("`ansible-doc` of each module names the ones it needs", "各モジュールに必要なものは `ansible-doc` にあります"),
    ),
)  # fmt: skip


def table(language: str) -> str:
    """The manual's table, in Markdown. What is read needs its permissions for all other work, too, and they are not repeated."""
    head = {"en": ("work", "Microsoft Graph application permissions"), "ja": ("作業", "Microsoft Graph のアプリケーション権限")}[language]
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    reading = WORKS[0].permissions
    for work in WORKS:
        own = [name for name in work.permissions if work is WORKS[0] or work.name == "guests" or lacking([name], reading)]
        shown = " ".join(f"`{name}`" for name in own)
        note = getattr(work.note, language)
        lines.append(f"| {getattr(work.title, language)} | {shown}{('; ' if language == 'en' else '。') + note if note else ''} |")
    return "\n".join(lines) + "\n"


def missing(granted: Collection[str] | None, roles: Collection[str] | None) -> list[dict[str, Any]]:
    """For each work of the exit what the app lacks: `work`, `stages`, `permissions`, `roles` (one of them is needed). Nothing where nothing is lacking.

    granted, roles: what the app holds; None where that is not known, and then counts as held.
    """
    found = []
    for work in WORKS:
        wanted = [] if granted is None else lacking(work.permissions, granted)
        role = list(work.roles) if work.roles and roles is not None and not set(work.roles) & set(roles) else []
        if work.stages and (wanted or role):
            found.append({"work": work.name, "stages": list(work.stages), "permissions": wanted, "roles": role})
    return found
