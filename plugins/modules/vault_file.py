#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_file
short_description: Write a file encrypted with Ansible Vault, once
version_added: 0.1.0
description:
  - Writes a text into a file that C(ansible-vault view) opens. The plain text never touches the disk.
  - The file is whole or not there, and is never overwritten. An existing file is kept as it is, after a check that the password opens it.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.vault
options:
  path:
    description: The file on the controller. Its folder is made when missing.
    type: path
    required: true
  content:
    description: The text to encrypt.
    type: str
    required: true
  holds:
    description:
      - What the content holds, for a file of the snapshot. A manifest without personal data is written beside it (C(.json) is added to the name), and the
        changing modules demand it by the option O(requires).
      - Where there is none although the journal has one, and later changes of what it held, none is written (failure code C(snapshot_missing)).
      - Where there is a file already that does not hold all O(holds.objects), the content is written into a further one, C(directory-2.yml) beside
        C(directory.yml). A file of another domain or machine is refused (failure code C(other_run_folder)).
    type: dict
    suboptions:
      directory:
        description: The distinguished name of the Active Directory domain that it was read from.
        type: str
      machine:
        description: The address of the Windows machine that it was read from.
        type: str
      objects:
        description: The ids (objectGUID) of the objects in it.
        type: list
        elements: str
        default: []
seealso:
  - module: offboard.iij_id.vault_file_info
"""

EXAMPLES = r"""
- name: Keep what was found on a machine
  offboard.iij_id.vault_file:
    path: /srv/offboard-run/snapshot/machines/sync01.yml
    content: "{{ found | to_nice_yaml }}"
    vault_password_file: /etc/offboard/vault-password
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode. The content is never among them.
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(vault_password_missing), V(vault_password_empty), V(vault_password_script_failed), V(vault_wrong_password), V(vault_not_a_vault),
      V(file_exists), V(other_run_folder), V(snapshot_damaged), V(snapshot_missing), V(file_read_failed) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.vault_file.resource import VaultFile

from ..module_utils._core import vault
from ..module_utils._module.arguments import spec
from ..module_utils._module.runner import require
from ..module_utils._module.vault_password import VAULT
from ..module_utils._offboarding.arguments import RUN
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            VAULT,
            path={"type": "path", "required": True},
            content={"type": "str", "required": True, "no_log": True},
            holds={
                "type": "dict",
                "options": {"directory": {"type": "str"}, "machine": {"type": "str"}, "objects": {"type": "list", "elements": "str", "default": []}},
            },
        ),
        supports_check_mode=True,
    )
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run(module, VaultFile)


if __name__ == "__main__":
    main()
