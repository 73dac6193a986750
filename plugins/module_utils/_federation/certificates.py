# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""X.509 certificates as they occur in the wild: described, whatever their oddities.

Read with a small DER reader. cryptography is stricter than the identity providers of this world: it refuses bytes after the certificate,
and warns that a future release will refuse serial numbers of zero or below (https://cryptography.io/en/latest/x509/reference/), which real
metadata has.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field

from .._core import plain
from .._core.errors import OffboardError
from .libraries import cryptography_exceptions, serialization, x509

#: No certificate is larger; a bigger value is not even decoded.
MAX_DER_BYTES = 64 * 1024

# Names as OpenSSL prints them: RFC 4519 short names, X.520, PKCS #9, CA/Browser Forum.
_NAMES = {
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
_ALGORITHMS = {
    "1.2.840.113549.1.1.1": "rsaEncryption",
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
    "1.3.14.3.2.3": "md5WithRSA",
    "1.3.14.3.2.29": "sha1WithRSA",
    "1.2.840.10040.4.1": "dsaEncryption",
    "1.2.840.10040.4.3": "dsaWithSHA1",
    "2.16.840.1.101.3.4.3.1": "dsa_with_SHA224",
    "2.16.840.1.101.3.4.3.2": "dsa_with_SHA256",
    "1.2.840.10045.2.1": "id-ecPublicKey",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.3.101.112": "ED25519",
    "1.3.101.113": "ED448",
}
_STRING_ENCODINGS = {12: "utf-8", 18: "latin-1", 19: "latin-1", 20: "latin-1", 22: "latin-1", 26: "latin-1", 28: "utf-32-be", 30: "utf-16-be"}
_PLAIN = re.compile(r"[A-Za-z0-9()*./:=@_-](?:[A-Za-z0-9()*./:=@_ -]*[A-Za-z0-9()*./:=@_-])?")
_PEM = re.compile(r"BEGIN (X509 |TRUSTED |)CERTIFICATE ?-+([^-]*)")
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?X509Certificate(?:\s[^<>]*)?>([^<]*)<")
_SHA256_WITH_RSA = bytes.fromhex("2A864886F70D01010B")
_FIXED_BITS = {"ED25519": 256, "ED448": 456}
_RSA_KEYS = ("rsaEncryption", "rsassaPss")


class BadCertificate(OffboardError):
    """Not a certificate; `code` is bad_base64, bad_der or private_key."""

    def __init__(self, code: str) -> None:
        what = {
            "bad_base64": "is not base64, neither bare nor between the lines BEGIN CERTIFICATE and END CERTIFICATE",
            "bad_der": "is not an X.509 certificate",
            "private_key": "stands beside a private key. Give the public certificate only: the key must never leave the identity provider",
        }
        super().__init__(f"The certificate {what[code]}.", code=code)


@dataclass(frozen=True)
class Certificate:
    """A public certificate.

    sha1, sha256: lower-case hex of the bytes as published; Windows shows the SHA-1 one as thumbprint.
    subject, issuer: RFC 2253, as `openssl x509 -nameopt RFC2253` prints them: letters outside ASCII as the bytes of UTF-8, \\E6\\97\\A5.
    subject_text, issuer_text: the same for people, with those letters as they are. What nobody sees, or what turns the direction, stays bytes.
    serial: upper-case hex, `-` before a negative one.
    not_before, not_after: RFC 3339, UTC.
    key, signature: OpenSSL's names of the algorithms, the dotted number of unknown ones; key_bits: 0 when unknown.
    use: the KeyDescriptor's use, None when it has none (any use).
    """

    sha256: str
    sha1: str
    subject: str
    issuer: str
    subject_text: str
    issuer_text: str
    serial: str
    not_before: str
    not_after: str
    key: str
    key_bits: int
    signature: str
    der_bytes: int
    use: str | None
    base64: str = field(repr=False)

    def to_dict(self) -> dict[str, object]:
        """JSON-serialisable."""
        return asdict(self)

    def valid_at(self, now: datetime.datetime) -> bool:
        """True from not_before to not_after, both included."""
        return _when(self.not_before) <= now <= _when(self.not_after)

    def expired_at(self, now: datetime.datetime) -> bool:
        """True after not_after."""
        return now > _when(self.not_after)

    @property
    def is_rsa(self) -> bool:
        """Microsoft Entra takes RSA keys only for federation."""
        return self.key in _RSA_KEYS

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo: a renewed certificate may be about the same key."""
        body = _Der(base64.b64decode(self.base64)).enter(0x30).enter(0x30)
        if body.peek() == 0xA0:
            body.tlv()
        for _field in range(5):  # serial, algorithm, issuer, validity, subject
            body.tlv()
        return body.raw(0x30)

    def x509(self) -> x509.Certificate:
        """A certificate of the same key that says nothing else: the signature library takes no bare key, and cryptography refuses what real ones say, such
        as `*` or `&` in a PrintableString. Raises BadCertificate where it refuses the key as well.
        """
        algorithm, nobody = _tlv(0x30, _tlv(0x06, _SHA256_WITH_RSA)), _tlv(0x30)
        always = _tlv(0x30, _tlv(0x17, b"500101000000Z"), _tlv(0x18, b"99991231235959Z"))
        body = _tlv(0x30, _tlv(0x02, b"\x01"), algorithm, nobody, always, nobody, self.public_key)
        try:
            return x509.load_der_x509_certificate(_tlv(0x30, body, algorithm, _tlv(0x03, b"\x00")))
        except (ValueError, cryptography_exceptions.UnsupportedAlgorithm) as exc:
            raise BadCertificate("bad_der") from exc


def same_key(one: Certificate, others: Iterable[Certificate]) -> list[Certificate]:
    """Those of `others` whose key is that of `one`."""
    return [other for other in others if other.public_key == one.public_key]


def from_base64(value: str, *, use: str | None = None) -> Certificate:
    """The certificate of an X509Certificate element's text; white space does not matter. Raises BadCertificate."""
    compact = "".join(value.split())
    if len(compact) > MAX_DER_BYTES * 4 // 3:
        raise BadCertificate("bad_der")
    try:
        der = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadCertificate("bad_base64") from exc
    return from_der(der, use=use)


def from_text(value: str) -> Certificate:
    """A certificate as people hold it, of several the first; see `in_text`. Raises BadCertificate."""
    return from_base64(in_text(value)[0])


def in_text(value: str) -> list[str]:
    """The base64 of each certificate in a text: PEM, also on one line, or below what openssl prints; an X509Certificate element of metadata; base64, bare,
    in quotes, or of such a text. Whether each is a certificate is not looked at. Raises BadCertificate private_key.
    """
    value = re.sub(r"\\r|\\n", "\n", value)
    if "PRIVATE KEY" in value:
        raise BadCertificate("private_key")
    if found := [_first_element(text) if kind == "TRUSTED " else text for kind, text in _PEM.findall(value)] or _ELEMENT.findall(value):
        return found
    bare = value.strip("\"'`,; \t\r\n\ufeff\u200b")
    with contextlib.suppress(ValueError):  # binascii.Error is one
        inner = base64.b64decode("".join(bare.split()), validate=True) if len(bare) <= 4 * MAX_DER_BYTES else b""
        if b"-----BEGIN " in inner:
            return in_text(inner.decode("latin-1"))
    return [bare]


def _first_element(text: str) -> str:
    """A trusted certificate of openssl without what it says about trust, which stands behind the certificate."""
    try:
        der = base64.b64decode("".join(text.split()), validate=True)
        return base64.b64encode(der[: _Der(der).tlv()[2]]).decode()
    except (ValueError, IndexError):
        return text


def from_der(der: bytes, *, use: str | None = None) -> Certificate:
    """Describe a certificate; bytes after it are tolerated but count for the thumbprints. Raises BadCertificate."""
    try:
        return _read(der, use)
    except (ValueError, IndexError, OverflowError) as exc:
        raise BadCertificate("bad_der") from exc


def _read(der: bytes, use: str | None) -> Certificate:
    certificate = _Der(der).enter(0x30)
    body = certificate.enter(0x30)
    signature = certificate.enter(0x30).oid()
    certificate.value(0x03)
    if body.peek() == 0xA0:
        body.tlv()
    serial = body.value(0x02)
    body.value(0x30)
    issuer, issuer_text = _names(body.raw(0x30))
    validity = body.enter(0x30)
    not_before, not_after = _time(*validity.any()), _time(*validity.any())
    subject, subject_text = _names(body.raw(0x30))
    public_key = body.raw(0x30)
    algorithm = _Der(public_key).enter(0x30).enter(0x30).oid()
    key = _ALGORITHMS.get(algorithm, algorithm)
    return Certificate(
        sha256=hashlib.sha256(der).hexdigest(),
        sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        subject=subject,
        issuer=issuer,
        subject_text=subject_text,
        issuer_text=issuer_text,
        serial=_serial(serial),
        not_before=not_before,
        not_after=not_after,
        key=key,
        key_bits=_key_bits(key, public_key),
        signature=_ALGORITHMS.get(signature, signature),
        der_bytes=len(der),
        use=use,
        base64=base64.b64encode(der).decode(),
    )


def _tlv(tag: int, *parts: bytes) -> bytes:
    value = b"".join(parts)
    if len(value) < 0x80:
        return bytes((tag, len(value))) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + value


class _Der:
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

    def enter(self, want: int) -> _Der:
        return _Der(self.value(want))

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


def _serial(value: bytes) -> str:
    if not value:
        raise ValueError("an integer without bytes")
    number = int.from_bytes(value, "big", signed=True)
    digits = f"{abs(number):X}"
    return ("-" if number < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def _time(tag: int, value: bytes) -> str:
    digits = value.decode("ascii").removesuffix("Z")
    if tag == 0x17:  # RFC 5280, 4.1.2.5.1: 50 to 99 are 1950 to 1999
        digits = ("19" if digits >= "5" else "20") + digits
    if tag not in (0x17, 0x18) or len(digits) != 14 or not digits.isdecimal():
        raise ValueError("not a time")
    when = datetime.datetime.strptime(digits, "%Y%m%d%H%M%S")
    return f"{when.isoformat()}Z"


def _when(value: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(value)


def _names(name: bytes) -> tuple[str, str]:
    """A distinguished name by RFC 2253, and for people."""
    return _name(_Der(name).enter(0x30), _escaped), _name(_Der(name).enter(0x30), _shown)


def _name(name: _Der, char: Callable[[str], str]) -> str:
    sets = [[_attribute(_Der(attribute), char) for _unused, attribute in _Der(relative).rest()] for _unused, relative in name.rest()]
    return ",".join("+".join(reversed(attributes)) for attributes in reversed(sets))


def _attribute(attribute: _Der, char: Callable[[str], str]) -> str:
    oid = attribute.oid()
    start = attribute.at
    tag, value = attribute.any()
    label = _NAMES.get(oid)
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


def _key_bits(key: str, public_key: bytes) -> int:
    if key in _RSA_KEYS:  # not by cryptography, which refuses keys that are too weak to use, although they must be reported
        info = _Der(public_key).enter(0x30)
        info.value(0x30)
        return int.from_bytes(_Der(info.value(0x03)[1:]).enter(0x30).value(0x02), "big").bit_length()
    if key in _FIXED_BITS:
        return _FIXED_BITS[key]
    if serialization is None:  # who needs no more of a certificate than its dates demands no library
        return 0  # type: ignore[unreachable]
    try:
        return getattr(serialization.load_der_public_key(public_key), "key_size", 0)
    except (ValueError, TypeError, cryptography_exceptions.UnsupportedAlgorithm):
        return 0
