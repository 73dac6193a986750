#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_guests_info
short_description: Guests, how each signs in, and how each would after another redemption
version_added: 0.1.0
description:
  - Reads the guests of the tenant, by mail domain, issuer and state of the invitation. Without any of these, all.
  - Guests who have redeemed an invitation keep their way to sign in when a federation is made. Those for whom RV(guests[].signs_in_by) and
    RV(guests[].next_redemption) differ get the other way when their redemption is reset, see M(offboard.iij_id.entra_guests).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
options:
  domains:
    description: Only guests with a mail address in one of these domains.
    type: list
    elements: str
  issuers:
    description:
      - Only guests whose account points at one of these issuers. That is an issuer URI or a domain for direct federation, or a name such as
        C(ExternalAzureAD) or C(mail).
    type: list
    elements: str
  states:
    description: Only guests whose invitation is in one of these states.
    type: list
    elements: str
    choices: [PendingAcceptance, Accepted]
  look_up_domains:
    description:
      - Whether to ask the sign-in service for each domain if it belongs to an Entra tenant. Without it RV(guests[].next_redemption) is V(unknown)
        wherever Entra comes first in the order and would have to be asked about.
    type: bool
    default: true
requirements:
  - lxml
  - signxml >= 5.2
  - dnspython
  - idna
  - publicsuffixlist
notes:
  - Needs the application permissions C(User.Read.All), C(IdentityProvider.Read.All) and C(Policy.Read.All). The last sign-ins need C(AuditLog.Read.All) and
    an Entra ID P1 licence; without these they are left out, and RV(last_sign_in_readable) says so.
seealso:
  - module: offboard.iij_id.entra_guests
  - module: offboard.iij_id.entra_external_federation
  - module: offboard.iij_id.entra_redemption_order
"""

EXAMPLES = r"""
- name: Guests of a partner
  offboard.iij_id.entra_guests_info:
    domains: [fabrikam.example]
  register: found

- name: Who does not sign in at the partner's identity provider yet?
  ansible.builtin.debug:
    msg: "{{ item.mail }} signs in by {{ item.signs_in_by }}"
  loop: "{{ found.guests | rejectattr('signs_in_by', 'eq', 'direct_federation') }}"
  loop_control:
    label: "{{ item.upn }}"
"""

RETURN = r"""
guests:
  description: The guests, with C(id), C(upn), C(name), C(mail), C(enabled), C(state), C(issuers), C(last_sign_in) and what follows.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The mail domain, in lower case.
      type: str
      returned: always
    signs_in_by:
      description:
        - V(direct_federation), V(entra), V(one_time_passcode), V(microsoft_account), V(google), V(facebook), V(not_redeemed), V(other) for an issuer that no
          federation of the tenant has, or V(unknown) when the account names none.
      type: str
      returned: always
    next_redemption:
      description:
        - How the guest would sign in after redeeming now, by the redemption order. V(direct_federation), V(entra), V(one_time_passcode) (unless the tenant has
          switched it off), V(microsoft_account), or V(unknown) when that depends on something that could not be read.
      type: str
      returned: always
count:
  description: How many they are.
  returned: success
  type: int
by_sign_in:
  description: How many sign in by what.
  returned: success
  type: dict
  sample: {direct_federation: 12, one_time_passcode: 3}
redemption_order:
  description: The order in force, as M(offboard.iij_id.entra_redemption_order_info) gives it.
  returned: success
  type: dict
last_sign_in_readable:
  description: Whether the last sign-ins could be read.
  returned: success
  type: bool
failure:
  description: C(code) is V(domain_invalid), or one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._federation import needs
from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            ENTRA,
            domains={"type": "list", "elements": "str"},
            issuers={"type": "list", "elements": "str"},
            states={"type": "list", "elements": "str", "choices": ["PendingAcceptance", "Accepted"]},
            look_up_domains={"type": "bool", "default": True},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    require(module, needs.NAMES, needs.IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
