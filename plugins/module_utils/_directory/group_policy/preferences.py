# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of Group Policy Preferences ([MS-GPPREF]): XML whose bytes stay, but for the attributes that are to change. Pure.

Registry items are turned into "delete on the clients": an item that is merely taken out leaves its value on every machine for ever.
"""

from __future__ import annotations

import re
import xml.parsers.expat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import OffboardError

#: Collections in collections, and elements of a file: nobody makes more by hand.
_DEEPEST, _MOST = 200, 100_000


@dataclass(frozen=True)
class Element:
    """A start tag: the names of the elements around it and its own, its attributes, and where it begins and ends in the file; and the texts in the element.

    `disabled`: it is switched off, or one around it is (a collection, or the whole file): clients pass over what is in it, whatever that says itself.
    """

    path: tuple[str, ...]
    attributes: Mapping[str, str]
    start: int
    end: int
    disabled: bool
    around: Element | None = field(default=None, compare=False, repr=False)
    texts: list[str] = field(default_factory=list, compare=False)


@dataclass(frozen=True)
class Item:
    """A registry item. `action` is C, R, U or D (create, replace, update, delete); `remove_policy`: gone where the policy applies no more.

    `once`: it, or a collection around it, is applied once and not again ([MS-GPPREF] FilterRunOnce): clients that had it pass over whatever it says now.
    `strings`: those of a REG_MULTI_SZ, which stand in elements of their own besides.
    """

    uid: str
    disabled: bool
    remove_policy: bool
    once: bool
    action: str
    hive: str
    key: str
    name: str
    type: str
    value: str
    tags: tuple[Element, Element]
    strings: list[str] = field(default_factory=list)


def _refused(why: str) -> OffboardError:
    return OffboardError(f"it is no preference file that can be edited: {why}", code="policy_unreadable")


def _tag_end(data: bytes, start: int) -> int:
    """Where the start tag ends; a `>` within quotes is none."""
    quote = 0
    for at in range(start, len(data)):
        byte = data[at]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == 0x3E:
            return at + 1
    raise _refused("a tag has no end")


def elements(data: bytes) -> list[Element]:
    """Every element in its order. Raises OffboardError `policy_unreadable`, which quotes nothing of the file."""
    found: list[Element] = []
    stack: list[Element] = []
    parser = xml.parsers.expat.ParserCreate()

    def doctype(*_unused: Any) -> None:
        raise _refused("it has a document type")  # entities could make it grow without end, or name files

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding or "utf-8").casefold() not in ("utf-8", "us-ascii"):
            raise _refused("it is not in UTF-8")

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) >= _DEEPEST or len(found) >= _MOST:
            raise _refused("it is nested too deeply, or has too many elements")
        at = parser.CurrentByteIndex
        around = stack[-1].path if stack else ()
        disabled = attributes.get("disabled") == "1" or (bool(stack) and stack[-1].disabled)
        stack.append(Element((*around, name), attributes, at, _tag_end(data, at), disabled, stack[-1] if stack else None))
        found.append(stack[-1])

    def said(text: str) -> None:
        stack[-1].texts.append(text)

    parser.StartDoctypeDeclHandler = doctype
    parser.XmlDeclHandler = declaration
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: stack.pop()
    parser.CharacterDataHandler = said
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data:  # expat would take it for UTF-16, and what is written into it would be none
        raise _refused("it is not in UTF-8")
    try:
        parser.Parse(data, True)
    except (xml.parsers.expat.ExpatError, ValueError):
        raise _refused("it is no well-formed XML") from None
    return found


def has_password(found: Sequence[Element]) -> bool:
    """Whether an element holds a `cpassword`: the key that it is encrypted with is published ([MS-GPPREF] 2.2.1.1.4), so it is one in clear."""
    return any(name.casefold() == "cpassword" and value for element in found for name, value in element.attributes.items())


def _from_inside(element: Element) -> Iterator[Element]:
    """The element, and those around it."""
    at: Element | None = element
    while at is not None:
        yield at
        at = at.around


def _filtered(condition: Element) -> Element | None:
    """What a filter is about: the element with the outermost `Filters` around it."""
    return next((one.around for one in _from_inside(condition) if one.path[-1] == "Filters"), None)


def is_string(element: Element) -> bool:
    """Whether it is one of the strings of a registry item."""
    return element.path[-4:] == ("Registry", "Properties", "Values", "Value")


def registry_items(found: Sequence[Element]) -> list[Item]:
    """The items of a Registry.xml, of nested collections too. Raises OffboardError `policy_unreadable`."""
    items = []
    once = {id(_filtered(one)) for one in found if one.path[-1] == "FilterRunOnce"}
    outer: Element | None = None
    for inner in found:
        if inner.path[-1] == "Registry":
            outer = inner
        elif outer is not None and inner.path == (*outer.path, "Properties"):
            value = inner.attributes
            items.append(
                Item(
                    uid=outer.attributes.get("uid", ""),
                    disabled=outer.disabled,
                    remove_policy=outer.attributes.get("removePolicy") == "1",
                    once=any(id(one) in once for one in _from_inside(outer)),
                    action=value.get("action", "U"),
                    hive=value.get("hive", ""),
                    key=value.get("key", ""),
                    name=value.get("name", ""),
                    type=value.get("type", ""),
                    value=value.get("value", ""),
                    tags=(outer, inner),
                )
            )
        elif items and is_string(inner):
            items[-1].strings.append("".join(inner.texts))
    return items


def _with_attribute(tag: bytes, name: str, value: str) -> bytes:
    """The start tag with this attribute; `value` needs no escapes."""
    pattern = re.compile(rb"(\s" + name.encode() + rb"\s*=\s*)(\"[^\"]*\"|'[^']*')")
    found = pattern.search(re.sub(rb"\"[^\"]*\"|'[^']*'", lambda match: match[0][:1] + b" " * (len(match[0]) - 2) + match[0][-1:], tag))
    if found:
        return tag[: found.start(2)] + f'"{value}"'.encode() + tag[found.end(2) :]
    end = len(tag) - (2 if tag.endswith(b"/>") else 1)
    return tag[:end].rstrip() + f' {name}="{value}"'.encode() + tag[end:]


def deleting(data: bytes, items: Iterable[Item]) -> bytes:
    """The file in which these of its registry items delete their value on the clients. They are known by their place: copies have the uid of the other one.

    Only the attribute `action` is written; `changed`, which tells people a time, stays, so that the same edit has the same bytes whenever it is planned.
    """
    for item in sorted(items, key=lambda one: one.tags[1].start, reverse=True):
        if item.action != "D":
            tag = item.tags[1]
            data = data[: tag.start] + _with_attribute(data[tag.start : tag.end], "action", "D") + data[tag.end :]
    return data
