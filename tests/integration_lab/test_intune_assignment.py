# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""intune_assignment and intune_assignment_info against the lab's tenant: the confirmed assignments go and come back, the apps stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab import company
from lab.iij.actor import Actor
from lab.testing import RunningTenant

from .entra import connection, lines, run_module
from .test_people import Operator, blockers

SMARTKEY, NEWS = (company.make_id("mobile_apps", name) for name in ("IIJ SmartKey", "IIJ からのお知らせ"))
PROFILE = company.make_id("device_configurations", "iPhoneのシングルサインオン")
GROUP = company.make_id("group", "m365-e3")
USERS, TO_GROUP = ({"object": SMARTKEY, "target": target} for target in ("allLicensedUsers", GROUP))
BOTH = [USERS, TO_GROUP]
PATH = f"/v1.0/deviceAppManagement/mobileApps/{SMARTKEY}/assignments"


@pytest.fixture
def call(tenant: RunningTenant, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    def run(name: str = "intune_assignment", check: bool = False, diff: bool = False, app: str = "offboard", **options: Any) -> dict[str, Any]:
        own = {"journal": str(tmp_path / "journal.jsonl")} if name == "intune_assignment" else {}
        return run_module(capsys, name, {**connection(tenant, app), "verify_timeout": 5, **own, **options}, check=check, diff=diff)

    return run


def assigned(tenant: RunningTenant, key: str = SMARTKEY, table: str = "mobile_apps") -> list[dict[str, Any]]:
    """The truth, without the ids, which are others after a way back."""
    found = tenant.store.tables[table].objects[key].get("_assignments", [])
    return sorted(({name: row[name] for name in ("intent", "target") if name in row} for row in found), key=json.dumps)


def test_gone_back_and_gone_again(call, tenant, tmp_path):
    before, apps = assigned(tenant), set(tenant.store.tables["mobile_apps"].objects)
    checked = call(check=True, diff=True, state="absent", assignments=BOTH)
    assert tenant.writes() == [] and checked["changed"] is True and "allLicensedUsers" in json.dumps(checked["diff"])
    assert [item["name"] for item in checked["plan"]] == ["IIJ SmartKey: available allLicensedUsers", f"IIJ SmartKey: required m365-e3 ({GROUP})"]
    real = call(state="absent", assignments=BOTH)
    assert real["plan"] == checked["plan"] and real["counts"]["done"] == 2, real
    assert assigned(tenant) == [] and set(tenant.store.tables["mobile_apps"].objects) == apps
    assert [item["method"] for item in tenant.writes()] == ["DELETE", "DELETE"]
    tenant.clear_requests()
    again = call(state="absent", assignments=BOTH)
    assert again["changed"] is False and again["counts"]["unchanged"] == 2 and tenant.writes() == []
    assert "not assigned to allLicensedUsers (any more)" in str(again["warnings"])
    # one comes back, then the other, and then there is nothing left to do
    assert call(check=True, state="present", assignments=[USERS])["counts"]["planned"] == 1
    assert tenant.writes() == []
    one = call(state="present", assignments=[USERS])
    assert [item["action"] for item in one["plan"]] == ["restore"] and len(assigned(tenant)) == 1, one
    rest = call(state="present")
    assert rest["counts"]["done"] == 1 and assigned(tenant) == before, rest
    tenant.clear_requests()
    assert call(state="present")["changed"] is False and call(state="present", assignments=BOTH)["changed"] is False
    assert tenant.writes() == []
    # they have other ids now
    assert call(state="absent", assignments=BOTH)["counts"]["done"] == 2 and assigned(tenant) == []
    assert {item["kind"] for item in lines(tmp_path / "journal.jsonl")} == {"intune_assignment"}
    assert tenant.violations() == []


@pytest.mark.parametrize(
    ("kind", "table", "values"),
    [
        ("mobile_app_configuration", "mobile_app_configurations",
         {"@odata.type": "#microsoft.graph.iosMobileAppConfiguration", "settings": [{"appConfigKey": "a", "appConfigKeyValue": "auth.iij.jp"}]}),
        ("targeted_managed_app_configuration", "managed_app_configurations", {"customSettings": [{"name": "allow", "value": "auth.iij.jp"}]}),
        ("device_configuration", "device_configurations", {"@odata.type": "#microsoft.graph.iosCustomConfiguration", "payloadName": "auth.iij.jp"}),
    ],
)  # fmt: skip
def test_configurations_too(call, tenant, kind, table, values):
    key = company.make_id(table, "arranged")
    tenant.arrange(table, key, id=key, displayName="A", **values, _assignments=[company.assignment("allDevices"), company.assignment("all-staff")])
    named = [{"kind": kind, "object": key.upper(), "target": "allDevices"}]
    gone = call(state="absent", assignments=named)
    assert gone["counts"]["done"] == 1 and [row["target"]["groupId"] for row in assigned(tenant, key, table)] == [company.make_id("group", "all-staff")], gone
    assert call(state="absent", assignments=named)["changed"] is False
    assert call(state="present")["counts"]["done"] == 1 and len(assigned(tenant, key, table)) == 2


def test_a_filter_comes_back_by_beta_alone(call, tenant):
    target = {"deviceAndAppManagementAssignmentFilterId": company.make_id("filter", "a"), "deviceAndAppManagementAssignmentFilterType": "include"}
    tenant.arrange("mobile_apps", SMARTKEY, _assignments=[company.assignment("allLicensedUsers", "required", **target)])
    assert "filter" in str(call(check=True, state="absent", assignments=[USERS])["warnings"])
    assert call("intune_assignment_info", assignments=[USERS])["objects"][0]["assignments"][0]["filter"] == ""
    assert call(state="absent", assignments=[USERS], beta=True)["counts"]["done"] == 1
    assert call(state="present")["failure"]["code"] == "bad_option"
    tenant.settings.contract = False  # the SDK's models of v1.0 know no filters
    before = len(tenant.writes())
    back = call(state="present", beta=True)
    assert back["counts"]["done"] == 1 and len(tenant.writes()) == before + 1, back
    assert tenant.store.tables["mobile_apps"].objects[SMARTKEY]["_assignments"][0]["target"] == target | {
        "@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget"
    }


def test_the_same_people_by_a_policy_set_too(call, tenant, tmp_path):
    direct, by_set = (company.assignment("allLicensedUsers", "required") for _each in range(2))
    by_set |= {"id": direct["id"][:-1] + "1", "source": "policySets", "sourceId": company.make_id("policy_sets", "phones")}
    tenant.arrange("mobile_apps", SMARTKEY, _assignments=[direct, by_set])
    named = [{"object": SMARTKEY, "target": direct["id"]}]
    gone = call(state="absent", assignments=named)
    assert gone["counts"]["done"] == 1 and tenant.store.tables["mobile_apps"].objects[SMARTKEY]["_assignments"] == [by_set], gone
    assert call(state="absent", assignments=named)["changed"] is False
    left = call("intune_assignment_info", assignments=[*named, USERS])
    assert [entry["target"] for entry in left["left"]] == ["allLicensedUsers"] and [entry["target"] for entry in left["not_there"]] == [direct["id"]]
    back = call(state="present", assignments=named)
    assert back["counts"]["done"] == 1 and len(assigned(tenant)) == 2, back
    # its id is another one now
    assert call(state="present")["changed"] is False and call(state="present", assignments=named)["changed"] is False
    # by the target both are meant: each has its own outcome
    failed = call(state="absent", assignments=[USERS])
    assert failed["counts"]["done"] == failed["counts"]["failed"] == 1 and tenant.store.tables["mobile_apps"].objects[SMARTKEY]["_assignments"] == [by_set]
    assert len({record["id"] for record in lines(tmp_path / "journal.jsonl") if record["record"] == "outcome"}) == 3
    assert call(state="present")["counts"]["done"] == 1 and len(assigned(tenant)) == 2


def test_never_those_of_others(call, tenant):
    tenant.arrange("mobile_apps", NEWS, _assignments=[company.assignment("allDevices", "required")])
    named = [{"object": NEWS, "target": "allDevices"}]
    for check in (True, False):
        refused = call(check=check, state="absent", assignments=[USERS, *named])
        assert [item["rule"] for item in refused["failure"]["details"]["refusals"]] == ["not_iij"], refused
    assert tenant.writes() == []
    assert call(state="absent", assignments=[USERS, *named], expected_objects=[NEWS.upper()])["counts"]["done"] == 2


def test_other_guards(call, tenant):
    rows = [company.assignment("allDevices", "required"), company.assignment("all-staff", "required", excluded=True)]
    tenant.arrange("mobile_apps", SMARTKEY, _assignments=rows)
    excluded = {"object": SMARTKEY, "target": f"not {company.make_id('group', 'all-staff')}"}
    refused = call(state="absent", assignments=[excluded])
    assert [item["rule"] for item in refused["failure"]["details"]["refusals"]] == ["exclusion_needed"] and tenant.writes() == []
    everything = [excluded, {"object": SMARTKEY, "target": "allDevices"}]
    assert call(state="absent", assignments=everything, max_changes=1)["failure"]["details"]["refusals"][0]["rule"] == "max_changes"
    gone = call(state="absent", assignments=everything)
    assert [item["id"].rpartition("/")[2].startswith("not ") for item in gone["plan"]] == [False, True] and assigned(tenant) == []
    back = call(state="present")
    assert [item["id"].rpartition("/")[2].startswith("not ") for item in back["plan"]] == [True, False] and len(assigned(tenant)) == 2


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"state": "absent"}, "bad_option"),
        ({"state": "absent", "assignments": [{"object": "IIJ SmartKey", "target": "allDevices"}]}, "bad_option"),
        ({"state": "absent", "assignments": [{"object": SMARTKEY, "target": " "}]}, "bad_option"),
        ({"state": "present", "journal": None}, "bad_option"),
        ({"state": "present", "assignments": [{"object": SMARTKEY, "target": "allDevices"}]}, "not_found"),
        ({"state": "absent", "assignments": [USERS], "requires": {"run_dir": "/nonexistent", "snapshot": True}}, "snapshot_missing"),
        ({"state": "absent", "assignments": [USERS], "app": "readonly"}, "permission_missing"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(call, tenant, options, code):
    assert call(**options)["failure"]["code"] == code
    assert tenant.writes() == []


def test_an_object_that_is_gone_is_no_obstacle(call, tenant):
    gone = {"object": company.make_id("mobile_apps", "nothing"), "target": "allDevices"}
    done = call(state="absent", assignments=[gone, USERS])
    assert done["counts"]["done"] == 1 and "is not in Intune (any more)" in str(done["warnings"]), done


def test_nothing_of_all_that_was_named_is_a_failure(call, tenant, tmp_path):
    """Another tenant's list, or a target that differs by a letter: nothing would go, and the stage would end well."""
    gone = {"object": company.make_id("mobile_apps", "nothing"), "target": "allDevices"}
    typed = {"object": SMARTKEY, "target": GROUP[:-1] + ("1" if GROUP[-1] == "0" else "0")}
    for check in (True, False):
        answer = call(check=check, state="absent", assignments=[gone, typed])
        assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["nothing_found"], answer
    assert call(state="absent", assignments=[gone, typed], journal=None)["changed"] is False
    assert call(state="absent", assignments=[gone, USERS])["changed"] is True
    assert call(state="absent", assignments=[gone, USERS])["changed"] is False


def test_one_that_fails_hides_no_other(call, tenant):
    (row,) = (row for row in tenant.store.tables["mobile_apps"].objects[SMARTKEY]["_assignments"] if row["intent"] == "available")
    tenant.faults.add(method="DELETE", path=f"{PATH}/{row['id']}", times=None, status=403, code="Forbidden")
    failed = call(state="absent", assignments=BOTH)
    assert failed["failed"] and [item["code"] for item in failed["failed_objects"]] == ["permission_missing"], failed
    assert "DeviceManagementApps.ReadWrite.All" in failed["failed_objects"][0]["msg"] and len(assigned(tenant)) == 1


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 503}, {"status": 503, "applied": True}])
def test_trouble_on_the_way_out(call, tenant, fault):
    tenant.faults.add(method="DELETE", path=f"{PATH}/.*", **fault)
    done = call(state="absent", assignments=BOTH)
    assert done["counts"]["done"] == 2 and assigned(tenant) == [], done


def test_an_answer_that_is_lost_on_the_way_back_is_looked_up(call, tenant):
    assert call(state="absent", assignments=BOTH)["counts"]["done"] == 2
    tenant.faults.add(method="POST", path=PATH, applied=True, status=503)
    tenant.clear_requests()
    back = call(state="present")
    assert back["counts"]["done"] == 2 and len(assigned(tenant)) == 2 and len(tenant.writes()) == 2, back
    assert call(state="absent", assignments=BOTH)["counts"]["done"] == 2
    tenant.faults.add(method="POST", path=PATH, status=503)
    lost = call(state="present", assignments=[USERS])
    assert [item["code"] for item in lost["failed_objects"]] == ["answer_lost"] and assigned(tenant) == [], lost
    assert call(state="present")["counts"]["done"] == 2


def test_what_cannot_be_read_is_never_absent(call, tenant):
    tenant.faults.add(method="GET", path=PATH, times=None, status=403, code="Forbidden")
    for name, options in (("intune_assignment", {"state": "absent"}), ("intune_assignment_info", {})):
        assert call(name, assignments=BOTH, **options)["failure"]["code"] == "permission_missing"
    tenant.settings.change({"intune": False})
    assert call("intune_assignment_info", assignments=BOTH)["failed"] is True


def test_not_seen(call, tenant):
    tenant.settings.visibility_delay = 60
    failed = call(state="absent", assignments=[USERS], verify_timeout=1)
    assert [item["code"] for item in failed["failed_objects"]] == ["not_seen"], failed


def test_a_stopped_run_is_taken_up(call, tenant, tmp_path):
    """The intent is on the disk and the answer was never seen: a later run finds it done, and it can be brought back."""
    plan = call(check=True, state="absent", assignments=[USERS])["plan"]
    journal = tmp_path / "journal.jsonl"
    journal.write_text(json.dumps({"record": "intent", "run": "r", "at": "2026-11-01T00:00:00+00:00", **plan[0]}, separators=(",", ":")) + "\n")
    journal.chmod(0o600)
    (tmp_path / "run.json").write_text(json.dumps({"tenant_id": connection(tenant, "offboard")["tenant_id"]}))  # written before the first intent
    tenant.arrange("mobile_apps", SMARTKEY, _assignments=[])
    assert call(state="absent", assignments=[USERS])["changed"] is False
    assert [(item["record"], item.get("status")) for item in lines(journal)] == [("intent", None), ("outcome", "done")]
    assert call(state="present")["counts"]["done"] == 1 and len(assigned(tenant)) == 1


def test_info(call, tenant):
    profile = {"kind": "device_configuration", "object": PROFILE, "target": "allDevices"}
    found = call("intune_assignment_info", assignments=[USERS, {"object": SMARTKEY, "target": "allDevices"}, profile])
    assert [(item["target"], item["name"]) for item in found["left"]] == [
        ("allLicensedUsers", "IIJ SmartKey: available allLicensedUsers"), ("allDevices", "iPhoneのシングルサインオン: allDevices"),
    ]  # fmt: skip
    assert [(item["object"], item["target"]) for item in found["not_there"]] == [(SMARTKEY, "allDevices")]
    assert [(item["id"], len(item["assignments"]), item["devices"]) for item in found["objects"]] == [(SMARTKEY, 2, "not_known"), (PROFILE, 1, 36)]
    assert {item["group"] for item in found["objects"][0]["assignments"]} == {"", "m365-e3"}
    assert found["changed"] is False and tenant.writes() == []
    assert call("intune_assignment_info", assignments=[])["objects"] == []


@pytest.mark.long
def test_the_stages(tenant, tmp_path):
    """Preflight gives the value to copy; the stage waits for the domains; the final gate looks; restore brings it back."""
    options = ["microsoft_365", "multi_factor_authentication"]
    operator = Operator(tenant, tmp_path, offboard_options=options, microsoft_365_accepted_references=[PROFILE])
    before = assigned(tenant)
    output = operator.must("preflight")
    assert f"target: {GROUP}}}" in output and "m365-e3" in output
    draft = (operator.run_dir / "decisions.draft.yml").read_text()
    taken = yaml.safe_load("\n".join(line.removeprefix("# ") for line in draft.splitlines() if not line.startswith("## ")))
    confirmed = {"multi_factor_authentication_intune_assignments": taken["multi_factor_authentication_intune_assignments"]}
    assert confirmed["multi_factor_authentication_intune_assignments"] == [{"kind": "mobile_app", **one} for one in BOTH]

    operator = Operator(tenant, tmp_path, offboard_options=options, microsoft_365_accepted_references=[PROFILE], **confirmed)
    assert "The stage clients will remove assignments in Intune" in operator.must("preflight")
    code, output = operator.play("clients")
    assert code and "The run folder holds no verdict of the gate" in output and tenant.writes() == [], output[-2000:]
    operator.must("snapshot")
    operator.play("gate")
    operator.confirm("provisioning_stopped", "break_glass_tested", "sign_in_methods_ready", "password_hash_sync_verified")
    Actor(tenant.url, tenant.ca_file).withdraw()
    operator.must("gate", microsoft_365_evidence_hours=0)
    code, output = operator.play("clients")
    assert code and "Still federated" in output and assigned(tenant) == before, output[-2000:]
    operator.must("domains")
    found = operator.findings()
    assert {"intune_assignment_left", "points_at_iij"} <= blockers(found) and found["points_at_iij"]["objects"] == [SMARTKEY]

    tenant.clear_requests()
    assert "changed=0" not in operator.must("clients", "--check", "--diff") and tenant.writes() == []
    operator.must("clients")
    assert assigned(tenant) == [] and len(tenant.writes()) == 2
    operator.must("clients")
    assert len(tenant.writes()) == 2
    found = operator.findings()
    assert not {"intune_assignment_left", "intune_not_read", "points_at_iij"} & set(found) and SMARTKEY in json.dumps(found["reference_accepted"])
    report = (operator.run_dir / "report.html").read_text()
    assert "割り当てなし" in report and "割り当て先: すべてのデバイス" in report

    # not seen is not gone
    tenant.faults.add(method="GET", path=f"{PATH.replace('v1.0', '(v1.0|beta)')}", times=None, status=403, code="Forbidden")
    assert "intune_not_read" in blockers(operator.findings())
    tenant.faults.clear()
    operator.must("restore", offboard_restore=["intune"])
    assert assigned(tenant) == before
    assert "changed=0" in operator.must("restore", offboard_restore=["intune"])
