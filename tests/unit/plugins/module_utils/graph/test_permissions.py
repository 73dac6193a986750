# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions that messages name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
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
