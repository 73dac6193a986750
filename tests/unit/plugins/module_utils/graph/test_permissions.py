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
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.permissions import needed, sentence

PUBLISHED = Path(__file__).parents[6] / "shared" / "graph" / "permissions-subset.json"


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
        ("POST", "/users/1/assignLicense", {}, "LicenseAssignment.ReadWrite.All", ""),
        ("DELETE", "/servicePrincipals/1/appRoleAssignments/2", None, "AppRoleAssignment.ReadWrite.All", ""),
        ("DELETE", "/servicePrincipals/1", None, "Application.ReadWrite.All", ""),
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


#: the rows of the manual's table, in its order, with the modules that the stages of the row play; the last row sends the reader to ansible-doc
_ROWS = (
    ("entra_domain_info", "entra_users_info", "entra_app_info", "entra_snapshot"),
    ("entra_references_info",),
    ("entra_users",),
    ("entra_users",),
    ("entra_users",),
    ("entra_domain",),
    ("entra_app",),
)
_PERMISSION = re.compile(r"\b[A-Z][A-Za-z-]+(?:\.[A-Za-z-]+)+\.(?:All|Directory|AuthenticationMethod|CrossTenantAccess)\b|RoleManagement\.Read\.Directory")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_manual_names_what_the_modules_pages_demand(language):
    root = Path(__file__).parents[5]
    table = [line for line in (root / "docs" / language / "before-you-start.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    start = next(number for number, line in enumerate(table) if "Microsoft Graph" in line) + 1
    rows = [set(_PERMISSION.findall(line)) for line in table[start : start + len(_ROWS)]]
    for number, names in enumerate(_ROWS):
        # passes and passwords are options of entra_users, each with a row of its own; who changes may read, too
        given = rows[number] | rows[0] | (set().union(*rows[2:5]) if names == ("entra_users",) else set())
        for name in names:
            module = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}")
            notes = yaml.safe_load(module.DOCUMENTATION)["notes"]
            demanded = set(_PERMISSION.findall(re.search(r"Needs the application permissions?(.*)", " ".join(notes), re.DOTALL)[1]))
            assert demanded, name
            # X.Read.All is part of X.ReadWrite.All; a group's members are read with Directory.Read.All, too (learn.microsoft.com/graph/api/group-list-members)
            demanded -= {"GroupMember.Read.All"} if "Directory.Read.All" in given else set()
            lacking = {one for one in demanded if one not in given and one.replace(".Read.", ".ReadWrite.") not in given}
            assert not lacking, (language, name, lacking)
