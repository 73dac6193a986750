#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: openldap_entry
short_description: Remove an account from OpenLDAP, or bring it back
version_added: 1.0.0
description:
  - Removes one entry, such as the account by which Directory Sync for Linux reads OpenLDAP. It is saved as an LDIF file on the controller first, and can be
    brought back out of it, with its password.
  - Take its clauses out of the access rules as well, with M(offboard.iij_id.openldap_access).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.openldap
  - offboard.iij_id.openldap.account
  - offboard.iij_id.vault
options:
  state:
    description: V(absent) saves and removes it; V(present) brings it back from the newest copy in O(backup_dir), where it is not there.
    type: str
    required: true
    choices: [absent, present]
  backup_dir:
    description:
      - Folder on the controller for the copies.
      - With O(vault_password) or O(vault_password_file) they are encrypted. An entry with a password, whose hash the copy holds, is refused without (rule
        V(vault_password_missing)).
    type: path
    required: true
notes:
  - Groups and other entries that name the entry are not changed; a warning names them, since slapd keeps such values. See
    RV(offboard.iij_id.openldap_entry_info#module:named_in).
  - What the server alone writes (C(entryUUID), times) is new after the entry was brought back. In the same O(journal) a confirmation for the former one
    is one for the new one too. What the account that binds may not read is in no copy.
seealso:
  - module: offboard.iij_id.openldap_entry_info
  - module: offboard.iij_id.openldap_access
"""

EXAMPLES = r"""
- name: Directory Sync's account goes
  offboard.iij_id.openldap_entry:
    host: ldap.reiji.example
    username: cn=admin,dc=reiji,dc=example
    password: "{{ vault_ldap_password }}"
    dn: cn=iij-dirsync,ou=services,dc=reiji,dc=example
    state: absent
    backup_dir: /srv/offboard-run/backups/openldap
    vault_password_file: /etc/offboard/vault-password
"""

RETURN = r"""
plan:
  description: The change, the same in check mode, with the names of the entry's attributes and no values but its classes.
  returned: always
  type: list
  elements: dict
saved:
  description: LDIF files that this task has written.
  returned: always
  type: list
  elements: str
failure:
  description:
    - C(code) is V(guard_refused) (rules V(other_object), V(moved), V(nothing_found) for O(state=absent) where neither the server, the snapshot nor
      O(journal) knows the name, V(has_children), V(unsupported_class) for what is no account,
      V(vault_password_missing), V(no_saved_copy), V(max_changes)), V(changed_since_read), V(invalid_dn), V(cannot_read) when nothing tells whether the
      entry is there or is the confirmed one, V(not_found) for an C(entryUUID) alone that nothing knows, V(insufficient_rights), V(has_children),
      V(already_exists), V(not_text) for another file than O(known_file) should be, V(ldif_unreadable), V(file_read_failed),
      V(file_write_failed), V(vault_wrong_password), V(vault_password_empty), V(not_seen), or one of the connection, see M(offboard.iij_id.directory_object).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import OPENLDAP
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.known import ACCOUNT
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_entry.resource import make
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._core import vault
from ..module_utils._module.runner import require
from ..module_utils._module.vault_password import VAULT
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            OPENLDAP,
            ACCOUNT,
            VAULT,
            state={"type": "str", "required": True, "choices": ["absent", "present"]},
            backup_dir={"type": "path", "required": True},
        ),
        required_if=[("tls", "ldapi", ["socket"]), ("tls", "ldaps", ["host"]), ("tls", "starttls", ["host"])],
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run(module, lambda params: make(params, module.check_mode))


if __name__ == "__main__":
    main()
