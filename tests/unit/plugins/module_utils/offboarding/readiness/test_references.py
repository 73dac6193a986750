# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What points at IIJ ID, and what nobody has looked at, as preflight and the final gate judge it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.kinds import KINDS
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.references import info, plan, read
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import references
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import domains_gate, final_gate, preflight

IIJ_DOMAIN = {"id": "Reiji.example", "authentication_type": "Federated", "is_root": True, "parent": None, "federation": {"idp": "iij"}}


def points(key: str, kind: str = "application", client_id: str = "", of: str = "") -> dict[str, Any]:
    return {"kind": kind, "id": key, "name": f"name {key}", "client_id": client_id, "of": of, "places": [], "places_count": 1, "why": f"web names {key}"}


def hidden(key: str, kind: str = "mobile_app", reason: str = "permission_missing") -> dict[str, Any]:
    return {"kind": kind, "id": key, "name": key, "client_id": "", "of": "", "path": "", "reason": reason, "msg": f"msg {key}"}


def found(*rows: dict[str, Any], not_looked_at: tuple[dict[str, Any], ...] = (), **more: int) -> dict[str, Any]:
    counts = {"references_count": len(rows), "not_looked_at_count": len(not_looked_at)}
    return {"references": list(rows), "not_looked_at": list(not_looked_at), **counts, **more}


@pytest.mark.parametrize(
    ("told", "confirmed", "expected"),
    [
        (found(), {}, []),
        (found(points("a"), points("b")), {}, [("points_at_iij", ("a", "b"))]),
        (found(points("a"), points("b", "mobile_app")), {}, [("points_at_iij", ("a",)), ("points_at_iij", ("b",))]),
        # accepted by id, whatever its case
        (found(points("a"), points("B")), {"accepted_references": ["A"]}, [("points_at_iij", ("B",)), ("reference_accepted", ("a",))]),
        (found(points("a")), {"accepted_references": ["name a"]}, [("points_at_iij", ("a",))]),
        # IIJ ID's own app and federations have findings of their own
        (found(points("a", client_id="C1")), {"client_ids": ["c1"]}, []),
        (found(points("f", "internal_federation", of="reiji.example")), {}, []),
        (found(points("f", "internal_federation", of="reiji-lab.example")), {}, [("points_at_iij", ("f",))]),
        # not looked at is not nothing found
        (found(not_looked_at=(hidden(""),)), {}, [("not_looked_at", ("mobile_app",))]),
        (found(not_looked_at=(hidden("x", reason="encrypted"), hidden("y"))), {}, [("not_looked_at", ("x",)), ("not_looked_at", ("y",))]),
        (found(not_looked_at=(hidden(""),)), {"accepted_not_looked_at": ["Mobile_App"]}, [("not_looked_at_accepted", ("mobile_app",))]),
        (found(not_looked_at=(hidden("x"), hidden("y"))), {"accepted_not_looked_at": ["x"]}, [("not_looked_at", ("y",))]),
        # what is accepted as a reference was not looked at for that, and the other way round
        (found(not_looked_at=(hidden("x"),)), {"accepted_references": ["x", "mobile_app"]}, [("not_looked_at", ("x",))]),
        (found(points("a")), {"accepted_not_looked_at": ["a", "application"]}, [("points_at_iij", ("a",))]),
        (found(not_looked_at=(hidden(""),)), {"accepted_not_looked_at": [""]}, [("not_looked_at", ("mobile_app",))]),
        # more than the module returns; what is accepted does not count, but is told
        (
            found(points("a"), references_count=1001, references_accepted_count=1001),
            {"accepted_references": ["a"]},
            [("more_references_accepted", ()), ("reference_accepted", ("a",))],
        ),
        (
            found(points("a"), references_count=1002, references_accepted_count=1),
            {},
            [("more_references", ()), ("more_references_accepted", ()), ("points_at_iij", ("a",))],
        ),
        (
            found(not_looked_at=(hidden("x"),), not_looked_at_count=1500, not_looked_at_accepted_count=1500),
            {"accepted_not_looked_at": ["mobile_app"]},
            [("more_references_accepted", ()), ("not_looked_at_accepted", ("x",))],
        ),
        (
            found(not_looked_at=(hidden("x"),), not_looked_at_count=1500),
            {"accepted_not_looked_at": ["mobile_app"]},
            [("more_references", ()), ("not_looked_at_accepted", ("x",))],
        ),  # nobody knows what is cut
        (found(points("a"), references_count=1, references_accepted_count=1), {"accepted_references": ["a"]}, [("reference_accepted", ("a",))]),
        (found(points("a"), references_count=1001), {"accepted_references": ["a"]}, [("more_references", ()), ("reference_accepted", ("a",))]),
    ],
)
@pytest.mark.parametrize("final", [True, False])
def test_judged(told: dict[str, Any], confirmed: dict[str, Any], expected: list[tuple[str, tuple[str, ...]]], final: bool) -> None:
    rule, severity = (final_gate, "blocker") if final else (preflight, "warning")
    findings = [item for item in rule(Facts(domains=[IIJ_DOMAIN], references=told), Confirmed(**confirmed)) if not item.code.startswith(("domain", "app"))]
    assert sorted((item.code, item.objects) for item in findings) == sorted(expected)
    assert {item.severity for item in findings} <= {severity, "info"}
    assert all(item.severity == "info" if item.code.endswith("accepted") else item.severity == severity for item in findings)


@pytest.mark.parametrize(
    ("told", "accepted", "expected"),
    [
        (found(points("h", "home_realm_discovery_policy")), [], {"preflight": "warning home_realm_policy", "domains": "warning home_realm_policy",
                                                             "final": "blocker home_realm_policy"}),
        (found(points("h", "home_realm_discovery_policy")), ["H"], {"preflight": "info reference_accepted", "domains": "", "final": "info reference_accepted"}),
        # a rollout that is on is right until the conversion, and harmless after it
        (found(points("r", "feature_rollout_policy")), ["r"], {"preflight": "info staged_rollout_on", "domains": "info staged_rollout_on",
                                                            "final": "warning staged_rollout_on"}),
        (found(not_looked_at=(hidden("", "feature_rollout_policy", "delegated_only"),)), [], {"preflight": "warning not_looked_at", "domains": "",
                                                                                           "final": "blocker not_looked_at"}),
        (found(points("a")), [], {"preflight": "warning points_at_iij", "domains": "", "final": "blocker points_at_iij"}),
    ],
)  # fmt: skip
def test_policies_on_where_people_sign_in(told: dict[str, Any], accepted: list[str], expected: dict[str, str]) -> None:
    rules = {"preflight": preflight, "domains": domains_gate, "final": final_gate}
    for name, rule in rules.items():
        findings = rule(Facts(references=told), Confirmed(accepted_references=accepted))
        assert " ".join(f"{item.severity} {item.code}" for item in findings) == expected[name], name


#: rows that the tenant shows (kind, record, how many), what is accepted, and what of it the final gate makes blockers of
MANY = [
    ([("mobile_app", "not_looked_at", 1200)], {"accepted_not_looked_at": ["MOBILE_APP"]}, set()),
    ([("mobile_app", "not_looked_at", 1200)], {}, {"not_looked_at", "more_references"}),
    ([("mobile_app", "not_looked_at", 1200)], {"accepted_not_looked_at": [f"mobile_app{n}" for n in range(1200)]}, set()),
    # what is not accepted is listed, however much accepted was read before it
    ([("mobile_app", "not_looked_at", 1200), ("named_location", "not_looked_at", 1)], {"accepted_not_looked_at": ["mobile_app"]}, {"not_looked_at"}),
    ([("application", "references", 1200)], {"accepted_references": [f"APPLICATION{n}" for n in range(1200)]}, set()),
    ([("application", "references", 1200)], {"accepted_references": [f"application{n}" for n in range(1, 1200)]}, {"points_at_iij"}),
    ([("application", "references", 1200)], {"accepted_references": ["application1"]}, {"points_at_iij", "more_references"}),
    ([("application", "references", 1200)], {"accepted_references": [""], "accepted_not_looked_at": ["application"]}, {"points_at_iij", "more_references"}),
]


@pytest.mark.parametrize(("rows", "confirmed", "blocked"), MANY)
def test_what_is_accepted_takes_no_place_in_the_answer(rows: list[tuple[str, str, int]], confirmed: dict[str, Any], blocked: set[str]) -> None:
    """From the module's answer to the gate: both know the same as accepted."""
    accepted = plan.Accepted.of(confirmed.get("accepted_references", ()), confirmed.get("accepted_not_looked_at", ()))
    answer = info._Rows(None, accepted)
    for kind, record, count in rows:
        for number in range(count):
            answer.add(record, (points if record == "references" else hidden)(f"{kind}{number}", kind))
    told = answer.answer()
    assert all(len(told[record]) == min(1000, told[f"{record}_count"]) for record in ("references", "not_looked_at"))
    findings = final_gate(Facts(references=told), Confirmed(**confirmed))
    assert {item.code for item in findings if item.severity == "blocker"} == blocked
    cut = sum(told[f"{record}_count"] - len(told[record]) for record in ("references", "not_looked_at"))
    numbers = [int(item.text.en.split()[0]) for item in findings if item.code in ("more_references", "more_references_accepted")]
    assert sum(numbers) == cut  # all that is cut is told


def test_every_kind_has_words_in_both_languages() -> None:
    assert set(read.KINDS) <= set(KINDS)
    assert set(references.REASONS) == plan.REASONS


def test_not_judged_when_it_was_not_asked() -> None:
    assert final_gate(Facts(), Confirmed()) == []


@pytest.mark.parametrize(
    ("count", "shown"),
    [(1, "Of the app registrations 1 points at IIJ ID: "), (2, "Of the app registrations 2 point at IIJ ID: ")],
)
def test_one_is_told_as_one(count: int, shown: str) -> None:
    rows = [points(str(number)) for number in range(count)]
    assert [item.text.en.startswith(shown) for item in final_gate(Facts(references=found(*rows)), Confirmed())] == [True]
    (told,) = (item for item in final_gate(Facts(references=found(references_count=count)), Confirmed()))
    assert told.text.en.startswith("1 more object points" if count == 1 else "2 more objects point")
