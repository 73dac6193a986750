# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of the record of machines: parsed before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Options:
    """Of run_machines: what became of those of a stage."""

    run_dir: str
    stage: str
    #: those that were meant, and those of which all is done
    machines: Sequence[str]
    done: Sequence[str]
    #: why, by machine
    failed: Mapping[str, Any]
    may_be_none: bool
    language: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        return cls(
            run_dir=os.path.abspath(params["run_dir"]),
            stage=params["stage"],
            machines=params["machines"],
            done=params["done"],
            failed=params["failed"],
            may_be_none=params["may_be_none"],
            language=params["language"],
        )
