#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_account_info
short_description: Accounts of a Linux machine, and what runs under them
version_added: 1.1.0
description:
  - Tells of each of the named accounts whose it is, and what would be left without it - processes, units of systemd, jobs of at, its home. What cron starts
    under it tells M(offboard.iij_id.linux_cron_job_info).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.linux
options:
  names:
    description: Names of accounts.
    type: list
    elements: str
    default: []
seealso:
  - module: offboard.iij_id.linux_account
"""

EXAMPLES = r"""
- name: Whose account is it, and does anything else run under it?
  offboard.iij_id.linux_account_info:
    names: [iijsync]
  become: true
  register: found
"""

RETURN = r"""
accounts:
  description: Each of the names, once.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      returned: always
    exists:
      description: Whether there is such an account.
      type: bool
      returned: always
    alike:
      description: Accounts whose names differ from it in case, blanks or marks alone, each with C(name) and C(uid).
      type: list
      elements: dict
      returned: where there is none
    uid:
      description: Its number.
      type: int
      returned: where there is one
    gid:
      description: The number of its group.
      type: int
      returned: where there is one
    home:
      description: Its home.
      type: str
      returned: where there is one
    shell:
      description: Its shell.
      type: str
      returned: where there is one
    local:
      description: Whether it is the machine's own (C(/etc/passwd)), and not that of a directory.
      type: bool
      returned: where there is one
    reserved:
      description: Whether its number is among those of the system's own accounts (below C(SYS_UID_MIN) of C(/etc/login.defs), or C(nobody)).
      type: bool
      returned: where there is one
    same_uid:
      description: Other accounts with its number.
      type: list
      elements: str
      returned: where there is one
    processes:
      description: Processes that run under it, with C(pid) and C(program).
      type: list
      elements: dict
      returned: where there is one
    units:
      description: Services and sockets of systemd that run under it (C(User=)).
      type: list
      elements: str
      returned: where there is one
    at_jobs:
      description: How many jobs of at(1) wait for it.
      type: int
      returned: where there is one
    home_dir:
      description: Whether its home C(exists), the first C(link) in or above it, the number (C(uid)) of its owner, where another file system is mounted in
        it (C(mount)), and the C(others) whose homes are there or in it.
      type: dict
      returned: where there is one
failure:
  description:
    - C(code) is V(account_unreadable), V(listing_unreadable), V(crontab_unreadable), V(not_root), or, of the connection, V(unreachable), V(connection_lost),
      V(target_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.arguments import LINUX
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.machine import OPTIONS, info_of
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import run_info


def main() -> None:
    module = AnsibleModule(argument_spec=spec(LINUX, **OPTIONS["accounts"]), supports_check_mode=True)
    run_info(module, info_of("accounts"))


if __name__ == "__main__":
    main()
