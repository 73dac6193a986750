# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read, in the two languages of the manual."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """One sentence or name, English and Japanese."""

    en: str
    ja: str
