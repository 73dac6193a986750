#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_references_info
short_description: Say what in a tenant points at given hosts
version_added: 1.0.0
description:
  - Looks at every text of every object that Microsoft Graph shows of applications, service principals, provisioning jobs, policies for claims, home
    realms, tokens and authentication methods (external ones among them), staged rollouts, custom authentication extensions, Conditional Access, cross-tenant
    settings, identity providers, direct federations and those of the tenant's domains, certificate authorities for signing in, and of Intune's apps, app
    configurations and profiles.
  - It knows no list of properties. JSON inside of a text, base64 (the payload of a profile, a certificate, a word of a command or a part of a token),
    what is compressed in it (gzip, zlib), percent-encoding, character references and the escaped dots of patterns are opened.
  - A host is found with everything below it, by whole labels, whatever its case, script (IDNA), port or dot at the end; so is a pattern
    that means it and others, as C(*.iij.jp) does C(auth.iij.jp).
  - What could not be looked at is told in RV(not_looked_at) with the reason. It is never the same as nothing there.
  - Changes nothing.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
options:
  hosts:
    description: Host names such as V(auth.iij.jp). A V(*.) in front is left out, since everything below a host counts anyway.
    type: list
    elements: str
    required: true
  identifiers:
    description:
      - Other words that stand for the service, found as whole words in whatever case, for instance the package name and the store's number of an app.
    type: list
    elements: str
    default: []
  named_locations:
    description:
      - Named locations of Conditional Access that are the service's, as names, ids, addresses or address ranges. A host stands in none of them, so that
        only you can know. Policies that use one are found.
    type: list
    elements: str
    default: []
  domains:
    description:
      - Domains that are to be converted, or were. A home realm discovery policy that prefers one of them (or one below them) is found, and so is one that
        sends people straight to the only federated domain, whichever that is, since which one it is changes with the conversion.
    type: list
    elements: str
    default: []
  kinds:
    description:
      - Only these kinds of objects, by the names of RV(references); those that lie below others come with these. Without it all are looked at.
    type: list
    elements: str
    default: []
  beta:
    description:
      - Whether Microsoft Graph's beta may be asked for what its v1.0 does not have, which is the settings catalog, administrative templates, the profiles
        for certificates and the apps of managed Google Play. Microsoft may change it without notice. Without it they are told as not looked at.
    type: bool
    default: false
  accepted_references:
    description: Ids of objects that may go on pointing there. They are counted, and returned last, so that they take no place of those that may not.
    type: list
    elements: str
    default: []
  accepted_not_looked_at:
    description: Kinds, or ids of objects, that a person has looked at. Those, too, are counted, and returned last.
    type: list
    elements: str
    default: []
  results_file:
    description:
      - A JSON-lines file to which every object is written, also those above the 1000 that are returned. Each line has C(record), V(references) or
        V(not_looked_at). It takes the place of an older one once everything was looked at.
    type: path
notes:
  - Needs the application permissions C(Application.Read.All), C(Synchronization.Read.All), C(Policy.Read.All), C(CustomAuthenticationExtension.Read.All),
    C(EventListener.Read.All), C(IdentityProvider.Read.All), C(Domain.Read.All), C(Domain-InternalFederation.Read.All), C(Organization.Read.All),
    C(PublicKeyInfrastructure.Read.All), C(DeviceManagementApps.Read.All), C(DeviceManagementConfiguration.Read.All) and, for the names of the groups that
    Intune assigns to, C(GroupMember.Read.All). What one of them is missing for is told as not looked at; a group has its id then, and no name.
  - Staged rollouts are told while they are on. Microsoft lets no application read them, but only a person (O(credential=azure_cli), or a person's token); for
    an application they are not looked at (V(delegated_only)).
  - Of an object 8 million characters are looked at, payloads included, and payloads in payloads down to the tenth.
  - The address that a provisioning job writes to lies among its secrets, and where a custom control of Conditional Access leads is not shown by
    Microsoft Graph at all. Both are told as not looked at.
seealso:
  - module: offboard.iij_id.entra_app_info
  - module: offboard.iij_id.intune_assignment
  - module: offboard.iij_id.readiness_info
"""

EXAMPLES = r"""
- name: Does anything still point at IIJ ID?
  offboard.iij_id.entra_references_info:
    hosts: [auth.iij.jp]
    identifiers: [jp.ad.iij.smartkey2, id974476420]
    beta: true
    results_file: offboard-run/results/references.jsonl
  register: found

- name: Stop as long as something does, or was not looked at
  ansible.builtin.assert:
    that:
      - found.references_count == 0
      - found.not_looked_at | rejectattr('reason', 'eq', 'delegated_only') | length == 0 # staged rollouts, where a person has looked
    fail_msg: "{{ found.references | map(attribute='why') | list + found.not_looked_at }}"
"""

RETURN = r"""
references:
  description: The first 1000 objects that point there.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {description: 'What it is, for instance V(application), V(conditional_access_policy) or V(device_configuration).', type: str, returned: always}
    id: {description: Object id., type: str, returned: always}
    name: {description: Display name. Control characters of it are shown and not obeyed., type: str, returned: always}
    client_id: {description: 'Client id of an application or a service principal, else empty.', type: str, returned: always}
    of: {description: 'Id of the object that it lies below, for instance the domain of a federation, else empty.', type: str, returned: always}
    places:
      description: The first 50 places, each with C(path), C(match) and C(opened), which is true inside of a payload.
      type: list
      elements: dict
      returned: always
    places_count: {description: How many places there are., type: int, returned: always}
    why: {description: The first of them in words., type: str, returned: always}
    assignments:
      description: To whom Intune assigns it. Null where that could not be read, which is not the same as to nobody.
      type: list
      elements: dict
      returned: for apps, app configurations and profiles of Intune
      contains:
        id: {description: Id of the assignment., type: str, returned: always}
        target:
          description: V(allDevices), V(allLicensedUsers), the id of a group, or C(not) and the id of a group that is excluded.
          type: str
          returned: always
        group: {description: 'Name of the group, empty where there is none or it could not be read.', type: str, returned: always}
        intent: {description: 'Of an app V(available), V(required), V(uninstall) or V(availableWithoutEnrollment), else empty.', type: str, returned: always}
        filter: {description: 'Id of the filter that narrows it down, which only the beta shows (O(beta)).', type: str, returned: always}
    devices:
      description:
        - On how many devices it is, or is on its way to, by Intune's overview of their states; of an app, on how many Intune has detected one of its name.
          V(not_known) where Microsoft Graph's v1.0 does not say; that is not 0.
      type: raw
      returned: for apps, app configurations and profiles of Intune
    devices_reason:
      description: Why the devices of an app are V(not_known). V(not_detected), V(permission_missing), or the code of what Microsoft Graph answered.
      type: str
      returned: for apps whose devices are not known
references_count:
  description: How many objects point there.
  returned: success
  type: int
references_accepted_count:
  description: How many of them are accepted by O(accepted_references).
  returned: success
  type: int
counts:
  description: How many objects of each kind point there.
  returned: success
  type: dict
not_looked_at:
  description: The first 1000 kinds, objects and places of objects that could not be looked at.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {description: What it is., type: str, returned: always}
    id: {description: 'Object id, empty for all objects of the kind.', type: str, returned: always}
    name: {description: Display name., type: str, returned: always}
    client_id: {description: Client id., type: str, returned: always}
    of: {description: Id of the object that it lies below., type: str, returned: always}
    path: {description: 'Where in the object, empty for all of it.', type: str, returned: always}
    reason:
      description:
        - V(permission_missing), V(delegated_only), V(no_licence), V(no_intune), V(beta_not_allowed), V(encrypted), V(packed), V(too_deep), V(too_large),
          V(target_not_shown), V(custom_control), or the code of the error.
      type: str
      returned: always
    msg: {description: The reason in words., type: str, returned: always}
not_looked_at_count:
  description: How many there are.
  returned: success
  type: int
not_looked_at_accepted_count:
  description: How many of them are accepted by O(accepted_not_looked_at).
  returned: success
  type: int
looked_at:
  description: How many objects of each kind were looked at.
  returned: success
  type: dict
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain), V(bad_option) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.references.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            ENTRA,
            hosts={"type": "list", "elements": "str", "required": True},
            identifiers={"type": "list", "elements": "str", "default": []},
            named_locations={"type": "list", "elements": "str", "default": []},
            domains={"type": "list", "elements": "str", "default": []},
            kinds={"type": "list", "elements": "str", "default": []},
            beta={"type": "bool", "default": False},
            accepted_references={"type": "list", "elements": "str", "default": []},
            accepted_not_looked_at={"type": "list", "elements": "str", "default": []},
            results_file={"type": "path"},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
