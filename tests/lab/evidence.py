# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which writes reached the lab's worlds, from the servers' own logs: the proof that check mode writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from . import company
from .directory.part import DirectoryPart
from .linux.part import LinuxPart
from .tenant.part import control
from .windows.part import WindowsPart


def _tenant() -> list[str]:
    actor = company.app("iij")["client_id"]  # IIJ ID's side writes by itself until its provisioning is stopped
    return [f"{entry['method']} {entry['path']}" for entry in control().call("GET", "/_lab/requests?write=1").data if entry["app_id"] != actor]


def _directory() -> list[str]:
    return [f"{entry['operation']} {entry['dn']}" for entry in DirectoryPart().writes()]


def _windows() -> list[str]:
    return [f"{entry['machine']}: {entry['command']}" for entry in WindowsPart().requests() if entry["write"]]


def _linux() -> list[str]:
    """The machine keeps no log: each of its files, so that what is written differs from what was there."""
    part = LinuxPart()
    return [*part.machine().fingerprint().decode().splitlines(), *part.server().writes()]


WORLDS = {"tenant": _tenant, "directory": _directory, "windows": _windows, "linux": _linux}
#: what every lab has
USUAL = ("tenant", "directory", "windows")


class Watch:
    """Notes the writes that were there; `new` gives those that came later, refused ones too. Not across a reset."""

    def __init__(self, worlds: Sequence[str] = USUAL) -> None:
        self._before = {world: Counter(WORLDS[world]()) for world in worlds}

    def new(self) -> dict[str, list[str]]:
        """World → its new writes, one line each."""
        return {world: list((Counter(WORLDS[world]()) - before).elements()) for world, before in self._before.items()}
