#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_domain_info
short_description: Domains of an Entra tenant, and to whom they are federated
version_added: 0.1.0
description:
  - Reads the tenant's domains with their federation configurations, and says whether the identity provider is the expected one, and why.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
  - offboard.iij_id.language
options:
  domains:
    description: Only these domains. Without it, all of the tenant.
    type: list
    elements: str
  expected_idp_hosts:
    description: Hosts of the identity provider that is looked for. A host matches itself and what lies under it.
    type: list
    elements: str
    default: [auth.iij.jp]
  to_convert:
    description:
      - Root domains that are to be converted, in any case, for RV(affected). They need O(domains) to be left out, since their subdomains are looked for
        among the domains that are read.
    type: list
    elements: str
    default: []
  predictions:
    description:
      - What a check run has planned until now, as the changing modules write it. The domains are then told as these plans would leave them.
    type: path
  require_managed:
    description: Whether RV(not_managed) must be empty, else the task fails with the code C(still_federated). In check mode it only warns.
    type: bool
    default: false
notes:
  - Needs the application permissions C(Domain.Read.All) and C(Domain-InternalFederation.Read.All).
seealso:
  - module: offboard.iij_id.entra_domain
"""

EXAMPLES = r"""
- name: Which domains are federated to IIJ ID?
  offboard.iij_id.entra_domain_info:
  register: found

- name: Tell them
  ansible.builtin.debug:
    msg: "{{ found.domains | selectattr('federation.idp', 'defined') | selectattr('federation.idp', 'eq', 'iij') | map(attribute='id') }}"
"""

RETURN = r"""
domains:
  description: The domains.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The domain's name.
      type: str
      returned: always
    authentication_type:
      description: V(Managed) or V(Federated).
      type: str
      returned: always
    is_default:
      description: Whether it is the tenant's default domain.
      type: bool
      returned: always
    is_initial:
      description: Whether it is the tenant's onmicrosoft.com domain.
      type: bool
      returned: always
    is_root:
      description: Whether it is a root domain. Subdomains follow their root.
      type: bool
      returned: always
    is_verified:
      description: Whether it is verified.
      type: bool
      returned: always
    parent:
      description: The root domain of a subdomain.
      type: str
      returned: always
    federation:
      description:
        - C(configuration) as Graph gives it (keep it, it is the way back), C(hosts) by property, C(idp) V(iij) for the expected identity provider or
          V(other), and C(identified_by) with the reasons. Null for managed domains, for subdomains, and when Graph has no configuration.
      type: dict
      returned: always
affected:
  description: The domains of O(to_convert) and the subdomains that follow them, in lower case.
  returned: success
  type: list
  elements: str
not_managed:
  description: Those of RV(affected) that are not managed, so that their users sign in elsewhere.
  returned: success
  type: list
  elements: str
failure:
  description: C(code) is V(not_found), V(still_federated) or one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.domains.read import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import LANGUAGE, spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            ENTRA,
            LANGUAGE,
            domains={"type": "list", "elements": "str"},
            expected_idp_hosts={"type": "list", "elements": "str", "default": ["auth.iij.jp"]},
            to_convert={"type": "list", "elements": "str", "default": []},
            predictions={"type": "path"},
            require_managed={"type": "bool", "default": False},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, lambda params: info(params, module.warn if module.check_mode else None))


if __name__ == "__main__":
    main()
