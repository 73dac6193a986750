# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's three worlds hold, asked of the stores themselves, in a form in which two moments or two runs can be compared."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import paths
from lab.directory import settings
from lab.directory.part import DirectoryPart
from lab.tenant.part import control
from lab.windows.part import WindowsPart

TABLES = (
    "domains", "federations", "users", "deleted_users", "groups", "deleted_groups", "applications", "deleted_applications", "service_principals",
    "deleted_service_principals", "app_role_assignments", "oauth2_permission_grants", "role_assignments", "skus", "external_federations",
    "cross_tenant_access",
)  # fmt: skip

#: What a domain controller changes by itself, by a logon or by its own bookkeeping.
_BOOKKEEPING = {
    "badpasswordtime", "badpwdcount", "dscorepropagationdata", "lastlogoff", "lastlogon", "lastlogontimestamp", "logoncount", "usnchanged", "whenchanged",
}  # fmt: skip

#: Where uninstallers note their own temporary copies, by names that nobody can foresee, to be removed by a restart.
_PENDING = r"Control\Session Manager"

#: object → what is known of it
World = dict[str, Any]
Worlds = dict[str, World]


def tenant() -> World:
    """ "table/id" → the object's properties, kept ones (`_password`) too."""
    found: World = {}
    for table in TABLES:
        for item in control().call("GET", f"/_lab/objects/{table}").data:
            found[f"{table}/{item.get('id')}"] = item
    return found


def directory() -> World:
    """DN → attributes with their security descriptor, raw; "sysvol/file" → its content."""
    connection = DirectoryPart().connect()
    try:
        entries = connection.extend.standard.paged_search(paths.AD_BASE, "(objectClass=*)", attributes=["*", "nTSecurityDescriptor"], generator=False)
    finally:
        connection.unbind()
    found: World = {
        entry["dn"]: {name: sorted(values) for name, values in entry["raw_attributes"].items() if values and name.casefold() not in _BOOKKEEPING}
        for entry in entries
        if entry["type"] == "searchResEntry"
    }
    sysvol = settings.sysvol(DirectoryPart().state)
    return found | {f"sysvol/{path.relative_to(sysvol)}": _content(path) for path in sysvol.rglob("*") if path.is_file()}


def _content(path: Path) -> str | list[str]:
    """Of a template (GptTmpl.inf) its lines and what they list, in whatever order."""
    data = path.read_bytes()
    if path.suffix.casefold() != ".inf":
        return hashlib.sha256(data).hexdigest()
    lines = [line.partition("=") for line in data.decode("utf-16").splitlines() if line.strip()]
    return sorted(f"{name.strip()}{sign}{','.join(sorted(value.strip().split(',')))}" for name, sign, value in lines)


def windows() -> World:
    """ "machine: registry key, task, file or folder" → a hash of its content."""
    part = WindowsPart()
    return {f"{machine}: {name}": value for machine in paths.WINDOWS for name, value in part.fingerprint(machine).items() if not name.endswith(_PENDING)}


def dump() -> Worlds:
    """All three."""
    return {"tenant": tenant(), "directory": directory(), "windows": windows()}


def changes(before: World, after: World) -> dict[str, tuple[Any, Any]]:
    """Object → (before, after) where they differ; None for one that is not there. Of objects with properties, only the differing ones."""
    found = {}
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            differing = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
            old, new = ({key: item.get(key) for key in differing} for item in (old, new))
        found[name] = (old, new)
    return found


def beyond_versions(found: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """What has changed but the version that each edit of a group policy counts up, there and back."""
    return {
        name: change
        for name, change in found.items()
        if not name.endswith("/GPT.INI") and not (isinstance(change[0], dict) and change[0].keys() == {"versionNumber"})
    }


_TIME = re.compile(r"(?i)DateTime$")


def timeless(value: Any) -> Any:
    """Without what two runs cannot have in common: times, and what is made of generated passwords."""
    match value:
        case dict():
            return {key: timeless(item) for key, item in value.items() if not (isinstance(key, str) and (_TIME.search(key) or key in ("_password", "_salt")))}
        case list():
            return [timeless(item) for item in value]
    return value


def users(world: World) -> dict[str, dict[str, Any]]:
    """userPrincipalName → user, of a tenant."""
    return {item["userPrincipalName"]: item for name, item in world.items() if name.startswith("users/")}


def applications(world: World, table: str = "applications") -> dict[str, dict[str, Any]]:
    """Client id → application, of a tenant."""
    return {item["appId"]: item for name, item in world.items() if name.startswith(f"{table}/")}


def licences(user: Mapping[str, Any]) -> set[tuple[str, str | None]]:
    """(SKU, group it comes from)."""
    return {(state["skuId"], state["assignedByGroup"]) for state in user["licenseAssignmentStates"]}


def password_is(user: str, password: str) -> tuple[bool, int]:
    """Whether the password is the user's, and how many times one was set since the fixture."""
    answer = control().call("POST", "/_lab/password", {"user": user, "password": password}).data
    return answer["matches"], answer["count"]
