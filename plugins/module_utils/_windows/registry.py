# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry by reg.exe: a parser of what `reg query` prints, and reading on top of it.

reg.exe answers 1 alike for "not there", "not allowed" and "wrong syntax", so absence is proved by a listing of the parent key.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from .._core.errors import OffboardError
from .client import Answer
from .reg_query import Key, parse_query


class RegistryConnection(Protocol):
    """What this world needs of a connection; `client.Client` is one."""

    host: str

    @property
    def run(self) -> Callable[..., Answer]: ...

    @property
    def cmd(self) -> Callable[..., Answer]: ...


def query_below(key: str) -> tuple[str, ...]:
    """The command that `read_below` begins with."""
    return ("reg.exe", "query", key, "/s", "/reg:64")


def _query(machine: RegistryConnection, key: str, *arguments: str) -> list[Key] | None:
    return _asked(machine, ("reg.exe", "query", key, *arguments))


def _asked(machine: RegistryConnection, command: tuple[str, ...]) -> list[Key] | None:
    answer = machine.run(*command)
    return parse_query(answer.text) if answer.exit_code == 0 else None


def read(machine: RegistryConnection, key: str, *, view: int = 64, recursive: bool = False) -> list[Key]:
    """A key that must be there, then its subkeys (with their values when `recursive`). Raises OffboardError `registry_unreadable`."""
    found = _query(machine, key, *(["/s"] if recursive else []), f"/reg:{view}")
    if found is None:
        raise OffboardError(f"{machine.host}: the registry key {key} could not be read; is the account an administrator?", code="registry_unreadable")
    return found


def read_if_there(machine: RegistryConnection, key: str, *, view: int = 64, recursive: bool = False) -> list[Key]:
    """Like `read`; empty when the listing of the parent proves that the key is not there."""
    parent, _unused, name = key.rpartition("\\")
    if name.casefold() not in (child.name.casefold() for child in read(machine, parent, view=view)):
        return []
    return read(machine, key, view=view, recursive=recursive)


def read_below(machine: RegistryConnection, root: str, path: str) -> list[Key]:
    """A key with all below it; empty when the listings from `root` on prove that it is not there. Raises OffboardError `registry_unreadable`."""
    whole = rf"{root}\{path}"
    if (found := _asked(machine, query_below(whole))) is not None:
        return found
    return read(machine, whole, recursive=True) if _is_there(machine, root, path) else []


def subkeys(machine: RegistryConnection, root: str, path: str) -> list[str]:
    """The names of a key's subkeys; empty when the listings from `root` on prove that it is not there. Raises OffboardError `registry_unreadable`."""
    whole = rf"{root}\{path}"
    if (found := _query(machine, whole, "/reg:64")) is None:
        if not _is_there(machine, root, path):
            return []
        found = read(machine, whole)
    return [key.name for key in found if key.path.count("\\") == whole.count("\\") + 1]


def _is_there(machine: RegistryConnection, root: str, path: str) -> bool:
    above = root
    for part in path.split("\\"):
        if part.casefold() not in (child.name.casefold() for child in read(machine, above)):
            return False
        above = rf"{above}\{part}"
    return True


def read_all(machine: RegistryConnection, keys: Sequence[str]) -> list[Key]:
    """Keys that must be there, with all below them, by one command where that can be said. Raises OffboardError `registry_unreadable`."""
    if keys and all(re.fullmatch(r"[\w .\\-]+", key, re.ASCII) for key in keys):
        answer = machine.cmd("&&".join(subprocess.list2cmdline(query_below(key)) for key in keys))
        if answer.exit_code == 0:
            return parse_query(answer.text)
    return [found for key in keys for found in read(machine, key, recursive=True)]


def look(machine: RegistryConnection, key: str) -> list[Key]:
    """A key and its subkeys; empty when it is not there or must not be read, which is not told apart here."""
    return _query(machine, key, "/reg:64") or []


#: People's accounts: of a domain or the machine, and of Entra ([MS-DTYP] 2.4.2.4: S-1-12-1, of users on machines that are joined to Entra only).
_PERSON = re.compile(r"S-1-(?:5-21|12-1)(?:-\d+)+")


def is_person(sid: str) -> bool:
    """Whether a SID is that of a person's account."""
    return _PERSON.fullmatch(sid) is not None


def user_hives(machine: RegistryConnection) -> Iterator[str]:
    """SIDs of the accounts whose registry is loaded now. Those who are not signed in are not among them."""
    for key in _query(machine, "HKU") or read(machine, "HKU"):
        if is_person(key.name):
            yield key.name


#: What Windows puts behind the SID of a profile that it could not load; the user gets a temporary one, or a new one, beside it.
_SET_ASIDE = ".bak"


def profiles(machine: RegistryConnection) -> dict[str, str]:
    """The folder of each person's profile on the machine, signed in or not, by SID; that of one that was set aside by SID and `.bak`."""
    listed = read(machine, r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList", recursive=True)
    return {key.name: key.text("ProfileImagePath") for key in listed if is_person(of_profile(key.name))}


def of_profile(name: str) -> str:
    """Whose a profile is that `profiles` names so."""
    return name.removesuffix(_SET_ASIDE)


def system_root(machine: RegistryConnection) -> str:
    r"""The folder of Windows, usually C:\Windows."""
    found = read(machine, r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion")[0].text("SystemRoot")
    return found or r"C:\Windows"


def environment(machine: RegistryConnection) -> dict[str, str]:
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
