#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: group_policy_right
short_description: Take accounts out of user rights of group policies, or put them back
version_added: 1.0.0
description:
  - Works on group policies that are named by their GUIDs. M(offboard.iij_id.group_policy_info) finds them, and is this module's C(_info) twin.
  - In C(GptTmpl.inf) the lines of the rights change, and nothing else. No policy or file is made, and no link, status or extension is touched.
  - The version in the directory, the file and C(GPT.INI) change together, under a lock on C(GPT.INI). A run that was stopped in between is gone on with by
    the same task with the same O(journal). Where the file stays in use, everything is as before.
  - Take an account out of rights before you delete it. Afterwards only its SID is left, which people cannot tell from any other.
attributes:
  idempotent:
    support: full
    description: A right that is as desired is left alone.
notes:
  - Domain controllers apply a changed right within 5 minutes, other machines within two hours, at the latest after 16 hours.
  - The account needs "Edit settings" on each policy. That is asked for before anything is written, in check mode too.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.directory
  - offboard.iij_id.policy_edit
  - offboard.iij_id.directory.known
  - offboard.iij_id.sysvol
options:
  policies:
    description: The GUIDs of the policies.
    type: list
    elements: str
    required: true
  rights:
    description:
      - The user rights, such as C(SeBatchLogonRight) ("log on as a batch job") and C(SeServiceLogonRight) ("log on as a service").
      - Without it every right of the policies is meant, with O(only_removed) every one that was taken away. Required for O(state=present) otherwise.
    type: list
    elements: str
    default: []
  accounts:
    description:
      - The accounts, each as a SID, a distinguished name, or as C(confirm_as) of M(offboard.iij_id.directory_object_info) has it. An account that is gone
        can be named by its SID alone.
      - In a right the account is recognised by its SID and by its logon name.
    type: list
    elements: str
    required: true
  known:
    description:
      - Objects as M(offboard.iij_id.directory_object_info) returned them before. Each of O(accounts) that meant one of them means that one, by its SID, though
        it is gone by now or another account bears its name.
    type: list
    elements: dict
    default: []
  state:
    description:
      - V(absent) takes the accounts out of the rights.
      - V(present) puts them, by their SIDs, at the end of the rights. It is the way back from V(absent).
    type: str
    required: true
    choices: [absent, present]
  when_empty:
    description:
      - What to do when nobody would be left in a right.
      - V(refuse) changes nothing (rule V(right_empty)).
      - V(undefine) takes the right out of the policy, so that each machine has its own value of it again. That may let in accounts that the policy keeps out.
      - An empty right would be nobody's on every machine, and is never left behind.
    type: str
    default: refuse
    choices: [refuse, undefine]
  when_undefined:
    description:
      - What to do with O(state=present) when a policy does not define a right.
      - V(refuse) changes nothing (rule V(right_undefined)).
      - V(define) defines it with these accounts alone, as it was before O(when_empty=undefine). Every other account loses it on the machines of the policy.
    type: str
    default: refuse
    choices: [refuse, define]
  only_removed:
    description:
      - With O(state=present) put back only what tasks with the same O(journal) have taken out of the named rights, and nobody has put back since.
        Each is put back as it was spelled.
      - Needs O(journal).
    type: bool
    default: false
seealso:
  - module: offboard.iij_id.group_policy_info
  - module: offboard.iij_id.directory_object
"""

EXAMPLES = r"""
- name: Take the run user of Directory Sync out of "log on as a batch job" of the domain controllers
  offboard.iij_id.group_policy_right:
    host: dc1.ad.reiji.example
    ca_file: /etc/ssl/certs/reiji-ca.pem
    username: gpo-editor@ad.reiji.example
    password: "{{ vault_directory_password }}"
    policies: ['{6AC1786C-016F-11D2-945F-00C04FB984F9}']
    rights: [SeBatchLogonRight]
    accounts:
      - CN=iij-dirsync-run,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example
    state: absent
    backup_dir: /srv/backups/policies

- name: In the Default Domain Policy it was the only one; each machine shall have its own value again
  offboard.iij_id.group_policy_right:
    host: dc1.ad.reiji.example
    ca_file: /etc/ssl/certs/reiji-ca.pem
    username: gpo-editor@ad.reiji.example
    password: "{{ vault_directory_password }}"
    policies: ['{31B2F340-016D-11D2-945F-00C04FB984F9}']
    rights: [SeBatchLogonRight]
    accounts:
      - CN=iij-dirsync-run,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example
    state: absent
    when_empty: undefine
    backup_dir: /srv/backups/policies
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    kind: {description: V(group_policy_right)., type: str, returned: always}
    id: {description: The policy's GUID., type: str, returned: always}
    name: {description: The policy's name., type: str, returned: always}
    action: {description: V(remove) or V(restore)., type: str, returned: always}
    before:
      description: The rights with their members (null for one that is not defined), C(versionNumber), C(GPT.INI) (the version there) and C(sha256) of the file.
      type: dict
      returned: always
    after: {description: The same as they will be., type: dict, returned: always}
    risk: {description: V(medium)., type: str, returned: always}
    undo: {description: How to go back., type: str, returned: always}
counts:
  description: Number of policies V(planned), V(unchanged), V(skipped), V(done), V(failed).
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
  description: Always empty.
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
    - C(code) is V(guard_refused) when a guard fired (rules V(right_empty), V(right_undefined), V(versions_differ), V(not_pdc_emulator), and
      V(nothing_found) for O(state=absent) where none of the policies has any of the O(accounts), and O(journal) knows of no edit of any of them).
    - V(bad_option) for what is no GUID or no name of a right, V(not_found) for a policy or an account that does not exist, V(policy_unreadable) for a
      file that is not as its specification says, V(insufficient_rights) when the account may not edit a policy.
    - V(changed_since_read) when somebody else has edited the policy since the plan was made, V(file_in_use) when another editor or a client has it open,
      V(not_seen), V(file_write_failed), V(too_large), V(smb_error), and V(several) when they differ.
    - Of the connections, as for M(offboard.iij_id.group_policy_info).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client, sysvol
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import DIRECTORY, POLICY_EDIT
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.right.resource import make
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.known import KNOWN
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            DIRECTORY,
            KNOWN,
            POLICY_EDIT,
            policies={"type": "list", "elements": "str", "required": True},
            rights={"type": "list", "elements": "str", "default": []},
            accounts={"type": "list", "elements": "str", "required": True},
            state={"type": "str", "required": True, "choices": ["absent", "present"]},
            when_empty={"type": "str", "default": "refuse", "choices": ["refuse", "undefine"]},
            when_undefined={"type": "str", "default": "refuse", "choices": ["refuse", "define"]},
            only_removed={"type": "bool", "default": False},
        ),
        required_if=[("only_removed", True, ["journal"])],
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    require(module, "smbprotocol", sysvol.SMBPROTOCOL_IMPORT_ERROR)
    run(module, lambda params: make(params, module.check_mode))


if __name__ == "__main__":
    main()
