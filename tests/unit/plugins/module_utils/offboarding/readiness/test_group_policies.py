# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from group policies that mention IIJ ID."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.group_policies import EDITS, PolicyDecisions, decided, findings
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import final_gate, preflight

GUID, OTHER = "{6AC1786C-016F-11D2-945F-00C04FB984F9}", "{0FFB0A2D-1001-4000-8000-000000000001}"
RIGHTS, REGISTRY = (edited.variable for edited in EDITS)
RIGHT = {
    "kind": "right",
    "file": "GptTmpl.inf",
    "where": "SeBatchLogonRight",
    "value": "*S-1-5-21-1",
    "found": ["S-1-5-21-1"],
    "changed_by": "group_policy_right",
}
LIST = {"kind": "registry", "file": "Registry.pol", "where": r"Edge\AuthServerAllowlist", "value": "auth.iij.jp", "found": ["auth.iij.jp"]}
OURS, WIDE = LIST | {"changed_by": "group_policy_registry"}, LIST | {"changed_by": "", "found": [], "broader": ["*.iij.jp"]}
ITEM = {
    "kind": "preference",
    "file": "Registry.xml",
    "where": "ZoneMap",
    "value": "1",
    "found": ["auth.iij.jp"],
    "changed_by": "",
    "action": "U",
    "disabled": False,
}
SCRIPT = {"kind": "script", "file": "x.cmd", "where": "", "value": "", "found": ["auth.iij.jp"], "changed_by": ""}
BROKEN = {"code": "policy_unreadable", "msg": "x"}
FAILED = {"failure": {"code": "insufficient_rights"}, "msg": "no"}


def policies(*mentions, guid=GUID, unreadable=()):
    return {"policies": [{"guid": guid, "name": "Policy", "mentions": list(mentions), "unreadable": list(unreadable)}]}


def netlogon(mentions=(), unreadable=()):
    return {"netlogon": {"folder": r"sysvol\ad\scripts", "mentions": list(mentions), "unreadable": list(unreadable)}}


def told(found, final, **decided):
    return [(item.severity, item.code) for item in findings(found, PolicyDecisions(**decided), final=final)]


@pytest.mark.parametrize(
    ("found", "decided", "before", "after"),
    [
        (policies(), {}, [], []),
        (policies(RIGHT), {}, ["blocker group_policy_not_confirmed"], ["blocker group_policy_points_at_iij"]),
        (policies(RIGHT), {"confirmed": {RIGHTS: [GUID]}}, ["info group_policy_edited"], ["blocker group_policy_points_at_iij"]),
        (policies(RIGHT), {"confirmed": {RIGHTS: [GUID.lower().strip("{}")]}}, ["info group_policy_edited"], ["blocker group_policy_points_at_iij"]),
        # confirmed for the other edit is not confirmed for this one
        (policies(RIGHT), {"confirmed": {REGISTRY: [GUID]}}, ["blocker group_policy_not_confirmed"], ["blocker group_policy_points_at_iij"]),
        (policies(RIGHT, OURS), {"kept": [GUID.lower()]}, [], []),
        (policies(OURS), {"confirmed": {REGISTRY: [GUID]}}, ["info group_policy_edited"], ["blocker group_policy_points_at_iij"]),
        # by hand: broader entries, scripts, items with others in their list; items that delete or are switched off set nothing
        (policies(WIDE), {}, ["warning group_policy_by_hand"], ["warning group_policy_by_hand"]),
        (policies(SCRIPT), {"kept": [GUID]}, [], []),
        (policies(ITEM), {}, ["warning group_policy_by_hand"], ["warning group_policy_by_hand"]),
        (policies(ITEM | {"action": "D"}, ITEM | {"action": "D", "disabled": True}), {}, [], []),
        (policies(ITEM | {"disabled": True}), {}, ["info group_policy_item_inactive"], ["info group_policy_item_inactive"]),
        (policies(ITEM | {"disabled": True}), {"kept": [GUID]}, [], []),
        # not read is never clean
        (FAILED, {}, ["warning group_policies_not_read"], ["warning group_policies_not_read"]),
        (FAILED, {"confirmed": {RIGHTS: [GUID]}}, ["blocker group_policies_not_read"], ["blocker group_policies_not_read"]),
        (policies(unreadable=[BROKEN | {"file": "GPT.INI"}]), {}, ["warning group_policy_not_readable"], ["warning group_policy_not_readable"]),
        (
            {"unreadable_policies": [BROKEN | {"dn": "CN=x"}]},
            {},
            ["warning group_policy_not_readable"],
            ["warning group_policy_not_readable"],
        ),
        (
            {"unreadable_policies": [BROKEN | {"dn": f"CN={OTHER},CN=Policies"}]},
            {"confirmed": {RIGHTS: [OTHER]}},
            ["warning group_policy_not_readable"],
            ["warning group_policy_not_readable"],
        ),
        (policies(), {"confirmed": {RIGHTS: [OTHER]}}, ["warning group_policy_not_found"], ["warning group_policy_not_found"]),
        (netlogon(), {}, [], []),
        ({"netlogon": None}, {}, [], []),
        (netlogon(mentions=[SCRIPT]), {"kept": [GUID]}, ["warning logon_scripts_by_hand"], ["warning logon_scripts_by_hand"]),
        (netlogon(unreadable=[BROKEN | {"file": ""}]), {}, ["warning logon_scripts_not_readable"], ["warning logon_scripts_not_readable"]),
        ({"orphaned": [{"guid": GUID, "right": "SeBatchLogonRight", "member": "*S-1-5-21-9"}]}, {}, ["info orphaned_rights"], ["info orphaned_rights"]),
    ],
)  # fmt: skip
def test_the_table_of_findings(found, decided, before, after):
    for final, expected in ((False, before), (True, after)):
        assert told(found, final, **decided) == [tuple(item.split()) for item in expected]


def test_both_languages_name_the_policy_the_place_and_the_way_out():
    (item,) = findings(policies(RIGHT), PolicyDecisions(), final=False)
    for text in item.text:
        assert all(part in text for part in (GUID, "Policy", "SeBatchLogonRight", RIGHTS, "offboard_kept_group_policies"))
    many = [OURS | {"where": f"list {number}"} for number in range(9)]
    (item,) = findings(policies(*many), PolicyDecisions(), final=True)
    assert "list 4 (+4)" in item.text.en and "list 5" not in item.text.en


def test_scripts_of_the_domain_are_named_in_both_languages():
    mentioned, unread = findings(netlogon([SCRIPT], [BROKEN | {"file": f"{number}.exe"} for number in range(9)]), PolicyDecisions(), final=True)
    for text in mentioned.text:
        assert r"sysvol\ad\scripts" in text and "x.cmd" in text
    for text in unread.text:
        assert "4.exe (+4)" in text and "5.exe" not in text
    assert mentioned.objects == ("x.cmd",)


def test_the_gates_judge_them():
    facts = Facts(group_policies=policies(RIGHT))
    assert [item.code for item in preflight(facts, Confirmed())] == ["group_policy_not_confirmed"]
    assert [item.code for item in preflight(facts, Confirmed(right_policies=[GUID]))] == ["group_policy_edited"]
    assert [item.code for item in final_gate(facts, Confirmed(right_policies=[GUID]))] == ["group_policy_points_at_iij"]
    assert final_gate(facts, Confirmed(kept_policies=[GUID])) == [] == final_gate(Facts(), Confirmed())
    decisions = decided(Confirmed(right_policies=["a"], registry_policies=["b"], kept_policies=["c"]))
    assert decisions == PolicyDecisions({RIGHTS: ["a"], REGISTRY: ["b"]}, ["c"])
