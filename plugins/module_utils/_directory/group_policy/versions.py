# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of a group policy object ([MS-GPOL] 2.2.4 and 3.3.4.5): one number in the directory and in GPT.INI. Pure.

Its low 16 bits count the changes for machines, the high ones those for users. Clients apply what is new only where the number has moved.
"""

from __future__ import annotations

import re

from ..._core.errors import OffboardError

_VERSION = re.compile(rb"(?im)^([ \t]*Version[ \t]*=[ \t]*)(\d{1,10})(?=[ \t]*\r?$)")
_SECTION = re.compile(rb"(?im)^[ \t]*\[([^\]\r\n]*)\]")
_MOST = 0xFFFF_FFFF


def parts(version: int) -> dict[str, int]:
    return {"machine": version & 0xFFFF, "user": version >> 16 & 0xFFFF}


def unsigned(version: int) -> int:
    """The directory holds a signed number of 32 bits."""
    return version & _MOST


def signed(version: int) -> int:
    """The inverse of `unsigned`."""
    return version - 2**32 if version > 0x7FFF_FFFF else version


def bumped(version: int, scope: str) -> int:
    """The version after a change for `machine` or `user`; a counter that overflows goes on with 1."""
    count = parts(version)
    count[scope] = (count[scope] + 1) & 0xFFFF or 1
    return count["user"] << 16 | count["machine"]


def _found(data: bytes) -> re.Match[bytes]:
    found = list(_VERSION.finditer(data))
    if len(found) != 1 or int(found[0][2]) > _MOST:
        raise OffboardError("its GPT.INI has no version, or more than one", code="policy_unreadable")
    sections = [one[1].strip().lower() for one in _SECTION.finditer(data, 0, found[0].start())]
    if sections[-1:] != [b"general"]:  # where clients look for it, and nowhere else
        raise OffboardError("the version in its GPT.INI is not in the section [General]", code="policy_unreadable")
    return found[0]


def of_ini(data: bytes) -> int:
    """The version in a GPT.INI. Raises OffboardError `policy_unreadable`."""
    return int(_found(data)[2])


def in_ini(data: bytes, version: int) -> bytes:
    """The GPT.INI with this version; nothing else changes. Raises OffboardError `policy_unreadable`."""
    found = _found(data)
    return data[: found.start(2)] + str(version).encode() + data[found.end(2) :]
