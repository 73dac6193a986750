# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What points at IIJ ID, and what nobody has looked at, as preflight and the final gate judge it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.references import plan, read
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import references
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import Confirmed, Facts, domains_gate, final_gate, preflight

IIJ_DOMAIN = {"id": "Reiji.example", "authentication_type": "Federated", "is_root": True, "parent": None, "federation": {"idp": "iij"}}


def points(key: str, kind: str = "application", client_id: str = "", of: str = "") -> dict[str, Any]:
    return {"kind": kind, "id": key, "name": f"name {key}", "client_id": client_id, "of": of, "places": [], "places_count": 1, "why": f"web names {key}"}


def hidden(key: str, kind: str = "mobileApp", reason: str = "permission_missing") -> dict[str, Any]:
    return {"kind": kind, "id": key, "name": key, "client_id": "", "of": "", "path": "", "reason": reason, "msg": f"msg {key}"}


def found(*rows: dict[str, Any], not_looked_at: tuple[dict[str, Any], ...] = (), **more: int) -> dict[str, Any]:
    counts = {"references_count": len(rows), "not_looked_at_count": len(not_looked_at)}
    return {"references": list(rows), "not_looked_at": list(not_looked_at), **counts, **more}


@pytest.mark.parametrize(
    ("told", "confirmed", "expected"),
    [
        (found(), {}, []),
        (found(points("a"), points("b")), {}, [("points_at_iij", ("a", "b"))]),
        (found(points("a"), points("b", "mobileApp")), {}, [("points_at_iij", ("a",)), ("points_at_iij", ("b",))]),
        # accepted by id, whatever its case
        (found(points("a"), points("B")), {"accepted_references": ["A"]}, [("points_at_iij", ("B",)), ("reference_accepted", ("a",))]),
        (found(points("a")), {"accepted_references": ["name a"]}, [("points_at_iij", ("a",))]),
        # IIJ ID's own app and federations have findings of their own
        (found(points("a", client_id="C1")), {"client_ids": ["c1"]}, []),
        (found(points("f", "domainFederation", of="reiji.example")), {}, []),
        (found(points("f", "domainFederation", of="reiji-lab.example")), {}, [("points_at_iij", ("f",))]),
        # not looked at is not nothing found
        (found(not_looked_at=(hidden(""),)), {}, [("not_looked_at", ("mobileApp",))]),
        (found(not_looked_at=(hidden("x", reason="encrypted"), hidden("y"))), {}, [("not_looked_at", ("x",)), ("not_looked_at", ("y",))]),
        (found(not_looked_at=(hidden(""),)), {"accepted_not_looked_at": ["MobileApp"]}, [("not_looked_at_accepted", ("mobileApp",))]),
        (found(not_looked_at=(hidden("x"), hidden("y"))), {"accepted_not_looked_at": ["x"]}, [("not_looked_at", ("y",))]),
        # what is accepted as a reference was not looked at for that, and the other way round
        (found(not_looked_at=(hidden("x"),)), {"accepted_references": ["x", "mobileApp"]}, [("not_looked_at", ("x",))]),
        (found(points("a")), {"accepted_not_looked_at": ["a", "application"]}, [("points_at_iij", ("a",))]),
        (found(not_looked_at=(hidden(""),)), {"accepted_not_looked_at": [""]}, [("not_looked_at", ("mobileApp",))]),
        # more than the module returns
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
        (found(points("h", "homeRealmDiscoveryPolicy")), [], {"preflight": "warning home_realm_policy", "domains": "warning home_realm_policy",
                                                             "final": "blocker home_realm_policy"}),
        (found(points("h", "homeRealmDiscoveryPolicy")), ["H"], {"preflight": "info reference_accepted", "domains": "", "final": "info reference_accepted"}),
        # a rollout that is on is right until the conversion, and harmless after it
        (found(points("r", "featureRolloutPolicy")), ["r"], {"preflight": "info staged_rollout_on", "domains": "info staged_rollout_on",
                                                            "final": "warning staged_rollout_on"}),
        (found(not_looked_at=(hidden("", "featureRolloutPolicy", "delegated_only"),)), [], {"preflight": "info not_looked_at", "domains": "",
                                                                                           "final": "warning not_looked_at"}),
        (found(points("a")), [], {"preflight": "warning points_at_iij", "domains": "", "final": "blocker points_at_iij"}),
    ],
)  # fmt: skip
def test_policies_on_where_people_sign_in(told: dict[str, Any], accepted: list[str], expected: dict[str, str]) -> None:
    rules = {"preflight": preflight, "domains": domains_gate, "final": final_gate}
    for name, rule in rules.items():
        findings = rule(Facts(references=told), Confirmed(accepted_references=accepted))
        assert " ".join(f"{item.severity} {item.code}" for item in findings) == expected[name], name


def test_every_kind_has_words_in_both_languages() -> None:
    assert set(read.KINDS) <= set(references.KINDS)
    assert set(references._REASONS) == plan.REASONS


def test_not_judged_when_it_was_not_asked() -> None:
    assert final_gate(Facts(), Confirmed()) == []
