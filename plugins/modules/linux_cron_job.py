#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_cron_job
short_description: Disable, remove or bring back cron jobs by the program they start
version_added: 1.0.0
description:
  - Directory Sync for Linux has no installer; its jobs were written by hand, with texts that nobody prescribed. So a job is found by the path of the
    program that it starts, never by a comment or a name. What is found is a candidate; only those that are confirmed in O(jobs) are changed.
  - It is looked for in every user's crontab, C(/etc/crontab), C(/etc/anacrontab), C(/etc/cron.d), and among the scripts of C(/etc/cron.hourly),
    C(cron.daily), C(cron.weekly), C(cron.monthly), C(cron.yearly), and of folders whose scripts a crontab starts
    (C(run-parts)). A place that is there and cannot be read is an error, and never "no jobs".
  - All else in a crontab stays as it is, byte for byte. A crontab is compared with what was read before it is written, and read again afterwards. Users'
    crontabs are written by C(crontab), which checks them and tells cron.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.linux
  - offboard.iij_id.vault
options:
  jobs:
    description:
      - The jobs that are meant, confirmed by you, as M(offboard.iij_id.linux_cron_job_info) shows them. Those that are not there are left out.
      - A job that matches O(command_paths), would have to be changed, and is not among them refuses the whole (rule V(not_confirmed)). One that is confirmed
        and starts none of O(command_paths) is no matter of this task.
    type: list
    elements: dict
    default: []
    suboptions:
      place:
        description: C(user:NAME) for that user's crontab, else the path of the file. Case counts.
        type: str
      command:
        description:
          - The whole command, as in RV(offboard.iij_id.linux_cron_job_info#module:jobs[].command), secrets hidden or not; for a script its path. The number
            of blanks does not count. With O(jobs[].place) both have to be right.
        type: str
  except_jobs:
    description:
      - Commands, places, and names or paths of what is in RV(timers) and RV(other_starts) that match O(command_paths) and are not meant. They are left
        alone.
    type: list
    elements: str
    default: []
  command_paths:
    description:
      - The path of the program that a job starts, or of the script that it gives to an interpreter, or a folder above it. With C(*), C(?) or C([)
        in it, the whole path has to match. Case counts.
      - Shells (C(sh -c)), C(cd), C(systemctl start), C(service NAME start), variables of the crontab (C(PATH) among them), links, and programs that start
        others (C(env), C(nice), C(flock), C(timeout), C(sudo), C(su -c) and the like) are understood. Text in the arguments of programs that read, copy or
        tell (C(tar), C(rsync), C(ls), C(mail) and the like) does not count, nor does a folder that a backup is told.
      - Scripts of a shell that are started are followed with their arguments, and so are those that they start, and files from which they take variables
        (C(. FILE)); of scripts of other languages every path in them counts as started.
        Into programs nobody looks; name such a one here. A script that is named is taken for the agent's own, whatever else it starts.
      - What cannot be made out is a candidate where it may be the agent - a variable that nobody knows, below a folder or with a name of the agent's, and a
        program of the agent that is told to one of which nobody knows what it does with it (C(cronwrap /opt/…/normal_mode.sh)).
    type: list
    elements: str
    default: ['*/IIJ_ID_Service_Directory_Sync/bin/*_mode*.sh']
  state:
    description:
      - V(disabled) puts C(#offboard.iij_id disabled:) in front of the line, and V(present) takes that away again. V(absent) removes the line, and nothing else.
      - A script in a folder such as C(cron.daily) loses its execute bits with V(disabled), and with V(present) whoever may read it may run it. V(absent)
        removes it.
      - A script that starts other things besides is refused (rule V(script_does_more)), also where a line starts the agent by that script or by a unit of
        systemd.
      - A job that a person has made a comment of is none, and is not touched by V(present).
    type: str
    default: disabled
    choices: [present, disabled, absent]
  backup_dir:
    description:
      - Folder on the controller for the contents of crontabs as they were before. Required for O(state=absent).
      - With O(vault_password) or O(vault_password_file) they are encrypted, since a crontab may hold passwords, of others too; without, a crontab that seems to
        hold one is refused (rule V(vault_password_missing)).
      - With O(state=present), a confirmed job (with O(jobs[].place)) that is nowhere, and of whose place there is a saved copy, refuses the whole
        (rule V(job_gone)).
    type: path
notes:
  - A job that is running now is not stopped.
  - systemd's timers, services and units for paths and sockets, jobs of C(at), scripts of System V's init, C(rc.local) and tables of C(incron) that start the
    same are reported (RV(timers), RV(other_starts)). One that is enabled refuses O(state=disabled) and O(state=absent) (rule V(timer_starts_it)), since
    the work would go on. Users' own units count, too. Schedulers of
    other products are not looked at.
  - The last line of a user's crontab may go; an empty crontab stays.
seealso:
  - module: offboard.iij_id.linux_cron_job_info
  - module: offboard.iij_id.win_scheduled_task
"""

EXAMPLES = r"""
- name: Freeze the synchronisation
  offboard.iij_id.linux_cron_job:
    jobs:
      - place: user:iijsync
        command: /opt/IIJ_ID_Service_Directory_Sync/bin/normal_mode.sh >/dev/null 2>&1
    state: disabled
    backup_dir: /srv/offboard-run/backups/cron
  become: true

- name: Start it again
  offboard.iij_id.linux_cron_job:
    jobs:
      - place: user:iijsync
    state: present
  become: true
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
jobs:
  description: The jobs that match and are confirmed, as they were read, see M(offboard.iij_id.linux_cron_job_info).
  returned: always
  type: list
  elements: dict
nothing_found:
  description: Whether O(jobs) names some, and none of them is on the machine, whatever it starts. An exit stops where that is so on every machine.
  returned: always
  type: bool
  version_added: 1.1.0
timers:
  description: systemd timers that start the same, see M(offboard.iij_id.linux_cron_job_info).
  returned: always
  type: list
  elements: dict
other_starts:
  description: What else starts the same, see M(offboard.iij_id.linux_cron_job_info).
  returned: always
  type: list
  elements: dict
  version_added: 1.1.0
saved:
  description: Files on the controller with the contents that this task has saved, by place.
  returned: always
  type: dict
failure:
  description:
    - C(code) is V(guard_refused) (rules V(not_confirmed), V(timer_starts_it), V(job_gone), V(linked_place), V(script_does_more), V(vault_password_missing),
      V(max_changes)), V(action_path_too_broad), V(changed_since_read) when a crontab is no longer what was read, V(crontab_unreadable), V(crontab_refused),
      V(account_unreadable), V(file_write_failed), V(not_root), V(not_seen), V(program_missing), V(vault_password_empty), V(file_read_failed), or, of the
      connection, V(unreachable), V(connection_lost), V(target_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.arguments import LINUX
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron.plan import DEFAULT_COMMAND_PATHS
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron.resource import make
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._core import vault
from ..module_utils._module.runner import require
from ..module_utils._module.vault_password import VAULT
from ..module_utils._offboarding.runner import run

JOBS = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {"place": {"type": "str"}, "command": {"type": "str"}},
    "required_one_of": [("place", "command")],
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            LINUX,
            VAULT,
            jobs=JOBS,
            except_jobs={"type": "list", "elements": "str", "default": []},
            command_paths={"type": "list", "elements": "str", "default": list(DEFAULT_COMMAND_PATHS)},
            state={"type": "str", "default": "disabled", "choices": ["present", "disabled", "absent"]},
            backup_dir={"type": "path"},
        ),
        required_if=[("state", "absent", ["backup_dir"])],
        supports_check_mode=True,
    )
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run(module, make)


if __name__ == "__main__":
    main()
