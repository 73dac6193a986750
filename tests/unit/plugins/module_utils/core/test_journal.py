# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal, times
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Outcome, Refusal

CHANGE = Change(kind="user", id="1", name="taro", action="password", before={}, after={"password": "(new password)"})


def records(*statuses):
    """An intent, then outcomes with these statuses."""
    return [journal.intent(CHANGE, "run", "2026-11-21T00:00:00Z"), *(journal.outcome(Outcome(CHANGE, s), "run", "2026-11-21T00:00:01Z") for s in statuses)]


def lines_of(records):
    """As the runner writes them."""
    return [json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for record in records]


def test_an_intent_without_outcome_is_unfinished():
    (begun,) = records()
    assert journal.unfinished(lines_of([begun])) == [begun]
    assert journal.unfinished(lines_of(records("done"))) == journal.unfinished(lines_of(records("failed"))) == []
    assert journal.unfinished(lines_of(records("failed") + records())) == [begun]


@pytest.mark.parametrize(
    ("action", "statuses", "found"),
    [
        ("uninstall", ["done"], True),
        ("remove", ["failed", "done"], True),
        ("remove", ["done", "failed"], False),
        ("uninstall", ["failed"], False),
        ("uninstall", [], False),
        ("disable", ["done"], False),
    ],
)
def test_removed_is_what_is_known_to_be_gone(action, statuses, found):
    gone = Change("software", "pc/Agent", "Agent", action, {"publisher": "IIJ"}, None)
    told = [journal.intent(gone, "run", "2026-11-21T00:00:00Z"), *(journal.outcome(Outcome(gone, s), "run", "2026-11-21T00:00:01Z") for s in statuses)]
    assert [record["before"] for record in journal.removed(told, "software")] == [{"publisher": "IIJ"}] * found
    assert not [*journal.removed(told, "other")] and not [*journal.removed(told[1:], "software")]


def switching(*told):
    """Records of a task's switching: the actions begun, each with how it ended, if it is known."""
    found = []
    for action, *ends in told:
        change = Change("task", "1", "sync", action, {}, {})
        found.append(journal.intent(change, "run", "2026-11-21T00:00:00Z"))
        found += [journal.outcome(Outcome(change, "failed" if code else "done", code), "run", "2026-11-21T00:00:01Z") for code in ends]
    return found


@pytest.mark.parametrize(
    ("told", "disabled"),
    [
        ([("disable", "")], True),
        ([("disable",)], True),  # killed: nobody knows
        ([("disable", "timeout")], True),
        ([("disable", "", "not_seen")], True),
        ([("disable", "permission_missing")], False),
        ([("disable", ""), ("enable", "")], False),
        ([("disable", ""), ("enable",)], True),
        ([("disable", ""), ("enable", "not_found")], True),
        ([("disable", ""), ("enable", "timeout")], True),
        ([("disable", ""), ("enable", "", "not_seen")], True),
        ([("disable", ""), ("enable", "not_found"), ("enable", "")], False),
        ([("disable", ""), ("enable", ""), ("disable", "permission_missing")], False),
        ([("disable", ""), ("enable", ""), ("disable", "")], True),
        ([("disable", ""), ("delete", "")], False),
        ([("disable", ""), ("delete",)], False),
        ([("disable", ""), ("delete", "permission_missing")], True),
    ],
)
def test_what_tasks_with_the_journal_have_left_disabled(told, disabled):
    refused = journal.refusal(Refusal("max_changes", "too many", ("sync",), ""), "tasks", "run", "2026-11-21T00:00:02Z")
    other = journal.intent(Change("user", "1", "sync", "enable", {}, {}), "run", "2026-11-21T00:00:02Z")
    found = journal.disabled_last([*switching(*told), refused, other], "task")
    assert [(record["record"], record["id"]) for record in found] == [("intent", "1")] * disabled


def test_refusals_are_neither_unfinished_nor_done():
    refused = journal.refusal(Refusal("max_changes", "too many", ("taro",), "max_changes: 30"), "users", "run", "2026-11-21T00:00:02Z")
    assert refused == {
        "record": "refusal",
        "run": "run",
        "at": "2026-11-21T00:00:02Z",
        "noun": "users",
        "rule": "max_changes",
        "msg": "too many",
        "objects": ["taro"],
        "allow_with": "max_changes: 30",
    }
    assert journal.unfinished(lines_of([refused, *records()])) == records()


TRICKY = Change("task", 'host\\\\同期 "a"', 'na"me\\\\', "disable", {"enabled": True}, {"enabled": False})


@pytest.mark.parametrize("change", [CHANGE, TRICKY], ids=["plain", "tricky"])
def test_what_is_unfinished_among_others_and_garbage(change):
    def begun(run="run"):
        return journal.intent(change, run, "2026-11-21T00:00:00Z")

    def ended(status, run="run"):
        return journal.outcome(Outcome(change, status), run, "2026-11-21T00:00:01Z")

    other = journal.outcome(Outcome(Change("user", "2", "jiro", "enable", {}, {}), "skipped"), "run", "2026-11-21T00:00:01Z")
    refused = journal.refusal(Refusal("max_changes", "too many"), "users", "run", "2026-11-21T00:00:02Z")
    for records, expected in (
        ([begun()], [begun()]),
        ([begun(), ended("done")], []),
        ([begun(), ended("done"), begun("b")], [begun("b")]),
        ([begun(), begun("b")], [begun("b")]),
        ([begun(), begun("b"), ended("failed", "b")], []),
        ([begun(), other, other], [begun()]),
    ):
        lines = lines_of([*records, refused])
        garbage = [b"", b"\n", b'{"record":"inte', b"\xff\n", lines[0][:-20]]
        assert journal.unfinished([*garbage[:4], *lines]) == expected
    assert journal.unfinished([garbage[4]]) == []


@pytest.mark.parametrize("change", [CHANGE, TRICKY], ids=["plain", "tricky"])
@pytest.mark.parametrize("written", [{}, {"ensure_ascii": False}, {"separators": (",", ":")}], ids=["escaped", "with blanks", "without blanks"])
@pytest.mark.parametrize("keys", [sorted, lambda names: sorted(names, reverse=True), list], ids=["sorted", "sorted backwards", "as we write it"])
def test_the_order_of_the_keys_means_nothing(change, written, keys):
    """A tool that has rewritten the journal has finished nothing, and has begun nothing anew."""

    def line(record, **how):
        return json.dumps({name: record[name] for name in keys(record)}, **how).encode() + b"\n"

    begun, ended = journal.intent(change, "r", "2026-11-21T00:00:00Z"), journal.outcome(Outcome(change, "done"), "r", "2026-11-21T00:00:01Z")
    ours = {"ensure_ascii": False, "separators": (",", ":")}
    assert journal.unfinished([line(begun, **written)]) == [begun]
    assert journal.unfinished([line(begun, **written), json.dumps(ended, **ours).encode()]) == []
    assert journal.unfinished([json.dumps(begun, **ours).encode(), line(ended, **written)]) == []


def test_an_outcome_that_a_kill_has_cut_off_ends_nothing():
    begun, ended = records("done")
    lines = [json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() for record in (begun, ended)]
    assert journal.unfinished([lines[0], lines[1][:-5]]) == [begun]


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n", b"\0\0\n"])
def test_wherever_an_outcome_was_cut_off_its_change_is_unfinished(tail):
    """Behind a brace within it, it ended as a whole one does."""
    begun = journal.intent(CHANGE, "run", "2026-11-21T00:00:00Z")
    details = {"steps_done": ["patch"], "left_out": {"no_seat": "none is left"}}
    (ended,) = lines_of([journal.outcome(Outcome(CHANGE, "done", details=details), "run", "2026-11-21T00:00:01Z")])
    for length in range(len(ended) - 1):
        assert journal.unfinished([*lines_of([begun]), ended[:length] + tail]) == [begun], length
    assert journal.unfinished([*lines_of([begun]), ended]) == []


@pytest.mark.parametrize(
    ("details", "whole"),
    [
        ({"steps_done": ["revoke"], "begun_at": "2026-11-21T00:00:00Z", "password_set": False, "seen": False, "other": None}, True),
        (None, True),
        ({"steps_done": None}, False),
        ({"steps_done": "revoke"}, False),
        ({"steps_done": [1]}, False),
        ({"begun_at": 5}, False),
        ({"begun_at": "2026-11-21"}, False),
        ({"password_set": "false"}, False),
        ({"password_set": None}, False),
        ({"seen": 0}, False),
    ],
)
def test_details_of_another_type_are_evidence_of_nothing(details, whole):
    (_intent, outcome) = records("done")
    assert len(list(journal.known([outcome | {"details": details}]))) == whole


def test_a_time_that_is_none_is_not_quoted():
    for text in ("secretZ", "2026-13-01T00:00:00Z", "2026-11-21", None, 5):
        with pytest.raises(ValueError, match="its time is none"):
            times.moment(text)


@pytest.mark.parametrize("objects", [None, "a", [1], [["a"]], {}, "MISSING"], ids=str)
def test_a_refusal_of_another_shape_is_none(objects):
    """It stopped the report, and with it the end of every stage."""
    refused = journal.refusal(Refusal("max_changes", "too many", ("taro",)), "users", "run", "2026-11-21T00:00:02Z")
    assert list(journal.known([refused])) == [refused]
    changed = {name: value for name, value in {**refused, "objects": objects}.items() if (name, value) != ("objects", "MISSING")}
    assert list(journal.known([changed])) == []
