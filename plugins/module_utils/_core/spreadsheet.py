# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells of a list for people, which a spreadsheet opens: no text of strangers is taken for a formula. Pure."""

from __future__ import annotations

import unicodedata

from .plain import line

#: Excel on a Japanese Windows takes a file without it for Shift_JIS
BOM = "\ufeff"
#: what a spreadsheet takes for the beginning of a formula; https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula, on one line."""
    shown = line(text)
    # one that a Japanese spreadsheet takes for the ASCII letter is in the same form of it; blanks of any width before it may be cut off
    return f"'{shown}" if text.startswith(FORMULA) or any(unicodedata.normalize("NFKC", one.lstrip()[:1]) in FORMULA for one in (text, shown)) else shown
