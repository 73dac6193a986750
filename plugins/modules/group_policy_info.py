#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: group_policy_info
short_description: Find the group policies that mention IIJ ID's hosts or the accounts that were made for it
version_added: 1.0.0
description:
  - Reports every group policy object of the domain, from the directory and from SYSVOL, with its versions, links and status, and where its files mention
    given hosts or accounts. These are user rights (C(GptTmpl.inf)), C(Registry.pol), preference items, and scripts. So does the domain's scripts folder
    (NETLOGON).
  - It only reads. It is also what a changing module of group policy has as its C(_info) twin, since one look at SYSVOL answers for all of them.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.directory
  - offboard.iij_id.sysvol
options:
  policies:
    description: GUIDs of the policies to look at. Without it all of the domain are looked at.
    type: list
    elements: str
    default: []
  hosts:
    description: Host names to look for, such as C(auth.iij.jp). The names below each are looked for, too.
    type: list
    elements: str
    default: []
  accounts:
    description:
      - Accounts to look for, each as a SID, a distinguished name, or as C(confirm_as) of M(offboard.iij_id.directory_object_info) has it.
      - A right is found whether it names the account by its SID or by its logon name. An account that is gone can be named by its SID alone.
    type: list
    elements: str
    default: []
seealso:
  - module: offboard.iij_id.directory_object_info
"""

EXAMPLES = r"""
- name: Which policies still mention IIJ ID?
  offboard.iij_id.group_policy_info:
    host: dc1.ad.reiji.example
    ca_file: /etc/ssl/certs/reiji-ca.pem
    username: offboard@ad.reiji.example
    password: "{{ vault_directory_password }}"
    hosts: [auth.iij.jp]
    accounts:
      - CN=iij-dirsync-run,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example
  register: found

- name: Show them
  ansible.builtin.debug:
    msg: "{{ item.guid }} {{ item.name }}: {{ item.mentions | map(attribute='where') | join(', ') }}"
  loop: "{{ found.policies | selectattr('mentions') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
policies:
  description: The policies, in the directory's order.
  returned: success
  type: list
  elements: dict
  contains:
    guid: {description: 'Its GUID in braces, by which it is named.', type: str, returned: always}
    name: {description: The name that people see., type: str, returned: always}
    dn: {description: The distinguished name of its object., type: str, returned: always}
    status: {description: 'V(enabled), V(user_disabled), V(machine_disabled) or V(disabled).', type: str, returned: always}
    version: {description: The version in the directory., type: int, returned: always}
    machine_version: {description: The part of it that counts the changes for machines., type: int, returned: always}
    user_version: {description: The part of it that counts the changes for users., type: int, returned: always}
    sysvol_version: {description: 'The version in SYSVOL (C(GPT.INI)), null when it cannot be read.', type: int, returned: always}
    versions_differ:
      description: Whether the two versions differ. It is being replicated or edited, or a change was not finished.
      type: bool
      returned: always
    may_write: {description: Whether the account may change its version in the directory., type: bool, returned: always}
    links:
      description: Where it is linked, each with C(dn), C(enabled) and C(enforced).
      type: list
      elements: dict
      returned: always
    rights: {description: 'The user rights that it defines, each with its members as they are spelled.', type: dict, returned: always}
    mentions:
      description:
        - Where it mentions a host or an account. Each has C(kind) (V(right), V(registry), V(preference), V(script) or V(other)), C(file), C(where), C(value),
          C(found), and C(changed_by), the module of this collection that takes it out, empty where a person has to.
        - A preference has C(uid), C(action), C(disabled) (itself, or a collection around it) and C(remove_policy) besides.
        - C(broader) names entries of a list that mean one of the hosts and others besides, such as C(*.iij.jp). A person decides about them.
      type: list
      elements: dict
      returned: always
    unreadable:
      description:
        - Files that could not be looked into, each with C(file), C(code) and C(msg). What they mention is not known.
        - Links (V(reparse_point)) are not followed. A file of more than 8 MB, and everything of a policy with more than 5000 files or 20 levels of folders, is
          V(too_large).
      type: list
      elements: dict
      returned: always
    holds_password:
      description: Preference files with a C(cpassword). The key that it is encrypted with is published, so anybody of the domain can read that password.
      type: list
      elements: str
      returned: always
netlogon:
  description:
    - The domain's scripts folder (the share NETLOGON), to which logon scripts of accounts lead. No module changes what is there.
    - Null where O(policies) names policies.
  returned: success
  type: dict
  contains:
    folder: {description: The folder in SYSVOL., type: str, returned: always}
    mentions:
      description: Files that mention a host, or an account by its SID, as RV(policies[].mentions) with the kind V(script).
      type: list
      elements: dict
      returned: always
    unreadable:
      description: Files that could not be looked into, as RV(policies[].unreadable). An empty C(file) is the whole folder.
      type: list
      elements: dict
      returned: always
unreadable_policies:
  description: Policies whose object says something that cannot be meant, or that the account may not read, each with C(dn), C(code) and C(msg).
  returned: success
  type: list
  elements: dict
orphaned:
  description: Members of user rights that are SIDs of this domain which no object has any more, each with C(guid), C(right) and C(member).
  returned: success
  type: list
  elements: dict
unusable:
  description: Names in O(accounts) that lead to no account, each with C(name) and C(msg).
  returned: success
  type: list
  elements: dict
pdc_emulator:
  description: The domain controller on which policies are edited. C(name) is its DNS name, C(is_host) whether O(host) is that one.
  returned: success
  type: dict
replication_pending:
  description: Policies with another version on another domain controller, each with C(domain_controller), C(guid) and C(version).
  returned: success
  type: list
  elements: dict
not_looked_at:
  description: Domain controllers that could not be asked for their versions, each with C(domain_controller), C(code) and C(msg).
  returned: success
  type: list
  elements: dict
directory:
  description: The distinguished name of the domain.
  returned: success
  type: str
failure:
  description:
    - C(code) is V(bad_option) for what is no host or GUID, V(not_found) for a policy in O(policies) that does not exist.
    - Of the connections, V(wrong_credentials), V(account_disabled), V(account_expired), V(password_expired), V(account_locked), V(host_unknown),
      V(unreachable), V(certificate_untrusted), V(ca_file_unusable), V(timeout), V(connection_lost), V(kerberos_failed), V(missing_library),
      V(insufficient_rights), V(smb_error).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client, sysvol
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import DIRECTORY
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            DIRECTORY,
            policies={"type": "list", "elements": "str", "default": []},
            hosts={"type": "list", "elements": "str", "default": []},
            accounts={"type": "list", "elements": "str", "default": []},
        ),
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "smbprotocol", sysvol.SMBPROTOCOL_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
