#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_external_federation_info
short_description: Federations with partners' identity providers, their certificates, and the guests behind them
version_added: 0.1.0
description:
  - Reads the tenant's federations with SAML and WS-Fed identity providers of partners ("direct federation"), with their domains, their
    certificates and the days that these have left, and the guests who sign in through each.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
options:
  domains:
    description: Only the federations that serve one of these domains. Without it, all. A domain that no federation serves gives nothing.
    type: list
    elements: str
  guests:
    description: Whether to read all guests of the tenant, to say who is behind each federation.
    type: bool
    default: true
requirements:
  - lxml
  - signxml >= 5.2
  - dnspython
  - idna
  - publicsuffixlist
notes:
  - Needs the application permissions C(IdentityProvider.Read.All) and C(Domain.Read.All), and for the guests C(User.Read.All). Their last sign-ins need
    C(AuditLog.Read.All) and an Entra ID P1 licence; without these they are left out, and RV(last_sign_in_readable) says so.
seealso:
  - module: offboard.iij_id.entra_external_federation
"""

EXAMPLES = r"""
- name: Read all federations with partners
  offboard.iij_id.entra_external_federation_info:
  register: found

- name: Whose certificate ends within 30 days?
  ansible.builtin.debug:
    msg: "{{ item.display_name }}: {{ item.days_left }} days, {{ item.guest_count }} guests"
  loop: "{{ found.federations | rejectattr('days_left', 'none') | selectattr('days_left', 'le', 30) }}"
  loop_control:
    label: "{{ item.display_name }}"
"""

RETURN = r"""
federations:
  description: The federations.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the configuration.
      type: str
      returned: always
    display_name:
      description: Its name.
      type: str
      returned: always
    label:
      description: Its name, id and domains for people.
      type: str
      returned: always
    domains:
      description: The mail domains that it serves.
      type: list
      elements: str
      returned: always
    protocol:
      description: V(saml) or V(wsFed).
      type: str
      returned: always
    issuer_uri:
      description: The partner's issuer.
      type: str
      returned: always
    passive_sign_in_uri:
      description: Where guests are sent to sign in.
      type: str
      returned: always
    metadata_exchange_uri:
      description: Where Entra reads the partner's metadata to renew the certificate. Null when it cannot.
      type: str
      returned: always
    certificate:
      description: The signing certificate, parsed as by M(offboard.iij_id.federation_metadata_info). Null when it cannot be read.
      type: dict
      returned: always
    certificate_error:
      description: Why it cannot be read.
      type: str
      returned: always
    days_left:
      description: Whole days until it ends, negative afterwards.
      type: int
      returned: always
    guests:
      description:
        - The guests whose accounts point at its issuer or one of its domains, with C(id), C(upn), C(name), C(mail), C(enabled), C(state), C(issuers) and
          C(last_sign_in). Null when O(guests=false).
      type: list
      elements: dict
      returned: always
    guest_count:
      description: How many they are.
      type: int
      returned: always
    configuration:
      description: The properties as Graph names them. The option O(offboard.iij_id.entra_external_federation#module:configuration) takes it.
      type: dict
      returned: always
others:
  description: The federations that serve none of O(domains), with C(id), C(display_name), C(domains) and C(label), the three for people.
  returned: success
  type: list
  elements: dict
last_sign_in_readable:
  description: Whether the guests' last sign-ins could be read.
  returned: success
  type: bool
count:
  description: The tenant's federations, C(external) and C(internal) (its own federated root domains), and the C(limit) of both together.
  returned: success
  type: dict
  sample: {external: 12, internal: 2, limit: 1000}
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federations.read import info
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
            guests={"type": "bool", "default": True},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    require(module, needs.NAMES, needs.IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
