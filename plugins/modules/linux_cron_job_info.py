#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_cron_job_info
short_description: Cron jobs of a Linux machine, by the program they start
version_added: 1.0.0
description:
  - Lists the jobs of every user's crontab, C(/etc/crontab), C(/etc/anacrontab), C(/etc/cron.d) and the scripts of C(/etc/cron.daily) and the like, all or
    those that start a program of interest, and says why a job is listed. What else
    starts it is listed beside them, systemd's timers and other units, users' own and those of C(systemd-run) too, jobs of C(at), scripts of the
    boot and tables of C(incron).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.linux
options:
  command_paths:
    description: As in M(offboard.iij_id.linux_cron_job). With an empty list all jobs and everything else that starts something are listed.
    type: list
    elements: str
    default: ['*/IIJ_ID_Service_Directory_Sync/bin/*_mode*.sh']
  except_jobs:
    description: Commands, places, and names or paths of what is in RV(timers), RV(other_starts) and RV(named_by) that are not
      looked for.
    type: list
    elements: str
    default: []
seealso:
  - module: offboard.iij_id.linux_cron_job
"""

EXAMPLES = r"""
- name: Which jobs start the agent?
  offboard.iij_id.linux_cron_job_info:
  become: true
  register: found
"""

RETURN = r"""
jobs:
  description: The jobs.
  returned: success
  type: list
  elements: dict
  contains:
    place:
      description: C(user:NAME) for that user's crontab, else the path of the file.
      type: str
      returned: always
    user:
      description: Who it runs as.
      type: str
      returned: always
    schedule:
      description: When, in cron's own words; for a script in C(/etc/cron.daily) V(daily).
      type: str
      returned: always
    command:
      description: The command, without what it is given as input; every word is hidden but programs, paths, files, switches and the like.
      type: str
      returned: always
    enabled:
      description: Whether cron starts it. A job that M(offboard.iij_id.linux_cron_job) has disabled is listed with V(false); a comment of a person is no job.
      type: bool
      returned: always
    passed_over:
      description: Why cron may never start it, enabled or not - a name, an access mode or an end of the file with which cron, or Debian's, passes it over. Else
        empty.
      type: str
      returned: always
    why:
      description: Which program of it, or of a script or a unit that it starts, matches which command path.
      type: list
      elements: str
      returned: always
    starts_besides:
      description:
        - What else the script does that is, or by which the job starts, what matches. M(offboard.iij_id.linux_cron_job) refuses to disable or remove such
          a job (rule V(script_does_more)).
      type: list
      elements: str
      returned: always
      version_added: 1.1.0
timers:
  description:
    - systemd timers, each with C(timer), C(path), C(service), its C(commands), whether something wants it, or has started it (C(enabled)), and C(why) it
      is listed. C(user) is empty for the machine's, V(*) for one that every user's systemd starts, else whose own it is. C(runs_as) is the account under
      which its service runs, empty where that says none. C(stop) is the command that stops it, for root to copy.
    - A service that its own one takes along (C(Wants), C(Requires), C(OnSuccess) and the like) is an entry more.
    - Users are those in C(/etc/passwd), and of a directory those who are signed in or whose systemd runs without them (C(loginctl enable-linger)).
  returned: success
  type: list
  elements: dict
other_starts:
  description:
    - What else starts the same - services that systemd starts by themselves, its units for paths and sockets, jobs of C(at) and C(batch) that wait, scripts of
      System V's init (enabled where a level that a machine runs in has a link to it), C(rc.local), and tables of C(incron). Each with C(name), which
      for a job of C(at) is C(at:NUMBER) as C(atq) shows it, for a script and a table its path, and C(path), C(user), C(runs_as), C(enabled), C(commands),
      C(why),
      C(stop) as of timers. A service that a listed unit starts is told by that one, and a service that nothing starts or
      has started has V(false) for C(enabled).
    - Of a job of C(at) C(commands) leaves out its variables, which are the whole environment of who made it.
  returned: success
  type: list
  elements: dict
  version_added: 1.1.0
named_by:
  description:
    - What names the program or the folder of a command path, and is not seen to start it, since nobody here understands its way, or since it only talks
      about it - cron jobs (place, schedule and command), names of other entries as in RV(other_starts), and files below C(/etc) and the like, of
      supervisord, monit, runit, s6, C(inittab) and whatever else. What O(except_jobs) names is left out, and so are remarks.
  returned: success
  type: list
  elements: str
  version_added: 1.1.0
not_looked_at:
  description: Folders of users' own units that root cannot read, such as a home on a file server.
  returned: success
  type: list
  elements: str
orphans:
  description: Paths of crontabs whose user does not exist. cron passes them over, and they are not looked into.
  returned: success
  type: list
  elements: str
failure:
  description:
    - C(code) is V(action_path_too_broad), V(crontab_unreadable), V(account_unreadable), V(not_root), V(program_missing), or, of the connection,
      V(unreachable), V(connection_lost), V(target_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.arguments import LINUX
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.machine import OPTIONS, info_of
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import run_info


def main() -> None:
    module = AnsibleModule(argument_spec=spec(LINUX, **OPTIONS["cron_jobs"]), supports_check_mode=True)
    run_info(module, info_of("cron_jobs"))


if __name__ == "__main__":
    main()
