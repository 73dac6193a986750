#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_folder_info
short_description: Judge what a run folder holds, as the modules that change things do
version_added: 1.0.0
description:
  - Reads the snapshot's manifest, the steps and the gate's verdict of a run folder, and fails where they are damaged.
  - With O(requires), it also fails, early and for a whole stage, where a changing module with the same option would refuse the run folder.
    That option of the changing modules stays what counts. In check mode it only warns.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
options:
  run_dir:
    description: The run folder on the controller.
    type: path
    required: true
  run_tenant_id:
    description:
      - The id of the tenant for whose exit the run folder shall be. A run folder or a snapshot of another one is refused. What is no id (a domain's name)
        says nothing; then the snapshot must still be of the tenant that the run folder belongs to.
    type: str
  requires:
    description: As the option C(requires) of the modules that change things, for example M(offboard.iij_id.entra_domain), without its C(run_dir).
    type: dict
    suboptions:
      run_dir:
        description: The run folder again, so that one variable serves both.
        type: path
      steps:
        description: Ids of steps of a person that must be confirmed.
        type: list
        elements: str
        default: []
      gate_max_age_hours:
        description: How many hours old the verdict of the gate may be.
        type: int
      snapshot:
        description: Whether there must be a complete snapshot of the tenant.
        type: bool
        default: false
      snapshot_files:
        description: Files that must be in the snapshot.
        type: list
        elements: str
        default: []
      sign_in_max_age_hours:
        description: How many hours old the verdict on who will be able to sign in (C(sign_in.json)) may be. For which domains it is, is not looked at here.
        type: int
      accepted_no_way_in_count:
        description: How many users may be left without a way to sign in.
        type: int
        default: 0
      managed_domains:
        description: Not looked at here, since this module does not reach the tenant.
        type: list
        elements: str
        default: []
seealso:
  - module: offboard.iij_id.entra_snapshot
  - module: offboard.iij_id.entra_provisioning_gate
"""

EXAMPLES = r"""
- name: Has the exit begun?
  offboard.iij_id.run_folder_info:
    run_dir: /srv/offboard-run
  register: folder

- name: Tell it
  ansible.builtin.debug:
    msg: "The snapshot is of {{ folder.snapshot.taken }}."
  when: folder.snapshot is not none
"""

RETURN = r"""
snapshot:
  description: The manifest of the tenant's snapshot. Null when there is none.
  returned: success
  type: dict
verdict:
  description: The verdict of the gate. Null when there is none.
  returned: success
  type: dict
owner:
  description: Whose the run folder is, C(tenant_id) and C(directory), as far as it is bound.
  returned: success
  type: dict
failure:
  description: C(code) is one of those of the option C(requires), or V(snapshot_damaged), V(steps_file_damaged), V(gate_damaged), V(run_file_damaged),
    V(other_run_folder).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.runner import run_info
from ..module_utils._offboarding import preconditions
from ..module_utils._offboarding.arguments import REQUIRES


def main() -> None:
    demanded = {**REQUIRES, "options": {**REQUIRES["options"], "run_dir": {"type": "path"}}}
    module = AnsibleModule(
        argument_spec={"run_dir": {"type": "path", "required": True}, "run_tenant_id": {"type": "str"}, "requires": demanded}, supports_check_mode=True
    )
    run_info(module, lambda params: preconditions.info(params, module.warn if module.check_mode else None))


if __name__ == "__main__":
    main()
