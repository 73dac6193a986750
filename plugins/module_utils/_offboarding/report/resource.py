# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of the run folder, as JSON and as HTML."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ..._core import strict_json
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome
from ..._core.plain import to_json
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.clock import time_zone
from ..._module.files import check_run_file, read_journal, read_records, read_whole, write_atomically
from ..._module.runner import Resource
from ..finding import SEVERITIES
from ..notices.plan import of_step
from ..preconditions import steps_now
from ..steps import plan as steps
from ..steps.attached import with_states
from . import page as report_page
from . import plan as report
from .options import Options

KIND = "report_file"


def _json_file(path: str) -> Any:
    """The content; None when there is no file. Raises OffboardError `file_read_failed`."""
    try:
        with open(path, encoding="utf-8") as stream:
            return strict_json.loads(stream.read())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise OffboardError(f"cannot read {path}: {exc}", code="file_read_failed") from exc


def _manifest(path: str) -> dict[str, Any] | None:
    content = _json_file(path)
    if content is not None and not isinstance(content, dict):
        raise OffboardError(f"{path} is no manifest of a snapshot. Restore it from a backup of the run folder.", code="file_read_failed")
    return content


def _finding(item: Any) -> dict[str, Any]:
    """Raises LookupError or TypeError when it is none."""
    if item["severity"] not in SEVERITIES or not all(isinstance(item[name], str) for name in ("code", "en", "ja")):
        raise TypeError
    return dict(item)


def _results(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, line) of all results files of bulk modules, in the order of their names."""
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.jsonl"))):
        for line in read_records(path):
            if all(isinstance(line.get(name), str) for name in ("status", "code", "msg", "userPrincipalName")):
                yield os.path.basename(path), line


def _references(folder: str) -> Iterator[dict[str, Any]] | None:
    """What points at IIJ ID: as the final gate has found it, else as it was before the exit."""
    for name in ("references.jsonl", "references_before.jsonl"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return read_records(path)
    return None


def _arrivals(path: str) -> dict[str, Any] | None:
    """Who has signed in since the conversion. Raises OffboardError `file_read_failed`."""
    content = _json_file(path)
    try:
        return report.arrivals_of(content)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise OffboardError(f"{path} holds no arrivals; move it away, or run the playbook arrivals again", code="file_read_failed") from None


def _sign_in(path: str) -> Iterator[dict[str, Any]] | None:
    """Who will be able to sign in, as preflight or the stage domains has judged last."""
    if not os.path.exists(path):
        return None
    return (line for line in read_records(path) if all(isinstance(line.get(name), str) for name in ("code", "userPrincipalName")))


def read_report(folder: str, title: str) -> dict[str, Any]:
    """The data of the report. Raises OffboardError `file_read_failed`, `steps_file_damaged`, `run_folder_unsafe`."""
    check_run_file(os.path.join(folder, "journal.jsonl"))

    paths = {name: os.path.join(folder, "results", f"{name}.json") for name in ("preflight", "final_gate")}
    contents = {name: _json_file(path) for name, path in paths.items()}

    def results(name: str) -> list[dict[str, Any]] | None:
        path, content = paths[name], contents[name]
        try:
            return None if content is None else [_finding(item) for item in content["findings"]]
        except (LookupError, TypeError):
            raise OffboardError(f"{path} holds no findings; move it away, or run its stage again", code="file_read_failed") from None

    judged = contents["final_gate"]
    return report.build(
        read_journal(os.path.join(folder, "journal.jsonl")),
        [_step(folder, steps.to_shown(item.id, item.state)) for item in steps_now(os.path.join(folder, "steps.json"))],
        results("preflight"),
        results("final_gate"),
        _manifest(os.path.join(folder, "snapshot", "manifest.json")),
        title,
        _results(os.path.join(folder, "results")),
        _references(os.path.join(folder, "results")),
        _arrivals(os.path.join(folder, "results", "arrivals.json")),
        _sign_in(os.path.join(folder, "results", "sign_in_readiness.jsonl")),
        str(judged.get("at") or "") if isinstance(judged, Mapping) else "",
    )


def _step(folder: str, record: dict[str, Any]) -> dict[str, Any]:
    """A step, with the notice for the users where one was written, and what became of its evidence."""
    notice, record = of_step(record["id"]), with_states(folder, record)
    return {**record, "notice": notice} if notice and os.path.isfile(os.path.join(folder, notice)) else record


class RunReport(Resource):
    """report.json and report.html, written only when they would say something else."""

    noun: ClassVar[str] = "files"
    in_run_folder = True
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: dict[str, Any]) -> None:
        options = Options.of(params)
        folder = options.run_dir
        if not os.path.isdir(folder):
            raise OffboardError(f"There is no run folder {folder}; run_dir must be the folder of the run's journal.", code="run_dir_missing")
        zone = time_zone(options.timezone)
        self._report = read_report(folder, options.title)
        html = report_page.page(self._report, options.language, zone)
        self._wanted = {
            os.path.join(folder, "report.json"): (to_json(self._report, indent=2) + "\n").encode(),
            os.path.join(folder, "report.html"): html.encode(),
        }

    def read(self) -> Iterable[Object]:
        """The files that are there."""
        for path in self._wanted:
            content = read_whole(path)
            if content is not None:
                yield _object(path, content)

    def plan(self, current: Iterable[Object]) -> Plan:
        """Those whose content differs."""
        before = {item.id: item.state for item in current}
        plan = Plan()
        for path, content in self._wanted.items():
            after = _object(path, content).state
            if before.get(path) == after:
                plan.unchanged += 1
            else:
                plan.changes.append(Change(KIND, path, os.path.basename(path), "write", before.get(path), after))
        return plan

    def apply(self, change: Change) -> dict[str, Any] | None:
        write_atomically(change.id, self._wanted[change.id])
        return None

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        for change in applied:
            if read_whole(change.id) != self._wanted[change.id]:
                yield Outcome(change, "failed", "not_seen", f"{change.id} does not hold what was written")

    def facts(self, plan: Plan) -> dict[str, Any]:
        """The outcome in short, and where the files lie."""
        json_path, html_path = self._wanted
        summary = {"state": self._report["state"], **self._report["counts"]}
        return {"summary": summary, "json_path": json_path, "html_path": html_path}


def _object(path: str, content: bytes) -> Object:
    return Object(KIND, path, os.path.basename(path), {"sha256": hashlib.sha256(content).hexdigest()})
