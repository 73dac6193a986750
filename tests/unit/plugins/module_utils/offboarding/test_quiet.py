# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.quiet import AppActivity, counts_from, since, switched_off, token_good_until
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.apps import provisioning_gate
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts


def at(clock):
    return f"2026-01-05T{clock}Z"


def record(action, clock, identity="sp", status="done", kind="service_principal"):
    return {"record": "outcome", "kind": kind, "id": identity, "action": action, "status": status, "at": at(clock)}


UNSEEN = record("disable", "10:00:05", status="failed") | {"code": "not_seen"}


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], None),
        ([record("disable", "10:00:00")], at("10:00:00")),
        ([record("disable", "10:00:00", "another")], None),
        ([record("disable", "10:00:00", status="failed")], None),
        ([record("disable", "10:00:00", kind="application")], None),
        ([record("disable", "10:00:00"), record("enable", "11:00:00")], None),
        ([record("disable", "10:00:00"), record("enable", "11:00:00"), record("disable", "12:00:00")], at("12:00:00")),
        ([record("disable", "10:00:00"), record("delete", "13:00:00")], at("10:00:00")),
        # what its own run did not see afterwards, it has taken back
        ([record("disable", "10:00:00"), UNSEEN], None),
        ([record("disable", "10:00:00"), UNSEEN | {"id": "another"}], at("10:00:00")),
        ([record("disable", "10:00:00"), UNSEEN | {"run": "another"}], at("10:00:00")),
        ([record("disable", "10:00:00"), UNSEEN, record("disable", "12:00:00")], at("12:00:00")),
    ],
)
def test_switched_off(records, expected) -> None:
    assert switched_off(records, "sp") == expected


@pytest.mark.parametrize(
    ("confirmed", "app", "expected"),
    [
        (at("10:00:00"), AppActivity(), at("10:00:00")),
        (at("10:00:00"), AppActivity(enabled=True, switched_off_at=at("11:00:00")), at("10:00:00")),
        (at("10:00:00"), AppActivity(enabled=False, switched_off_at=at("11:00:00")), at("11:00:00")),
        (at("10:00:00"), AppActivity(enabled=False, switched_off_at=at("09:00:00")), at("10:00:00")),
        ("", AppActivity(enabled=False, switched_off_at=at("09:00:00")), at("09:00:00")),
    ],
)
def test_counts_from(confirmed, app, expected) -> None:
    assert counts_from(confirmed, app, 90, at("13:00:00")) == expected


def test_the_switch_off_hides_nothing_while_a_token_may_be_good() -> None:
    app = AppActivity(enabled=False, switched_off_at=at("11:00:00"))
    assert counts_from(at("10:00:00"), app, 90, at("12:29:59")) == at("10:00:00")
    assert counts_from(at("10:00:00"), app, 90, at("12:30:00")) == counts_from(at("10:00:00"), app, 0, at("11:00:01")) == at("11:00:00")
    assert counts_from("", app, 90, at("12:00:00")) == ""


@pytest.mark.parametrize(
    ("confirmed", "off", "expected"),
    [
        ("2999-01-01T00:00:00Z", None, ""),  # a wrong clock: else nothing would ever count
        ("2999-01-01T00:00:00Z", at("09:00:00"), at("09:00:00")),
        (at("10:00:00"), "2999-01-01T00:00:00Z", at("10:00:00")),
        ("t", None, ""),
        ("2026-01-01T00:00:00", None, ""),
        ("", None, ""),
    ],
)
def test_a_time_that_is_none_hides_no_activity(confirmed, off, expected) -> None:
    found = counts_from(confirmed, AppActivity(False, off), 90, at("12:00:00"))
    assert found == expected
    assert since([at("11:00:00")], found) == [at("11:00:00")]


def test_what_came_in_the_same_second_came_before_it_was_written_down() -> None:
    times = ["2026-01-05T10:00:01Z", "2026-01-05T09:59:59.9Z", "2026-01-05T10:00:00.7Z", "2026-01-05T10:00:00Z", "2026-01-05T10:00:02.5000000Z"]
    assert since(times, "9999-12-31T23:59:59Z") == []
    assert since(times, at("10:00:00")) == ["2026-01-05T10:00:01Z", "2026-01-05T10:00:02.5000000Z"]


@pytest.mark.parametrize(
    ("app", "minutes", "now", "expected"),
    [
        (AppActivity(enabled=False, switched_off_at=at("10:00:00")), 90, at("10:00:01"), at("11:30:00")),
        (AppActivity(enabled=False, switched_off_at=at("10:00:00")), 90, at("11:30:00"), None),
        (AppActivity(enabled=False, switched_off_at=at("10:00:00")), 0, at("10:00:00"), None),
        (AppActivity(enabled=True, switched_off_at=at("10:00:00")), 90, at("10:00:01"), None),
        (AppActivity(enabled=False), 90, at("10:00:01"), None),
        # a wrong clock, and no time at all
        (AppActivity(enabled=False, switched_off_at="2027-01-01T00:00:00Z"), 90, at("10:00:01"), None),
        (AppActivity(enabled=False, switched_off_at="9999-12-31T23:59:59Z"), 90, at("10:00:01"), None),
        (AppActivity(enabled=False, switched_off_at="2026-01-05T10:00:00"), 90, at("10:00:01"), None),
        (AppActivity(enabled=False, switched_off_at="t"), 90, at("10:00:01"), None),
        (AppActivity(), 90, at("10:00:01"), None),
    ],
)
def test_token_good_until(app, minutes, now, expected) -> None:
    assert token_good_until(app, minutes, now) == expected


def stop(clock=None):
    return [{"id": "provisioning_stopped", "done": clock is not None, "at": at(clock) if clock else ""}]


OFF = {"enabled": False, "switched_off_at": at("08:00:00")}


@pytest.mark.parametrize(
    ("app", "steps", "now", "expected"),
    [
        # nothing was switched off, nothing confirmed: the person's word is asked for by another task
        (AppActivity(enabled=True), stop(), "08:10:00", None),
        (None, [], "08:10:00", None),
        # switched off: when the stop may be done
        (AppActivity(**OFF), stop(), "08:10:00", ("token_may_be_good", at("09:30:00"))),
        (AppActivity(**OFF), [], "08:10:00", ("token_may_be_good", at("09:30:00"))),
        (AppActivity(**OFF), stop(), "09:30:00", None),
        # the stop's own blocks came before its confirmation
        (AppActivity(enabled=True, activities=[at("09:59:00"), at("10:00:00")]), stop("10:00:00"), "10:01:00", None),
        (AppActivity(enabled=True, activities=[at("09:59:00"), at("10:00:09")]), stop("10:00:00"), "10:01:00", ("still_active", "withdraw the step")),
        (AppActivity(enabled=True, activities=[]), stop("10:00:00"), "10:01:00", None),
        (AppActivity(enabled=True, activities=None), stop("10:00:00"), "10:01:00", None),
        # switched off before the stop: what came in between does not count; what a living token did since does
        (AppActivity(**OFF, activities=[at("08:30:00"), at("09:59:00")]), stop("10:00:00"), "10:01:00", None),
        (AppActivity(**OFF, activities=[at("09:10:00")]), stop("09:00:00"), "09:20:00", ("still_active", f"until {at('09:30:00')}")),
        # switched off after the stop, which did not hold: it may go on as long as its token is good
        (AppActivity(**OFF, activities=[at("07:30:00")]), stop("07:00:00"), "08:20:00", ("still_active", f"until {at('09:30:00')}")),
        (AppActivity(**OFF, activities=[at("07:30:00")]), stop("07:00:00"), "09:30:00", None),
        (AppActivity(enabled=True, activities=[at("07:30:00")]), stop("07:00:00"), "08:20:00", ("still_active", "07:00:00Z: 1, the last one")),
    ],
)
def test_provisioning_gate(app, steps, now, expected) -> None:
    found = provisioning_gate(Facts(app=app, steps=steps, now=at(now)), Confirmed())
    assert [item.code for item in found] == ([expected[0]] if expected else [])
    if expected:
        assert found[0].severity == "blocker" and expected[1] in found[0].text.en
