# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vault password file is read, and one with an execute bit is run, as ansible-vault does."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._module.vault_password import vault_password

SCRIPT = "#!/bin/sh\nprintf ' a b\\n'\n"


def file(folder, text, mode, name="password"):
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return {"vault_password": None, "vault_password_file": str(path)}


@pytest.mark.parametrize(
    ("text", "mode", "password"),
    [(" secret \n", 0o600, b"secret"), (SCRIPT, 0o700, b" a b"), (SCRIPT, 0o600, SCRIPT.strip().encode()), (SCRIPT, 0o610, b" a b")],
)
def test_a_file_is_read_and_a_program_is_run(tmp_path, text, mode, password):
    assert vault_password(file(tmp_path, text, mode)) == password


def test_a_client_is_told_which_vault(tmp_path):
    assert vault_password(file(tmp_path, '#!/bin/sh\necho "$@"\n', 0o700, "keyring-client.sh")) == b"--vault-id default"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("secret-Zq7\n", "vault_password_script_failed"),  # no program at all
        ("#!/bin/sh\necho secret-Zq7; echo secret-Zq7 >&2; exit 3\n", "vault_password_script_failed"),
        ("#!/no/such/interpreter\nsecret-Zq7\n", "vault_password_script_failed"),
        ("#!/bin/sh\n", "vault_password_empty"),
    ],
)
def test_a_program_that_fails_is_no_password(tmp_path, text, code):
    options = file(tmp_path, text, 0o700)
    with pytest.raises(OffboardError) as caught:
        vault_password(options)
    assert caught.value.code == code and "secret-Zq7" not in caught.value.msg and (code == "vault_password_empty" or "password" in caught.value.msg)


def test_what_is_itself_encrypted_is_no_password(tmp_path):
    """ansible-vault would decrypt it: what it then takes is not this text, and opens nothing that was closed with it."""
    with pytest.raises(OffboardError) as caught:
        vault_password(file(tmp_path, vault.encrypt(b"secret", b"other", bytes(32)).decode(), 0o600))
    assert caught.value.code == "file_read_failed" and "encrypted" in caught.value.msg


def test_a_folder_is_no_program(tmp_path):
    with pytest.raises(OffboardError) as caught:
        vault_password({"vault_password": None, "vault_password_file": str(tmp_path)})
    assert caught.value.code == "file_read_failed" and "chmod" not in caught.value.msg


def test_ansible_vault_opens_it_with_the_same_program(tmp_path):
    options = file(tmp_path, SCRIPT, 0o700)
    (tmp_path / "secret.yml").write_bytes(vault.encrypt(b"x: 1\n", vault_password(options), bytes(32)))
    command = [sys.executable, "-m", "ansible.cli.vault", "view", "--vault-password-file", options["vault_password_file"], str(tmp_path / "secret.yml")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "x: 1\n"
