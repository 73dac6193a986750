# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as messages may name them: without who signs in there, and without the secrets of a query. Pure."""

from __future__ import annotations

import re

HIDDEN = "***"
#: up to the last @ before the path, a query or a blank; a password may hold an @ or a slash, but no host does
_USER_INFO = re.compile(r"//[^\s?#]{0,1000}@")
_SECRET = re.compile(r"([?&;#](?:[\w.-]{0,40}(?:pass|pwd|secret|token|key|sig|code|credential|assertion|session|auth)[\w.-]{0,40})=)[^&;#\s]+", re.IGNORECASE)


def shown(address: str) -> str:
    """`address` for a message."""
    return _SECRET.sub(rf"\1{HIDDEN}", _USER_INFO.sub(f"//{HIDDEN}@", address))
