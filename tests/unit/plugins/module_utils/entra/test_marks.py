# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks."""

from __future__ import annotations

from ansible_collections.offboard.iij_id.plugins.module_utils._entra.marks import Marks, mark


def test_parts_are_kept_apart():
    made = {mark("a", "b"), mark("ab"), mark("a"), mark("a", None), mark("a", ""), mark("", "a"), mark(None)}
    assert len(made) == 7


def test_a_set_of_them():
    numbers = [mark(str(number)) for number in range(1000)]
    marks = Marks(numbers)
    assert len(marks) == 1000
    assert sorted(numbers) == list(marks)
    assert all(one in marks for one in numbers)
    assert mark("1000") not in marks
    assert 0 not in Marks()
    assert [list(marks)[marks.place(one)] for one in numbers] == numbers
