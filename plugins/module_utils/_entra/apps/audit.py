# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the directory's audit log holds of one app."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from ..._core import names, plain
from ..._core.errors import OffboardError
from ..._graph.client import Client
from ..addresses import LONGEST_COMPARED

_PATH = "/auditLogs/directoryAudits"


def check_client_id(client_id: str) -> None:
    """What is no client id is no app's: nothing would be found, and it would pass for "this app did nothing". Raises OffboardError `bad_option`."""
    if not names.is_uuid(names.uuid(client_id)):
        raise OffboardError(f"{plain.line(client_id)!r} is not a client id (UUID)", code="bad_option")


def entries_of(client: Client, client_id: str, since: str | None = None) -> list[dict[str, Any]]:
    """The app's entries, from `since` (RFC 3339) on.

    Many entries leave initiatedBy.app.appId empty and name the app by its service principal only, so those under its display names are read too: of each
    service principal that it has or had, deleted ones too, and those that it had when the log was written.
    """
    check_client_id(client_id)
    principals = {item["id"]: item.get("displayName") for item in _principals(client, names.uuid(client_id))}
    time = f" and activityDateTime ge {since}" if since else ""
    entries = {item["id"]: item for item in client.list(f"{_PATH}?$filter=initiatedBy/app/appId eq '{names.uuid(client_id)}'{time}")}
    called = {name for name in (*principals.values(), *(_app(item).get("displayName") for item in entries.values())) if name} if principals else set()
    for name in sorted(called):
        # a longer name is refused: then all entries are read
        quoted = urllib.parse.quote(name.replace("'", "''"))
        terms = f"initiatedBy/app/displayName eq '{quoted}'{time}" if len(name) <= LONGEST_COMPARED else time.removeprefix(" and ")
        for item in client.list(f"{_PATH}?$filter={terms}" if terms else _PATH):
            if _app(item).get("servicePrincipalId") in principals:
                entries[item["id"]] = item
    return list(entries.values())


def _principals(client: Client, client_id: str) -> Iterator[Mapping[str, Any]]:
    yield from client.list(f"/servicePrincipals?$filter=appId eq '{client_id}'&$select=id,displayName")
    for item in client.list("/directory/deletedItems/microsoft.graph.servicePrincipal?$top=999"):
        if item.get("appId") == client_id:
            yield item


def _app(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return (entry.get("initiatedBy") or {}).get("app") or {}


def reaches_back_to(client: Client) -> str | None:
    """The time of the oldest entry of all: the log keeps 30 days, 7 in Entra ID Free."""
    oldest = client.get(f"{_PATH}?$orderby=activityDateTime asc&$top=1").get("value")
    return oldest[0]["activityDateTime"] if oldest else None
