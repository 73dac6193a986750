# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes of SCIM, whose names are the same in whatever case: RFC 7643 2.1. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def attribute(item: Mapping[str, Any], name: str) -> Any:
    """The value of an attribute; None where there is none."""
    if name in item:
        return item[name]
    folded = name.casefold()
    return next((value for key, value in item.items() if key.casefold() == folded), None)
