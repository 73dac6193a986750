# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a person wrote down means this object. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any


def task_name(name: str) -> str:
    """The full name of a scheduled task for comparison: Windows knows no case, and people leave out the first backslash."""
    return f"\\{name.strip().strip(chr(92))}".casefold()


def scheduled_task(name: str, lines: Sequence[Collection[str]], wanted: Mapping[str, Any]) -> bool:
    """Whether `wanted` (name, action, or both) means the task that starts `lines`, each in the forms in which it may be written.

    By its action a task is meant only when it starts nothing else.
    """
    if not wanted.get("name") and not wanted.get("action"):
        return False
    if wanted.get("name") and task_name(str(wanted["name"])) != task_name(name):
        return False
    return not wanted.get("action") or (len(lines) > 0 and all(wanted["action"] in line for line in lines))
