# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal says that was done to policies."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import history

KIND, ID = "group_policy_right", "{6AC1786C-016F-11D2-945F-00C04FB984F9}"
RIGHT = "SeBatchLogonRight"


def records(*steps, kind=KIND):
    """Each step: action, before, after, and the outcome's status (None for a run that was killed)."""
    for action, before, after, status in steps:
        change = Change(kind, ID, "Policy", action, before, after, risk="medium")
        yield {"record": "intent", "run": "1", "at": "2026-11-28T00:00:00Z", **change.to_dict()}
        if status:
            yield {"record": "outcome", "run": "1", "at": "2026-11-28T00:00:01Z", "kind": kind, "id": ID, "name": "Policy", "action": action, "status": status}


def edit(before, after, status="done", action="remove", right=RIGHT):
    states = [{right: members, "sha256": ",".join(members) if members else "none", "versionNumber": 1} for members in (before, after)]
    return action, *states, status


@pytest.mark.parametrize(
    ("steps", "gone"),
    [
        ([edit(["a", "b"], ["b"])], ["a"]),
        ([edit(["a"], None)], ["a"]),
        ([edit(["a", "b"], ["b"], status="failed")], []),
        ([edit(["a", "b"], ["b"], status=None)], []),
        ([edit(["a", "b"], ["b"]), edit(["b"], ["b", "a"], action="restore")], []),
        ([edit(["a", "b"], ["b"]), edit(["b"], ["b", "a"], action="restore"), edit(["a", "b"], ["a"])], ["b"]),
        ([edit(["a", "b", "c"], ["b", "c"]), edit(["b", "c"], ["c"])], ["a", "b"]),
        ([edit(["a"], None, right="SEBATCHLOGONRIGHT")], ["a"]),
    ],
)
def test_what_was_taken_out_and_not_put_back(steps, gone):
    assert next(iter(history.taken_out(history.edits(records(*steps), KIND)).values()), []) == gone


@pytest.mark.parametrize(
    ("steps", "content", "original", "edited"),
    [
        ([], "x", "x", False),
        ([edit(["a"], ["b"])], "b", "a", False),
        ([edit(["a"], ["b"])], "a", "a", False),
        ([edit(["a"], ["b"])], "z", "z", True),
        ([edit(["a"], ["b"]), edit(["b"], ["c"])], "c", "a", False),
        ([edit(["a"], ["b"]), edit(["b"], ["a"], action="restore")], "a", "a", False),
        ([edit(["a"], ["b"]), edit(["x"], ["c"])], "c", "x", False),  # somebody else's edit in between stays
        ([edit(["a"], ["b"], status="failed")], "b", "b", False),
    ],
)
def test_what_a_file_was_before(steps, content, original, edited):
    done = history.edits(records(*steps), KIND)
    assert history.original(done, ID, content) == original
    assert history.edited_since(done, ID, content) is edited
    assert history.original(done, "another", content) == content and not history.edited_since(done, "another", content)


def test_what_somebody_wrote_into_the_journal_is_no_evidence():
    by_hand = [
        {"record": "intent", "run": "1", "at": "x", "kind": KIND, "id": ID, "name": "Policy", "action": "remove", "before": before, "after": after}
        for before, after in ((None, None), ({}, {"sha256": "a"}), ({"sha256": 1}, {"sha256": 2}), ({"sha256": "a", RIGHT: 7}, {"sha256": "b", RIGHT: "x"}))
    ]
    outcome = {"record": "outcome", "run": "1", "at": "x", "kind": KIND, "id": ID, "name": "Policy", "action": "remove", "status": "done"}
    for intent in by_hand:
        assert not any(history.taken_out(history.edits([intent, outcome], KIND)).values())
    assert history.edits([outcome, {"record": "refusal"}], KIND) == []
    assert history.edits(records(edit(["a"], ["b"]), kind="group_policy_registry"), KIND) == []
