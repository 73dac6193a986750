# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of the redemption order: parsed before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Options:
    """Of entra_redemption_order. None: not given."""

    #: `present` or `default`
    state: str
    order: Sequence[str] | None
    fallback: str | None
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        return cls(state=params["state"], order=params["order"], fallback=params["fallback"], verify_timeout=params["verify_timeout"])
