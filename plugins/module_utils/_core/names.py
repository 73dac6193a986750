# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How names are compared that people type and services answer: users, domains, hosts, client ids. Distinguished names: `dn.py`. Pure.

People paste names with blanks around them, full-width from a Japanese keyboard, a domain in its Unicode form or with its final dot, an id in braces.
Letters that only look alike, or that other rules make one (ß and ss, the Kelvin sign and k), are others: another domain, another user.
What has to be exact, a guest's address or an issuer, is compared by `_federation/url_rule.comparable`, which forgives less.
"""

from __future__ import annotations

import functools
import re
import unicodedata
import urllib.parse
from collections.abc import Iterable

from . import plain
from .errors import OffboardError

#: as services answer it
_ANSWERED_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
#: PowerShell's and .NET's forms of a Guid: with hyphens or without, in braces or parentheses; in quotes where it comes out of code
_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")
_AROUND_UUID = "{}()\"'\u201c\u201d "
#: the address in a mail's heading, what may stand around one that was pasted, and what no name of a user has
_MAILBOX = re.compile(r"[^<>]*<([^<>]*)>[\s,;]*")
_AROUND_USER = "\"',; \u3001\uff64\u201c\u201d\u300c\u300d\u300e\u300f\u3010\u3011\uff62\uff63"
_USER = re.compile(r"[^@\s\x00-\x1f\x7f\ud800-\udfff/\\\"<>()\[\]{}:;,|%&?*=+]+@[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
#: of a name and a domain, as long as those of mail addresses (RFC 5321 4.5.3.1)
_LONGEST_USER = 64 + 1 + 255
_DOMAIN_OF_USERS = re.compile(r"@[a-z0-9_-]+(\.[a-z0-9_-]+)+")
#: what word processors and Japanese keyboards make of a hyphen
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff0d\uff70", "-"))
#: separators of labels in other scripts (RFC 3490 3.1)
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})


#: full width to ASCII, U+FF01 to U+FF5E
_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_HALF_WIDTH = re.compile("[\uff65-\uff9f]+")


#: Ohm, Kelvin, Angstrom: they have the small letters of other capitals (Ω, K, Å), and IDNA 2008 forbids them
_UNITS = "\u2126\u212a\u212b"


def lower(text: str) -> str:
    """In small letters, but the signs of units stay what they are, which would make one name of two."""
    return text.lower() if text.isascii() else "".join(char if char in _UNITS else char.lower() for char in text)


def _plain(text: str) -> str:
    """Without blanks around it, marks that nobody sees, case and width."""
    if not text.isascii():
        text = "".join(char for char in text.translate(_DOTS).translate(_WIDTH) if unicodedata.category(char) != "Cf")
        text = _HALF_WIDTH.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
        if not any(unicodedata.normalize("NFC", char).isascii() for char in text if not char.isascii()):
            text = unicodedata.normalize("NFC", text)
    return lower(text.strip())


def uuid(text: str) -> str:
    """The id of an app, a user or a product, however it was pasted; what is none as any other name."""
    if _ANSWERED_UUID.fullmatch(text):  # 100,000 users come by here
        return text.lower()
    text = _plain(text)
    found = _UUID.fullmatch((text if text.isascii() else text.translate(_HYPHENS)).strip(_AROUND_UUID))
    return "-".join(found.groups()) if found else text


def uuids(texts: Iterable[str]) -> set[str]:
    """Ids that people gave, to look others up in by `uuid`; a word among them stays one."""
    return {uuid(text) for text in texts}


def is_uuid(text: str) -> bool:
    """Whether it is an id as `uuid` gives it."""
    return bool(_UUID.fullmatch(text)) and text.count("-") == 4


@functools.lru_cache(maxsize=1000)
def licence(text: str) -> str:
    """A licence by its id (skuId) or its part number, of which Graph's and people's capitals differ. A tenant has few of them, and each user some."""
    return uuid(text)


def program(text: str) -> str:
    """A password filter or another program of Windows by its name, which knows no case."""
    return _plain(text)


def rough(text: str) -> str:
    """Letters and digits alone: what has these in common with a name, and is not it, may be a spelling of it."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text).casefold())


def machine(text: str) -> str:
    """A machine by its name in the inventory."""
    return _plain(text)


def listed(given: str | Iterable[str] | None) -> list[str]:
    """What a person gave where several are meant: a list, or one text with commas or lines (-e name=value, a survey). Without blanks around each."""
    parts = [given] if isinstance(given, str) else given or ()
    return [name for part in parts for text in re.split(r"[,\n\uff0c\u3001]", part) if (name := visible(text))]


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
    """A user by object id, user principal name or mail address, or a whole domain as `@domain`; out of a mail's heading, too: `Taro <taro@a.example>`."""
    text = uuid(text)
    if "@" in text:
        text = _MAILBOX.sub(r"\1", text).strip(_AROUND_USER).removeprefix("mailto:").removeprefix("smtp:")
    if text.isascii() and not text.endswith("."):
        return text
    local, at, place = text.rpartition("@")
    return f"{local}{at}{domain(place)}" if at else text


def is_user(text: str) -> bool:
    """Whether it names one user: an object id, or a name and a domain (learn.microsoft.com/graph/api/resources/user, userPrincipalName)."""
    name = user(text)
    return is_uuid(name) or (len(name) <= _LONGEST_USER and bool(_USER.fullmatch(name)))


def of_user(user_id: str, name: str) -> set[str]:
    """What `user` makes of the two names by which people may have named one user: the object id and the user principal name."""
    return {uuid(user_id), user(name)}


def users(texts: Iterable[str] | None) -> set[str]:
    """Names of users, to look others up in by `user`; empty ones are nobody's."""
    return {user(text) for text in texts or ()} - {""}


def check_users(option: str, texts: Iterable[str] | None, *, whole_domains: bool = False) -> set[str]:
    """`users`, where each names one, or with `whole_domains` all of a domain (`@domain`). Raises OffboardError `bad_option`.

    What names nobody would be left out without a word, and with it the one who was meant.
    """
    for text in texts or ():
        if not is_user(text) and not (whole_domains and _DOMAIN_OF_USERS.fullmatch(user(text))):
            also = ", nor a whole domain as @domain" if whole_domains else ""
            raise OffboardError(f"{option}: {plain.line(text)!r} is neither the object id nor the user principal name of one user{also}", code="bad_option")
    return users(texts)


def host(text: str) -> str:
    """A host name, out of an address too; `*` stays, and of `*.a.example` what is under it. Empty when there is none."""
    text = _plain(text)
    if text == "*":
        return text
    if "//" in text:
        try:
            text = urllib.parse.urlsplit(text.removeprefix("*:")).hostname or ""  # *://: by whatever protocol
        except ValueError:
            return ""
    text = text.partition("/")[0]
    if six := re.fullmatch(r"\[([0-9a-f:.]+(?:%[^\]]*)?)\](?::\d+)?", text):
        text = six[1]
    if text.count(":") > 1:  # an IPv6 address: its last group is no port
        return text
    return domain(re.sub(r":\d+$", "", text).removeprefix("*"))


def idp_hosts(texts: Iterable[str]) -> tuple[str, ...]:
    """The hosts by which an identity provider is known. Raises OffboardError `bad_option` when there is none: every federation would be somebody else's."""
    found = tuple(dict.fromkeys(name for name in map(host, texts) if name))
    if not found:
        raise OffboardError(
            "expected_idp_hosts (hosts, offboard_idp_hosts) names no host, so no federation could be told from somebody else's. Leave it out for its default.",
            code="bad_option",
        )
    return found


def is_under(name: str, expected: Iterable[str]) -> bool:
    """Whether a host is one of `expected` (as `host` gives them) or lies under one."""
    return bool(name) and any(one == "*" or name == one or name.endswith(f".{one}") for one in expected)


def readable(host: str) -> str:
    """A domain or host (`xn--`) in its Unicode form; what has none as it is."""
    if "xn--" not in host:
        return host
    try:
        import idna
    except ImportError:
        return host
    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


def _ascii(text: str) -> str:
    """By IDNA 2008, as registries do; Python's own codec is IDNA 2003, for which `straße` is `strasse`, somebody else's."""
    if text.isascii():
        return text
    try:
        import idna  # only where somebody writes such a name
    except ImportError:
        return text
    try:
        return idna.encode(text).decode("ascii")
    except idna.IDNAError:
        return text
