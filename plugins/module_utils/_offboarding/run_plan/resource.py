# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run_plan."""

from __future__ import annotations

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
from .options import Options
from .plan import KIND, Planned, lines, plan_file


class RunPlan(Resource):
    """One file, whose name is the hash of what it holds."""

    noun: ClassVar[str] = "plans"
    in_run_folder = True
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._planned = Planned.of(approval.lines(read_planned(self._options.predictions)))
        self._path = self._planned.path(self._options.run_dir)

    def read(self) -> Iterable[Object]:
        """The file, where it is there and whole."""
        check_run_file(self._path)
        if os.path.lexists(self._path) and self._is_whole():
            yield Object(KIND, self._path, os.path.basename(self._path), {"sha256": self._planned.sha256})

    def plan(self, current: Iterable[Object]) -> Plan:
        return plan_file(current, self._planned, self._path)

    def apply(self, change: Change) -> dict[str, Any] | None:
        write_atomically(change.id, approval.lines(read_planned(self._options.predictions)))
        return None

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        for change in applied:
            if not self._is_whole():
                yield Outcome(change, "failed", "not_seen", f"{change.id} does not hold what was written")

    def facts(self, plan: Plan) -> dict[str, Any]:
        """The hash, and what is approved with it."""
        told = approval.summary(read_planned(self._options.predictions))
        return {
            "sha256": self._planned.sha256,
            "path": self._path if self._planned.count else "",
            "count": self._planned.count,
            "summary": told,
            "lines": lines(told, self._options.language),
        }

    def _is_whole(self) -> bool:
        if not self._planned.count:
            return False
        try:
            return sum(1 for _change in read_approved(self._path, self._planned.sha256)) == self._planned.count
        except OffboardError as exc:
            if exc.code != "plan_damaged":
                raise
            return False
