#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_machines
short_description: Keep on which machines a stage has done its work, and stop where it failed on one
version_added: 1.1.0
description:
  - A stage that works on each machine may be played for some of them (C(--limit)). It ends well then, and the others are still to be done.
  - Writes into the run folder (C(machines.json)) which machines a stage has for its own, and on which it has done its work, in this run or in an earlier one.
    Where it fails later, it is not done any more. M(offboard.iij_id.run_status_info) tells of the others.
  - Then it fails where the stage has failed on a machine, with the reasons, so that one failed machine hides no other.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.attributes
  - offboard.iij_id.language
options:
  run_dir:
    description: The run folder on the controller.
    type: path
    required: true
  stage:
    description: The stage.
    type: str
    required: true
    choices: [snapshot, freeze, agents, clients]
  machines:
    description: All machines that the stage is for, by their names in the inventory.
    type: list
    elements: str
    required: true
  done:
    description: Those of them on which this run has done its work.
    type: list
    elements: str
    required: true
  failed:
    description: Those of them on which this run has failed, each with the reason.
    type: dict
    default: {}
  may_be_none:
    description: Whether it is right that there is no machine.
    type: bool
    default: false
seealso:
  - module: offboard.iij_id.run_status_info
"""

EXAMPLES = r"""
- name: Keep on which machines this stage has done its work
  offboard.iij_id.run_machines:
    run_dir: /srv/offboard-run
    stage: freeze
    machines: "{{ groups['iij_id_agents'] }}"
    done: [sync01]
  register: kept

- name: Tell which machines are left out
  ansible.builtin.debug:
    msg: "{{ kept.left_out }}"
"""

RETURN = r"""
left_out:
  description: The machines that this run did not look at.
  returned: always
  type: list
  elements: str
failure:
  description: C(code) is V(machines_failed), V(no_machines), V(run_folder_unsafe), V(file_read_failed) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.machines.plan import STAGES
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.machines.resource import RunMachines

from ..module_utils._module.arguments import LANGUAGE
from ..module_utils._offboarding.runner import run


def main() -> None:
    names = {"type": "list", "elements": "str"}
    module = AnsibleModule(
        argument_spec={
            "run_dir": {"type": "path", "required": True},
            "stage": {"type": "str", "required": True, "choices": list(STAGES)},
            "machines": {**names, "required": True},
            "done": {**names, "required": True},
            "failed": {"type": "dict", "default": {}},
            "may_be_none": {"type": "bool", "default": False},
            **LANGUAGE,
        },
        supports_check_mode=True,
    )
    run(module, RunMachines)


if __name__ == "__main__":
    main()
