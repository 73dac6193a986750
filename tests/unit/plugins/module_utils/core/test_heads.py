# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first of each kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.heads import Heads, few, sentences, shares, some


@pytest.mark.parametrize(
    ("sizes", "limit", "expected"),
    [
        ({}, 10, {}),
        ({"a": 3}, 10, {"a": 3}),
        ({"a": 30}, 10, {"a": 10}),
        ({"a": 30, "b": 1}, 10, {"a": 9, "b": 1}),
        ({"a": 30, "b": 30, "c": 30}, 10, {"a": 3, "b": 3, "c": 4}),
        ({"a": 5, "b": 5}, 10, {"a": 5, "b": 5}),
        ({"a": 30, "b": 4, "c": 2}, 10, {"a": 4, "b": 4, "c": 2}),
    ],
)
def test_no_kind_hides_another(sizes, limit, expected) -> None:
    assert shares(sizes, limit) == expected


def test_the_first_of_each_in_the_order_that_is_asked_for() -> None:
    heads: Heads[str] = Heads(4)
    for number in range(10):
        heads.add("many", f"m{number}")
    heads.add("few", "f0")
    assert heads.rows(["few", "none", "many"]) == ["f0", "m0", "m1", "m2"]
    assert heads.rows() == ["m0", "m1", "m2", "f0"]
    assert (list(heads.of("many")), list(heads.of("none"))) == (["m0", "m1", "m2", "m3"], [])


@pytest.mark.parametrize(
    ("names", "count", "expected"),
    [(["a", "b"], 2, "a, b"), (["a", "b"], 5, "a, b (+3)"), (list("abcdefghijkl"), 12, "a, b, c, d, e, f, g, h, i, j (+2)"), ([], 7, "(+7)")],
)
def test_names_that_are_not_shown_are_counted(names, count, expected) -> None:
    assert few(names, count) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], ""), (["a"], "a"), (["a", "b", "a"], "a, b"), (["a", "b"], "a, b"), (["a", "b", "c", "c"], "a, b (+1)"), ("abcd", "a, b (+2)")],
)
def test_some_of_several(names: Sequence[str], expected: str) -> None:
    assert some(iter(names), 2) == expected
    assert some(names, 2, "; ") == expected.replace(", ", "; ")


@pytest.mark.parametrize(
    ("told", "expected"),
    [([], []), (["a", "b", "a"], ["a", "b"]), (["a" * 30, "b"], ["a" * 30 + " (+1)"]), (["三", "二", "一"], ["三", "二 (+1)"]), ("abcd", list("abcd"))],
    ids=str,
)
def test_sentences_for_which_there_is_room(told: Iterable[str], expected: list[str]) -> None:
    assert sentences(told, 20) == expected
