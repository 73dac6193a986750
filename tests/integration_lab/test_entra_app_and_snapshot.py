# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_app, entra_app_info and entra_snapshot against the lab's tenant."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.snapshot.files import APPS, DOMAINS, LICENCES, USER_IDS, users_file
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import resource as run_report
from lab import company
from lab.iij.actor import Actor
from lab.testing import RunningTenant

from .entra import BREAK_GLASS, PEOPLE, VAULT_PASSWORD, ansible, connection, lines, run_module

#: works in reiji.example
ACTIVE = next(person for person in PEOPLE.values() if person.number > 50 and person.enabled and person.upn.endswith("@reiji.example"))
#: how a refusal calls one of its objects
IIJ_OBJECT = "service_principal "
IIJ, OLD, DECOY, OURS = (company.app(key)["client_id"] for key in ("iij", "iij_old", "decoy", "offboard"))


@pytest.fixture
def call(tenant: RunningTenant, capsys: pytest.CaptureFixture[str]):
    def run(name: str, check: bool = False, diff: bool = False, app: str = "offboard", **options: Any) -> dict[str, Any]:
        return run_module(capsys, name, {**connection(tenant, app), **options}, check=check, diff=diff)

    return run


# -- apps


def test_info_finds_both_generations_and_says_why(call, tenant):
    found = {item["client_id"]: item for item in call("entra_app_info")["apps"]}
    assert IIJ in found
    assert OLD in found
    assert DECOY not in found
    assert found[IIJ]["activity_count"] == 8
    assert found[IIJ]["last_activity"]
    assert found[IIJ]["directory_roles"] == ["User Administrator"]
    assert found[IIJ]["grants"][0]["scope"] == "Directory.AccessAsUser.All"
    assert found[OLD]["activity_count"] == 0
    assert found[OLD]["secrets"][0]["end"].startswith("2024")
    assert any("convert domains" in reason for reason in found[IIJ]["why"])
    assert "lab-iij-secret" not in json.dumps(found)
    assert tenant.writes() == []


def test_info_by_client_id(call):
    found = call("entra_app_info", client_ids=[DECOY, "00000000-0000-0000-0000-000000000009"], name_patterns=[], activity_hours=0)
    assert DECOY in [item["client_id"] for item in found["apps"]]
    assert found["missing"] == ["00000000-0000-0000-0000-000000000009"]
    upper = call("entra_app_info", client_ids=[f" {DECOY.upper()}"], name_patterns=[], activity_hours=0)
    assert DECOY in [item["client_id"] for item in upper["apps"]] and upper["missing"] == []
    assert call("entra_app_info", name_patterns=["("])["failure"]["code"] == "bad_option"


def test_removed_in_order_brought_back_and_idempotent(call, tenant, tmp_path):
    options = {"app_id": IIJ, "state": "absent"}
    checked = call("entra_app", check=True, diff=True, **options)
    assert tenant.writes() == []
    assert [item["kind"] for item in checked["plan"]] == ["oauth2_permission_grant"] + ["app_role_assignment"] * 5 + ["service_principal", "application"]
    real = call("entra_app", journal=str(tmp_path / "journal.jsonl"), **options)
    assert real["plan"] == checked["plan"]
    assert real["changed"] is True, real
    assert len(lines(tmp_path / "journal.jsonl")) == 16
    assert all(item["appId"] != IIJ for item in tenant.store.tables["applications"])
    assert any(item["appId"] == DECOY for item in tenant.store.tables["applications"])
    assert any(item["appId"] == OLD for item in tenant.store.tables["applications"])
    tenant.clear_requests()
    assert call("entra_app", **options)["changed"] is False
    assert call("entra_app", app_id=IIJ, enabled=False, only_there=True)["changed"] is False
    assert call("entra_app", app_id="00000000-0000-0000-0000-000000000009", enabled=False, only_there=True)["changed"] is False
    assert tenant.writes() == []
    back = call("entra_app", app_id=IIJ)
    assert [item["action"] for item in back["plan"]] == ["restore", "restore"]
    assert any(item["appId"] == IIJ for item in tenant.store.tables["service_principals"])
    assert call("entra_app", app_id=IIJ)["changed"] is False


def another(tenant, identity: str, deleted: str):
    """A service principal that had IIJ's client id at another time, and is deleted."""
    (principal,) = (item for item in tenant.store.tables["service_principals"].objects.values() if item["appId"] == IIJ)
    tenant.store.put("deleted_service_principals", identity, principal | {"id": identity, "deletedDateTime": deleted})


def older(tenant):
    another(tenant, "older", "2026-01-02T00:00:00Z")


@pytest.mark.parametrize("kind", ["servicePrincipals", "applications"])
def test_an_object_id_is_not_taken_for_an_app_that_is_gone(call, tenant, kind):
    """The portal shows it beside the client id."""
    item = next(item for item in tenant.client().get(f"/{kind}").data["value"] if item["appId"] == (IIJ if kind == "servicePrincipals" else OLD))
    for state in ("absent", "present"):
        answer = call("entra_app", app_id=item["id"], state=state)
        assert answer["failure"]["code"] == "not_exact" and item["appId"] in answer["msg"]
    assert tenant.writes() == []


def test_an_app_that_is_not_there_and_that_nobody_knows_is_a_failure(call, tenant, tmp_path):
    run = tmp_path / "run"
    options = {"app_id": IIJ, "state": "absent", "journal": str(run / "journal.jsonl"), "requires": {"run_dir": str(run)}}
    other = {**options, "app_id": "00000000-7f0a-4d2e-9a65-0d5d8d0b7f11"}
    for check in (True, False):
        refused = call("entra_app", check=check, **other)
        assert [item["rule"] for item in refused["failure"]["details"]["refusals"]] == ["nothing_found"], refused
    assert call("entra_app", **options)["counts"]["done"] == 8
    assert call("entra_app", **options)["changed"] is False
    for table in ("deleted_applications", "deleted_service_principals"):  # after 30 days
        for key in list(tenant.store.tables[table].objects):
            tenant.store.remove(table, key)
    assert call("entra_app", **options)["changed"] is False
    assert call("entra_app", **{**options, "app_id": IIJ.upper(), "journal": str(tmp_path / "other")})["failure"]["code"] == "guard_refused"


def test_an_older_deleted_service_principal_stands_in_nobodys_way(call, tenant, snapshot):
    older(tenant)
    assert call("entra_app", app_id=IIJ, state="absent")["counts"]["done"] == 8
    assert call("entra_app", app_id=IIJ, state="absent")["changed"] is False
    assert call("entra_app", check=True, app_id=IIJ, state="absent")["changed"] is False
    assert IIJ in [app["client_id"] for app in call("entra_app_info", client_ids=[IIJ], activity_hours=0)["apps"]]
    assert call("entra_snapshot", **snapshot)["changed"] is True
    back = call("entra_app", app_id=IIJ)
    assert [(item["action"], item["id"] == "older") for item in back["plan"]] == [("restore", False)] * 2, back
    assert sum("the one deleted last" in str(warning) for warning in back["warnings"]) == 1  # others are of earlier modules in this process
    assert call("entra_app", app_id=IIJ)["changed"] is False


def test_what_the_snapshot_holds_comes_back_and_not_a_later_attempt(call, tenant, snapshot):
    """Somebody consented once more after the removal, and took that back: the newest deleted one is not the company's."""
    assert call("entra_snapshot", **snapshot)["changed"] is True
    another(tenant, "later", "2100-01-02T00:00:00Z")
    assert call("entra_app", app_id=IIJ, state="absent")["counts"]["done"] == 8
    requires = {"run_dir": str(Path(snapshot["path"]).parent), "snapshot": True}
    back = call("entra_app", app_id=IIJ, requires=requires)
    assert [(item["action"], item["id"] == "later") for item in back["plan"]] == [("restore", False)] * 2, back
    assert "that the snapshot holds" in str(back["warnings"])


def test_a_permission_on_something_that_is_gone_is_no_obstacle(call, tenant, snapshot):
    graph = next(item for item in tenant.store.tables["service_principals"].objects.values() if item["appId"] == company.GRAPH_APP_ID)
    tenant.faults.add(method="GET", path=f"/v1.0/servicePrincipals/{graph['id']}", times=None, status=404, code="Request_ResourceNotFound")
    assert IIJ in [app["client_id"] for app in call("entra_app_info", client_ids=[IIJ])["apps"]]
    assert call("entra_snapshot", **snapshot)["changed"] is True
    assert call("entra_app", app_id=IIJ, state="absent")["counts"]["done"] == 8


def test_a_principal_that_goes_while_it_is_read(call, tenant):
    """Entra's replicas differ: a list still has what another one answers 404 for. Where only the permissions are missing, something else is wrong."""
    principal = f"/v1.0/servicePrincipals/{company.make_id('servicePrincipal', 'iij')}"
    tenant.faults.add(method="GET", path=f"{principal}/.*", times=None, status=404, code="Request_ResourceNotFound")
    assert "404" in call("entra_app_info", client_ids=[IIJ])["msg"]
    tenant.faults.add(method="GET", path=principal, times=None, status=404, code="Request_ResourceNotFound")
    (app,) = [app for app in call("entra_app_info", client_ids=[IIJ])["apps"] if app["client_id"] == IIJ]
    assert app["grants"] == []


def test_an_assignment_that_is_gone_already_is_removed(call, tenant):
    """The answer to a deletion is lost; to the second attempt Graph says 400, not 404. The list decides."""
    tenant.faults.add(method="DELETE", path=".*/appRoleAssignments/.*", applied=True, status=503)
    removed = call("entra_app", app_id=IIJ, state="absent")
    assert "failed" not in removed, removed
    assert not any(item["principalDisplayName"] == "iid_graph_api" and item["principalId"] == company.make_id("servicePrincipal", "iij")
                   for item in tenant.store.tables["app_role_assignments"])  # fmt: skip


def test_an_assignment_that_stays_is_a_failure(call, tenant):
    tenant.faults.add(method="DELETE", path=".*/appRoleAssignments/.*", status=400, times=None)
    failed = call("entra_app", app_id=IIJ, state="absent")
    assert failed["failed"] is True
    assert [item["kind"] for item in failed["failed_objects"]] == ["app_role_assignment"]


def test_switched_off_and_on(call, tenant):
    assert call("entra_app", app_id=IIJ, enabled=False)["plan"][0]["action"] == "disable"
    assert call("entra_app_info", **tenant.credentials("iij"))["failure"]["code"] in ("client_disabled", "sign_in_failed")
    assert call("entra_app", app_id=IIJ, enabled=False)["changed"] is False
    assert call("entra_app", app_id=IIJ, enabled=True)["changed"] is True


def test_switched_off_removed_and_brought_back_where_replicas_lag(call, tenant, tmp_path):
    """The order that blocks nobody, and back: what is restored cannot be switched on at once."""
    options = {"app_id": IIJ, "journal": str(tmp_path / "journal.jsonl")}
    assert call("entra_app", **options, enabled=False)["changed"] is True
    assert call("entra_app", **options, state="absent")["changed"] is True
    tenant.settings.change({"visibility_delay": 1.5})
    back = call("entra_app", **options, enabled=True, only_disabled=True)
    assert [item["action"] for item in back["plan"]] == ["restore", "restore", "enable"] and not back.get("failed"), back
    tenant.settings.change({"visibility_delay": 0.0})
    assert call("entra_app", **options, enabled=True, only_disabled=True)["changed"] is False


def test_grants_alone(call, tenant):
    assert call("entra_app", app_id=IIJ, grants="remove")["counts"]["done"] == 6
    assert call("entra_app", app_id=IIJ, grants="remove")["changed"] is False
    assert not list(tenant.store.tables["oauth2_permission_grants"])


def test_predictions(call, tenant, tmp_path):
    predictions = str(tmp_path / "predictions.jsonl")
    call("entra_app", check=True, app_id=IIJ, state="absent", predictions=predictions)
    assert call("entra_app", check=True, app_id=IIJ, state="absent", predictions=predictions)["changed"] is False


@pytest.mark.parametrize(
    ("options", "rule"),
    [({"app_id": OURS, "state": "absent"}, "own_identity"), ({"app_id": company.GRAPH_APP_ID, "enabled": False}, "microsoft_app")],
)
def test_guards(call, tenant, options, rule):
    result = call("entra_app", **options, max_changes=100)
    assert [item["rule"] for item in result["failure"]["details"]["refusals"]] == [rule]
    assert tenant.writes() == []


@pytest.mark.parametrize(("app_id", "code"), [("iid_graph_api", "bad_option"), ("00000000-0000-0000-0000-000000000009", "not_found")])
def test_only_an_existing_client_id_will_do(call, app_id, code):
    assert call("entra_app", app_id=app_id)["failure"]["code"] == code


def test_a_missing_permission_is_named(call, tenant):
    result = call("entra_app", app="readonly", app_id=IIJ, enabled=False)
    assert result["failure"]["code"] == "permission_missing"
    assert "Application.ReadWrite.All" in result["msg"]


def test_an_application_by_ansible(tenant):
    result, printed = ansible("entra_app", {**connection(tenant), "app_id": IIJ, "enabled": False}, "--diff", "-vvv")
    assert result["changed"] is True, printed
    assert company.app("offboard")["secret"] not in printed


# -- snapshot


@pytest.fixture
def snapshot(tmp_path: Path) -> dict[str, Any]:
    return {"path": str(tmp_path / "snapshot"), "vault_password": VAULT_PASSWORD, "client_ids": [IIJ]}


def opened(folder: Path, name: str) -> bytes:
    return vault.decrypt((folder / name).read_bytes(), VAULT_PASSWORD.encode())


def test_a_snapshot_is_complete_encrypted_and_never_overwritten(call, tenant, tmp_path, snapshot):
    folder = tmp_path / "snapshot"
    assert call("entra_snapshot", check=True, **snapshot)["changed"] is True
    assert not folder.exists()
    taken = call("entra_snapshot", **snapshot)
    assert taken["changed"] is True, taken
    assert taken["contents"] == {"domains": 6, "licences": 3, "apps": 1, "users": len(tenant.store.tables["users"].objects)}
    domains = {item["id"]: item for item in yaml.safe_load(opened(folder, "domains.yml"))["domains"]}
    assert domains["reiji.example"]["federationConfiguration"]["signingCertificate"]
    users = {item["id"]: item for item in map(json.loads, opened(folder, "users-00001.jsonl").splitlines())}
    assert users[PEOPLE[51].id]["licences"] == [{"skuId": company.sku_id(part), "disabledPlans": []} for part in ("SPE_E3", "EXCHANGESTANDARD")]
    for file in folder.iterdir():
        assert PEOPLE[1].upn.encode() not in file.read_bytes()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert tenant.writes() == []
    again = call("entra_snapshot", **snapshot)
    assert again["changed"] is False
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_what_was_named_later_is_not_in_it_and_that_is_told(call, snapshot):
    few = {**snapshot, "domains": ["reiji.example"]}
    assert call("entra_snapshot", **few)["changed"] is True
    assert call("entra_snapshot", **{**few, "domains": ["Reiji.example"]})["changed"] is False
    for more, lacking in (
        ({"domains": ["reiji.example", "reiji-group.example"]}, "users of reiji-group.example"),
        ({"domains": None}, "users of all"),
        ({"client_ids": [IIJ, OLD]}, f"application {OLD}"),
    ):
        answer = call("entra_snapshot", **{**few, **more})
        assert answer["failure"]["code"] == "snapshot_incomplete"
        assert lacking in answer["msg"] and "offboard_run_dir" in answer["msg"]


def test_damage_and_a_wrong_password_are_told(call, tmp_path, snapshot):
    call("entra_snapshot", **snapshot)
    assert call("entra_snapshot", **{**snapshot, "vault_password": "another"})["failure"]["code"] == "vault_wrong_password"
    file = tmp_path / "snapshot" / "users-00001.jsonl"
    file.write_bytes(file.read_bytes()[:-100])
    assert call("entra_snapshot", **snapshot)["failure"]["code"] == "snapshot_damaged"


def test_a_snapshot_without_manifest_is_taken_anew(call, tmp_path, snapshot):
    call("entra_snapshot", **snapshot)
    (tmp_path / "snapshot" / "manifest.json").unlink()
    assert call("entra_snapshot", **snapshot)["changed"] is True


def test_a_lost_snapshot_is_not_taken_anew_of_what_the_exit_has_changed(call, tenant, tmp_path, snapshot):
    """A run folder that was copied or restored without it: what was switched off, converted or repaired would be "as before" for ever."""
    journal = str(tmp_path / "journal.jsonl")
    call("entra_snapshot", **snapshot, journal=journal)
    shutil.rmtree(tmp_path / "snapshot")
    assert call("entra_snapshot", **snapshot, journal=journal)["changed"] is True
    requires = {"run_dir": str(tmp_path), "snapshot": True}
    assert call("entra_app", app_id=IIJ, enabled=False, journal=journal, requires=requires)["changed"] is True
    (tmp_path / "snapshot").rename(tmp_path / "backup")
    for check in (True, False):
        lost = call("entra_snapshot", check=check, **snapshot, journal=journal)
        assert lost["failure"]["code"] == "snapshot_missing" and "backup" in lost["msg"] and not (tmp_path / "snapshot").exists()
    assert call("entra_snapshot", **{**snapshot, "path": str(tmp_path / "another")}, journal=journal)["changed"] is True
    (tmp_path / "backup").rename(tmp_path / "snapshot")
    assert call("entra_snapshot", **snapshot, journal=journal)["changed"] is False


@pytest.mark.parametrize("allowed", [True, False])
def test_the_company_is_named_where_it_may_be_read(call, tenant, tmp_path, snapshot, allowed):
    if not allowed:
        tenant.faults.add(method="GET", path="/v1.0/organization", times=None, status=403, code="Authorization_RequestDenied")
    assert call("entra_snapshot", **snapshot)["changed"] is True
    name = json.loads((tmp_path / "snapshot" / "manifest.json").read_text())["organization"]
    assert name == (company.data()["tenant"]["display_name"] if allowed else "")
    assert call("entra_snapshot", **snapshot)["changed"] is False
    report = run_report.read_report(str(tmp_path), "")
    assert (report["title"], report["tenant_id"]) == (name or "IIJ ID", company.tenant_id())


def test_repair_from_the_snapshot(call, tenant, tmp_path, snapshot):
    """What the vendor's stop of provisioning does is undone; who was blocked before stays so, unless named."""
    call("entra_snapshot", domains=["reiji.example", "reiji-group.example"], **snapshot)
    truth = {number: (person.enabled, set(person.licences)) for number, person in PEOPLE.items()}
    for person in PEOPLE.values():
        if person.domain != "sales.reiji.example":
            by_group = [item for item in tenant.user(person.upn)["licenseAssignmentStates"] if item["assignedByGroup"]]
            values = {
                "accountEnabled": False,
                "licenseAssignmentStates": by_group,
                "assignedLicenses": [{"skuId": item["skuId"], "disabledPlans": []} for item in by_group],
            }
            tenant.arrange("users", person.id, **values)
    options = {"snapshot": snapshot["path"], "vault_password": VAULT_PASSWORD, "max_changes": 300, "also_enable": [PEOPLE[11].upn]}
    result = call("entra_users", **options)
    skipped = {item["name"]: item["code"] for item in result["skipped_objects"]}
    for number, person in PEOPLE.items():
        if person.domain == "sales.reiji.example":
            continue
        user = tenant.user(person.upn)
        enabled, licences = truth[number]
        if number in (1, 3):  # administrators; their licences come back, unblocking needs a higher role
            assert not user["accountEnabled"]
        elif number == 11:
            assert user["accountEnabled"]
        else:
            assert user["accountEnabled"] == enabled
        direct = {item["skuId"] for item in user["licenseAssignmentStates"] if item["assignedByGroup"] is None}
        assert direct == {company.sku_id(part) for part in licences}, person.upn
        assert (skipped.get(person.upn) == "blocked_before_snapshot") == (not enabled and number != 11)
    tenant.clear_requests()
    again = call("entra_users", **options)
    assert again["changed"] is False
    assert tenant.writes() == []


def test_who_shall_be_otherwise_than_the_snapshot_says(call, tenant, tmp_path, snapshot):
    """In one change, and a second run changes nothing: not one task that enables, and the next one that blocks."""
    call("entra_snapshot", domains=["reiji.example"], **snapshot)
    licensed = [person for person in PEOPLE.values() if person.number > 50 and person.enabled and person.licences and person.domain == "reiji.example"]
    leaver, other, blocked = licensed[0], licensed[1], licensed[2]
    for person in (leaver, other, blocked):
        tenant.arrange("users", person.id, accountEnabled=False, licenseAssignmentStates=[], assignedLicenses=[])
    src = tmp_path / "src.jsonl"
    said = [{"userPrincipalName": leaver.upn.upper(), "enabled": False}, {"id": other.id, "licences": {"remove": [other.licences[0]]}}]
    src.write_text("".join(json.dumps(line) + "\n" for line in said))
    options = {"snapshot": snapshot["path"], "src": str(src), "vault_password": VAULT_PASSWORD, "max_changes": 300}

    def states() -> list[tuple[bool, set[str]]]:
        found = [tenant.user(person.upn) for person in (leaver, other, blocked)]
        return [(user["accountEnabled"], {item["skuId"] for item in user["licenseAssignmentStates"]}) for user in found]

    planned = call("entra_users", check=True, **options)
    assert call("entra_users", **options)["counts"] == {**planned["counts"], "done": 3}
    as_said = [
        (False, {*map(company.sku_id, leaver.licences)}),
        (True, {*map(company.sku_id, other.licences[1:])}),
        (True, {*map(company.sku_id, blocked.licences)}),
    ]
    assert states() == as_said
    assert not [item for item in tenant.writes() if item["path"].endswith(leaver.id) and (item.get("body") or {}).get("accountEnabled")]
    tenant.clear_requests()
    again = [call("entra_users", **options), call("entra_users", src=str(src), max_changes=300)]
    assert [result["changed"] for result in again] == [False, False] and tenant.writes() == []
    src.write_text(f"{src.read_text()}{json.dumps({'id': leaver.id, 'enabled': True})}\n")
    torn = call("entra_users", **options)
    assert torn["failure"]["code"] == "bad_src" and leaver.upn in torn["msg"] and tenant.writes() == []


def test_check_mode_plans_for_the_users_of_the_snapshot_only(call, tenant, snapshot, tmp_path):
    """No real run gives a guest a usage location: the snapshot that this check run plans holds the users of its domains, nobody else."""
    predictions = str(tmp_path / "predictions.jsonl")
    call("entra_snapshot", check=True, predictions=predictions, **{**snapshot, "domains": ["reiji.example"]})
    options = {"snapshot": snapshot["path"], "vault_password": VAULT_PASSWORD, "max_changes": 300, "usage_location": "JP"}
    result = call("entra_users", check=True, predictions=predictions, also_enable=[PEOPLE[11].upn], **options)
    touched = {item["name"] for item in (*result["plan"], *result["skipped_objects"])}
    assert touched and {name.rpartition("@")[2] for name in touched} == {"reiji.example"}
    assert not any("#EXT#" in name for name in touched)


@pytest.mark.parametrize(
    ("also", "code"),
    [
        ("nobody@reiji.example", "not_found"),
        ("00000000-0000-0000-0000-00000000000a", "not_found"),
        ("['{0}']", "bad_option"),
        ("reiji.example", "bad_option"),
        (" ", "bad_option"),
        ("Taro <{0}>", None),
        ("＜{0}＞", None),
        (" {0}。 ", None),
    ],
)
def test_who_is_to_be_enabled_must_be_somebody(call, tenant, snapshot, tmp_path, also, code):
    """Whoever was meant would stay blocked, and the stage would end well. In the check run from the untouched start, too."""
    person, given = PEOPLE[11], [also.format(PEOPLE[11].upn.upper()), PEOPLE[11].upn, PEOPLE[11].id]
    options = {"snapshot": snapshot["path"], "vault_password": VAULT_PASSWORD, "max_changes": 300, "also_enable": given}
    predictions = str(tmp_path / "predictions.jsonl")
    call("entra_snapshot", check=True, predictions=predictions, **snapshot)
    planned = call("entra_users", check=True, predictions=predictions, **options)
    refused = call("entra_snapshot", **snapshot, also_enable=given, max_blocked_percent=100)
    if code:
        assert planned["failure"]["code"] == refused["failure"]["code"] == code
        call("entra_snapshot", **snapshot)
        assert call("entra_users", **options)["failure"]["code"] == code and not tenant.user(person.upn)["accountEnabled"]
        assert call("entra_users", domain="reiji.example", enabled=True, also_enable=given)["failure"]["code"] == "bad_option"
    else:
        assert [item["name"] for item in planned["plan"]] == [person.upn]
        assert call("entra_users", **options)["counts"]["planned"] == 1 and tenant.user(person.upn)["accountEnabled"]


def test_check_mode_without_a_snapshot_plans_nothing_and_says_so(call, tenant, snapshot):
    options = {"snapshot": snapshot["path"], "vault_password": VAULT_PASSWORD, "max_changes": 300, "usage_location": "JP"}
    result = call("entra_users", check=True, also_enable=[PEOPLE[11].upn], **options)
    assert (result["changed"], result["plan"], result["skipped_objects"]) == (False, [], [])
    warnings = str(result["warnings"])
    assert "run offboard.iij_id.snapshot first" in warnings and snapshot["path"] in warnings


def test_check_mode_before_there_is_a_snapshot(call, tenant, snapshot, tmp_path):
    """From the untouched start, the repair is planned as if the snapshot were taken now."""
    options = {"snapshot": snapshot["path"], "vault_password": VAULT_PASSWORD, "max_changes": 300}
    predictions = str(tmp_path / "predictions.jsonl")
    call("entra_snapshot", check=True, predictions=predictions, **snapshot)
    result = call("entra_users", check=True, predictions=predictions, also_enable=[PEOPLE[11].upn], **options)
    assert [item["name"] for item in result["plan"]] == [PEOPLE[11].upn]
    assert {item["code"] for item in result["skipped_objects"]} == {"blocked_before_snapshot"}
    assert len(result["skipped_objects"]) == 24
    assert call("entra_users", **options)["failure"]["code"] == "snapshot_missing"


# -- what comes too early


def test_the_app_stays_while_a_domain_is_federated(call, tenant, tmp_path):
    """Also when the task that looks is stepped over; typed in another form it is the same domain, and a subdomain counts."""
    requires = {"run_dir": str(tmp_path), "managed_domains": ["Reiji.Example."]}
    options = {"app_id": f"{{{IIJ.upper()}}}", "state": "absent", "requires": requires}
    early = call("entra_app", **options)
    assert early["failure"]["code"] == "still_federated" and early["failure"]["details"]["domains"] == ["reiji.example", "sales.reiji.example"]
    assert tenant.writes() == []
    assert not call("entra_app", check=True, **options).get("failed")
    tenant.arrange("domains", "reiji.example", authenticationType="Managed")
    assert call("entra_app", **options)["changed"]


# -- what the run folder must hold


def test_the_run_folder_must_hold_what_is_required(call, tenant, tmp_path, snapshot):
    """Each changing module looks itself: a verdict that is open and not too old, and a snapshot of this tenant that holds each object."""
    domain, run = "reiji.example", {"run_dir": str(tmp_path), "steps": [], "snapshot": True, "gate_max_age_hours": 24}
    gate = {"path": str(tmp_path / "gate.json"), "app_id": IIJ, "domains": [domain.title()], "activity_hours": 0}
    (tmp_path / "src.jsonl").write_text(json.dumps({"id": ACTIVE.id, "enabled": False}))
    changes = [
        ("entra_domain", {"domains": [domain], "authentication": "managed", "break_glass": BREAK_GLASS}),
        ("entra_app", {"app_id": IIJ, "state": "absent"}),
        ("entra_users", {"src": str(tmp_path / "src.jsonl"), "vault_password": VAULT_PASSWORD}),
    ]

    def refused(code: str, told: str, only: str = "") -> None:
        for name, options in changes:
            if only in name:
                answer = call(name, **options, requires=run)
                assert answer.get("failure", {}).get("code") == code and told in answer["msg"], answer
        assert tenant.writes() == []

    refused("gate_closed", "no verdict")
    assert call("entra_provisioning_gate", check=True, **gate)["open"] is True and not (tmp_path / "gate.json").exists()
    assert call("entra_provisioning_gate", **gate)["open"] is True
    assert call("entra_provisioning_gate", **gate)["changed"] is False
    refused("snapshot_missing", "offboard.iij_id.snapshot")
    call("entra_snapshot", domains=["reiji-group.example"], **{**snapshot, "client_ids": []})
    refused("snapshot_incomplete", IIJ_OBJECT, "app")
    refused("snapshot_incomplete", ACTIVE.upn, "users")
    shutil.rmtree(tmp_path / "snapshot")
    call("entra_snapshot", **snapshot)
    manifest, verdict = tmp_path / "snapshot" / "manifest.json", tmp_path / "gate.json"
    taken, good = json.loads(manifest.read_text()), json.loads(verdict.read_text())
    for worse, code, told in (
        ({"at": "2026-01-01T00:00:00Z"}, "gate_outdated", "24 hours"),
        ({"tenant_id": "another"}, "other_run_folder", "another"),
        ({"open": False, "reasons": ["It is at work."]}, "gate_closed", "It is at work."),
        ({"open": "true"}, "gate_damaged", "gate.json"),
    ):
        verdict.write_text(json.dumps({**good, **worse}))
        refused(code, told)
    verdict.write_text(json.dumps({**good, "domains": []}))
    refused("gate_closed", domain, "domain")
    verdict.write_text(json.dumps(good))
    for worse, code, told, only in (
        ({"tenant_id": "another"}, "other_run_folder", "another", ""),
        ({"federated": []}, "snapshot_incomplete", "federation configuration", "domain"),
        ({"domains": []}, "snapshot_incomplete", domain, "domain"),
        ({"app_objects": []}, "snapshot_incomplete", IIJ_OBJECT, "app"),
        ({"files": []}, "snapshot_damaged", "manifest.json", ""),
    ):
        manifest.write_text(json.dumps({**taken, **worse}))
        refused(code, told, only)
    manifest.write_text(json.dumps({**taken, "tenant_id": "another"}))
    assert call("entra_snapshot", **snapshot)["failure"]["code"] == "other_run_folder"
    assert call("entra_users", snapshot=snapshot["path"], vault_password=VAULT_PASSWORD)["failure"]["code"] == "other_run_folder"
    manifest.write_text(json.dumps(taken))
    for name in (DOMAINS, APPS, LICENCES, users_file(1), USER_IDS):  # destroyed, and the manifest still there
        file = tmp_path / "snapshot" / name
        whole = file.read_bytes()
        for broken in (b"", whole[:-100], b"x"):
            file.write_bytes(broken)
            refused("snapshot_damaged", name)
        file.write_bytes(whole)
    # a refusal is kept in the place of the open verdict
    assert call("entra_provisioning_gate", **{**gate, "activity_hours": 24})["open"] is False
    refused("gate_closed", "IIJ ID still changes the tenant")
    assert call("entra_provisioning_gate", **gate)["changed"] is True
    for name, options in changes:
        assert call(name, **options, requires=run).get("failed") is not True


def test_entries_that_name_the_app_by_its_service_principal_only_count(call, tenant):
    """Many entries of the log come without the client id. Another app of the same name is another app."""
    tenant.settings.change({"throttling": False})
    before = call("entra_app_info", client_ids=[IIJ, OLD], name_patterns=[])["apps"]
    person, principals = PEOPLE[5], tenant.store.tables["service_principals"].objects.values()
    principal = next(item for item in principals if item["appId"] == IIJ)
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    tenant.store.audit(company.audit(when, principal, "Disable account", "User", person.id, person.name, person.upn))
    log = tenant.client().get(f"/auditLogs/directoryAudits?$filter=initiatedBy/app/appId%20eq%20'{IIJ}'").data["value"]
    assert when not in [item["activityDateTime"] for item in log]
    after = {item["client_id"]: item for item in call("entra_app_info", client_ids=[IIJ, OLD], name_patterns=[])["apps"]}
    for item in before:
        assert after[item["client_id"]]["activity_count"] == item["activity_count"] + (item["client_id"] == IIJ)
    assert after[IIJ]["activity_times"][0] == when


def test_what_the_app_did_as_an_earlier_service_principal_or_by_another_name_counts(call, tenant):
    """Somebody removed it, and IIJ ID was given consent anew; or renamed it. Blocking people is what the log has without the client id."""
    tenant.settings.change({"throttling": False})
    count = call("entra_app_info", client_ids=[IIJ], name_patterns=[])["apps"][0]["activity_count"]
    principal = next(item for item in tenant.store.tables["service_principals"].objects.values() if item["appId"] == IIJ)
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    older = {**principal, "id": "00000000-0000-0000-0000-00000000000b", "displayName": "IIJ ID (2021)", "deletedDateTime": when}
    tenant.store.put("deleted_service_principals", older["id"], older)
    for number, who in enumerate((older, older, principal)):
        tenant.store.audit(company.audit(when, who, "Disable account", "User", PEOPLE[number + 5].id, PEOPLE[number + 5].name, PEOPLE[number + 5].upn))
    tenant.arrange("service_principals", principal["id"], displayName="DO NOT REMOVE")
    assert call("entra_app_info", client_ids=[IIJ], name_patterns=[])["apps"][0]["activity_count"] == count + 3


# -- before the first snapshot


def test_no_snapshot_keeps_what_a_stop_has_done(call, tenant, tmp_path):
    Actor(tenant.url, tenant.ca_file).withdraw()
    options = {"path": str(tmp_path / "snapshot"), "vault_password": VAULT_PASSWORD, "domains": ["reiji-group.example"], "max_blocked_percent": 50}
    refused = call("entra_snapshot", **options)
    assert refused["failed"] and "reiji-group.example: of 40 users 40 are blocked, 40 have no licence" in json.dumps(refused)
    assert not (tmp_path / "snapshot" / "manifest.json").exists()
    # a domain that is right so, and one of which the operator has said what shall become of whom
    assert call("entra_snapshot", **{**options, "max_blocked_percent": 100}, check=True)["changed"]
    src = tmp_path / "src.jsonl"
    names = [person.upn for person in PEOPLE.values() if person.upn.endswith("@reiji-group.example")]
    src.write_text("".join(json.dumps({"userPrincipalName": upn, "licences": {"add": ["SPE_E3"]}}) + "\n" for upn in names))
    assert call("entra_snapshot", **options, also_enable=names)["failed"]
    assert call("entra_snapshot", **options, also_enable=names, src=str(src))["changed"]
    # it is there now, and read again without that question
    assert not call("entra_snapshot", **options)["changed"]


def test_whom_the_app_has_blocked_and_when(call, tenant, tmp_path):
    path, options = tmp_path / "list.yml", {"domains": ["reiji.example", "reiji-group.example"], "client_ids": [IIJ, OLD]}
    blocked = tmp_path / "blocked.yml"
    fine = call("entra_provisioning_info", **options, path=str(path), blocked_path=str(blocked), check=True)
    assert fine["blocked_file"] == str(blocked) and not blocked.exists()
    fine = call("entra_provisioning_info", **options, path=str(path), blocked_path=str(blocked))
    assert (fine["unusual"], fine["file"], fine["log"]["looked_at"]) == ([], None, False)
    inside = {
        person.upn for person in PEOPLE.values() if not person.enabled and person.upn.rpartition("@")[2].endswith(("reiji.example", "reiji-group.example"))
    }
    assert inside and set(fine["blocked_users"]) == inside
    listed = yaml.safe_load(blocked.read_text().replace("\n#  -", "\n  -"))
    assert listed == {"microsoft_365_also_enable": fine["blocked_users"]}
    nobody = call("entra_provisioning_info", **options, blocked_path=str(blocked), also_enable=listed["microsoft_365_also_enable"])
    assert (nobody["blocked_users"], nobody["blocked_file"]) == ([], None)
    Actor(tenant.url, tenant.ca_file).withdraw()
    looked = call("entra_provisioning_info", **options, path=str(path), check=True)
    assert looked["file"] == str(path) and not path.exists()
    found = call("entra_provisioning_info", **options, path=str(path))
    assert found["unusual"] == ["reiji-group.example", "reiji.example", "sales.reiji.example"]
    assert found["log"]["looked_at"] and found["log"]["since"] < found["first"] <= found["last"]
    enabled = {person.upn for person in PEOPLE.values() if person.enabled}
    assert set(found["also_enable"]) == enabled - {PEOPLE[1].upn, PEOPLE[3].upn} and found["blocked"] == len(enabled) - 2
    assert found["licences_not_told"] == 0
    listed = yaml.safe_load(path.read_text())
    assert listed == {"microsoft_365_also_enable": listed["microsoft_365_also_enable"], "microsoft_365_users_src": str(tmp_path / "list.jsonl")}
    assert set(listed["microsoft_365_also_enable"]) == set(found["also_enable"])
    assert len(lines(tmp_path / "list.jsonl")) == found["unlicensed"]
    settled = call("entra_provisioning_info", **options, also_enable=found["also_enable"], src=listed["microsoft_365_users_src"])
    assert settled["unusual"] == []
    # who may not read the log is told so, and has to judge
    blind = call("entra_provisioning_info", **options, app="readonly")
    assert blind["unusual"] and not blind["log"]["looked_at"] and "AuditLog.Read.All" in blind["log"]["msg"]


def test_who_can_work_without_iij_id(call, tenant, tmp_path):
    """Every user of the exit's domains, and nobody else; nothing is written but the results."""
    options = {"path": str(tmp_path / "snapshot"), "vault_password": VAULT_PASSWORD, "domains": ["reiji.example", "sales.reiji.example"]}
    call("entra_snapshot", **options)
    tenant.arrange("domains", "reiji.example", authenticationType="Managed")
    tenant.clear_requests()
    results = tmp_path / "results.jsonl"
    asked = {"domains": ["Reiji.example"], "snapshot": options["path"], "vault_password": VAULT_PASSWORD}
    found = call("entra_users_readiness_info", **asked, results_file=str(results))
    enabled = [person for person in PEOPLE.values() if person.enabled and not person.upn.endswith("@reiji-group.example")]
    synced = [person for person in enabled if person.synced]
    assert found["counts"] == {
        "administrator_without_password": 2,
        "password_is_synced": len(synced),
        "no_way_in": len(enabled) - len(synced) - 2,
        "blocked_before_snapshot": 210 - len(enabled),
    }
    assert [(item["domain"], item["total"]) for item in found["domains"]] == [("reiji.example", 200), ("sales.reiji.example", 10)]
    assert len(lines(results)) == 210
    assert found["synchronization"]["enabled"] and found["snapshot_taken"]
    left = call("entra_users_readiness_info", **asked, exclude=[PEOPLE[5].upn], signs_in_otherwise=["@reiji.example"])
    assert (left["counts"], left["left_alone"]) == ({"blocked_before_snapshot": 210 - len(enabled)}, 1)
    assert tenant.writes() == []
    # renamed out of the exit: IIJ ID had signed them in, and nobody has given them a password; blocked there, they are still looked for
    one, two = [person for person in enabled if not person.synced and person.id not in {PEOPLE[1].id, PEOPLE[3].id}][:2]
    tenant.arrange("users", one.id, userPrincipalName="one@reiji.onmicrosoft.com", lastPasswordChangeDateTime="2022-04-01T00:00:00Z")
    tenant.arrange("users", two.id, userPrincipalName="two@reiji.onmicrosoft.com", accountEnabled=False)
    moved = call("entra_users_readiness_info", **asked)
    told = {(item["name"], item["code"]) for item in moved["exceptions"]}
    assert {("one@reiji.onmicrosoft.com", "moved_without_password"), ("two@reiji.onmicrosoft.com", "user_blocked")} <= told
    assert moved["counts"]["moved_without_password"] == 1 and moved["counts"]["no_way_in"] == found["counts"]["no_way_in"] - 2
    assert sum(item["total"] for item in moved["domains"]) == 210
    # made since: nobody has said what they shall be
    for number, (name, more) in enumerate({"new": {}, "stopped": {"accountEnabled": False}, "shared": {"accountEnabled": False}}.items()):
        upn, key = f"{name}@reiji.example", f"00000000-0000-4000-8000-00000000000{number}"
        tenant.store.put("users", key, company.user(upn, name, id=key, userPrincipalName=upn, assignedLicenses=[], licenseAssignmentStates=[], **more))
    (tmp_path / "src.jsonl").write_text(json.dumps({"userPrincipalName": "shared@reiji.example", "enabled": False}))
    made = call("entra_users_readiness_info", **asked, src=str(tmp_path / "src.jsonl"))
    told = {item["name"]: item["code"] for item in made["exceptions"] if item["code"].startswith("new_user")}
    assert told == {"new@reiji.example": "new_user_unlicensed", "stopped@reiji.example": "new_user_blocked"}
    # a licence by a group that is gone
    lost = next(person for person in enabled if person.group_licence and person not in (one, two))
    tenant.arrange("users", lost.id, licenseAssignmentStates=[one for one in tenant.user(lost.upn)["licenseAssignmentStates"] if not one["assignedByGroup"]])
    lacking = call("entra_users_readiness_info", **asked)
    assert [item["name"] for item in lacking["exceptions"] if item["code"] == "group_licence_missing"] == [lost.upn]


def test_what_the_app_that_signs_in_lacks(call, tenant):
    whole = call("entra_permissions_info")
    assert whole["app_id"] == tenant.credentials()["client_id"]
    assert (whole["missing"], whole["directory_roles"]) == ([], ["Domain Name Administrator", "User Administrator"])
    assert "Domain.ReadWrite.All" in whole["permissions"]
    readonly = call("entra_permissions_info", app="readonly")
    assert {item["work"]: item["permissions"][0] for item in readonly["missing"]} == {
        "users": "User.ReadWrite.All",
        "passwords": "User-PasswordProfile.ReadWrite.All",
        "passes": "UserAuthMethod-TAP.ReadWrite.All",
        "domains": "Domain.ReadWrite.All",
        "app": "Application.ReadWrite.All",
        "intune_apps": "DeviceManagementApps.ReadWrite.All",
        "intune_profiles": "DeviceManagementConfiguration.ReadWrite.All",
    }
    # roles may not be read without a permission for it, and then count as held; reading is no write
    tenant.faults.add(method="GET", path="/v1.0/roleManagement/.*", status=403, code="Authorization_RequestDenied", times=None)
    assert call("entra_permissions_info")["directory_roles"] is None
    assert tenant.writes() == []
