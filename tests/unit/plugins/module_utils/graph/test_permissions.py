# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions that messages name."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._graph import permissions
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.permissions import needed, sentence
from dev import places
from dev.pages import with_table

#: Beside the checkout, or beside the folder of its worktrees.
PUBLISHED = next((file for folder in places.ROOT.parents if (file := folder / "shared" / "graph" / "permissions-subset.json").exists()), Path("/none"))


@pytest.mark.parametrize(
    ("method", "path", "body", "permission", "role"),
    [
        ("PATCH", "/domains/a.example", {"authenticationType": "Managed"}, "Domain.ReadWrite.All", "Domain Name Administrator"),
        ("GET", "/domains/a.example/federationConfiguration", None, "Domain-InternalFederation.Read.All", ""),
        ("DELETE", "/domains/a.example/federationConfiguration/1", None, "Domain-InternalFederation.ReadWrite.All", "Domain Name Administrator"),
        ("PATCH", "/users/1", {"accountEnabled": True}, "User.EnableDisableAccount.All", "User Administrator"),
        ("PATCH", "/users/1", {"passwordProfile": {}}, "User-PasswordProfile.ReadWrite.All", "User Administrator"),
        ("PATCH", "/users/1", {"passwordProfile": {}, "usageLocation": "JP"}, "User.ReadWrite.All", "User Administrator"),
        ("PATCH", "/users/1", {"usageLocation": "JP"}, "User.ReadWrite.All", ""),
        ("GET", "/users('%24o%27%27hara%40a.example')", None, "User.Read.All", ""),
        ("PATCH", "/users('%24hara%40a.example')", {"accountEnabled": True}, "User.EnableDisableAccount.All", "User Administrator"),
        # a report, which the permission to read users does not show
        ("GET", "/users?$select=id,signInActivity", None, "AuditLog.Read.All", ""),
        ("GET", "/users?$select=id", None, "User.Read.All", ""),
        ("POST", "/users/1/assignLicense", {}, "LicenseAssignment.ReadWrite.All", ""),
        ("DELETE", "/servicePrincipals/1/appRoleAssignments/2", None, "AppRoleAssignment.ReadWrite.All", ""),
        ("DELETE", "/servicePrincipals/1", None, "Application.ReadWrite.All", ""),
        (
            "GET",
            "/deviceManagement/detectedApps?$filter=displayName eq 'x'",
            None,
            "DeviceManagementManagedDevices.Read.All or DeviceManagementConfiguration.Read.All",
            "",
        ),
        ("DELETE", "/deviceAppManagement/mobileApps/1/assignments/2", None, "DeviceManagementApps.ReadWrite.All", ""),
        ("POST", "/deviceAppManagement/mobileAppConfigurations/1/assignments", {}, "DeviceManagementApps.ReadWrite.All", ""),
        ("POST", "/deviceManagement/deviceConfigurations/1/assignments", {}, "DeviceManagementConfiguration.ReadWrite.All", ""),
    ],
)
def test_the_permission_and_role_are_named(method, path, body, permission, role):
    text = sentence(needed(method, path, body))
    assert permission in text
    assert role in text


def test_an_unknown_operation_points_to_the_documentation():
    assert needed("GET", "/planner/tasks") is None
    assert "learn.microsoft.com" in sentence(None)


def test_against_microsofts_published_data():
    if not PUBLISHED.exists():
        pytest.skip("Microsoft's permission data does not lie beside this checkout")
    checked = 0
    for entry in json.loads(PUBLISHED.read_text()):
        allowed = {*entry["application_least"], *entry["application_other"]}
        path = re.sub(r"\{[^}]*\}", "x", entry["path"])
        need = needed(entry["method"], path, {"usageLocation": "JP"})
        if need is None or not allowed or path.endswith("restore"):
            continue
        if "Domain.Read.All" in allowed and "samlOrWsFed" in path:
            continue  # the operation's own page names IdentityProvider.Read.All, which the data has for the path without the cast
        checked += 1
        assert set(need.permissions) & allowed, (entry["method"], entry["path"], need.permissions)
    assert checked > 40


_PERMISSION = re.compile(r"\b[A-Z][A-Za-z-]+(?:\.[A-Za-z-]+)+\.(?:All|Directory|AuthenticationMethod|CrossTenantAccess)\b")
ENTRA = sorted(file.stem for prefix in ("entra", "intune") for file in (places.ROOT / "plugins" / "modules").glob(f"{prefix}_*.py"))


@pytest.mark.parametrize("name", ENTRA)
def test_a_modules_page_names_what_the_table_has(name):
    module = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}")
    notes = " ".join(yaml.safe_load(module.DOCUMENTATION)["notes"])
    told = set(_PERMISSION.findall(re.search(r"Needs the application permissions?(.*)", notes, re.DOTALL)[1]))
    assert told == {one for names in permissions.MODULES[name].values() for one in names}


def test_every_module_of_the_tenant_is_in_the_table_and_in_a_row():
    assert sorted(permissions.MODULES) == ENTRA
    assert {name for work in permissions.WORKS for name in work.modules} == set(ENTRA)
    shown = {(name, option) for work in permissions.WORKS for name in work.modules for option in work.options}
    assert {(name, option) for name, needs in permissions.MODULES.items() for option in needs} - shown == {("entra_users_info", "group")}  # the exit has none


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_manual_has_the_table(language):
    """`./dev pages` writes it."""
    page = (places.ROOT / "docs" / language / "before-you-start.md").read_text(encoding="utf-8")
    assert page == with_table("before-you-start.md", language)
    for name in ("Domain-InternalFederation.Read.All", "LicenseAssignment.Read.All", "User.Invite.All", "RoleManagement.Read.Directory"):
        assert f"`{name}`" in page


def test_what_another_permission_includes_is_not_lacking():
    assert permissions.lacking(["Domain.Read.All", "User.Read.All"], ["Domain.ReadWrite.All", "Directory.Read.All"]) == []
    assert permissions.lacking(["Domain.ReadWrite.All", "User.ReadWrite.All"], ["Domain.Read.All", "User.Read.All"]) == [
        "Domain.ReadWrite.All",
        "User.ReadWrite.All",
    ]


READS = list(permissions.WORKS[0].permissions)


@pytest.mark.parametrize(
    ("granted", "roles", "lacks"),
    [
        (None, None, {}),
        ([one for work in permissions.WORKS for one in work.permissions], ["User Administrator"], {}),
        ([one for work in permissions.WORKS for one in work.permissions], ["Privileged Authentication Administrator"], {}),
        ([one for work in permissions.WORKS for one in work.permissions], None, {}),
        ([one for work in permissions.WORKS for one in work.permissions], [], {"passwords": ([], True)}),
        (
            READS,
            ["User Administrator"],
            {
                "users": (["User.ReadWrite.All", "User.EnableDisableAccount.All", "LicenseAssignment.ReadWrite.All"], False),
                "passwords": (["User-PasswordProfile.ReadWrite.All"], False),
                "passes": (["UserAuthMethod-TAP.ReadWrite.All", "Policy.Read.AuthenticationMethod"], False),
                "domains": (["Domain.ReadWrite.All", "Domain-InternalFederation.ReadWrite.All"], False),
                "app": (["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"], False),
                "intune_apps": (["DeviceManagementApps.ReadWrite.All"], False),
                "intune_profiles": (["DeviceManagementConfiguration.ReadWrite.All"], False),
            },
        ),
    ],
)
def test_what_is_lacking_is_told_for_each_work(granted, roles, lacks):
    found = permissions.missing(granted, roles)
    assert {item["work"]: (item["permissions"], bool(item["roles"])) for item in found} == lacks
    assert all(item["stages"] for item in found)


def test_what_does_as_well_is_microsofts_word():
    if not PUBLISHED.exists():
        pytest.skip("Microsoft's permission data does not lie beside this checkout")
    entries = json.loads(PUBLISHED.read_text())
    for name, others in permissions._AS_GOOD.items():
        allowed = set()
        for entry in entries:
            both = {*entry["application_least"], *entry["application_other"]}
            allowed |= both if name in both else set()
        assert not allowed or others <= allowed, (name, others - allowed)
