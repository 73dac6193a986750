#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_app
short_description: Switch off, strip, delete or bring back an app registration with its service principal
version_added: 0.1.0
description:
  - Works on the one application with a given client id, never by name. Use M(offboard.iij_id.entra_app_info) to find it.
  - V(absent) removes the permissions that were granted, then the service principal, then the application. Entra keeps the last two for 30 days,
    and V(present) brings them back. Permissions do not come back; they are in C(before) of the changes, and need a new consent.
  - O(enabled=false) switches the service principal off, which stops the application within minutes and is undone in seconds.
  - Refused are the application that the module itself signs in with, and Microsoft's own applications.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.only_disabled
  - offboard.iij_id.entra
options:
  app_id:
    description: The client id (application id) of the application to work on. O(client_id) is the one that the module signs in with.
    type: str
    required: true
  state:
    description: Whether it shall be there.
    type: str
    default: present
    choices: [present, absent]
  enabled:
    description: Whether the service principal can sign in. Without it, that stays as it is.
    type: bool
  grants:
    description: With V(remove), all delegated and application permissions of the service principal are removed. V(absent) does so always.
    type: str
    default: keep
    choices: [keep, remove]
  restore_ids:
    description:
      - Object ids of the deleted application or service principal to bring back, where several that were deleted one after the other have the client id.
        Without it, the one that is in the snapshot comes back, where O(requires) names one, else the one that was deleted last.
    type: list
    elements: str
    default: []
  only_there:
    description: >-
      With V(present), whether an application that is deleted stays so, and one that the tenant never had is no failure: what is there is changed, nothing is
      brought back.
    type: bool
    default: false
    version_added: 1.1.0
notes:
  - Needs the application permissions C(Application.ReadWrite.All), C(AppRoleAssignment.ReadWrite.All) and C(DelegatedPermissionGrant.ReadWrite.All),
    and C(Domain.Read.All) with C(managed_domains) of O(requires).
  - O(max_changes) counts objects, each permission is one.
seealso:
  - module: offboard.iij_id.entra_app_info
"""

EXAMPLES = r"""
- name: Switch the identity provider's application off, as a guard while people work
  offboard.iij_id.entra_app:
    app_id: 0b1f3e8a-57a1-4f0c-8a10-aa11d0000001
    enabled: false

- name: Remove it for good (for 30 days it can be brought back)
  offboard.iij_id.entra_app:
    app_id: 0b1f3e8a-57a1-4f0c-8a10-aa11d0000001
    state: absent
    journal: offboard-run/journal.jsonl
    requires: {run_dir: offboard-run, snapshot: true}
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: V(application), V(service_principal), V(oauth2_permission_grant) or V(app_role_assignment).
      type: str
      returned: always
    action:
      description: V(remove), V(delete), V(restore), V(enable) or V(disable).
      type: str
      returned: always
  sample:
    - kind: app_role_assignment
      id: 1b2f0e7e-3d0f-5d55-8f39-1f0f6c1d0c01
      name: "iid_graph_api: Domain.ReadWrite.All on Microsoft Graph"
      action: remove
      before: {permission: Domain.ReadWrite.All}
      after: null
      risk: medium
      undo: consent to the permission in before again
skipped_objects:
  description: Objects that were deliberately left alone, each with C(code) and C(msg).
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(guard_refused) (rules V(own_identity), V(microsoft_app), V(max_changes), and V(nothing_found) for O(state=absent) where the tenant has no
      such application, and neither the snapshot nor O(journal) tells that it ever had), V(not_exact) (it is an object id), V(not_found), V(ambiguous_match),
      V(not_seen), V(bad_option) or one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.apps.resource import App
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import ONLY_DISABLED, spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            ENTRA,
            ONLY_DISABLED,
            app_id={"type": "str", "required": True},
            state={"type": "str", "default": "present", "choices": ["present", "absent"]},
            enabled={"type": "bool"},
            grants={"type": "str", "default": "keep", "choices": ["keep", "remove"]},
            restore_ids={"type": "list", "elements": "str", "default": []},
            only_there={"type": "bool", "default": False},
        ),
        required_if=[("only_disabled", True, ["journal"])],
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run(module, App)


if __name__ == "__main__":
    main()
