# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of CENSUS in plugins/module_utils/_entra/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Whom a count of blocked users, and of those without licence, leaves out."""

    DOCUMENTATION = r"""
options:
  also_enable:
    description: Users who will be enabled, and do not count as blocked.
    type: list
    elements: str
    default: []
  src:
    description: A JSON-lines file of M(offboard.iij_id.entra_users). Whose C(enabled) or C(licences) it names does not count as blocked or without licence.
    type: path
  exclude:
    description: Users who do not count.
    type: list
    elements: str
    default: []
"""
