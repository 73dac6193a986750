#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_plan
short_description: Keep what a check run has planned, so that a person can approve exactly that
version_added: 1.0.0
description:
  - Writes all changes that the tasks of a check run have planned into the run folder, as C(plans/<hash>.jsonl), one change a line (kind, id, name, action,
    before, after), and returns the SHA-256 of it. The same plan has the same hash.
  - A later task with the option C(approved_plan) changes nothing but what stands there, or a part of it that is still open.
  - What tasks write into the run folder itself (snapshot, steps, report) is no part of the plan. No secret is in it.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.attributes
options:
  run_dir:
    description: The run folder on the controller. It is made where it is not there.
    type: path
    required: true
  predictions:
    description: The file to which the tasks of this check run have appended their plans.
    type: path
    required: true
  language:
    description: The language of RV(lines).
    type: str
    choices: [en, ja, both]
    default: both
seealso:
  - module: offboard.iij_id.run_status_info
"""

EXAMPLES = r"""
- name: Keep the plan of this check run
  offboard.iij_id.run_plan:
    run_dir: /srv/offboard-run
    predictions: "{{ predictions.path }}"
  check_mode: false
  register: planned

- name: Do what was approved, and nothing else
  offboard.iij_id.entra_domain:
    domains: [reiji.example]
    authentication: managed
    approved_plan:
      path: /srv/offboard-run/plans/{{ approved_hash }}.jsonl
      sha256: "{{ approved_hash }}"
"""

RETURN = r"""
sha256:
  description: The hash to approve.
  returned: success
  type: str
path:
  description: The file, whose name is the hash. Empty where nothing was planned, so that nothing is kept.
  returned: success
  type: str
count:
  description: How many changes it holds.
  returned: success
  type: int
summary:
  description: How many objects of each C(kind) each C(action) changes (C(count)), in words (C(en), C(ja)).
  returned: success
  type: list
  elements: dict
lines:
  description: The same for people, a line each.
  returned: success
  type: list
  elements: str
failure:
  description: C(code) is V(predictions_damaged), V(run_folder_unsafe), V(file_read_failed) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.run_plan.resource import RunPlan

from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "run_dir": {"type": "path", "required": True},
            "predictions": {"type": "path", "required": True},
            "language": {"type": "str", "choices": ["en", "ja", "both"], "default": "both"},
        },
        supports_check_mode=True,
    )
    run(module, RunPlan)


if __name__ == "__main__":
    main()
