# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of the sheet: parsed, and checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .plan import hosts_of


@dataclass(frozen=True)
class InfoOptions:
    """Of identity_provider_sheet_info."""

    #: as they are compared
    hosts: Sequence[str]
    products: Sequence[str]
    company: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        return cls(hosts=hosts_of(params["hosts"]), products=params["products"], company=params["company"])
