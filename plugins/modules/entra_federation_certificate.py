#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_federation_certificate
short_description: Renew the certificates of federations when identity providers have changed their keys
version_added: 0.1.0
description:
  - Looks at the federations as M(offboard.iij_id.entra_federation_certificate_info) does, and writes the certificate with which an identity provider
    signs where Entra holds another one.
  - Nothing but the certificate is ever written. It is taken only from metadata that was fetched over verified https, is not past its C(validUntil),
    has no broken signature, and names the configured issuer and sign-in address. It must be valid now, be an RSA key of at least 2048 bits, and
    not be weaker than the one that Entra holds.
  - The metadata must be signed with the key of a certificate that Entra holds for that federation. Metadata that is unsigned, or signed with another key
    (a partner's AD FS signs with the new one from the day of the switch on), vouches for nothing. Then the new certificate is written only when a held
    one had announced it (O(announced_in)), O(accept_thumbprints) names it, or when O(trust_metadata_tls) says that the address alone is believed.
  - A federation for which that does not hold is left as it is, told in RV(skipped_objects) and by a warning, and does not stop the others.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.entra
  - offboard.iij_id.certificate_watch
options:
  apply:
    description:
      - V(never) only looks. V(when_active) writes the certificate with which the identity provider signs, once it does so.
      - V(when_published) moreover writes an announced successor as the next certificate of the tenant's own domains. A partner's federation has no
        place for a next one. Writing the successor there early would lock all its guests out, so for those it is the same as V(when_active).
    type: str
    choices: [never, when_active, when_published]
    default: never
  accept_thumbprints:
    description:
      - The thumbprint of the new certificate, by a domain that the federation serves, after it was compared with the partner by another way than
        the metadata's address.
      - SHA-1 (as Windows shows it) or SHA-256; colons, blanks and case do not matter. Another certificate is not covered by it.
    type: dict
    default: {}
  trust_metadata_tls:
    description:
      - Domains of the federations for which the TLS certificate of the metadata's address alone is believed, as Entra does in its own renewal. Whoever
        takes that address over, or gets a certificate for its name, can then sign in as any guest of that partner.
      - It counts for https with a verified certificate only; nothing else is ever read.
    type: list
    elements: str
    default: []
requirements:
  - lxml
  - signxml >= 5.2
  - dnspython
  - idna
  - publicsuffixlist
notes:
  - Needs the application permissions C(IdentityProvider.ReadWrite.All), C(Domain.Read.All) and C(Domain-InternalFederation.ReadWrite.All).
  - Run it more often than partners change their keys, at least daily. AD FS announces a successor 5 days before it switches.
seealso:
  - module: offboard.iij_id.entra_federation_certificate_info
  - module: offboard.iij_id.entra_external_federation
"""

EXAMPLES = r"""
- name: What would be renewed?
  offboard.iij_id.entra_federation_certificate:
    apply: when_active
  check_mode: true

- name: Renew what has changed
  offboard.iij_id.entra_federation_certificate:
    apply: when_active
    journal: certificates.jsonl

- name: Two partners whose metadata is not signed with the old key
  offboard.iij_id.entra_federation_certificate:
    apply: when_active
    accept_thumbprints:
      fabrikam.example: 3F2A9C0E5B7D41886E10C9A2D4F7B3518C6E02AD
    trust_metadata_tls: [contoso.example]

- name: One partner, whose metadata address Entra does not know
  offboard.iij_id.entra_federation_certificate:
    apply: when_active
    domains: [fabrikam.example]
    metadata_urls:
      fabrikam.example: https://sts.fabrikam.example/FederationMetadata/2007-06/FederationMetadata.xml
"""

RETURN = r"""
plan:
  description: The renewals, the same in check mode. C(before) and C(after) hold C(signingCertificate) or C(nextSigningCertificate).
  returned: always
  type: list
  elements: dict
applied:
  description: The renewals that were made and seen.
  returned: always
  type: list
  elements: dict
failed_objects:
  description: The renewals that failed, with C(code) and C(msg).
  returned: always
  type: list
  elements: dict
skipped_objects:
  description:
    - The federations that need another certificate but were left as they are. C(code) is V(active_certificate_unknown), V(drift), V(certificate_expired),
      V(certificate_not_yet_valid), V(key_not_rsa), V(key_weak) or V(metadata_not_vouched).
  returned: always
  type: list
  elements: dict
tenant_id:
  description: The tenant. To be kept with RV(announced) for O(announced_in).
  returned: always
  type: str
announced:
  description: As in RV(offboard.iij_id.entra_federation_certificate_info#module:announced).
  returned: always
  type: list
  elements: dict
federations:
  description: What is true of each federation before anything is renewed, as in RV(offboard.iij_id.entra_federation_certificate_info#module:federations).
  returned: always
  type: list
  elements: dict
severity:
  description: The worst severity of them.
  returned: always
  type: str
failure:
  description:
    - C(code) is V(not_found), V(domain_invalid), V(bad_option), V(file_read_failed), V(run_folder_unsafe),
      V(guard_refused) (rule V(max_changes)), V(not_seen), or one of those of
      M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federation_certificates.plan import NEVER, WHEN_ACTIVE, WHEN_PUBLISHED
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federation_certificates.resource import FederationCertificates
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._entra.arguments import CERTIFICATE_WATCH
from ..module_utils._federation import needs
from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            ENTRA,
            CERTIFICATE_WATCH,
            apply={"type": "str", "choices": [NEVER, WHEN_ACTIVE, WHEN_PUBLISHED], "default": NEVER},
            accept_thumbprints={"type": "dict", "default": {}},
            trust_metadata_tls={"type": "list", "elements": "str", "default": []},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    require(module, needs.NAMES, needs.IMPORT_ERROR)
    run(module, FederationCertificates)


if __name__ == "__main__":
    main()
