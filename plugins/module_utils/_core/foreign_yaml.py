# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML that a stranger wrote: every value is a text, whatever tag or form the file gives it, and errors never quote it."""

from __future__ import annotations

from typing import Any

try:
    import yaml

    YAML_IMPORT_ERROR: ImportError | None = None
except ImportError as exc:  # reported by the runner through missing_required_lib
    YAML_IMPORT_ERROR = exc

#: How YAML writes "no value".
NULL = ("", "~", "null", "Null", "NULL")


def load(text: str) -> Any:
    """Mappings, lists and texts. Raises ValueError that says no more than where the fault is, such as "not valid YAML near line 3"."""
    try:
        return yaml.load(text.lstrip("\ufeff"), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f" near line {mark.line + 1}" if mark else ""
    raise ValueError(f"not valid YAML{where}")  # outside of the handler: the error itself quotes the file
