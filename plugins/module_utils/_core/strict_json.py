# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that may be damaged or made by hand. Python's parser takes NaN, keeps the last of two equal names, and falls over what is nested deeply."""

from __future__ import annotations

import json
from typing import Any


def _constant(_name: str) -> Any:
    raise ValueError("a number is none (NaN or Infinity)")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same name twice")
    return made


def loads(data: str | bytes) -> Any:
    """The value of a JSON text in UTF-8, with or without a byte order mark. Raises ValueError, which quotes nothing of it."""
    try:
        return json.loads(data.decode("utf-8-sig") if isinstance(data, bytes) else data, parse_constant=_constant, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
