#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_assignment
short_description: Stop giving an app or a configuration to devices by Intune, or give it again
version_added: 1.1.0
description:
  - Removes assignments of apps and configurations in Intune that you have confirmed one by one, each by the id of the app and to whom it is assigned. Use
    M(offboard.iij_id.entra_references_info) to find them. The app or the configuration itself is never changed or removed.
  - Only what points at IIJ ID is touched, by O(hosts) and O(identifiers); anything else is refused unless O(expected_objects) names it.
  - V(present) brings back what runs with the same O(journal) have removed, with intent and settings as they were.
  - An app that is assigned to nobody any more stays on the devices that have it. The settings and certificates of a profile are taken off them by Intune,
    with the next contact of each device.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.entra
  - offboard.iij_id.intune
options:
  state:
    description:
      - With V(absent), the O(assignments) go. With V(present) those of them come back that were removed by runs with this O(journal); without O(assignments),
        all that were.
    type: str
    required: true
    choices: [present, absent]
  hosts:
    description: Host names of IIJ ID. A host counts with everything below it, in every text of the object and in its payloads.
    type: list
    elements: str
    default: [auth.iij.jp]
  identifiers:
    description: Other words that stand for IIJ ID, by default the package name and the store's number of IIJ SmartKey.
    type: list
    elements: str
    default: [jp.ad.iij.smartkey2, id974476420]
  expected_objects:
    description: Ids of apps and configurations that are meant although nothing in them points at IIJ ID.
    type: list
    elements: str
    default: []
notes:
  - Needs the application permissions C(DeviceManagementApps.ReadWrite.All) and, for the names of groups, C(GroupMember.Read.All); for device profiles
    C(DeviceManagementConfiguration.ReadWrite.All), and C(Domain.Read.All) with C(managed_domains) of O(requires).
  - Without O(journal) nothing can bring an assignment back but a person, with C(before) of the changes.
seealso:
  - module: offboard.iij_id.intune_assignment_info
  - module: offboard.iij_id.entra_references_info
"""

EXAMPLES = r"""
- name: Nobody gets IIJ SmartKey by Intune any more
  offboard.iij_id.intune_assignment:
    state: absent
    assignments:
      - {kind: mobile_app, object: 5e0fa1d4-8d6c-4a2e-9f0e-3b1f2c9a7d10, target: allLicensedUsers}
      - {kind: mobile_app, object: 5e0fa1d4-8d6c-4a2e-9f0e-3b1f2c9a7d10, target: 0f3a2c1e-7b1d-4e55-9d5e-8a5f6c0b2d31}
    journal: offboard-run/journal.jsonl
    requires: {run_dir: offboard-run, snapshot: true}

- name: Back again, as they were
  offboard.iij_id.intune_assignment:
    state: present
    journal: offboard-run/journal.jsonl
    requires: {run_dir: offboard-run, snapshot: true}
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode. C(before) or C(after) holds the assignment whole.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: V(intune_assignment).
      type: str
      returned: always
    action:
      description: V(remove) or V(restore).
      type: str
      returned: always
  sample:
    - kind: intune_assignment
      id: 5e0fa1d4-8d6c-4a2e-9f0e-3b1f2c9a7d10/required/allLicensedUsers
      name: "IIJ SmartKey: required allLicensedUsers"
      action: remove
      before:
        kind: mobile_app
        object: 5e0fa1d4-8d6c-4a2e-9f0e-3b1f2c9a7d10
        assignment: acacacac-9df4-4c7d-9d50-4ef0226f57a9_1_0
        intent: required
        target: {"@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget"}
      after: null
      risk: medium
      undo: intune_assignment with state=present and the same journal
failure:
  description:
    - C(code) is V(guard_refused) (rules V(not_iij), V(exclusion_needed), V(max_changes), and V(nothing_found) for O(state=absent) where none of
      O(assignments) is there, and O(journal) knows of no removal of any of them), V(not_found), V(not_seen), V(answer_lost), V(bad_option) or one of those of
      M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.arguments import INTUNE
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.intune_assignments.resource import IntuneAssignments
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            ENTRA,
            INTUNE,
            state={"type": "str", "required": True, "choices": ["present", "absent"]},
            hosts={"type": "list", "elements": "str", "default": ["auth.iij.jp"]},
            identifiers={"type": "list", "elements": "str", "default": ["jp.ad.iij.smartkey2", "id974476420"]},
            expected_objects={"type": "list", "elements": "str", "default": []},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run(module, IntuneAssignments)


if __name__ == "__main__":
    main()
