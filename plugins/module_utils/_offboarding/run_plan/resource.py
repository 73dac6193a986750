# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run_plan."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ..._core import approval
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.files import check_run_file, write_atomically
from ..._module.plans import read_approved, read_planned
from ..._module.runner import Resource

KIND = "plan_file"


class RunPlan(Resource):
    """One file, whose name is the hash of what it holds."""

    noun: ClassVar[str] = "plans"
    in_run_folder = True
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: Mapping[str, Any]) -> None:
        folder = os.path.abspath(params["run_dir"])
        self._planned = params["predictions"]
        digest, self._count = hashlib.sha256(), 0
        for line in approval.lines(read_planned(self._planned)):
            digest.update(line)
            self._count += 1
        self._sha256 = digest.hexdigest()
        self._path = os.path.join(folder, "plans", f"{self._sha256}.jsonl")
        self._language = params["language"]

    def read(self) -> Iterable[Object]:
        """The file, where it is there and whole."""
        check_run_file(self._path)
        if os.path.lexists(self._path) and self._is_whole():
            yield Object(KIND, self._path, os.path.basename(self._path), {"sha256": self._sha256})

    def plan(self, current: Iterable[Object]) -> Plan:
        """Written where it is not there. A check run with nothing to do has nothing to approve."""
        plan = Plan()
        if any(True for _item in current) or not self._count:
            plan.unchanged += 1
        else:
            plan.changes.append(Change(KIND, self._path, os.path.basename(self._path), "write", None, {"sha256": self._sha256}))
        return plan

    def apply(self, change: Change) -> dict[str, Any] | None:
        write_atomically(change.id, approval.lines(read_planned(self._planned)))
        return None

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        for change in applied:
            if not self._is_whole():
                yield Outcome(change, "failed", "not_seen", f"{change.id} does not hold what was written")

    def facts(self, plan: Plan) -> dict[str, Any]:
        """The hash, and what is approved with it."""
        told = approval.summary(read_planned(self._planned))
        lines = [text for item in told for text in ((item["en"], item["ja"]) if self._language == "both" else (item[self._language],))]
        return {"sha256": self._sha256, "path": self._path if self._count else "", "count": self._count, "summary": told, "lines": lines}

    def _is_whole(self) -> bool:
        if not self._count:
            return False
        try:
            return sum(1 for _change in read_approved(self._path, self._sha256)) == self._count
        except OffboardError as exc:
            if exc.code != "plan_damaged":
                raise
            return False
