# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an X.509 certificate says, read from its bytes, whatever its oddities. Pure.

cryptography refuses what real certificates have: `*` and `_` in a PrintableString, Shift JIS that says of itself that it is UTF-8, bytes after the
certificate, a broken extension that nobody asked for (https://cryptography.io/en/latest/x509/reference/).
"""

from __future__ import annotations

import contextlib
import datetime
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import plain

# Names as OpenSSL prints them: RFC 4519 short names, X.520, PKCS #9, CA/Browser Forum.
LABELS = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.13": "description",
    "2.5.4.15": "businessCategory",
    "2.5.4.16": "postalAddress",
    "2.5.4.17": "postalCode",
    "2.5.4.18": "postOfficeBox",
    "2.5.4.20": "telephoneNumber",
    "2.5.4.41": "name",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.3": "mail",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
    "1.2.840.113549.1.9.8": "unstructuredAddress",
    "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL",
    "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
    "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}
_STRING_ENCODINGS = {12: "utf-8", 18: "latin-1", 19: "latin-1", 20: "latin-1", 22: "latin-1", 26: "latin-1", 28: "utf-32-be", 30: "utf-16-be"}
_PLAIN = re.compile(r"[A-Za-z0-9()*./:=@_-](?:[A-Za-z0-9()*./:=@_ -]*[A-Za-z0-9()*./:=@_-])?")
_OCTETS = 4
_EXTENDED_KEY_USAGE, _BASIC_CONSTRAINTS, _CLIENT_AUTH = "2.5.29.37", "2.5.29.19", "1.3.6.1.5.5.7.3.2"


@dataclass(frozen=True)
class Fields:
    """What a certificate says, still as bytes where that has a meaning of its own.

    issuer, subject: DER; `names` tells them for people. not_before, not_after: tag and value, see `time`. rest: what follows, see `purposes`.
    """

    serial: bytes
    issuer: bytes
    not_before: tuple[int, bytes]
    not_after: tuple[int, bytes]
    subject: bytes
    public_key: bytes
    rest: bytes
    signature: str


def fields(der: bytes) -> Fields:
    """Raises ValueError or IndexError for what is no certificate; bytes after it are tolerated."""
    certificate = Der(der).enter(0x30)
    body = certificate.enter(0x30)
    signature = certificate.enter(0x30).oid()
    certificate.value(0x03)
    if body.peek() == 0xA0:
        body.tlv()
    serial = body.value(0x02)
    body.value(0x30)
    issuer = body.raw(0x30)
    validity = body.enter(0x30)
    not_before, not_after = validity.any(), validity.any()
    subject, public_key = body.raw(0x30), body.raw(0x30)
    return Fields(serial, issuer, not_before, not_after, subject, public_key, body.data[body.at :], signature)


def purposes(rest: bytes) -> tuple[bool, bool]:
    """Whether it names the signing in of clients (extended key usage), and whether it is an authority's. Raises ValueError or IndexError."""
    client_auth = is_ca = False
    extensions = [Der(one) for tag, value in Der(rest).rest() if tag == 0xA3 for _unused, one in Der(value).enter(0x30).rest()]
    for inside in extensions:
        kind, value = inside.oid(), [one for _tag, one in inside.rest()][-1]
        if kind == _EXTENDED_KEY_USAGE:
            client_auth |= _CLIENT_AUTH in [_oid(use) for _unused, use in Der(value).enter(0x30).rest()]
        elif kind == _BASIC_CONSTRAINTS:
            is_ca |= any(tag == 0x01 and any(flag) for tag, flag in Der(value).enter(0x30).rest())
    return client_auth, is_ca


class Der:
    """Tag, length, value; one after the other. Raises ValueError or IndexError."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def peek(self) -> int:
        return self.data[self.at]

    def tlv(self) -> tuple[int, int, int]:
        """Tag, begin and end of the value; moves on behind it."""
        tag, length, begin = self.data[self.at], self.data[self.at + 1], self.at + 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise ValueError("indefinite or absurd length")
            length = int.from_bytes(self.data[begin : begin + count], "big")
            begin += count
        if begin + length > len(self.data):
            raise ValueError("the value is cut off")
        self.at = begin + length
        return tag, begin, self.at

    def any(self) -> tuple[int, bytes]:
        tag, begin, end = self.tlv()
        return tag, self.data[begin:end]

    def value(self, want: int) -> bytes:
        tag, value = self.any()
        if tag != want:
            raise ValueError(f"tag {tag:#x} where {want:#x} belongs")
        return value

    def enter(self, want: int) -> Der:
        return Der(self.value(want))

    def raw(self, want: int) -> bytes:
        start = self.at
        self.value(want)
        return self.data[start : self.at]

    def rest(self) -> Iterator[tuple[int, bytes]]:
        while self.at < len(self.data):
            yield self.any()

    def oid(self) -> str:
        return _oid(self.value(0x06))


def _oid(value: bytes) -> str:
    arcs, arc = [], 0
    for byte in value:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def time(tag: int, value: bytes) -> str:
    digits = value.decode("ascii").removesuffix("Z")
    if tag == 0x17:  # RFC 5280, 4.1.2.5.1: 50 to 99 are 1950 to 1999
        digits = ("19" if digits >= "5" else "20") + digits
    if tag not in (0x17, 0x18) or len(digits) != 14 or not digits.isdecimal():
        raise ValueError("not a time")
    when = datetime.datetime.strptime(digits, "%Y%m%d%H%M%S")
    return f"{when.isoformat()}Z"


def names(name: bytes) -> tuple[str, str]:
    """A distinguished name by RFC 2253, and for people."""
    return _name(Der(name).enter(0x30), _escaped), _name(Der(name).enter(0x30), _shown)


def _name(name: Der, char: Callable[[str], str]) -> str:
    sets = [[_attribute(Der(attribute), char) for _unused, attribute in Der(relative).rest()] for _unused, relative in name.rest()]
    return ",".join("+".join(reversed(attributes)) for attributes in reversed(sets))


def _attribute(attribute: Der, char: Callable[[str], str]) -> str:
    oid = attribute.oid()
    start = attribute.at
    tag, value = attribute.any()
    label = LABELS.get(oid)
    if label is not None and tag in _STRING_ENCODINGS:
        with contextlib.suppress(UnicodeDecodeError):  # Shift JIS that says of itself that it is UTF-8
            return f"{label}={_escape(value.decode(_STRING_ENCODINGS[tag]), char)}"
    return f"{label or oid}=#{attribute.data[start : attribute.at].hex().upper()}"


def _escape(value: str, other: Callable[[str], str]) -> str:
    if _PLAIN.fullmatch(value):
        return value
    out = []
    for at, char in enumerate(value):
        if char in ',+"\\<>;' or (char in "# " and at == 0) or (char == " " and at == len(value) - 1):
            out.append("\\" + char)
        elif " " <= char <= "~":
            out.append(char)
        else:
            out.append(other(char))
    return "".join(out)


def _escaped(char: str) -> str:
    return "".join(f"\\{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def _shown(char: str) -> str:
    # blanks of other widths and the gaiji of a company's name stand in real names
    seen = char.isprintable() or unicodedata.category(char) in ("Zs", "Co")
    return char if seen and plain.line(char) == char else _escaped(char)


def string(tlv: bytes) -> str:
    """The text that is all of these bytes, with tag and length; octets as UTF-8. Raises ValueError or LookupError where they are none."""
    value = Der(tlv)
    tag, text = value.any()
    if value.at != len(tlv):
        raise ValueError("more than one value")
    return text.decode("utf-8" if tag == _OCTETS else _STRING_ENCODINGS[tag])
