# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Soft-deleted objects: kept for 30 days, restored or removed for good. Source: learn.microsoft.com/graph/api/resources/directory."""

from __future__ import annotations

from ..answers import Answer, GraphError, bad_request, denied, not_found
from ..operation import NO_CONTENT, Call, operation
from ..store import Object
from .licences import apply_group, free_seats, licence_values

#: segment → type, table, permissions to read, permissions to restore or remove
_KINDS = {
    "user": ("user", "users", "User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All", "User.DeleteRestore.All User.ReadWrite.All"),
    "group": ("group", "groups", "Group.Read.All Group.ReadWrite.All Directory.Read.All Directory.ReadWrite.All", "Group.ReadWrite.All"),
    "application": (
        "application", "applications", "Application.Read.All Application.ReadWrite.All Directory.Read.All", "Application.ReadWrite.All",
    ),
    "servicePrincipal": (
        "servicePrincipal", "service_principals", "Application.Read.All Application.ReadWrite.All Directory.Read.All",
        "Application.ReadWrite.All",
    ),
}  # fmt: skip
_ANY_READ = " ".join(kind[2] for kind in _KINDS.values())
_ANY_WRITE = " ".join(kind[3] for kind in _KINDS.values())


@operation("GET", "/directory/deletedItems/{id}", permissions=_ANY_READ)
def get_or_list(call: Call) -> Answer:
    """One deleted object, or, for `microsoft.graph.user` and the like, all of that type."""
    wanted = call.params["id"]
    if "graph." in wanted.casefold():
        named = wanted.casefold().removeprefix("microsoft.").removeprefix("graph.")
        cast = next((name for name in _KINDS if name.casefold() == named), None)
        if cast is None:
            bad_request(f"Resource not found for the segment '{wanted}'.", "BadRequest")
        kind, table, read, _ = _KINDS[cast]
        if not call.may(*read.split()):
            denied()
        return call.page(kind, call.table(f"deleted_{table}"))
    kind, table, item = _find(call, 2)
    return call.one("directoryObject", {"@odata.type": f"#microsoft.graph.{kind}", **item})


def _find(call: Call, permissions: int) -> tuple[str, str, Object]:
    """Type, table and object; `permissions` is the place of the permissions in `_KINDS`."""
    key = call.params["id"]
    for entry in _KINDS.values():
        item = call.find(f"deleted_{entry[1]}", key)
        if item is not None:
            if not call.may(*entry[permissions].split()):
                denied()
            return entry[0], entry[1], item
    return not_found(key)


@operation("POST", "/directory/deletedItems/{id}/restore", permissions=_ANY_WRITE)
def restore(call: Call) -> Answer:
    kind, table, item = _find(call, 3)
    if table == "users" and item["userPrincipalName"].casefold() in call.store.upns:
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", "Another object with the same value for property userPrincipalName already exists.")
    values = item | {"deletedDateTime": None}
    if table == "users":
        values |= _licences_back(call, item)
    call.store.remove(f"deleted_{table}", item["id"])
    restored = call.store.put(table, item["id"], values)
    if table == "groups":
        users = call.table("users").objects
        for key in restored["_members"]:
            if key in users:
                apply_group(call.store, users[key], restored, True)
    call.audit(f"Restore {kind}", kind[0].upper() + kind[1:], item)
    return call.one("directoryObject", {"@odata.type": f"#microsoft.graph.{kind}", **restored})


def _licences_back(call: Call, user: Object) -> Object:
    """A restored user gets the licences back for which there are seats."""
    skus = {item["skuId"]: item for item in call.table("skus").objects.values()}
    return licence_values([item for item in user["licenseAssignmentStates"] if free_seats(call.store, skus[item["skuId"]]) > 0])


@operation("DELETE", "/directory/deletedItems/{id}", permissions=_ANY_WRITE)
def purge(call: Call) -> Answer:
    kind, table, item = _find(call, 3)
    call.store.remove(f"deleted_{table}", item["id"])
    call.audit(f"Hard Delete {kind}", kind[0].upper() + kind[1:], item)
    return NO_CONTENT
