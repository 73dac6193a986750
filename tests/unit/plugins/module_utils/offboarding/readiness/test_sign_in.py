# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who will be able to sign in, as preflight and the stage domains judge it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.sign_in_readiness import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import sign_in
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import domains_gate, preflight


def user(name: str, code: str, accepted: bool = False, reasons: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"id": name, "name": name, "code": code, "codes": [code], "reasons": list(reasons), "msg": "", "accepted": accepted}


def found(*users: dict[str, Any], not_looked_at: tuple[dict[str, str], ...] = (), limited_by: tuple[str, ...] = (), **counts: int) -> dict[str, Any]:
    counts = {code: counts.get(code, sum(row["code"] == code for row in users)) for code in plan.RANK}
    return {
        "counts": counts,
        "domains": [{"domain": "a.example", "total": sum(counts.values()), "counts": counts}],
        "users": list(users),
        "no_way_in_open": counts["no_way_in"] - sum(row["accepted"] for row in users),
        "not_looked_at": list(not_looked_at),
        "registration_limited_by": list(limited_by),
    }


NOBODY = (user("x", "no_way_in"), user("y", "no_way_in"))


@pytest.mark.parametrize(
    ("told", "accepted_count", "before", "gate"),
    [
        (found(), 0, None, None),
        (found(*NOBODY), 0, "warning", "blocker"),
        (found(*NOBODY), 1, "warning", "blocker"),
        (found(*NOBODY), 2, "info", "info"),
        (found(NOBODY[0], user("y", "no_way_in", accepted=True)), 0, "warning", "blocker"),
        (found(NOBODY[0], user("y", "no_way_in", accepted=True)), 1, "info", "info"),
        (found(user("y", "no_way_in", accepted=True)), 0, None, None),
    ],
)
def test_the_domains_wait_while_somebody_has_no_way_in(told, accepted_count, before, gate) -> None:
    facts, confirmed = Facts(sign_in=told), Confirmed(accepted_no_way_in_count=accepted_count)
    assert [item.severity for item in domains_gate(facts, confirmed)] == ([gate] if gate else [])
    assert [item.severity for item in preflight(facts, confirmed) if item.code == "no_way_in"] == ([before] if before else [])


def test_nobody_has_looked() -> None:
    assert domains_gate(Facts(), Confirmed()) == []


def test_who_is_accepted_by_name_is_not_named_again() -> None:
    (finding,) = domains_gate(Facts(sign_in=found(NOBODY[0], user("y", "no_way_in", accepted=True))), Confirmed())
    assert finding.objects == ("x",) and finding.text.en.startswith("1 user will") and "1人" in finding.text.ja


def test_more_than_are_listed() -> None:
    (finding,) = domains_gate(Facts(sign_in=found(*(user(f"u{number}", "no_way_in") for number in range(20)), no_way_in=5000)), Confirmed())
    assert "5000 users" in finding.text.en and "u9 (+4990)" in finding.text.en and "5000人" in finding.text.ja


def test_none_of_them_is_listed() -> None:
    (finding,) = domains_gate(Facts(sign_in=found(no_way_in=5)), Confirmed())
    assert "converted: (+5)." in finding.text.en


@pytest.mark.parametrize("code", ["looks_like_a_service", "legacy_client", "must_register_mfa", "no_licence", "not_known"])
def test_what_a_person_should_see(code) -> None:
    told = found(user("x", code, reasons=("blocked_now",) if code == "not_known" else ()), limited_by=("Only at the office",))
    findings = {item.code: item for item in preflight(Facts(sign_in=told), Confirmed())}
    finding = findings[f"sign_in_{code}"]
    assert finding.severity == "warning" and finding.objects == ("x",) and finding.text.en.endswith(": x.") and finding.text.ja.endswith(": x")
    assert ("Only at the office" in finding.text.en) == (code == "must_register_mfa") and ("blocked_now" in finding.text.ja) == (code == "not_known")
    assert f"{code} 1" in findings["sign_in_readiness"].text.en


def test_every_part_that_was_refused_is_told() -> None:
    parts = ("roles", "organization", "conditional_access", "security_defaults", "groups", "registered_methods", "legacy_sign_ins", "sign_in_activity")
    assert set(parts) == set(sign_in._PARTS)
    told = found(not_looked_at=tuple({"part": part, "reason": "no_licence", "msg": "m"} for part in parts))
    assert [item.objects for item in preflight(Facts(sign_in=told), Confirmed()) if item.code == "sign_in_not_looked_at"] == [(part,) for part in parts]


def test_every_verdict_but_those_that_need_nothing_has_words() -> None:
    assert {*sign_in._WARNINGS, "no_way_in", "ready", "blocked"} == set(plan.RANK)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("must_register_mfa", "1 user is asked for a second factor and has registered none"),
        ("no_licence", "1 user is enabled and has no licence: "),
        ("not_known", "1 user could not be judged"),
        ("legacy_client", "1 user used a client"),
    ],
)
def test_one_user_is_told_as_one(code: str, shown: str) -> None:
    told = [item.text.en for item in preflight(Facts(sign_in=found(user("x", code))), Confirmed())]
    assert any(text.startswith(shown) for text in told) and not any("1 users" in text for text in told)
