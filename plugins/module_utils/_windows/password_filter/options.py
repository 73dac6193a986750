# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of password filters: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.names import program, visible
from ..files.plan import normalised
from .plan import check_name


@dataclass(frozen=True)
class Options:
    """Of win_password_filter: which filter goes."""

    name: str
    remove_file: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `filter_name_invalid`."""
        name = visible(params["name"])
        check_name(name)
        return cls(name=name, remove_file=params["remove_file"])


@dataclass(frozen=True)
class InfoOptions:
    """Of win_password_filter_info: what tells that a filter is meant."""

    #: with libraries; normalised
    folders: Sequence[str]
    #: of filters, as `names.program` compares them
    names: frozenset[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `path_invalid`."""
        return cls(
            folders=[normalised(path) for path in params["folders"]],
            names=frozenset(program(name) for name in params["names"]),
        )
