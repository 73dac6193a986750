# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the times of records are believed, and how people read them. Pure."""

from __future__ import annotations

import datetime
import re

#: By so much the clock of another controller may be ahead. What is later than that was written by a wrong clock, and proves nothing.
SKEW = datetime.timedelta(minutes=5)

#: a time as records have it, where it is a word of a sentence and no part of a path, a name or markup
_IN_TEXT = re.compile(r"""(?<![\w/."-])\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)(?![\w/"-]|\.\w)""", re.ASCII)


def told(text: str) -> bool:
    """Whether a text for people holds times as records have them."""
    return _IN_TEXT.search(text) is not None


def local(text: str, zone: datetime.tzinfo) -> str:
    """A text for people, its times in their own zone: 2026-11-29T09:00:00Z is 2026-11-29 18:00:00 JST in Tokyo. Records stay in UTC."""

    def shown(found: re.Match[str]) -> str:
        try:
            return f"{datetime.datetime.fromisoformat(found[0]).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
        except (ValueError, OverflowError):
            return found[0]

    return _IN_TEXT.sub(shown, text)
