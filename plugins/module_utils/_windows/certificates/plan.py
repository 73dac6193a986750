# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client certificates of Windows machines, pure: what a store's blob holds, which certificates are meant, what becomes of their keys.

A certificate of a store is a row of records: property id, 1, length, data, each number of 32 bits, little endian. Property 32 is the certificate,
property 2 says in which container of which provider its private key lies (CRYPT_KEY_PROV_INFO).
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..._core import certificate_names, dn, phrases, x509
from ..._core.errors import NotExact, OffboardError
from ..._core.machine_ids import on_host
from ..._core.model import Change, Object, Refusal, Skip
from ..._core.plan import Plan
from ..reg_query import Key as RegistryKey

KIND = "windows_certificate"
#: the machine's own personal store; the others are named by their user's SID
MACHINE = "machine"
_CERTIFICATE, _KEY = 32, 2
_MACHINE_KEY = 0x20
_CNG = 0
#: PROV_RSA_FULL, PROV_RSA_SCHANNEL, PROV_RSA_AES: whose key files lie in the folder RSA
_RSA_PROVIDERS = (1, 12, 24)
_SERIALISED_HEADER, _PROVIDER_HEADER = struct.Struct("<III"), struct.Struct("<7I")
#: no certificate with its properties is larger
MAX_BLOB_BYTES = 1_000_000

#: Who names the certificate it serves with in the registry: a key that is always there, the path below it, and the service as people call it.
SERVICES = (
    (r"HKLM\SYSTEM\CurrentControlSet", r"Services\HTTP\Parameters", "HTTP.sys (IIS and others)"),
    (r"HKLM\SYSTEM\CurrentControlSet", r"Control\Terminal Server\WinStations", "Remote Desktop"),
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion", r"WSMAN\Listener", "WinRM"),
)

# What becomes of a private key. Its words are part of plans and journals.
NO_KEY, REMOVED, SHARED, LEFT = "none", "removed", "kept: another certificate uses it", "left: it cannot be removed from here"


@dataclass(frozen=True)
class PrivateKey:
    """Where a private key lies. `kind` is the provider's type, 0 for CNG."""

    container: str
    provider: str
    kind: int
    of_machine: bool

    def owner(self, store: str) -> str:
        """Whose key it is: `machine`, a SID, or "" where that is unknown (a machine's certificate with the key of some account)."""
        return MACHINE if self.of_machine else "" if store == MACHINE else store


@dataclass(frozen=True)
class StoredCertificate:
    """A certificate in one store. `place` is the registry key or the file that holds it; `issuer` and `subject` are by RFC 4514."""

    store: str
    place: str
    thumbprint: str
    issuer: str
    subject: str
    not_after: str
    client_auth: bool
    is_ca: bool
    key: PrivateKey | None
    der: bytes

    @property
    def in_file(self) -> bool:
        """In a file of the user's profile, and not in the registry."""
        return re.match(r"[A-Za-z]:\\", self.place) is not None

    def id(self, host: str) -> str:
        """A user may have it twice: in the profile's folder, where Windows keeps it, and in the registry."""
        return on_host(host, self.store, *([] if self.in_file or self.store == MACHINE else ["registry"]), self.thumbprint)


def _records(blob: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(blob):
        kind, _one, length = _SERIALISED_HEADER.unpack_from(blob, at)
        at += _SERIALISED_HEADER.size
        if at + length > len(blob):
            raise ValueError("cut off")
        yield kind, blob[at : at + length]
        at += length


def _key(data: bytes) -> PrivateKey:
    container, provider, kind, flags, *_unused = _PROVIDER_HEADER.unpack_from(data)

    def text(at: int) -> str:
        return data[at:].decode("utf-16-le", "replace").partition("\0")[0] if 0 < at < len(data) else ""

    return PrivateKey(text(container), text(provider), kind, bool(flags & _MACHINE_KEY))


def parse(blob: bytes, store: str, place: str) -> StoredCertificate:
    """What a store's blob holds. Raises OffboardError `certificate_unreadable`, also where the place's name is not the certificate's thumbprint."""
    try:
        if len(blob) > MAX_BLOB_BYTES:
            raise ValueError("too long")
        records = dict(_records(blob))
        der = records[_CERTIFICATE]
        thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
        if place.rpartition("\\")[2].upper() != thumbprint:
            raise ValueError("not what its name says")
        key = _key(records[_KEY]) if _KEY in records else None
    except (ValueError, KeyError, struct.error) as exc:
        raise _unreadable(place) from exc
    return described(der, store, place, key)


def _unreadable(place: str) -> OffboardError:
    return OffboardError(f"{place} is no certificate that can be read", code="certificate_unreadable", details={"place": place})


def described(der: bytes, store: str, place: str, key: PrivateKey | None) -> StoredCertificate:
    """A certificate by its DER bytes. Raises OffboardError `certificate_unreadable`."""
    try:
        read = x509.fields(der)
        issuer, subject = (x509.names(name)[1] for name in (read.issuer, read.subject))
        client_auth, is_ca = x509.purposes(read.rest)
    except (ValueError, IndexError, OverflowError) as exc:
        raise _unreadable(place) from exc
    not_after = ""
    with contextlib.suppress(ValueError):  # a time of another form than RFC 5280's hides no certificate
        not_after = x509.time(*read.not_after)
    return StoredCertificate(
        store=store,
        place=place,
        thumbprint=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
        issuer=issuer,
        subject=subject,
        not_after=not_after,
        client_auth=client_auth,
        is_ca=is_ca,
        key=key,
        der=der,
    )


def thumbprints(given: Iterable[str]) -> list[str]:
    """As Windows names certificates: 40 digits. Raises OffboardError `thumbprint_invalid`."""
    found = []
    for text in given:
        digits = (certificate_names.thumbprint(text) or "").upper()
        if len(digits) != 40:
            raise OffboardError(f"{text!r} is not the SHA-1 thumbprint of a certificate (40 hexadecimal digits)", code="thumbprint_invalid")
        found.append(digits)
    return found


def issuers(given: Iterable[str]) -> list[str]:
    """Whole distinguished names, in the form in which they are compared (RFC 5280, 7.1: case and needless blanks do not count). Raises OffboardError
    `issuer_invalid`."""
    found = []
    for text in given:
        try:
            dn.checked(dn.certificate_name(text))
        except OffboardError:
            raise OffboardError(f"{text!r} is not a whole distinguished name such as CN=Example CA,O=Example,C=JP", code="issuer_invalid") from None
        found.append(certificate_names.key(text))
    return found


def check_spelling(found: Iterable[StoredCertificate], given: Iterable[str], removed: Callable[[], Iterable[str]]) -> None:
    """Raises NotExact where an issuer (as `issuers` gives it) is nobody's, but nearly that of a client's certificate, which is not among them.

    removed: the issuers of certificates that were removed before.
    """
    there, given = {item.issuer for item in found if item.client_auth and not item.is_ca}, list(given)
    known = certificate_names.keys(there)
    for name in given:
        near = certificate_names.near(name, sorted(issuer for issuer in there if certificate_names.key(issuer) not in given))
        if name not in known and near and name not in certificate_names.keys(removed()):
            msg = f"no certificate has the issuer {name}, but there are some of {'; '.join(near)}. Give the issuer so, or name what stays in except_issuers"
            raise NotExact(msg, [{"issuer": issuer} for issuer in near])


def why(certificate: StoredCertificate, wanted: Collection[str], names: Collection[str]) -> list[str]:
    """Why a certificate is meant, in words; none when it is not."""
    found = []
    if certificate.thumbprint in wanted:
        found.append(phrases.english("thumbprint_named"))
    if certificate_names.key(certificate.issuer) in names and certificate.client_auth and not certificate.is_ca:
        found.append(phrases.english("issuer_for_clients", issuer=certificate.issuer))
    return found


def _same_key(one: StoredCertificate, other: StoredCertificate) -> bool:
    """Whether they may have one private key. Who owns it counts only where that is known of both."""
    if one.key is None or other.key is None or one.key.container.casefold() != other.key.container.casefold():
        return False
    owners = one.key.owner(one.store), other.key.owner(other.store)
    return owners[0] == owners[1] or "" in owners


def fate_of_key(certificate: StoredCertificate, others: Iterable[StoredCertificate]) -> str:
    """What becomes of the private key when the certificate goes and `others` stay: NO_KEY, REMOVED, SHARED or LEFT.

    The key of another certificate is never removed. What cannot be named for certain is left: CNG and TPM keys of users (only they can open them),
    keys on cards, of other vendors' providers, and of an account that the certificate does not tell.
    """
    key = certificate.key
    if key is None or not key.container:
        return NO_KEY
    if any(_same_key(certificate, other) for other in others if other is not certificate):
        return SHARED
    owner = key.owner(certificate.store)
    if not owner or not key.provider.startswith("Microsoft ") or "smart card" in key.provider.casefold():
        return LEFT
    if owner == MACHINE:
        return REMOVED
    return REMOVED if key.kind in _RSA_PROVIDERS and key.container.isascii() else LEFT


def used_by(keys: Iterable[RegistryKey], service: str) -> Iterator[tuple[str, str]]:
    """Thumbprints among the values of a service's settings, each with the service and the key's name."""
    for key in keys:
        for _kind, data in key.values.values():
            if re.fullmatch("[0-9A-Fa-f]{40}", data):
                yield data.upper(), f"{service} {key.name}"


def key_file(container: str, machine_guid: str) -> str:
    """The name of the file that holds a key of an old (CAPI) RSA provider."""
    digest = hashlib.md5(container.lower().encode("ascii") + b"\0", usedforsecurity=False).digest()
    return "".join(f"{number:08x}" for number in struct.unpack("<4I", digest)) + "_" + machine_guid


def state_of(certificate: StoredCertificate) -> dict[str, object]:
    """A certificate as plans and `_info` show it."""
    key = certificate.key
    return {
        "store": certificate.store,
        "thumbprint": certificate.thumbprint,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "not_after": certificate.not_after,
        "client_auth": certificate.client_auth,
        "has_key": key is not None,
        "key_provider": key.provider if key else "",
    }


def object_of(host: str, certificate: StoredCertificate) -> Object:
    return Object(KIND, certificate.id(host), f"{certificate.subject} ({certificate.thumbprint})", state_of(certificate))


def planned(
    host: str,
    current: Iterable[Object],
    found: Sequence[StoredCertificate],
    wanted: Collection[str],
    names: Collection[str],
    *,
    kept: Collection[str] = (),
    kept_names: Collection[str] = (),
    uses: Mapping[str, Collection[str]] | None = None,
    saved: bool = False,
    elsewhere: Sequence[StoredCertificate] = (),
) -> Plan:
    """A removal for each of the `current` ones that is meant and not kept: what stays, by thumbprint or by issuer, wins over what goes, by either.

    `found` has every certificate with its key, `elsewhere` those of other stores, `uses` what services use which one of the machine, `saved` says that they
    are saved before.
    """
    plan, current = Plan(), list(current)
    known = {certificate.id(host): certificate for certificate in found}
    staying = [known[item.id] for item in current]
    undo = phrases.english("undo_windows_certificate") if saved else ""
    for item in current:
        certificate = known[item.id]
        meant = bool(why(certificate, wanted, names))
        stays = "except_thumbprints" if certificate.thumbprint in kept else "except_issuers" if certificate_names.key(certificate.issuer) in kept_names else ""
        if meant and stays:
            plan.skipped.append(Skip(KIND, item.id, item.name, "excepted", f"it is named in {stays}"))
        elif meant:
            staying.remove(certificate)
            fate = fate_of_key(certificate, [*staying, *elsewhere])
            before = {**item.state, "private_key": fate}
            plan.changes.append(Change(KIND, item.id, item.name, "remove", before=before, after=None, risk="high", undo=undo))
            if certificate.is_ca:
                msg = f"{item.name} is the certificate of an authority, on which others may depend; it is not removed"
                plan.refusals.append(Refusal("authority_certificate", msg, (item.name,)))
            if certificate.store == MACHINE and (services := (uses or {}).get(certificate.thumbprint)):
                msg = f"{item.name} is what {', '.join(services)} serves with; give that another certificate, or name this one in except_thumbprints"
                plan.refusals.append(Refusal("certificate_in_use", msg, (item.name, *services)))
        elif certificate_names.key(certificate.issuer) in names:
            msg = "its issuer is named, but it is not for signing in of clients; name its thumbprint if it shall go"
            plan.skipped.append(Skip(KIND, item.id, item.name, "not_for_clients", msg))
    return plan
