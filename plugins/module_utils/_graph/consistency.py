# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until a change is seen."""

from __future__ import annotations

# Replicas may differ for a while: as many reads in a row, so many seconds apart, must agree.
_AGREEING_READS, _READ_INTERVAL = 3, 1.0
