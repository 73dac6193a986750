# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the app that signs in may do, and what it lacks for each stage of the exit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._graph.errors import GraphError
from ..._graph.permissions import missing


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_permissions_info."""
    with Client(Connection.from_params(params)) as client:
        granted, identity = client.granted(), client.identity()
        roles = _roles(client, identity["object_id"]) if granted is not None and identity["object_id"] else None
    return {"app_id": identity["app_id"], "permissions": granted, "directory_roles": roles, "missing": missing(granted, roles)}


def _roles(client: Client, principal_id: str) -> list[str] | None:
    """The names of the directory roles that the service principal holds; None where that may not be read."""
    try:
        definitions = {item["id"]: item["displayName"] for item in client.list("/roleManagement/directory/roleDefinitions?$select=id,displayName")}
        held = list(client.list(f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{principal_id}'"))
    except GraphError as exc:
        if exc.status not in (401, 403):
            raise
        return None
    return sorted(definitions.get(item["roleDefinitionId"], item["roleDefinitionId"]) for item in held)
