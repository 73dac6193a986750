#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: openldap_entry_info
short_description: Whether an account is in OpenLDAP
version_added: 1.0.0
description:
  - Tells whether an entry is there, what it is, and what keeps it from being removed. No values are shown but its classes.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.openldap
  - offboard.iij_id.openldap.account
seealso:
  - module: offboard.iij_id.openldap_entry
"""

EXAMPLES = r"""
- name: Is Directory Sync's account still there?
  offboard.iij_id.openldap_entry_info:
    host: ldap.reiji.example
    username: cn=admin,dc=reiji,dc=example
    password: "{{ vault_ldap_password }}"
    dn: cn=iij-dirsync,ou=services,dc=reiji,dc=example
  register: account
"""

RETURN = r"""
exists:
  description: Whether it is there. What the account that binds may not see is no answer, but the failure V(cannot_read).
  returned: success
  type: bool
entry:
  description: Its C(dn), its C(entryUUID), its classes (C(objectClass)), and the names of its C(attributes); empty where there is none.
  returned: success
  type: dict
named_in:
  description:
    - Other entries that name it, there or gone, each with C(dn) and the C(attribute) - groups (C(member), C(uniqueMember), C(memberUid)), and every other
      attribute of the schema that holds distinguished names. Of an account that is gone C(memberUid) is looked for where its name holds the C(uid).
    - What the server writes by itself, such as who has made an entry, is none of them.
  returned: success
  type: list
  elements: dict
  version_added: 1.1.0
not_searched:
  description: Below what they could not be looked for.
  returned: success
  type: list
  elements: str
  version_added: 1.1.0
confirm_as:
  description: How to confirm exactly this entry, whatever has its name later; empty where there is none.
  returned: success
  type: str
removal_refusals:
  description: What keeps it from being removed, also that another entry has the name by now, or the entry another name.
  returned: success
  type: list
  elements: str
failure:
  description:
    - C(code) is V(invalid_dn), V(cannot_read), V(not_found) for an C(entryUUID) alone that nothing knows, V(not_text), or one of the
      connection, see M(offboard.iij_id.directory_object).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import OPENLDAP
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.known import ACCOUNT
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_entry.resource import info
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._core import vault
from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(OPENLDAP, ACCOUNT),
        required_if=[("tls", "ldapi", ["socket"]), ("tls", "ldaps", ["host"]), ("tls", "starttls", ["host"])],
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
