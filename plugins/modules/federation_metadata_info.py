#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: federation_metadata_info
short_description: What a partner's federation metadata says, and whether Entra can use it
version_added: 0.1.0
description:
  - Reads SAML 2.0 and WS-Federation metadata from a file, a string or an https address, and returns per identity provider the issuer, the
    sign-in address of each protocol, all signing certificates, the metadata exchange address, and the formats and claims that it offers.
  - Says which certificate is active, and how that is known. The first one in the document is not always it. During a rollover some products
    list the new certificate first and still sign with the old one.
  - Refuses hostile documents quickly and with a reason, a DOCTYPE, excessive size or depth, for instance. Reads only what stands where the standard
    puts it, so that something hidden in an extension changes nothing.
  - Checks, for the domains given, whether Microsoft Entra accepts the sign-in address, and names the DNS record that is needed if not.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.dns
options:
  path:
    description: The metadata, a file on the controller. Exactly one of O(path), O(content) and O(url) is needed.
    type: path
  content:
    description: The metadata itself.
    type: str
  url:
    description:
      - The https address of the metadata. Certificates are always checked, no credentials are sent, and redirects are followed to https only.
      - The usual proxy variables of the environment hold.
    type: str
  entity_id:
    description: The entity ID of the one identity provider to return, needed where the document describes several. Fails when it is unusable.
    type: str
  ca_file:
    description: A PEM file with the authorities to trust for O(url), instead of the system's.
    type: path
  timeout:
    description: Seconds for the whole transfer from O(url), redirects included.
    type: int
    default: 30
  domains:
    description: The partner's mail domains, for which the sign-in addresses are checked (RV(url_rule)).
    type: list
    elements: str
    default: []
  profile:
    description:
      - By which rule. V(current) takes an address at the domain or inside it, and any other one that a TXT record at the domain names.
      - V(2020) is the rule of the year 2020, which took nine listed identity providers instead of a record.
    type: str
    choices: [current, "2020"]
    default: current
  at:
    description: The time at which certificates and the document are judged, such as V(2026-11-21T09:00:00Z). Without it, now.
    type: str
requirements:
  - lxml
  - signxml >= 5.2
  - cryptography
  - dnspython
  - idna
  - publicsuffixlist
notes:
  - A record that was not found is a different thing from a DNS server that did not answer. The latter fails with C(dns_failed).
  - A document whose own signature does not verify is still read, because that is common, but its signature then proves nothing about the active
    certificate, and RV(document_warnings) says so.
seealso:
  - module: offboard.iij_id.federation_token_info
  - name: Federation with SAML/WS-Fed identity providers
    description: What Entra demands of an identity provider.
    link: https://learn.microsoft.com/entra/external-id/direct-federation
"""

EXAMPLES = r"""
- name: What does the partner's AD FS publish?
  offboard.iij_id.federation_metadata_info:
    url: https://sts.fabrikam.example/FederationMetadata/2007-06/FederationMetadata.xml
    domains: [fabrikam.example]
  register: partner

- name: Stop when it is not known with which key the partner signs
  ansible.builtin.assert:
    that: partner.identity_providers[0].saml.active_certificate_sha256 is not none
    fail_msg: "{{ partner.identity_providers[0].saml.active_certificate_basis }}: ask the partner which certificate is in use"

- name: The DNS records that the partner must add
  ansible.builtin.debug:
    msg: "{{ item.domain }}. IN TXT \"{{ item.txt_record }}\""
  loop: "{{ partner.url_rule | rejectattr('allowed') | selectattr('txt_record') }}"
  loop_control:
    label: "{{ item.domain }}"

- name: One identity provider of an aggregate, from a file
  offboard.iij_id.federation_metadata_info:
    path: partners/aggregate.xml
    entity_id: https://idp.fabrikam.example/idp
"""

RETURN = r"""
outcome:
  description: V(ok), or V(select) when the document describes several identity providers and O(entity_id) chose none.
  returned: success
  type: str
  sample: ok
identity_providers:
  description: The identity providers.
  returned: success
  type: list
  elements: dict
  contains:
    entity_id:
      description: The issuer, byte for byte.
      type: str
      returned: always
    valid_until:
      description: Until when the metadata holds, as written; the earliest of the document's, the provider's and the roles'.
      type: str
      returned: always
    usable_protocols:
      description: V(saml) and V(wsfed), those with which a federation can be made.
      type: list
      elements: str
      returned: always
    saml:
      description: What the SAML 2.0 role says. Null without one.
      type: dict
      returned: always
      contains: &protocol
        passive_sign_in_uri:
          description: The sign-in address, https only. Null when there is none.
          type: str
          returned: always
        signing_certificates:
          description:
            - All signing certificates, in the document's order, each once. SHA-1 is what Windows shows as thumbprint.
            - C(subject) and C(issuer) are by RFC 2253, with letters outside ASCII as bytes; C(subject_text) and C(issuer_text) have them as they are.
            - C(base64) is the certificate itself, as Entra takes it.
          type: list
          elements: dict
          returned: always
          sample:
            - sha256: 786cec2640fd3f188bb50814517e1140305500b82557345f41bbe49c21e8a5f9
              sha1: 28d1be71ebab715a8f53cb9fd9d84c4373cd3708
              subject: CN=ADFS Signing - sts.fabrikam.example
              issuer: CN=ADFS Signing - sts.fabrikam.example
              subject_text: CN=ADFS Signing - sts.fabrikam.example
              issuer_text: CN=ADFS Signing - sts.fabrikam.example
              serial: 16E3FC31B1388A90467584365A683A14
              not_before: "2026-01-03T02:36:10Z"
              not_after: "2027-01-03T02:36:10Z"
              key: rsaEncryption
              key_bits: 2048
              signature: sha256WithRSAEncryption
              der_bytes: 734
              use: signing
              base64: MIIC2jCCAcKg...
        bad_signing_certificates:
          description: V(bad_base64) or V(bad_der) for each signing certificate that cannot be read.
          type: list
          elements: str
          returned: always
        active_certificate_sha256:
          description: The certificate with whose key the provider signs now. Null when that is not known.
          type: str
          returned: always
        active_certificate_basis:
          description:
            - How that is known. V(metadata_signature), it signed the document; V(only_one); V(only_valid_one), the others are expired or not
              yet valid. Or why it is not known, V(ambiguous), V(none_valid), V(none).
            - When it is V(ambiguous), keep the configured certificate as long as it is still published, or ask the partner.
          type: str
          returned: always
        claims_offered:
          description: The claims that the provider says it can send.
          type: list
          elements: str
          returned: always
        usable:
          description: Whether a federation can be made with this protocol.
          type: bool
          returned: always
        missing:
          description: What is missing for that.
          type: list
          elements: str
          returned: always
        sso:
          description: SAML only. The sign-in endpoints with C(binding) and C(location).
          type: list
          elements: dict
          returned: saml
        redirect_uri:
          description: SAML only. The first https address for HTTP-Redirect.
          type: str
          returned: saml
        post_uri:
          description: SAML only. The first https address for HTTP-POST.
          type: str
          returned: saml
        logout_uris:
          description: SAML only. The sign-out endpoints.
          type: list
          elements: dict
          returned: saml
        want_authn_requests_signed:
          description: SAML only. Whether the provider wants signed requests, which Entra does not send in external federations.
          type: bool
          returned: saml
        nameid_formats:
          description: SAML only. The NameID formats that it offers.
          type: list
          elements: str
          returned: saml
        encryption_sha256:
          description: SAML only. The certificates that are not for signing.
          type: list
          elements: str
          returned: saml
        passive_endpoints:
          description: WS-Federation only. All passive endpoints.
          type: list
          elements: str
          returned: wsfed
        sts_endpoints:
          description: WS-Federation only. The WS-Trust endpoints.
          type: list
          elements: str
          returned: wsfed
        metadata_exchange_uris:
          description:
            - WS-Federation only. The WS-Trust metadata exchange addresses, which answer with WSDL, not with federation metadata. Entra cannot renew
              certificates from them.
          type: list
          elements: str
          returned: wsfed
        claim_types_offered:
          description: WS-Federation only. The number of RV(identity_providers[].wsfed.claims_offered).
          type: int
          returned: wsfed
        offers_emailaddress:
          description: WS-Federation only. Whether the e-mail address claim, which Entra demands, is offered.
          type: bool
          returned: wsfed
        offers_immutableid:
          description: WS-Federation only. Whether the ImmutableID claim, which Entra demands, is offered.
          type: bool
          returned: wsfed
    wsfed:
      description: What the WS-Federation role says. Null without one.
      type: dict
      returned: always
      contains: *protocol
    warnings:
      description:
        - Faults that do not prevent a federation. V(certificate_expired:...) and V(certificate_not_yet_valid:...) with the beginning of the SHA-256,
          V(key_weak:...), V(key_not_rsa:...), V(certificate_signature_weak:...), V(certificate_unreadable:N), V(several_signing_certificates), all of them
          behind V(saml:) or V(wsfed:).
        - V(want_authn_requests_signed), V(nameid_persistent_not_offered), V(issuer_not_uri), V(issuer_whitespace), V(issuer_too_long), V(metadata_expired),
          V(valid_until_invalid).
      type: list
      elements: str
      returned: always
metadata_signature:
  description:
    - The document's own signature. C(present), C(algorithm), C(embedded_cert_sha256), C(verifies), C(verified_by) (SHA-256 of the certificate),
      C(verified_by_published_signing_certificate), C(error).
  returned: success
  type: dict
document_warnings:
  description: V(metadata_signature_not_verified:reason), V(metadata_signed_by_unknown_key), V(issuer_is_template) (Entra's common document).
  returned: success
  type: list
  elements: str
url_rule:
  description:
    - For each of O(domains) and each sign-in address whether Entra accepts it. C(entity_id), C(protocol), C(domain), C(url), C(allowed), C(rule), C(msg),
      and C(txt_record), the text of the TXT record at the domain that is needed.
  returned: success
  type: list
  elements: dict
failure:
  description:
    - C(code) says why the document is refused. C(empty), C(too_large), C(dtd_forbidden), C(not_xml), C(too_deep), C(too_complex), C(not_metadata), C(no_idp),
      C(duplicate_entity), C(entity_id_missing), C(no_signing_certificate), C(passive_endpoint_missing), C(passive_endpoint_not_https).
    - Or C(entity_not_found), C(file_read_failed), C(time_invalid), C(dns_failed), and for O(url) C(url_invalid), C(ca_file_unusable), C(certificate_untrusted),
      C(unreachable), C(timeout), C(http_status), C(redirect_refused), C(too_large), C(empty).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._federation import info, needs
from ..module_utils._federation.arguments import DNS
from ..module_utils._module.arguments import spec
from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            DNS,
            path={"type": "path"},
            content={"type": "str"},
            url={"type": "str"},
            entity_id={"type": "str"},
            ca_file={"type": "path"},
            timeout={"type": "int", "default": 30},
            domains={"type": "list", "elements": "str", "default": []},
            profile={"type": "str", "choices": ["current", "2020"], "default": "current"},
            at={"type": "str"},
        ),
        mutually_exclusive=[("path", "content", "url")],
        required_one_of=[("path", "content", "url")],
        supports_check_mode=True,
    )
    require(module, needs.NAMES, needs.IMPORT_ERROR)
    run_info(module, info.metadata_info)


if __name__ == "__main__":
    main()
