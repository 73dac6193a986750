# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_sign_in_readiness_info against the lab's tenant: one verdict for everybody, and "not known" for whatever could not be read."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._module import progress
from lab import company
from lab.testing import RunningTenant

from .entra import PEOPLE, connection, lines, run_module

DOMAINS = ["reiji.example", "reiji-group.example"]
POLICY = company.make_id("access_policies", "MFAを必須にする（社外から）")
#: of the fixture's 250 people 25 are blocked (20 by IIJ ID, 5 on purpose), 40 are synchronized, 3 are administrators of whom one may be given a password;
#: 6 have no usage location, and so no licence
BLOCKED, SYNCED, UNLICENSED = 25, 40, 6
REST = 250 - BLOCKED


def ago(days: float) -> str:
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def look(tenant: RunningTenant, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    def run(app: str = "offboard", check: bool = False, **options: Any) -> dict[str, Any]:
        tenant.settings.change({"clock_scale": 100.0})  # the report's quota is not what is tested
        file = str(tmp_path / "everybody.jsonl")
        options = {"domains": DOMAINS, "results_file": file, **options}
        found = run_module(capsys, "entra_sign_in_readiness_info", {**connection(tenant, app), **options}, check=check)
        found["file"] = file
        assert "counts" not in found or sum(found["counts"].values()) == 250
        return found

    return run


def registered(tenant: RunningTenant, numbers: Any = range(1, 251), **more: Any) -> None:
    """These people have registered a second factor with Entra."""
    for number in numbers:
        key = PEOPLE[number].id
        tenant.arrange(
            "registrations", key, **{"id": key, "isMfaRegistered": True, "isMfaCapable": True, "methodsRegistered": ["softwareOneTimePasscode"], **more}
        )


def signed_in(tenant: RunningTenant, number: int, **values: Any) -> None:
    key = company.make_id("signIn", f"{number}{values}")
    tenant.arrange("sign_ins", key, **{"id": key, "userId": PEOPLE[number].id, "createdDateTime": ago(1), **values})


def by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Everybody, out of the file: the answer has room for some."""
    everybody = {line["userPrincipalName"]: {"code": line["status"], "reasons": [], **line} for line in lines(Path(found["file"]))}
    return {name: line for name, line in everybody.items() if line["status"] != "ready"}


def test_the_fixture(look, tenant):
    """IIJ ID was their second factor: everybody must register one, since a policy asks for it; nobody has verified the synchronization of hashes."""
    tenant.clear_requests()
    found = look()
    assert found["counts"] == {**dict.fromkeys(found["counts"], 0), "blocked": BLOCKED, "must_register_mfa": REST}, found["counts"]
    assert found["codes"]["not_known"] == SYNCED + 2 and found["not_looked_at"] == [] and found["no_way_in_open"] == 0
    assert found["passwords"] == {"new": REST - SYNCED - 2, "hash_sync_not_verified": SYNCED, "by_hand": 2}
    assert {item["domain"]: item["total"] for item in found["domains"]} == {"reiji.example": 200, "reiji-group.example": 40, "sales.reiji.example": 10}
    assert found["changed"] is False and tenant.writes() == []
    # users with their last sign-in, the two reports (the log by two filters), roles twice and groups they can be given to, domains, organization, policies,
    # security defaults
    asked = [item["path"].partition("?")[0] for item in tenant.requests() if item["path"].startswith("/v1.0/")]
    assert sorted(set(asked)) == sorted(
        f"/v1.0{path}"
        for path in (
            "/auditLogs/signIns", "/domains", "/groups", "/identity/conditionalAccess/policies", "/organization",
            "/policies/identitySecurityDefaultsEnforcementPolicy", "/reports/authenticationMethods/userRegistrationDetails",
            "/roleManagement/directory/roleAssignments", "/users",
        )
    )  # fmt: skip
    assert len(asked) == len(set(asked)) + 2, asked
    assert look(check=True)["counts"] == found["counts"] and tenant.writes() == []


def test_everybody_is_ready_once_they_have_what_is_asked_for(look, tenant, tmp_path: Path):
    registered(tenant)
    for person in (1, 2, 3):
        tenant.arrange("users", PEOPLE[person].id, signInActivity={"lastSignInDateTime": ago(1), "lastNonInteractiveSignInDateTime": ago(0)})
    file = tmp_path / "results" / "readiness.jsonl"
    found = look(password_hash_sync=True, signs_in_otherwise=[PEOPLE[1].upn, PEOPLE[3].id], results_file=str(file))
    assert found["counts"] == {**dict.fromkeys(found["counts"], 0), "blocked": BLOCKED, "no_licence": UNLICENSED, "ready": REST - UNLICENSED}
    written = lines(file)
    assert len(written) == 250 and file.stat().st_mode & 0o077 == 0
    assert {item["status"] for item in written} == {"ready", "blocked", "no_licence"}
    assert {"userPrincipalName", "codes", "password", "msg"} <= written[0].keys()


def test_no_policy_asks_nobody(look, tenant):
    tenant.arrange("access_policies", POLICY, state="disabled")
    assert look()["counts"]["must_register_mfa"] == 0
    tenant.settings.change({"security_defaults": True})
    found = look()
    assert found["counts"]["must_register_mfa"] == REST and found["users"][-1]["asked_by"] == ["security defaults"]


def test_whom_a_policy_leaves_out(look, tenant):
    policy = tenant.store.tables["access_policies"].objects[POLICY]
    group, one = company.make_id("group", "m365-e3"), PEOPLE[71]
    users = {"includeUsers": ["All"], "excludeGroups": [group], "excludeUsers": [one.id]}
    tenant.arrange("access_policies", POLICY, conditions={**policy["conditions"], "users": users})
    found = look()
    assert found["counts"]["must_register_mfa"] == REST - 5 - 1
    tenant.faults.add(times=None, path=f"/v1.0/groups/{group}/transitiveMembers", status=403, code="Authorization_RequestDenied")
    found = look()
    assert found["counts"]["must_register_mfa"] == 0 and found["not_looked_at"][0]["part"] == "groups"
    named = by_name(found)
    assert named[PEOPLE[72].upn]["reasons"] == ["policies_not_read"] and one.upn not in named


def test_services_and_old_clients(look, tenant):
    registered(tenant)
    signed_in(tenant, 71, clientAppUsed="Authenticated SMTP")
    signed_in(tenant, 71, clientAppUsed="POP3")
    signed_in(tenant, 71, clientAppUsed="SMTP")  # as Microsoft Graph's own description calls it
    signed_in(tenant, 72, clientAppUsed="Browser")
    signed_in(tenant, 73, clientAppUsed="IMAP4", createdDateTime=ago(20))
    tenant.arrange("users", PEOPLE[74].id, signInActivity={"lastSignInDateTime": ago(90), "lastNonInteractiveSignInDateTime": ago(1)})
    named = by_name(look(days=10))
    assert named[PEOPLE[71].upn]["code"] == "legacy_client" and named[PEOPLE[71].upn]["legacy_clients"] == ["Authenticated SMTP", "POP3", "SMTP"]
    assert named[PEOPLE[74].upn]["code"] == "looks_like_a_service" and not {PEOPLE[72].upn, PEOPLE[73].upn} & named.keys()
    assert by_name(look(days=30))[PEOPLE[73].upn]["code"] == "legacy_client"


def test_the_log_is_read_no_further_than_allowed(look, tenant):
    for number in range(1001):
        signed_in(tenant, 71, clientAppUsed="POP3", createdDateTime=ago(1 + number / 1e3), ipAddress=f"192.0.2.{number % 256}")
    signed_in(tenant, 75, clientAppUsed="POP3", createdDateTime=ago(9))
    found = look(max_log_pages=1)
    (part,) = found["not_looked_at"]
    assert (part["part"], part["reason"]) == ("legacy_sign_ins", "too_many") and "1 pages" in part["msg"]
    # whoever is not in what was read may still use one
    assert found["codes"]["not_known"] == REST - 1 and "legacy_client" not in by_name(found)[PEOPLE[75].upn]["codes"]
    assert look()["not_looked_at"] == []


def test_who_is_left_without_a_way_in(look, tenant):
    registered(tenant)
    found = look(passwords="keep", synced_password="set", accepted=[PEOPLE[71].upn, PEOPLE[72].id])
    assert found["counts"]["no_way_in"] == REST and found["no_way_in_open"] == REST - 2
    assert [item["name"] for item in found["users"] if item["accepted"]] == [PEOPLE[71].upn, PEOPLE[72].upn]
    assert {item["code"] for item in found["users"]} == {"no_way_in", "blocked"}
    assert found["users"][0]["code"] == "blocked" and len([one for one in by_name(found).values() if one["code"] == "blocked"]) == BLOCKED
    registered(tenant, range(1, 251), isPasswordlessCapable=True)
    assert look(passwords="keep", synced_password="set")["counts"]["no_way_in"] == 0
    left_alone = look(exclude=[PEOPLE[71].upn])
    assert "no_way_in" not in by_name(left_alone)


def test_blocked_users_are_never_without_a_second_factor(look, tenant):
    """The report has no row for them; one of an earlier time is not looked at."""
    found = look(also_enable=[PEOPLE[11].upn])
    assert found["counts"]["blocked"] == BLOCKED - 1 and by_name(found)[PEOPLE[11].upn]["reasons"] == ["blocked_now"]
    assert by_name(found)[PEOPLE[11].upn]["mfa"] is None


def test_without_a_licence_nobody_is_said_to_lack_anything(look, tenant):
    tenant.settings.change({"premium": False})
    found = look()
    parts = {item["part"]: item["reason"] for item in found["not_looked_at"]}
    assert parts == dict.fromkeys(("conditional_access", "registered_methods", "legacy_sign_ins", "sign_in_activity"), "no_licence")
    assert found["codes"]["not_known"] == REST and found["counts"]["must_register_mfa"] == found["counts"]["ready"] == 0
    assert "registration_not_read" in found["users"][-1]["reasons"] and found["users"][-1]["mfa"] is None


def test_without_permissions(look):
    found = look(app="readonly")
    parts = {item["part"]: item["reason"] for item in found["not_looked_at"]}
    asked = ("conditional_access", "security_defaults", "registered_methods", "legacy_sign_ins", "sign_in_activity")
    assert parts == dict.fromkeys(asked, "permission_missing")
    assert all("AuditLog.Read.All" in item["msg"] or "Policy.Read.All" in item["msg"] for item in found["not_looked_at"])
    assert found["codes"]["not_known"] == REST


def test_a_group_with_roles_that_may_not_be_read_is_not_empty(look, tenant):
    """Whoever is in one may be given no password, and a policy for a role may take them."""
    registered(tenant)
    assert look(password_hash_sync=True)["counts"]["ready"]
    tenant.faults.add(times=None, path="/v1.0/groups", status=403, code="Authorization_RequestDenied")
    found = look(password_hash_sync=True)
    (part,) = found["not_looked_at"]
    assert (part["part"], part["reason"]) == ("roles", "permission_missing") and "GroupMember.Read.All" in part["msg"]
    assert found["passwords"] == {"roles_not_read": REST - SYNCED, "hash_sync": SYNCED}
    assert found["codes"]["not_known"] == REST - SYNCED and found["counts"]["ready"] == SYNCED
    assert {reason for line in by_name(found).values() for reason in line["reasons"]} == {"roles_not_read"}


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/policies/identitySecurityDefaultsEnforcementPolicy", "security_defaults"),
        ("/identity/conditionalAccess/policies", "conditional_access"),
        ("/reports/authenticationMethods/userRegistrationDetails", "registered_methods"),
        ("/auditLogs/signIns", "legacy_sign_ins"),
        ("/organization", "organization"),
        ("/roleManagement/directory/roleAssignments", "roles"),
    ],
)
def test_a_proxys_page_is_not_nothing(look, tenant, path, part):
    tenant.faults.add(times=None, path=f"/v1.0{path}", status=200, code="x")
    assert [(item["part"], item["reason"]) for item in look()["not_looked_at"]] == [(part, "no_list")]


def test_nothing_is_told_when_the_tenant_cannot_be_asked(look, tenant, tmp_path):
    file = tmp_path / "readiness.jsonl"
    file.write_text("older\n")
    tenant.faults.add(times=None, path="/v1.0/users", status=500, code="x")
    found = look(results_file=str(file))
    assert found["failed"] and "counts" not in found and file.read_text() == "older\n"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_the_conversion_demands_what_was_found(look, tenant, capsys, tmp_path):
    """entra_domain itself asks for it, whatever playbook or task starts it."""
    left, file = PEOPLE[71], tmp_path / "sign_in.json"
    options = {"exclude": [left.upn], "password_hash_sync": True, "verdict_file": str(file)}
    requires = {"run_dir": str(tmp_path), "sign_in_max_age_hours": 24}

    def convert(**more: Any) -> str | None:
        values = {"domains": ["reiji.example"], "authentication": "managed", "min_break_glass": 0, "requires": {**requires, **more}}
        return run_module(capsys, "entra_domain", {**connection(tenant), **values}, check=not more).get("failure", {}).get("code")

    tenant.clear_requests()
    assert convert(accepted_no_way_in_count=0) == "sign_in_not_judged"
    assert look(**options)["no_way_in_open"] == 1
    kept = json.loads(file.read_text())
    assert (kept["domains"], kept["no_way_in_open"], kept["users"]) == (sorted(DOMAINS), 1, [left.upn])
    assert convert(accepted_no_way_in_count=0) == "no_way_in" and convert() is None and tenant.writes() == []
    look(**options, accepted=[left.upn])
    assert json.loads(file.read_text())["users"] == []
    tenant.faults.add(times=None, path="/v1.0/users", status=500, code="x")
    before = file.read_text()
    assert look(**options)["failed"] and file.read_text() == before, "a look that failed leaves no verdict behind"
    tenant.faults.clear()
    assert convert(accepted_no_way_in_count=0) is None and tenant.writes()


@pytest.mark.parametrize("options", [{"domains": []}, {"domains": [""]}, {"days": 0}, {"days": 31}])
def test_bad_options(look, options):
    assert look(**options)["failure"]["code"] == "bad_option"


def test_long_work_shows_where_it_is(look, tenant, tmp_path, monkeypatch):
    monkeypatch.setattr(progress.Progress.__init__, "__defaults__", (0.0, time.monotonic))
    registered(tenant)
    file = tmp_path / "progress.jsonl"
    look(progress_file=str(file))
    shown = {item["noun"]: item["done"] for item in lines(file)}
    assert shown["users"] >= 250 and shown["registered methods"] >= REST, "the report leaves blocked users out"


def test_a_strangers_text(look, tenant):
    tenant.arrange("access_policies", POLICY, displayName="\x1b[2JX")
    assert "\x1b" not in json.dumps(look(), ensure_ascii=False)


def test_the_quota_of_reports_is_waited_for(tenant, capsys):
    """Microsoft allows 5 requests in 10 seconds: the second run waits as it is told to, and misses nobody."""
    options = {**connection(tenant), "domains": DOMAINS}
    tenant.settings.change({"clock_scale": 0.2})
    first, second = (run_module(capsys, "entra_sign_in_readiness_info", options) for _run in range(2))
    assert [item for item in tenant.requests() if item["status"] == 429] and second["counts"] == first["counts"] and second["not_looked_at"] == []
