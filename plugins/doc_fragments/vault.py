# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of VAULT in plugins/module_utils/_module/vault_password.py."""

from __future__ import annotations


class ModuleDocFragment:
    """The password of Ansible Vault files."""

    DOCUMENTATION = r"""
options:
  vault_password:
    description: The password, as a value. Without it O(vault_password_file) is needed.
    type: str
  vault_password_file:
    description:
      - A file on the controller that holds the password alone. O(vault_password) wins where both are given.
      - An executable file is a program that prints the password, as for C(ansible-vault). Where it fails, C(failure.code) is
        V(vault_password_script_failed).
    type: path
requirements:
  - cryptography
"""
