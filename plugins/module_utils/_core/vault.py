# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible Vault's file format (1.1 and 1.2, AES256), so that hand-over files and snapshots open with `ansible-vault view`.

Ansible's own implementation lives in controller code that a module cannot import, hence these lines on top of
the `cryptography` library. Format: https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html
"""

from __future__ import annotations

import hashlib
import hmac
from binascii import Error as HexError
from binascii import hexlify, unhexlify

from .errors import OffboardError

try:
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    CRYPTOGRAPHY_IMPORT_ERROR: ImportError | None = None
except ImportError as exc:  # reported by the runner through missing_required_lib
    CRYPTOGRAPHY_IMPORT_ERROR = exc

_ITERATIONS = 10_000  # fixed by the format
_SALT_BYTES = 32


def _keys(password: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    derived = hashlib.pbkdf2_hmac("sha256", password, salt, _ITERATIONS, 80)
    return derived[:32], derived[32:64], derived[64:]


def encrypt(plain: bytes, password: bytes, salt: bytes) -> bytes:
    """A vault file's whole content. `salt` is 32 fresh random bytes."""
    if len(salt) != _SALT_BYTES:
        raise ValueError(f"salt has {len(salt)} bytes, not {_SALT_BYTES}")
    if not password:
        raise OffboardError("the vault password is empty", code="vault_password_empty")
    cipher_key, hmac_key, counter = _keys(password, salt)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(cipher_key), modes.CTR(counter)).encryptor()
    ciphertext = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    digest = hmac.new(hmac_key, ciphertext, hashlib.sha256).digest()
    body = hexlify(b"\n".join(hexlify(part) for part in (salt, digest, ciphertext)), b"\n", -40)
    return b"$ANSIBLE_VAULT;1.1;AES256\n" + body + b"\n"


def decrypt(content: bytes, password: bytes) -> bytes:
    """The plain text. Raises OffboardError `vault_not_a_vault` or `vault_wrong_password`."""
    header, _unused, body = content.partition(b"\n")
    if not header.startswith(b"$ANSIBLE_VAULT;") or not header.rstrip().split(b";")[2:3] == [b"AES256"]:
        raise OffboardError("not an Ansible Vault file (AES256)", code="vault_not_a_vault")
    try:
        salt, digest, ciphertext = (unhexlify(part) for part in unhexlify(body.translate(None, b" \t\r\n")).split(b"\n"))
    except (HexError, ValueError) as exc:
        raise OffboardError("the Ansible Vault file is damaged", code="vault_not_a_vault") from exc
    cipher_key, hmac_key, counter = _keys(password, salt)
    if not hmac.compare_digest(digest, hmac.new(hmac_key, ciphertext, hashlib.sha256).digest()):
        raise OffboardError("wrong vault password, or the file was changed", code="vault_wrong_password")
    decryptor = Cipher(algorithms.AES(cipher_key), modes.CTR(counter)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    try:
        return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()
    except ValueError as exc:
        raise OffboardError("the Ansible Vault file is damaged", code="vault_not_a_vault") from exc
