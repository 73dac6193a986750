# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a role of the directory."""

from __future__ import annotations

from .._graph.client import Client
from .._graph.errors import GraphError

#: In the place of a role: a member or owner of a group that roles can be given to is as guarded as if the group had one
#: (https://learn.microsoft.com/entra/identity/role-based-access-control/groups-concept).
ASSIGNABLE_GROUP = "role-assignable group"


def read_roles(client: Client) -> dict[str, set[str]]:
    """Role template ids by the object id of who holds them directly."""
    roles: dict[str, set[str]] = {}
    for item in client.list("/roleManagement/directory/roleAssignments"):
        roles.setdefault(item["principalId"], set()).add(item["roleDefinitionId"])
    return roles


def read_guarded(client: Client) -> dict[str, set[str]]:
    """`read_whole`. Where groups may not be read nobody is known to be in one, and Graph's refusal tells it (`needs_higher_role`)."""
    roles = read_roles(client)
    try:
        _add_groups(client, roles)
    except GraphError as exc:
        if exc.status != 403:
            raise
    return roles


def read_whole(client: Client) -> dict[str, set[str]]:
    """The same with the members and owners of groups that roles can be given to: Graph refuses a new password, for instance, to all of them alike."""
    roles = read_roles(client)
    _add_groups(client, roles)
    return roles


def _add_groups(client: Client, roles: dict[str, set[str]]) -> None:
    groups = list(client.list("/groups?$filter=isAssignableToRole eq true&$select=id"))
    for group in groups:
        given = roles.get(group["id"], set())
        for item in client.list_below(f"/groups/{group['id']}", "members?$select=id"):
            roles.setdefault(item["id"], set()).update(given, {ASSIGNABLE_GROUP})
        for item in client.list_below(f"/groups/{group['id']}", "owners?$select=id"):
            roles.setdefault(item["id"], set()).add(ASSIGNABLE_GROUP)
