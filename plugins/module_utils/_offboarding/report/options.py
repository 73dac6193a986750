# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of the report: parsed before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Options:
    """Of run_report: of which folder, and how it reads."""

    run_dir: str
    title: str
    language: str
    timezone: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        return cls(run_dir=os.path.abspath(params["run_dir"]), title=params["title"], language=params["language"], timezone=params["timezone"])
