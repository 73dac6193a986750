#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_provisioning_info
short_description: Say whether an app's provisioning has left users in a state that no snapshot should keep
version_added: 1.0.0
description:
  - Counts the users of the domains who are blocked or have no licence. Where these are more than O(max_blocked_percent) in a hundred of a domain, it
    looks into the directory's audit log for what the apps O(client_ids) did to whom and when, and writes a list that is ready for use.
  - The log keeps 30 days, 7 in Entra ID Free. RV(log) says how far it reaches back, or why it could not be read.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
  - offboard.iij_id.census
options:
  domains:
    description: The root domains to look at. Subdomains follow them. One that the tenant does not have is an error (C(not_found)).
    type: list
    elements: str
    required: true
  client_ids:
    description: The apps whose doings are looked for.
    type: list
    elements: str
    default: []
  max_blocked_percent:
    description: More of a domain's users than so many in a hundred, blocked or without licence, are no normal state.
    type: int
    default: 50
  path:
    description:
      - A YAML file for C(-e @), which ends with C(.yml), with the users of the stop as C(microsoft_365_also_enable). Their licences go to a JSON-lines
        file beside it, which it names as C(microsoft_365_users_src). Not written in check mode, nor when nothing is found.
      - Users whom the app blocked outside of the 24 hours with the most of its blocks are in the file as comments.
    type: path
  blocked_path:
    description: A YAML file for everybody who is blocked, as comments of C(microsoft_365_also_enable). Not written in check mode, nor when nobody is.
    type: path
    version_added: 1.1.0
notes:
  - Needs the application permissions C(User.Read.All), C(AuditLog.Read.All), C(Application.Read.All) and C(Domain.Read.All).
seealso:
  - module: offboard.iij_id.entra_snapshot
  - module: offboard.iij_id.readiness_info
"""

EXAMPLES = r"""
- name: Has IIJ ID's stop blocked people before there is a snapshot?
  offboard.iij_id.entra_provisioning_info:
    domains: [reiji.example]
    client_ids: [0b1f3e8a-57a1-4f0c-8a10-aa11d0000001]
    path: offboard-run/blocked_by_iij_id.yml
  register: found

- name: Tell it
  ansible.builtin.debug:
    msg: "{{ found.blocked }} users were blocked by the app between {{ found.first }} and {{ found.last }}, see {{ found.file }}"
  when: found.unusual | length > 0
"""

RETURN = r"""
domains:
  description: For each domain C(total), C(blocked) and C(unlicensed), without those of whom the options say what shall become of them.
  returned: success
  type: list
  elements: dict
blocked_users:
  description: Who is blocked, without those of whom the options say what shall become of them. The first 20 of each domain.
  returned: success
  type: list
  elements: str
blocked_file:
  description: O(blocked_path), when there is somebody to write into it.
  returned: success
  type: str
unusual:
  description: The domains most of whose users are blocked or without licence.
  returned: success
  type: list
  elements: str
log:
  description: C(looked_at), C(msg) and C(code) for why not, and C(since), the time of the log's oldest entry.
  returned: success
  type: dict
blocked:
  description: How many users are blocked, and were so by the app's stop.
  returned: success
  type: int
first:
  description: When it blocked the first of them.
  returned: success
  type: str
last:
  description: When it blocked the last of them.
  returned: success
  type: str
unlicensed:
  description: Of how many users the log tells which licences the stop took.
  returned: success
  type: int
licences_not_told:
  description: Of how many users without licence the log tells that their licences were changed, but not which.
  returned: success
  type: int
also_enable:
  description: The first users (20 kB) whom the stop blocked.
  returned: success
  type: list
  elements: str
file:
  description: O(path), when there is something to write into it.
  returned: success
  type: str
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain), V(bad_option), V(bad_src) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.arguments import CENSUS
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.provisioning.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            ENTRA,
            CENSUS,
            domains={"type": "list", "elements": "str", "required": True},
            client_ids={"type": "list", "elements": "str", "default": []},
            max_blocked_percent={"type": "int", "default": 50},
            path={"type": "path"},
            blocked_path={"type": "path"},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, lambda params: info(params, module.check_mode))


if __name__ == "__main__":
    main()
