#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_redemption_order
short_description: Which identity provider guests get when they redeem an invitation
version_added: 0.1.0
description:
  - Sets the tenant's redemption order, the precedence of identity providers for guests who redeem an invitation.
  - A partner whose domain is verified in an Entra tenant signs in there first. Only when V(externalFederation) comes before
    V(azureActiveDirectory) is a federation made with M(offboard.iij_id.entra_external_federation) used for such a domain.
  - Guests who have redeemed their invitation keep their identity provider until their redemption is reset.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.entra
options:
  state:
    description:
      - V(present) sets what O(order) and O(fallback) say and leaves the rest. V(default) goes back to what the service does of itself.
      - No other cross-tenant setting is touched by V(default), unlike by Graph's C(resetToSystemDefault).
    type: str
    choices: [present, default]
    default: present
  order:
    description: The primary identity providers, the first one that fits a guest is taken.
    type: list
    elements: str
    choices: [azureActiveDirectory, externalFederation, socialIdentityProviders]
  fallback:
    description:
      - What guests get whom none of O(order) fits. V(defaultConfiguredIdp) is the one-time passcode by mail where it is enabled, else a Microsoft account.
    type: str
    choices: [defaultConfiguredIdp, emailOneTimePasscode, microsoftAccount]
notes:
  - Needs the application permissions C(Policy.ReadWrite.CrossTenantAccess) and C(Policy.Read.All).
  - Not available in external tenants and not across Microsoft clouds.
seealso:
  - module: offboard.iij_id.entra_redemption_order_info
  - module: offboard.iij_id.entra_external_federation
"""

EXAMPLES = r"""
- name: Federations with partners come before the partners' own Entra tenants
  offboard.iij_id.entra_redemption_order:
    order: [externalFederation, azureActiveDirectory, socialIdentityProviders]

- name: Back to what the service does of itself
  offboard.iij_id.entra_redemption_order:
    state: default
"""

RETURN = r"""
plan:
  description: The change, the same in check mode, with C(before) and C(after).
  returned: always
  type: list
  elements: dict
  sample:
    - kind: redemption_order
      id: default
      name: redemption order
      action: update
      before: {primaryIdentityProviderPrecedenceOrder: [azureActiveDirectory, externalFederation, socialIdentityProviders]}
      after: {primaryIdentityProviderPrecedenceOrder: [externalFederation, azureActiveDirectory, socialIdentityProviders]}
      risk: medium
      undo: entra_redemption_order with the values of `before`
failure:
  description: C(code) is V(bad_option), V(not_seen), V(permission_missing) or one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.redemption_order.plan import FALLBACK, PRIMARY
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.redemption_order.resource import RedemptionOrder
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            ENTRA,
            state={"type": "str", "choices": ["present", "default"], "default": "present"},
            order={"type": "list", "elements": "str", "choices": list(PRIMARY)},
            fallback={"type": "str", "choices": list(FALLBACK)},
        ),
        required_if=[("state", "present", ["order", "fallback"], True)],
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run(module, RedemptionOrder)


if __name__ == "__main__":
    main()
