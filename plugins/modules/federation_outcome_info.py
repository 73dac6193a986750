#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: federation_outcome_info
short_description: What is not as it should be after the federations of all partners were worked on
version_added: 1.0.0
description:
  - Judges the registered results of the loops with which the role P(offboard.iij_id.guest_federation#role) works on its list of partners, each of them
    with C(ignore_errors), so that one partner that fails keeps no other from its federation. It contacts nothing by itself.
  - It never fails because of what it finds. The role does, with RV(problems).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
options:
  removed:
    description: C(results) of a loop of M(offboard.iij_id.entra_external_federation) over partners, with state absent. Each item has a C(name).
    type: list
    elements: dict
    default: []
  made:
    description: C(results) of a loop of M(offboard.iij_id.entra_external_federation) over partners. Each item has a C(name) and C(guests).
    type: list
    elements: dict
    default: []
  published:
    description: C(results) of a loop of M(offboard.iij_id.federation_metadata_info) over partners.
    type: list
    elements: dict
    default: []
  tokens:
    description: C(results) of a loop of M(offboard.iij_id.federation_token_info) over partners.
    type: list
    elements: dict
    default: []
  invited:
    description: What M(offboard.iij_id.entra_guests) returned.
    type: dict
  federations:
    description: RV(offboard.iij_id.entra_external_federation_info#module:federations). An address that the rules refuse counts only where it is in use.
    type: list
    elements: dict
    default: []
  others:
    description: RV(offboard.iij_id.entra_external_federation_info#module:others).
    type: list
    elements: dict
    default: []
    version_added: 1.1.0
  watched:
    description: What M(offboard.iij_id.entra_federation_certificate_info) returned.
    type: dict
  fail_on:
    description: The severities of O(watched) that are a problem.
    type: list
    elements: str
    choices: [ok, warning, unknown, critical]
    default: []
seealso:
  - module: offboard.iij_id.federation_partners_info
"""

EXAMPLES = r"""
- name: Make the federations
  offboard.iij_id.entra_external_federation:
    domain: "{{ item.domains[0] }}"
    metadata: "{{ item.metadata }}"
  loop: "{{ partners }}"
  register: made
  ignore_errors: true

- name: Judge
  offboard.iij_id.federation_outcome_info:
    made: "{{ made.results }}"
  register: outcome

- name: Fail for all of them together
  ansible.builtin.fail:
    msg: "{{ outcome.problems }}"
  when: outcome.problems | length > 0
"""

RETURN = r"""
problems:
  description: One sentence for each, with the partner's name, in the order of the work. The last of a long list ends with how many more there are.
  returned: success
  type: list
  elements: str
labels:
  description: Those of O(federations), for people; of a long list the first.
  returned: success
  type: list
  elements: str
other_labels:
  description: The same of O(others).
  returned: success
  type: list
  elements: str
federated:
  description: Names of the partners of O(made) whose federation is as it should be.
  returned: success
  type: list
  elements: str
guests:
  description: The guests of these partners.
  returned: success
  type: list
  elements: dict
failure:
  description: C(code) is V(bad_option) for results of other modules.
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import outcome
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import run_info


def main() -> None:
    results: dict[str, object] = {"type": "list", "elements": "dict", "default": []}
    module = AnsibleModule(
        argument_spec=spec(
            **dict.fromkeys(("removed", "made", "published", "federations", "others"), results),
            tokens={**results, "no_log": False},
            invited={"type": "dict"},
            watched={"type": "dict"},
            fail_on={"type": "list", "elements": "str", "choices": list(outcome.SEVERITIES), "default": []},
        ),
        supports_check_mode=True,
    )
    run_info(module, outcome.info)


if __name__ == "__main__":
    main()
