# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of POLICY_EDIT in plugins/module_utils/_directory/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """How a group policy is edited."""

    DOCUMENTATION = r"""
options:
  backup_dir:
    description:
      - A folder on the controller. Each policy is copied to a folder of its own below it before it is changed (mode 0600), its object as LDIF, and its files.
      - Files with a C(cpassword) are not copied, since it can be decrypted by anybody, and links are not followed. They are named in C(not_saved) of the
        change's C(details).
    type: path
    required: true
  in_use_timeout:
    description: Seconds to wait while a client reads the file. After that the policy is as it was before, and the change has failed (code V(file_in_use)).
    type: int
    default: 30
  allow:
    description:
      - Guards to switch off.
      - V(other_domain_controller), O(host) is not the PDC emulator. The Group Policy Management Console edits there, and when two domain controllers have a
        file changed, SYSVOL's replication keeps that of the last writer.
    type: list
    elements: str
    choices: [other_domain_controller]
    default: []
"""
