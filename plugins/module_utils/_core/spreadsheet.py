# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells of a list for people, which a spreadsheet opens: no text of strangers is taken for a formula. Pure."""

from __future__ import annotations

from .plain import line

#: Excel on a Japanese Windows takes a file without it for Shift_JIS
BOM = "\ufeff"
#: what a spreadsheet takes for the beginning of a formula; https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula, on one line."""
    shown = line(text)
    return f"'{shown}" if text.lstrip(" ").startswith(FORMULA) or shown.lstrip(" ").startswith(FORMULA) else shown
