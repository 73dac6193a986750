# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module means to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from . import phrases
from .model import Object, Refusal, Skip
from .spool import Spool

#: Entries of `plan` and `skipped_objects` in the task's answer; the rest is counted (a bulk module writes all to a file).
ANSWER_LIMIT = 1000


@dataclass
class Plan:
    """What shall be done. `unchanged` counts objects that are already as desired.

    `skipped_more` counts skips beyond those in `skipped`: a bulk kind keeps the first ANSWER_LIMIT and itemises all in a file.
    `refusals` are what planning itself found against the plan; `facts` are return values that it found besides the changes.
    """

    changes: Spool = field(default_factory=Spool)
    skipped: list[Skip] = field(default_factory=list)
    skipped_more: int = 0
    unchanged: int = 0
    warnings: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def leave_disabled(self, items: Iterable[Object]) -> None:
        """Of what shall be enabled again, those that were disabled before, or by somebody else."""
        for item in items:
            told = phrases.english("stays_disabled", name=item.name)
            self.skipped.append(Skip(item.kind, item.id, item.name, "disabled_before", told))
            self.warnings.append(told)
