#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_redemption_order_info
short_description: Read which identity provider guests get when they redeem an invitation
version_added: 0.1.0
description:
  - Reads the tenant's redemption order.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
notes:
  - Needs the application permission C(Policy.Read.All).
seealso:
  - module: offboard.iij_id.entra_redemption_order
"""

EXAMPLES = r"""
- name: Read the redemption order
  offboard.iij_id.entra_redemption_order_info:
  register: redemption
"""

RETURN = r"""
order:
  description: The primary identity providers, the first one that fits a guest is taken.
  returned: success
  type: list
  elements: str
  sample: [azureActiveDirectory, externalFederation, socialIdentityProviders]
fallback:
  description: What guests get whom none of them fits.
  returned: success
  type: str
  sample: defaultConfiguredIdp
is_default:
  description: Whether this is what the service does of itself.
  returned: success
  type: bool
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.redemption_order.resource import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(argument_spec=spec(ENTRA), supports_check_mode=True)
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
