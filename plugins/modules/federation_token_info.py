#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: federation_token_info
short_description: Whether Entra would accept a captured sign-in answer of a partner
version_added: 0.1.0
description:
  - Holds a captured SAML 2.0 response, or a WS-Federation answer (RSTR), against a federation, and names for each fault the claim and the error
    (AADSTS) that a user would see.
  - The signature must verify with a certificate given here, whatever certificate the token carries. Only what was verified is read, so that a
    signature wrapping attack finds no reader.
  - Neither the token nor a mail address appears in the result, in a message or in a log; of a mail address only the domain does.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
options:
  path:
    description:
      - A file on the controller with the token, as the browser's developer tools save the request to C(login.srf). The body of the form as it is or as
        a table, the base64 value of C(SAMLResponse), the XML, the request copied as cURL (also for C(cmd.exe)), fetch or PowerShell, the recording
        as HAR or other JSON (at most 50 MB), an export of the extension SAML-tracer or of a proxy (XML, such as Burp Suite's), and the provider's saved
        page with the form in it (also as one file, MHTML), are all read, also in base64, with line numbers, quoted in a mail, and in a mail and its files.
      - Letters have to be in UTF-8, or in an encoding that the file tells, as UTF-16 and pages do.
      - Exactly one answer must be in it; of several in a recording the one to C(login.srf) is taken.
      - Exactly one of O(path) and O(content) is needed.
    type: path
  content:
    description: The token itself, in the same forms.
    type: str
  issuer_uri:
    description: The issuer of the federation, compared byte for byte.
    type: str
    required: true
  signing_certificates:
    description: The signing certificates of the federation, PEM or base64. One is what Entra holds; give several to see which one signs.
    type: list
    elements: str
    required: true
  domains:
    description: The federation's domains, one of which the e-mail address must have. Empty for a federation without domains.
    type: list
    elements: str
    default: []
  audience:
    description:
      - Which audience the token must be for. V(current) is the tenant's own, which new federations demand; V(2020) the global
        C(urn:federation:MicrosoftOnline) of federations made before 2022; V(any) takes both.
    type: str
    choices: [current, "2020", any]
    default: current
  tenant_id:
    description: The tenant's ID. Needed unless O(audience=2020).
    type: str
  login_url:
    description: Entra's address to which the token is posted. Other clouds and external tenants have others.
    type: str
    default: https://login.microsoftonline.com/login.srf
  skew:
    description: Seconds that clocks may differ.
    type: int
    default: 300
  at:
    description: The time at which the token is judged, such as V(2026-11-21T09:00:00Z), best the time of the capture. Without it, now.
    type: str
requirements:
  - lxml
  - signxml >= 5.2
  - cryptography
  - dnspython
  - idna
  - publicsuffixlist
notes:
  - Capture an answer with the browser's developer tools (F12, Network, with "Preserve log"), at the request to C(login.srf). It is a key to somebody's
    account for some minutes, so keep the file private and delete it afterwards.
  - Microsoft does not promise that error codes stay. Take them as a hint.
seealso:
  - module: offboard.iij_id.federation_metadata_info
  - name: Federation with SAML/WS-Fed identity providers
    description: The attributes and claims that Entra demands.
    link: https://learn.microsoft.com/entra/external-id/direct-federation
"""

EXAMPLES = r"""
- name: Read the partner's metadata
  offboard.iij_id.federation_metadata_info:
    path: partners/fabrikam.xml
  register: partner

- name: Would Entra take this answer?
  offboard.iij_id.federation_token_info:
    path: captured/response.txt
    issuer_uri: "{{ partner.identity_providers[0].entity_id }}"
    signing_certificates: "{{ partner.identity_providers[0].saml.signing_certificates | map(attribute='base64') }}"
    domains: [fabrikam.example]
    tenant_id: 6b1c4a2e-0d5f-4c3b-9a7e-8f2d1c0b9a87
  register: token

- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ token.checks | rejectattr('ok') | map(attribute='msg') }}"
  when: not token.valid
"""

RETURN = r"""
protocol:
  description: V(saml) or V(wsfed).
  returned: success
  type: str
  sample: saml
valid:
  description: Whether every check passed.
  returned: success
  type: bool
checks:
  description:
    - What was checked. C(check) (V(status), V(signature), V(issuer), V(audience), V(destination), V(recipient), V(name_id), V(emailaddress),
      V(immutable_id), V(time)), C(ok), C(claim), C(msg), and C(aadsts), the error that a user would see, empty when it passed.
    - When the signature does not verify, nothing behind it is checked.
  returned: success
  type: list
  elements: dict
  sample:
    - check: emailaddress
      ok: false
      claim: http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress
      msg: The claim is missing.
      aadsts: AADSTS5000819
summary:
  description: One sentence for each check that did not pass, with its error.
  returned: success
  type: list
  elements: str
  sample: ["AADSTS5000819 (http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress): The claim is missing."]
warnings_found:
  description: What is not wrong yet, such as an expired signing certificate, or SHA-1.
  returned: success
  type: list
  elements: str
signed:
  description: The elements whose signatures verified, V(Response) and V(Assertion).
  returned: success
  type: list
  elements: str
signed_with:
  description: SHA-1 thumbprints of the certificates that came with the token. They prove nothing, but tell which key the provider uses now.
  returned: success
  type: list
  elements: str
claims:
  description: The names of the claims that the token holds.
  returned: success
  type: list
  elements: str
issuer:
  description: The token's issuer.
  returned: success
  type: str
audiences:
  description: The token's audiences.
  returned: success
  type: list
  elements: str
name_id_format:
  description: The format of the NameID. SAML only.
  returned: success
  type: str
email_domain:
  description: The domain of the e-mail address.
  returned: success
  type: str
not_before:
  description: From when the token holds.
  returned: success
  type: str
not_on_or_after:
  description: Until when the token holds.
  returned: success
  type: str
failure:
  description:
    - C(code) is C(not_a_token), C(empty), C(too_large), C(dtd_forbidden), C(not_xml), C(too_deep) or C(too_complex) when what was given is no sign-in answer,
      C(ambiguous_match) when it holds several, or C(certificate_invalid), C(tenant_id_missing), C(tenant_id_invalid), C(domain_invalid),
      C(domain_is_public_suffix), C(file_read_failed), C(time_invalid).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._federation import info, needs
from ..module_utils._module.arguments import spec
from ..module_utils._module.runner import hide_private_keys, require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            path={"type": "path"},
            content={"type": "str", "no_log": True},
            issuer_uri={"type": "str", "required": True},
            signing_certificates={"type": "list", "elements": "str", "required": True},
            domains={"type": "list", "elements": "str", "default": []},
            audience={"type": "str", "choices": ["current", "2020", "any"], "default": "current"},
            tenant_id={"type": "str"},
            login_url={"type": "str", "default": "https://login.microsoftonline.com/login.srf"},
            skew={"type": "int", "default": 300},
            at={"type": "str"},
        ),
        mutually_exclusive=[("path", "content")],
        required_one_of=[("path", "content")],
        supports_check_mode=True,
    )
    require(module, needs.NAMES, needs.IMPORT_ERROR)
    hide_private_keys(module, "signing_certificates")
    run_info(module, info.token_info)


if __name__ == "__main__":
    main()
