# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of LINUX in plugins/module_utils/_linux/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """How a Linux machine is reached."""

    DOCUMENTATION = r"""
options:
  host:
    description:
      - The machine's name in plans, journals and predictions. The module's action plugin sets it to the inventory's name of the host that the task is for,
        whatever is given.
    type: str
  target_socket:
    description:
      - The module decides and keeps its journal on the controller. What it reads and writes on the machine goes through Ansible's own
        connection (SSH, C(become)), which the module's action plugin lends it by this socket. It is set by the action plugin, whatever is given.
    type: path
notes:
  - The machine needs Python 3.8 or later (what the release of ansible-core in use asks for), and nothing else. Most of it can be read by C(root) only, so
    C(become) is needed.
  - A play with C(serial) or many hosts runs as many of these side by side as C(forks) allows.
"""
