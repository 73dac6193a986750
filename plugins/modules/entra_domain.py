#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_domain
short_description: Convert domains of an Entra tenant to managed, or back to a saved federation
version_added: 0.1.0
description:
  - Converts domains that are federated to an identity provider (such as IIJ ID) to managed, one after the other, and waits for each
    until several reads in a row agree. The first that fails stops the others.
  - Converting changes no user. Whoever has no password in Entra ID cannot sign in until one is set with M(offboard.iij_id.entra_users)
    or comes by password hash synchronization.
  - A subdomain follows its root domain and cannot be converted alone.
  - The federation configuration as it was is in C(before) of the change. Keep it, O(federation_configurations) takes it to go back.
  - Refused, each as a whole before anything is written, are the tenant's default domain, a federation with another host than
    O(expected_idp_hosts), the domain of the signed-in user, a tenant without enough break-glass administrators, and a subdomain.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.entra
options:
  domains:
    description: The domains. Each must be in the tenant.
    type: list
    elements: str
    required: true
  authentication:
    description: Whether Entra ID itself signs people in, or the identity provider of a saved configuration.
    type: str
    required: true
    choices: [managed, federated]
  federation_configurations:
    description:
      - For V(federated), the saved configuration by domain, as Graph's C(internalDomainFederation). Its C(issuerUri), C(passiveSignInUri) and
        C(signingCertificate) are required, because Graph would take one without certificate by halves.
    type: dict
  expected_idp_hosts:
    description:
      - Hosts whose federation may be removed. A host matches itself and what lies under it. What counts is C(passiveSignInUri), where people are
        sent to sign in. V(*) stands for any host, and for a federation whose configuration cannot be read.
    type: list
    elements: str
    default: [auth.iij.jp]
  break_glass:
    description: User principal names of administrators who can sign in whatever becomes of the domains.
    type: list
    elements: str
    default: []
  min_break_glass:
    description:
      - How many of O(break_glass) must be enabled, cloud-only, direct holders of Global Administrator, and outside of the affected domains.
    type: int
    default: 2
notes:
  - Microsoft allows up to 60 minutes until a conversion takes effect. One that is not seen within O(verify_timeout) counts as failed with
    code V(not_seen). Running the same task again later is safe.
  - Needs the application permissions C(Domain.ReadWrite.All) and C(Domain-InternalFederation.ReadWrite.All), and C(User.Read.All) and
    C(RoleManagement.Read.Directory) for the break-glass check. Some tenants refuse the conversion to applications
    without the directory role Domain Name Administrator. Where Graph refuses it nevertheless (403), the
    configuration is deleted instead, which has the same effect.
seealso:
  - module: offboard.iij_id.entra_domain_info
  - module: offboard.iij_id.entra_users
"""

EXAMPLES = r"""
- name: Look at who will be able to sign in
  offboard.iij_id.entra_sign_in_readiness_info:
    domains: [reiji.example]
    password_hash_sync: true
    verdict_file: offboard-run/sign_in.json

- name: Convert one domain
  offboard.iij_id.entra_domain:
    domains: [reiji.example]
    authentication: managed
    break_glass:
      - breakglass1@reiji.onmicrosoft.com
      - breakglass2@reiji.onmicrosoft.com
    journal: offboard-run/journal.jsonl
    requires: {run_dir: offboard-run, snapshot: true, sign_in_max_age_hours: 24}
  register: converted

- name: Go back to the federation as it was
  offboard.iij_id.entra_domain:
    domains: [reiji.example]
    authentication: federated
    federation_configurations:
      reiji.example: "{{ converted.plan[0].before.federationConfiguration }}"
    break_glass:
      - breakglass1@reiji.onmicrosoft.com
      - breakglass2@reiji.onmicrosoft.com
  when: converted.plan | length > 0
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(convert_to_managed) or V(convert_to_federated).
      type: str
      returned: always
    before:
      description: C(authenticationType), C(federationConfiguration) and, where it has any, C(subdomains) of the domain now.
      type: dict
      returned: always
    after:
      description: The same afterwards.
      type: dict
      returned: always
  sample:
    - kind: domain
      id: reiji.example
      name: reiji.example
      action: convert_to_managed
      before: {authenticationType: Federated, federationConfiguration: {issuerUri: "https://www.auth.iij.jp/saml/reiji.example/idp"}}
      after: {authenticationType: Managed, federationConfiguration: null}
      risk: high
      undo: entra_domain with authentication=federated and this federationConfiguration
applied:
  description: The changes that were made and seen.
  returned: always
  type: list
  elements: dict
failed_objects:
  description: The changes that failed, with C(code) and C(msg).
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(guard_refused) with the refusals in C(details), V(not_found), V(bad_configuration), V(not_seen), V(permission_missing),
      V(secret_wrong), V(secret_expired), V(tenant_unknown), V(client_unknown), V(host_unknown), V(certificate_untrusted), V(unreachable),
      V(timeout), V(throttled), V(answer_lost) and the like.
    - The rules of refusals are V(inherits_from_root), V(foreign_federation), V(federated_otherwise), V(default_domain), V(own_identity),
      V(break_glass) and V(max_changes).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.domains.resource import Domains
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
            domains={"type": "list", "elements": "str", "required": True},
            authentication={"type": "str", "required": True, "choices": ["managed", "federated"]},
            federation_configurations={"type": "dict"},
            expected_idp_hosts={"type": "list", "elements": "str", "default": ["auth.iij.jp"]},
            break_glass={"type": "list", "elements": "str", "default": []},
            min_break_glass={"type": "int", "default": 2},
        ),
        required_if=[("authentication", "federated", ["federation_configurations"])],
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run(module, Domains)


if __name__ == "__main__":
    main()
