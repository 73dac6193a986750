# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

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


def test_a_run_is_cut_short_when_an_outcome_is_missing():
    def lines(*items):
        return [json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for record in items]

    assert journal.cut_short(lines(*records()))
    assert not journal.cut_short(lines(*records("done")))
    assert not journal.cut_short(lines(*records("done", "failed")))
    other = {**records()[0], "run": "another"}
    assert journal.cut_short(lines(*records("done"), other))
    assert not journal.cut_short([b"", b"\n", b'{"record":"inte', b"\xff", *lines(*records("done"))])
