# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""linux_file and its _info twin: looking, overwriting, removing and verifying what plan.py decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import phrases
from ..._core.errors import OffboardError
from ..._core.machine_ids import is_of
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.runner import Resource
from ..client import Client
from ..connection import Connection
from ..cron import plan as cron
from ..cron.plan import Job
from ..cron.read import Starts, starts
from . import plan as files
from .options import InfoOptions, Options


class Files(Resource):
    """The paths of one task."""

    noun = "files and folders"
    # What cron starts matters too: in check mode as predicted.
    kinds = (files.KIND, cron.KIND)
    on_machine = True

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._found: dict[str, dict[str, Any]] = {}
        self._starts = Starts()
        self._jobs: dict[str, Job] = {}
        self._left: list[Job] = []
        #: what `apply` and `verify` have made of the paths
        self._done: dict[str, dict[str, Any]] = {path: {} for path in self._options.paths}

    def read(self) -> Iterator[Object]:
        """The paths that exist, with everything below them, and what the machine starts by itself."""
        for found in self._client.ask("files_look", paths=self._options.paths):
            self._found[found["path"]] = found
            if found["exists"] and not found["link"]:
                yield files.object_of(self._client.host, found)
        self._starts = starts(self._client)
        for job in self._starts.jobs:
            self._jobs[job.id(self._client.host)] = job
            yield cron.object_of(self._client.host, job)

    def plan(self, current: Iterable[Object]) -> Plan:
        """A removal for each path that exists."""
        plan, planned = Plan(warnings=self._starts.warnings()), set()
        for item in current:
            if item.kind == cron.KIND:
                if item.state["enabled"] and item.id in self._jobs:
                    self._left.append(self._jobs[item.id])
                continue
            planned.add(item.name)
            plan.changes.append(Change(files.KIND, item.id, item.name, "remove", before=dict(item.state), after=None, risk="high"))
            if self._options.overwrite and not item.state["overwritten_in_place"]:
                plan.warnings.append(phrases.english("not_written_in_place", name=item.name, file_system=item.state["file_system"]))
        plan.facts["results"] = [{"path": path, "status": "planned" if path in planned else "absent"} for path in self._options.paths]
        plan.unchanged = len(self._options.paths) - len(planned)
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's paths."""
        mine = {change.name: change for change in begun if change.kind == files.KIND and is_of(self._client.host, change.id)}
        for found in self._client.ask("files_look", paths=list(mine)) if mine else ():
            if not found["exists"]:
                yield mine[found["path"]]

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        yield from files.refusals(self._options.paths, self._options.allowed_roots, self._found)
        there = [path for path, found in self._found.items() if found["exists"] and not found["link"]]
        yield from files.still_started(there, self._left, self._starts.others, self._starts.real)

    def apply(self, change: Change) -> dict[str, Any]:
        """Overwrite what can be, then remove."""
        path = change.name
        try:
            details = self._client.ask("files_remove", path=path, identity=self._found[path]["identity"], overwrite=self._options.overwrite)
        except OffboardError:
            self._done[path] = {"status": "failed"}
            raise
        details = {
            **details,
            "file_system": self._found[path]["file_system"],
            "overwritten_in_place": self._options.overwrite and self._found[path]["in_place"],
        }
        self._done[path] = {"status": "removed", **details}
        return details

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        gone = {change.name: change for change in applied}
        for found in self._client.ask("files_look", paths=list(gone)) if gone else ():
            if found["exists"]:
                self._done[found["path"]]["status"] = "failed"
                yield Outcome(gone[found["path"]], "failed", "not_seen", f"{found['path']} was removed, but is there again")

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {"results": [{**planned, **self._done[planned["path"]]} for planned in plan.facts["results"]]}

    def close(self) -> None:
        self._client.close()


def make(params: Mapping[str, Any]) -> Files:
    options = Options.of(params)
    return Files(Client(Connection.from_params(params)), options)


def info(client: Client, options: InfoOptions) -> dict[str, Any]:
    found = client.ask("files_search", roots=options.search, paths=options.paths)
    return {**found, "files": [_told(item) for item in found["files"]]}


def _told(found: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in found.items() if name not in ("identity", "is_plain", "in_place")}
    return {**kept, **({"overwritten_in_place": found["in_place"]} if "in_place" in found else {})}
