# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.filter.within_tags import within_tags

GATE, USERS, FINAL, REPORT = ["gate"], ["users"], ["final_gate"], ["final_gate", "report"]


@pytest.mark.parametrize(
    ("run", "skip", "left"),
    [
        (["all"], [], [GATE, USERS, FINAL, REPORT]),
        (["tagged"], ["users"], [GATE, FINAL, REPORT]),
        (["users"], [], [USERS]),
        (["users", "gate"], ["gate"], [USERS]),
        (["users"], ["users"], []),
        (["report"], ["final_gate"], []),
        (["final_gate"], ["report"], [FINAL]),
        (["all"], ["all"], []),
        (["all"], ["tagged"], []),
        (["all"], ["untagged", "gate"], [USERS, FINAL, REPORT]),
        (["untagged"], [], []),
        (["gaet"], ["users"], []),
        (["all", "gaet"], ["final_gate"], [GATE, USERS]),
    ],
)
def test_what_is_left(run: list[str], skip: list[str], left: list[list[str]]) -> None:
    assert within_tags([GATE, USERS, FINAL, REPORT], run, skip) == left
