#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: manual_steps_info
short_description: Read the steps that only a person can do
version_added: 0.1.0
description:
  - Reads the file that M(offboard.iij_id.manual_steps) keeps.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
options:
  path:
    description: The file with the steps (JSON) on the controller. Without the file there are no steps.
    type: path
    required: true
seealso:
  - module: offboard.iij_id.manual_steps
"""

EXAMPLES = r"""
- name: Which steps are open?
  offboard.iij_id.manual_steps_info:
    path: /srv/offboard-run/steps.json
  register: steps
"""

RETURN = r"""
steps:
  description: All registered steps, as M(offboard.iij_id.manual_steps) returns them.
  returned: success
  type: list
  elements: dict
open:
  description: The steps that are not done.
  returned: success
  type: list
  elements: str
blocking:
  description: Those of them that keep the final gate closed.
  returned: success
  type: list
  elements: str
failure:
  description: C(code) is V(steps_file_damaged) or V(file_read_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps.resource import info

from ..module_utils._module.runner import run_info


def main() -> None:
    module = AnsibleModule(argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True)
    run_info(module, info)


if __name__ == "__main__":
    main()
