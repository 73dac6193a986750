# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a person wrote down means this object. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from . import names


def task_name(name: str) -> str:
    """The full name of a scheduled task for comparison: Windows knows no case, and people leave out the first backslash and type in another Unicode form."""
    return f"\\{unicodedata.normalize('NFC', names.visible(name)).strip(chr(92))}".casefold()


def _line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).replace('"', "").split()).casefold()


def scheduled_task(name: str, lines: Sequence[Collection[str]], wanted: Mapping[str, Any]) -> bool:
    """Whether `wanted` (name, action, or both) means the task that starts `lines`, each in the forms in which it may be written.

    By its action a task is meant only when it starts nothing else. Case, quotes and the number of blanks do not count.
    """
    if not wanted.get("name") and not wanted.get("action"):
        return False
    if wanted.get("name") and task_name(str(wanted["name"])) != task_name(name):
        return False
    if not wanted.get("action"):
        return True
    action = _line(str(wanted["action"]))
    return len(lines) > 0 and all(action in map(_line, line) for line in lines)


def cron_job(place: str, commands: Collection[str], wanted: Mapping[str, Any]) -> bool:
    """Whether `wanted` (place, command, or both) means the job there, whose command may be written so. Case counts, the number of blanks does not."""
    if not wanted.get("place") and not wanted.get("command"):
        return False
    if wanted.get("place") and str(wanted["place"]).strip() != place:
        return False
    return not wanted.get("command") or " ".join(str(wanted["command"]).split()) in {" ".join(command.split()) for command in commands}


def intune_target(text: str) -> str:
    """To whom something is assigned in Intune, for comparison: `allDevices`, a group's id, `not` before it, or the assignment's own id."""
    *before, last = text.split() or [""]
    return " ".join([*map(names.lower, before), names.uuid(last)])
