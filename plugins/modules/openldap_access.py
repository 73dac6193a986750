#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: openldap_access
short_description: Take one account out of OpenLDAP's access rules, or put it back
version_added: 1.0.0
description:
  - Directory Sync for Linux reads OpenLDAP with an account of its own, for which somebody may have written C(by) clauses into C(olcAccess). They are taken out,
    each in its place, and everything else of a rule stays byte for byte.
  - A rule is never left out as a whole, since the next one would then decide. Where the account's was the only clause, C(by * none) takes its
    place, which is what the rule meant for all others.
  - A rule is swapped for its new form in one request that fails where somebody has changed it meanwhile. Before, an LDIF file that swaps it back is saved.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.openldap
  - offboard.iij_id.openldap.account
options:
  state:
    description:
      - V(absent) takes the account's clauses out. V(present) puts those back that O(state=absent) took out, by the files in O(backup_dir), each into a
        rule that is still as it was left; one that somebody has changed since is refused (rule V(rule_changed)).
    type: str
    default: absent
    choices: [absent, present]
  config_base:
    description: Where the server's configuration is. All its databases are looked through.
    type: str
    default: cn=config
  backup_dir:
    description: Folder on the controller for the LDIF files by which O(state=present), or C(ldapmodify), brings the clauses back.
    type: path
    required: true
  allow:
    description:
      - Guards that may be passed. V(denying_clause) allows taking out a clause that gives the account nothing (C(none)), or less than everybody gets, behind
        which another one may give it something.
    type: list
    elements: str
    choices: [denying_clause]
    default: []
notes:
  - A configuration in C(slapd.conf) cannot be changed by LDAP; change the file by hand there.
  - A clause names an account by its distinguished name alone; only those that name exactly this one are taken out. Which entry has the name now is looked
    up where the account that binds may read it. Who may change the configuration often may not; then nobody asks, and M(offboard.iij_id.openldap_entry)
    before this task is what refuses another entry.
  - Clauses of groups, sets and patterns, in which the account may be, are reported (RV(mentions)) and stay.
seealso:
  - module: offboard.iij_id.openldap_access_info
  - module: offboard.iij_id.openldap_entry
"""

EXAMPLES = r"""
- name: Directory Sync's account reads the directory no longer
  offboard.iij_id.openldap_access:
    host: ldap.reiji.example
    username: cn=admin,cn=config
    password: "{{ vault_ldap_config_password }}"
    dn: cn=iij-dirsync,ou=services,dc=reiji,dc=example
    backup_dir: /srv/offboard-run/backups/openldap
"""

RETURN = r"""
plan:
  description: The rules that change, before and after, the same in check mode.
  returned: always
  type: list
  elements: dict
mentions:
  description: Clauses that may be about the account too, see M(offboard.iij_id.openldap_access_info).
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
    - C(code) is V(guard_refused) (rules V(other_object), V(moved), V(denying_clause), V(rule_changed), V(max_changes), and V(nothing_found) for
      O(state=absent) where no rule names the account, and neither the server, the snapshot nor O(journal) knows it), V(changed_since_read)
      when a rule is no longer what was read, V(invalid_dn), V(not_found) when there is no such configuration or the account may not see it, or for an
      C(entryUUID) alone that nothing knows, V(cannot_read), V(insufficient_rights), V(not_seen), V(not_text), V(ldif_unreadable),
      V(file_read_failed), V(file_write_failed), or one of the connection, see M(offboard.iij_id.directory_object).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import OPENLDAP
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.known import ACCOUNT
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_access.plan import ALLOWABLE
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_access.resource import make
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._core import vault
from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            OPENLDAP,
            ACCOUNT,
            state={"type": "str", "default": "absent", "choices": ["absent", "present"]},
            config_base={"type": "str", "default": "cn=config"},
            backup_dir={"type": "path", "required": True},
            allow={"type": "list", "elements": "str", "choices": list(ALLOWABLE), "default": []},
        ),
        required_if=[("tls", "ldapi", ["socket"]), ("tls", "ldaps", ["host"]), ("tls", "starttls", ["host"])],
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run(module, lambda params: make(params, module.check_mode))


if __name__ == "__main__":
    main()
