#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iij_id_export_info
short_description: Say which exports of IIJ ID there are
version_added: 1.0.0
description:
  - Tells what M(offboard.iij_id.iij_id_export) has written, and looks whether the files of the newest complete export are as they were written.
  - The manifests are encrypted. What O(journal) has recorded of an export needs no password; of one that it does not know, the manifest is opened with the
    vault's password, and without it nothing is said (RV(not_known)). Manifests of 1.0.0 are not encrypted.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.vault
options:
  path:
    description: The folder of the exports.
    type: path
    required: true
  journal:
    description: The journal of the run that exported.
    type: path
    version_added: 1.1.0
seealso:
  - module: offboard.iij_id.iij_id_export
"""

EXAMPLES = r"""
- name: Look for an export of IIJ ID
  offboard.iij_id.iij_id_export_info:
    path: /srv/offboard-run/iij-id-export
    journal: /srv/offboard-run/journal.jsonl
"""

RETURN = r"""
exports:
  description: All of them, oldest first; none where there is no such folder.
  returned: success
  type: list
  elements: dict
  contains:
    folder: {description: Where it lies., type: str, returned: always}
    taken: {description: 'When, as RFC 3339 in UTC.', type: str, returned: always}
    service: {description: The address that it was read from., type: str, returned: where the manifest was read}
    users: {description: How many users it holds., type: int, returned: always}
    groups: {description: How many groups it holds., type: int, returned: always}
    groups_cut: {description: How many groups lack members whom users name., type: int, returned: always}
    groups_not_checked: {description: How many groups nothing tells of whether all their members came., type: int, returned: always}
    complete: {description: Whether both lists were whole., type: bool, returned: always}
    content_sha256: {description: SHA-256 of what it holds., type: str, returned: always}
    files: {description: 'Name, SHA-256 and bytes of each encrypted file.', type: list, elements: dict, returned: where the manifest was read}
    sealed_sha256: {description: SHA-256 of all its files as they were written., type: str, returned: where the journal knows it}
latest:
  description: The newest complete one; null where there is none.
  returned: success
  type: dict
not_known:
  description: Folders of exports of which nothing can be said without the vault's password.
  returned: success
  type: list
  elements: str
failure:
  description:
    - C(code) is V(export_damaged), V(run_folder_unsafe), V(file_read_failed), or one of those of M(offboard.iij_id.vault_file) for the vault's password.
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.kept import info

from ..module_utils._core import vault
from ..module_utils._module.arguments import spec
from ..module_utils._module.runner import require, run_info
from ..module_utils._module.vault_password import VAULT


def main() -> None:
    module = AnsibleModule(argument_spec=spec(VAULT, path={"type": "path", "required": True}, journal={"type": "path"}), supports_check_mode=True)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
