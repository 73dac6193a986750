#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: federation_partners_info
short_description: Check a list of partners, and write down what each one's administrator has to configure
version_added: 0.1.0
description:
  - Takes the list of partners that the role P(offboard.iij_id.guest_federation#role) and the playbooks C(guest_federation) and C(partner_sheet) work on, and
    refuses it when it contradicts itself, for instance when two partners have the same domain.
  - Says, in Japanese and English, what a partner's administrator has to configure for Microsoft Entra (endpoint, audience, NameID, claims, AD FS claim
    rules and PowerShell commands, the DNS TXT record if one is needed), what to send back, and how to test.
  - Asks nobody but the partner's metadata address. It knows nothing of what the tenant holds.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
options:
  partners:
    description: The partners.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The partner's name, which the federation is called by.
        type: str
        required: true
      state:
        description: V(absent) is for the role, which removes such a partner's federation. There is no sheet for it.
        type: str
        choices: [present, absent]
        default: present
      domains:
        description: All mail domains of the partner's people.
        type: list
        elements: str
        required: true
      protocol:
        description: V(saml) or V(wsFed); C(Samlp) and C(WsFed) are understood too. Without it, and without metadata, the sheet describes both.
        type: str
      metadata:
        description: The partner's federation metadata. Exactly one of its C(path), C(url) and C(content) is needed.
        type: dict
        suboptions:
          path: {description: A file on the controller., type: path}
          url: {description: 'Its https address, from which Entra can renew the certificate.', type: str}
          content: {description: The metadata itself., type: str}
          entity_id: {description: 'The entity ID, where the metadata describes several identity providers.', type: str}
          ca_file: {description: 'A PEM file with the authorities to trust for the address, instead of the system''s.', type: path}
          timeout: {description: Seconds for the whole transfer., type: int, default: 30}
          trust_metadata_tls:
            description: 'As O(offboard.iij_id.entra_external_federation#module:metadata.trust_metadata_tls).'
            type: bool
            default: false
      issuer_uri:
        description: The issuer by hand, which wins over the metadata, as the four below do.
        type: str
      passive_sign_in_uri:
        description: The sign-in address by hand.
        type: str
        aliases: [passive_log_on_uri]
      metadata_exchange_uri:
        description: Where Entra reads the metadata; for the role.
        type: str
      signing_certificate:
        description: The public signing certificate by hand, PEM or base64.
        type: str
      signing_certificate_path:
        description: The same as a file on the controller.
        type: path
      guests:
        description: The people to invite; for the role, which hands them to M(offboard.iij_id.entra_guests). Each must be of one of C(domains).
        type: list
        elements: dict
        default: []
        suboptions:
          mail: {description: The mail address., type: str, required: true}
          display_name: {description: The name of a new guest., type: str}
          redirect_url: {description: 'As the partner''s, for this guest.', type: str}
          send_message: {description: Whether Microsoft sends the invitation by mail., type: bool}
          message_body: {description: 'As the partner''s, for this guest.', type: str}
          language: {description: 'As the partner''s, for this guest.', type: str}
          cc: {description: Who gets a copy of the invitation., type: list, elements: str}
      redirect_url:
        description: Where an invited guest arrives; for the role. It must carry the tenant. Without it, an address of Microsoft's that does.
        type: str
      message_body:
        description: What the invitation says; for the role.
        type: str
      language:
        description: The language of the invitation, such as V(ja-JP); for the role.
        type: str
      token:
        description: A file with a captured sign-in answer, which the role checks against the federation.
        type: path
      token_at:
        description: When it was captured, since a sign-in answer holds for about an hour, such as V(2026-11-21T09:00:00Z). Without it, now.
        type: str
      token_audience:
        description: Which audience the partner sends, as in M(offboard.iij_id.federation_token_info); for the role.
        type: str
        choices: [current, "2020", any]
        default: current
      accept_lockout:
        description: Go on although guests could no longer sign in; for the role.
        type: bool
        default: false
  files_from:
    description: The folder to which relative paths in O(partners) belong. Without it, the working directory of the module.
    type: path
  tenant_id:
    description: The tenant's ID (UUID), because the audience holds it. Default from E(AZURE_TENANT_ID).
    type: str
    required: true
  cloud:
    description: The tenant's Microsoft cloud.
    type: str
    choices: [global, us_gov_l4, us_gov_l5, china]
    default: global
  tenant_type:
    description: V(external) is a tenant for customers, whose endpoint has another address.
    type: str
    choices: [workforce, external]
    default: workforce
  login_url:
    description: The address to which answers are posted, where it differs from the one that is known for the cloud.
    type: str
  organization:
    description: The name of the organization that asks, for the sheet.
    type: str
    default: ""
  links:
    description: Further addresses to test with. Each must carry the tenant.
    type: list
    elements: str
    default: []
  profile:
    description: By which rule the sign-in address is judged, as in M(offboard.iij_id.federation_metadata_info).
    type: str
    choices: [current, "2020"]
    default: current
  at:
    description: The time at which certificates are judged. Without it, now.
    type: str
requirements:
  - lxml
  - signxml >= 5.2
  - cryptography
  - dnspython
  - idna
  - publicsuffixlist
seealso:
  - module: offboard.iij_id.entra_external_federation
  - module: offboard.iij_id.entra_guests
  - module: offboard.iij_id.federation_metadata_info
  - name: Federation with SAML/WS-Fed identity providers
    description: What Entra demands of an identity provider.
    link: https://learn.microsoft.com/entra/external-id/direct-federation
  - name: Set up AD FS
    description: The claim rules.
    link: https://learn.microsoft.com/entra/external-id/direct-federation-adfs
"""

EXAMPLES = r"""
- name: What must Fabrikam configure?
  offboard.iij_id.federation_partners_info:
    tenant_id: 6b1c4a2e-0d5f-4c3b-9a7e-8f2d1c0b9a87
    organization: Reiji Shoji
    partners:
      - name: Fabrikam
        domains: [fabrikam.example, fabrikam-japan.example]
        protocol: WsFed
        passive_sign_in_uri: https://sts.fabrikam.example/adfs/ls/
  register: asked

- name: Write it down as one page
  ansible.builtin.copy:
    content: "{{ asked.sheets[0].html }}"
    dest: fabrikam.html
    mode: "0644"

- name: The DNS records that Fabrikam needs
  ansible.builtin.debug:
    msg: "{{ asked.sheets[0].requirements.dns | selectattr('needed') | map(attribute='zone_line') }}"
"""

RETURN = r"""
partners:
  description:
    - The list, with domains, protocols and certificates in the form in which Microsoft Graph has them, each guest as
      M(offboard.iij_id.entra_guests) takes it, and whole paths.
  returned: success
  type: list
  elements: dict
sheets:
  description: One sheet for each partner that is V(present).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The partner's name.
      type: str
      returned: always
    file:
      description: A name for files, the partner's first domain.
      type: str
      returned: always
    requirements:
      description:
        - The same as data. C(domains), C(protocols), C(service) (C(login_url), C(audience), C(global_audience), C(links)), C(answers_to) and C(claims) by
          protocol, C(name_id_format), C(dns), C(known), C(adfs).
        - C(dns) has, for each domain and sign-in address, C(rule), C(needed), C(txt_record) and C(zone_line), the line of a zone file.
      type: dict
      returned: always
    markdown:
      description: The sheet as Markdown, C(en) and C(ja).
      type: dict
      returned: always
    html:
      description: The sheet in both languages as one page.
      type: str
      returned: always
problems:
  description: The partners whose metadata cannot be used, with C(name), C(code) and C(msg). Their sheets are written without it.
  returned: success
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(duplicate_partner), V(duplicate_domain), V(guest_domain), V(mail_invalid), V(domain_invalid), V(domain_is_public_suffix),
      V(protocol_unknown), V(certificate_invalid), V(several_certificates), V(private_key), V(tenant_id_invalid), V(file_read_failed), V(time_invalid)
      or V(bad_option).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ..module_utils._federation import info, needs
from ..module_utils._module.arguments import spec
from ..module_utils._module.runner import hide_private_keys, require, run_info

_METADATA = {
    "path": {"type": "path"},
    "url": {"type": "str"},
    "content": {"type": "str"},
    "entity_id": {"type": "str"},
    "ca_file": {"type": "path"},
    "timeout": {"type": "int", "default": 30},
    "trust_metadata_tls": {"type": "bool", "default": False},
}
_GUEST = {
    "mail": {"type": "str", "required": True},
    "display_name": {"type": "str"},
    "redirect_url": {"type": "str"},
    "send_message": {"type": "bool"},
    "message_body": {"type": "str"},
    "language": {"type": "str"},
    "cc": {"type": "list", "elements": "str"},
}
_PARTNER = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "domains": {"type": "list", "elements": "str", "required": True},
    "protocol": {"type": "str"},
    "metadata": {"type": "dict", "options": _METADATA},
    "issuer_uri": {"type": "str"},
    "passive_sign_in_uri": {"type": "str", "aliases": ["passive_log_on_uri"]},
    "metadata_exchange_uri": {"type": "str"},
    "signing_certificate": {"type": "str"},
    "signing_certificate_path": {"type": "path"},
    "guests": {"type": "list", "elements": "dict", "default": [], "options": _GUEST},
    "redirect_url": {"type": "str"},
    "message_body": {"type": "str"},
    "language": {"type": "str"},
    "token": {"type": "path", "no_log": False},
    "token_at": {"type": "str", "no_log": False},
    "token_audience": {"no_log": False, "type": "str", "choices": ["current", "2020", "any"], "default": "current"},
    "accept_lockout": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            partners={"type": "list", "elements": "dict", "required": True, "options": _PARTNER},
            files_from={"type": "path"},
            tenant_id={"type": "str", "required": True, "fallback": (env_fallback, ["AZURE_TENANT_ID"])},
            cloud={"type": "str", "default": "global", "choices": ["global", "us_gov_l4", "us_gov_l5", "china"]},
            tenant_type={"type": "str", "default": "workforce", "choices": ["workforce", "external"]},
            login_url={"type": "str"},
            organization={"type": "str", "default": ""},
            links={"type": "list", "elements": "str", "default": []},
            profile={"type": "str", "choices": ["current", "2020"], "default": "current"},
            at={"type": "str"},
        ),
        supports_check_mode=True,
    )
    require(module, needs.NAMES, needs.IMPORT_ERROR)
    hide_private_keys(module, "signing_certificate")
    run_info(module, info.partners_info)


if __name__ == "__main__":
    main()
