#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_controller_health_info
short_description: Tell whether every domain controller of a domain is well
version_added: 1.0.0
description:
  - Asks one domain controller who the others are, and then each of them. It answers by LDAP, has finished its synchronization since it started, serves as
    global catalog if it is one, replicates the domain without errors, and its SYSVOL can be read.
  - Tells which of them holds which operations master role (FSMO), and in which order M(offboard.iij_id.win_restart) would restart them.
  - It only reads. Read-only domain controllers are not looked at.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.directory
  - offboard.iij_id.sysvol
notes:
  - The others are reached by the DNS names that the directory has of them. The controller must be able to resolve these, and to reach port 636 (or 389) and
    445 there.
  - It tells nothing of services that only C(dcdiag) looks at, such as DFS replication of SYSVOL and time.
seealso:
  - module: offboard.iij_id.win_restart
"""

EXAMPLES = r"""
- name: Are all domain controllers well?
  offboard.iij_id.domain_controller_health_info:
    host: dc1.ad.reiji.example
    ca_file: /etc/ssl/certs/reiji-ca.pem
    username: offboard@ad.reiji.example
    password: "{{ vault_directory_password }}"
  register: health

- name: Stop when one is not
  ansible.builtin.assert:
    that: health.healthy
    fail_msg: "{{ health.controllers | map(attribute='problems') | flatten | map(attribute='msg') | join(' / ') }}"
"""

RETURN = r"""
controllers:
  description: The writable domain controllers of the domain, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Its DNS name., type: str, returned: always}
    healthy: {description: Whether nothing is wrong with it., type: bool, returned: always}
    roles:
      description: Of V(pdc_emulator), V(rid_master), V(infrastructure_master), V(schema_master), V(domain_naming_master) those that it holds.
      type: list
      elements: str
      returned: always
    global_catalog: {description: Whether it is a global catalog., type: bool, returned: always}
    problems:
      description:
        - What is wrong, each with C(code) and C(msg). C(code) is V(not_synchronized), V(global_catalog_not_ready), V(replication_failing),
          V(replication_missing), V(sysvol_unreadable), or, when it does not answer, one of the connection as for M(offboard.iij_id.group_policy_info).
      type: list
      elements: dict
      returned: always
    replication:
      description: One entry for each domain controller that it replicates the domain from, C(partner) (its DNS name, empty where the domain has it no more),
        with C(failures) in a row, C(result) (Windows' error number, 0 for none) and C(last_success) (RFC 3339, empty for never).
      type: list
      elements: dict
      returned: always
healthy:
  description: Whether all are.
  returned: success
  type: bool
restart_order:
  description: Their names, those without a role first and the PDC emulator last.
  returned: success
  type: list
  elements: str
directory:
  description: The distinguished name of the domain.
  returned: success
  type: str
failure:
  description:
    - Only when O(host) itself cannot be asked. C(code) is one of the connection, see M(offboard.iij_id.group_policy_info).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client, sysvol
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import DIRECTORY
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.controllers.read import info
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(argument_spec=spec(DIRECTORY), supports_check_mode=True)
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "smbprotocol", sysvol.SMBPROTOCOL_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
