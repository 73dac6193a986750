#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_external_federation
short_description: Federate an Entra tenant with a partner's SAML or WS-Fed identity provider, for guests
version_added: 0.1.0
description:
  - Makes, changes and removes the federation with a partner's identity provider ("direct federation", "SAML/WS-Fed identity providers"), so that
    guests of the partner's mail domains sign in at their own organization.
  - The federation is found by O(domain). What it shall be comes from the partner's metadata (O(metadata)), from a saved O(configuration), or is given
    by hand. What is given by hand wins. What nobody names stays as it is.
  - Everything that Entra would refuse, and some things that it would take although nobody could sign in afterwards, is checked before anything is
    written, and all reasons are told at once. RV(failure) names them.
  - A federation that takes guests' way to sign in away (removal, removal of a domain, another issuer) is refused as long as there are such
    guests, unless O(accept_lockout=true). RV(locked_out) lists them.
  - Guests who have redeemed an invitation before keep their way to sign in when a federation is made.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.entra
  - offboard.iij_id.dns
options:
  state:
    description:
      - V(present) makes or changes the federation, V(absent) removes it whole, the other domains first.
    type: str
    choices: [present, absent]
    default: present
  domain:
    description:
      - A mail domain of the partner. The federation that serves it is meant. When there is none, V(present) makes one.
      - When there is none, but one with the wanted issuer serves another domain of O(domains), that one is meant, since the partner has a new first domain.
        V(absent) takes the one that serves a domain of O(domains.set).
      - It is the C(ExternalDomainName) of the retired PowerShell command C(New-AzureADExternalDomainFederation).
    type: str
    required: true
  domains:
    description:
      - The domains that the federation serves besides O(domain). Without it, a present federation keeps those that it has.
      - For O(state=absent) O(domains.set) confirms which domains the federation serves; it is needed when these are more than O(domain).
    type: dict
    suboptions:
      add:
        description: Domains to serve in addition.
        type: list
        elements: str
      remove:
        description: Domains to serve no longer. O(domain) cannot be among them.
        type: list
        elements: str
      set:
        description: All domains to serve. O(domain) must be among them.
        type: list
        elements: str
  metadata:
    description:
      - The partner's federation metadata. The issuer, the sign-in address and the active signing certificate are taken from it.
      - Exactly one of its O(metadata.path), O(metadata.content) and O(metadata.url) is needed.
    type: dict
    suboptions:
      path:
        description: A file on the controller.
        type: path
      content:
        description: The metadata itself.
        type: str
      url:
        description: Its https address. It becomes O(metadata_exchange_uri) as well, where Entra reads it to renew the certificate.
        type: str
      entity_id:
        description: The entity ID of the identity provider, needed where the metadata describes several.
        type: str
      ca_file:
        description: A PEM file with the authorities to trust for O(metadata.url), instead of the system's.
        type: path
      timeout:
        description: Seconds for the whole transfer from O(metadata.url).
        type: int
        default: 30
      trust_metadata_tls:
        description:
          - Let an existing federation take a changed issuer, sign-in address or certificate from O(metadata.url) although that metadata is not signed with
            the key of the certificate that Entra holds, nor with that of O(signing_certificate). Whoever takes that address over can then sign in as
            any guest of the partner.
          - A new federation believes the address that it is made from, and a file or text is believed, since you give it. Only https with a verified
            certificate is read in any case.
        type: bool
        default: false
  configuration:
    description:
      - A saved configuration, to undo a change or a removal. C(before) of the change in RV(plan), a file of O(backup_dir), or C(configuration) of
        M(offboard.iij_id.entra_external_federation_info).
    type: dict
  display_name:
    description: The name. A new federation is called like O(domain) without it.
    type: str
  issuer_uri:
    description: The issuer (entity ID) of the partner's identity provider, byte for byte.
    type: str
  passive_sign_in_uri:
    description:
      - Where guests are sent to sign in, https only. Its host must be each of the domains or lie inside it; otherwise the domain needs a TXT record
        C(DirectFedAuthUrl=) with this address, which RV(url_rule) spells out.
    type: str
    aliases: [passive_log_on_uri]
  metadata_exchange_uri:
    description:
      - Where Entra reads the partner's federation metadata to renew the certificate by itself. Empty text removes it.
      - The address of a WS-Trust metadata exchange (C(.../trust/mex)) does not serve for that.
    type: str
  signing_certificate:
    description:
      - The public certificate with whose key tokens are signed, PEM or base64.
      - Together with O(metadata) it says which one of the published certificates is in use, where the metadata does not tell.
    type: str
  protocol:
    description:
      - V(saml) or V(wsFed); C(Samlp) and C(WsFed), the names of the retired PowerShell command, and C(WS-Fed) are understood too.
      - Needed for a new federation, unless O(metadata) offers one only.
    type: str
    aliases: [preferred_authentication_protocol]
  profile:
    description:
      - The rules to check by. V(current) are those of today. V(2020) are those of the year 2020, when a federation served one domain, the domain
        could not be verified by any Entra tenant, and sign-in was at the domain itself or at one of nine listed identity providers.
      - Entra itself checks by its rules of today in any case.
    type: str
    choices: [current, "2020"]
    default: current
  accept_lockout:
    description: Go on although guests could no longer sign in. Reset their redemption afterwards.
    type: bool
    default: false
  backup_dir:
    description:
      - A folder on the controller. Before a change or a removal the whole configuration is saved there as JSON (mode 0600), which O(configuration) takes.
    type: path
  wait:
    description: Wait until the change is in effect, after it was seen.
    type: bool
    default: false
  wait_seconds:
    description: How long that takes. Microsoft says 5 to 10 minutes.
    type: int
    default: 600
requirements:
  - lxml
  - signxml >= 5.2
  - dnspython
  - idna
  - publicsuffixlist
notes:
  - Needs the application permissions C(IdentityProvider.ReadWrite.All), C(Domain.Read.All), C(Domain-InternalFederation.Read.All) (to compare the issuer with
    those of the tenant's own domains), and C(User.Read.All) where guests could be locked out. Delegated, the role External Identity Provider Administrator.
  - A request to create something is never sent twice. When its answer is lost, what is there is read back, and it counts as failed with code
    V(answer_lost) when it is not there.
  - The sign-in service is asked whether a domain that is added belongs to another Entra tenant. It tells that to everybody, without signing in.
seealso:
  - module: offboard.iij_id.entra_external_federation_info
  - module: offboard.iij_id.federation_metadata_info
  - module: offboard.iij_id.entra_redemption_order
  - name: Federation with SAML/WS-Fed identity providers
    description: Microsoft's rules.
    link: https://learn.microsoft.com/entra/external-id/direct-federation
"""

EXAMPLES = r"""
- name: Federate with a partner's AD FS, from its metadata
  offboard.iij_id.entra_external_federation:
    domain: fabrikam.example
    display_name: Fabrikam
    protocol: wsFed
    metadata:
      url: https://sts.fabrikam.example/FederationMetadata/2007-06/FederationMetadata.xml
    wait: true

- name: The same by hand, as the retired PowerShell command took it
  offboard.iij_id.entra_external_federation:
    domain: fabrikam.example
    passive_sign_in_uri: https://sts.fabrikam.example/adfs/ls/
    issuer_uri: http://sts.fabrikam.example/adfs/services/trust
    signing_certificate: "{{ lookup('ansible.builtin.file', 'fabrikam.pem') }}"
    protocol: WsFed

- name: The partner has another mail domain
  offboard.iij_id.entra_external_federation:
    domain: fabrikam.example
    domains:
      add: [fabrikam-japan.example]

- name: Who would be locked out?
  offboard.iij_id.entra_external_federation:
    domain: fabrikam.example
    state: absent
    accept_lockout: true
  check_mode: true
  register: removal

- name: Remove it
  offboard.iij_id.entra_external_federation:
    domain: fabrikam.example
    domains:
      set: [fabrikam.example, fabrikam-japan.example]
    state: absent
    accept_lockout: true
    backup_dir: backups
  register: removed

- name: Bring it back as it was
  offboard.iij_id.entra_external_federation:
    domain: fabrikam.example
    configuration: "{{ removed.plan[0].before }}"
"""

RETURN = r"""
plan:
  description: The change, the same in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(update) or V(delete).
      type: str
      returned: always
    before:
      description:
        - The properties that change, by Graph's names, as they are; everything when the federation is removed. O(configuration) takes it to go back.
        - Null when it is made.
      type: dict
      returned: always
    after:
      description: The same afterwards. Null when it is removed.
      type: dict
      returned: always
  sample:
    - kind: external_federation
      id: 96db02e2-80c1-4555-bc3a-de92ffb8c5be
      name: Fabrikam
      action: update
      before: {domains: [fabrikam.example]}
      after: {domains: [fabrikam-japan.example, fabrikam.example]}
      risk: medium
      undo: entra_external_federation with state=present and configuration=this `before`
applied:
  description: The change when it was made and seen. C(details) has C(steps_done) and, with O(backup_dir), C(backup), the path of the saved copy.
  returned: always
  type: list
  elements: dict
failed_objects:
  description: The change when it failed, with C(code), C(msg) and C(details.steps_done), what had been done until then.
  returned: always
  type: list
  elements: dict
locked_out:
  description:
    - The guests who could no longer sign in, with C(id), C(upn), C(name), C(mail), C(enabled), C(state), C(issuers) and C(last_sign_in), in check mode too.
  returned: always
  type: list
  elements: dict
last_sign_in_readable:
  description: Whether their last sign-ins could be read.
  returned: always
  type: bool
url_rule:
  description:
    - For each domain that was checked whether Entra accepts the sign-in address, as RV(offboard.iij_id.federation_metadata_info#module:url_rule), with the
      TXT record that is needed.
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) for the partner's data is one of those of M(offboard.iij_id.federation_metadata_info), V(domain_invalid), V(domain_is_public_suffix),
      V(protocol_unknown), V(protocol_needed), V(protocol_not_offered), V(private_key), V(several_certificates), V(certificate_invalid),
      V(active_certificate_unknown), V(missing_settings), V(bad_option), V(dns_failed).
    - V(guard_refused) has the refusals in C(details). Their rules are V(certificate_expired), V(certificate_not_yet_valid), V(key_not_rsa),
      V(key_weak), V(certificate_not_published) and V(certificate_not_active) (given by hand together with O(metadata)), V(metadata_not_vouched),
      V(issuer_not_uri),
      V(issuer_is_template), V(issuer_in_use), V(metadata_exchange_uri_not_https), V(domain_verified_here), V(domain_verified_elsewhere), V(domain_in_use),
      V(several_domains), V(more_domains), V(limit), V(lockout), V(max_changes), and for the sign-in address V(url_not_https), V(url_invalid),
      V(url_has_userinfo), V(url_host_invalid), V(other_domain), V(txt_record_missing), V(txt_record_differs).
    - From Graph V(bad_request), V(conflict), V(permission_missing), V(answer_lost), V(not_seen) and the others of M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federations.resource import ExternalFederation
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._federation import needs
from ..module_utils._federation.arguments import DNS
from ..module_utils._module.runner import hide_private_keys, require
from ..module_utils._offboarding.runner import run

_NAMES = {"type": "list", "elements": "str"}
_METADATA = {
    "path": {"type": "path"},
    "content": {"type": "str"},
    "url": {"type": "str"},
    "entity_id": {"type": "str"},
    "ca_file": {"type": "path"},
    "timeout": {"type": "int", "default": 30},
    "trust_metadata_tls": {"type": "bool", "default": False},
}
_ONE_SOURCE = [("path", "content", "url")]


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            ENTRA,
            DNS,
            state={"type": "str", "choices": ["present", "absent"], "default": "present"},
            domain={"type": "str", "required": True},
            domains={"type": "dict", "options": {"add": _NAMES, "remove": _NAMES, "set": _NAMES}},
            metadata={"type": "dict", "options": _METADATA, "mutually_exclusive": _ONE_SOURCE, "required_one_of": _ONE_SOURCE},
            configuration={"type": "dict"},
            display_name={"type": "str"},
            issuer_uri={"type": "str"},
            passive_sign_in_uri={"type": "str", "aliases": ["passive_log_on_uri"]},
            metadata_exchange_uri={"type": "str"},
            signing_certificate={"type": "str"},
            protocol={"type": "str", "aliases": ["preferred_authentication_protocol"]},
            profile={"type": "str", "choices": ["current", "2020"], "default": "current"},
            accept_lockout={"type": "bool", "default": False},
            backup_dir={"type": "path"},
            wait={"type": "bool", "default": False},
            wait_seconds={"type": "int", "default": 600},
        ),
        mutually_exclusive=[("metadata", "configuration")],
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    require(module, needs.NAMES, needs.IMPORT_ERROR)
    hide_private_keys(module, "signing_certificate")
    run(module, ExternalFederation)


if __name__ == "__main__":
    main()
