# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host an entry of a browser's list, or of a zone, means, and where hosts stand in any text. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..._core.browser_hosts import checked, is_broader, is_within

__all__ = ["checked", "is_broader", "is_within", "mentioned"]


def mentioned(text: str, hosts: Sequence[str]) -> list[str]:
    """The names in a text that are one of the hosts or lie below one, in lower case, in their order, without repetition."""
    if not hosts:
        return []
    any_of = "|".join(re.escape(host) for host in hosts)
    found = re.finditer(rf"(?<![a-z0-9.-])\.?(?:[a-z0-9*_-]+\.)*\*?(?:{any_of})(?![a-z0-9-]|\.[a-z0-9])", text.lower())
    return list(dict.fromkeys(match[0] for match in found))
