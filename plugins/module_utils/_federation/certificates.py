# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""X.509 certificates as they occur in the wild: described, whatever their oddities."""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime
import hashlib
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from .._core.errors import OffboardError
from .._core.x509 import Der, fields, names, time
from .libraries import cryptography_exceptions, serialization, x509

#: No certificate is larger; a bigger value is not even decoded.
MAX_DER_BYTES = 64 * 1024

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
        return fields(base64.b64decode(self.base64)).public_key

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
        return base64.b64encode(der[: Der(der).tlv()[2]]).decode()
    except (ValueError, IndexError):
        return text


def from_der(der: bytes, *, use: str | None = None) -> Certificate:
    """Describe a certificate; bytes after it are tolerated but count for the thumbprints. Raises BadCertificate."""
    try:
        return _read(der, use)
    except (ValueError, IndexError, OverflowError) as exc:
        raise BadCertificate("bad_der") from exc


def _read(der: bytes, use: str | None) -> Certificate:
    read = fields(der)
    issuer, issuer_text = names(read.issuer)
    subject, subject_text = names(read.subject)
    algorithm = Der(read.public_key).enter(0x30).enter(0x30).oid()
    key = _ALGORITHMS.get(algorithm, algorithm)
    return Certificate(
        sha256=hashlib.sha256(der).hexdigest(),
        sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        subject=subject,
        issuer=issuer,
        subject_text=subject_text,
        issuer_text=issuer_text,
        serial=_serial(read.serial),
        not_before=time(*read.not_before),
        not_after=time(*read.not_after),
        key=key,
        key_bits=_key_bits(key, read.public_key),
        signature=_ALGORITHMS.get(read.signature, read.signature),
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


def _serial(value: bytes) -> str:
    if not value:
        raise ValueError("an integer without bytes")
    number = int.from_bytes(value, "big", signed=True)
    digits = f"{abs(number):X}"
    return ("-" if number < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def _when(value: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(value)


def _key_bits(key: str, public_key: bytes) -> int:
    if key in _RSA_KEYS:  # not by cryptography, which refuses keys that are too weak to use, although they must be reported
        info = Der(public_key).enter(0x30)
        info.value(0x30)
        return int.from_bytes(Der(info.value(0x03)[1:]).enter(0x30).value(0x02), "big").bit_length()
    if key in _FIXED_BITS:
        return _FIXED_BITS[key]
    if serialization is None:  # who needs no more of a certificate than its dates demands no library
        return 0  # type: ignore[unreachable]
    try:
        return getattr(serialization.load_der_public_key(public_key), "key_size", 0)
    except (ValueError, TypeError, cryptography_exceptions.UnsupportedAlgorithm):
        return 0
