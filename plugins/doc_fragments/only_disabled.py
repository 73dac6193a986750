# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of ONLY_DISABLED in plugins/module_utils/_module/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """What is enabled again."""

    DOCUMENTATION = r"""
options:
  only_disabled:
    description:
      - Where the task enables, enable only what tasks with the same O(journal) have disabled. What was disabled before stays so, and is listed in
        RV(skipped_objects) with the code V(disabled_before).
      - Needs O(journal).
    type: bool
    default: false
    version_added: 1.1.0
"""
