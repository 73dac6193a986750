# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of software: parsed, and checked before anything is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..files.plan import normalised
from .plan import patterns


@dataclass(frozen=True)
class Options:
    """Of win_software."""

    #: by `product_code`, or by `name` and what else tells them
    products: Sequence[Mapping[str, Any]]
    timeout_minutes: int
    #: what a task with the same journal has removed is gone, whatever is there of nearly that name
    journal: str | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        return cls(products=params["products"], timeout_minutes=params["timeout_minutes"], journal=params["journal"] or None)


@dataclass(frozen=True)
class InfoOptions:
    """Of win_software_info. Nothing to look for: all is shown."""

    name_patterns: Sequence[re.Pattern[str]]
    publisher_patterns: Sequence[re.Pattern[str]]
    #: normalised
    folders: Sequence[str]
    #: those that are confirmed, as win_software takes them
    products: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `pattern_invalid`, `path_invalid`."""
        return cls(
            name_patterns=patterns(params["name_patterns"]),
            publisher_patterns=patterns(params["publisher_patterns"]),
            folders=[normalised(path) for path in params["folders"]],
            products=params["products"],
        )
