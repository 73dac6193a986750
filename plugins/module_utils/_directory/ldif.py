# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LDIF (RFC 2849) records, as ldapmodify and ldifde read them. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .._core import plain
from .._core.errors import OffboardError

# SAFE-STRING of RFC 2849, and no space at the end (its note 8)
_SAFE = re.compile(rb"(?![ :<])[\x01-\x09\x0b\x0c\x0e-\x7f]*(?<! )")


@dataclass(frozen=True)
class ChangeRecord:
    """A change record: `add` with the entry's attributes, or `modify` with (operation, attribute, values) in order."""

    dn: str
    changetype: str
    attributes: dict[str, list[bytes]] = field(default_factory=dict)
    changes: list[tuple[str, str, list[bytes]]] = field(default_factory=list)


def _line(name: str, value: bytes) -> str:
    if _SAFE.fullmatch(value):
        return f"{name}: {value.decode('ascii')}" if value else f"{name}:"
    return f"{name}:: {base64.b64encode(value).decode('ascii')}"


def comment(text: str) -> str:
    """A comment, which nothing in it ends."""
    return "# " + plain.line(text)


def add(dn: str, attributes: Mapping[str, Iterable[bytes]]) -> str:
    """A record that adds an entry."""
    lines = [_line("dn", dn.encode()), "changetype: add"]
    lines += [_line(name, value) for name, values in attributes.items() for value in values]
    return "\n".join(lines) + "\n"


def modify(dn: str, operation: str, attribute: str, values: Iterable[bytes]) -> str:
    """A record that adds, replaces or deletes values of one attribute."""
    lines = [_line("dn", dn.encode()), "changetype: modify", f"{operation}: {attribute}"]
    lines += [_line(attribute, value) for value in values]
    return "\n".join([*lines, "-"]) + "\n"


def swap(dn: str, attribute: str, old: bytes, new: bytes) -> str:
    """A record that takes one value for another in one request, which fails where the old one is not there."""
    lines = [_line("dn", dn.encode()), "changetype: modify"]
    lines += [f"delete: {attribute}", _line(attribute, old), "-", f"add: {attribute}", _line(attribute, new), "-"]
    return "\n".join(lines) + "\n"


def _value(line: str) -> tuple[str, bytes]:
    name, separator, rest = line.partition(":")
    if not name or not separator or rest.startswith("<"):  # a URL would make reading a copy fetch something
        raise ValueError("a line is none of LDIF")
    if not rest.startswith(":"):
        return name, rest.strip(" ").encode()
    try:
        return name, base64.b64decode(rest[1:].strip(), validate=True)
    except ValueError:
        raise ValueError("a value is not base64") from None


def parse(text: str) -> Iterator[ChangeRecord]:
    """The records of a file that `add` and `modify` wrote, or that another program wrote in the same form.

    Raises OffboardError `ldif_unreadable`, which names the record by its number and quotes nothing.
    """
    unfolded = re.sub(r"\r?\n ", "", text)
    number = 0
    for block in re.split(r"(?:\r?\n){2,}", unfolded):
        lines = [line for line in re.split(r"\r?\n", block) if line and not line.startswith("#")]
        if number == 0 and lines and lines[0].startswith("version:"):  # of the file; in a record it is an attribute
            del lines[0]
        if lines:
            number += 1
            try:
                yield _record(lines)
            except UnicodeError:
                raise OffboardError(f"record {number} of the LDIF is not in UTF-8", code="ldif_unreadable") from None
            except ValueError as exc:
                raise OffboardError(f"record {number} of the LDIF cannot be read: {exc}", code="ldif_unreadable") from None


def _record(lines: list[str]) -> ChangeRecord:
    pairs = [_value(line) if line != "-" else ("-", b"") for line in lines]
    if pairs[0][0] != "dn":
        raise ValueError("it does not begin with dn")
    dn = pairs[0][1].decode()
    changetype = pairs[1][1].decode() if len(pairs) > 1 and pairs[1][0] == "changetype" else "add"
    body = pairs[2:] if len(pairs) > 1 and pairs[1][0] == "changetype" else pairs[1:]
    if changetype == "add":
        attributes: dict[str, list[bytes]] = {}
        for name, value in body:
            attributes.setdefault(name, []).append(value)
        return ChangeRecord(dn, changetype, attributes=attributes)
    if changetype != "modify":
        raise ValueError("its changetype is neither add nor modify")
    changes: list[tuple[str, str, list[bytes]]] = []
    opening = True
    for name, value in body:
        if name == "-":
            opening = True
        elif opening:
            changes.append((name, value.decode(), []))
            opening = False
        elif name.casefold() == changes[-1][1].casefold():
            changes[-1][2].append(value)
        else:
            raise ValueError("a change has a value of another attribute")
    return ChangeRecord(dn, changetype, changes=changes)
