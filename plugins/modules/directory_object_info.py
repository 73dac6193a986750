#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: directory_object_info
short_description: Find accounts and groups of Active Directory that were made for IIJ ID, and say why
version_added: 0.1.0
description:
  - Reports candidates for M(offboard.iij_id.directory_object) with everything its guards look at, and what would refuse their removal.
  - It only reads. What is to be removed is decided by a person, who copies RV(objects[].confirm_as).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.directory
options:
  objects:
    description: Names to report on, as in M(offboard.iij_id.directory_object).
    type: list
    elements: str
    default: []
  spn_patterns:
    description: Regular expressions that are searched for in the service principal names of all users of the domain.
    type: list
    elements: str
    default: []
  agent_configs:
    description:
      - The texts of C(config.yml) of Directory Sync or Password Sync. The account that an agent binds as, and the groups in its filters,
        are candidates. This is the one reliable way to know them, as their names are free.
      - They may hold a password and are never shown.
    type: list
    elements: str
    default: []
  allowed_spns:
    description: As in M(offboard.iij_id.directory_object), for RV(objects[].removal_refusals).
    type: list
    elements: str
    default: ['(?i)HTTP/([a-z0-9-]+\.)+iij\.jp']
  expected_members:
    description: As in M(offboard.iij_id.directory_object), for RV(objects[].removal_refusals).
    type: list
    elements: str
    default: []
  recently_used_days:
    description: As in M(offboard.iij_id.directory_object), for RV(objects[].removal_refusals).
    type: int
    default: 14
seealso:
  - module: offboard.iij_id.directory_object
"""

EXAMPLES = r"""
- name: Who was made for IIJ ID?
  offboard.iij_id.directory_object_info:
    host: dc1.ad.reiji.example
    ca_file: /etc/ssl/certs/reiji-ca.pem
    username: offboard@ad.reiji.example
    password: "{{ vault_directory_password }}"
    spn_patterns: ['(?i)iij']
    agent_configs:
      - "{{ lookup('ansible.builtin.file', '/srv/offboard-run/sync01-config.yml') }}"
  register: candidates

- name: Show them
  ansible.builtin.debug:
    msg: "{{ item.dn }}: {{ item.found_by | join(', ') }}"
  loop: "{{ candidates.objects }}"
  loop_control:
    label: "{{ item.sAMAccountName }}"
"""

RETURN = r"""
objects:
  description: The candidates that exist, each once.
  returned: success
  type: list
  elements: dict
  contains:
    dn: {description: The distinguished name., type: str, returned: always}
    confirm_as:
      description: What to write into O(offboard.iij_id.directory_object#module:objects), so that no other object can be meant later.
      type: str
      returned: always
      sample: <GUID=0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11>;CN=iij-iwa,OU=Services,DC=example
    class: {description: V(user) or V(group)., type: str, returned: always}
    sAMAccountName: {description: The logon name., type: str, returned: always}
    userPrincipalName: {description: The logon name with a domain., type: str, returned: when it has one}
    description: {description: Its description., type: str, returned: when it has one}
    objectSid: {description: Its SID., type: str, returned: always}
    objectGUID: {description: Its GUID., type: str, returned: always}
    enabled: {description: Whether a user is enabled., type: bool, returned: for users}
    servicePrincipalName: {description: Its service principal names., type: list, elements: str, returned: always}
    adminCount: {description: V(1) for a member of an administrators' group., type: int, returned: when it is set}
    critical: {description: Whether it is a well-known object of the domain., type: bool, returned: always}
    own: {description: Whether the task itself binds with it or has its rights from it., type: bool, returned: always}
    protection: {description: What protects it from accidental deletion., type: list, elements: str, returned: always}
    member: {description: A group's members., type: list, elements: str, returned: always}
    memberOf: {description: Its groups., type: list, elements: str, returned: always}
    children: {description: What lies below it., type: list, elements: str, returned: always}
    primary_members: {description: Whose primary group it is., type: list, elements: str, returned: always}
    referenced_by: {description: 'Objects that name it, by attribute.', type: dict, returned: always}
    last_logon: {description: 'Its last known logon, as RFC 3339 in UTC; see O(recently_used_days).', type: str, returned: when it is known}
    found_by: {description: Why it is a candidate., type: list, elements: str, returned: always}
    removal_refusals:
      description: What would refuse its removal, each with C(rule), C(msg) and C(allow_with).
      type: list
      elements: dict
      returned: always
directory:
  description: The distinguished name of the domain.
  returned: success
  type: str
unusable:
  description: Names that lead to no user or group of this domain, and agents' configurations that cannot be understood (V(config_unreadable)), each with
    C(name), C(found_by), C(msg) and its C(code).
  returned: success
  type: list
  elements: dict
failure:
  description: C(code) as in M(offboard.iij_id.directory_object), and V(pattern_invalid).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import DIRECTORY
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects import plan as objects
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._core.foreign_yaml import YAML_IMPORT_ERROR
from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            DIRECTORY,
            objects={"type": "list", "elements": "str", "default": []},
            spn_patterns={"type": "list", "elements": "str", "default": []},
            agent_configs={"type": "list", "elements": "str", "default": [], "no_log": True},
            allowed_spns={"type": "list", "elements": "str", "default": list(objects.IIJ_SPNS)},
            expected_members={"type": "list", "elements": "str", "default": []},
            recently_used_days={"type": "int", "default": objects.LOGON_TIME_LAG_DAYS},
        ),
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "PyYAML", YAML_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
