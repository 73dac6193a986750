#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_machine_info
short_description: What a Linux machine holds of several kinds, read in one session
version_added: 1.1.0
description:
  - Reads what the C(_info) modules of single kinds read, with one task and one connection for each machine instead of one for each kind.
  - Only the kinds that are named are looked at.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.linux
options:
  cron_jobs:
    description: Cron jobs, and what else starts the agent, see M(offboard.iij_id.linux_cron_job_info).
    type: dict
    suboptions:
      command_paths:
        description: As there.
        type: list
        elements: str
        default: ['*/IIJ_ID_Service_Directory_Sync/bin/*_mode*.sh']
      except_jobs:
        description: As there.
        type: list
        elements: str
        default: []
  files:
    description: Copies of Directory Sync, and what is at a path, see M(offboard.iij_id.linux_file_info).
    type: dict
    suboptions:
      paths:
        description: As there.
        type: list
        elements: str
        default: []
      search:
        description: As there.
        type: list
        elements: str
        default: [/opt, /usr/local, /var/tmp, /var/lib, /srv, /home, /root, /tmp]
  accounts:
    description:
      - Accounts, see M(offboard.iij_id.linux_account_info). With O(cron_jobs) and O(files) those besides that run what is found, and own the
        files that are found, but for C(root).
    type: dict
    suboptions:
      names:
        description: As there.
        type: list
        elements: str
        default: []
seealso:
  - module: offboard.iij_id.linux_account_info
  - module: offboard.iij_id.linux_cron_job_info
  - module: offboard.iij_id.linux_file_info
"""

EXAMPLES = r"""
- name: What is there of Directory Sync?
  offboard.iij_id.linux_machine_info:
    cron_jobs: {}
    files: {}
    accounts: {}
  become: true
  register: found

- name: The folders that hold it
  ansible.builtin.debug:
    msg: "{{ found.files.copies }}"
"""

RETURN = r"""
cron_jobs:
  description: What M(offboard.iij_id.linux_cron_job_info) returns.
  returned: when asked for
  type: dict
files:
  description: What M(offboard.iij_id.linux_file_info) returns.
  returned: when asked for
  type: dict
accounts:
  description: What M(offboard.iij_id.linux_account_info) returns.
  returned: when asked for
  type: dict
failure:
  description: C(code) is that of the kind that could not be read, or of the connection, see its module. The others are not returned then.
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.arguments import LINUX
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.machine import OPTIONS, info
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import run_info


def main() -> None:
    kinds = {kind: {"type": "dict", "options": options} for kind, options in OPTIONS.items()}
    module = AnsibleModule(argument_spec=spec(LINUX, **kinds), supports_check_mode=True)
    run_info(module, info)


if __name__ == "__main__":
    main()
