#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_scheduled_task_info
short_description: Scheduled tasks of a Windows machine, by the program they start
version_added: 0.1.0
description:
  - Lists scheduled tasks, all or those that start a program of interest, and says why a task is listed.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.windows
options:
  action_paths:
    description: As in M(offboard.iij_id.win_scheduled_task). Without any, all tasks are listed, Windows' own too.
    type: list
    elements: str
    default: []
  except_names:
    description: Full names of tasks that are not looked for.
    type: list
    elements: str
    default: []
seealso:
  - module: offboard.iij_id.win_scheduled_task
"""

EXAMPLES = r"""
- name: Which tasks start the agents?
  offboard.iij_id.win_scheduled_task_info:
    action_paths:
      - '*\IIJ ID Service *\bin\*.bat'
  register: found
"""

RETURN = r"""
tasks:
  description: The tasks.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name with folders.
      type: str
      returned: always
    enabled:
      description: Whether it is enabled.
      type: bool
      returned: always
    run_as:
      description: Account (name or SID) or group that it runs as.
      type: str
      returned: always
    logon_type:
      description: C(Password) means that the account's password is stored with the task.
      type: str
      returned: always
    actions:
      description:
        - Programs with their arguments; every word is hidden but programs, paths, files, switches and the like. Of what is no program (a COM handler, a
          mail, a message) its kind, and the handler's class.
      type: list
      elements: str
      returned: always
    triggers:
      description: The triggers in short.
      type: list
      elements: str
      returned: always
    why:
      description: Which action paths match.
      type: list
      elements: str
      returned: always
perhaps:
  description:
    - Tasks that match no action path, and yet an interpreter (cmd, PowerShell) or a launcher is given a line that names what is looked for, and what it does
      with it cannot be made out. People decide about them. Each has the same keys as those of RV(tasks); C(why) says what was seen.
    - What only copies, removes or lists files (robocopy, xcopy, 7z, icacls, Copy-Item) is not among them.
  returned: success
  type: list
  elements: dict
failure:
  description: C(code) is V(tasks_unreadable), V(task_unreadable), V(registry_unreadable) or one of the connection, see M(offboard.iij_id.win_software).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.machine import OPTIONS, info_of

from ..module_utils._module.runner import require, run_info
from ..module_utils._windows.client import WINRM_IMPORT_ERROR


def main() -> None:
    module = AnsibleModule(argument_spec=spec(WINDOWS, **OPTIONS["scheduled_tasks"]), supports_check_mode=True)
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run_info(module, info_of("scheduled_tasks"))


if __name__ == "__main__":
    main()
