#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_users_info
short_description: Users of an Entra tenant, counted and listed
version_added: 0.1.0
description:
  - Reads any number of users as a stream, counts them, and returns the first, as many as have room in 20 kB. All of them go to O(results_file).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
  - offboard.iij_id.users
  - offboard.iij_id.vault
options:
  list_users:
    description: Whether users are returned, and not their numbers alone.
    type: bool
    default: true
notes:
  - Needs the application permissions C(User.Read.All) and C(LicenseAssignment.Read.All), and C(GroupMember.Read.All) for O(group).
seealso:
  - module: offboard.iij_id.entra_users
"""

EXAMPLES = r"""
- name: How many users of the domain are blocked or have no licence?
  offboard.iij_id.entra_users_info:
    domain: reiji.example
  register: found

- name: Tell it
  ansible.builtin.debug:
    msg: "{{ found.counts.blocked }} of {{ found.counts.total }} are blocked, {{ found.counts.unlicensed }} have no licence"
"""

RETURN = r"""
counts:
  description:
    - How many users there are in C(total), and of them C(enabled), C(blocked), C(guests), C(synced), C(without_usage_location) and C(unlicensed); of
      users that were named, how many are C(soft_deleted) or C(not_found).
  returned: success
  type: dict
licences:
  description: Users by licence, assigned directly or by a group.
  returned: success
  type: dict
  sample: {SPE_E3: 225}
users:
  description: The first users, as many as have room in 20 kB.
  returned: success
  type: list
  elements: dict
  contains:
    licences:
      description: Licences that are assigned directly, with the service plans that are off.
      type: dict
      returned: always
    group_licences:
      description: Licences that come from a group.
      type: list
      elements: str
      returned: always
missing:
  description:
    - The first users (20 kB) that were named and are not there, with C(why) (V(soft_deleted) or V(not_found)); of both some, so that many of one hide none of
      the other. C(counts) has how many there are, and O(results_file) all, with the C(status) V(missing).
  returned: success
  type: list
  elements: dict
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain), V(bad_option), V(snapshot_missing) or V(snapshot_damaged).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.resource import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._entra.arguments import USER_SELECTION
from ..module_utils._module.runner import require, run_info
from ..module_utils._module.vault_password import VAULT


def main() -> None:
    module = AnsibleModule(argument_spec=spec(ENTRA, USER_SELECTION, VAULT, list_users={"type": "bool", "default": True}), supports_check_mode=True)
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
