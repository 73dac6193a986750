# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The display names of those who get a secret, for the hand-over file. They lie in an unnamed temporary file, as the plan's changes do: a dict of 100,000
would be what the task mostly keeps in memory."""

from __future__ import annotations

import json
import tempfile
import typing
from collections.abc import Iterable

from ..._core.model import Change
from ..._core.plain import to_json
from . import plan as user_plan


class DisplayNames:
    """Noted in the order of the plan, and taken in it."""

    def __init__(self) -> None:
        self._file: typing.IO[str] | None = None
        self._taken = 0

    def note(self, change: Change, name: str | None) -> None:
        """What the user of a planned change is called."""
        if user_plan.gives_secret(change):
            if self._file is None:
                self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - lives as long as the names
            self._file.write(to_json([change.id, name]) + "\n")

    def take(self, changes: Iterable[Change]) -> dict[str, str | None]:
        """By user id, of the next changes. Some may have been left out since they were planned."""
        found: dict[str, str | None] = {}
        if self._file is None:
            return found
        self._file.seek(self._taken)
        for change in filter(user_plan.gives_secret, changes):
            for line in iter(self._file.readline, ""):
                user_id, name = json.loads(line)
                if user_id == change.id:
                    found[user_id] = name
                    break
        self._taken = self._file.tell()
        return found
