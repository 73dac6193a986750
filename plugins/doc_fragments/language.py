# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of LANGUAGE in plugins/module_utils/_module/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """In which language a module tells people what it has found."""

    DOCUMENTATION = r"""
options:
  language:
    description: The language of what the module tells people. With V(both) English and Japanese stand one after the other.
    type: str
    choices: [en, ja, both]
    default: both
"""
