# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Graph is asked for a user, and with what it can compare. Pure."""

from __future__ import annotations

import urllib.parse

#: What a property is compared with by `eq` is no longer, whatever the property may hold
#: (developer.microsoft.com/graph/known-issues: "Some limitations apply to query parameters").
LONGEST_COMPARED = 120


def user_address(key: str) -> str:
    """The path of a user by id or user principal name. A name may begin with `$`, which OData keeps for itself in a segment: such a one goes in
    parentheses (learn.microsoft.com/graph/api/user-get)."""
    if key.startswith("$"):
        quoted = key.replace("'", "''")
        return f"/users('{urllib.parse.quote(quoted, safe='')}')"
    return f"/users/{urllib.parse.quote(key, safe='')}"
