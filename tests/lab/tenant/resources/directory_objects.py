# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the directory whose type the caller does not know. Sources: learn.microsoft.com/graph/api/directoryobject-get, -delete,
-getbyids."""

from __future__ import annotations

from dataclasses import replace

from ..answers import Answer, bad_request, denied, not_found
from ..operation import OPERATIONS, Call, operation
from ..store import Object

#: type → table, collection of its own
_KINDS = {
    "user": ("users", "users"),
    "group": ("groups", "groups"),
    "application": ("applications", "applications"),
    "servicePrincipal": ("service_principals", "servicePrincipals"),
}
_READ = "Directory.Read.All Directory.ReadWrite.All"
_MOST = 1000


def _find(call: Call, key: str) -> tuple[str, Object] | None:
    for kind, (table, _) in _KINDS.items():
        if (item := call.find(table, key)) is not None:
            return kind, {"@odata.type": f"#microsoft.graph.{kind}", **item}
    return None


@operation("GET", "/directoryObjects/{id}", permissions=_READ)
def get(call: Call) -> Answer:
    found = _find(call, call.params["id"]) or not_found(call.params["id"])
    return call.one("directoryObject", found[1])


@operation(
    "DELETE",
    "/directoryObjects/{id}",
    permissions="User.DeleteRestore.All User.ReadWrite.All Group.ReadWrite.All Application.ReadWrite.All Directory.ReadWrite.All",
)
def delete(call: Call) -> Answer:
    """As the object's own collection deletes it, with the permissions that it asks for."""
    key = call.params["id"]
    kind, _ = _find(call, key) or not_found(key)
    own = next(item for item in OPERATIONS if item.method == "DELETE" and item.path.startswith(f"/{_KINDS[kind][1]}/{{") and item.path.count("/") == 2)
    if not call.may(*own.permissions):
        denied()
    return own.handler(replace(call, operation=own, params={own.path.rpartition("{")[2].rstrip("}"): key}))


@operation("POST", "/directoryObjects/getByIds", permissions=_READ)
def get_by_ids(call: Call) -> Answer:
    body = call.body if isinstance(call.body, dict) else {}
    keys, types = body.get("ids"), [str(name) for name in body.get("types") or ["directoryObject"]]
    if not isinstance(keys, list) or not 1 <= len(keys) <= _MOST:
        bad_request(f"The parameter 'ids' is required, with 1 to {_MOST} ids.")
    found = [entry for key in keys if (entry := _find(call, str(key).lower()))]
    return call.page("directoryObject", [item for kind, item in found if kind in types or "directoryObject" in types], default_top=_MOST, max_top=_MOST)
