# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_users and entra_users_info against the lab's tenant: what is said of each user is what the tenant's own store holds."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from lab import company
from lab.testing import RunningTenant

from .entra import PEOPLE, VAULT_PASSWORD, ansible, connection, lines, run_module

BLOCKED = [PEOPLE[number].upn for number in range(11, 31)]
NO_LOCATION = [PEOPLE[number].upn for number in range(41, 47)]
BY_GROUP = [PEOPLE[number].upn for number in range(61, 66)]
SYNCED = [PEOPLE[number].upn for number in range(101, 141)]
PLAIN = [PEOPLE[number].upn for number in range(71, 101)]
SKU = company.sku_id("SPE_E3")
MANAGED = "reiji-shop.example"


@pytest.fixture
def change(tenant: RunningTenant, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Runs entra_users with a journal, a results file and, where passwords are asked for, a hand-over file."""

    def run(check: bool = False, diff: bool = False, app: str = "offboard", module: str = "entra_users", **options: Any) -> dict[str, Any]:
        common: dict[str, Any] = {"results_file": str(tmp_path / "results.jsonl")}
        if module == "entra_users":
            common |= {"max_changes": 100000, "journal": str(tmp_path / "journal.jsonl")}
            if options.get("password") == "generate":
                common |= {"handover_file": str(tmp_path / "handover.yml"), "vault_password": VAULT_PASSWORD}
        return run_module(capsys, module, {**connection(tenant, app), **common, **options}, check=check, diff=diff)

    return run


@pytest.fixture
def managed(tenant: RunningTenant) -> None:
    """The converted domains."""
    for name in ("reiji.example", "reiji-group.example"):
        tenant.arrange("domains", name, authenticationType="Managed")


def results(tmp_path: Path) -> dict[str, dict[str, Any]]:
    found = lines(tmp_path / "results.jsonl")
    assert len({line["id"] for line in found}) == len(found), "a user has more than one result"
    return {line["userPrincipalName"]: line for line in found}


def handed_over(path: Path) -> dict[str, str]:
    content = yaml.safe_load(vault.decrypt(path.read_bytes(), VAULT_PASSWORD.encode()))
    return {entry["userPrincipalName"]: entry["password"] for entry in content["users"]}


def licences(tenant: RunningTenant, upn: str) -> set[str]:
    return {item["skuId"] for item in tenant.user(upn)["assignedLicenses"]}


# -- state


def test_check_mode_then_real_then_nothing_to_do(change, tenant, tmp_path):
    options = {"users": [*BLOCKED, *PLAIN], "enabled": True, "licences": {"add": ["SPE_E3"]}}
    checked = change(check=True, diff=True, **options)
    assert tenant.writes() == []
    assert not (tmp_path / "results.jsonl").exists()
    assert not (tmp_path / "journal.jsonl").exists()
    assert checked["counts"] == {"planned": 20, "unchanged": 30, "skipped": 0}
    assert checked["diff"][0]["after"] == {"accountEnabled": True, "licences": {"SPE_E3": []}}
    real = change(**options)
    assert real["plan"] == checked["plan"]
    assert real["counts"] == {"planned": 20, "unchanged": 30, "skipped": 0, "done": 20}
    assert all(tenant.user(upn)["accountEnabled"] and SKU in licences(tenant, upn) for upn in BLOCKED)
    assert {line["status"] for line in results(tmp_path).values()} == {"done", "unchanged"}
    assert len(results(tmp_path)) == 50
    tenant.clear_requests()
    again = change(**options)
    assert again["changed"] is False
    assert tenant.writes() == []


def test_one_patch_and_one_licence_call_a_user_in_full_batches(change, tenant):
    change(users=BLOCKED, enabled=True, licences={"add": ["SPE_E3"], "remove": ["FLOW_FREE"]})
    writes = tenant.writes()
    assert len(writes) == 40
    assert len({item["batch"] for item in writes}) == 2


def test_licences_added_and_removed_in_one_call(change, tenant):
    upn = PEOPLE[51].upn
    assert change(users=[upn], licences={"set": ["EXCHANGESTANDARD", "FLOW_FREE"]})["changed"] is True
    assert licences(tenant, upn) == {company.sku_id("EXCHANGESTANDARD"), company.sku_id("FLOW_FREE")}
    assert [item["method"] for item in tenant.writes()] == ["POST"]


def test_what_a_group_gives_is_not_assigned_again(change, tenant):
    assert change(users=BY_GROUP, licences={"add": ["SPE_E3"]})["counts"]["unchanged"] == 5
    assert tenant.writes() == []


def test_usage_location_comes_before_the_licence(change, tenant):
    missing = change(users=NO_LOCATION, licences={"add": ["SPE_E3"]})
    assert missing["failure"]["code"] == "no_usage_location"
    assert change(users=NO_LOCATION, licences={"add": ["SPE_E3"]}, usage_location="JP")["counts"]["done"] == 6
    assert all(tenant.user(upn)["usageLocation"] == "JP" and SKU in licences(tenant, upn) for upn in NO_LOCATION)


def test_out_of_seats_stops_licences_but_not_unblocking(change, tenant, tmp_path):
    sku = next(item for item in tenant.store.tables["skus"].objects.values() if item["skuId"] == SKU)
    free = sku["prepaidUnits"]["enabled"] - tenant.store.consumed[SKU]
    assert 0 < free < len(BLOCKED) + 11
    users = [*BLOCKED, *(PEOPLE[number].upn for number in range(231, 236)), *NO_LOCATION]
    result = change(users=users, enabled=True, licences={"add": ["SPE_E3"]}, usage_location="JP")
    assert result["failure"]["code"] == "no_seat"
    assert result["changed"] is True
    wanted = f"{len(users)} seats are needed and {free} are free, {len(users) - free} are missing"
    assert wanted in str(result["warnings"]), result["warnings"]
    assert all(tenant.user(upn)["accountEnabled"] for upn in users)
    told = results(tmp_path)
    assert sum(line["status"] == "done" for line in told.values()) == free
    for upn, line in told.items():
        assert (line["status"] == "done") == (SKU in licences(tenant, upn))
        assert line["status"] == "done" or line["code"] == "no_seat"


def test_seats_that_vanish_on_the_way(change, tenant, tmp_path):
    """The count before the run is only a count: Graph's refusal decides, and no write is wasted on the rest."""
    tenant.faults.add(
        method="POST",
        path="/v1.0/users/.*/assignLicense",
        status=400,
        code="Request_BadRequest",
        message=f"Subscription with SKU {SKU} does not have any available licenses.",
    )
    result = change(users=BLOCKED[:3], enabled=True, licences={"add": ["SPE_E3"]})
    assert result["failure"]["code"] == "no_seat"
    assert sum(line["status"] == "done" for line in results(tmp_path).values()) == sum(SKU in licences(tenant, upn) for upn in BLOCKED[:3])


def test_administrators_deleted_and_unknown_users_are_told_apart(change, tenant, tmp_path):
    users = [PEOPLE[1].upn, PEOPLE[2].upn, PEOPLE[3].upn, "former@reiji.example", "nobody@reiji.example"]
    result = change(users=users, enabled=False)
    assert {item["name"]: item["code"] for item in result["skipped_objects"]} == {
        PEOPLE[1].upn: "needs_higher_role",
        PEOPLE[3].upn: "needs_higher_role",
        "former@reiji.example": "soft_deleted",
        "nobody@reiji.example": "not_found",
    }
    assert tenant.user(PEOPLE[2].upn)["accountEnabled"] is False
    assert len(results(tmp_path)) == 5


def test_selection_by_domain_group_and_src(change, tenant, tmp_path):
    assert change(domain="reiji-group.example", enabled=True)["counts"] == {"planned": 5, "unchanged": 35, "skipped": 0, "done": 5}
    group = company.make_id("group", "m365-e3")
    by_group = change(group=group, enabled=True)
    assert "counts" in by_group and by_group["counts"]["unchanged"] == 5, by_group
    src = tmp_path / "users.jsonl"
    src.write_text(f'{{"userPrincipalName": "{PLAIN[0]}", "enabled": false}}\n{{"id": "{PEOPLE[72].id}"}}\n')
    assert change(src=str(src))["counts"] == {"planned": 1, "unchanged": 1, "skipped": 0, "done": 1}
    assert tenant.user(PLAIN[0])["accountEnabled"] is False
    assert change(domain="reiji-group.example", enabled=True, exclude=[PEOPLE[201].upn])["counts"]["unchanged"] == 39


def test_a_big_list_is_read_by_pages(change, tenant):
    tenant.reset(users=1200, seeded="done")
    users = [person.upn for person in company.people(1200, "done")]
    tenant.clear_requests()
    result = change(users=users[300:], enabled=True)
    assert result["counts"]["planned"] + result["counts"]["unchanged"] == 900
    assert len([item for item in tenant.requests() if item["path"].startswith("/v1.0/users?")]) == 2


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("by", ["domain", "users", "ids"])
def test_shards_are_disjoint_and_complete(change, tenant, tmp_path, by):
    """Three machines share the work and nothing else: each user is written by one of them, and nobody is left out."""
    strangers = ["former@reiji.example", "nobody@reiji.example"]
    everybody = [person for person in PEOPLE.values() if person.domain == "reiji.example"]
    selection: dict[str, Any] = {
        "domain": {"domain": "reiji.example"},
        "users": {"users": [*(person.upn for person in everybody), *strangers]},
        "ids": {"users": [person.id for person in everybody]},
    }[by]
    options = {**selection, "enabled": True, "password": "generate"}
    told: dict[str, dict[str, Any]] = {}
    for number in (1, 2, 3):
        results_file = tmp_path / f"results-{number}.jsonl"
        tenant.clear_requests()
        result = change(**options, shard=f"{number}/3", journal=str(tmp_path / f"journal-{number}.jsonl"), results_file=str(results_file))
        part = {line["userPrincipalName"]: line for line in lines(results_file)}
        assert not set(part) & set(told)
        assert 30 < len(part) < 110
        assert len(part) == sum(result["counts"][name] for name in ("planned", "unchanged", "skipped"))
        if by == "ids":  # another shard's users are not even read
            assert sum(item["path"].startswith("/v1.0/users/") and item["method"] == "GET" for item in tenant.requests()) <= 2 * len(part)
        told |= part
    assert set(told) == {person.upn for person in everybody} | set(strangers if by == "users" else ())
    passwords = handed_over(tmp_path / "handover.yml")
    assert set(passwords) == {upn for upn, line in told.items() if line["status"] == "done" and tenant.user(upn)["_password_count"]}
    assert all(tenant.password_is(upn, password) and tenant.user(upn)["_password_count"] == 1 for upn, password in passwords.items())
    assert len(passwords) > 100
    assert change(**options)["changed"] is False


def test_info_of_a_shard(change):
    parts = [change(module="entra_users_info", domain="reiji.example", shard=f"{number}/2")["counts"]["total"] for number in (1, 2)]
    assert sum(parts) == 200
    assert all(parts)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "bad_option"),
        ({"users": ["a@b.example"], "shard": "3/2"}, "bad_option"),
        ({"users": ["a@b.example"], "domain": "b.example"}, "bad_option"),
        ({"users": ["a@b.example"], "licences": {"add": ["NO_SUCH"]}}, "licence_unknown"),
        ({"users": ["a@b.example"], "licences": {"add": ["SPE_E3"], "remove": ["spe_e3"]}}, "bad_option"),
        ({"users": ["a@b.example"], "licences": {"set": ["SPE_E3"], "remove": ["FLOW_FREE"]}}, "bad_option"),
        ({"src": "/nonexistent"}, "file_missing"),
        ({"snapshot": "/nonexistent", "vault_password": "x"}, "snapshot_missing"),
        ({"users": ["a@b.example"], "password": "generate", "password_length": 8}, "bad_option"),
        ({"users": ["a@b.example"], "password": "generate", "handover_file": None}, "bad_option"),
        ({"users": ["a@b.example"], "password": "generate", "vault_password": None}, "vault_password_missing"),
    ],
)
def test_bad_options_are_told(change, tenant, options, code):
    result = change(**options)
    assert result["failure"]["code"] == code, result
    assert tenant.writes() == []


def test_max_changes(change, tenant):
    assert change(users=BLOCKED, enabled=True, max_changes=19)["failure"]["details"]["refusals"][0]["rule"] == "max_changes"
    assert tenant.writes() == []


def test_info_counts(change, tenant, tmp_path):
    found = change(module="entra_users_info", domain="reiji.example")
    assert found["counts"]["total"] == 200
    assert found["counts"]["blocked"] == 20
    assert found["counts"]["synced"] == 40
    assert found["counts"]["without_usage_location"] == 6
    assert found["licences"]["SPE_E3"] == 200 - 20 - 6
    assert len(results(tmp_path)) == 200
    named = change(module="entra_users_info", users=[PEOPLE[1].upn, "former@reiji.example"])
    assert named["missing"] == [{"name": "former@reiji.example", "why": "soft_deleted"}]


# -- passwords


@pytest.mark.usefixtures("managed")
def test_passwords_are_in_the_file_and_in_the_tenant(change, tenant, tmp_path):
    options = {"domain": "reiji.example", "password": "generate", "force_change": "next_sign_in_with_mfa", "revoke_sessions": True}
    checked = change(check=True, **options)
    assert not (tmp_path / "handover.yml").exists()
    result = change(**options)
    assert result["plan"] == checked["plan"]
    passwords = handed_over(tmp_path / "handover.yml")
    told = results(tmp_path)
    assert len(told) == 200
    codes = {upn: line.get("code") for upn, line in told.items() if line["status"] == "skipped"}
    assert set(codes.values()) == {"password_is_synced", "is_blocked", "needs_higher_role"}
    assert [upn for upn, code in codes.items() if code == "password_is_synced"] == SYNCED
    assert set(passwords) == {upn for upn, line in told.items() if line["status"] == "done"}
    for upn, line in told.items():
        count = tenant.user(upn)["_password_count"]
        assert count == (line["status"] == "done")
        assert not count or tenant.password_is(upn, passwords[upn])
    journal = (tmp_path / "journal.jsonl").read_text()
    everything = journal + (tmp_path / "results.jsonl").read_text() + str(result)
    assert not any(password in everything for password in passwords.values())
    tenant.clear_requests()
    again = change(**options)
    assert again["changed"] is False
    assert tenant.writes() == []


@pytest.mark.usefixtures("managed")
def test_a_rerun_knows_from_the_file_or_from_the_journal_who_has_a_password(change, tenant, tmp_path):
    options = {"users": PLAIN, "password": "generate"}
    change(**options)
    (tmp_path / "journal.jsonl").unlink()
    assert change(**options)["changed"] is False
    assert change(users=PLAIN[:1], enabled=True, password="generate")["changed"] is False
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in PLAIN)


def test_federated_users_get_no_password(change, tenant, tmp_path):
    result = change(users=PLAIN, password="generate")
    assert {item["code"] for item in result["skipped_objects"]} == {"domain_is_federated"}
    assert not (tmp_path / "handover.yml").exists()
    assert tenant.writes() == []


def test_check_mode_predicts_the_conversion(change, tenant, tmp_path, capsys):
    predictions = str(tmp_path / "predictions.jsonl")
    options = {"domains": ["reiji.example"], "authentication": "managed", "min_break_glass": 0, "predictions": predictions}
    run_module(capsys, "entra_domain", {**connection(tenant), **options}, check=True)
    change(check=True, users=BLOCKED, enabled=True, predictions=predictions)
    planned = change(check=True, users=[*BLOCKED, *PLAIN], password="generate", predictions=predictions)
    assert planned["predicted"] is True
    assert planned["counts"]["planned"] == 50
    assert change(check=True, users=PLAIN, password="generate", predictions=predictions)["counts"]["unchanged"] == 30
    assert tenant.writes() == []


@pytest.mark.usefixtures("managed")
def test_a_full_disk_stops_before_any_password_is_set(change, tenant, tmp_path):
    folder = tmp_path / "full"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "lab-full", str(folder)], check=True)
    try:
        result = change(users=PLAIN, password="generate", enabled=True, handover_file=str(folder / "handover.yml"), password_length=256)
        assert result["failure"]["code"] == "file_write_failed", result
        assert str(folder / "handover.yml") in result["msg"]
        assert tenant.writes() == []
        assert {line["code"] for line in results(tmp_path).values()} == {"not_tried"}
        assert len(results(tmp_path)) == 30
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.usefixtures("managed")
def test_a_wrong_vault_password_is_told_before_anything_is_set(change, tenant):
    change(users=PLAIN[:1], password="generate")
    tenant.clear_requests()
    result = change(users=PLAIN, password="generate", vault_password="another")
    assert result["failure"]["code"] == "vault_wrong_password"
    assert tenant.writes() == []


@pytest.mark.usefixtures("managed")
def test_a_missing_role_is_named(change, tenant):
    result = change(app="readonly", users=PLAIN[:2], password="generate")
    assert result["failure"]["code"] == "needs_higher_role"
    assert "User Administrator" in result["msg"]
    assert "User-PasswordProfile.ReadWrite.All" in result["msg"]


# -- faults: in each of them the tenant and the itemised result agree for every user


def agree(tenant: RunningTenant, tmp_path: Path, users: list[str]) -> None:
    """Whoever is reported as done has what was asked for, once; whoever has a password is in the hand-over file."""
    told = results(tmp_path)
    passwords = handed_over(tmp_path / "handover.yml")
    for upn in users:
        user = tenant.user(upn)
        if told[upn]["status"] in ("done", "unchanged"):
            assert user["accountEnabled"], upn
            assert SKU in licences(tenant, upn), upn
            assert tenant.password_is(upn, passwords[upn]), upn
        if user["_password_count"]:
            assert tenant.password_is(upn, passwords[upn]), upn


REPAIR: dict[str, Any] = {"users": BLOCKED, "enabled": True, "licences": {"add": ["SPE_E3"]}, "password": "generate"}


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 1, "batch": True, "times": 7},
        {"status": 429, "batch": True, "times": 3},
        {"status": 429, "retry_after": 1, "method": "POST", "path": r"/v1.0/\$batch"},
        {"status": 503, "batch": True, "times": 5},
        {"status": 503, "batch": True, "applied": True, "times": 5},
        {"status": 504, "method": "POST", "path": r"/v1.0/\$batch"},
        {"drop": True, "method": "POST", "path": r"/v1.0/\$batch"},
        {"drop": True, "applied": True, "method": "POST", "path": r"/v1.0/\$batch"},
        {"status": 503, "batch": True, "applied": True, "path": ".*assignLicense", "times": 4},
        {"status": 401, "method": "POST", "path": r"/v1.0/\$batch"},
    ],
    ids=str,
)
def test_faults_that_pass_do_no_harm(change, tenant, tmp_path, fault):
    tenant.faults.add(**{"method": "PATCH|POST", "path": "/v1.0/users/.*", **fault})
    result = change(**REPAIR)
    assert result["counts"].get("done") == 20, result
    agree(tenant, tmp_path, BLOCKED)
    assert all(tenant.user(upn)["_password_count"] <= 1 + (fault.get("applied", False) and 0) for upn in BLOCKED)


@pytest.mark.usefixtures("managed")
def test_delayed_visibility(change, tenant, tmp_path):
    tenant.settings.change({"visibility_delay": 3.0})
    assert change(**REPAIR)["counts"]["done"] == 20
    agree(tenant, tmp_path, BLOCKED)


@pytest.mark.usefixtures("managed")
def test_never_visible_is_a_failure(change, tenant, tmp_path):
    tenant.settings.change({"visibility_delay": 60.0})
    result = change(users=BLOCKED, enabled=True, verify_timeout=2)
    assert result["failure"]["code"] == "not_seen"
    assert result["counts"]["failed"] == 20


@pytest.mark.usefixtures("managed")
def test_a_user_deleted_between_read_and_write(change, tenant, tmp_path):
    tenant.faults.add(method="PATCH", path=f"/v1.0/users/{PEOPLE[11].id}", status=404, code="Request_ResourceNotFound", message="does not exist")
    result = change(**REPAIR)
    assert result["failure"]["code"] == "user_deleted"
    assert result["counts"] == {"planned": 20, "unchanged": 0, "skipped": 0, "done": 19, "failed": 1}
    agree(tenant, tmp_path, BLOCKED)


@pytest.mark.usefixtures("managed")
def test_the_end_of_the_secret_stops_the_run_and_leaves_nobody_out(change, tenant, tmp_path):
    """Sign-in ends in mid-run: who was not tried is told so, and a rerun finishes."""
    tenant.faults.add(method="POST", path=r"/v1.0/\$batch", skip=4, times=None, status=403, code="Authorization_RequestDenied")
    users = [*BLOCKED, *PLAIN]
    result = change(**{**REPAIR, "users": users})
    assert result["failure"]["code"] == "permission_missing"
    assert len(results(tmp_path)) == 50
    agree(tenant, tmp_path, users)
    tenant.faults.clear()
    change(**{**REPAIR, "users": users})
    agree(tenant, tmp_path, users)
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in users)


@pytest.mark.usefixtures("managed")
def test_a_token_that_ends_on_the_way_is_renewed(change, tenant, tmp_path):
    tenant.settings.change({"token_lifetime": 2.0, "latency": 0.4})
    assert change(**REPAIR)["counts"]["done"] == 20
    agree(tenant, tmp_path, BLOCKED)


# -- several app registrations


@pytest.fixture
def at_the_write(tenant: RunningTenant, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets something happen in the tenant just before its first PATCH, or the one after `skip` others, is carried out."""

    def arrange(then: Callable[[], None], skip: int = 0) -> None:
        hit, count = tenant.faults.hit, itertools.count()

        def watching(method: str, path: str, in_batch: bool) -> Any:
            if method == "PATCH" and next(count) == skip:
                then()
            return hit(method, path, in_batch)

        tenant.faults.add(path="/nowhere")  # the tenant asks its faults only where there are any
        monkeypatch.setattr(tenant.faults, "hit", watching)

    return arrange


def registrations(tenant: RunningTenant, *keys: str) -> list[dict[str, str]]:
    """The option `applications`."""
    return [{name: value for name, value in tenant.credentials(key).items() if name != "tenant_id"} for key in keys]


def writes_by_application(tenant: RunningTenant) -> Counter[str]:
    """Writes that were not refused, by client id."""
    return Counter(item["app_id"] for item in tenant.writes() if item["status"] is not None and item["status"] < 300)


@pytest.mark.usefixtures("managed")
def test_several_applications_share_the_work(change, tenant, tmp_path):
    tenant.settings.change({"latency": 0.05})
    users = [*BLOCKED, *PLAIN]
    further = registrations(tenant, "offboard2", "offboard3")
    checked = change(check=True, **{**REPAIR, "users": users}, applications=further)
    assert tenant.writes() == []
    result = change(**{**REPAIR, "users": users}, applications=further)
    assert result["plan"] == checked["plan"]
    assert result["counts"]["done"] == 50
    agree(tenant, tmp_path, users)
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in users)
    shares = writes_by_application(tenant)
    assert set(shares) == {tenant.credentials("offboard")["client_id"], *(item["client_id"] for item in further)}
    assert [item["lost"] for item in result["applications"]] == [None] * 3
    assert all(item["requests"] >= shares[item["client_id"]] for item in result["applications"])
    tenant.clear_requests()
    assert change(**{**REPAIR, "users": users}, applications=further)["changed"] is False
    assert tenant.writes() == []


def test_two_applications_use_both_quotas_and_waste_none(change, tenant):
    """8,000 writes with quotas that refill 30 times faster than Microsoft's: one application alone could not do them without waiting."""
    tenant.reset(users=4000)
    tenant.settings.change({"clock_scale": 30.0})
    options: dict[str, Any] = {"domain": "reiji.example", "enabled": True, "licences": {"add": ["FLOW_FREE"]}}
    options |= {"write_quota": {"requests": 3000, "seconds": 5}, "tenant_write_quota": {"requests": 18000, "seconds": 10}}
    result = change(**options, applications=registrations(tenant, "offboard2"))
    assert result["counts"]["done"] > 3900, result["msg"]
    shares = writes_by_application(tenant)
    assert sum(shares.values()) > 7000
    assert max(shares.values()) < 0.6 * sum(shares.values()), shares
    assert result["requests"]["refused"] <= 0.001 * sum(shares.values())


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize(
    ("lost", "code"),
    [("switched off", "client_disabled"), ("secret expired", "secret_wrong"), ("removed", "client_unknown"), ("no permission", "permission_missing")],
)
def test_an_application_that_is_lost_on_the_way(change, tenant, tmp_path, at_the_write, lost, code):
    """The others do its work, nobody is left out, and the answer says which one is lost and why."""
    tenant.settings.change({"latency": 0.02, "token_lifetime": 2.0 if lost in ("switched off", "secret expired") else 3600.0})
    users = [*BLOCKED, *PLAIN]
    second = tenant.credentials("offboard2")["client_id"]
    principal = next(item for item in tenant.store.tables["service_principals"].objects.values() if item["appId"] == second)
    application = next(item for item in tenant.store.tables["applications"].objects.values() if item["appId"] == second)
    if lost == "no permission":
        for item in [item for item in tenant.store.tables["app_role_assignments"].objects.values() if item["principalId"] == principal["id"]]:
            tenant.store.remove("app_role_assignments", item["id"])

    def lose() -> None:
        if lost == "switched off":
            tenant.arrange("service_principals", principal["id"], accountEnabled=False)
        elif lost == "secret expired":
            tenant.arrange("applications", application["id"], passwordCredentials=[], _secrets={})
        elif lost == "removed":
            tenant.store.remove("service_principals", principal["id"])

    at_the_write(lose)
    result = change(**{**REPAIR, "users": users}, applications=registrations(tenant, "offboard2"))
    assert "failed" not in result, result
    assert result["counts"]["done"] == 50
    agree(tenant, tmp_path, users)
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in users)
    assert result["applications"][0]["lost"] is None
    assert result["applications"][1]["lost"]["code"] == code
    assert second in str(result["warnings"])


@pytest.mark.usefixtures("managed")
def test_the_first_application_may_be_the_lost_one(change, tenant, tmp_path, at_the_write):
    first = tenant.credentials("offboard")["client_id"]
    principal = next(item for item in tenant.store.tables["service_principals"].objects.values() if item["appId"] == first)
    at_the_write(lambda: tenant.store.remove("service_principals", principal["id"]))
    result = change(**REPAIR, applications=registrations(tenant, "offboard2"))
    assert result["counts"]["done"] == 20, result
    agree(tenant, tmp_path, BLOCKED)
    assert result["applications"][0]["lost"]["code"] == "client_unknown"


@pytest.mark.usefixtures("managed")
def test_the_last_application_ends_the_run(change, tenant, tmp_path, at_the_write):
    """Both are switched off: the run stops, and everybody's line is true."""
    users = [*BLOCKED, *PLAIN]

    def lose() -> None:
        for item in list(tenant.store.tables["service_principals"].objects.values()):
            if item["displayName"] in ("offboard", "offboard-2"):
                tenant.store.remove("service_principals", item["id"])

    at_the_write(lose, skip=15)
    result = change(**{**REPAIR, "users": users}, applications=registrations(tenant, "offboard2"))
    assert result["failure"]["code"] == "client_unknown", result
    told = results(tmp_path)
    assert set(told) == set(users)
    agree(tenant, tmp_path, users)
    assert all(told[upn]["status"] != "done" for upn in users if not tenant.user(upn)["_password_count"])


def test_applications_that_cannot_work_are_told_before_anything_is_read(change, tenant):
    further = registrations(tenant, "offboard2")
    tenant.clear_requests()
    for wrong, code in (
        ({**further[0], "client_secret": "lab-another-one"}, "secret_wrong"),
        ({**further[0], "client_id": "0b1f3e8a-57a1-4f0c-8a10-aa11d00000ff"}, "client_unknown"),
        ({"client_id": further[0]["client_id"]}, "bad_option"),
        ({**further[0], "client_id": tenant.credentials("offboard")["client_id"]}, "bad_option"),
    ):
        result = change(users=BLOCKED, enabled=True, applications=[wrong])
        assert result["failure"]["code"] == code, result
        assert wrong["client_id"] in result["msg"]
    assert not [item for item in tenant.requests() if item["path"].startswith("/v1.0")]


def patches(tenant: RunningTenant) -> int:
    """PATCH requests until now; the log may be read while a line is being written."""
    while True:
        with contextlib.suppress(ValueError):
            return sum(item["method"] == "PATCH" for item in tenant.requests())


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("moment", ["batch 1", "batch 2", "batch 4"])
def test_killed_and_run_again(change, tenant, tmp_path, moment):
    """SIGKILL while a batch is on its way, applied or not; the rerun ends in the same state, and no password is set twice."""
    users = [*BLOCKED, *PLAIN]
    options = {
        **connection(tenant),
        **REPAIR,
        "users": users,
        "max_changes": 1000,
        "journal": str(tmp_path / "journal.jsonl"),
        "handover_file": str(tmp_path / "handover.yml"),
        "vault_password": VAULT_PASSWORD,
    }
    script = (
        "import json,sys\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.offboard.iij_id.plugins.modules import entra_users\n"
        "with patch_module_args(json.load(sys.stdin)): entra_users.main()\n"
    )
    skip = int(moment.split()[1])
    tenant.faults.add(method="PATCH", path="/v1.0/users/.*", batch=True, skip=skip * 11, delay=30.0)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    assert process.stdin is not None
    process.stdin.write(json.dumps(options).encode())
    process.stdin.close()
    deadline = time.monotonic() + 60
    while patches(tenant) < skip * 11 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    tenant.faults.clear()
    time.sleep(0.2)
    result = change(**{**REPAIR, "users": users})
    assert "failed" not in result, result
    agree(tenant, tmp_path, users)
    assert all(tenant.user(upn)["_password_count"] <= 2 for upn in users)
    tenant.clear_requests()
    assert change(**{**REPAIR, "users": users})["changed"] is False


@pytest.mark.usefixtures("managed")
def test_by_ansible_without_a_secret_in_sight(tenant, tmp_path):
    options = {
        **connection(tenant),
        "users": PLAIN,
        "password": "generate",
        "max_changes": 100,
        "journal": str(tmp_path / "journal.jsonl"),
        "handover_file": str(tmp_path / "handover.yml"),
        "vault_password_file": str(tmp_path / "vault-password"),
    }
    (tmp_path / "vault-password").write_text(VAULT_PASSWORD)
    secret = options["client_secret"]
    real, printed = ansible("entra_users", dict(options), "--diff", "-vvv")
    assert real["changed"] is True, printed
    passwords = handed_over(tmp_path / "handover.yml")
    assert len(passwords) == 30
    everything = printed + (tmp_path / "journal.jsonl").read_text()
    assert not any(word in everything for word in (secret, VAULT_PASSWORD, *passwords.values()))
    shown = subprocess.run(
        ["ansible-vault", "view", "--vault-password-file", str(tmp_path / "vault-password"), str(tmp_path / "handover.yml")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(passwords.values()) == {entry["password"] for entry in yaml.safe_load(shown.stdout)["users"]}
    again, _ = ansible("entra_users", dict(options))
    assert again["changed"] is False
