# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registry.pol ([MS-GPREG] 2.2.1) as a lossless list of records. Pure.

Order, spelling, unknown types and directives (`**del.NAME`, `**delvals.` and the like) are kept as they are. The published
parsers lose records; so what would not be written back byte for byte is refused here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from ..._core.browser_hosts import EXPAND_SZ, MULTI_SZ, SZ, Record
from ..._core.errors import OffboardError

__all__ = ["EXPAND_SZ", "MULTI_SZ", "SZ", "Record", "pack", "parse"]

_HEADER = b"PReg\x01\0\0\0"


def _refused(why: str) -> OffboardError:
    return OffboardError(f"it is no Registry.pol that can be edited: {why}", code="policy_unreadable")


def _mark(data: bytes, at: int, character: str) -> int:
    """The place behind a delimiter."""
    if data[at : at + 2] != character.encode("utf-16-le"):
        raise _refused(f"a delimiter is missing at byte {at}")
    return at + 2


def _string(data: bytes, at: int) -> tuple[str, int]:
    """A text that ends with a NUL, and the place behind it."""
    end = data.find(b"\0\0", at)
    while end >= 0 and (end - at) % 2:  # a NUL byte of one character and one of the next
        end = data.find(b"\0\0", end + 1)
    if end < 0:
        raise _refused(f"a text has no end at byte {at}")
    return data[at:end].decode("utf-16-le", "surrogatepass"), end + 2


def _number(data: bytes, at: int) -> tuple[int, int]:
    if at + 4 > len(data):
        raise _refused("it ends within a number")
    return struct.unpack_from("<I", data, at)[0], at + 4


def parse(data: bytes) -> list[Record]:
    """The records in their order. Raises OffboardError `policy_unreadable`, which quotes nothing of the file."""
    if not data.startswith(_HEADER):
        raise _refused("its header is not that of version 1")
    at, found = len(_HEADER), []
    try:
        while at < len(data):
            key, at = _string(data, _mark(data, at, "["))
            name, at = _string(data, _mark(data, at, ";"))
            kind, at = _number(data, _mark(data, at, ";"))
            size, at = _number(data, _mark(data, at, ";"))
            at = _mark(data, at, ";")
            if at + size > len(data):
                raise _refused("it ends within a value")
            found.append(Record(key, name, kind, data[at : at + size]))
            at = _mark(data, at + size, "]")
    except UnicodeError:
        raise _refused("a name is no UTF-16") from None
    if pack(found) != data:
        raise _refused("it would not be written back as it is")
    return found


def pack(records: Iterable[Record]) -> bytes:
    """The file of these records."""
    parts = [_HEADER]
    for record in records:
        key, name = ((text + "\0").encode("utf-16-le", "surrogatepass") for text in (record.key, record.name))
        numbers = (struct.pack("<I", number) for number in (record.type, len(record.data)))
        parts.append(b"[\0" + b";\0".join([key, name, *numbers, record.data]) + b"]\0")
    return b"".join(parts)
