#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_guests
short_description: Invite guests, change how they sign in, remove them and bring them back
version_added: 0.1.0
description:
  - Any number of guests in one task. Who is already as asked for is left alone, so nobody gets a second invitation by a second run.
  - Guests who have redeemed an invitation keep their way to sign in when a federation with their organization is made or removed.
    V(redemption_reset) lets them redeem anew, and keeps the account with its groups and applications; it is today's way. V(reinvited) is the way of the year
    2020, for where the reset does not work.
  - Use M(offboard.iij_id.entra_guests_info) to see how guests sign in now and how they would next.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.entra
options:
  state:
    description:
      - V(invited) invites those of O(guests) who are not there yet.
      - V(redemption_reset) resets the redemption of guests who would sign in another way than now if they redeemed anew. They are invited again, and cannot
        sign in until they redeem. See O(force).
      - V(reinvited) deletes guests who would sign in another way than now if they redeemed anew, invites them again, and gives the new account what the old one
        held, see O(backup_dir). The object id is another one afterwards. One after the other, and the first failure ends the run, so that no further guest is
        deleted. A rerun of the same task first ends what a run did not end; O(exclude) leaves out one for whom that cannot be.
      - V(absent) deletes guests. For 30 days V(restored) brings them back.
      - V(restored) brings deleted guests back under their object ids, with their groups.
    type: str
    choices: [invited, redemption_reset, reinvited, absent, restored]
    default: invited
  guests:
    description: The guests by mail address.
    type: list
    elements: dict
    suboptions:
      mail:
        description: The mail address.
        type: str
        required: true
      display_name:
        description: The name of a new guest. Without it, what stands before the C(@).
        type: str
      redirect_url:
        description: As O(redirect_url), for this guest.
        type: str
      send_message:
        description: As O(send_message), for this guest.
        type: bool
      message_body:
        description: As O(message_body), for this guest.
        type: str
      language:
        description: As O(language), for this guest.
        type: str
      cc:
        description: As O(cc), for this guest.
        type: list
        elements: str
  ids:
    description: Guests by object id or userPrincipalName. Not for O(state=invited).
    type: list
    elements: str
  domains:
    description:
      - Only guests with a mail address in one of these domains. Together with O(issuers) and O(states), all must hold.
      - Only for O(state=redemption_reset), since who is deleted shall be named.
    type: list
    elements: str
  issuers:
    description: Only guests whose account points at one of these issuers, as in M(offboard.iij_id.entra_guests_info). Only for O(state=redemption_reset).
    type: list
    elements: str
  states:
    description: Only guests whose invitation is in one of these states. Only for O(state=redemption_reset).
    type: list
    elements: str
    choices: [PendingAcceptance, Accepted]
  exclude:
    description: Guests to leave alone, by mail address, object id or userPrincipalName.
    type: list
    elements: str
    default: []
  redirect_url:
    description:
      - Where the guest lands after redeeming, https only. Without it, C(https://myapps.microsoft.com/?tenantid=) with O(tenant_id); in another O(cloud) than
        V(global) it is needed.
      - Guests of a direct federation need an address that names the tenant. See O(accept_redirect_without_tenant).
    type: str
  send_message:
    description:
      - Whether Microsoft sends the invitation by mail. Without it, give the guests a link that names the tenant, as O(redirect_url); who opens it is asked to
        redeem.
    type: bool
    default: true
  message_body:
    description: Your words in the invitation.
    type: str
  language:
    description: The language of Microsoft's words in the invitation, as a tag such as V(ja-JP). Microsoft uses it only when there is no O(message_body).
    type: str
  cc:
    description: Who gets a copy of the invitation. Microsoft Graph takes one address.
    type: list
    elements: str
  look_up_domains:
    description:
      - Whether to ask the sign-in service for each domain if it belongs to an Entra tenant, as in M(offboard.iij_id.entra_guests_info). Without it nothing is
        said about partners that are synced (see O(accept_synced_tenant)), and where Entra comes first in the redemption order, O(state=redemption_reset)
        needs O(force).
    type: bool
    default: true
  settle_seconds:
    description:
      - Before guests are invited (not for O(state=absent) and O(state=restored)), wait until so many seconds have passed since the last change of a federation
        or of the redemption order that O(journal) tells, by this run or an earlier one. Who redeems before the change is in effect gets another way to sign
        in, and keeps it. Microsoft says 5 to 10 minutes.
      - Needs O(journal). Nothing is waited for in check mode, and when nobody is to be invited.
    type: int
    default: 0
  force:
    description:
      - With O(state=redemption_reset) and O(state=reinvited), take guests who would sign in as now, those of whom it could not be found out, and those who are
        blocked (they stay so), too. With O(journal), nobody whom the journal tells to be reset is reset again.
    type: bool
    default: false
  backup_dir:
    description:
      - A folder on the controller, needed for O(state=reinvited). Before a guest is deleted, what the account holds is saved there as JSON (mode 0600), and
        until everything is seen in place the file tells the next run what is still to do. Keep it.
      - Saved and put back are the memberships in groups (other than dynamic ones, whose members follow from a rule), the applications that are assigned
        directly, the manager, the direct licences, whether the account is blocked, and the attributes that an administrator may write.
      - Somebody whom a file there tells to be re-invited is not re-invited again.
      - A file whose work did not end is never replaced by less. What it tells is kept, together with what the account is seen to hold now.
    type: path
  role_assignable_groups:
    description: Put the memberships in groups that directory roles can be given to back, too. Needs C(RoleManagement.ReadWrite.Directory).
    type: bool
    default: false
  accept_losses:
    description:
      - Delete guests although they lose something. With O(state=absent) that is directory roles. With O(state=reinvited) also memberships in groups that are
        synced, distribution lists, mail-enabled security groups and administrative units; ownership; and being somebody's manager. What was there when it was
        saved, and is gone when it shall be put back, is left out then.
      - O(backup_dir) has the list.
    type: bool
    default: false
  accept_redirect_without_tenant:
    description:
      - Go on although the address is one of the common ones (C(myapps.microsoft.com), C(portal.azure.com), C(teams.microsoft.com)) and does not name the
        tenant. Guests of a direct federation then have to choose C(Sign-in options), C(Sign in to an organization).
    type: bool
    default: false
  accept_synced_tenant:
    description:
      - Go on although guests would be sent to their organization's Entra tenant, which is synced from a directory on premises, or which comes before a direct
        federation with it. Guests whose accounts are not in that tenant cannot redeem there.
    type: bool
    default: false
requirements:
  - lxml
  - signxml >= 5.2
  - dnspython
  - idna
  - publicsuffixlist
notes:
  - Needs the application permissions C(User.Invite.All) and C(Domain.Read.All) to invite, besides C(IdentityProvider.Read.All) and
    C(Policy.Read.All) with O(look_up_domains); C(User.ReadWrite.All) and C(RoleManagement.Read.Directory) to reset; C(User.DeleteRestore.All) to remove and
    bring back. V(reinvited) needs all of these, and C(Directory.Read.All), C(GroupMember.ReadWrite.All), C(AppRoleAssignment.ReadWrite.All) and
    C(LicenseAssignment.ReadWrite.All).
  - An invitation is never sent twice. When its answer is lost, the account is read back, and it counts as failed with code V(answer_lost) when it is not
    there. The next run looks before it invites, and with O(journal) it waits for those whose invitation an earlier run may have sent.
  - Redemption is a step of the guest in a browser. No interface offers it.
  - V(reinvited) does not save files and channels that were shared with the guest, access packages, sponsors and consents. V(redemption_reset) keeps them all.
  - Directory roles are those that are held directly. A guest who may activate a role (Privileged Identity Management) is not recognized.
seealso:
  - module: offboard.iij_id.entra_guests_info
  - module: offboard.iij_id.entra_external_federation
  - module: offboard.iij_id.entra_redemption_order
  - name: Reset the redemption status of a guest
    description: Microsoft's rules.
    link: https://learn.microsoft.com/entra/external-id/reset-redemption-status
"""

EXAMPLES = r"""
- name: Invite the partner's people
  offboard.iij_id.entra_guests:
    guests:
      - mail: adele@fabrikam.example
        display_name: Adele Vance
      - mail: taro@fabrikam.example
        display_name: 山田 太郎
        language: ja-JP
    message_body: "Welcome. Sign in with your Fabrikam account."
    cc: [helpdesk@reiji.example]
    journal: offboard-run/journal.jsonl

- name: Those who redeemed before the federation was made use it from now on
  offboard.iij_id.entra_guests:
    state: redemption_reset
    domains: [fabrikam.example]
    language: ja-JP
    max_changes: 200
    journal: offboard-run/journal.jsonl

- name: The way of the year 2020, for one guest of whom the reset was refused
  offboard.iij_id.entra_guests:
    state: reinvited
    guests:
      - mail: taro@fabrikam.example
    force: true
    backup_dir: offboard-run/guests
    journal: offboard-run/journal.jsonl

- name: Remove a guest
  offboard.iij_id.entra_guests:
    state: absent
    guests:
      - mail: adele@fabrikam.example
  register: removed

- name: It was a mistake
  offboard.iij_id.entra_guests:
    state: restored
    ids: "{{ removed.plan | map(attribute='id') }}"
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The object id; for a new guest the mail address, in lower case.
      type: str
      returned: always
    action:
      description: V(invite), V(reset_redemption), V(reinvite), V(delete) or V(restore).
      type: str
      returned: always
  sample:
    - kind: guest
      id: 6fb8ae4f-7c1f-4d93-8dbd-5d5ba0a0b2a7
      name: adele@fabrikam.example
      action: reset_redemption
      before: {externalUserState: Accepted, externalUserStateChangeDateTime: "2026-04-01T09:00:00Z", signs_in_by: one_time_passcode}
      after:
        externalUserState: PendingAcceptance
        signs_in_by: not_redeemed
        next_redemption: direct_federation
        invitation: {inviteRedirectUrl: "https://myapps.microsoft.com/?tenantid=4a2d", sendInvitationMessage: true}
      risk: medium
      undo: ""
applied:
  description:
    - The changes that were made and seen. C(details) has C(id), the account that an invitation made, and for a re-invitation C(steps_done) and C(copy), the
      path of the saved copy.
  returned: always
  type: list
  elements: dict
failed_objects:
  description: The changes that failed, with C(code), C(msg), and for a re-invitation C(details.steps_done), C(details.left) and C(details.copy).
  returned: always
  type: list
  elements: dict
guests:
  description: The accounts that the task is about, C(mail), C(id) (empty as long as it is not known) and C(userPrincipalName). At most 1000.
  returned: always
  type: list
  elements: dict
  sample:
    - {mail: adele@fabrikam.example, id: 6fb8ae4f-7c1f-4d93-8dbd-5d5ba0a0b2a7, userPrincipalName: "adele_fabrikam.example#EXT#@reiji.onmicrosoft.com"}
failure:
  description:
    - C(code) for the options is V(bad_option), V(mail_invalid), V(domain_invalid) or V(domain_is_public_suffix), for O(backup_dir) V(copy_unreadable),
      V(copy_too_new), V(ambiguous_copy) or V(file_write_failed).
    - V(ambiguous_match) when several accounts have an address, V(not_found) when one who is named is not there.
    - V(guard_refused) has the refusals in C(details). Their rules are V(member_exists), V(domain_verified_here), V(redirect_without_tenant), V(synced_tenant),
      V(role_holder), V(not_put_back), V(synced_guest), V(not_a_guest), V(successor_in_the_way), V(address_taken), V(own_identity),
      V(max_changes), and V(nothing_found) for O(state=absent) where nobody who is named is there, is among the deleted users or was ever in O(journal).
    - From Graph V(bad_request), V(conflict), V(permission_missing), V(answer_lost), V(not_seen), V(not_put_back) (for several reasons), V(address_taken) and
      the others of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests.resource import Guests
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._federation import needs
from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run

_NAMES = {"type": "list", "elements": "str"}
_INVITATION = {"redirect_url": {"type": "str"}, "message_body": {"type": "str"}, "language": {"type": "str"}, "cc": _NAMES}


def main() -> None:
    guest = {"mail": {"type": "str", "required": True}, "display_name": {"type": "str"}, "send_message": {"type": "bool"}, **_INVITATION}
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            ENTRA,
            _INVITATION,
            state={"type": "str", "choices": ["invited", "redemption_reset", "reinvited", "absent", "restored"], "default": "invited"},
            guests={"type": "list", "elements": "dict", "options": guest},
            ids=_NAMES,
            domains=_NAMES,
            issuers=_NAMES,
            states={**_NAMES, "choices": ["PendingAcceptance", "Accepted"]},
            exclude={**_NAMES, "default": []},
            send_message={"type": "bool", "default": True},
            look_up_domains={"type": "bool", "default": True},
            settle_seconds={"type": "int", "default": 0},
            force={"type": "bool", "default": False},
            backup_dir={"type": "path"},
            role_assignable_groups={"type": "bool", "default": False},
            accept_losses={"type": "bool", "default": False},
            accept_redirect_without_tenant={"type": "bool", "default": False},
            accept_synced_tenant={"type": "bool", "default": False},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    require(module, needs.NAMES, needs.IMPORT_ERROR)
    run(module, Guests)


if __name__ == "__main__":
    main()
