#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_file_info
short_description: Copies of Directory Sync for Linux, and what is at a path
version_added: 1.0.0
description:
  - Finds folders that hold the agent, whatever their name - where C(bin/normal_mode.sh) and C(config/secret.yml) lie together - and tells of each, and of
    further paths, what is in it, who owns and who uses it. No content is read.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.linux
options:
  paths:
    description: Absolute paths to look at besides.
    type: list
    elements: str
    default: []
  search:
    description:
      - Folders below which copies are looked for. Links are not followed, and other file systems below them not entered. With an empty list nothing is
        looked for.
    type: list
    elements: str
    default: [/opt, /usr/local, /var/tmp, /var/lib, /srv, /home, /root, /tmp]
seealso:
  - module: offboard.iij_id.linux_file
"""

EXAMPLES = r"""
- name: Where does the agent lie, and who uses it?
  offboard.iij_id.linux_file_info:
  become: true
  register: found
"""

RETURN = r"""
copies:
  description: Folders that hold the agent.
  returned: success
  type: list
  elements: str
not_looked_at:
  description: Folders that were not looked into, since another file system is mounted there or they cannot be read. Name those that matter in O(search),
      and they are looked into.
  returned: success
  type: list
  elements: str
files:
  description: The paths and the copies.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path.
      type: str
      returned: always
    exists:
      description: Whether something is there.
      type: bool
      returned: always
    link:
      description: The first symbolic link in or above the path; what is behind it is not looked at.
      type: str
      returned: always
    is_dir:
      description: Whether it is a folder.
      type: bool
      returned: where something is there and there is no link
    files:
      description: Number of files in it.
      type: int
      returned: where something is there and there is no link
    bytes:
      description: Their size together.
      type: int
      returned: where something is there and there is no link
    links:
      description: Number of symbolic links in it.
      type: int
      returned: where something is there and there is no link
    children:
      description: Names of what is in it (the first 100).
      type: list
      elements: str
      returned: where something is there and there is no link
    owner:
      description: Account that it belongs to, most times the one that ran the agent.
      type: str
      returned: where something is there and there is no link
    mount:
      description: Where another file system is mounted in it; empty when nowhere.
      type: str
      returned: where something is there and there is no link
    file_system:
      description: Type of the file system, such as V(ext4).
      type: str
      returned: where something is there and there is no link
    overwritten_in_place:
      description: Whether the file system writes new contents over the old ones.
      type: bool
      returned: where something is there and there is no link
    used_by:
      description: Processes whose program, folder or open file lies in it, with C(pid) and what each C(uses).
      type: list
      elements: dict
      returned: where something is there and there is no link
failure:
  description:
    - C(code) is V(path_invalid), V(listing_unreadable), V(too_large), or, of the connection, V(unreachable), V(connection_lost), V(target_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.arguments import LINUX
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.machine import OPTIONS, info_of
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import run_info


def main() -> None:
    module = AnsibleModule(argument_spec=spec(LINUX, **OPTIONS["files"]), supports_check_mode=True)
    run_info(module, info_of("files"))


if __name__ == "__main__":
    main()
