#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iij_id_export
short_description: Keep the users and groups of IIJ ID before the contract ends
version_added: 1.0.0
description:
  - Reads all users and groups of IIJ ID by its own interface (SCIM 2.0), and writes them into files that C(ansible-vault view) opens. It only reads there.
  - C(users.jsonl) and C(groups.jsonl) hold what was received, one JSON object a line, in the order of the ids; C(service.json) what the service says of
    itself; C(users.csv) one row for each user, for people and Excel (UTF-8 with BOM), where a text that a spreadsheet would take for a formula has an
    apostrophe before it. Files hold 2 MB at most before they are encrypted; many users go on in C(users-2.jsonl), C(users-2.csv) and so on, each
    table with its heading. C(manifest.json) has the counts and the files' SHA-256; it is encrypted as they are. What the gates need to know of an export
    without the password, counts and one SHA-256 of all its files, stands in O(journal).
  - Each export lies in a folder of its own below O(path), named by its time. None is ever overwritten or removed, and it counts once its manifest is
    there, which is written last. Where the newest one holds the same, nothing is written.
  - Lists are whole when they have as many different ids as the service counts on each of their pages. One that changed meanwhile is read again. One that
    never was whole is written and marked as such, and the task fails (C(export_incomplete)); where there is a complete export, nothing is written.
  - One user made and another one removed while the list was read do not show in that. Run it twice; the second run changes nothing where the list stood
    still.
  - Groups whose members the list leaves out, or lacks by what users say of themselves, are read one by one. What is still missing then is a warning
    (RV(groups_cut)). Where the service shows of no user which groups they are in, nothing can tell (RV(groups_not_checked)). The gates tell both.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.vault
options:
  path:
    description: The folder of the exports, usually C(iij-id-export) in the run folder. It is made when missing.
    type: path
    required: true
  access_token:
    description:
      - An access token of IIJ ID's console with the scopes C(escim_read_users) and C(escim_read_groups), and no other ones. Revoke it afterwards.
      - It is sent to O(scim_url) only. A redirect is never followed.
    type: str
    required: true
  scim_url:
    description: The base address. It must be https, except on the loopback interface.
    type: str
    default: https://scim.auth.iij.jp/scim/v2
  ca_file:
    description: Certificate authorities to trust (PEM) instead of the system's, for a proxy that inspects TLS or a lab.
    type: path
  page_size:
    description: How many users or groups to ask for in one request. The service may send fewer; IIJ does not publish its limit.
    type: int
    default: 100
  pause_ms:
    description: Milliseconds from one request to the next, at least. IIJ does not publish how many it takes.
    type: int
    default: 0
  max_resources:
    description: The greatest number of users, and of groups. A list that goes on beyond it is an error (C(too_large)), and nothing is written.
    type: int
    default: 1000000
    version_added: 1.1.0
  attempts:
    description: How often a list is read that changes while it is read.
    type: int
    default: 3
  timeout:
    description: Seconds to wait for the connection, and for each part of an answer.
    type: int
    default: 60
  max_wait_seconds:
    description: The longest time that the service may ask to wait (Retry-After). A longer one is an error (C(throttled)).
    type: int
    default: 900
notes:
  - Passwords, FIDO2 keys, device certificates, the settings of applications and of external identity providers are not in IIJ ID's interface, so that
    no export holds them.
seealso:
  - module: offboard.iij_id.iij_id_export_info
"""

EXAMPLES = r"""
- name: Keep users and groups of IIJ ID
  offboard.iij_id.iij_id_export:
    path: /srv/offboard-run/iij-id-export
    access_token: "{{ lookup('ansible.builtin.env', 'IIJ_ID_TOKEN') }}"
    vault_password_file: /etc/offboard/vault-password
    journal: /srv/offboard-run/journal.jsonl
"""

RETURN = r"""
users:
  description: How many users the service gave.
  returned: success
  type: int
groups:
  description: How many groups the service gave.
  returned: success
  type: int
groups_cut:
  description: How many groups lack members whom users name, also where each was read alone.
  returned: success
  type: int
groups_not_checked:
  description: How many groups nothing tells of whether all their members came, since the service shows of no user which groups they are in.
  returned: success
  type: int
complete:
  description: Whether both lists were whole. Members of groups are not among them; RV(groups_cut) and RV(groups_not_checked) speak of those.
  returned: success
  type: bool
folder:
  description: The folder of the export that was written; null where none was.
  returned: success
  type: str
plan:
  description: The changes, the same in check mode. No user is among them.
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(export_incomplete), V(export_damaged), V(unauthorized), V(permission_missing), V(not_found), V(throttled), V(redirect_refused),
      V(server_error), V(http_status), V(host_unknown), V(unreachable), V(timeout), V(certificate_untrusted), V(ca_file_unusable), V(too_large), V(no_json),
      V(no_list), V(url_invalid), V(bad_option), V(run_folder_unsafe), V(file_exists), V(file_read_failed), V(file_write_failed),
      V(not_seen), or one of those of M(offboard.iij_id.vault_file) for the vault's password.
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.resource import Export

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
            access_token={"type": "str", "required": True, "no_log": True},
            scim_url={"type": "str", "default": "https://scim.auth.iij.jp/scim/v2"},
            ca_file={"type": "path"},
            page_size={"type": "int", "default": 100},
            pause_ms={"type": "int", "default": 0},
            max_resources={"type": "int", "default": 1_000_000},
            attempts={"type": "int", "default": 3},
            timeout={"type": "int", "default": 60},
            max_wait_seconds={"type": "int", "default": 900},
        ),
        supports_check_mode=True,
    )
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run(module, Export)


if __name__ == "__main__":
    main()
