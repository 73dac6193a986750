#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_app_info
short_description: Find the app registrations that an identity provider left in an Entra tenant, with reasons
version_added: 0.1.0
description:
  - Looks at every application of the tenant but Microsoft's, and returns those for which something speaks, each with the reasons. What has most
    reasons comes first. Whether one is removed is for a person to decide; M(offboard.iij_id.entra_app) takes a client id only.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
options:
  client_ids:
    description: Client ids of applications that are returned in any case, such as the one that IIJ ID's console shows.
    type: list
    elements: str
    default: []
  name_patterns:
    description: Regular expressions that are looked for in the names.
    type: list
    elements: str
    default: ['(?i)iij', '(?i)^iid[ _-]']
  hosts:
    description: Host names that are looked for in addresses and notes of the applications.
    type: list
    elements: str
    default: [auth.iij.jp]
  activity_hours:
    description: How many hours of the tenant's directory audit to search for what each application did. V(0) does not look.
    type: int
    default: 24
notes:
  - Needs the application permissions C(Application.Read.All), C(Directory.Read.All) and, unless O(activity_hours=0), C(AuditLog.Read.All).
  - Reads of the audit are limited by Microsoft to 5 in 10 seconds.
seealso:
  - module: offboard.iij_id.entra_app
"""

EXAMPLES = r"""
- name: Which applications may be IIJ ID's, and are they still at work?
  offboard.iij_id.entra_app_info:
    client_ids: [0b1f3e8a-57a1-4f0c-8a10-aa11d0000001]
    activity_hours: 24
  register: found

- name: Tell it
  ansible.builtin.debug:
    msg: "{{ item.display_name }} {{ item.client_id }}: {{ item.why | join('; ') }}; last seen {{ item.last_activity }}"
  loop: "{{ found.apps }}"
  loop_control:
    label: "{{ item.client_id }}"
"""

RETURN = r"""
apps:
  description: The applications for which something speaks.
  returned: success
  type: list
  elements: dict
  contains:
    client_id:
      description: The client id.
      type: str
      returned: always
    display_name:
      description: The name, which is not unique.
      type: str
      returned: always
    application_id:
      description: The object id of the app registration, null where it lies in another tenant.
      type: str
      returned: always
    service_principal_id:
      description: The object id of the service principal.
      type: str
      returned: always
    enabled:
      description: Whether the service principal can sign in.
      type: bool
      returned: always
    deleted:
      description: Whether it is deleted and can still be brought back.
      type: bool
      returned: always
    permissions:
      description: Its application permissions on Microsoft Graph.
      type: list
      elements: str
      returned: always
    grants:
      description: Delegated permissions that were granted to it.
      type: list
      elements: dict
      returned: always
    secrets:
      description: Its client secrets, as C(key_id) and C(end). Never the secrets.
      type: list
      elements: dict
      returned: always
    certificates:
      description: Its certificates, as C(key_id) and C(end).
      type: list
      elements: dict
      returned: always
    addresses:
      description: Its addresses and notes.
      type: list
      elements: str
      returned: always
    directory_roles:
      description: Directory roles that it holds.
      type: list
      elements: str
      returned: always
    why:
      description: What speaks for it.
      type: list
      elements: str
      returned: always
    last_activity:
      description: When it last changed something, within O(activity_hours).
      type: str
      returned: always
    activity_times:
      description: When it made the newest 1000 changes in that time, newest first. Null when O(activity_hours) is V(0).
      type: list
      elements: str
      returned: always
    activity_count:
      description: How many changes it made in that time.
      type: int
      returned: always
missing:
  description: Those of O(client_ids) that the tenant does not have.
  returned: success
  type: list
  elements: str
failure:
  description: C(code) is V(bad_option) or one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.apps.read import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            ENTRA,
            client_ids={"type": "list", "elements": "str", "default": []},
            name_patterns={"type": "list", "elements": "str", "default": ["(?i)iij", "(?i)^iid[ _-]"]},
            hosts={"type": "list", "elements": "str", "default": ["auth.iij.jp"]},
            activity_hours={"type": "int", "default": 24},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
