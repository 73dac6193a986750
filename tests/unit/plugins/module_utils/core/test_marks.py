# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks."""

from __future__ import annotations

import tracemalloc
import uuid

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.marks import Marks, Once, Shard, mark


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


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
def test_shards_are_disjoint_complete_and_about_equal(count):
    users = [str(uuid.uuid5(uuid.NAMESPACE_DNS, str(number))) for number in range(5000)]
    shards = [Shard.parse(f"{number}/{count}") for number in range(1, count + 1)]
    parts = [[user for user in users if user in shard] for shard in shards]
    assert sorted(user for part in parts for user in part) == sorted(users)
    assert max(map(len, parts)) < 2 * 5000 / count


def test_a_shard_is_the_same_on_every_machine():
    """Controllers of different ages share the work: the hash must never change."""
    users = ["5d4e0c0e-7f51-5a2e-9f0e-5b1d6b6d3a11", "00000000-0000-0000-0000-000000000001", "6F2F9B62-6B1C-4F0E-9A55-0D5E7C1F8A01"]
    assert [[user in Shard(number, 4) for number in range(1, 5)].index(True) + 1 for user in users] == [2, 1, 4]
    assert all((user in Shard(2, 5)) == (user.upper() in Shard(2, 5)) for user in users)


@pytest.mark.parametrize("text", ["", "0/4", "5/4", "1/0", "1", "a/b", "-1/4", "1/4/2", "1.5/4", "１/４"])
def test_bad_shards_are_told(text):
    with pytest.raises(OffboardError, match="shard is") as caught:
        Shard.parse(text)
    assert caught.value.code == "bad_option"


def test_half_a_character_in_an_id_has_a_mark():
    """JSON and Windows let it in."""
    assert mark("a\ud800") != mark("a\udfff")


def test_what_has_come_is_known_in_few_bytes():
    tracemalloc.start()
    once = Once()
    assert all(once.is_new(f"{number:08x}-0000-4000-8000-000000000000") for number in range(100_000))
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 12 * 100_000
    assert not any(once.is_new(f"{number:08x}-0000-4000-8000-000000000000") for number in range(100_000))
    assert once.is_new("half of a character \ud800") and once.is_new("") and not once.is_new("")
