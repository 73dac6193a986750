# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the directory's audit log holds of one app."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any

from ..._graph.client import Client

_PATH = "/auditLogs/directoryAudits"


def entries_of(client: Client, client_id: str, since: str | None = None, *, name: str | None = None, principal_id: str | None = None) -> list[dict[str, Any]]:
    """The app's entries, from `since` (RFC 3339) on.

    Many entries leave initiatedBy.app.appId empty and name the app by its service principal only, so those under its display name are read too.
    """
    if principal_id is None:
        found = next(client.list(f"/servicePrincipals?$filter=appId eq '{client_id.casefold()}'&$select=id,displayName"), None) or _deleted(client, client_id)
        principal_id, name = (found["id"], found["displayName"]) if found else (None, None)
    time = f" and activityDateTime ge {since}" if since else ""
    entries = {item["id"]: item for item in client.list(f"{_PATH}?$filter=initiatedBy/app/appId eq '{client_id.casefold()}'{time}")}
    if principal_id and name:
        quoted = urllib.parse.quote(name.replace("'", "''"))
        for item in client.list(f"{_PATH}?$filter=initiatedBy/app/displayName eq '{quoted}'{time}"):
            if ((item.get("initiatedBy") or {}).get("app") or {}).get("servicePrincipalId") == principal_id:
                entries[item["id"]] = item
    return list(entries.values())


def _deleted(client: Client, client_id: str) -> Mapping[str, Any] | None:
    items = client.list("/directory/deletedItems/microsoft.graph.servicePrincipal?$top=999")
    return next((item for item in items if item.get("appId") == client_id.casefold()), None)


def reaches_back_to(client: Client) -> str | None:
    """The time of the oldest entry of all: the log keeps 30 days, 7 in Entra ID Free."""
    oldest = client.get(f"{_PATH}?$orderby=activityDateTime asc&$top=1").get("value")
    return oldest[0]["activityDateTime"] if oldest else None
