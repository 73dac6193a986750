#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_file
short_description: Remove what an uninstaller leaves behind, secrets overwritten first
version_added: 0.1.0
description:
  - Removes files and folders with everything in them, hidden files too, from a Windows machine. Made for what the uninstallers of Directory Sync and Password
    Sync leave, C(config.yml) and C(secret.yml) with an access token and a password, and Password Sync's C(task) folder, in which captured passwords may lie.
  - Nothing is copied first, and no content is ever read, shown or kept.
  - Only folders in O(allowed_roots) can be removed.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.windows
options:
  paths:
    description: Absolute paths of files or folders. No wildcards, environment variables or short (8.3) names.
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
      - Whether the contents are overwritten with zeros (C(fsutil file setZeroData)) before the removal. See the notes for what that can and cannot do.
      - A file that cannot be overwritten is removed all the same, and is listed in RV(results) as C(not_overwritten).
    type: bool
    default: true
  allowed_roots:
    description:
      - Folders that may be removed, and in which things may be removed. The default are the install folders of Directory Sync and Password Sync.
      - Drives, Windows' own folders, C(Program Files), C(ProgramData), and users' folders as a whole are refused.
    type: list
    elements: str
    default:
      - 'C:\Program Files\IIJ ID Service Directory Sync'
      - 'C:\Program Files\IIJ ID Service Password Sync'
      - 'C:\Program Files (x86)\IIJ ID Service Directory Sync'
      - 'C:\Program Files (x86)\IIJ ID Service Password Sync'
notes:
  - "What overwriting does: the file's present clusters are written with zeros, so that undelete tools and a plain look at the disk find nothing."
  - "What it does not do: on a solid-state disk, a thin-provisioned or copy-on-write volume the old blocks may stay until the device drops them;
    earlier versions of
    the file, shadow copies, backups, the NTFS journal, the page file and memory are not reached; compressed and sparse files are deallocated instead."
  - Files that another account has encrypted with EFS, as Password Sync's C(task) folder is, cannot be overwritten by this account. They are removed;
    what stays
    on the disk is ciphertext.
  - So treat every secret that lay there as known, and revoke it - the access token in the IIJ ID console, the bind user's password in Active Directory.
  - A folder that belongs to a product that is still installed is refused (rule V(still_installed)).
seealso:
  - module: offboard.iij_id.win_file_info
  - module: offboard.iij_id.win_software
"""

EXAMPLES = r"""
- name: Remove what Directory Sync has left
  offboard.iij_id.win_file:
    paths:
      - C:\Program Files\IIJ ID Service Directory Sync

- name: A copy of its configuration that somebody has made
  offboard.iij_id.win_file:
    paths: ['D:\backup\iij\config.yml']
    allowed_roots: ['D:\backup\iij']
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode, with the names of what is in a folder (the first 100).
  returned: always
  type: list
  elements: dict
results:
  description: For each path its C(status), V(absent), V(planned), V(removed) or V(failed), the number of files C(overwritten), and the names of those
    C(not_overwritten).
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(path_invalid), V(allowed_root_refused), V(guard_refused) (rules V(outside_allowed_roots), V(reparse_point), V(still_installed),
      V(max_changes)), V(changed_since_read) when what the guards have judged has become a link or something else,
      V(file_in_use), V(listing_unreadable), V(registry_unreadable), V(not_seen), or one of the connection, see M(offboard.iij_id.win_software).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.files.plan import DEFAULT_ALLOWED_ROOTS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.files.resource import make

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run
from ..module_utils._windows.client import WINRM_IMPORT_ERROR


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            WINDOWS,
            paths={"type": "list", "elements": "str", "required": True},
            state={"type": "str", "default": "absent", "choices": ["absent"]},
            overwrite={"type": "bool", "default": True},
            allowed_roots={"type": "list", "elements": "str", "default": list(DEFAULT_ALLOWED_ROOTS)},
        ),
        supports_check_mode=True,
    )
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run(module, make)


if __name__ == "__main__":
    main()
