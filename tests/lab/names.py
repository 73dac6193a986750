# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fixture company is called. The lab's sources call it Reiji (例示商事); with `OFFBOARD_LAB_COMPANY=midori` the same company has other names, ids
and orders, and letters in other cases, so that the exit can be seen to work by none of them."""

from __future__ import annotations

import os
import re
from typing import Any

#: how each other company's names differ; the longer ones first
_OTHERS = {
    "midori": {
        "OU=Reiji": r"OU=Midori\, 東京",
        "6f2f9b62-6b1c-4f0e-9a55-0d5e7c1f8a01": "c0ffee11-2b4d-4e6f-8a9b-0123456789ab",
        "0b1f3e8a-57a1-4f0c-8a10-": "d1e2f3a4-0b5c-4d6e-9f70-",
        "例示商事": "みどり産業",
        "REIJI": "MIDORI",
        "Reiji": "Midori",
        "reiji": "midori",
    }
}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOMAIN = re.compile(r"([a-z0-9.-]+@)?[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]+")  # or a user's name
COMPANY = os.environ.get("OFFBOARD_LAB_COMPANY") or "reiji"
OTHER = COMPANY != "reiji"
_WORDS = _OTHERS[COMPANY] if OTHER else {}


def called(value: Any) -> Any:
    """A text of the sources, or lists and mappings of such, as this company has it."""
    if isinstance(value, dict):
        return {called(name): called(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(called, value))
    if isinstance(value, str):
        for ours, theirs in _WORDS.items():
            value = value.replace(ours, theirs)
    return value


def typed(value: Any) -> Any:
    """What a person of this company types for it: some type ids in capitals and domains like names."""
    if isinstance(value, dict):
        return {name: typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return list(map(typed, value))
    if OTHER and isinstance(value, str) and _ID.fullmatch(value):
        return value.upper()
    return value.title() if OTHER and isinstance(value, str) and _DOMAIN.fullmatch(value) else value


def account(name: str) -> str:
    """A person's account: some companies write Sato.Taro."""
    return name.title() if OTHER else name


def machine(name: str) -> str:
    """A Windows machine's name in the inventory."""
    return called(f"{name.upper()}.Tokyo.reiji.example") if OTHER else name


def ordered(items: list[Any]) -> list[Any]:
    """A list whose order means nothing."""
    return items[::-1] if OTHER else items
