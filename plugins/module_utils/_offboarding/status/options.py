# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of how the run is: parsed before anything is read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class InfoOptions:
    """Of run_status_info, which the end of each stage plays, too."""

    #: the run folder
    folder: str
    #: None: not given
    tenant_id: str | None
    #: whether only what a stage's end tells is told
    summary: bool
    #: that has ended; "": none
    stage: str
    #: the machines that the limit leaves out, by what they are
    left_out: Mapping[str, Any]
    also_tell: Sequence[str]
    #: whether the lines alone are returned
    brief: bool
    #: of the plan that a check run has kept; "": none
    plan_hash: str
    #: whether the stage has failed
    stopped: bool
    in_awx: bool
    in_workflow: bool
    language: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        return cls(
            folder=os.path.abspath(params["run_dir"]),
            tenant_id=params["run_tenant_id"],
            summary=params["summary"],
            stage=params["stage"],
            left_out=params["left_out"] or {},
            also_tell=params["also_tell"],
            brief=params["brief"],
            plan_hash=params["plan_hash"],
            stopped=params["stopped"],
            in_awx=params["in_awx"],
            in_workflow=params["in_workflow"],
            language=params["language"],
        )
