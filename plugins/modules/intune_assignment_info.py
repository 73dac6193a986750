#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_assignment_info
short_description: Say to whom apps and configurations are assigned in Intune
version_added: 1.1.0
description:
  - Reads the assignments of the objects that O(assignments) names, and says which of those are there. Which objects point at IIJ ID, with their assignments,
    M(offboard.iij_id.entra_references_info) says.
  - Changes nothing.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
  - offboard.iij_id.intune
notes:
  - Needs the application permissions C(DeviceManagementApps.Read.All) and, for the names of groups, C(GroupMember.Read.All); for device profiles
    C(DeviceManagementConfiguration.Read.All).
seealso:
  - module: offboard.iij_id.intune_assignment
"""

EXAMPLES = r"""
- name: Are the confirmed assignments gone?
  offboard.iij_id.intune_assignment_info:
    assignments:
      - {kind: mobile_app, object: 5e0fa1d4-8d6c-4a2e-9f0e-3b1f2c9a7d10, target: allLicensedUsers}
  register: found

- name: Stop while one is there
  ansible.builtin.assert:
    that: found.left | length == 0
"""

RETURN = r"""
objects:
  description: The objects that are named and are in Intune.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {description: What it is., type: str, returned: always}
    id: {description: Its id., type: str, returned: always}
    name: {description: Display name., type: str, returned: always}
    assignments:
      description: As in RV(offboard.iij_id.entra_references_info#module:references).
      type: list
      elements: dict
      returned: always
    devices:
      description: On how many devices it is, or is on its way to. V(not_known) where Microsoft Graph does not say, which is not 0.
      type: raw
      returned: always
left:
  description: Those of O(assignments) that are there, with the C(name) of the assignment.
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: mobile_app, object: 5e0fa1d4-8d6c-4a2e-9f0e-3b1f2c9a7d10, target: allLicensedUsers, name: "IIJ SmartKey: required allLicensedUsers"}
not_there:
  description: Those of O(assignments) that are not there.
  returned: success
  type: list
  elements: dict
failure:
  description: C(code) is V(bad_option) or one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.arguments import INTUNE
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.intune_assignments.resource import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(argument_spec=spec(ENTRA, INTUNE), supports_check_mode=True)
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
