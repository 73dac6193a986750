# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry by reg.exe: a parser of what `reg query` prints, and reading on top of it.

reg.exe answers 1 alike for "not there", "not allowed" and "wrong syntax", so absence is proved by a listing of the parent key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .._core.errors import OffboardError
from .client import Answer

# The name may hold blanks. The default value's name is in the machine's language.
_VALUE = re.compile(r" {4}(?P<name>.+?) {4}(?P<type>REG_[A-Z_]+)(?: {4}(?P<data>.*))?")


class Machine(Protocol):
    """What this world needs of a connection; `client.Client` is one."""

    host: str
    run: Callable[..., Answer]
    cmd: Callable[..., Answer]


@dataclass
class Key:
    """A registry key as printed: full path, and values by name: (type, data)."""

    path: str
    values: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("\\")[2]

    def text(self, name: str) -> str:
        """The data of a value, compared without case as Windows does; "" when there is none."""
        return next((data for known, (_type, data) in self.values.items() if known.casefold() == name.casefold()), "")

    def number(self, name: str) -> int:
        """A REG_DWORD; 0 when there is none."""
        data = self.text(name)
        return int(data, 16) if re.fullmatch(r"0x[0-9a-fA-F]+", data) else 0

    def strings(self, name: str) -> list[str]:
        r"""A REG_MULTI_SZ, which reg.exe prints with \0 between the strings."""
        data = self.text(name)
        return [item for item in data.split("\\0") if item] if data else []


def parse_query(text: str) -> list[Key]:
    """The keys that `reg query` (with or without /s) printed, in its order. Data with line breaks keeps them."""
    keys: list[Key] = []
    last: str | None = None
    for line in text.splitlines():
        if line.startswith("HKEY_"):
            keys.append(Key(line.rstrip()))
            last = None
        elif keys and (found := _VALUE.fullmatch(line)):
            last = found["name"]
            keys[-1].values[last] = (found["type"], found["data"] or "")
        elif keys and last is not None and line:
            kind, data = keys[-1].values[last]
            keys[-1].values[last] = (kind, f"{data}\n{line}")
    return keys


def _query(machine: Machine, key: str, *arguments: str) -> list[Key] | None:
    answer = machine.run("reg.exe", "query", key, *arguments)
    return parse_query(answer.text) if answer.exit_code == 0 else None


def read(machine: Machine, key: str, *, view: int = 64, recursive: bool = False) -> list[Key]:
    """A key that must be there, then its subkeys (with their values when `recursive`). Raises OffboardError `registry_unreadable`."""
    found = _query(machine, key, *(["/s"] if recursive else []), f"/reg:{view}")
    if found is None:
        raise OffboardError(f"{machine.host}: the registry key {key} could not be read; is the account an administrator?", code="registry_unreadable")
    return found


def read_if_there(machine: Machine, key: str, *, view: int = 64, recursive: bool = False) -> list[Key]:
    """Like `read`; empty when the listing of the parent proves that the key is not there."""
    parent, _unused, name = key.rpartition("\\")
    if name.casefold() not in (child.name.casefold() for child in read(machine, parent, view=view)):
        return []
    return read(machine, key, view=view, recursive=recursive)


def user_hives(machine: Machine) -> Iterator[str]:
    """SIDs of the accounts whose registry is loaded now. Those who are not signed in are not among them."""
    for key in _query(machine, "HKU") or read(machine, "HKU"):
        if re.fullmatch(r"S-1-5-21-[\d-]+", key.name):
            yield key.name


def system_root(machine: Machine) -> str:
    r"""The folder of Windows, usually C:\Windows."""
    found = read(machine, r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion")[0].text("SystemRoot")
    return found or r"C:\Windows"


def environment(machine: Machine) -> dict[str, str]:
    """The machine's folders by environment variable, lower case, as far as programs are registered by them."""
    version = read(machine, r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion")[0]
    root, programs, common = system_root(machine), version.text("ProgramFilesDir"), version.text("CommonFilesDir")
    found = {
        "systemroot": root,
        "windir": root,
        "systemdrive": root[:2],
        "programfiles": programs,
        "programw6432": programs,
        "programfiles(x86)": version.text("ProgramFilesDir (x86)"),
        "commonprogramfiles": common,
        "commonprogramw6432": common,
        "commonprogramfiles(x86)": version.text("CommonFilesDir (x86)"),
        "programdata": rf"{root[:2]}\ProgramData",
    }
    return {name: value for name, value in found.items() if value}


def expand(text: str, known: Mapping[str, str]) -> str:
    """`text` with the environment variables replaced that are `known`; others stay as they are."""
    return re.sub(r"%([^%]+)%", lambda found: known.get(found[1].casefold(), found[0]), text)
