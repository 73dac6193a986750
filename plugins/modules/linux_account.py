#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_account
short_description: Remove the account that ran an agent from a Linux machine
version_added: 1.1.0
description:
  - Removes confirmed accounts of the machine by M(ansible.builtin.user), after guards - nothing else may run under them. Made for the account that was made
    for Directory Sync for Linux; M(offboard.iij_id.linux_machine_info) tells which one runs it.
  - An account is confirmed by its name and its number (UID), so that another one of the same name is never meant.
  - The number goes into the journal. Files of the account elsewhere stay, and belong to the number alone from then on.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.linux
options:
  accounts:
    description: The accounts that are meant, confirmed by you. Those that are not there are left out.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name.
        type: str
        required: true
      uid:
        description: Its number. Where the account of that name has another one, the whole is refused (rule V(other_object)), unless both are listed.
        type: int
        required: true
      remove_home:
        description:
          - Whether its home and its mail are removed too. Without, they stay.
          - Refused (rule V(home_refused)) for a folder of the system, one behind a link, of another owner, with another file system in it, or with the home of
            another account.
        type: bool
        default: false
  state:
    description: Accounts can only be removed.
    type: str
    default: absent
    choices: [absent]
notes:
  - Refused are the system's own accounts, C(root) first (rule V(system_account)), accounts of a directory (V(not_local)), those that share their number
    (V(shared_uid)), and those under which a job of cron or at (V(cron_jobs_left), disabled ones too), a unit of systemd, its own too,
    (V(unit_runs_as)) or a process (V(account_in_use)) runs. In check mode what M(offboard.iij_id.linux_cron_job) has planned counts as done.
  - Its crontab without jobs, if there is one, stays; cron passes it over.
seealso:
  - module: offboard.iij_id.linux_account_info
  - module: offboard.iij_id.linux_cron_job
  - module: offboard.iij_id.linux_file
  - module: ansible.builtin.user
"""

EXAMPLES = r"""
- name: Remove the account of Directory Sync for Linux
  offboard.iij_id.linux_account:
    accounts:
      - name: iijsync
        uid: 6102
  become: true

- name: With its home
  offboard.iij_id.linux_account:
    accounts:
      - name: iijsync
        uid: 6102
        remove_home: true
  become: true
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
accounts:
  description: The accounts as they were read, see RV(offboard.iij_id.linux_account_info#module:accounts).
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(guard_refused) (rules V(other_object), V(system_account), V(not_local), V(shared_uid), V(cron_jobs_left), V(unit_runs_as),
      V(account_in_use), V(home_refused), V(max_changes)), V(not_exact) when only an account of nearly that name is there,
      V(changed_since_read) when the account is no longer the one that was read, V(account_refused),
      V(account_unreadable), V(listing_unreadable), V(crontab_unreadable), V(program_missing), V(not_root), V(not_seen), or, of the connection,
      V(unreachable), V(connection_lost), V(target_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.accounts.resource import make
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.arguments import LINUX
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._offboarding.runner import run

ACCOUNTS = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": {
        "name": {"type": "str", "required": True},
        "uid": {"type": "int", "required": True},
        "remove_home": {"type": "bool", "default": False},
    },
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(RUN, LINUX, accounts=ACCOUNTS, state={"type": "str", "default": "absent", "choices": ["absent"]}),
        supports_check_mode=True,
    )
    run(module, make)


if __name__ == "__main__":
    main()
