# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password for Ansible Vault, given as a value or as a file, and the files that it opens."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from .._core import vault
from .._core.errors import OffboardError
from .files import read_whole

#: Options of every module that writes or reads an Ansible Vault file; the twin is plugins/doc_fragments/vault.py.
VAULT: dict[str, Any] = {
    "vault_password": {"type": "str", "no_log": True},
    "vault_password_file": {"type": "path", "no_log": False},
}


def vault_password(params: Mapping[str, Any]) -> bytes:
    """The password, without the line end of a file.

    Raises OffboardError `vault_password_missing`, `vault_password_empty`, `vault_password_script_failed`, `file_read_failed`.
    """
    value, path = params["vault_password"], params["vault_password_file"]
    if value is None and path is None:
        raise OffboardError(
            "No vault password: give vault_password or vault_password_file (in the roles: offboard_vault_password).", code="vault_password_missing"
        )
    if value is not None:
        password = value.encode()
    else:
        try:
            mode = os.stat(path).st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH):
                password = _printed_by(path)
            else:
                with open(path, "rb") as stream:
                    password = stream.read().strip()
        except OSError as exc:
            raise OffboardError(f"cannot read the vault password file {path}: {exc.strerror or exc}", code="file_read_failed") from exc
    if value is None and password.startswith(b"$ANSIBLE_VAULT;"):
        msg = f"The vault password file {path} is itself encrypted by Ansible Vault. Name a file that holds the password as it is, or a program that prints it."
        raise OffboardError(msg, code="file_read_failed")
    if not password:
        raise OffboardError("The vault password is empty.", code="vault_password_empty")
    return password


def if_given(params: Mapping[str, Any]) -> Callable[[], bytes] | None:
    """What reads the password; None where the task gives none."""
    return None if params["vault_password"] is None and not params["vault_password_file"] else lambda: vault_password(params)


def _printed_by(path: str) -> bytes:
    """What a program prints, run as ansible-vault runs it: one named …-client is told which vault is meant."""
    name = os.path.splitext(os.path.basename(path))[0]
    command = [os.path.abspath(path), *(["--vault-id", "default"] if name.endswith("-client") else [])]
    try:
        # what it says of an error is not quoted, for it may name the password
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError as exc:
        raise OffboardError(
            f"The vault password file {path} is executable, so it is run and not read, but it cannot be run: {exc.strerror or exc}. If it is no program, "
            "take the execute bit away (chmod a-x).",
            code="vault_password_script_failed",
        ) from exc
    if done.returncode:
        raise OffboardError(f"The vault password program {path} ended with {done.returncode}. Run it by hand to see why.", code="vault_password_script_failed")
    return done.stdout.strip(b"\r\n")


def decrypt_file(path: str, password: bytes) -> bytes | None:
    """The plain content; None when there is no file. Raises OffboardError, which names the file."""
    if (content := read_whole(path)) is None:
        return None
    try:
        return vault.decrypt(content, password)
    except OffboardError as exc:
        raise OffboardError(f"{path}: {exc.msg}", code=exc.code) from exc


#: What JSON may hold as it is, but YAML takes for the end of a line or refuses.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def yaml_item(value: Mapping[str, Any]) -> bytes:
    """One item of a YAML list, on one line and valid JSON, so that it can be read quickly too."""
    text = json.dumps(value, ensure_ascii=False)
    return b"- " + _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode() + b"\n"
