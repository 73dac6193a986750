# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of files: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .plan import check_secret_names, normalised


@dataclass(frozen=True)
class Options:
    """Of win_file: what goes."""

    #: normalised, each once
    paths: Sequence[str]
    overwrite: bool
    #: as they were given; which of them may be one, only the machine tells
    allowed_roots: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `path_invalid`."""
        paths = list(dict.fromkeys(normalised(path) for path in params["paths"]))
        return cls(paths=paths, overwrite=params["overwrite"], allowed_roots=params["allowed_roots"])


@dataclass(frozen=True)
class InfoOptions:
    """Of win_file_info: what is looked at."""

    #: normalised
    paths: Sequence[str]
    #: values of YAML files that are shown, by the name under which they are
    yaml_values: Mapping[str, str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `path_invalid`, `secret_refused`."""
        check_secret_names(params["yaml_values"])
        return cls(paths=[normalised(path) for path in params["paths"]], yaml_values=params["yaml_values"])
