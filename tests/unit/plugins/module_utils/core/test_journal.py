# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Outcome, Refusal

CHANGE = Change(kind="user", id="1", name="taro", action="password", before={}, after={"password": "(new password)"})


def records(*statuses):
    """An intent, then outcomes with these statuses."""
    return [journal.intent(CHANGE, "run", "2026-11-21T00:00:00Z"), *(journal.outcome(Outcome(CHANGE, s), "run", "2026-11-21T00:00:01Z") for s in statuses)]


def test_an_intent_without_outcome_is_unfinished():
    assert set(journal.unfinished(records())) == {("user", "1", "password")}
    assert journal.unfinished(records("done")) == {}
    assert journal.unfinished(records("failed")) == {}
    assert set(journal.unfinished(records("failed") + records())) == {("user", "1", "password")}


def test_done_counts_only_success_of_that_action():
    assert journal.done(records("failed"), "password") == set()
    assert journal.done(records("failed", "done"), "password") == {("user", "1")}
    assert journal.done(records("done"), "enable") == set()


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
    assert set(journal.unfinished([refused, *records()])) == {("user", "1", "password")}
    assert journal.done([refused, *records("done")], "password") == {("user", "1")}


TRICKY = Change("task", 'host\\\\同期 "a"', 'na"me\\\\', "disable", {"enabled": True}, {"enabled": False})


@pytest.mark.parametrize("change", [CHANGE, TRICKY], ids=["plain", "tricky"])
def test_open_intents_are_the_unfinished_ones(change):
    def begun(run="run"):
        return journal.intent(change, run, "2026-11-21T00:00:00Z")

    def ended(status, run="run"):
        return journal.outcome(Outcome(change, status), run, "2026-11-21T00:00:01Z")

    other = journal.outcome(Outcome(Change("user", "2", "jiro", "enable", {}, {}), "skipped"), "run", "2026-11-21T00:00:01Z")
    refused = journal.refusal(Refusal("max_changes", "too many"), "users", "run", "2026-11-21T00:00:02Z")
    for records in (
        [begun()],
        [begun(), ended("done")],
        [begun(), ended("done"), begun("b")],
        [begun(), begun("b"), ended("failed", "b")],
        [begun(), other, other],
    ):
        lines = [json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for record in [*records, refused]]
        garbage = [b"", b"\n", b'{"record":"inte', b"\xff\n", lines[0][:-20]]
        found = journal.open_intents([*garbage[:4], *lines])
        assert found == list(journal.unfinished(records).values())
    assert journal.open_intents([garbage[4]]) == []
