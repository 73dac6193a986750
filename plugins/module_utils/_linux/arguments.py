# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Linux machine is reached; its twin is the fragment `linux` in plugins/doc_fragments/."""

from __future__ import annotations

from typing import Any

#: The action plugin fills both: what it lends is Ansible's own connection to the host of the task.
LINUX: dict[str, Any] = {
    "host": {"type": "str"},
    "target_socket": {"type": "path"},
}
