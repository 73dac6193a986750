#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_report
short_description: Write the report of a run as JSON and as one HTML page
version_added: 0.1.0
description:
  - Reads the run folder (journal, steps, findings, the snapshot's manifest) and writes C(report.json) and C(report.html) into it.
  - The page says what was, what was done and when, what was refused, what failed and what is left. It is in Japanese and English, needs
    neither script nor network, and prints well.
  - Every time comes from the records. Without news the files are left as they are.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.attributes
options:
  run_dir:
    description: The run folder on the controller.
    type: path
    required: true
  title:
    description: What stands on top. Without it the company's name as Entra ID had it when the snapshot was taken, or V(IIJ ID) where that is not known.
    type: str
    default: ""
  language:
    description: Which language the page shows first.
    type: str
    default: ja
    choices: [ja, en]
  timezone:
    description: The time zone in which the page shows times, as the IANA database names it. The JSON file keeps UTC.
    type: str
    default: Asia/Tokyo
seealso:
  - module: offboard.iij_id.manual_steps
  - module: offboard.iij_id.readiness_info
"""

EXAMPLES = r"""
- name: Write the report
  offboard.iij_id.run_report:
    run_dir: /srv/offboard-run
    title: Reiji Shoji
"""

RETURN = r"""
html_path:
  description: The page.
  returned: success
  type: str
json_path:
  description: The same as data.
  returned: success
  type: str
summary:
  description: The outcome in short.
  returned: success
  type: dict
  contains:
    state:
      description: The final gate, V(open), V(closed), V(outdated) when something was changed after it had opened, or V(not_judged).
      type: str
      returned: always
    done: {description: Changes done., type: int, returned: always}
    failed: {description: 'Changes whose last outcome is a failure, or not known.', type: int, returned: always}
    refused: {description: Different refusals of guards., type: int, returned: always}
    left: {description: What keeps the final gate closed., type: int, returned: always}
    steps: {description: Steps of a person., type: int, returned: always}
    steps_open: {description: Those that are not confirmed., type: int, returned: always}
failure:
  description: C(code) is V(run_dir_missing), V(timezone_unknown), V(steps_file_damaged), V(file_read_failed) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report.resource import RunReport

from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "run_dir": {"type": "path", "required": True},
            "title": {"type": "str", "default": ""},
            "language": {"type": "str", "default": "ja", "choices": ["ja", "en"]},
            "timezone": {"type": "str", "default": "Asia/Tokyo"},
        },
        supports_check_mode=True,
    )
    run(module, RunReport)


if __name__ == "__main__":
    main()
