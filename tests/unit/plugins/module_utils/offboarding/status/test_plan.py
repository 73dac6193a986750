# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an exit stands, by what stands in its run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import kinds
from ansible_collections.offboard.iij_id.plugins.module_utils._core.text import Text
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import SUBJECTS
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report.plan import build as report
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.status.plan import STAGES, STATES, RunEvidence, build, lines, plan_hash, summary

ROOT = Path(__file__).parents[6]
AT = "2026-01-01T09:00:0{}Z"


def change(kind: str, action: str, identity: str, second: int, status: str = "done") -> list[dict[str, Any]]:
    """Intent and outcome; the outcome is missing for an unfinished one."""
    same = {"kind": kind, "action": action, "id": identity, "name": identity, "at": AT.format(second)}
    intent = {"record": "intent", **same, "before": {}, "after": {}, "risk": "low", "undo": ""}
    outcome = {"record": "outcome", **same, "status": status, "code": "", "msg": ""}
    return [intent] if status == "unfinished" else [intent, outcome]


def step(identity: str, stage: str, done: bool = False) -> dict[str, Any]:
    return {"id": identity, "stage": stage, "en": f"Do {identity}.", "ja": f"{identity} を行う。", "blocks_final_gate": True, "source": "", "done": done}


def evidence(
    records: Any = (), steps: Any = (), preflight: Any = None, final: Any = None, taken: str = "", judged_at: str | None = None, **more: Any
) -> RunEvidence:
    every = [record for records_of in records for record in records_of]
    data = report(every, list(steps), preflight, final, {"taken": taken} if taken else None, "", judged_at=judged_at)
    return RunEvidence("/srv/run", data, **more)


def states(found: dict[str, Any]) -> dict[str, str]:
    return {stage["stage"]: stage["state"] for stage in found["stages"] if stage["state"] != "nothing"}


BLOCKER = {"severity": "blocker", "code": "x", "en": "x", "ja": "x"}
OPEN = {"open": True, "at": AT.format(3), "domains": ["a.example", "b.example"]}
WARNING = {**BLOCKER, "severity": "warning"}
SAVED = {"preflight": "recorded", "snapshot": "recorded"}
BEGUN = {"taken": AT.format(1), "preflight": []}
EVERYWHERE: dict[str, list[str]] = {"machines": ["pc1", "pc2"], "done": ["pc1", "pc2"]}
HALF: dict[str, list[str]] = {"machines": ["pc1", "pc2"], "done": ["pc1"]}
NONE: dict[str, list[str]] = {"machines": [], "done": []}
REPAIRED = {**BEGUN, "verdict": OPEN, "results": {"users": {"done": 3}}}


@pytest.mark.parametrize(
    ("given", "expected", "following"),
    [
        ({}, {}, "preflight"),
        ({"preflight": [BLOCKER]}, {"preflight": "stopped"}, "preflight"),
        ({"preflight": [{**BLOCKER, "severity": "warning"}]}, {"preflight": "recorded"}, "snapshot"),
        (BEGUN, {"preflight": "recorded", "snapshot": "recorded"}, "freeze"),
        # a step of the gate is open, or its verdict closed
        ({**BEGUN, "steps": [step("stop", "gate")]}, {"preflight": "recorded", "snapshot": "recorded", "gate": "waiting"}, "gate"),
        ({**BEGUN, "verdict": {**OPEN, "open": False}}, {"preflight": "recorded", "snapshot": "recorded", "gate": "stopped"}, "gate"),
        ({**BEGUN, "verdict": OPEN}, {"preflight": "recorded", "snapshot": "recorded", "gate": "recorded"}, "users"),
        # what failed, or was begun and never ended, is where to go on, whatever comes after it
        (
            {"records": [change("domain", "convert_to_managed", "a.example", 1, "failed"), change("windows_software", "uninstall", "m/x", 2)]},
            {"domains": "stopped", "agents": "recorded"},
            "domains",
        ),
        ({"records": [change("application", "delete", "i", 1, "unfinished")]}, {"app": "stopped"}, "app"),
        # a failure that was made good is none
        (
            {"records": [change("application", "delete", "i", 1, "failed"), change("application", "delete", "i", 2)]},
            {"app": "recorded"},
            "relying_parties",
        ),
        # users are counted by their results
        ({"results": {"users": {"done": 3, "failed": 1}}}, {"users": "stopped"}, "users"),
        ({"results": {"users": {"done": 3, "skipped": 1}}}, {"users": "recorded"}, "domains"),
        # who arrives is looked at beside the stages: it is told, stops nothing, and is never what comes next
        ({"results": {"passwords-a.example": {"done": 9}, "arrivals": {"arrived": 7, "failed": 2}}}, {"passwords": "recorded", "arrivals": "recorded"}, "app"),
        ({"results": {"passwords-a.example": {"done": 9}}}, {"passwords": "recorded"}, "app"),
        ({"results": {"arrivals": {"failed": 2}}, "steps": [step("mfa", "domains")]}, {"domains": "waiting", "arrivals": "recorded"}, "domains"),
        ({"records": [change("windows_certificate", "remove", "pc1/machine/A1", 1)]}, {"clients": "recorded"}, "final_gate"),
        # a stage of nothing but steps is done when they are; the contract waits until the final gate has opened
        ({"steps": [step("unlinked", "relying_parties", done=True)]}, {"relying_parties": "recorded"}, "agents"),
        # a person's word alone is no work of a stage: what it found is recorded, also that there was nothing
        ({"steps": [step("phones", "clients", done=True)]}, {}, "preflight"),
        ({"steps": [step("phones", "clients", done=True)], "on_machines": {"clients": HALF}}, {}, "preflight"),
        (
            {"steps": [step("phones", "clients", done=True)], "on_machines": {"clients": NONE}, "final": []},
            {"clients": "recorded", "final_gate": "recorded"},
            "report",
        ),
        ({"steps": [step("old", "agents", done=True)], "on_machines": {"agents": EVERYWHERE}}, {"agents": "recorded"}, "accounts"),
        ({"steps": [step("handed", "passwords", done=True)]}, {}, "preflight"),
        (
            {"records": [change("domain", "convert_to_managed", "a.example", 4)], "steps": [step("handed", "passwords", done=True)]},
            {"domains": "recorded", "passwords": "recorded"},
            "app",
        ),
        ({"steps": [step("phones", "clients"), step("contract", "report")]}, {"clients": "waiting"}, "clients"),
        ({"final": [BLOCKER]}, {"final_gate": "stopped"}, "final_gate"),
        # nobody is asked to stop the provisioning before the snapshot is taken, and while the agents' schedules still run
        ({"steps": [step("stop", "gate")]}, {}, "preflight"),
        ({"preflight": [WARNING], "steps": [step("stop", "gate")]}, {"preflight": "recorded"}, "snapshot"),
        ({**BEGUN, "steps": [step("stop", "gate")], "on_machines": {"snapshot": EVERYWHERE}}, SAVED, "freeze"),
        ({**BEGUN, "steps": [step("stop", "gate")], "on_machines": {"snapshot": EVERYWHERE, "freeze": HALF}}, {**SAVED, "gate": "waiting"}, "gate"),
        ({**BEGUN, "on_machines": {"snapshot": EVERYWHERE, "freeze": EVERYWHERE}}, {**SAVED, "freeze": "recorded"}, "gate"),
        # nor to hand passwords over that nobody has, since the domains are not converted
        (
            {**REPAIRED, "steps": [step("mfa", "domains", done=True), step("handed", "passwords")]},
            {**SAVED, "gate": "recorded", "users": "recorded"},
            "domains",
        ),
        (
            {**REPAIRED, "records": [change("domain", "convert_to_managed", "a.example", 4)], "steps": [step("handed", "passwords")]},
            {**SAVED, "gate": "recorded", "users": "recorded", "domains": "recorded", "passwords": "waiting"},
            "passwords",
        ),
        # what was brought back is done no more, and is where a way forward begins again; nobody is asked to end the contract
        (
            {
                "records": [
                    change("domain", "convert_to_managed", "a.example", 1),
                    change("service_principal", "delete", "i", 2),
                    change("service_principal", "restore", "i", 3),
                    change("domain", "convert_to_federated", "a.example", 4),
                ],
                "final": [],
                "judged_at": AT.format(2),
                "steps": [step("contract", "report"), step("handed", "passwords", done=True)],
            },
            {"domains": "taken_back", "app": "taken_back", "final_gate": "outdated"},
            "domains",
        ),
        (
            {"records": [change("service_principal", action, "i", 1) for action in ("disable", "delete", "restore", "enable", "delete")]},
            {"gate": "taken_back", "app": "recorded"},
            "gate",
        ),
        # what was brought back on purpose, and before the final gate opened, asks for nothing any more
        (
            {
                "records": [change("directory_object", action, "i", second) for second, action in enumerate(("disable", "enable"), 1)],
                "final": [],
                "judged_at": AT.format(3),
                "steps": [step("contract", "report")],
            },
            {"accounts": "taken_back", "final_gate": "recorded", "report": "waiting"},
            "report",
        ),
        # the gate has judged anew since
        (
            {
                "records": [change("service_principal", "disable", "i", 1), change("service_principal", "enable", "i", 2)],
                "verdict": OPEN,
            },
            {"gate": "recorded"},
            "users",
        ),
        # a removal takes nothing back, nor does what could not be brought back
        (
            {"records": [change("windows_scheduled_task", action, "m/x", 1) for action in ("disable", "delete")]},
            {"freeze": "recorded", "agents": "recorded"},
            "accounts",
        ),
        (
            {"records": [change("intune_assignment", "remove", "x", 1), change("intune_assignment", "restore", "x", 2, "failed")]},
            {"clients": "recorded"},
            "final_gate",
        ),
        # without Microsoft 365 there is no such stop, and nothing of the tenant to be saved
        ({"preflight": [WARNING], "steps": [step("iwa", "clients")]}, {"preflight": "recorded", "clients": "waiting"}, "clients"),
    ],
)
def test_stages_and_what_comes_next(given: dict[str, Any], expected: dict[str, str], following: str) -> None:
    found = build(evidence(**given))
    assert (states(found), found["next_stage"]) == (expected, following)
    assert set(expected.values()) <= set(STATES)


def test_the_draft_is_named_while_preflight_asks_for_decisions() -> None:
    for findings, told in (([BLOCKER], True), ([WARNING], False)):
        found = build(evidence(preflight=findings)) | {"draft": "/srv/run/decisions.draft.yml"}
        for shown in (lines(found), summary(found, "preflight", "", False, False)):
            assert (Text("To decide, with candidates: /srv/run/decisions.draft.yml", "決めること（候補つき）: /srv/run/decisions.draft.yml") in shown) is told


def test_only_the_steps_of_the_stages_so_far_are_due() -> None:
    steps = [step("phones", "clients"), step("stop", "gate"), step("mfa", "domains"), step("tested", "gate", done=True)]
    found = build(evidence(**BEGUN, steps=steps))
    assert [item["id"] for item in found["steps_due"]] == ["stop"] and found["steps_later"] == ["phones", "mfa"]
    english = [line.en for line in lines(found)]
    assert "Due now (gate): stop: Do stop." in english
    assert english[-1] == "Next: ansible-playbook offboard.iij_id.confirm -e offboard_run_dir=/srv/run -e step=stop -e '{by: YOUR_NAME}'"
    assert "今必要な手順（gate）: stop: stop を行う。" in [line.ja for line in lines(found)]
    told = lines(found, "/srv/run/report.html")
    assert [line.en for line in told] == [*english, "Report: /srv/run/report.html"] and told[-1].ja == "報告書: /srv/run/report.html"


REFUSED = {"record": "refusal", "rule": "max_changes", "msg": "30 users would change.", "objects": [], "allow_with": "max_changes: 30", "noun": "users"}
USERS = "users (repair the users): done – 3 done, 1 unchanged; results/users.jsonl"
NEXT = "Next: ansible-playbook offboard.iij_id.domains -e offboard_run_dir=/srv/run"


@pytest.mark.parametrize(
    ("given", "options", "expected"),
    [
        ({}, {"stage": "users"}, [USERS, NEXT]),
        ({}, {"stage": "users", "report": "/srv/run/report.html"}, [USERS, NEXT, "Report: /srv/run/report.html"]),
        ({}, {"stage": "users", "check_mode": True}, ["Check run: nothing was changed.", USERS, NEXT]),
        ({}, {"stage": "users", "in_awx": True}, [USERS, "Next: launch the job template of domains"]),
        # a stage that left nothing behind says so; all of them are told by what they left behind
        ({}, {"stage": "app"}, ["app (remove IIJ ID's app): nothing recorded", NEXT]),
        ({}, {"stage": ""}, [USERS, NEXT]),
        (
            {"steps": [step("stop", "gate")]},
            {"stage": "gate", "in_awx": True},
            [
                "gate (IIJ ID can change nothing any more): waits for a person",
                "Due now (gate): stop: Do stop.",
                "Next: launch the job template of confirm (stop)",
            ],
        ),
        # a job of a workflow: an approval follows a check job, and the next job what has ended well
        ({}, {"stage": "users", "in_awx": True, "in_workflow": True}, [USERS, "Next: the workflow goes on by itself"]),
        (
            {},
            {"stage": "users", "in_awx": True, "in_workflow": True, "check_mode": True},
            ["Check run: nothing was changed.", USERS, "Next: approve this plan in the workflow, or deny it"],
        ),
        (
            {},
            {"stage": "users", "in_awx": True, "in_workflow": True, "stopped": True},
            [USERS, "Next: mend what stopped it, then launch the workflow again; what is done is not done again"],
        ),
        *(
            (
                {**BEGUN, "steps": [step("stop", "gate")], "results": {}},
                {"stage": "gate", "in_awx": True, "in_workflow": True, **more},
                [
                    *(["Check run: nothing was changed."] if "check_mode" in more else []),
                    "gate (IIJ ID can change nothing any more): waits for a person",
                    "Due now (gate): stop: Do stop.",
                    f"Next: launch the job template of confirm (stop){then}",
                ],
            )
            for more, then in (
                ({}, ". The workflow goes on without waiting for it, and ends at the first stage that needs it"),
                ({"check_mode": True}, " where that is done, then approve this plan in the workflow, or deny it"),
                (
                    {"stopped": True},
                    "; until that is done the workflow ends here on purpose. Then launch the workflow again; what is done is not done again",
                ),
            )
        ),
        # what was refused is told until something was done
        (
            {"records": [[{**REFUSED, "at": AT.format(5)}]]},
            {"stage": "users"},
            [USERS, "Refused: 30 users would change. Allowed by: max_changes: 30.", NEXT],
        ),
        (
            {"records": [[{**REFUSED, "at": AT.format(1)}], change("domain", "convert_to_managed", "a.example", 2)]},
            {"stage": "domains"},
            [f"domains (convert the domains): done – {AT.format(2)}; 1 done", "Next: ansible-playbook offboard.iij_id.passwords -e offboard_run_dir=/srv/run"],
        ),
    ],
)
def test_what_is_told_at_the_end_of_a_stage(given: dict[str, Any], options: dict[str, Any], expected: list[str]) -> None:
    found = build(evidence(**{"results": {"users": {"done": 3, "unchanged": 1}}, **given}))
    told = summary(found, **{"report": "", "in_awx": False, "check_mode": False, **options})
    told = [line for line in told if not line.en.startswith("a.example")]
    assert [line.en for line in told] == expected
    assert all(line.ja != line.en for line in told)


def test_a_stage_in_japanese() -> None:
    found = build(evidence(results={"users": {"done": 31, "skipped": 4}}))
    assert summary(found, "users", "", False, False)[0].ja == "users（利用者の復旧）: 実施済み – 実施31件、対象外4件、results/users.jsonl"


def test_the_hash_of_a_plan_goes_the_way_of_its_reader() -> None:
    typed, launched, approved = (plan_hash("5d41", *where) for where in ((False, False), (True, False), (True, True)))
    assert [line.en for line in typed] == ["To let a real run do this plan alone: -e offboard_plan_hash=5d41"]
    assert launched[0].en.endswith("offboard_plan_hash: 5d41") and launched[0].ja.endswith("offboard_plan_hash: 5d41")
    assert approved[0].en.endswith(": 5d41") and "-e " not in approved[0].en and "ワークフロー" in approved[0].ja


def test_domains_with_their_last_conversion_and_their_passwords() -> None:
    back = [change("domain", "convert_to_managed", "b.example", 1), change("domain", "convert_to_federated", "b.example", 2)]
    records = [change("domain", "convert_to_managed", "a.example", 1), *back]
    found = build(evidence(records=records, verdict=OPEN, results={"passwords-a.example": {"done": 1, "unchanged": 2, "skipped": 4}}))
    assert found["domains"] == [
        {"domain": "a.example", "converted": AT.format(1), "passwords": 3},
        {"domain": "b.example", "converted": "", "passwords": 0},
    ]
    told = lines(found)
    assert any("a.example: converted" in line.en and "3 users" in line.en for line in told)
    assert any("b.example: この実行では未変換" in line.ja for line in told)


def test_the_order_is_that_of_the_playbook() -> None:
    plays = yaml.safe_load((ROOT / "playbooks" / "decommission.yml").read_text())
    # of the report's plays the last one is their own: the final gate has it written too
    tags = [[play.get("tags", "always")] if isinstance(play.get("tags", "always"), str) else play["tags"] for play in plays]
    assert [tag[-1] for tag in tags if tag != ["always"]] == [stage.name for stage in STAGES if not stage.scheduled]


def test_who_has_arrived_is_told() -> None:
    found = build(evidence(results={"arrivals": {"arrived": 7, "failed": 2, "not_seen": 1}}))
    told = next(line for line in lines(found) if line.en.startswith("arrivals"))
    assert "2 failed, 7 arrived, 1 not seen yet; results/arrivals.jsonl" in told.en and "失敗2件、サインイン済み7件、未確認1件" in told.ja


def finding(number: int) -> dict[str, Any]:
    return {"severity": "blocker", "code": "certificate_left", "en": f"PC{number} has one.", "ja": f"PC{number} に残っている。"}


def test_what_was_found_is_shown_with_the_step_that_it_is_about() -> None:
    """Of a step that is due the first, with the number of the others and where all are; of a later one how many."""
    found = build(evidence(steps=[step("device_certificates_deleted", "clients")], final=[finding(number) for number in range(5)]))
    assert (len(found["steps_due"][0]["found"]), found["steps_due"][0]["found_count"]) == (3, 5)
    english, japanese = ([getattr(line, language) for line in lines(found)] for language in ("en", "ja"))
    at = english.index("Due now (clients): device_certificates_deleted: Do device_certificates_deleted.")
    assert english[at + 1 : at + 5] == [*(f"  Found: PC{number} has one." for number in range(3)), "  and 2 more: results/final_gate.json in the run folder"]
    assert japanese[at + 1 : at + 5] == [*(f"  検出: PC{number} に残っている。" for number in range(3)), "  ほか2件: 実行フォルダーの results/final_gate.json"]
    # at the end of a stage the step alone is told
    assert not any("Found" in line.en for line in summary(found, "clients", "", False, False))
    # before anything else was done the step is a later one; a step about which nothing was found has no more to say
    found = build(evidence(steps=[step("device_certificates_deleted", "clients"), step("stop", "gate")], preflight=[finding(1)]))
    assert (found["found_in"], found["steps_later_found"]) == ("results/preflight.json", {"device_certificates_deleted": 1})
    assert "Later: device_certificates_deleted (1 found), stop" in [line.en for line in lines(found)]
    assert "後で必要な手順: device_certificates_deleted（検出1件）, stop" in [line.ja for line in lines(found)]


def test_evidence_is_named_and_its_loss_is_warned_of() -> None:
    def entry(name: str, state: str) -> dict[str, Any]:
        return {"file": f"evidence/idp/{name}", "name": name, "sha256": "0" * 64, "bytes": 1, "by": "Hanako", "at": AT.format(1), "state": state}

    shown = {**step("idp", "relying_parties", done=True), "evidence": [entry("a.xml", "kept"), entry("b.txt", "missing"), entry("c.txt", "changed")]}
    told = lines(build(evidence(steps=[shown, step("other", "clients", done=True)])))
    at = [line.en for line in told].index("Evidence (idp): evidence/idp/a.xml, evidence/idp/b.txt, evidence/idp/c.txt")
    assert told[at].ja == "証跡（idp）: evidence/idp/a.xml, evidence/idp/b.txt, evidence/idp/c.txt"
    assert "b.txt" in told[at + 1].en and "no longer there" in told[at + 1].en and told[at + 1].ja.startswith("警告: ") and "がありません" in told[at + 1].ja
    assert "c.txt" in told[at + 2].en and "not the file that was attached" in told[at + 2].en
    assert sum("vidence" in line.en for line in told) == 3


WORK = [(stage, *change) for subject in SUBJECTS for stage, changes in subject.work.items() for change in changes]


def test_the_work_of_the_stages_is_called_as_everywhere() -> None:
    assert {stage for stage, _kind, _action in WORK} <= {stage.name for stage in STAGES}
    assert {kind for _stage, kind, _action in WORK} <= kinds.KINDS.keys() and {action for _stage, _kind, action in WORK} <= kinds.ACTIONS.keys()
    of_machines = {kind for kind in kinds.KINDS if kind.startswith(("windows_", "linux_", "openldap_", "intune_assignment", "group_policy_r"))}
    assert of_machines <= {kind for _stage, kind, _action in WORK}


@pytest.mark.parametrize(("stage", "kind", "action"), WORK)
def test_a_failed_change_stops_the_stage_whose_work_it_is(stage: str, kind: str, action: str) -> None:
    found = states(build(evidence([change(kind, action, "x", 1, "failed")])))
    assert found == {stage: "stopped"}
    assert states(build(evidence([change(kind, action, "x", 1)])))[stage] == "recorded"
