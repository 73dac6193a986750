# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User rights in GptTmpl.inf ([MS-GPSB] 2.2 and 2.2.6): one line is edited, the rest stays byte for byte. Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator, Sequence

from ..._core.errors import OffboardError

_SECTION = re.compile(r"\s*\[([^\]]*)\].*", re.DOTALL)  # what stands behind the bracket is passed over
_RIGHTS = "privilege rights"


def _refused(why: str) -> OffboardError:
    return OffboardError(f"it is no GptTmpl.inf that can be edited: {why}", code="policy_unreadable")


def _lines(data: bytes) -> list[str]:
    """The lines with their ends. [MS-GPSB] demands UTF-16LE with a byte order mark."""
    if not data.startswith(codecs.BOM_UTF16_LE):
        raise _refused("it does not begin with the byte order mark of UTF-16LE")
    try:
        text = data[2:].decode("utf-16-le", "surrogatepass")
    except UnicodeError:
        raise _refused("it is no UTF-16LE") from None
    return re.findall(r"[^\n]*\n|[^\n]+", text)  # str.splitlines would also part at characters that Windows does not part at


def _entries(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """(number of the line, right, list) of each line of the section, as they are spelled."""
    inside = False
    for number, line in enumerate(lines):
        if found := _SECTION.fullmatch(line):
            inside = found[1].strip().casefold() == _RIGHTS
        elif inside and "=" in line and not line.lstrip().startswith(";"):
            right, _unused, members = line.partition("=")
            yield number, right.strip(), members


def others(data: bytes) -> Iterator[tuple[str, list[str], bool]]:
    """(name, list, whether it is a right) of each line of any section; of a restricted group, its members stand behind `NAME__Members`.

    What a comment holds, or a line that goes on in the next one, is there too. Raises OffboardError `policy_unreadable`.
    """
    lines = _lines(data)
    rights_at = {number for number, _right, members in _entries(lines) if not _says_more(members)}
    for number, line in enumerate(lines):
        if not _SECTION.fullmatch(line) and line.strip() and not line.lstrip().startswith(";"):
            name, _unused, members = line.partition("=")
            yield name.strip(), [name.strip().rpartition("__")[0], *_items(members)], number in rights_at


def _says_more(members: str) -> bool:
    """Whether there is a comment behind the list, or it goes on in the next line."""
    return ";" in members or members.rstrip().endswith("\\")


def _check_plain(right: str, members: str) -> None:
    """Who is left in such a list, or would come to be in it, the line does not say."""
    if _says_more(members):
        why = f"the line of {right} has a comment, or goes on in the next one. Save the right in the Group Policy Management Editor, which writes it anew"
        raise _refused(why)


def _items(members: str) -> list[str]:
    return [item.strip() for item in members.split(",") if item.strip()]


def rights(data: bytes) -> dict[str, list[str]]:
    """The members of each right that the file defines, as they are spelled: `*S-1-5-32-544`, or names.

    A right that is not in it has each machine's own value; an empty list means nobody. Raises OffboardError `policy_unreadable`.
    """
    found: dict[str, list[str]] = {}
    known: set[str] = set()
    for _unused, right, members in _entries(_lines(data)):
        if right.casefold() in known:
            raise _refused("a right is defined twice")
        known.add(right.casefold())
        found[right] = _items(members)
    return found


def _written(lines: Sequence[str]) -> bytes:
    return codecs.BOM_UTF16_LE + "".join(lines).encode("utf-16-le", "surrogatepass")


def without(data: bytes, right: str, members: Collection[str], *, undefine: bool = False) -> bytes:
    """The file without these members (spelled as `rights` gives them) of the right.

    undefine: where nobody is left, the line goes, so that each machine has its own value again; else an empty list stays. Raises `policy_unreadable`.
    """
    rights(data)  # refuses what is ambiguous
    lines = _lines(data)
    for number, name, value in list(_entries(lines)):
        if name.casefold() == right.casefold():
            _check_plain(name, value)
            kept = [piece for piece in value.split(",") if piece.strip() not in members]
            if undefine and not any(piece.strip() for piece in kept):
                del lines[number]
                continue
            body = value.rstrip("\r\n")
            blanks = body[: len(body) - len(body.lstrip())]
            lines[number] = lines[number].partition("=")[0] + "=" + blanks + ",".join(kept).strip() + value[len(value.rstrip()) :]
    return _written(lines)


def with_members(data: bytes, right: str, members: Sequence[str], *, define: bool = False) -> bytes:
    """The file with these members added at the end of the right's list.

    define: a right that the file does not define gets a line at the end of the section, which is made where there is none; else nothing changes.
    Raises `policy_unreadable`.
    """
    known = rights(data)
    lines = _lines(data)
    there = {name.casefold() for name in known}
    if right.casefold() in there:
        for number, name, value in list(_entries(lines)):
            if name.casefold() == right.casefold():
                _check_plain(name, value)
                end = value[len(value.rstrip()) :] if value.strip() else value.lstrip(" \t")
                start = lines[number].partition("=")[0] + "=" + (value[: -len(end)] if end else value)
                lines[number] = start + ("," if _items(value) else "") + ",".join(members) + end
        return _written(lines)
    section = next((number for number, line in enumerate(lines) if (found := _SECTION.fullmatch(line)) and found[1].strip().casefold() == _RIGHTS), None)
    if not define:
        return data
    if section is None:
        lines.append("[Privilege Rights]\r\n")
        section = len(lines) - 1
    last = max([section, *(number for number, _unused, _unused2 in _entries(lines))])
    for number in (max(last - 1, 0), last):
        if not lines[number].endswith("\n"):
            lines[number] += "\r\n"
    lines.insert(last + 1, f"{right} = {','.join(members)}\r\n")
    return _written(lines)
