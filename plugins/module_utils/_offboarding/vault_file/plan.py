# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an encrypted file is written, and under which name. Pure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile
from typing import Any

from ..._core import names
from ..._core.machine_ids import host_of
from ..._core.model import Change, Object
from ..._core.plan import Plan
from ..._core.spool import Spool
from .. import phrases

KIND = "vault_file"


def is_held(holds: Mapping[str, Any]) -> Callable[[str, str], bool]:
    """Given a kind and an id, whether a change is of what such a file holds: of its machine, of Active Directory, or of OpenLDAP."""
    if machine := holds.get("machine"):
        return lambda kind, identity: kind.startswith(("windows_", "linux_")) and names.machine(host_of(identity)) == names.machine(machine)
    begins = "directory_object" if holds.get("directory") else "openldap_"
    return lambda kind, _identity: kind.startswith(begins)


def plan_file(current: Iterable[Object], paths: Callable[[], Iterable[str]], holds: Mapping[str, Any] | None, size: int) -> Plan:
    """Create it, or a further one where those that are there do not hold all of what it shall, or nothing.

    paths: the names, without end, that it and its further ones have. size: of the content, in bytes.
    """
    found = {item.id: item for item in current}  # in check mode the files of earlier tasks are among them
    there = [found[path] for path in takewhile(found.__contains__, paths())]
    held = {item.casefold() for one in there for item in one.state.get("objects") or ()}
    known = not holds or any(one.state.get("objects") is not None for one in there)
    if there and known and {item.casefold() for item in (holds or {}).get("objects") or ()} <= held:
        return Plan(unchanged=1)
    taken = {one.id for one in there}
    path = next(path for path in paths() if path not in taken)
    after = {"exists": True, "content": f"(encrypted, {size} bytes)"}
    return Plan(changes=Spool([Change(KIND, path, os.path.basename(path), "create", None, after, undo=phrases.english("undo_file", path=path))]))
