# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of policies' registry settings: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...._core.browser_hosts import checked
from ..options import EditOptions


@dataclass(frozen=True)
class Options(EditOptions):
    """Of group_policy_registry."""

    #: whether settings come back; else they go
    is_return: bool
    #: as they are compared; none needed for the way back
    hosts: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        return cls(**cls._edit(params), is_return=params["state"] == "present", hosts=checked(params["hosts"] or []))
