#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: openldap_accounts_info
short_description: Where accounts are in OpenLDAP, in its data and in its access rules
version_added: 1.1.0
description:
  - Reads of several accounts what M(offboard.iij_id.openldap_entry_info) and M(offboard.iij_id.openldap_access_info) read of one.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.openldap
options:
  dns:
    description: The accounts, each as O(offboard.iij_id.openldap_entry_info#module:dn) have it.
    type: list
    elements: str
    required: true
  known_file:
    description: As O(offboard.iij_id.openldap_entry_info#module:known_file).
    type: dict
    suboptions:
      path:
        description: As there.
        type: path
        required: true
      vault_password:
        description: As there.
        type: str
      vault_password_file:
        description: As there.
        type: path
  config_base:
    description: Where the server's configuration is.
    type: str
    default: cn=config
  config_username:
    description: The account that may read the configuration, where that is another one than O(username).
    type: str
  config_password:
    description: Its password.
    type: str
requirements:
  - cryptography
seealso:
  - module: offboard.iij_id.openldap_access_info
  - module: offboard.iij_id.openldap_entry_info
"""

EXAMPLES = r"""
- name: Where are Directory Sync's accounts?
  offboard.iij_id.openldap_accounts_info:
    host: ldap.reiji.example
    username: cn=admin,dc=reiji,dc=example
    password: "{{ vault_ldap_password }}"
    config_username: cn=admin,cn=config
    config_password: "{{ vault_ldap_config_password }}"
    dns:
      - cn=iij-dirsync,ou=services,dc=reiji,dc=example
  register: found
"""

RETURN = r"""
entries:
  description: By the account as it was given, the RV(offboard.iij_id.openldap_entry_info#module:entry).
  returned: success
  type: dict
clauses:
  description: By the account, the RV(offboard.iij_id.openldap_access_info#module:clauses).
  returned: success
  type: dict
mentions:
  description: By the account, the RV(offboard.iij_id.openldap_access_info#module:mentions).
  returned: success
  type: dict
settings:
  description: By the account, the RV(offboard.iij_id.openldap_access_info#module:settings).
  returned: success
  type: dict
named_in:
  description: By the account, the RV(offboard.iij_id.openldap_entry_info#module:named_in).
  returned: success
  type: dict
  version_added: 1.1.0
not_searched:
  description: By the account, the RV(offboard.iij_id.openldap_entry_info#module:not_searched).
  returned: success
  type: dict
  version_added: 1.1.0
any_there:
  description: Whether one of the accounts is there, by another name too, or is named by a rule.
  returned: success
  type: bool
failure:
  description:
    - C(code) is V(invalid_dn), V(not_found), V(cannot_read), V(not_text), or one of the connection, see M(offboard.iij_id.directory_object).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import OPENLDAP
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.known import KNOWN_FILE
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_accounts.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._core import vault
from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            OPENLDAP,
            KNOWN_FILE,
            dns={"type": "list", "elements": "str", "required": True},
            config_base={"type": "str", "default": "cn=config"},
            config_username={"type": "str"},
            config_password={"type": "str", "no_log": True},
        ),
        required_if=[("tls", "ldapi", ["socket"]), ("tls", "ldaps", ["host"]), ("tls", "starttls", ["host"])],
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
