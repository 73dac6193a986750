#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: group_policy_registry
short_description: Take hosts out of browsers' lists and site-to-zone lists of group policies, or put them back
version_added: 1.0.0
description:
  - Works on group policies that are named by their GUIDs. M(offboard.iij_id.group_policy_info) finds them, and is this module's C(_info) twin.
  - In C(Registry.pol) it takes hosts out of C(AuthServerAllowlist) and C(AuthNegotiateDelegateAllowlist) of Edge and Chrome (also under their
    older names), out of the numbered lists of Firefox (C(Authentication\SPNEGO), C(Delegated), C(NTLM)), and out of site-to-zone lists (C(ZoneMapKey)), and
    the records that put a site into a zone by a key of its own (C(ZoneMap\Domains\iij.jp\www1.auth)).
  - Where nothing is left of a list, its record goes. A site-to-zone list goes with its switch C(ListBox_Support_ZoneMapKey), since an enforced empty list would
    keep users from having their own. Firefox's lists are numbered from 1 anew.
  - Below the policy keys (C(Software\Policies) and C(Software\Microsoft\Windows\CurrentVersion\Policies)) clients drop a value by themselves. Anywhere else
    it would stay on every machine, so there the record is replaced by one that deletes the value.
  - A registry item of the preferences that sets one of the hosts becomes one with the action "delete". Leave it for some weeks, until all clients have had it,
    and remove it then by hand. An item that is only removed leaves its value on every machine.
  - Everything else stays byte for byte. No policy or file is made, and no link, status or extension is touched. Each file is changed with the policy's version
    as by M(offboard.iij_id.group_policy_right).
attributes:
  idempotent:
    support: full
    description: A file that has none of the hosts is left alone.
notes:
  - Entries that mean more than the hosts, such as C(*.iij.jp), preference items with other hosts in the same list or that are applied once and not again,
    and scripts are not changed. They are warned of, and M(offboard.iij_id.group_policy_info) tells them.
  - Clients apply the change within two hours. Browsers read their lists when they start.
  - The account needs "Edit settings" on each policy. That is asked for before anything is written, in check mode too.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.directory
  - offboard.iij_id.policy_edit
  - offboard.iij_id.sysvol
options:
  policies:
    description: The GUIDs of the policies.
    type: list
    elements: str
    required: true
  hosts:
    description:
      - Host names, such as C(auth.iij.jp). The names below each are meant, too, with or without a scheme, a port, or C(*) before them.
      - Required for O(state=absent).
    type: list
    elements: str
  state:
    description:
      - V(absent) takes the hosts out.
      - V(present) puts each file that tasks with the same O(journal) have edited back as it was before, from the copies in O(backup_dir). A file that
        somebody else has edited since stays and is listed in C(skipped_objects) with the code V(setting_changed). Needs O(journal).
    type: str
    required: true
    choices: [absent, present]
seealso:
  - module: offboard.iij_id.group_policy_info
  - module: offboard.iij_id.group_policy_right
"""

EXAMPLES = r"""
- name: Take IIJ ID's hosts out of the browsers' policy
  offboard.iij_id.group_policy_registry:
    host: dc1.ad.reiji.example
    ca_file: /etc/ssl/certs/reiji-ca.pem
    username: gpo-editor@ad.reiji.example
    password: "{{ vault_directory_password }}"
    policies: ['{0FFB0A2D-1001-4000-8000-000000000001}']
    hosts: [auth.iij.jp]
    state: absent
    backup_dir: /srv/backups/policies
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    kind: {description: V(group_policy_registry)., type: str, returned: always}
    id: {description: 'The policy''s GUID and the file, such as C({0FFB…}\MACHINE\Registry.pol).', type: str, returned: always}
    name: {description: The policy's name., type: str, returned: always}
    action: {description: V(remove) or V(restore)., type: str, returned: always}
    before:
      description:
        - The values that change (null where there is none), the actions of preference items, C(versionNumber), C(GPT.INI) (the version there), and
          C(sha256) of the file.
      type: dict
      returned: always
    after: {description: The same as they will be., type: dict, returned: always}
    risk: {description: V(medium)., type: str, returned: always}
    undo: {description: How to go back., type: str, returned: always}
counts:
  description: Number of files V(planned), V(unchanged), V(skipped), V(done), V(failed).
  returned: always
  type: dict
applied:
  description: The changes that were made and seen. C(details) holds C(saved_copy) and, where files were not copied, C(not_saved).
  returned: always
  type: list
  elements: dict
failed_objects:
  description: The changes that failed, each with C(code) and C(msg).
  returned: always
  type: list
  elements: dict
skipped_objects:
  description: The files that O(state=present) leaves alone, each with C(code) V(setting_changed) and C(msg). Empty for O(state=absent).
  returned: always
  type: list
  elements: dict
restore:
  description: How to undo each change.
  returned: always
  type: list
  elements: dict
saved_copies:
  description: The folders with the copies that this task has made, by the policy's GUID.
  returned: always
  type: dict
predicted:
  description: Whether the plan stands on earlier planned changes (O(predictions)).
  returned: always
  type: bool
failure:
  description:
    - C(code) is V(guard_refused) when a guard fired (rules V(versions_differ), V(not_pdc_emulator), and V(nothing_found) for
      O(state=absent) where none of the policies has any of the O(hosts), and O(journal) knows of no edit of any of them).
    - V(bad_option) for what is no GUID or host, V(not_found) for a policy that does not exist, V(policy_unreadable) for a file that is not as
      its specification says, V(insufficient_rights) when the account may not edit a policy.
    - V(changed_since_read) when somebody else has edited the policy since the plan was made, V(file_in_use) when another editor or a client has it open,
      V(backup_unreadable) when O(backup_dir) has no copy of a file as it was, V(earlier_failure) for a further file of a policy of which one failed,
      V(not_seen), V(file_write_failed), V(too_large), V(smb_error), and V(several) when they differ.
    - Of the connections, as for M(offboard.iij_id.group_policy_info).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client, sysvol
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import DIRECTORY, POLICY_EDIT
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.registry.resource import make
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            DIRECTORY,
            POLICY_EDIT,
            policies={"type": "list", "elements": "str", "required": True},
            hosts={"type": "list", "elements": "str"},
            state={"type": "str", "required": True, "choices": ["absent", "present"]},
        ),
        required_if=[("state", "absent", ["hosts"]), ("state", "present", ["journal"])],
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "smbprotocol", sysvol.SMBPROTOCOL_IMPORT_ERROR)
    run(module, lambda params: make(params, module.check_mode))


if __name__ == "__main__":
    main()
