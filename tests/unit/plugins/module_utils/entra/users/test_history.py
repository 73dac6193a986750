# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from a journal, record by record."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.domains.plan import CONVERT, GO_BACK
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.history import History
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.plan import NEW_PASSWORD, REVOKED

OLD, NEW = "2022-04-01T00:00:00Z", "2026-11-01T00:00:00Z"


def intent(run="1", **after):
    before = {"passwordProfile": OLD, "accountEnabled": True}
    return {"record": "intent", "run": run, "kind": "user", "id": "u", "action": "update", "before": {name: before.get(name) for name in after}, "after": after}


def outcome(run="1", status="done", steps=None, **details):
    details = details | ({} if steps is None else {"steps_done": steps})
    return {"record": "outcome", "run": run, "kind": "user", "id": "u", "action": "update", "status": status, "details": details}


def unseen(run="1"):
    return {"record": "outcome", "run": run, "kind": "user", "id": "u", "action": "update", "status": "failed", "code": "not_seen", "details": {}}


PASSWORD = intent(passwordProfile=NEW_PASSWORD)


@pytest.mark.parametrize(
    ("records", "was", "may_be"),
    [
        ([], False, False),
        ([PASSWORD], False, True),
        ([PASSWORD, outcome(password_set=True)], True, False),
        ([PASSWORD, outcome(status="failed", password_set=True)], True, False),
        ([PASSWORD, outcome(status="failed", password_set=False)], False, False),
        ([PASSWORD, outcome(status="failed")], False, True),
        ([PASSWORD, outcome(status="skipped")], False, False),
        ([PASSWORD, outcome(run="2", status="failed", password_set=False)], False, True),
        ([PASSWORD, outcome(password_set=True), intent(accountEnabled=True), outcome(steps=["patch"])], True, False),
        # the verification of a run takes back what that run has recorded, and nothing else
        ([PASSWORD, outcome(password_set=True), unseen()], False, True),
        ([PASSWORD, outcome(password_set=True), unseen(), PASSWORD | {"run": "2"}, outcome(run="2", password_set=True)], True, False),
        (
            [PASSWORD, outcome(password_set=True), unseen(), PASSWORD | {"run": "2"}, outcome(run="2", password_set=True), unseen(run="2")],
            False,
            True,
        ),
        (
            [PASSWORD, outcome(password_set=True), unseen(), PASSWORD | {"run": "2"}, outcome(run="2", status="failed", password_set=False)],
            False,
            True,
        ),
        ([PASSWORD, outcome(password_set=True), intent(run="2", licences={}), outcome(run="2", steps=["licences"]), unseen(run="2")], True, False),
    ],
)
def test_passwords(records, was, may_be):
    history = History(records)
    assert (history.password_was_set("u"), history.password_may_be_set("u")) == (was, may_be)
    assert not history.password_was_set("v") and not history.password_may_be_set("v")


BLOCK = intent(accountEnabled=False, signInSessions=REVOKED)
RENEW = intent(passwordProfile=NEW_PASSWORD, signInSessions=REVOKED)
ONLY = intent(run="3", signInSessions=REVOKED)
FAILED = outcome(status="failed", steps=["patch"])
ELSE = [intent(run="2", licences={}), outcome(run="2", steps=["licences"])]


@pytest.mark.parametrize(
    ("records", "owed", "owed_when_blocked"),
    [
        ([], False, False),
        ([intent(accountEnabled=False), outcome(status="failed", steps=["patch"])], False, False),
        ([BLOCK, outcome(steps=["patch", "revoke"])], False, False),
        ([BLOCK, outcome(status="failed", steps=["patch", "revoke"])], False, False),
        ([BLOCK, FAILED], True, True),
        ([BLOCK, FAILED, *ELSE], True, True),
        ([BLOCK, FAILED, ONLY], True, True),
        ([BLOCK, FAILED, ONLY, outcome(run="3", steps=["revoke"])], False, False),
        ([BLOCK, FAILED, ONLY, outcome(run="3", status="failed", steps=[])], True, True),
        ([BLOCK], False, True),
        ([BLOCK, *ELSE], False, True),
        ([BLOCK, intent(run="2", licences={}), outcome(run="2", begun_at="t")], False, True),
        ([BLOCK, outcome(status="failed", steps=[])], False, True),
        ([BLOCK, intent(run="2", accountEnabled=True, signInSessions=REVOKED), outcome(run="2", status="failed", steps=[], password_set=False)], False, True),
        ([intent(licences={}, signInSessions=REVOKED)], False, False),
        ([intent(licences={}, signInSessions=REVOKED), outcome(status="failed", steps=[])], False, False),
        ([BLOCK, outcome(steps=["patch", "revoke"]), unseen()], True, True),
        ([BLOCK, outcome(steps=["patch", "revoke"]), unseen(), ONLY, outcome(run="3", steps=["revoke"])], False, False),
        ([BLOCK, outcome(steps=["patch", "revoke"]), *ELSE, unseen(run="2")], False, False),
        ([RENEW], False, False),
        ([RENEW, outcome(status="failed", steps=[], password_set=False)], False, False),
    ],
)
def test_sessions(records, owed, owed_when_blocked):
    history = History(records)
    state = {"accountEnabled": True, "usageLocation": "JP", "lastPasswordChangeDateTime": OLD}
    assert history.sessions_owed("u", state) is owed
    assert history.sessions_owed("u", state | {"accountEnabled": False}) is owed_when_blocked
    assert history.sessions_owed("u", state | {"lastPasswordChangeDateTime": NEW}) is (owed or records == [RENEW])
    assert not history.sessions_owed("v", state)


def test_domains():
    record = {"record": "outcome", "kind": "domain", "id": "A.example", "action": CONVERT, "at": "2", "details": {}}
    assert History([record | {"status": "failed"}, record | {"status": "done", "id": "b.example", "details": {"begun_at": "1"}}]).converted == {
        "b.example": "1"
    }
    assert History([record | {"status": "done"}]).converted == {"a.example": "2"}
    back = {**record, "action": GO_BACK, "at": "3", "status": "done"}
    assert History([record | {"status": "done"}, back]).converted == {}
    assert History([record | {"status": "done"}, back, record | {"status": "done", "at": "4"}]).converted == {"a.example": "4"}
    # what its own run did not see afterwards, it has taken back
    not_seen = record | {"status": "failed", "code": "not_seen", "run": "1"}
    converted = record | {"status": "done", "run": "1"}
    assert History([converted, not_seen]).converted == {}
    assert History([converted, not_seen | {"run": "2"}]).converted == History([not_seen, converted]).converted == {"a.example": "2"}
    assert History([converted, not_seen | {"id": "b.example"}]).converted == {"a.example": "2"}


def test_the_last_password_is_the_latest_and_not_the_greatest_text():
    times = ["2026-11-21T20:00:00Z", "2026-11-21T23:00:00+09:00"]
    assert History([outcome(password_set=True) | {"at": at} for at in times]).last_password_at == times[0]
