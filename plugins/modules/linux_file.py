#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_file
short_description: Remove an agent that has no uninstaller, secrets overwritten first
version_added: 1.0.0
description:
  - Removes files and folders with everything in them from a Linux machine. Made for Directory Sync for Linux, which is an archive that somebody has unpacked,
    and for its old copies; C(config/secret.yml) in it holds an access token and a password. M(offboard.iij_id.linux_file_info) finds copies.
  - Nothing is copied first, and no content is ever read, shown or kept.
  - Only the paths that are named, and only in O(allowed_roots). No symbolic link is followed (one in a folder is removed itself), and no other file
    system entered.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.linux
options:
  paths:
    description: Absolute paths of files or folders. No wildcards or variables.
    type: list
    elements: str
    required: true
  state:
    description: Files and folders can only be removed.
    type: str
    default: absent
    choices: [absent]
  overwrite:
    description:
      - Whether the contents of all files are overwritten with zeros before the removal. See the notes for what that can and cannot do.
      - A file that cannot be overwritten is removed all the same, and is listed in RV(results) as C(not_overwritten).
    type: bool
    default: true
  allowed_roots:
    description:
      - Folders that may be removed, and in which things may be removed. The default is where IIJ's manual has Directory Sync for Linux unpacked.
      - The system's own folders, users' folders, C(/opt), C(/tmp) and the like as a whole are refused.
    type: list
    elements: str
    default: [/opt/IIJ_ID_Service_Directory_Sync]
notes:
  - "What overwriting does: on ext2, ext3, ext4, xfs, vfat and tmpfs the file's present blocks are written with zeros, so that a plain look at the disk
    finds nothing."
  - "What it does not do: btrfs, zfs, overlay, NFS and others, and ext4 with C(data=journal), write new contents elsewhere and leave the old ones
    (C(overwritten_in_place) is false then, and there is a warning). Solid-state disks, snapshots, backups, the file system's
    journal, swap and memory are not reached anywhere."
  - A file with a second name (hard link) is not overwritten, since its content belongs to that name too.
  - So treat every secret that lay there as known, and revoke it - the access token in the IIJ ID console, the bind user's password in the directory.
  - Refused while a process has its program, its folder or an open file in there (rule V(file_in_use)), and while cron, C(at), or a unit
    of systemd, of the machine or of a user, starts something in there, by way of a link or a folder of scripts too (rule
    V(still_started)). In check mode what M(offboard.iij_id.linux_cron_job) has planned counts as done.
  - The Linux account that ran the agent is the owner of the files in most cases (C(owner)). M(offboard.iij_id.linux_account) removes it.
seealso:
  - module: offboard.iij_id.linux_file_info
  - module: offboard.iij_id.linux_cron_job
  - module: offboard.iij_id.linux_account
"""

EXAMPLES = r"""
- name: Remove Directory Sync for Linux
  offboard.iij_id.linux_file:
    paths:
      - /opt/IIJ_ID_Service_Directory_Sync
  become: true

- name: And an old copy of it
  offboard.iij_id.linux_file:
    paths: [/var/tmp/iij/IIJ_ID_Service_Directory_Sync.old]
    allowed_roots: [/var/tmp/iij]
  become: true
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode, with the names of what is in a folder (the first 100).
  returned: always
  type: list
  elements: dict
results:
  description: For each path its C(status), V(absent), V(planned), V(removed) or V(failed), the number of files C(overwritten), C(path) and C(why) of those
    C(not_overwritten), the C(file_system), and whether that has overwritten in place (C(overwritten_in_place)).
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(path_invalid), V(allowed_root_refused), V(guard_refused) (rules V(outside_allowed_roots), V(symbolic_link), V(mount_point), V(special_file),
      V(file_in_use), V(still_started), V(max_changes)), V(changed_since_read) when the path is no longer what the guards have judged, V(file_in_use),
      V(listing_unreadable), V(crontab_unreadable), V(not_root), V(not_seen), or, of the connection, V(unreachable), V(connection_lost), V(target_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.arguments import LINUX
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.files.plan import DEFAULT_ALLOWED_ROOTS
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.files.resource import make
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            LINUX,
            paths={"type": "list", "elements": "str", "required": True},
            state={"type": "str", "default": "absent", "choices": ["absent"]},
            overwrite={"type": "bool", "default": True},
            allowed_roots={"type": "list", "elements": "str", "default": list(DEFAULT_ALLOWED_ROOTS)},
        ),
        supports_check_mode=True,
    )
    run(module, make)


if __name__ == "__main__":
    main()
