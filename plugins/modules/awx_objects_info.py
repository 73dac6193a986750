#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: awx_objects_info
short_description: Which objects AWX shall hold for the exit, and which of those that it holds go
version_added: 1.0.0
description:
  - Makes the list of a job template for each playbook of the collection, of the workflow, its inventory, credentials, schedules and the files of its project,
    and compares it with what AWX holds. P(offboard.iij_id.awx#role) carries it out with the collection C(awx.awx).
  - What the role has made is told by the end of its description, which holds its name. So a copy that somebody makes in AWX is not taken for the role's.
  - Reaches nothing but the collection's own files.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
options:
  collection:
    description: The folder of this collection.
    type: path
    required: true
  state:
    description: With V(absent) everything of the role goes.
    type: str
    choices: [present, absent]
    default: present
  prefix:
    description: How every name begins.
    type: str
    required: true
  organization:
    description: The name of the organization.
    type: str
    required: true
  approve:
    description: Stages before which the workflow has a check job and an approval.
    type: list
    elements: str
    default: []
  agents:
    description: The machines with an agent by name, with the variables of each.
    type: dict
    default: {}
  agents_variables:
    description: Variables that all of them share.
    type: dict
    default: {}
  domain_controllers:
    description: Those of them that are domain controllers.
    type: list
    elements: str
    default: []
  groups:
    description:
      - Further groups of the inventory, C(iij_id_browser_machines) and C(iij_id_linux_agents), each with C(hosts), by name with the variables of each, and
        C(vars) that all of them share. A machine may be in several.
    type: dict
    default: {}
  localhost_variables:
    description: Variables of the host on which the stages work.
    type: dict
    default: {}
  credentials:
    description: The credentials for which values are given. One that is there already stays without.
    type: list
    elements: str
    choices: [entra, secrets, machine]
    default: []
  schedules:
    description: Stages that start by the clock.
    type: list
    elements: dict
    default: []
    suboptions:
      stage:
        description: The name of the playbook.
        type: str
        required: true
      rrule:
        description: When, as AWX writes it.
        type: str
        required: true
      name:
        description: The schedule's name after the prefix, by default the stage.
        type: str
      extra_data:
        description: Extra variables of the job.
        type: dict
  services:
    description:
      - The register of services that sign users in through IIJ ID, as O(offboard.iij_id.manual_steps#module:services) has it. Each is a step of a person,
        which the survey of C(confirm) offers.
    type: list
    elements: dict
    default: []
    version_added: 1.1.0
  notification:
    description: Whether there is a notification template.
    type: bool
    default: false
  found:
    description: What AWX holds by kind, as its API gives it; each kind a list.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: See what is to be made in an AWX that holds nothing yet
  offboard.iij_id.awx_objects_info:
    collection: /usr/share/ansible/collections/ansible_collections/offboard/iij_id
    prefix: IIJ ID exit
    organization: Operations
    approve: [domains, accounts]
    found: {}
  register: shall

- name: Tell the job templates
  ansible.builtin.debug:
    msg: "{{ shall.objects.job_templates | map(attribute='name') }}"
"""

RETURN = r"""
objects:
  description:
    - What shall be there by kind, in the order in which it is made. C(exists) tells whether something of the name is there.
    - In check mode without C(later).
  returned: success
  type: dict
later:
  description: In check mode, what AWX cannot be asked for, because something that it needs is only planned.
  returned: success
  type: list
  elements: str
remove:
  description: What the role has made and is no longer wanted, by kind.
  returned: success
  type: dict
files:
  description: The files of the project, C(name) and C(content) of each.
  returned: success
  type: list
  elements: dict
failure:
  description: C(code) is V(not_ours), V(bad_option), V(file_missing) or V(file_read_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.runner import run_info
from ..module_utils._offboarding.awx.info import info

SCHEDULE = {
    "stage": {"type": "str", "required": True},
    "rrule": {"type": "str", "required": True},
    "name": {"type": "str"},
    "extra_data": {"type": "dict"},
}


def main() -> None:
    lists = {name: {"type": "list", "elements": "str", "default": []} for name in ("approve", "domain_controllers")}
    variables = {name: {"type": "dict", "default": {}} for name in ("agents", "agents_variables", "groups", "localhost_variables")}
    module = AnsibleModule(
        argument_spec={
            "collection": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "prefix": {"type": "str", "required": True},
            "organization": {"type": "str", "required": True},
            **lists,
            **variables,
            "credentials": {"type": "list", "elements": "str", "choices": ["entra", "secrets", "machine"], "default": []},
            "schedules": {"type": "list", "elements": "dict", "default": [], "options": SCHEDULE},
            "services": {"type": "list", "elements": "dict", "default": []},
            "notification": {"type": "bool", "default": False},
            "found": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    run_info(module, lambda params: info(params, module.check_mode))


if __name__ == "__main__":
    main()
