# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What those who get a secret are called."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.display_names import DisplayNames


def change(number: int, **after: object) -> Change:
    return Change("user", f"u{number}", f"u{number}@a.example", "update", {}, after)


CHANGES = [
    change(1, passwordProfile=plan.NEW_PASSWORD),
    change(2, accountEnabled=True),
    change(3, temporaryAccessPass=plan.NEW_PASS),
    change(4, passwordProfile=plan.NEW_PASSWORD, accountEnabled=True),
]
NAMES = ["山田\n太郎", "未使用", None, "\ud800"]


@pytest.mark.parametrize(
    "segments", [[[0, 1, 2, 3]], [[0], [1], [2], [3]], [[0, 1], [3]], [[3]], [[1], [2, 3]]], ids=["all", "one by one", "one left out", "the last", "some"]
)
def test_names_come_in_the_order_of_the_plan(segments: list[list[int]]) -> None:
    names = DisplayNames()
    for planned, name in zip(CHANGES, NAMES, strict=True):
        names.note(planned, name)
    for segment in segments:
        expected = {f"u{number + 1}": NAMES[number] for number in segment if number != 1}
        assert names.take([CHANGES[number] for number in segment]) == expected


def test_nobody_who_gets_no_secret_is_noted() -> None:
    names = DisplayNames()
    names.note(CHANGES[1], NAMES[1])
    assert names.take(CHANGES) == {}
