# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from assignments in Intune, before the exit and at its end."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core.kinds import KINDS
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.intune_assignments import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import intune
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.draft import draft
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import final_gate, preflight

GROUP = "11111111-1111-1111-1111-111111111111"


def one(target: str = "allDevices", intent: str = "required", group: str = "", key: str = "g_1_0") -> dict[str, Any]:
    return {"id": key, "target": target, "group": group, "intent": intent, "filter": ""}


def app(*assignments: dict[str, Any], kind: str = "mobile_app", devices: Any = "not_known", readable: bool = True) -> dict[str, Any]:
    row = {"kind": kind, "id": "Aa", "name": "SmartKey", "client_id": "", "of": "", "places": [], "places_count": 1, "why": "appStoreUrl names id974476420"}
    return {**row, "assignments": list(assignments) if readable else None, "devices": devices}


def found(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"references": list(rows), "references_count": len(rows), "not_looked_at": [], "not_looked_at_count": 0}


def entry(target: str = "allDevices", key: str = "aA", **more: str) -> dict[str, Any]:
    return {"object": key, "target": target, **more}


def looked(left: tuple[str, ...] = (), gone: tuple[str, ...] = ()) -> dict[str, Any]:
    rows = {"left": left, "not_there": gone}
    return {name: [{"kind": "mobile_app", "name": f"SmartKey: {target}", **entry(target)} for target in targets] for name, targets in rows.items()}


REFUSED = {"failure": {"code": "permission_missing"}, "msg": "The app lacks DeviceManagementApps.Read.All."}
POINTS, LEFT, GOING, CANDIDATE = "points_at_iij", "blocker intune_assignment_left", "info intune_assignments_removed", "info intune_assignments"


@pytest.mark.parametrize(
    ("rows", "looked_at", "confirmed", "before", "after"),
    [
        ([], None, [], [], []),
        ([app(one())], None, [], [f"warning {POINTS}", CANDIDATE], [f"blocker {POINTS}"]),
        # of some kinds a single assignment cannot be removed
        ([app(one(), kind="configuration_policy")], None, [], [f"warning {POINTS}"], [f"blocker {POINTS}"]),
        ([app(readable=False)], None, [], [f"warning {POINTS}"], [f"blocker {POINTS}"]),
        # confirmed by the target, or by the assignment's own id; whatever the case
        ([app(one())], looked(("allDevices",)), [entry("ALLDEVICES")], [f"warning {POINTS}", GOING], [f"blocker {POINTS}", LEFT]),
        ([app(one(GROUP))], looked((GROUP,)), [entry(f" {{{GROUP.upper()}}}")], [f"warning {POINTS}", GOING], [f"blocker {POINTS}", LEFT]),
        ([app(one())], looked(("G_1_0",)), [entry("G_1_0")], [f"warning {POINTS}", GOING], [f"blocker {POINTS}", LEFT]),
        ([app(one(), one(GROUP))], looked(("allDevices",)), [entry()], [f"warning {POINTS}", CANDIDATE, GOING], [f"blocker {POINTS}", LEFT]),
        # it is gone, and reaches nobody: the app may stay
        ([app()], looked(gone=("allDevices",)), [entry()], ["warning intune_assignment_not_found", "info reference_accepted"], ["info reference_accepted"]),
        ([app(readable=False)], looked(gone=("allDevices",)), [entry()],
         [f"warning {POINTS}", "warning intune_assignment_not_found"], [f"blocker {POINTS}"]),
        # an app that is assigned to nobody without anybody's word is still to be looked at
        ([app()], None, [], [f"warning {POINTS}"], [f"blocker {POINTS}"]),
        ([app()], looked(gone=("allDevices",)), [entry(key="other")],
         [f"warning {POINTS}", "warning intune_assignment_not_found"], [f"blocker {POINTS}"]),
        # not looked at is not gone
        ([], None, [entry()], ["warning intune_not_read"], ["blocker intune_not_read"]),
        ([], REFUSED, [entry()], ["warning intune_not_read"], ["blocker intune_not_read"]),
    ],
)  # fmt: skip
def test_judged(rows: list[dict[str, Any]], looked_at: Any, confirmed: list[dict[str, Any]], before: list[str], after: list[str]) -> None:
    facts = Facts(references=found(*rows) if rows else None, intune=looked_at)
    for rule, expected in ((preflight, before), (final_gate, after)):
        told = [f"{item.severity} {item.code}" for item in rule(facts, Confirmed(intune_assignments=confirmed))]
        assert sorted(told) == sorted(expected), rule


def test_an_app_that_may_stay_as_it_is_has_no_candidates() -> None:
    told = preflight(Facts(references=found(app(one()))), Confirmed(accepted_references=["AA"]))
    assert [item.code for item in told] == ["reference_accepted"]
    assert intune.CONFIRMED not in draft(Facts(references=found(app(one()))), Confirmed(accepted_references=["AA"]), {}, "en")


@pytest.mark.parametrize(
    ("row", "english", "japanese"),
    [
        (app(one(), one(GROUP, "available", "営業")), f"assigned: required: all devices, available: 営業 ({GROUP}); devices: not known",
         f"割り当て先: 必須: すべてのデバイス, 使用可能: 営業 ({GROUP})、デバイス数: 不明"),
        ({**app(), "devices_reason": "not_detected"}, "assigned to nobody; devices: not known (Intune has detected no app of this name)",
         "割り当てなし、デバイス数: 不明（この名前のアプリをIntuneが検出していない）"),
        ({**app(), "devices_reason": "x"}, "assigned to nobody; devices: not known (Graph refused, x)", "割り当てなし、デバイス数: 不明（Graphのエラー、x）"),
        (app(one(f"not {GROUP}", "")), f"assigned: not {GROUP}; devices: not known", f"割り当て先: {GROUP} を除外、デバイス数: 不明"),
        (app(devices=0), "assigned to nobody; devices: 0", "割り当てなし、デバイス: 0台"),
        (app(readable=False, devices=3), "assigned to: not known; devices: 3", "割り当て先: 不明、デバイス: 3台"),
    ],
)  # fmt: skip
def test_told_with_whom_and_how_many(row: dict[str, Any], english: str, japanese: str) -> None:
    (finding,) = (item for item in preflight(Facts(references=found(row)), Confirmed()) if item.code == POINTS)
    assert f"; {english}. Change" in finding.text.en and f"、{japanese}。" in finding.text.ja


def test_the_draft_has_the_values_to_copy() -> None:
    rows = found(app(one(), one(f"not {GROUP}", "required", "営業")))
    text = draft(Facts(references=rows), Confirmed(), {}, "both")
    taken = yaml.safe_load("\n".join(line.removeprefix("# ") for line in text.splitlines() if not line.startswith("## ")))
    assert taken[intune.CONFIRMED] == [{"kind": "mobile_app", "object": "Aa", "target": target} for target in ("allDevices", f"not {GROUP}")]
    (finding,) = (item for item in preflight(Facts(references=rows), Confirmed()) if item.code == "intune_assignments")
    assert yaml.safe_load(finding.text.en[finding.text.en.index("[{") : finding.text.en.rindex("]") + 1]) == taken[intune.CONFIRMED]


@pytest.mark.parametrize(
    ("confirmed", "told"),
    [
        ([], []),
        ([entry()], ["apps"]),
        ([entry(kind="mobile_app_configuration")], ["apps"]),
        ([entry(kind="device_configuration")], ["profiles"]),
        ([entry(), entry(kind="device_configuration")], ["apps", "profiles"]),
    ],
)
def test_permissions_are_demanded_by_what_is_confirmed(confirmed: list[dict[str, Any]], told: list[str]) -> None:
    missing = [{"work": f"intune_{name}", "stages": ["clients"], "permissions": [name], "roles": []} for name in ("apps", "profiles")]
    findings = preflight(Facts(permissions={"missing": missing}), Confirmed(intune_assignments=confirmed))
    assert [item.objects for item in findings if item.code == "permission_missing"] == [(name,) for name in told]


def test_the_same_words_as_the_modules_have() -> None:
    assert set(plan.CHANGEABLE) == intune.CHANGEABLE and set(plan.FAMILIES) <= set(KINDS)
