# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How names are compared that people type and services answer: users, domains, hosts, client ids. Distinguished names: `dn.py`. Pure.

People paste names with blanks around them, full-width from a Japanese keyboard, a domain in its Unicode form or with its final dot, an id in braces.
What has to be exact, a guest's address or an issuer, is compared by `_federation/url_rule.comparable`, for which letters that look alike are others.
"""

from __future__ import annotations

import re
import unicodedata
import urllib.parse
from collections.abc import Iterable

from .errors import OffboardError

#: PowerShell's and .NET's forms of a Guid: with hyphens or without, in braces or parentheses; in quotes where it comes out of code
_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")
_AROUND_UUID = "{}()\"'\u201c\u201d "
#: what word processors and Japanese keyboards make of a hyphen
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff0d\uff70", "-"))
#: separators of labels in other scripts (RFC 3490 3.1)
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})


def _plain(text: str) -> str:
    """Without blanks around it, marks that nobody sees, case and width."""
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKC", text.translate(_DOTS)) if unicodedata.category(char) != "Cf")
    return text.strip().casefold()


def uuid(text: str) -> str:
    """The id of an app, a user or a product, however it was pasted; what is none as any other name."""
    text = _plain(text)
    found = _UUID.fullmatch((text if text.isascii() else text.translate(_HYPHENS)).strip(_AROUND_UUID))
    return "-".join(found.groups()) if found else text


def is_uuid(text: str) -> bool:
    """Whether it is an id as `uuid` gives it."""
    return bool(_UUID.fullmatch(text)) and text.count("-") == 4


def visible(text: str) -> str:
    """Without the blanks and the marks that nobody sees around it, as they come along from a dialogue or a web page."""
    begin, end = 0, len(text)
    while begin < end and _is_nothing(text[begin]):
        begin += 1
    while begin < end and _is_nothing(text[end - 1]):
        end -= 1
    return text[begin:end]


def _is_nothing(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) == "Cf"


def domain(text: str) -> str:
    """A DNS domain, in its ASCII form (`xn--`) where it has one."""
    return _ascii(_plain(text).lstrip("@.").rstrip("."))


def user(text: str) -> str:
    """A user by object id, user principal name or mail address, or a whole domain as `@domain`."""
    text = uuid(text)
    if text.isascii() and not text.endswith("."):
        return text
    local, at, place = text.rpartition("@")
    return f"{local}{at}{domain(place)}" if at else text


def users(texts: Iterable[str] | None) -> set[str]:
    """Names of users, to look others up in by `user`; empty ones are nobody's."""
    return {user(text) for text in texts or ()} - {""}


def host(text: str) -> str:
    """A host name, out of an address too; `*` stays, and of `*.a.example` what is under it. Empty when there is none."""
    text = _plain(text)
    if text == "*":
        return text
    if "//" in text:
        try:
            text = urllib.parse.urlsplit(text).hostname or ""
        except ValueError:
            return ""
    return domain(re.sub(r"(?::\d+)?(?:/.*)?$", "", text).removeprefix("*"))


def idp_hosts(texts: Iterable[str]) -> tuple[str, ...]:
    """The hosts by which IIJ ID is known. Raises OffboardError `bad_option` when there is none: every federation would be somebody else's."""
    found = tuple(dict.fromkeys(name for name in map(host, texts) if name))
    if not found:
        raise OffboardError(
            "expected_idp_hosts (hosts, offboard_idp_hosts) names no host, so nothing could be told to be IIJ ID's. Leave it out for auth.iij.jp.",
            code="bad_option",
        )
    return found


def is_under(name: str, expected: Iterable[str]) -> bool:
    """Whether a host is one of `expected` (as `host` gives them) or lies under one."""
    return bool(name) and any(one == "*" or name == one or name.endswith(f".{one}") for one in expected)


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        return text.encode("idna").decode()
    except UnicodeError:
        return text
