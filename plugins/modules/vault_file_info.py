#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_file_info
short_description: Read files that are encrypted with Ansible Vault
version_added: 0.1.0
description:
  - Decrypts files with a password of their own, so that it need not be the one that Ansible was started with.
  - What is returned is in clear. Use C(no_log) where it holds secrets.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.vault
options:
  paths:
    description: The files on the controller.
    type: list
    elements: path
    required: true
seealso:
  - module: offboard.iij_id.vault_file
"""

EXAMPLES = r"""
- name: What was found on the machine
  offboard.iij_id.vault_file_info:
    paths: [/srv/offboard-run/snapshot/machines/sync01.yml]
    vault_password_file: /etc/offboard/vault-password
  register: saved
  no_log: true
"""

RETURN = r"""
contents:
  description: The plain text of each file, by its path.
  returned: success
  type: dict
failure:
  description:
    - C(code) is V(file_missing), V(vault_password_missing), V(vault_password_empty), V(vault_password_script_failed), V(vault_wrong_password),
      V(vault_not_a_vault), V(not_text) or V(file_read_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.vault_file.resource import info

from ..module_utils._core import vault
from ..module_utils._module.arguments import spec
from ..module_utils._module.runner import require, run_info
from ..module_utils._module.vault_password import VAULT


def main() -> None:
    module = AnsibleModule(argument_spec=spec(VAULT, paths={"type": "list", "elements": "path", "required": True}), supports_check_mode=True)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
