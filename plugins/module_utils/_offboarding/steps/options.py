# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of a person's steps: parsed, and checked before anything is read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.errors import OffboardError


@dataclass(frozen=True)
class InfoOptions:
    """Of manual_steps_info."""

    #: the steps file
    path: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        return cls(path=params["path"])

    @property
    def folder(self) -> str:
        """In which the steps file lies: that of the run."""
        return os.path.dirname(os.path.abspath(self.path))


@dataclass(frozen=True)
class Options(InfoOptions):
    """Of manual_steps."""

    #: as `plan.changes` takes them
    steps: Sequence[Mapping[str, Any]]
    #: as `services.definitions` takes them
    services: Sequence[Mapping[str, Any]]
    #: ids of steps
    confirm: Sequence[str]
    withdraw: Sequence[str]
    require: Sequence[str]
    #: files that are attached to what is confirmed
    evidence: Sequence[str]
    max_bytes: int
    #: how old the final gate's verdict may be
    gate_max_age_hours: int
    #: who confirms; "": not given
    by: str
    note: str
    language: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        if params["evidence"] and (not params["confirm"] or params["withdraw"]):
            raise OffboardError("evidence is attached to steps that are confirmed: give it with confirm, and without withdraw", code="bad_option")
        if params["evidence"] and params["evidence_max_mb"] < 1:
            raise OffboardError("evidence_max_mb must be 1 at least", code="bad_option")
        return cls(
            path=params["path"],
            steps=params["steps"],
            services=params["services"],
            confirm=params["confirm"],
            withdraw=params["withdraw"],
            require=params["require"],
            evidence=params["evidence"],
            max_bytes=params["evidence_max_mb"] * 1_000_000,
            gate_max_age_hours=params["gate_max_age_hours"],
            by=params["by"] or "",
            note=params["note"] or "",
            language=params["language"],
        )
