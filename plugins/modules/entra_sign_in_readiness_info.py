#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_sign_in_readiness_info
short_description: Say who will be able to sign in once a domain is converted
version_added: 1.0.0
description:
  - Gives each user of the given domains one verdict, before their sign-in goes from an identity provider to Microsoft Entra itself.
  - It looks at the account, its licence, how the password will come, the second factor registered with Entra and whether something asks for it, roles,
    clients without modern authentication, and sign-ins by programs.
  - V(blocked) is who is blocked, and whom nobody means to enable. V(no_way_in) is who gets neither a password nor a pass, and has registered no method
    that does without. V(looks_like_a_service) is who signed in by programs only, V(legacy_client) who used a client without modern authentication.
    V(must_register_mfa) is who is asked for a second factor and has registered none with Entra, V(no_licence) who has no licence, V(ready) who is
    none of these.
  - V(not_known) is of whom something that matters could not be read. It is never the same as V(ready), and nobody is said to be without a second factor
    whom Microsoft's report leaves out, which are blocked users, and everybody in a tenant without Entra ID P1.
  - When several apply to a user, the verdict is the first of the list above, with V(not_known) before V(ready).
  - Changes nothing.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
options:
  domains:
    description: The root domains whose users are judged. Subdomains follow them. Guests are not judged.
      One that the tenant does not have is an error (C(not_found)).
    type: list
    elements: str
    required: true
  days:
    description: For how many days back the sign-in log is looked at, V(1) to V(30), which is how long Microsoft keeps it.
    type: int
    default: 30
  max_log_pages:
    description:
      - How many pages of 1000 entries of the log of clients without modern authentication are read at most, newest first. Microsoft Graph allows 5 requests in
        10 seconds. Older entries are told in RV(not_looked_at).
    type: int
    default: 200
  passwords:
    description: What the users of the converted domains get, see M(offboard.iij_id.entra_users).
    type: str
    choices: [generate, temporary_access_pass, keep]
    default: generate
  synced_password:
    description: Whether users synchronized from Active Directory get it, too.
    type: str
    choices: [skip, set]
    default: skip
  password_hash_sync:
    description: Whether a person has verified that the hashes of Active Directory's passwords are synchronized to Entra. Microsoft Graph does not tell.
    type: bool
    default: false
  steps_file:
    description: The steps of a person (C(steps.json) in the run folder). When C(password_hash_sync_verified) is done there, O(password_hash_sync) is true.
    type: path
  also_enable:
    description: Users who are blocked now and shall be enabled, as user principal names or ids.
    type: list
    elements: str
    default: []
  exclude:
    description: Users whom the exit leaves alone. They get no password, so that they have none in a federated domain unless something else is known.
    type: list
    elements: str
    default: []
  signs_in_otherwise:
    description: Users of whom a person knows another way to sign in, as user principal names, ids, or C(@domain) for all of it.
    type: list
    elements: str
    default: []
  accepted:
    description: Users who may be left without a way to sign in, as user principal names or ids. They keep their verdict and are not counted as open.
    type: list
    elements: str
    default: []
  results_file:
    description:
      - A JSON-lines file to which a line for each user is written, with C(status) as the verdict and what it was judged by. It takes the place of an older one
        once everybody was looked at.
    type: path
  verdict_file:
    description:
      - A JSON file to which it is written for which tenant and domains, when, and how many users have no way in and are not named by O(accepted). As
        C(sign_in.json) in the run folder M(offboard.iij_id.entra_domain) demands it, by C(sign_in_max_age_hours) of its option C(requires).
    type: path
  progress_file:
    description:
      - A file on the controller to which progress is appended. The module's action plugin sets it and shows the progress while the task runs.
    type: path
notes:
  - Needs the application permissions C(User.Read.All), C(Domain.Read.All), C(Organization.Read.All), C(RoleManagement.Read.Directory),
    C(GroupMember.Read.All), C(AuditLog.Read.All) and C(Policy.Read.All). What one of them is missing for is told in RV(not_looked_at).
  - The report of registered methods, the sign-in log and the times of the last sign-in need Microsoft Entra ID P1.
  - A policy of Conditional Access counts as asking for a second factor whatever its further conditions are (location, device, app), since nobody can tell
    from where people will sign in. Per-user multi-factor authentication, the older kind, is not shown by Microsoft Graph's v1.0 and is not seen.
  - With the times of the last sign-in Microsoft Graph lists 500 users a page, at 5 requests in 10 seconds, so that 100,000 users take about 10 minutes.
seealso:
  - module: offboard.iij_id.entra_users_readiness_info
  - module: offboard.iij_id.readiness_info
"""

EXAMPLES = r"""
- name: Who could not sign in on Monday?
  offboard.iij_id.entra_sign_in_readiness_info:
    domains: [reiji.example]
    password_hash_sync: true
    results_file: offboard-run/results/sign_in_readiness.jsonl
  register: people

- name: Stop while somebody has no way in
  ansible.builtin.assert:
    that: people.no_way_in_open == 0
    fail_msg: "{{ people.users | selectattr('code', 'eq', 'no_way_in') | map(attribute='msg') }}"
"""

RETURN = r"""
counts:
  description: How many users have each verdict. All verdicts are there, and their sum is everybody.
  returned: success
  type: dict
codes:
  description: The same of everything that applies, so that a user is counted once for each.
  returned: success
  type: dict
passwords:
  description:
    - How many enabled users come to what they sign in with by which way. V(own) is a domain that is managed already. Others are V(new), V(pass),
      V(hash_sync), V(registered_method) such as a security key, V(otherwise) as a person says, V(by_hand) of administrators,
      V(hash_sync_not_verified), V(roles_not_read) and V(none).
  returned: success
  type: dict
domains:
  description: For each domain C(domain), C(total) and C(counts).
  returned: success
  type: list
  elements: dict
users:
  description: The first users (20 kB) who are not V(ready), the worst verdicts first; of each verdict some, so that many of one hide none of another.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: Object id., type: str, returned: always}
    name: {description: User principal name., type: str, returned: always}
    code: {description: The verdict., type: str, returned: always}
    codes: {description: All that applies., type: list, elements: str, returned: always}
    reasons:
      description: Why V(not_known). One of V(by_hand), V(hash_sync_not_verified), V(roles_not_read), V(sign_ins_not_read), V(blocked_now), V(not_in_report),
        V(registration_not_read), V(policies_not_read).
      type: list
      elements: str
      returned: always
    msg: {description: The same for people., type: str, returned: always}
    accepted: {description: Whether O(accepted) names them., type: bool, returned: always}
    password: {description: How they come to what they sign in with., type: str, returned: always}
    mfa: {description: 'Whether a second factor is registered that the tenant allows, null where the report does not tell.', type: bool, returned: always}
    roles: {description: 'Template ids of their roles, null where roles could not be read.', type: list, elements: str, returned: always}
    legacy_clients: {description: 'Clients without modern authentication that they used, null where not known.', type: list, elements: str, returned: always}
    asked_by: {description: Policies that ask them for a second factor., type: list, elements: str, returned: always}
    excluded_from: {description: Such policies that leave them out., type: list, elements: str, returned: always}
no_way_in_open:
  description: How many users are V(no_way_in) and not named by O(accepted).
  returned: success
  type: int
registration_limited_by:
  description: Policies of Conditional Access on registering security information, which may forbid it where people are when they first sign in.
  returned: success
  type: list
  elements: str
not_looked_at:
  description: Parts of the tenant that could not be read.
  returned: success
  type: list
  elements: dict
  contains:
    part:
      description: V(roles), V(organization), V(conditional_access), V(security_defaults), V(groups), V(registered_methods), V(legacy_sign_ins) or
        V(sign_in_activity).
      type: str
      returned: always
    reason: {description: 'V(permission_missing), V(no_licence), V(too_many), or the code of the error.', type: str, returned: always}
    msg: {description: The reason in words., type: str, returned: always}
since:
  description: From when on sign-ins were looked at (RFC 3339).
  returned: success
  type: str
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain), V(bad_option) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.sign_in_readiness.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    names = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec=spec(
            ENTRA,
            dict.fromkeys(("also_enable", "exclude", "signs_in_otherwise", "accepted"), names),
            domains={"type": "list", "elements": "str", "required": True},
            days={"type": "int", "default": 30},
            max_log_pages={"type": "int", "default": 200},
            passwords={"type": "str", "choices": ["generate", "temporary_access_pass", "keep"], "default": "generate", "no_log": False},
            synced_password={"type": "str", "choices": ["skip", "set"], "default": "skip", "no_log": False},
            password_hash_sync={"type": "bool", "default": False, "no_log": False},
            steps_file={"type": "path"},
            results_file={"type": "path"},
            progress_file={"type": "path"},
            verdict_file={"type": "path"},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
