# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import diff, guard
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Outcome, Refusal


def change(**overrides):
    return Change(**{"kind": "domain", "id": "a.example", "name": "a.example", "action": "convert", "before": {"x": 1}, "after": {"x": 2}, **overrides})


def test_a_change_survives_json():
    original = change(risk="high", undo="restore from the snapshot")
    assert Change.from_dict(json.loads(json.dumps(original.to_dict()))) == original


def test_a_change_from_a_newer_journal_is_read():
    assert Change.from_dict({**change().to_dict(), "unheard_of": True}) == change()


def test_an_unknown_risk_is_refused():
    with pytest.raises(ValueError, match="'huge'"):
        change(risk="huge")


def test_an_outcome_names_the_change_without_its_values():
    data = Outcome(change(), "failed", "forbidden", "no").to_dict()
    assert data == {"kind": "domain", "id": "a.example", "name": "a.example", "action": "convert", "status": "failed", "code": "forbidden", "msg": "no"}


@pytest.mark.parametrize(
    ("current", "desired", "before", "after"),
    [
        ({"a": 1}, {"a": 1}, {}, {}),
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 1}, {"a": 3}),
        ({}, {"a": None}, {}, {}),
        ({}, {"a": 1}, {"a": None}, {"a": 1}),
        ({"a": False}, {"a": 0}, {}, {}),
    ],
)
def test_changed_properties(current, desired, before, after):
    assert diff.changed_properties(current, desired) == (before, after)


@pytest.mark.parametrize(
    ("current", "options", "expected"),
    [
        (["a"], {}, ["a"]),
        (["a"], {"add": ["b"]}, ["a", "b"]),
        (["a"], {"add": ["A"]}, ["a"]),
        (["a"], {"add": ["A"], "fold_case": False}, ["a", "A"]),
        (["a", "b"], {"remove": ["B"]}, ["a"]),
        (["a", "b"], {"set_to": []}, []),
        (["a"], {"set_to": ["c"], "add": ["d"], "remove": ["c"]}, ["d"]),
        (["b", "a"], {"add": ["a"]}, ["b", "a"]),
    ],
)
def test_list_change(current, options, expected):
    assert diff.list_change(current, **options) == expected


def test_the_diff_of_a_deletion_shows_an_empty_after():
    (entry,) = diff.ansible_diff([change(after=None)])
    assert entry["before"] == {"x": 1} and entry["after"] == {}
    assert entry["after_header"] == "domain a.example (convert)"


@pytest.mark.parametrize(("changes", "limit", "refused"), [(0, 0, False), (20, 20, False), (21, 20, True), (1, 0, True)])
def test_too_many(changes, limit, refused):
    refusals = guard.too_many(changes, limit, "users")
    assert bool(refusals) is refused
    if refused:
        assert refusals[0].allow_with == f"max_changes: {changes}"


def test_never_touch_compares_ids_and_names_without_case():
    touched = [("id-1", "Taro@A.example"), ("id-2", "hanako@a.example")]
    assert guard.never_touch(touched, ["ID-2"], "own", "own account") == [Refusal("own", "own account: hanako@a.example", ("hanako@a.example",))]
    assert guard.never_touch(touched, ["taro@a.EXAMPLE"], "own", "own account")[0].objects == ("Taro@A.example",)
    assert guard.never_touch(touched, [], "own", "own account") == []
