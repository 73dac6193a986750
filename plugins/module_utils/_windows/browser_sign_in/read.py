# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists and zones of one machine and of the users whose registry is loaded. No other registry is ever loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import OffboardError
from .. import registry
from ..reg_query import Key
from . import plan as lists
from .plan import Setting, Values


@dataclass
class MachineSettings:
    """`users`: SIDs with the name of the profile's folder, of those who are signed in and of those who are not."""

    settings: list[tuple[Setting, Values]] = field(default_factory=list)
    automatic_logon: list[dict[str, Any]] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    users_not_signed_in: dict[str, str] = field(default_factory=dict)

    @property
    def hives(self) -> list[str]:
        return [lists.MACHINE, *(rf"HKU\{sid}" for sid in self.users)]


def _folder(path: str) -> str:
    return path.rstrip("\\").rpartition("\\")[2]


def _keys(machine: registry.RegistryConnection, hive: str) -> list[Key]:
    internet = lists.INTERNET if hive == lists.MACHINE else lists.INTERNET[:1]
    return [key for path in (lists.POLICIES, *internet) for key in registry.read_below(machine, hive, path)]


def read(machine: registry.RegistryConnection) -> MachineSettings:
    """Raises OffboardError `registry_unreadable`."""
    found = MachineSettings()
    known = registry.profiles(machine)
    _take(found, lists.MACHINE, _keys(machine, lists.MACHINE))
    for sid in registry.user_hives(machine):
        hive = rf"HKU\{sid}"
        try:
            keys = _keys(machine, hive)
        except OffboardError:
            if sid in registry.user_hives(machine):
                raise
            continue  # signed out meanwhile
        found.users[sid] = _folder(known.get(sid, ""))
        _take(found, hive, keys)
    found.users_not_signed_in = {sid: _folder(path) for sid, path in known.items() if sid not in found.users}
    return found


def _take(found: MachineSettings, hive: str, keys: list[Key]) -> None:
    found.settings += lists.settings(hive, keys)
    found.automatic_logon += lists.automatic_logon(hive, keys)


def values_now(machine: registry.RegistryConnection, setting: Setting, paths: Iterable[str]) -> dict[str, str | None]:
    """What the values are at this moment, as `Setting.shown` has them; None where there is none, or none that may be read."""
    result: dict[str, str | None] = {}
    known: dict[str, Key | None] = {}
    for path in paths:
        key, name = setting.place(path)
        if key not in known:
            known[key] = key_now(machine, rf"{setting.hive}\{key}")[0]
        there = known[key]
        value = next((value for one, value in there.values.items() if one.casefold() == name.casefold()), None) if there else None
        result[path] = f"{value[0]} {value[1]}" if value else None
    return result


def key_now(machine: registry.RegistryConnection, path: str) -> tuple[Key | None, list[Key]]:
    """A key with its values, and its subkeys. reg.exe prints a key's own line only where it has values."""
    listed = registry.look(machine, path)
    full = path.partition("\\")[2].casefold()
    own = next((key for key in listed if key.path.partition("\\")[2].casefold() == full), None)
    return own, [key for key in listed if key is not own]
