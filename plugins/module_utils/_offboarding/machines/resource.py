# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run_machines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ..._core import strict_json
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.files import check_run_file, file_locked, write_atomically
from ..._module.runner import Resource
from . import plan as machines
from .options import Options

KIND = "machine_record"


def read_machines(folder: str) -> dict[str, machines.Record]:
    """The record of each stage; nothing when there is no file. Raises OffboardError `run_folder_unsafe`, `file_read_failed`."""
    path = os.path.join(folder, machines.NAME)
    check_run_file(path)
    try:
        with open(path, encoding="utf-8") as stream:
            return machines.parse(strict_json.loads(stream.read()))
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
    except ValueError:
        msg = f"{path} does not say on which machines stages were done. Restore it from a backup, or move it away and run the stages again."
        raise OffboardError(msg, code="file_read_failed") from None


class RunMachines(Resource):
    """The record of one stage, in one file."""

    noun: ClassVar[str] = "records"
    in_run_folder = True
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._folder = self._options.run_dir
        self._path = os.path.join(self._folder, machines.NAME)

    def _wanted(self, before: Mapping[str, list[str]] | None) -> machines.Record:
        return machines.merged(before, self._options.machines, self._options.done, self._options.failed)

    def read(self) -> Iterable[Object]:
        """The record as it is."""
        return [Object(KIND, stage, stage, dict(record)) for stage, record in read_machines(self._folder).items()]

    def plan(self, current: Iterable[Object]) -> Plan:
        """Written where it would say something else: also that the stage has run and there is no machine."""
        stage = self._options.stage
        before = next((dict(item.state) for item in current if item.id == stage), None)
        if before == (after := self._wanted(before)) or not (before or self._options.machines or self._options.may_be_none):
            return Plan(unchanged=1)
        return Plan(Spool([Change(KIND, stage, stage, "write", before, after)]))

    def apply(self, change: Change) -> dict[str, Any] | None:
        """Write it; a stage of another slice may have done so meanwhile."""
        with file_locked(self._path):
            records = read_machines(self._folder)
            records[change.id] = self._wanted(records.get(change.id))
            write_atomically(self._path, (json.dumps({"stages": records}, ensure_ascii=False, indent=2) + "\n").encode())
        return None

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Read again."""
        for change in applied:
            if not set(self._options.done) - set(self._options.failed) <= set(read_machines(self._folder).get(change.id, {}).get("done", ())):
                yield Outcome(change, "failed", "not_seen", f"{self._path} does not hold what was written")

    def verdict(self, plan: Plan) -> OffboardError | None:
        """`machines_failed`, `no_machines`."""
        given, language = self._options, self._options.language
        if (told := machines.failure(given.machines, given.failed, self._left_out())) is not None:
            return OffboardError(f"{' / '.join(told.in_language(language))} {machines.reasons(given.failed)}", code="machines_failed")
        if not given.machines and not given.may_be_none:
            return OffboardError(machines.NO_MACHINE.told(language), code="no_machines")
        return None

    def facts(self, plan: Plan) -> dict[str, Any]:
        """What this run has left out."""
        return {"left_out": self._left_out()}

    def _left_out(self) -> list[str]:
        return machines.left_out(self._options.machines, self._options.done, self._options.failed)
