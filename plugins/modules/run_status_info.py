#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_status_info
short_description: Tell where an exit stands, from its run folder
version_added: 1.0.0
description:
  - Reads the run folder (journal, steps, findings, results, the snapshot's manifest, the gate's verdict) and says for each stage and each domain what is
    done, which steps of a person are due, and what comes next.
  - Only the records are read. Whether the tenant is still as they say is for M(offboard.iij_id.readiness_info), as the stage C(final_gate) asks it.
  - A stage that had nothing to do leaves nothing behind, and looks like one that did not run yet.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.language
options:
  run_dir:
    description: The run folder on the controller. It is not made.
    type: path
    required: true
  run_tenant_id:
    description: The id of the tenant for whose exit the run folder shall be. A run folder of another one is refused.
    type: str
  summary:
    description:
      - Whether RV(lines) are only what a person needs at the end of a stage. That is what it did, what guards refused last, what waits for a person, what
        comes next, and where the report is. Which machines are left out is among it.
    type: bool
    default: false
  stage:
    description: The stage that ends, for O(summary). Without it, all that have left something behind.
    type: str
    default: ""
    choices: ["", preflight, snapshot, freeze, gate, users, domains, passwords, arrivals, app, relying_parties, agents, accounts, clients, final_gate, report]
  left_out:
    description: By stage, the machines that this run did not look at, as M(offboard.iij_id.run_machines) returns them.
    type: dict
    version_added: 1.1.0
  also_tell:
    description: Lines that come after the others in RV(lines).
    type: list
    elements: str
    default: []
    version_added: 1.1.0
  brief:
    description: Whether only RV(lines) are returned.
    type: bool
    default: false
    version_added: 1.1.0
  plan_hash:
    description: The hash of the plan that a check run has kept. How it reaches the job that may do that plan is told at the end of RV(lines).
    type: str
    default: ""
    version_added: 1.1.0
  stopped:
    description: Whether the stage has failed, for O(summary) in a workflow.
    type: bool
    default: false
    version_added: 1.1.0
  in_awx:
    description: Whether people launch job templates of AWX, and type no commands.
    type: bool
    default: false
  in_workflow:
    description: Whether this is a job of a workflow of AWX, for O(summary). An approval follows a check job then, and the next job what has ended well.
    type: bool
    default: false
    version_added: 1.1.0
seealso:
  - module: offboard.iij_id.run_report
  - module: offboard.iij_id.manual_steps_info
"""

EXAMPLES = r"""
- name: Read where the exit stands
  offboard.iij_id.run_status_info:
    run_dir: /srv/offboard-run
    language: ja
  register: status

- name: Tell it
  ansible.builtin.debug:
    msg: "{{ status.lines }}"
"""

RETURN = r"""
run_dir:
  description: The run folder.
  returned: success
  type: str
owner:
  description: Whose the run folder is, C(tenant_id) and C(directory), as far as it is bound.
  returned: success
  type: dict
stages:
  description: The stages in their order.
  returned: success
  type: list
  elements: dict
  contains:
    stage: {description: Its name., type: str, returned: always}
    state:
      description:
        - V(recorded) when its work is recorded, V(stopped) when its last word was a failure, a blocker or a closed gate, V(waiting) when a step of a person
          that belongs to it is open, and it has worked or is not later than RV(next_stage), V(taken_back) when some or all of its work has been brought
          back since, V(outdated) when something was changed after the final gate had opened, V(nothing) when it left nothing behind.
      type: str
      returned: always
    last: {description: 'When it last did something (RFC 3339), empty when that is not recorded.', type: str, returned: always}
    counts: {description: 'Objects by outcome, such as C(done), C(unchanged), C(skipped), C(failed), C(taken_back).', type: dict, returned: always}
    results: {description: Its files in the folder C(results) without their ending., type: list, elements: str, returned: always}
domains:
  description: The domains that the gate judged or a stage converted.
  returned: success
  type: list
  elements: dict
  contains:
    domain: {description: Its name., type: str, returned: always}
    converted: {description: 'When this run converted it (RFC 3339), empty when it did not, or has gone back.', type: str, returned: always}
    passwords: {description: Its users who have a password or pass by the last run of the stage C(passwords)., type: int, returned: always}
machines:
  description: The stages that have left machines out, or are not done on some.
  returned: success
  type: list
  elements: dict
  contains:
    stage: {description: Its name., type: str, returned: always}
    machines: {description: 'All its machines, by the record of the last real run.', type: list, elements: str, returned: always}
    left_out: {description: Those that this run did not look at (O(left_out))., type: list, elements: str, returned: always}
    not_done: {description: 'Those on which it is not done, by the record.', type: list, elements: str, returned: always}
steps_due:
  description:
    - Steps of a person that are open and belong to the stages so far, each with C(id), C(stage), and what to do in C(en) and C(ja).
    - C(found) has the first of what preflight or the final gate found last that the step is about, C(found_count) how many there are.
  returned: success
  type: list
  elements: dict
steps_later_found:
  description: How much of what was found last each of RV(steps_later) is about, by its id, where there is something.
  returned: success
  type: dict
found_in:
  description: The file of the run folder that has all of what was found; empty while nobody has looked.
  returned: success
  type: str
evidence:
  description: The steps with files that a person attached.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: The step., type: str, returned: always}
    files: {description: 'The files, as RV(offboard.iij_id.manual_steps#module:steps) has them.', type: list, elements: dict, returned: always}
    lost: {description: 'In C(en) and C(ja), each of them that is missing or changed.', type: list, elements: dict, returned: always}
steps_later:
  description: The ids of the other open steps.
  returned: success
  type: list
  elements: str
next_stage:
  description: The stage to run next.
  returned: success
  type: str
draft:
  description: The file in which preflight has written what is to be decided; empty when there is none.
  returned: success
  type: str
  version_added: 1.1.0
refused:
  description: What guards refused last, three at most.
  returned: success
  type: list
  elements: dict
  contains:
    at: {description: When (RFC 3339)., type: str, returned: always}
    en: {description: 'What was refused, and what would allow it.', type: str, returned: always}
    ja: {description: The same in Japanese., type: str, returned: always}
lines:
  description: All of it for people, a line each.
  returned: success
  type: list
  elements: str
failure:
  description: C(code) is V(run_dir_missing), or one of those of M(offboard.iij_id.run_folder_info) and M(offboard.iij_id.run_report).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.status.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.status.plan import STAGES

from ..module_utils._module.arguments import LANGUAGE
from ..module_utils._module.runner import run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "run_dir": {"type": "path", "required": True},
            "run_tenant_id": {"type": "str"},
            "summary": {"type": "bool", "default": False},
            "stage": {"type": "str", "default": "", "choices": ["", *(stage.name for stage in STAGES)]},
            "left_out": {"type": "dict"},
            "also_tell": {"type": "list", "elements": "str", "default": []},
            "brief": {"type": "bool", "default": False},
            "plan_hash": {"type": "str", "default": ""},
            "stopped": {"type": "bool", "default": False},
            "in_awx": {"type": "bool", "default": False},
            "in_workflow": {"type": "bool", "default": False},
            **LANGUAGE,
        },
        supports_check_mode=True,
    )
    run_info(module, lambda params: info(params, module.check_mode))


if __name__ == "__main__":
    main()
