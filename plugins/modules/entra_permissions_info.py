#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_permissions_info
short_description: Say which permissions the app that signs in lacks for the exit
version_added: 1.0.0
description:
  - Reads which application permissions on Microsoft Graph the access token holds, and which directory roles the app's service principal has, and says
    what is lacking for each stage of leaving IIJ ID. The preflight tells it, since a stage would find it only when it is too late.
  - A permission that includes another one counts for both.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
notes:
  - Needs the application permission C(RoleManagement.Read.Directory). Without it the directory roles are not known, and count as held.
  - When a user is signed in (O(credential=azure_cli)), nothing is known, and nothing counts as lacking.
  - A permission that was granted a moment ago is in the next access token, which may take some minutes.
seealso:
  - module: offboard.iij_id.readiness_info
"""

EXAMPLES = r"""
- name: May this app do the exit?
  offboard.iij_id.entra_permissions_info:
  register: rights

- name: Show what it lacks
  ansible.builtin.debug:
    var: rights.missing
"""

RETURN = r"""
app_id:
  description: The client id of the app that signed in.
  returned: success
  type: str
permissions:
  description: Its application permissions, sorted. Null when that is not known.
  returned: success
  type: list
  elements: str
directory_roles:
  description: The directory roles of its service principal, sorted. Null when that is not known.
  returned: success
  type: list
  elements: str
missing:
  description: What it lacks, for each work of the exit. Empty when it lacks nothing, or nothing is known.
  returned: success
  type: list
  elements: dict
  contains:
    work: {description: "V(users), V(passwords), V(passes) (Temporary Access Passes instead of passwords), V(domains) or V(app).", type: str, returned: always}
    stages: {description: The stages that do it., type: list, elements: str, returned: always}
    permissions: {description: Application permissions that are lacking., type: list, elements: str, returned: always}
    roles: {description: "Directory roles, one of which is needed, when it has none of them.", type: list, elements: str, returned: always}
  sample:
    - work: domains
      stages: [domains]
      permissions: [Domain.ReadWrite.All]
      roles: []
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.permissions.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(argument_spec=spec(ENTRA), supports_check_mode=True)
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
