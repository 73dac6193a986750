# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as Windows and Firefox keep them, a `certutil` that acts on Wine's real stores, and the `tar` that Wine lacks.

A certificate of a store is a row of records (property, 1, length, data), as crypt32 writes them: 2 says where its key lies, 3 is its SHA-1, 32 the
certificate itself.
"""

from __future__ import annotations

import datetime
import hashlib
import sqlite3
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from . import machine, tree

if TYPE_CHECKING:
    from .part import WindowsPart

#: a machine's own certificates
MY_STORE = r"HKLM\SOFTWARE\Microsoft\SystemCertificates\MY\Certificates"
CAPI = "Microsoft Enhanced Cryptographic Provider v1.0"
_SOURCES = {name: Path(__file__).parent / name / f"{name}.c" for name in ("certutil", "tar")}
_BEGIN = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


class Key(Protocol):
    """Where a private key lies, as the collection describes it."""

    @property
    def container(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def kind(self) -> int: ...
    @property
    def of_machine(self) -> bool: ...


@dataclass(frozen=True)
class MachineKey:
    """A key of the machine, as older programs make them."""

    container: str
    provider: str = CAPI
    kind: int = 1
    of_machine: bool = True

    def make(self, windows: WindowsPart, name: str) -> MachineKey:
        """Put it where Wine keeps such keys."""
        _run(windows, name, "reg.exe", "add", rf"HKLM\Software\Wine\Crypto\RSA\{self.container}", "/v", "lab", "/d", "key", "/f", "/reg:64")
        return self


class Authority:
    """Issues certificates; `issued` has them all."""

    def __init__(self, name: str) -> None:
        self._name, self._key = x509.Name.from_rfc4514_string(name), ec.generate_private_key(ec.SECP256R1())
        self.issued: list[bytes] = []

    def issue(self, name: str, *, client_auth: bool = True, expired: bool = False, ca: bool = False) -> bytes:
        """A certificate for CN=name, as DER."""
        subject = self._name if ca else x509.Name.from_rfc4514_string(f"CN={name}")
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client_auth else ExtendedKeyUsageOID.SERVER_AUTH
        builder = (
            x509.CertificateBuilder(self._name, subject, self._key.public_key(), x509.random_serial_number())
            .not_valid_before(_BEGIN)
            .not_valid_after(_BEGIN + datetime.timedelta(days=30 if expired else 20000))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        self.issued.append(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER))
        return self.issued[-1]


def thumbprint(der: bytes) -> str:
    """As Windows names a certificate."""
    return hashlib.sha1(der).hexdigest().upper()


def blob(der: bytes, key: Key | None = None) -> bytes:
    """What a store holds of a certificate."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<III", kind, 1, len(data)) + data

    rows = record(3, hashlib.sha1(der).digest()) + record(32, der)
    if key is None:
        return rows
    container, provider = (f"{text}\0".encode("utf-16-le") for text in (key.container, key.provider))
    head = struct.pack("<7I", 28, 28 + len(container), key.kind, 0x20 if key.of_machine else 0, 0, 0, 1 if key.kind else 0)
    return record(2, head + container + provider) + rows


def into_registry(windows: WindowsPart, name: str, store: str, der: bytes, key: Key | None = None) -> str:
    """Put a certificate into a store of the machine. Its thumbprint."""
    _run(windows, name, "reg.exe", "add", rf"{store}\{thumbprint(der)}", "/v", "Blob", "/t", "REG_BINARY", "/d", blob(der, key).hex(), "/f", "/reg:64")
    return thumbprint(der)


def _run(windows: WindowsPart, name: str, *words: str) -> None:
    code, output = windows.run(name, subprocess.list2cmdline(words))
    if code:
        raise RuntimeError(f"{words[0]} ended with {code}: {output}")


def cert9(certificates: list[bytes]) -> bytes:
    """A database of Firefox: columns are PKCS #11's attributes in hexadecimal."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE nssPublic (id PRIMARY KEY UNIQUE ON CONFLICT ABORT, a0, a3, a11, a102)")
    connection.executemany("INSERT INTO nssPublic (a0, a11) VALUES (?, ?)", [(b"\0\0\0\1", der) for der in certificates])
    connection.commit()
    return connection.serialize()


def install_certutil(prefix: Path) -> None:
    """Put the stand-in in the place of the one that says it is absent. A reset of the machine takes it away."""
    _install(prefix, "certutil")


def install_tar(prefix: Path) -> None:
    """As a Windows has it since 10 1803 and Server 2019. A reset of the machine takes it away."""
    _install(prefix, "tar")


def _install(prefix: Path, name: str) -> None:
    source = _SOURCES[name]
    program = tree.CACHE / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}.exe"
    if not program.exists():
        building = program.with_suffix(".building")
        command = ["x86_64-w64-mingw32-gcc-win32", "-O2", "-s", "-Wall", "-Wextra", "-Werror", "-municode", "-o", str(building), str(source)]
        subprocess.run([*command, "-lcrypt32", "-ladvapi32"], check=True, capture_output=True)
        building.rename(program)
    target = prefix / machine.SYSTEM32 / f"{name}.exe"
    target.unlink(missing_ok=True)  # it is a hard link into the golden machine
    target.write_bytes(program.read_bytes())
