#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_users
short_description: Unblock, license and give passwords to any number of Entra users in one task
version_added: 0.1.0
description:
  - Brings the selected users to the desired state. Only what differs is written, in batches, at the pace that Microsoft's limits allow.
    One task does for 1 or 100,000 users; never use a loop.
  - One request unblocks a user and sets password and usage location. Licences are added and removed in one more, so that no service goes
    away in between. What a group gives is not assigned a second time.
  - Each user ends in exactly one of done, unchanged, skipped (with a reason) and failed (with a code). See O(results_file).
  - The task may be stopped or killed at any point and run again. It goes on where it was, and sets no password twice.
  - Passwords are written into the encrypted hand-over file before they are set. A full disk stops the task before any of them is set.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.entra
  - offboard.iij_id.users
  - offboard.iij_id.vault
options:
  enabled:
    description: Whether the users can sign in. Without it, that stays as it is.
    type: bool
  licences:
    description: Licences that are assigned directly. Without it, they stay as they are.
    type: dict
    suboptions:
      add:
        description: Part numbers such as V(SPE_E3), or SKU ids, to add. The tenant is asked about an id only when somebody has to be given it.
        type: list
        elements: str
      remove:
        description: The same, to remove.
        type: list
        elements: str
      set:
        description: The same; exactly these shall be assigned. Excludes O(licences.add) and O(licences.remove).
        type: list
        elements: str
  licence_group:
    description:
      - A group that gives licences. The users become members of it, 20 with one request, instead of getting the licences one by one. What the group gives
        is not assigned directly then, also with O(snapshot).
      - Groups whose members follow a rule, that are synchronized, or that can hold directory roles are refused (V(group_refused)).
    type: dict
    suboptions:
      id:
        description: The group's object id.
        type: str
        required: true
      remove_direct:
        description:
          - Whether a direct licence that the group gives too is removed. Only where reading shows that the user has the group's, and the group switches off no
            plan that the direct one leaves on. Microsoft gives a group's licences in the background, so this takes a second run of the task.
        type: bool
        default: false
  also_enable:
    description:
      - With O(snapshot), users who were blocked when it was taken and shall be unblocked nevertheless, by user principal name or object id. All
        others who were blocked then stay so, and are reported as skipped (V(blocked_before_snapshot)).
    type: list
    elements: str
    default: []
  usage_location:
    description:
      - Two-letter country code (ISO 3166-1, JP for Japan) for users who have none. Graph refuses licences without one. An existing one is never changed.
    type: str
  password:
    description:
      - V(generate) makes a new password for each user, V(temporary_access_pass) lets Graph make a Temporary Access Pass, with which the user signs in
        for some hours and registers another method (a passkey, Microsoft Authenticator). The password stays as it is then.
      - Microsoft allows 5 requests in 10 seconds about passes for an application in a tenant, and each user needs three, so that 1,000 users take some
        100 minutes.
    type: str
    default: keep
    choices: [keep, generate, temporary_access_pass]
  temporary_access_pass:
    description: What kind of pass. What is left out is as the tenant's authentication methods policy says.
    type: dict
    suboptions:
      lifetime_minutes:
        description: How long a pass can be used. The policy has a shortest and a longest time.
        type: int
      usable_once:
        description: Whether a pass can be used once only.
        type: bool
      start:
        description: From when on it can be used, such as V(2026-12-01T08:00:00+09:00). At once without it.
        type: str
      replace:
        description: Whether a pass that can still be used, and which this tool did not make, is replaced. Without it such users are skipped (V(has_pass)).
        type: bool
        default: false
  password_length:
    description: Characters of a generated password, 12 to 256.
    type: int
    default: 16
  force_change:
    description: Whether the user must change the new password at the next sign-in, and pass multifactor authentication for it.
    type: str
    default: next_sign_in
    choices: [none, next_sign_in, next_sign_in_with_mfa]
  handover_file:
    description:
      - The encrypted file (Ansible Vault, YAML) that gets the new passwords or passes; C(ansible-vault view) shows it. Needs O(vault_password) or
        O(vault_password_file). Where there are more than 2,000 users, it continues in C(name-2.yml) and so on. Beside each user's principal name it
        holds the display name.
      - A pass is told by Graph only once. An entry without a value is written before it is asked for, and the value as soon as it is told. Where
        the answer was lost, the pass is removed and another one made. Who was given a pass gets no other until it has ended.
      - After that the tenant is asked whether the pass is there. Where it is not, the user has failed (V(not_seen)), the value is taken out of the
        file, and the next run makes another one. A later run asks again, 15 minutes after a pass was last seen, or where no run has seen it.
      - It belongs to one changing run at a time, like O(journal). Who was given a pass by another run all the same is V(skipped), with
        V(pass_given_meanwhile).
      - Together with the journal it is the memory of who has a password already. Keep both until the last run. Whose password was changed after
        the entry was written, while the journal does not show that it was to that one, is skipped with V(password_changed_elsewhere), for the one in
        the file was never valid. Another O(handover_file) gives a new one. Without O(journal) the user counts as having it, with a warning.
    type: path
  synced_password:
    description: Whether users that are synchronized from Active Directory are skipped (password hash synchronization serves them) or get a password too.
    type: str
    default: skip
    choices: [skip, set]
  revoke_sessions:
    description:
      - Whether users who are changed must sign in anew everywhere. Microsoft needs some minutes for it. That it was taken up is read from
        C(signInSessionsValidFromDateTime).
      - Where a run was stopped or failed between a user's change and this, the next one with this option makes up for it, as O(journal) tells.
        Without O(journal) it cannot.
    type: bool
    default: false
  applications:
    description:
      - Further app registrations of the same tenant, which share the work with that of O(client_id). Microsoft's limit on writing requests is
        one for each application in a tenant, so two are twice as fast, up to the limit of the tenant (three registrations reach it).
      - Each needs the same permissions and directory roles. All of them sign in before anything is read. One that fails on the way, or proves to
        lack a permission, takes part no longer; the others do the rest, a warning says so, and RV(applications) says why.
      - Microsoft documents both limits, and advises against getting around that of an application by several of them. Whether to do so is your decision.
    type: list
    elements: dict
    default: []
    suboptions:
      client_id:
        description: The client id of the app registration.
        type: str
        required: true
      client_secret:
        description: Its client secret.
        type: str
      client_certificate_path:
        description: Its certificate with private key (PEM or PKCS#12), instead of a secret.
        type: path
      client_certificate_password:
        description: The passphrase of O(applications[].client_certificate_path).
        type: str
  write_quota:
    description: How many writing requests each application may send in which time. Lower it when other tools use the same app registration.
    type: dict
    suboptions:
      requests:
        description: Number of requests. Microsoft's limit for an application in a tenant is 3000 in 150 seconds.
        type: int
        required: true
      seconds:
        description: The time.
        type: int
        required: true
  tenant_write_quota:
    description: The same for all applications of the task together. Lower it when other tools write to the tenant.
    type: dict
    suboptions:
      requests:
        description: Number of requests. Microsoft's limit for a tenant is 18000 in 300 seconds.
        type: int
        required: true
      seconds:
        description: The time.
        type: int
        required: true
notes:
  - A password cannot be set while the domain is federated. Such users are skipped with V(domain_is_federated).
  - Users who were created after their domain was converted, as the O(journal) tells, have a password that somebody gave them. They are skipped with
    V(created_since), also in a later run.
  - Needs the application permissions C(User.ReadWrite.All), C(User.EnableDisableAccount.All), C(LicenseAssignment.ReadWrite.All),
    C(User-PasswordProfile.ReadWrite.All), C(User.RevokeSessions.All), C(Domain.Read.All), C(RoleManagement.Read.Directory) and
    C(GroupMember.Read.All), each as far as the options need it, and for passwords the directory role User Administrator. Administrators, and who is
    in a group that roles can be given to, are skipped with V(needs_higher_role) unless the application holds Privileged Authentication
    Administrator. Passes need C(UserAuthMethod-TAP.ReadWrite.All) and C(Policy.Read.AuthenticationMethod), O(licence_group) needs
    C(GroupMember.ReadWrite.All).
  - O(max_changes) counts users.
  - With O(shard), the parts share the limit of their app registration. Give each one of its own, or divide O(write_quota).
seealso:
  - module: offboard.iij_id.entra_users_info
  - module: offboard.iij_id.entra_snapshot
"""

EXAMPLES = r"""
- name: Unblock and license users again, as they were in the snapshot
  offboard.iij_id.entra_users:
    snapshot: offboard-run/snapshot
    vault_password_file: vault-password
    max_changes: 300
    journal: offboard-run/journal.jsonl
    requires: {run_dir: offboard-run, snapshot: true}
    results_file: offboard-run/results/repair.jsonl

- name: New passwords for everybody of a domain that was converted
  offboard.iij_id.entra_users:
    domain: reiji.example
    password: generate
    handover_file: offboard-run/handover.yml
    vault_password_file: vault-password
    max_changes: 300
    journal: offboard-run/journal.jsonl
    requires: {run_dir: offboard-run, snapshot: true}
    results_file: offboard-run/results/passwords.jsonl

- name: The second of four parts, as one of four machines or AWX job slices
  offboard.iij_id.entra_users:
    domain: sales.reiji.example
    shard: 2/4
    enabled: true
    max_changes: 100000
    results_file: shard-2.jsonl

- name: With a second app registration, in half the time
  offboard.iij_id.entra_users:
    domain: sales.reiji.example
    enabled: true
    applications:
      - client_id: 0b1f3e8a-57a1-4f0c-8a10-aa11d0000012
        client_secret: "{{ lookup('ansible.builtin.env', 'OFFBOARD_2_SECRET') }}"
    max_changes: 100000

- name: A Temporary Access Pass instead of a password, for tomorrow's first working hours
  offboard.iij_id.entra_users:
    users:
      - reception@reiji-shop.example
    password: temporary_access_pass
    temporary_access_pass:
      lifetime_minutes: 240
      usable_once: false
      start: "{{ '%Y-%m-%dT08:00:00+09:00' | strftime((now().timestamp() + 86400) | int) }}"
    handover_file: passes.yml
    vault_password_file: vault-password
    results_file: passes.jsonl

- name: Licences by a group, 20 users a request
  offboard.iij_id.entra_users:
    domain: sales.reiji.example
    enabled: true
    licence_group:
      id: 6488ea6a-f280-56b1-a8f7-b5f7e86e53cb
    max_changes: 100000

- name: Two people by hand
  offboard.iij_id.entra_users:
    users:
      - sato.taro@reiji.example
      - suzuki.taro@reiji.example
    enabled: true
    usage_location: JP
    licences:
      add: [SPE_E3]
"""

RETURN = r"""
plan:
  description: The first changes, the same in check mode; RV(cut) says how many are not among them.
  returned: always
  type: list
  elements: dict
  sample:
    - kind: user
      id: 5d4e0c0e-7f51-5a2e-9f0e-5b1d6b6d3a11
      name: sato.taro@reiji.example
      action: update
      before: {accountEnabled: false, licences: {}}
      after: {accountEnabled: true, licences: {SPE_E3: []}}
      risk: low
      undo: "entra_users with enabled: false and licences: set to those in before"
counts:
  description: How many users are C(planned), C(unchanged), C(skipped), C(done) and C(failed).
  returned: always
  type: dict
skipped_objects:
  description:
    - The first users that were left alone, with C(code) and C(msg). Codes are V(blocked_before_snapshot), V(password_is_synced),
      V(domain_is_federated), V(created_since), V(needs_higher_role), V(is_blocked), V(is_guest), V(soft_deleted), V(not_found), V(not_tried),
      V(has_pass), V(pass_not_in_policy), V(password_changed_elsewhere), V(licence_gone), and of members of O(licence_group) without
      its licence V(no_seat), V(group_licence_refused) and V(group_licence_awaited).
    - V(plan_gone) is told in C(left_out) where the licence no longer has a service that is to be switched off; the rest of the licence is given.
    - V(licence_gone) says that the tenant no longer has a licence that the user had when O(snapshot) was taken.
    - Where only a part is left out, the change has the code in C(left_out) and the rest is done.
  returned: always
  type: list
  elements: dict
failed_objects:
  description:
    - The first users that failed, with C(code) and C(msg). Codes are V(no_seat), V(no_usage_location), V(licence_refused),
      V(group_licence_refused), V(password_refused), V(pass_refused), V(needs_higher_role), V(permission_missing), V(user_deleted),
      V(answer_lost), V(throttled), V(refused) and V(not_seen).
      C(details.steps_done) tells what was done nevertheless (V(patch), V(revoke), V(old_pass), V(pass), V(group), V(licences)).
  returned: always
  type: list
  elements: dict
cut:
  description:
    - Each of the lists above (and C(applied), C(restore) and C(diff)) that does not have all, with how many are C(shown) and how many there are (C(of)), and
      the C(files) that keep all of it. An answer has room for 40 kB, whatever the number of users, so that AWX can keep it as one event.
  returned: when a list does not have all
  type: dict
  sample: {plan: {shown: 54, of: 100000}, files: [offboard-run/results/users.jsonl, offboard-run/journal.jsonl]}
handover_files:
  description: The hand-over files there are.
  returned: always
  type: list
  elements: str
requests:
  description: HTTP requests C(sent), and requests inside batches that Graph C(refused) with 429.
  returned: always
  type: dict
applications:
  description:
    - What each application did, that of O(client_id) first. C(requests) counts those inside batches one by one, C(refused) are those with 429, C(lost) is
      null or C(code) and C(msg) of why it took part no longer.
  returned: always
  type: list
  elements: dict
failure:
  description: C(code) is one of those above, one of those of M(offboard.iij_id.entra_domain), V(licence_unknown), V(group_unknown),
      V(group_refused), V(pass_not_allowed), V(bad_option) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.resource import Users
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._entra.arguments import USER_SELECTION
from ..module_utils._module.runner import require
from ..module_utils._module.vault_password import VAULT
from ..module_utils._offboarding.runner import run

_NAMES = {"type": "list", "elements": "str"}
_QUOTA = {"requests": {"type": "int", "required": True}, "seconds": {"type": "int", "required": True}}


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            ENTRA,
            USER_SELECTION,
            VAULT,
            enabled={"type": "bool"},
            licences={"type": "dict", "options": {"add": _NAMES, "remove": _NAMES, "set": _NAMES}},
            licence_group={"type": "dict", "options": {"id": {"type": "str", "required": True}, "remove_direct": {"type": "bool", "default": False}}},
            also_enable={**_NAMES, "default": []},
            usage_location={"type": "str"},
            password={"type": "str", "default": "keep", "choices": ["keep", "generate", "temporary_access_pass"], "no_log": False},
            temporary_access_pass={
                "type": "dict",
                "no_log": False,
                "options": {
                    "lifetime_minutes": {"type": "int"},
                    "usable_once": {"type": "bool"},
                    "start": {"type": "str"},
                    "replace": {"type": "bool", "default": False},
                },
            },
            password_length={"type": "int", "default": 16, "no_log": False},
            force_change={"type": "str", "default": "next_sign_in", "choices": ["none", "next_sign_in", "next_sign_in_with_mfa"]},
            handover_file={"type": "path"},
            synced_password={"type": "str", "default": "skip", "choices": ["skip", "set"], "no_log": False},
            revoke_sessions={"type": "bool", "default": False},
            applications={
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "client_id": {"type": "str", "required": True},
                    "client_secret": {"type": "str", "no_log": True},
                    "client_certificate_path": {"type": "path"},
                    "client_certificate_password": {"type": "str", "no_log": True},
                },
            },
            write_quota={"type": "dict", "options": _QUOTA},
            tenant_write_quota={"type": "dict", "options": _QUOTA},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run(module, lambda params: Users(params, module.check_mode))


if __name__ == "__main__":
    main()
