# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ControllerAction shows of a module's progress."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.plugin_utils.controller_action import progress_line


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ({"noun": "users", "done": 0, "total": 9, "per_second": 0.0, "seconds_left": None}, "h: users 0/9"),
        ({"noun": "users", "done": 3, "total": 9, "per_second": 1.5, "seconds_left": 4}, "h: users 3/9, 1.5 per second, 0:04 left"),
        ({"noun": "users", "done": 3, "total": None, "per_second": 1.5, "seconds_left": None}, "h: users 3, 1.5 per second"),
        ({"noun": "software", "done": 0, "total": 1, "doing": "waiting for X"}, "h: software 0/1, waiting for X"),
    ],
)
def test_progress_line(record, line):
    assert progress_line("h", record) == line
