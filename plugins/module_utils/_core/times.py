# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the times of records are believed."""

from __future__ import annotations

import datetime

#: By so much the clock of another controller may be ahead. What is later than that was written by a wrong clock, and proves nothing.
SKEW = datetime.timedelta(minutes=5)
