#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_users_readiness_info
short_description: Say which users of the exit cannot work without IIJ ID
version_added: 1.0.0
description:
  - Looks at each user of every domain of the exit, and names those who are not enabled or not licensed as meant, or of whom nothing proves a way to
    sign in.
  - What is meant is what the snapshot says, with O(also_enable) and O(src), as M(offboard.iij_id.entra_users) reads them.
  - A way to sign in is proven by a password that was changed since the domain was converted, by a password of the O(handover_file) that the journal
    shows to have been set and that is still the newest, or by a Temporary Access Pass that has not ended. What the tenant shows comes before what
    was recorded.
  - A password itself, password hash synchronization, and other methods than these cannot be seen. Users who sign in by them are told as
    C(password_is_synced), or are named in O(signs_in_otherwise).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
  - offboard.iij_id.vault
options:
  domains:
    description: The root domains of the exit. Subdomains follow them, and domains that the O(journal) shows to be converted are looked at too.
      One that the tenant does not have is an error (C(not_found)).
    type: list
    elements: str
    required: true
  snapshot:
    description: The folder of the snapshot. Where there is none, nobody knows what is meant, and only the way to sign in is judged.
    type: path
  also_enable:
    description: Users who were blocked when the snapshot was taken, and shall be enabled.
    type: list
    elements: str
    default: []
  src:
    description: A JSON-lines file with users who shall be otherwise than the snapshot says, see M(offboard.iij_id.entra_users).
    type: path
  exclude:
    description: Users who are not judged, as user principal names or ids.
    type: list
    elements: str
    default: []
  journal:
    description: The run's journal. It tells when domains were converted, and which passwords were set.
    type: path
  handover_file:
    description: The hand-over file of M(offboard.iij_id.entra_users).
    type: path
  synced_password:
    description: Whether users synchronized from Active Directory were given passwords too.
    type: str
    choices: [skip, set]
    default: skip
  signs_in_otherwise:
    description:
      - Users of whom a person knows another way to sign in (passkey, certificate, an old password), as user principal names, ids, or C(@domain) for
        all of it.
    type: list
    elements: str
    default: []
  results_file:
    description: A JSON-lines file to which a line for each user is written.
    type: path
notes:
  - Needs the application permissions C(User.Read.All), C(Domain.Read.All), C(Organization.Read.All), C(RoleManagement.Read.Directory) and
    C(GroupMember.Read.All), and C(UserAuthMethod-TAP.Read.All) where O(handover_file) has Temporary Access Passes that have not ended.
seealso:
  - module: offboard.iij_id.entra_users
  - module: offboard.iij_id.readiness_info
"""

EXAMPLES = r"""
- name: Who could not work on Monday?
  offboard.iij_id.entra_users_readiness_info:
    domains: [reiji.example]
    snapshot: offboard-run/snapshot
    vault_password_file: vault-password
    journal: offboard-run/journal.jsonl
    handover_file: offboard-run/handover.yml
  register: people

- name: Name them
  ansible.builtin.debug:
    msg: "{{ people.exceptions | map(attribute='msg') }}"
"""

RETURN = r"""
domains:
  description: For each domain C(total), C(enabled), C(blocked), C(stays_blocked) for those whom nobody means to enable, and C(gone)
    for those of the snapshot, enabled then, whom the tenant has no longer.
  returned: success
  type: list
  elements: dict
counts:
  description:
    - How many users something is told of, by code. V(user_blocked), V(user_enabled_not_meant), V(licence_missing), V(group_licence_missing),
      V(licence_not_as_meant), V(licence_gone), V(user_gone),
      V(named_nobody) (by O(src) or O(also_enable)), V(new_user_blocked) and V(new_user_unlicensed) (not in the snapshot, and nobody has said that
      it is right so), V(domain_is_federated), V(no_way_in), V(moved_without_password) (renamed out of O(domains) since the snapshot),
      V(access_pass_ended), V(administrator_without_password), V(password_is_synced), V(blocked_before_snapshot) (which is nothing wrong as long as it
      was not IIJ ID that had blocked them).
  returned: success
  type: dict
exceptions:
  description: The first of them (20 kB), of each code some, so that many of one hide none of another.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: Object id., type: str, returned: always}
    name: {description: User principal name., type: str, returned: always}
    code: {description: What is not as meant., type: str, returned: always}
    msg: {description: The same for people., type: str, returned: always}
left_alone:
  description: How many users of O(exclude) there are.
  returned: success
  type: int
snapshot_taken:
  description: When the snapshot was taken, null when there is none.
  returned: success
  type: str
synchronization:
  description: Whether the tenant is synchronized from Active Directory, C(enabled), and when it last was, C(last).
  returned: success
  type: dict
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain), V(bad_option), V(bad_src), V(snapshot_damaged), V(bad_handover_file)
      or V(vault_password_missing).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users_readiness.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info
from ..module_utils._module.vault_password import VAULT


def main() -> None:
    names = {"type": "list", "elements": "str", "default": []}
    paths = {name: {"type": "path"} for name in ("snapshot", "src", "journal", "handover_file", "results_file")}
    module = AnsibleModule(
        argument_spec=spec(
            ENTRA,
            VAULT,
            paths,
            domains={"type": "list", "elements": "str", "required": True},
            also_enable=names,
            exclude=names,
            signs_in_otherwise=names,
            synced_password={"type": "str", "choices": ["skip", "set"], "default": "skip", "no_log": False},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
