#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_target
short_description: What the linux_* modules read and write on a machine
version_added: 1.0.0
description:
  - Not for tasks. The modules M(offboard.iij_id.linux_cron_job), M(offboard.iij_id.linux_file),
    M(offboard.iij_id.linux_account) and their C(_info) twins decide and keep their journal on the
    controller, and have this one carried to the machine by Ansible's own connection. It is made of the standard library alone.
  - What it writes it compares first with what was read. In check mode it refuses to write.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
attributes:
  check_mode:
    support: full
    description: Reads; refuses to write.
  diff_mode:
    support: none
    description: The module that asks shows what changes.
  platform:
    support: full
    platforms: linux
    description: Runs on the machine.
options:
  operation:
    description: What to do.
    type: str
    required: true
    choices: [accounts_look, cron_read, cron_remove, cron_scripts, cron_set_mode, cron_write, files_look, files_remove, files_search, programs_look]
  arguments:
    description: Its arguments, but for O(content).
    type: dict
    default: {}
  content:
    description: What is to be written (base64), which may hold secrets of crontabs.
    type: str
"""

EXAMPLES = r"""
- name: The machine's crontabs, as M(offboard.iij_id.linux_cron_job) sees them
  offboard.iij_id.linux_target:
    operation: cron_read
  become: true
  register: crontabs
  no_log: true
"""

RETURN = r"""
answer:
  description: What the operation gives.
  returned: success
  type: raw
failure:
  description: C(code) and C(details) of what went wrong, see M(offboard.iij_id.linux_cron_job) and M(offboard.iij_id.linux_file).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._linux.on_target import operations


def main():
    module = AnsibleModule(
        argument_spec={
            "operation": {"type": "str", "required": True, "choices": sorted({**operations.READING, **operations.WRITING})},
            "arguments": {"type": "dict", "default": {}},
            "content": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    operations.run(module)


if __name__ == "__main__":
    main()
