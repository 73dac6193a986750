#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_managers_info
short_description: Say in which department users are, and who their manager is
version_added: 1.0.0
description:
  - Reads the name, the department and the manager of each user of some or all domains, for M(offboard.iij_id.handover_letters). Guests are left out.
  - Any number of users is read as a stream. The first are returned, as many as have room in 20 kB, and all of them go to O(results_file).
  - Changes nothing.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
options:
  domains:
    description: Only users whose user principal names are of these domains, or of domains below them. Without it all users.
      One that the tenant does not have is an error (C(not_found)).
    type: list
    elements: str
    default: []
  managers:
    description: Whether managers are asked for. Without them, names and departments alone are read, a few hundred users in a request.
    type: bool
    default: true
    version_added: 1.1.0
  results_file:
    description: A JSON-lines file with a line for each user, which takes the place of an older one once all were read.
    type: path
  progress_file:
    description: The collection's action plugin sets it, to show what has been read.
    type: path
notes:
  - Needs the application permission C(User.Read.All), and C(Domain.Read.All), which tells a domain in which nobody is from one that the tenant does not have.
  - Managers are asked for one by one, 20 in a request.
seealso:
  - module: offboard.iij_id.handover_letters
"""

EXAMPLES = r"""
- name: Read departments and managers
  offboard.iij_id.entra_managers_info:
    domains: [reiji.example]
    results_file: /srv/offboard-run/results/managers.jsonl
  register: found

- name: Tell who has no manager
  ansible.builtin.debug:
    msg: "{{ found.counts.without_manager }} of {{ found.counts.total }} have no manager in Entra"
"""

RETURN = r"""
counts:
  description: How many users there are in C(total), and of them C(without_department) and C(without_manager).
  returned: success
  type: dict
departments:
  description: Users by department, the largest first.
  returned: success
  type: dict
  sample: {営業部: 40}
managers_count:
  description: How many different managers there are.
  returned: success
  type: int
users:
  description: The first users, as many as have room in 20 kB.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: Object id., type: str, returned: always}
    name: {description: User principal name., type: str, returned: always}
    department: {description: 'Department, empty without one.', type: str, returned: always}
    manager: {description: 'User principal name of the manager, empty without one.', type: str, returned: always}
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain), V(bad_option) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.handover.managers import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            ENTRA,
            domains={"type": "list", "elements": "str", "default": []},
            managers={"type": "bool", "default": True},
            results_file={"type": "path"},
            progress_file={"type": "path"},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
