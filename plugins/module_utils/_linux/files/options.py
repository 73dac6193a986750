# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of files: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .plan import check_allowed_roots, normalised


@dataclass(frozen=True)
class Options:
    """Of linux_file: what goes."""

    #: normalised, each once
    paths: Sequence[str]
    overwrite: bool
    #: normalised
    allowed_roots: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `path_invalid`, `allowed_root_refused`."""
        paths = list(dict.fromkeys(normalised(path) for path in params["paths"]))
        return cls(paths=paths, overwrite=params["overwrite"], allowed_roots=check_allowed_roots(params["allowed_roots"]))


@dataclass(frozen=True)
class InfoOptions:
    """Of linux_file_info: what is looked at, and where copies are searched; normalised."""

    paths: Sequence[str]
    search: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `path_invalid`."""
        return cls(paths=[normalised(path) for path in params["paths"]], search=[normalised(path) for path in params["search"]])
