# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a role of the directory."""

from __future__ import annotations

from .._graph.client import Client


def read_roles(client: Client) -> dict[str, set[str]]:
    """Role template ids by the object id of who holds them directly."""
    roles: dict[str, set[str]] = {}
    for item in client.list("/roleManagement/directory/roleAssignments"):
        roles.setdefault(item["principalId"], set()).add(item["roleDefinitionId"])
    return roles
