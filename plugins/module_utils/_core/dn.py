# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an object of Active Directory is named by people: a distinguished name, the objectGUID, or both.

A name may pass to another object, an objectGUID never does. The form with both is the directory's own
([MS-ADTS] 3.1.1.3.4.1.5 LDAP_SERVER_EXTENDED_DN_OID): `<GUID=0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11>;CN=a,DC=b`.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import names
from .errors import OffboardError
from .x509 import LABELS, string

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_BLANKS = " \t\r\n"
_EXTENDED = re.compile(rf"<GUID=\{{?(?P<guid>{_UUID})\}}?>(?:\s*;\s*<SID=[^>]*>)?(?:\s*;\s*(?P<dn>.*))?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Name:
    """What a person gave: `dn` or `guid` may be empty, not both."""

    dn: str
    guid: str = ""

    def __str__(self) -> str:
        return extended(self.guid, self.dn) if self.guid else self.dn


def extended(guid: str, dn: str = "") -> str:
    """The form with the objectGUID."""
    return f"<GUID={guid}>" + (f";{dn}" if dn else "")


def parse(text: str) -> Name:
    """Raises OffboardError `invalid_dn`; whether a DN is one, the directory says."""
    text = names.visible(text)
    if not text:
        raise OffboardError("an empty string is no distinguished name", code="invalid_dn")
    if names.is_uuid(bare := names.uuid(text)):
        return Name("", bare)
    if not text.startswith("<"):
        return Name(text)
    found = _EXTENDED.fullmatch(text)
    if not found:
        raise OffboardError(f"{text!r} is neither a distinguished name nor of the form <GUID=00000000-0000-0000-0000-000000000000>;CN=...", code="invalid_dn")
    return Name((found["dn"] or "").strip(), names.uuid(found["guid"]))


def means(text: str, item: Mapping[str, Any]) -> bool:
    """Whether a confirmation means an object that directory_object_info returned: by its objectGUID where the confirmation has one."""
    try:
        name = parse(text)
    except OffboardError:  # who reads or changes it, says so
        return False
    if name.guid:
        return name.guid == names.uuid(str(item.get("objectGUID", "")))
    return key(name.dn) == key(item["dn"])


def account_key(text: str) -> str:
    """For comparing confirmations of one list with those of another: by the DN, or by the GUID where there is no other name."""
    try:
        name = parse(text)
    except OffboardError:  # who reads or changes it, says so
        return key(text)
    return key(name.dn) if name.dn else name.guid


def key(dn: str) -> str:
    """For comparing DNs as Active Directory does: without case, width, blanks around separators, and whatever form a value is escaped in."""
    return _written(_parts(dn), _folded)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def first_value(dn: str) -> str:
    """The value of the first part, without its escapes."""
    return _parts(dn)[0][1]


def certificate_name(text: str) -> str:
    """An issuer or subject as RFC 4514 has it, its types in capitals; also from the lines of Windows' dialogue ("O = Example, Inc.")."""
    lines = [line.strip().rstrip(",") for line in names.visible(text).splitlines() if line.strip()]
    parted = [line.partition("=") for line in lines] if len(lines) > 1 else []
    for written in (lines, [f"{kind}={_escaped(value.strip())}" for kind, _unused, value in parted]):
        with contextlib.suppress(ValueError):
            return _written([(kind.upper(), value, separator) for kind, value, separator in _parts(",".join(written), strict=True)], str)
    return ",".join(lines)


def certificate_key(text: str) -> str:
    """For comparing issuers: without case, width and needless blanks (RFC 5280, 7.1), whichever end they begin with (OpenSSL: the country)."""
    parts = _rdns(_parts(certificate_name(text)), lambda value: " ".join(_folded(value).split()))
    return min(",".join(parts), ",".join(reversed(parts)))


def canonical(dn: str) -> str:
    """A DN that people or tools wrote (blanks after commas, values in quotes, hex pairs) as RFC 4514 has it; what is no DN stays as it is."""
    try:
        return _written(_parts(dn, strict=True), str)
    except ValueError:
        return dn.strip()


#: RFC 4514 lets a type be its OID, and OpenLDAP also its long name; Windows' dialogue of a certificate has short ones of its own.
_TYPES = {oid: label.casefold() for oid, label in LABELS.items()} | {
    "commonname": "cn",
    "organizationalunitname": "ou",
    "organizationname": "o",
    "countryname": "c",
    "localityname": "l",
    "stateorprovincename": "st",
    "s": "st",
    "streetaddress": "street",
    "surname": "sn",
    "givenname": "gn",
    "g": "gn",
    "t": "title",
    "e": "emailaddress",
    "domaincomponent": "dc",
    "userid": "uid",
}
_PAIR = re.compile(rb"[0-9a-fA-F]{2}")
_HEXSTRING = re.compile(rb"#(?:[0-9a-fA-F]{2})+")
_MUST_ESCAPE = re.compile(r'[,+"\\<>;\x00-\x1f\x7f]')


def checked(text: str) -> str:
    """A DN in the form of RFC 4514. Raises OffboardError `invalid_dn` for what is none."""
    try:
        return _written(_parts(text, strict=True), str)
    except ValueError:
        raise OffboardError(f"{text!r} is no distinguished name", code="invalid_dn") from None


def _parts(dn: str, *, strict: bool = False) -> list[tuple[str, str, str]]:
    """(type, value, the separator that follows) of each part; `strict` raises ValueError where it is no DN (RFC 4514, and RFC 1779's quotes and `;`)."""
    parts: list[tuple[str, str, str]] = []
    name: str | None = None
    value, keep, quoted, sharp = bytearray(), 0, False, False
    raw = dn.strip(_BLANKS).encode(errors="surrogatepass")
    at = 0

    def end(separator: str) -> None:
        nonlocal name, keep, sharp
        if strict and (name is None or quoted):
            raise ValueError("no attribute type")
        text = bytes(value)
        text = text[:keep] + text[keep:].rstrip(_BLANKS.encode())
        if sharp and _HEXSTRING.fullmatch(text):  # RFC 4514, 2.4: the value's own bytes
            with contextlib.suppress(ValueError, LookupError):
                text = string(bytes.fromhex(text[1:].decode())).encode()
        parts.append(((name or "").strip(_BLANKS), text.decode(errors="surrogateescape"), separator))
        value.clear()
        name, keep, sharp = None, 0, False

    while at < len(raw):
        char = raw[at : at + 1]
        at += 1
        if char == b"\\" and at < len(raw):
            if name is None and strict:
                raise ValueError("an escape in an attribute type")
            pair = _PAIR.match(raw, at)
            value += bytes([int(pair[0], 16)]) if pair else raw[at : at + 1]
            at += 2 if pair else 1
            keep = len(value)
        elif name is not None and char == b'"' and (quoted or not value):
            quoted, keep = not quoted, len(value)
        elif quoted:
            value += char
            keep = len(value)
        elif name is None and char == b"=":
            name = value.decode(errors="surrogateescape")
            value.clear()
        elif char in b",;+":
            end(char.decode())
        elif value or char not in _BLANKS.encode():
            sharp = char == b"#" if not value else sharp
            value += char
    end("")
    return parts


def _written(parts: Sequence[tuple[str, str, str]], form: Callable[[str], str]) -> str:
    """The parts as one text."""
    return ",".join(_rdns(parts, form))


def _rdns(parts: Sequence[tuple[str, str, str]], form: Callable[[str], str]) -> list[str]:
    """The names that a DN is made of. Of one with several types their order does not count."""
    rdns: list[list[str]] = [[]]
    for kind, value, separator in parts:
        plain = kind.casefold().removeprefix("oid.")
        text = _escaped(form(value))
        rdns[-1].append(f"{form(_TYPES.get(plain, kind))}={text}" if kind else text)
        if separator in (",", ";"):
            rdns.append([])
    return ["+".join(sorted(rdn)) for rdn in rdns]


def _escaped(value: str) -> str:
    blank = value.endswith(" ")
    # control characters as the directory itself writes them: \0ACNF: in the name of what replication found twice
    text = _MUST_ESCAPE.sub(lambda found: f"\\{found[0]}" if found[0].isprintable() else f"\\{ord(found[0]):02X}", value[:-1] if blank else value)
    return ("\\" if text.startswith((" ", "#")) else "") + text + ("\\ " if blank else "")
