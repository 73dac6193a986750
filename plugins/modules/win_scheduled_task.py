#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_scheduled_task
short_description: Enable, disable or remove scheduled tasks by the program they start
version_added: 0.1.0
description:
  - The tasks that start IIJ ID's agents were made by hand, with names that nobody prescribed. So a task is found by the path of the program that it
    starts, never by its name. What is found is a candidate; only those that are confirmed in O(tasks) are changed.
  - The definition (XML) of each task is saved on the controller before it is changed.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.only_disabled
  - offboard.iij_id.windows
  - offboard.iij_id.vault
options:
  tasks:
    description:
      - The tasks that are meant, confirmed by you, as M(offboard.iij_id.win_scheduled_task_info) shows them. Those that are not there are left out.
      - A task that matches O(action_paths), would have to be changed, and is not among them refuses the whole (rule V(not_confirmed)). One that is
        confirmed and starts something else by now is left alone and listed in C(skipped_objects).
      - Where an interpreter or a launcher is given a line that names what is looked for, and what it does with it cannot be made out, a task that is confirmed
        and enabled refuses the whole (rule V(other_action)), since it may run on. Disable it by hand, or take it out of O(tasks).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The full name, folders included, such as C(\IIJ\sync). Case does not count.
        type: str
      action:
        description:
          - The exact command line, as in RV(offboard.iij_id.win_scheduled_task_info#module:tasks[].actions), secrets hidden or not. A task that
            starts something else besides is not meant by it. Case and quotes do not count. With O(tasks[].name) both have to be right.
        type: str
  except_names:
    description: Full names of tasks that match O(action_paths) and are not meant. They are left alone.
    type: list
    elements: str
    default: []
  action_paths:
    description:
      - The beginning of the path of the program that a task starts, or of the script that it gives to an interpreter, such as the product's folder.
        Other arguments do not count. Where an interpreter changes the folder first (C(cmd /c cd /d X && a.bat)), what it starts is looked for there.
        With C(*) or C(?) in it, the whole path has to match. Case does not count, quotes are ignored, environment
        variables such as C(%ProgramFiles%) are understood, and a program without a folder is looked for in the task's working directory. Short (8.3)
        names are not resolved.
    type: list
    elements: str
    required: true
  state:
    description: What shall become of the matching tasks. V(disabled) keeps them, and is all that freezing the synchronisation needs.
    type: str
    default: disabled
    choices: [enabled, disabled, absent]
  backup_dir:
    description:
      - Folder on the controller for the definitions. Required for O(state=absent).
      - With O(vault_password) or O(vault_password_file) they are encrypted, since a program may be started with a password in its arguments; without,
        such a task is refused (rule V(vault_password_missing)). C(ansible-vault decrypt --output FILE) makes what C(schtasks /create /xml FILE) takes.
      - With O(state=enabled), definitions of tasks that are gone from the machine are named. Without any task left the task fails with code
        V(task_gone), with some left it is refused (rule V(task_gone)) unless O(except_names) names those that shall stay away.
    type: path
notes:
  - Windows keeps the password of the run user apart from the definition; removing the task removes it, and bringing a removed task back needs it again.
  - Tasks in the folder C(\Microsoft) belong to Windows and are refused.
  - A task that is running now is not stopped.
seealso:
  - module: offboard.iij_id.win_scheduled_task_info
"""

EXAMPLES = r"""
- name: Freeze the synchronisation
  offboard.iij_id.win_scheduled_task:
    action_paths:
      - '*\IIJ ID Service Directory Sync\bin\*'
      - '*\IIJ ID Service Password Sync\bin\*'
    tasks:
      - name: \業務\ID同期
    state: disabled
    backup_dir: /srv/offboard-run/backups/tasks

- name: Start it again
  offboard.iij_id.win_scheduled_task:
    action_paths:
      - 'C:\Program Files\IIJ ID Service Directory Sync'
    tasks:
      - action: 'C:\Program Files\IIJ ID Service Directory Sync\bin\normal_mode.bat'
    state: enabled
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
skipped_objects:
  description: Objects that were deliberately left alone, each with C(code) and C(msg).
  returned: always
  type: list
  elements: dict
tasks:
  description: Names of the tasks that match and are confirmed, changed or not.
  returned: always
  type: list
  elements: str
nothing_found:
  description: Whether O(tasks) names some, and none of them is on the machine, whatever it starts. An exit stops where that is so on every machine.
  returned: always
  type: bool
  version_added: 1.1.0
saved:
  description: Files with the definitions that this task has saved, by C(host) and task name.
  returned: always
  type: dict
failure:
  description:
    - C(code) is V(action_path_too_broad), V(guard_refused) (rules V(not_confirmed), V(other_action), V(system_task), V(vault_password_missing),
      V(max_changes)), V(changed_since_read) when the task is no longer the one that was read, V(tasks_unreadable), V(task_unreadable), V(task_refused),
      V(task_gone), V(vault_password_empty), V(file_read_failed), V(registry_unreadable), V(not_seen), V(file_write_failed), or one of the connection, see
      M(offboard.iij_id.win_software).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import ONLY_DISABLED, spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks.resource import make

from ..module_utils._core import vault
from ..module_utils._module.runner import require
from ..module_utils._module.vault_password import VAULT
from ..module_utils._offboarding.runner import run
from ..module_utils._windows.client import WINRM_IMPORT_ERROR

TASKS = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {"name": {"type": "str"}, "action": {"type": "str"}},
    "required_one_of": [("name", "action")],
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            WINDOWS,
            VAULT,
            ONLY_DISABLED,
            tasks=TASKS,
            except_names={"type": "list", "elements": "str", "default": []},
            action_paths={"type": "list", "elements": "str", "required": True},
            state={"type": "str", "default": "disabled", "choices": ["enabled", "disabled", "absent"]},
            backup_dir={"type": "path"},
        ),
        required_if=[("state", "absent", ["backup_dir"]), ("only_disabled", True, ["journal"])],
        supports_check_mode=True,
    )
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run(module, make)


if __name__ == "__main__":
    main()
