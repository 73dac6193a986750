# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a plan to be approved is written, under which name, and how it is told. Pure."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..._core.model import Change, Object
from ..._core.plan import Plan

KIND = "plan_file"


@dataclass(frozen=True)
class Planned:
    """What a check run has planned: of how many changes, and the hash of them all."""

    sha256: str
    count: int

    @classmethod
    def of(cls, lines: Iterable[bytes]) -> Planned:
        """lines: one for each change, as `approval.lines` gives them."""
        digest, count = hashlib.sha256(), 0
        for line in lines:
            digest.update(line)
            count += 1
        return cls(digest.hexdigest(), count)

    def path(self, run_dir: str) -> str:
        """Where it lies in the run folder: the name is the hash of what it holds."""
        return os.path.join(run_dir, "plans", f"{self.sha256}.jsonl")


def plan_file(current: Iterable[Object], planned: Planned, path: str) -> Plan:
    """Written where it is not there. A check run with nothing to do has nothing to approve."""
    plan = Plan()
    if any(True for _item in current) or not planned.count:
        plan.unchanged += 1
    else:
        plan.changes.append(Change(KIND, path, os.path.basename(path), "write", None, {"sha256": planned.sha256}))
    return plan


def lines(told: Iterable[Mapping[str, str]], language: str) -> Sequence[str]:
    """What is approved, as people read it. language: `en`, `ja` or `both`."""
    return [text for item in told for text in ((item["en"], item["ja"]) if language == "both" else (item[language],))]
