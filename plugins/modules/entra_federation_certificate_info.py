#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_federation_certificate_info
short_description: Does Entra hold the certificates with which identity providers sign, and for how long?
version_added: 0.1.0
description:
  - Reads every federation of the tenant, those with partners for guests and those of its own domains, fetches the metadata of each identity provider,
    finds the key with which it signs, and tells for each whether people can sign in, until when, and how many guests are behind it.
  - What cannot be read is V(unknown), never V(ok).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
  - offboard.iij_id.certificate_watch
options:
  guests:
    description: Whether to read all guests of the tenant, to count who is behind each federation.
    type: bool
    default: true
requirements:
  - lxml
  - signxml >= 5.2
  - dnspython
  - idna
  - publicsuffixlist
notes:
  - Needs the application permissions C(IdentityProvider.Read.All), C(Domain.Read.All) and C(Domain-InternalFederation.Read.All), and for the guests
    C(User.Read.All).
  - Metadata is fetched from the controller. An address that only Entra can reach is V(unknown).
seealso:
  - module: offboard.iij_id.entra_federation_certificate
  - module: offboard.iij_id.entra_external_federation_info
  - module: offboard.iij_id.federation_metadata_info
"""

EXAMPLES = r"""
- name: Look at all certificates
  offboard.iij_id.entra_federation_certificate_info:
  register: watch

- name: Whose people cannot sign in, or soon cannot?
  ansible.builtin.debug:
    msg: "{{ item.display_name }}: {{ item.state }}, {{ item.guest_count }} guests, from {{ item.first_failure }} on"
  loop: "{{ watch.federations | rejectattr('severity', 'eq', 'ok') }}"
  loop_control:
    label: "{{ item.display_name }}"
"""

RETURN = r"""
tenant_id:
  description: The tenant. To be kept with RV(announced) for O(announced_in).
  returned: success
  type: str
announced:
  description:
    - What C(federations[].announced) says of each, with C(kind), C(id) and C(announced), and what O(announced_in) has of federations that were not looked at.
  returned: success
  type: list
  elements: dict
federations:
  description: What is true of each federation.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the configuration.
      type: str
      returned: always
    kind:
      description: V(external), with a partner, for guests; V(internal), of one of the tenant's own domains.
      type: str
      returned: always
    display_name:
      description: Its name.
      type: str
      returned: always
    domains:
      description: The domains that it serves.
      type: list
      elements: str
      returned: always
    metadata_url:
      description: The address that was read. Null when there is none.
      type: str
      returned: always
    state:
      description:
        - V(in_step), Entra holds the certificate with which the identity provider signs.
        - V(successor_published), and another one is announced.
        - V(configured_not_active), the identity provider signs with another published certificate; nobody can sign in.
        - V(configured_not_published), the identity provider no longer publishes the one that Entra holds; nobody can sign in.
        - V(expires_soon) and V(expired), what Entra holds ends soon or has ended.
        - V(no_auto_renewal), Entra has no address of metadata, or that of a WS-Trust metadata exchange.
        - V(drift), the issuer or the sign-in address differs from what is published.
        - V(unknown), it cannot be told; RV(federations[].reason) says why.
        - When several hold, the gravest one.
      type: str
      returned: always
    severity:
      description: V(ok), V(warning), V(critical) or V(unknown), the worst of all findings.
      type: str
      returned: always
    reason:
      description:
        - A code for why, such as V(unreachable), V(not_xml), V(issuer_differs), V(metadata_expired) or V(signature_invalid). Empty when the state tells.
      type: str
      returned: always
    findings:
      description: Everything that is true, each with C(state), C(severity), C(reason) and C(msg).
      type: list
      elements: dict
      returned: always
    configured:
      description:
        - The certificates that Entra holds, with C(sha1) (Windows' thumbprint), C(sha256), C(subject) (RFC 2253), C(subject_text) (for people, with
          letters outside ASCII as they are), C(not_before) and C(not_after).
      type: list
      elements: dict
      returned: always
    active:
      description: The one with which the identity provider signs. Null when that cannot be told.
      type: dict
      returned: always
    active_basis:
      description: How that is known, as in M(offboard.iij_id.federation_metadata_info).
      type: str
      returned: always
    vouched:
      description:
        - Whether the metadata is signed with the key of a certificate that Entra holds. If not, M(offboard.iij_id.entra_federation_certificate) applies
          nothing from it without an earlier announcement (RV(announced)) or the operator's word.
      type: bool
      returned: always
    announced:
      description:
        - The certificates that are vouched for, by the last metadata that was signed with the key of a certificate that Entra holds, C(certificates) and
          C(by) as SHA-256, C(issuer). Null where there was none.
      type: dict
      returned: always
    successor:
      description: The one that is announced. Null when none is.
      type: dict
      returned: always
    days_left:
      description: Whole days until what Entra holds ends, negative afterwards. Null when it cannot be read.
      type: int
      returned: always
    expires:
      description: When it ends.
      type: str
      returned: always
    adfs_switches:
      description: The day on which AD FS with its default settings switches to the successor, 15 days before the end.
      type: str
      returned: always
    entra_renews_from:
      description: The day from which on Entra looks for a new certificate according to Microsoft Graph's reference, 30 days before the end.
      type: str
      returned: always
    first_failure:
      description:
        - The day on which sign-ins begin to fail when nobody does anything. It is today when they fail already because another key is in use.
        - For a partner with AD FS or with an announced successor it is the day of the switch, since Entra holds one certificate of a partner.
      type: str
      returned: always
    guest_count:
      description: The guests who sign in through it. Null for the tenant's own domains, and when they were not read.
      type: int
      returned: always
severity:
  description: The worst severity of all federations.
  returned: success
  type: str
exit_code:
  description: The same as monitoring plugins exit, 0 ok, 1 warning, 2 critical, 3 unknown.
  returned: success
  type: int
summary:
  description: A sentence for everything that is not in order.
  returned: success
  type: list
  elements: str
checked:
  description: When it was looked at, UTC.
  returned: success
  type: str
prometheus:
  description: The same in Prometheus' text format, for a node exporter's textfile directory.
  returned: success
  type: str
failure:
  description: C(code) is V(not_found), V(domain_invalid), V(bad_option), or one of those of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federation_certificates.resource import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._entra.arguments import CERTIFICATE_WATCH
from ..module_utils._federation import needs
from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(ENTRA, CERTIFICATE_WATCH, guests={"type": "bool", "default": True}),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    require(module, needs.NAMES, needs.IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
