# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object
from ansible_collections.offboard.iij_id.plugins.module_utils._core.predict import Predictions


def change(identity, before, after, kind="user"):
    return Change(kind=kind, id=identity, name=identity, action="x", before=before, after=after)


def test_later_changes_lie_over_earlier_ones():
    predictions = Predictions([change("1", {"a": 1}, {"a": 2}), change("1", {"a": 2}, {"a": 3, "b": 1})])
    assert predictions.state("user", "1", {"a": 1, "c": 9}) == {"a": 3, "b": 1, "c": 9}


def test_deleted_objects_are_left_out_and_created_ones_come_last():
    predictions = Predictions([change("1", {"a": 1}, None), change("3", None, {"a": 7}), change("4", None, {"a": 8}, kind="group")])
    objects = [Object("user", "1", "1", {"a": 1}), Object("user", "2", "2", {"a": 2})]
    assert [(o.id, dict(o.state)) for o in predictions.overlay(("user",), objects)] == [("2", {"a": 2}), ("3", {"a": 7})]


def test_an_object_that_exists_already_is_not_created_twice():
    predictions = Predictions([change("1", None, {"a": 7})])
    assert [o.id for o in predictions.overlay(("user",), [Object("user", "1", "1", {})])] == ["1"]


def test_a_changed_object_that_was_not_read_is_not_invented():
    predictions = Predictions([change("1", {"a": 1}, {"a": 2})])
    assert list(predictions.overlay(("user",), [])) == []


def test_kinds_do_not_mix():
    predictions = Predictions([change("1", {"a": 1}, None, kind="group")])
    assert predictions.state("user", "1", {"a": 1}) == {"a": 1}


def test_only_what_took_the_place_of_something_counts():
    """A task that meets no prediction plans for what is there, and says nothing of others' plans."""
    predictions = Predictions([change("1", {"a": 1}, {"a": 2}), change("2", None, {"a": 1}), change("3", {"a": 1}, None, kind="group")])
    assert predictions.state("user", "9", {"a": 1}) == {"a": 1} and predictions.met == 0
    list(predictions.overlay(("user",), [Object("user", "1", "1", {"a": 1}), Object("user", "9", "9", {})]))
    assert predictions.met == 2
    assert predictions.of("group") == {"3": None} and predictions.met == 3
