# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError

SALT = bytes(range(32))


@pytest.mark.parametrize("plain", [b"", b"x", b"0123456789abcdef", "ひみつ\n".encode() * 1000])
def test_ansible_reads_what_we_write_and_we_read_what_ansible_writes(plain):
    ansible = VaultLib([("default", VaultSecret(b"pw"))])
    assert ansible.decrypt(vault.encrypt(plain, b"pw", SALT)) == plain
    assert vault.decrypt(ansible.encrypt(plain, VaultSecret(b"pw")), b"pw") == plain
    assert vault.decrypt(ansible.encrypt(plain, VaultSecret(b"pw"), vault_id="prod"), b"pw") == plain


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (vault.encrypt(b"x", b"other", SALT), "vault_wrong_password"),
        (vault.encrypt(b"x", b"pw", SALT).replace(b"AES256", b"AES"), "vault_not_a_vault"),
        (vault.encrypt(b"x", b"pw", SALT)[:-9], "vault_not_a_vault"),
        (b"", "vault_not_a_vault"),
        (b"---\nplain: text\n", "vault_not_a_vault"),
        (b"$ANSIBLE_VAULT;1.1;AES256\nnot hex", "vault_not_a_vault"),
    ],
)
def test_what_cannot_be_read_is_named(content, code):
    with pytest.raises(OffboardError) as caught:
        vault.decrypt(content, b"pw")
    assert caught.value.code == code


def test_an_empty_password_is_refused():
    with pytest.raises(OffboardError) as caught:
        vault.encrypt(b"x", b"", SALT)
    assert caught.value.code == "vault_password_empty"
