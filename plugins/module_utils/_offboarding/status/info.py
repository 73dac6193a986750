# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run_status_info: the run folder read, and told."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Mapping
from typing import Any

from ..._core.errors import OffboardError
from ..._core.times import SKEW, as_time
from ..._module.clock import now
from ..._module.files import read_records
from .. import phrases, preconditions
from ..machines import plan as machines
from ..machines.resource import read_machines
from ..report.resource import read_report
from . import plan
from .options import InfoOptions


def info(params: Mapping[str, Any], check_mode: bool = False) -> dict[str, Any]:
    """The return values of run_status_info. Raises OffboardError `run_dir_missing`, `file_read_failed`, and those of run_folder_info and run_report."""
    options = InfoOptions.of(params)
    folder = options.folder
    # a check run makes none, and leaves machines out all the same
    if not _is_folder(folder) and not (options.summary and check_mode):
        what = "run_folder_is_file" if os.path.exists(folder) else "no_run_folder"
        raise OffboardError(phrases.english(what, folder=folder), code="run_dir_missing")
    held = preconditions.info({"run_dir": folder, "run_tenant_id": options.tenant_id, "requires": None}, None)
    report = read_report(folder, "")
    verdict = held["verdict"]
    if verdict and (as_time(verdict["at"]) > as_time(now()) + SKEW or preconditions.is_overtaken(folder, verdict["at"])):  # no task would believe it
        verdict = {**verdict, "open": False}
    records = read_machines(folder)
    evidence = plan.RunEvidence(folder, report, held["owner"], verdict, _results(os.path.join(folder, "results")), records)
    status = {**plan.build(evidence), "machines": machines.rows(records, options.left_out)}
    page, status["draft"] = (path if os.path.exists(path := os.path.join(folder, name)) else "" for name in ("report.html", "decisions.draft.yml"))
    in_awx, in_workflow = options.in_awx, options.in_workflow
    if options.summary:
        told = plan.summary(status, options.stage, page, in_awx, check_mode, in_workflow=in_workflow, stopped=options.stopped)
    else:
        told = plan.lines(status, page, in_awx)
    hashed = plan.plan_hash(options.plan_hash, in_awx, in_workflow) if options.plan_hash else []
    lines = [*(text for line in told for text in line.in_language(options.language)), *options.also_tell]
    lines += [text for line in hashed for text in line.in_language(options.language)]
    return {"lines": lines} if options.brief else {**status, "lines": lines}


def _is_folder(path: str) -> bool:
    """Not without a word what another account keeps: nothing would seem to have been done. Raises OffboardError `file_read_failed`."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc


def _results(folder: str) -> dict[str, dict[str, int]]:
    """How many users of each results file had which outcome."""
    found: dict[str, dict[str, int]] = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.jsonl"))):
        counts = found.setdefault(os.path.basename(path).removesuffix(".jsonl"), {})
        for line in read_records(path):
            if isinstance(status := line.get("status"), str):
                counts[status] = counts.get(status, 0) + 1
    return {name: counts for name, counts in found.items() if counts}
