#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_snapshot
short_description: Keep, encrypted, what a tenant's users, licences, domains and applications were
version_added: 0.1.0
description:
  - Writes domains with their federation configurations, licences, applications and users into a folder, each file encrypted with Ansible Vault.
    A manifest without personal data is written last; without it there is no snapshot. It has the company's name (C(organization)), for the report.
  - A complete snapshot is never overwritten. A rerun checks that its files are whole and that the password opens them.
  - M(offboard.iij_id.entra_users) brings users back to it, and M(offboard.iij_id.entra_domain) a federation.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.entra
  - offboard.iij_id.census
  - offboard.iij_id.vault
options:
  path:
    description: The folder on the controller. It is made when missing.
    type: path
    required: true
  domains:
    description: Keep the users of these domains only. Without it, all users. Domains and licences are kept completely in any case.
    type: list
    elements: str
  client_ids:
    description: Client ids of applications to keep, with what they hold.
    type: list
    elements: str
    default: []
  max_blocked_percent:
    description:
      - Take no snapshot when more of a domain's users than so many in a hundred are blocked or have no licence (failure code C(mostly_blocked)). Without
        it, that is not judged.
    type: int
notes:
  - Needs the application permissions C(Domain.Read.All), C(Domain-InternalFederation.Read.All), C(User.Read.All), C(LicenseAssignment.Read.All),
    C(Application.Read.All) and C(Directory.Read.All).
  - In check mode the tenant is not read, and nothing is written. A task of M(offboard.iij_id.entra_users) that names a snapshot which is not
    there yet plans, in check mode, as if it were taken at that moment.
seealso:
  - module: offboard.iij_id.entra_users
  - module: offboard.iij_id.entra_domain
"""

EXAMPLES = r"""
- name: Keep what was
  offboard.iij_id.entra_snapshot:
    path: offboard-run/snapshot
    vault_password_file: vault-password
    domains: [reiji.example, reiji-group.example]
    client_ids: [0b1f3e8a-57a1-4f0c-8a10-aa11d0000001]
"""

RETURN = r"""
path:
  description: The folder.
  returned: always
  type: str
taken:
  description: When the snapshot was taken. Null when there is none yet.
  returned: always
  type: str
contents:
  description: How many C(domains), C(licences), C(apps) and C(users) it holds. Null when there is none yet.
  returned: always
  type: dict
  sample: {domains: 6, licences: 3, apps: 1, users: 240}
plan:
  description: The snapshot to be taken, the same in check mode.
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(mostly_blocked), V(snapshot_damaged), V(snapshot_incomplete) (it lacks a domain or an application that is named now),
      V(snapshot_missing) (the journal has one, and changes in the tenant after it), V(vault_wrong_password), V(vault_password_missing),
      V(file_write_failed), V(not_found) or one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.arguments import CENSUS
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.snapshot.resource import Snapshot
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._core import vault
from ..module_utils._module.runner import require
from ..module_utils._module.vault_password import VAULT
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            ENTRA,
            VAULT,
            CENSUS,
            path={"type": "path", "required": True},
            domains={"type": "list", "elements": "str"},
            client_ids={"type": "list", "elements": "str", "default": []},
            max_blocked_percent={"type": "int"},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run(module, Snapshot)


if __name__ == "__main__":
    main()
