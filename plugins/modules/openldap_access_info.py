#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: openldap_access_info
short_description: Which of OpenLDAP's access rules speak of an account
version_added: 1.0.0
description:
  - Lists the clauses of C(olcAccess), in all databases, that name an account, and those of groups, sets and patterns, in which it may be.
  - Says where else the configuration (C(cn=config)) names it.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.openldap
  - offboard.iij_id.openldap.account
options:
  config_base:
    description: Where the server's configuration is.
    type: str
    default: cn=config
seealso:
  - module: offboard.iij_id.openldap_access
"""

EXAMPLES = r"""
- name: What may Directory Sync's account read?
  offboard.iij_id.openldap_access_info:
    host: ldap.reiji.example
    username: cn=admin,cn=config
    password: "{{ vault_ldap_config_password }}"
    dn: cn=iij-dirsync,ou=services,dc=reiji,dc=example
  register: found
"""

RETURN = r"""
clauses:
  description: Clauses that name the account and nobody else.
  returned: success
  type: list
  elements: dict
  contains:
    database:
      description: DN of the database's configuration.
      type: str
      returned: always
    index:
      description: Place of the rule, such as C({1}).
      type: str
      returned: always
    what:
      description: What the rule is for.
      type: str
      returned: always
    clause:
      description: The clause, without C(by).
      type: str
      returned: always
    denies:
      description: Whether it gives nothing.
      type: bool
      returned: always
mentions:
  description: Clauses of groups, sets and patterns, in the same form without C(denies). Whether the account is among them the server alone knows (C(slapacl)).
  returned: success
  type: list
  elements: dict
settings:
  description:
    - Where else the configuration names the account, such as in C(olcLimits), C(olcRootDN), C(olcAuthzRegexp), as the C(binddn) of C(olcSyncrepl), or as the
      object of an access rule. Nothing changes that; a person looks at it. Values are not told, since some hold passwords.
  returned: success
  type: list
  elements: dict
  version_added: 1.1.0
  contains:
    entry:
      description: DN of the entry of the configuration.
      type: str
      returned: always
    attribute:
      description: The attribute.
      type: str
      returned: always
    index:
      description: Place of the value, such as C({1}); empty where it has none.
      type: str
      returned: always
rules:
  description: Number of rules looked through.
  returned: success
  type: int
failure:
  description:
    - C(code) is V(invalid_dn), V(not_found), V(cannot_read), V(not_text), or one of the connection, see M(offboard.iij_id.directory_object).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import OPENLDAP
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.known import ACCOUNT
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_access.resource import info
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._core import vault
from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(OPENLDAP, ACCOUNT, config_base={"type": "str", "default": "cn=config"}),
        required_if=[("tls", "ldapi", ["socket"]), ("tls", "ldaps", ["host"]), ("tls", "starttls", ["host"])],
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
