# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Active Directory's values as Python's. Pure."""

from __future__ import annotations

import datetime
import re
import struct
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from .._core.errors import OffboardError

EVERYONE = "S-1-1-0"
# Access rights, [MS-ADTS] 5.1.3.2 "Access Rights"
DELETE, DELETE_TREE, DELETE_CHILD = 0x00010000, 0x00000040, 0x00000002
# ADS_UF_ACCOUNTDISABLE, [MS-ADTS] 2.2.16 "userAccountControl Bits"
ACCOUNT_DISABLED = 0x2

_DENIED, _DENIED_OBJECT = 0x01, 0x06  # ACE types, [MS-DTYP] 2.4.4.1
_INHERIT_ONLY = 0x08
_FILETIME_EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)


def _reads(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For functions that decode: what cannot be decoded is an OffboardError `value_unreadable` that names `what`, never the value."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def read(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except (ValueError, IndexError, OverflowError, struct.error):
                raise OffboardError(f"Active Directory gave {what} that cannot be read", code="value_unreadable") from None

        return read

    return wrap


class Entry:
    """An object as the server sent it: `dn`, and raw values by attribute name (in any case)."""

    def __init__(self, dn: str, attributes: Mapping[str, Iterable[bytes]]) -> None:
        self.dn = dn
        self.attributes = {name: list(values) for name, values in attributes.items() if values}
        self._folded = {name.casefold(): values for name, values in self.attributes.items()}

    def raw(self, name: str) -> list[bytes]:
        """All values; empty when the attribute is absent or may not be read."""
        return self._folded.get(name.casefold(), [])

    def texts(self, name: str) -> list[str]:
        return [value.decode("utf-8", "replace") for value in self.raw(name)]

    def text(self, name: str) -> str | None:
        """The first value as text."""
        return next(iter(self.texts(name)), None)

    def number(self, name: str) -> int | None:
        """The first value as a number. Raises OffboardError `value_unreadable`."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?[0-9]{1,20}", value):
            raise OffboardError(f"{name} of {self.dn} is no whole number", code="value_unreadable")
        return int(value)


@_reads("a security identifier")
def sid(data: bytes) -> str:
    """S-1-… of a binary security identifier ([MS-DTYP] 2.4.2.2)."""
    count = data[1]
    authority = int.from_bytes(data[2:8], "big")
    return "-".join(["S", str(data[0]), str(authority), *map(str, struct.unpack_from(f"<{count}I", data, 8))])


@_reads("an objectGUID")
def guid(data: bytes) -> str:
    """The usual text of a binary objectGUID."""
    return str(uuid.UUID(bytes_le=data))


@_reads("an objectGUID")
def guid_bytes(text: str) -> bytes:
    """The inverse of `guid`."""
    return uuid.UUID(text).bytes_le


@_reads("a time")
def file_time(ticks: int | None) -> datetime.datetime | None:
    """UTC of a FILETIME (100 ns since 1601); None for "never" (0, or the largest value)."""
    if not ticks or ticks >= 0x7FFFFFFFFFFFFFFF:
        return None
    return _FILETIME_EPOCH + datetime.timedelta(microseconds=ticks // 10)


@_reads("a security descriptor")
def denied(descriptor: bytes, trustee: str = EVERYONE) -> int:
    """The rights that a self-relative security descriptor ([MS-DTYP] 2.4.6) denies to `trustee` on the object itself."""
    (dacl,) = struct.unpack_from("<I", descriptor, 16)
    if not dacl:
        return 0
    (count,) = struct.unpack_from("<H", descriptor, dacl + 4)
    mask, at = 0, dacl + 8
    for _unused in range(count):
        kind, flags, size = struct.unpack_from("<BBH", descriptor, at)
        if kind in (_DENIED, _DENIED_OBJECT) and not flags & _INHERIT_ONLY:
            rights, start = struct.unpack_from("<I", descriptor, at + 4)[0], at + 8
            if kind == _DENIED_OBJECT:
                (present,) = struct.unpack_from("<I", descriptor, start)
                start += 4 + 16 * (present & 1) + 16 * (present >> 1 & 1)
            if sid(descriptor[start : at + size]) == trustee:
                mask |= rights
        at += size
    return mask


def parent_dn(dn: str) -> str:
    """The DN without its first part; an escaped comma does not part."""
    match = re.match(r"(?:[^,\\]|\\.)*,\s*", dn)
    return dn[match.end() :] if match else ""
