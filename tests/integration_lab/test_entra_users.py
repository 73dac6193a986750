# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_users and entra_users_info against the lab's tenant: what is said of each user is what the tenant's own store holds."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal, vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import passes_there
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import resource as users_module
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import work as work_module
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.licences import Sku
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.passwords import PassBook
from ansible_collections.offboard.iij_id.plugins.module_utils._graph import batches as batches_module
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.client import Client
from ansible_collections.offboard.iij_id.plugins.module_utils._module import runner
from lab import company
from lab.tenant.answers import now
from lab.tenant.resources.licences import apply_group
from lab.testing import RunningTenant

from .entra import PEOPLE, VAULT_PASSWORD, ansible, connection, lines, run_module

BLOCKED = [PEOPLE[number].upn for number in range(11, 31)]
NO_LOCATION = [PEOPLE[number].upn for number in range(41, 47)]
BY_GROUP = [PEOPLE[number].upn for number in range(61, 66)]
SYNCED = [PEOPLE[number].upn for number in range(101, 141)]
PLAIN = [PEOPLE[number].upn for number in range(71, 101)]
SKU = company.sku_id("SPE_E3")
#: the group that gives it
GROUP = company.make_id("group", "m365-e3")
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
    called = {person.upn: person.name for person in PEOPLE.values()}
    assert all(entry["displayName"] == called.get(entry["userPrincipalName"], entry["displayName"]) for entry in content["users"])
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


#: administrators and synchronized users: why they are left alone takes reading roles and domains
LEFT_ALONE = [person.upn for person in PEOPLE.values() if person.upn in SYNCED or person.roles]


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({"enabled": True}, []),
        ({"enabled": True, "licences": {"set": [SKU]}, "usage_location": "JP"}, []),
        ({"enabled": True, "licences": {"add": ["SPE_E3"]}, "usage_location": "JP"}, ["/v1.0/subscribedSkus"]),
        ({"enabled": True, "password": "generate", "exclude": LEFT_ALONE}, []),
        ({"licence_group": {"id": GROUP}}, [f"/v1.0/groups/{GROUP}", *2 * [f"/v1.0/groups/{GROUP}/members"]]),
    ],
    ids=["enabled", "licences by id", "licences by part number", "passwords", "a licence group"],
)
def test_a_rerun_with_nothing_to_do_costs_the_page_reads(change, tenant, options, more):
    """The tenant's whole log of the second run: users and members of the group are more than one page of 999."""
    tenant.reset(users=1100, seeded="done")
    tenant.arrange("domains", "reiji.example", authenticationType="Managed")
    options = {"domain": "reiji.example", **options}
    assert not change(**options).get("failed")
    tenant.clear_requests()
    assert change(**options)["changed"] is False
    asked = [item["path"].partition("?")[0] for item in tenant.requests() if item["path"].startswith("/v1.0/")]
    assert sorted(asked) == sorted(["/v1.0/users", "/v1.0/users", *more])


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


def test_seats_in_grace_are_given(change, tenant):
    """A subscription that has ended is in grace: no seat is enabled, and Graph gives them all the same."""
    sku = next(item for item in tenant.store.tables["skus"].objects.values() if item["skuId"] == SKU)
    tenant.arrange("skus", sku["id"], **{**sku, "prepaidUnits": {"enabled": 0, "suspended": 0, "warning": tenant.store.consumed[SKU] + 2, "lockedOut": 0}})
    result = change(users=BLOCKED[:2], enabled=True, licences={"add": ["SPE_E3"]})
    assert result["counts"]["done"] == 2, result
    full = change(users=BLOCKED[2:5], enabled=True, licences={"add": ["SPE_E3"]})
    assert full["failure"]["code"] == "no_seat" and "assignLicense" in full["msg"], "Graph was asked"


def test_a_seat_that_our_arithmetic_does_not_know_is_asked_for(change, tenant, monkeypatch):
    monkeypatch.setattr(Sku, "of", classmethod(lambda cls, row: cls(row["skuId"].casefold(), row["skuPartNumber"], 0)))
    result = change(users=BLOCKED[:2], enabled=True, licences={"add": ["SPE_E3"]})
    assert result["counts"]["done"] == 2 and all(SKU in licences(tenant, upn) for upn in BLOCKED[:2])


def test_a_service_that_the_licence_has_lost_does_not_spoil_it(change, tenant, tmp_path, capsys):
    upn = PLAIN[0]
    sku = next(item for item in tenant.store.tables["skus"].objects.values() if item["skuId"] == SKU)
    lost, kept = (plan["servicePlanId"] for plan in sku["servicePlans"])
    body = {"addLicenses": [{"skuId": SKU, "disabledPlans": [lost, kept]}], "removeLicenses": []}
    client = tenant.client()
    assert client.call("POST", f"/users/{upn}/assignLicense", body).status == 200
    snapshot = {"path": str(tmp_path / "before"), "vault_password": VAULT_PASSWORD}
    assert run_module(capsys, "entra_snapshot", {**connection(tenant), **snapshot})["changed"] is True
    assert client.call("POST", f"/users/{upn}/assignLicense", {"addLicenses": [], "removeLicenses": [SKU]}).status == 200
    tenant.arrange("skus", sku["id"], **{**sku, "servicePlans": sku["servicePlans"][1:]})
    options = {"snapshot": snapshot["path"], "vault_password": VAULT_PASSWORD}
    result = change(**options)
    assert {item["skuId"]: item["disabledPlans"] for item in tenant.user(upn)["assignedLicenses"]}[SKU] == [kept], result
    assert "plan_gone" in str(result["warnings"])
    assert upn not in [item["name"] for item in change(**options)["plan"]]


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


@pytest.mark.parametrize("part", ["_members", "_owners"])
@pytest.mark.parametrize("options", [{"enabled": False}, {"password": "generate"}], ids=["block", "password"])
def test_who_is_in_a_group_that_roles_can_be_given_to_is_told_before(change, tenant, tmp_path, part, options):
    """Graph refuses it; check mode says so as the real run does, and nobody else suffers."""
    near, other = (upn for upn in (PEOPLE[number].upn for number in (201, 202)))
    people = [tenant.user(upn)["id"] for upn in (near, other)]
    tenant.arrange("domains", "reiji-group.example", authenticationType="Managed")
    group = next(iter(tenant.store.tables["groups"].objects.values()))
    tenant.arrange("groups", group["id"], isAssignableToRole=True, **{"_members": [], "_owners": [], part: people[:1]})
    if "password" in options:
        options = options | {"handover_file": str(tmp_path / "handover.yml"), "vault_password": VAULT_PASSWORD}
    planned = change(users=[near, other], **options, check=True)
    assert [(item["name"], item["code"]) for item in planned["skipped_objects"]] == [(near, "needs_higher_role")]
    assert tenant.writes() == []
    result = change(users=[near, other], **options)
    assert (result["plan"], result["skipped_objects"], result["failed_objects"]) == (planned["plan"], planned["skipped_objects"], [])
    assert {item["path"].split("/")[3] for item in tenant.writes() if "/users/" in item["path"]} == {people[1]}


def test_a_group_that_goes_while_it_is_read_is_no_obstacle(change, tenant):
    """A list of groups may still have what another replica answers 404 for."""
    group = next(iter(tenant.store.tables["groups"].objects))
    tenant.arrange("groups", group, isAssignableToRole=True, _members=[], _owners=[])
    tenant.faults.add(method="GET", path=f"/v1.0/groups/{group}(/.*)?", times=None, status=404, code="Request_ResourceNotFound")
    assert "failed" not in change(users=[PEOPLE[201].upn], enabled=False)


def test_nothing_found_of_all_that_was_named_is_a_failure(change, tenant):
    """Another tenant's list: "ok" with everybody skipped would be a lie."""
    for check in (True, False):
        result = change(users=["a@other.example", "b@other.example"], enabled=True, check=check)
        assert (result["failed"], result["failure"]["code"]) == (True, "guard_refused")
        assert "none of the 2 users" in result["msg"]
    assert tenant.writes() == []


def test_so_is_everybody_deleted(change, tenant):
    for users, told in ((["former@reiji.example"], "1 of them is deleted"), (["Former@Reiji.example", "nobody@reiji.example"], "none of the 2 users")):
        for check in (True, False):
            result = change(users=users, enabled=True, check=check)
            assert [item["rule"] for item in result["failure"]["details"]["refusals"]] == ["nothing_found"] and told in result["msg"], result
    assert tenant.writes() == []


def test_a_shard_of_nobody_is_a_failure_too(change, tenant):
    nobody = [f"{number}@other.example" for number in range(20)]
    for shard in ("1/2", "2/2"):
        result = change(users=nobody, enabled=True, shard=shard)
        assert (result["failed"], result["failure"]["code"]) == (True, "guard_refused") and "none of the" in result["msg"]
        # nobody of the list's rest is in this shard
        assert "failed" not in change(users=[*nobody, PEOPLE[201].upn], enabled=True, shard=shard)
    assert tenant.writes() == []


@pytest.mark.parametrize("domain", ["", " ", "@", ".", "\u3000", "\u200b"])
def test_no_domain_is_not_everybody(change, tenant, domain):
    result = change(domain=domain, password="generate", max_changes=100000)
    assert (result["failed"], result["failure"]["code"]) == (True, "bad_option")
    assert tenant.requests() == []


@pytest.mark.parametrize("domain", ["reiji.exampel", "https://reiji.example", "*.reiji.example", "a.example, b.example"])
def test_a_domain_that_the_tenant_does_not_have(change, tenant, domain):
    for check in (True, False):
        assert change(domain=domain, enabled=True, check=check)["failure"]["code"] == "not_found"
    assert tenant.writes() == []


@pytest.mark.parametrize("way", ["domain", "users"])
@pytest.mark.parametrize(
    ("left", "code"),
    [
        ("{0};{1}", "bad_option"),
        ("['{0}', '{1}']", "bad_option"),
        ("x{0}", "not_found"),
        ("00000000-0000-0000-0000-00000000000a", "not_found"),
        ("{0},", None),
        ("Taro <{0}>", None),
        ("mailto:{0}", None),
    ],
)
def test_who_is_to_be_left_out_must_be_somebody(change, tenant, way, left, code):
    """A name that means nobody would let the one be changed who was meant."""
    options = {"domain": "reiji-group.example"} if way == "domain" else {"users": [PEOPLE[201].upn, PEOPLE[202].upn]}
    result = change(**options, enabled=False, exclude=[left.format(PEOPLE[201].upn, PEOPLE[202].upn)])
    if code:
        assert (result["failed"], result["failure"]["code"]) == (True, code), result
        assert tenant.writes() == []
    else:
        assert not result.get("failed"), result
        assert tenant.user(PEOPLE[201].upn)["accountEnabled"] is True


def test_who_is_deleted_may_still_stand_among_those_left_out(change, tenant):
    upn = PLAIN[5]
    tenant.client().call("DELETE", f"/users/{tenant.user(upn)['id']}")
    assert not change(domain="reiji-group.example", enabled=True, exclude=[upn]).get("failed")


@pytest.mark.parametrize("name", ["", "/", f"{PEOPLE[72].id}/memberOf", "\u3000"])
def test_a_name_that_is_none_is_refused_before_anything_is_asked(change, tenant, name):
    result = change(users=[PLAIN[0], name], enabled=True)
    assert (result["failed"], result["failure"]["code"]) == (True, "bad_option")
    assert tenant.requests() == []


def test_another_tenants_run_folder_is_refused(change, tenant, tmp_path):
    (tmp_path / "run.json").write_text('{"tenant_id": "00000000-0000-0000-0000-0000000000aa"}')
    for check in (True, False):
        assert change(users=BLOCKED, enabled=True, check=check)["failure"]["code"] == "other_run_folder"
    assert tenant.writes() == [] and not (tmp_path / "journal.jsonl").exists()


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


def test_src_as_an_editor_leaves_it(change, tenant, tmp_path):
    src = tmp_path / "users.jsonl"
    src.write_bytes(b"\xef\xbb\xbf" + f'{{"userPrincipalName": "{PLAIN[0]}", "enabled": false}}\r\n\r\n{{"id": "{PEOPLE[72].id}"}}\r\n'.encode())
    assert change(src=str(src))["counts"] == {"planned": 1, "unchanged": 1, "skipped": 0, "done": 1}
    assert tenant.user(PLAIN[0])["accountEnabled"] is False
    assert change(module="entra_users_info", src=str(src))["counts"]["total"] == 2


@pytest.mark.parametrize(
    ("second", "word"),
    [
        (b'{"id": "1"', "is not JSON"),
        ('{"id": "1", "enabled": "無効"}'.encode("cp932"), "not in UTF-8"),
        (b'["a@b.example"]', "no JSON object"),
        (b'{"enabled": true}', "neither id nor userPrincipalName"),
        (b'{"id": 12}', "must be texts"),
        (b'{"id": "", "userPrincipalName": ["a"]}', "must be texts"),
        (b'{"id": "1", "enabled": "false"}', "must be true or false"),
        (b'{"id": "1", "licences": {"add": ["NO_SUCH"]}}', "no licence 'NO_SUCH'"),
    ],
)
def test_a_bad_line_of_src_stops_before_anything_is_done(change, tenant, tmp_path, second, word):
    src = tmp_path / "users.jsonl"
    src.write_bytes(f'{{"userPrincipalName": "{PLAIN[0]}", "enabled": false}}\n'.encode() + second + b"\n")
    result = change(src=str(src))
    assert result["failure"]["code"] == ("licence_unknown" if b"NO_SUCH" in second else "bad_src"), result
    assert f"line 2 of {src}" in result["msg"] and word in result["msg"]
    assert tenant.writes() == []


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
        ({"src": "/nonexistent/users.jsonl"}, "file_missing"),
        ({"src": "/"}, "file_read_failed"),
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


def test_info_of_many_who_are_not_there(change, tmp_path):
    """An answer that AWX keeps as one event: of each reason some, all of them in the file."""
    src = tmp_path / "users.jsonl"
    gone = [f"{'x' * 40}{number}@reiji.example" for number in range(1500)]
    src.write_text("".join(json.dumps({"userPrincipalName": name}) + "\n" for name in [*gone, "former@reiji.example"]))
    found = change(module="entra_users_info", src=str(src))
    assert (found["counts"]["not_found"], found["counts"]["soft_deleted"]) == (1500, 1)
    assert {one["why"] for one in found["missing"]} == {"not_found", "soft_deleted"}
    assert len(json.dumps(found["missing"])) < 21_000
    told = results(tmp_path)
    assert len(told) == 1501 and {one["status"] for one in told.values()} == {"missing"}


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
    written_down = (tmp_path / "journal.jsonl").read_text()
    everything = written_down + (tmp_path / "results.jsonl").read_text() + str(result)
    assert not any(password in everything for password in passwords.values())
    tenant.clear_requests()
    again = change(**options)
    assert again["changed"] is False
    assert tenant.writes() == []


@pytest.mark.usefixtures("managed")
def test_a_rerun_knows_from_the_file_or_from_the_journal_who_has_a_password(change, tenant, tmp_path):
    options = {"users": PLAIN, "password": "generate"}
    change(**options)
    assert change(**options)["counts"] == {"planned": 0, "unchanged": 30, "skipped": 0}
    (tmp_path / "journal.jsonl").unlink()
    without = change(**options, journal=None)
    assert without["counts"] == {"planned": 0, "unchanged": 30, "skipped": 0}
    assert "30 of the users with a password of the hand-over file count as having that one" in str(without["warnings"])
    other = change(**options)
    assert {item["code"] for item in other["skipped_objects"]} == {"password_changed_elsewhere"}
    assert other["counts"] == {"planned": 0, "unchanged": 0, "skipped": 30}
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in PLAIN)


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("lost", ["all", "the last ones"])
def test_passwords_that_were_set_and_are_in_no_file_are_told(change, tenant, tmp_path, lost):
    """A run folder was copied without the hand-over file, or an older one restored: "unchanged", and nobody has the passwords."""
    file = tmp_path / "handover.yml"
    change(users=PLAIN[:10], password="generate")
    older = file.read_bytes()
    change(users=PLAIN, password="generate")
    if lost == "all":
        file.unlink()
    else:
        file.write_bytes(older)
    again = change(users=PLAIN, password="generate")
    assert again["counts"] == {"planned": 0, "unchanged": 30, "skipped": 0}
    told = f"the passwords of {30 if lost == 'all' else 20} users were set, as the journal tells, and {file} does not have them"
    assert any(told in str(warning) for warning in again["warnings"])


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("verified", [True, False], ids=["verified", "killed before the verification"])
def test_a_password_that_was_accepted_and_not_set_is_set_by_the_next_run(change, tenant, tmp_path, monkeypatch, verified):
    """204, and nothing happened: the journal's "done" is belied by what is read, and the handed-over passwords work in the end."""
    options = {"users": PLAIN, "password": "generate", "verify_timeout": 2}
    if not verified:
        monkeypatch.setattr(users_module.Users, "verify", lambda self, applied: ())
    tenant.faults.add(method="PATCH", path="/v1.0/users/.*", status=204, times=None)
    first = change(**options)
    assert first.get("failed", False) is verified
    assert not any(tenant.user(upn).get("_password_count") for upn in PLAIN)
    tenant.faults.clear()
    monkeypatch.undo()
    if not verified:  # a replica may lag for a while, and then an old time of the last change says nothing
        assert change(**options)["counts"]["unchanged"] == 30
        monkeypatch.setattr(passes_there, "REPLICAS_LAG", 0.0)
    second = change(**options)
    assert (second.get("failed", False), second["counts"]["done"]) == (False, 30)
    assert change(**options)["counts"] == {"planned": 0, "unchanged": 30, "skipped": 0}
    passwords = handed_over(tmp_path / "handover.yml")
    assert len(passwords) == 30
    assert all(tenant.password_is(upn, password) and tenant.user(upn)["_password_count"] == 1 for upn, password in passwords.items())


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("times", [1, 3, 4])
def test_a_refused_password_is_not_tried_again(change, tenant, tmp_path, times):
    """The tenant's list of banned passwords, for instance: the user gets another one, in this run; after too many, in the next one."""
    last = PLAIN[2]
    text = "The specified password does not comply with password complexity requirements. Please provide a different password."
    sent = f"/v1.0/users/{tenant.user(last)['id']}"
    tenant.faults.add(method="PATCH", path=sent, status=400, code="Request_BadRequest", message=text, times=times)
    first = change(users=PLAIN[:3], password="generate")
    written = handed_over(tmp_path / "handover.yml")
    assert (first.get("failed", False), len(written)) == (times == 4, 3)
    if times == 4:
        assert first["failed_objects"][0]["code"] == "password_refused" and tenant.user(last)["_password_count"] == 0
        tenant.faults.add(method="PATCH", path=sent, status=400, code="Request_BadRequest", message=text)
        assert change(users=PLAIN[:3], password="generate")["counts"]["done"] == 1
        again = handed_over(tmp_path / "handover.yml")
        assert again[last] != written[last] and again | {last: ""} == written | {last: ""}
        written = again
    assert all(tenant.password_is(upn, password) and tenant.user(upn)["_password_count"] == 1 for upn, password in written.items())
    assert change(users=PLAIN[:3], password="generate")["counts"] == {"planned": 0, "unchanged": 3, "skipped": 0}


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("cause", ["stopped before the intents", "stopped before it was sent", "refused"])
def test_a_password_that_was_never_set_is_not_said_to_be(change, tenant, tmp_path, monkeypatch, cause):
    """The entry is in the hand-over file, the password was not set, and then somebody else changes the user's: they are told of, not "unchanged"."""
    users, last = PLAIN[:12], PLAIN[11]
    options = {"users": users, "password": "generate"}
    monkeypatch.setattr(work_module, "_INTENTS", 11 if cause == "stopped before the intents" else 100)
    match cause:
        case "refused":
            tenant.faults.add(method="PATCH", path=f"/v1.0/users/{tenant.user(last)['id']}", status=403, code="Authorization_RequestDenied")
        case _:
            monkeypatch.setattr(batches_module, "BATCH_SIZE", 1)
            tenant.faults.add(method="POST", path=r"/v1.0/\$batch", skip=12, status=403, code="Authorization_RequestDenied", times=None)
            tenant.settings.change({"latency": 0.3})
    stopped = change(**options)
    assert stopped["failed"] is True
    assert last in handed_over(tmp_path / "handover.yml")
    assert tenant.user(last)["_password_count"] == 0
    tenant.faults.clear()
    tenant.settings.change({"latency": 0.0})
    monkeypatch.undo()
    tenant.arrange("users", tenant.user(last)["id"], lastPasswordChangeDateTime=now())
    again = change(**options)
    assert {item["name"]: item["code"] for item in again["skipped_objects"]} == {last: "password_changed_elsewhere"}
    assert results(tmp_path)[last]["code"] == "password_changed_elsewhere"
    assert tenant.user(last)["_password_count"] == 0
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in users[:11])
    fresh = change(**{**options, "users": [last]}, handover_file=str(tmp_path / "second.yml"))
    assert fresh["counts"]["done"] == 1
    assert tenant.password_is(last, handed_over(tmp_path / "second.yml")[last])


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


#: codes of users of whom nothing is known to have been carried out beyond `steps_done`, and nothing to the contrary
UNCERTAIN = {"answer_lost", "not_seen", "interrupted"}


def agree(tenant: RunningTenant, tmp_path: Path, users: list[str]) -> None:
    """For every user: what their one line says is what the tenant holds, and a password that was set is in the hand-over file, and set once."""
    told = results(tmp_path)
    passwords = handed_over(tmp_path / "handover.yml")
    assert set(told) >= set(users)
    for upn in users:
        line, steps = told[upn], set(told[upn].get("steps_done", ()))
        if upn not in tenant.store.upns:
            assert (line["status"], line["code"]) == ("failed", "user_deleted"), line
            continue
        user = tenant.user(upn)
        whole = line["status"] in ("done", "unchanged")
        if whole or "patch" in steps:
            assert user["accountEnabled"], line
            assert tenant.password_is(upn, passwords[upn]), line
        elif line["code"] not in UNCERTAIN:
            assert user["_password_count"] == 0, line
        if whole or "licences" in steps:
            assert SKU in licences(tenant, upn), line
        elif line["code"] not in UNCERTAIN:
            assert SKU not in licences(tenant, upn) or upn in PLAIN, line
        if user["_password_count"]:
            assert tenant.password_is(upn, passwords[upn]), line


REPAIR: dict[str, Any] = {"users": BLOCKED, "enabled": True, "licences": {"add": ["SPE_E3"]}, "password": "generate"}


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 1, "batch": True, "times": 7},
        {"status": 429, "batch": True, "times": 3},
        {"status": 429, "retry_after": 1, "method": "POST", "path": r"/v1.0/\$batch"},
        {"status": 429, "method": "POST", "path": r"/v1.0/\$batch"},
        {"status": 503, "batch": True, "times": 5},
        {"status": 503, "batch": True, "times": 3, "retry_after": 2},
        {"status": 503, "batch": True, "applied": True, "times": 5},
        {"status": 504, "method": "POST", "path": r"/v1.0/\$batch"},
        {"drop": True, "method": "POST", "path": r"/v1.0/\$batch"},
        {"drop": True, "applied": True, "method": "POST", "path": r"/v1.0/\$batch"},
        {"status": 503, "batch": True, "applied": True, "path": ".*assignLicense", "times": 4},
        {"status": 401, "method": "POST", "path": r"/v1.0/\$batch"},
        {"status": 401, "batch": True, "times": 7, "skip": 3},
        {"status": 503, "method": "POST", "path": r"/v1.0/\$batch", "retry_after": 2},
        {"half": True, "method": "POST", "path": r"/v1.0/\$batch", "times": 2},
        {"status": 429, "retry_after": 1, "method": "GET", "path": "/v1.0/users/.*", "batch": True, "times": 5},
        {"status": 504, "method": "GET", "path": "/v1.0/(users/.*|domains|subscribedSkus)", "times": 4},
        {"drop": True, "method": "GET", "path": "/v1.0/(domains|subscribedSkus)", "times": 2},
        {"status": 429, "retry_after": 1, "method": "GET", "path": "/v1.0/(domains|subscribedSkus)", "times": 2},
        {"status": 429, "method": "GET", "path": "/v1.0/(domains|subscribedSkus)", "times": 2},
    ],
    ids=str,
)
def test_faults_that_pass_do_no_harm(change, tenant, tmp_path, fault):
    tenant.faults.add(**{"method": "PATCH|POST", "path": "/v1.0/users/.*", **fault})
    result = change(**REPAIR)
    assert result["counts"].get("done") == 20, result
    agree(tenant, tmp_path, BLOCKED)
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in BLOCKED)


@pytest.fixture
def speed() -> float:
    return 200.0


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch, speed: float) -> float:
    """The client's time runs so many times faster, so that pauses of minutes can be waited for."""
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(seconds / speed))
    monkeypatch.setattr(users_module, "Client", functools.partial(Client, clock=lambda: time.monotonic() * speed))
    return speed


def seconds_of(entry: dict[str, Any]) -> float:
    return datetime.datetime.fromisoformat(entry["time"]).timestamp()


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("where", [{"batch": True, "times": 3}, {"method": "POST", "path": r"/v1.0/\$batch", "times": 1}], ids=["inside", "outside"])
def test_a_pause_of_minutes_is_kept(change, tenant, tmp_path, fast, where):
    """From 180 s on the SDK's own retry handler gives up; ours waits, and sends nothing meanwhile."""
    tenant.faults.add(**{"method": "PATCH", "path": "/v1.0/users/.*", "status": 429, "retry_after": 400, **where})
    assert change(**REPAIR)["counts"].get("done") == 20
    agree(tenant, tmp_path, BLOCKED)
    batches = [item for item in tenant.requests() if item["write"] or item["path"].endswith("$batch")]
    refused = min(seconds_of(item) for item in batches if item["status"] == 429)
    assert not [item for item in batches if refused + 0.5 < seconds_of(item) < refused + 400 / fast - 0.1]


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("further", [(), ("offboard2",)], ids=["one application", "two applications"])
def test_a_pause_that_is_too_long_stops_the_run(change, tenant, tmp_path, further):
    """What is on its way is refused alike; nobody else is tried, now or 900 s later."""
    tenant.reset(users=1500)
    tenant.faults.add(method="PATCH", path="/v1.0/users/.*", batch=True, skip=17, status=429, retry_after=5000, times=None)
    before = sum(user["accountEnabled"] for user in tenant.store.tables["users"].objects.values())
    result = change(domain="reiji.example", enabled=True, applications=registrations(tenant, *further))
    assert result["failure"]["code"] == "throttled", result
    assert "5000 s" in result["msg"]
    told = Counter((line["status"], line.get("code", "")) for line in results(tmp_path).values())
    assert result["counts"]["planned"] == told["done", ""] + told["failed", "throttled"] + told["skipped", "not_tried"] > 1000, told
    assert told["done", ""] == 17 == sum(user["accountEnabled"] for user in tenant.store.tables["users"].objects.values()) - before
    assert told["skipped", "not_tried"] > 200, told
    assert len(tenant.writes()) <= 20 * 8 * (1 + 2 * len(further)), "no more than was on its way, and once more where an application was given up"


@pytest.mark.usefixtures("managed")
def test_a_whole_batch_that_shall_wait_too_long_stops_the_run(change, tenant, tmp_path):
    tenant.faults.add(method="POST", path=r"/v1.0/\$batch", skip=3, status=429, retry_after=5000, times=None)
    users = [*BLOCKED, *PLAIN]
    result = change(**{**REPAIR, "users": users})
    assert result["failure"]["code"] == "throttled"
    assert "5000 s" in result["msg"]
    assert len(results(tmp_path)) == 50
    agree(tenant, tmp_path, users)


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "retry_after": 300}, {"status": 429}, {"status": 503, "retry_after": 200}, {"status": 504}, {"drop": True}],
    ids=str,
)
@pytest.mark.usefixtures("fast")
def test_faults_on_pages(change, tenant, tmp_path, fault):
    """The list of users is read to its end whatever happens to one of its pages."""
    tenant.reset(users=2500)
    for name in ("reiji.example", "reiji-group.example"):
        tenant.arrange("domains", name, authenticationType="Managed")
    tenant.faults.add(method="GET", path="/v1.0/users", skip=1, times=2, **fault)
    result = change(domain="reiji.example", enabled=True)
    assert result["counts"]["planned"] + result["counts"]["unchanged"] == 2450
    told = results(tmp_path)
    assert len(told) == 2450
    assert all(tenant.user(upn)["accountEnabled"] for upn in told if told[upn]["status"] in ("done", "unchanged"))


def test_a_foreign_continuation_is_refused_and_gets_no_token(change, tenant):
    tenant.reset(users=1200)
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        foreign.settimeout(0.5)
        link = f"https://127.0.0.1:{foreign.getsockname()[1]}/v1.0/users?$skiptoken=x"
        tenant.faults.add(method="GET", path="/v1.0/users", next_link=link)
        result = change(domain="reiji.example", enabled=True)
        with pytest.raises(TimeoutError):
            foreign.accept()
    assert result["failure"]["code"] == "foreign_next_link"
    assert link.split("/")[2] in result["msg"]
    assert tenant.writes() == []


@pytest.mark.parametrize("which", ["the page before", "the first page again"])
def test_duplicate_pages(change, tenant, tmp_path, which):
    """A page that comes twice gives nobody two lines or two writes; a list that runs in a circle is an error."""
    tenant.reset(users=3000)
    path = "/v1.0/users"
    change(domain="nobody.example")
    pages = [item["path"] for item in tenant.requests() if item["path"].startswith("/v1.0/users?")]
    tenant.clear_requests()
    if which == "the page before":  # page 2 names itself as its continuation
        tenant.faults.add(method="GET", path=path, skip=1, next_link=f"{tenant.url}{pages[1]}")
        result = change(domain="reiji.example", enabled=True)
        assert result["failure"]["code"] == "duplicate_page"
        assert tenant.writes() == []
    else:  # page 1 is its own continuation, once; the second time it goes on
        tenant.faults.add(method="GET", path=path, next_link=f"{tenant.url}{pages[0]}")
        result = change(domain="reiji.example", enabled=True)
        assert result["counts"]["done"] == result["counts"]["planned"]
        patched = Counter(item["path"] for item in tenant.writes())
        assert set(patched.values()) == {1}
        assert len(results(tmp_path)) == 2950


def test_a_name_that_begins_with_a_dollar_sign_is_found(change, tenant):
    """`GET /users/$name` is 400: Graph takes such a name in parentheses only."""
    person = PEOPLE[11]
    tenant.arrange("users", person.id, userPrincipalName="$o'hara@reiji.example")
    result = change(users=["$O'Hara@reiji.example"], enabled=True)
    assert result["changed"] is True, result
    assert tenant.user("$o'hara@reiji.example")["accountEnabled"] is True


def test_a_user_who_is_named_twice_has_one_line(change, tenant, tmp_path):
    person = PEOPLE[11]
    result = change(users=[person.upn, person.id, person.upn.upper()], enabled=True)
    assert result["counts"] == {"planned": 1, "unchanged": 0, "skipped": 0, "done": 1}
    assert len(results(tmp_path)) == 1
    assert len(tenant.writes()) == 1


@pytest.mark.usefixtures("managed")
def test_stale_reads_after_lost_answers(change, tenant, tmp_path):
    """A password whose answer is lost and which a lagging replica does not show is sent again, the same one."""
    tenant.faults.add(method="PATCH", path="/v1.0/users/.*", batch=True, applied=True, status=503, times=6)
    change(check=True, **REPAIR)  # so that the first read is not the one that is stale
    tenant.faults.add(method="GET", path="/v1.0/users/.*", batch=True, stale=True, times=26, skip=20)
    assert change(**REPAIR)["counts"].get("done") == 20
    agree(tenant, tmp_path, BLOCKED)


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
    told = results(tmp_path)
    assert {(line["status"], line["code"]) for line in told.values()} == {("failed", "not_seen")}
    assert all(line["steps_done"] == ["patch"] for line in told.values())


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("moment", ["before the patch", "before the licence"])
def test_a_user_deleted_between_read_and_write(change, tenant, tmp_path, at_the_write, moment):
    gone = PEOPLE[30]

    def delete() -> None:
        user = tenant.user(gone.upn)
        tenant.store.remove("users", gone.id)
        tenant.store.put("deleted_users", gone.id, user)

    at_the_write(delete, method="PATCH" if moment == "before the patch" else "POST")
    result = change(**REPAIR)
    assert result["failure"]["code"] == "user_deleted"
    assert result["counts"] == {"planned": 20, "unchanged": 0, "skipped": 0, "done": 19, "failed": 1}
    agree(tenant, tmp_path, BLOCKED)
    assert results(tmp_path)[gone.upn].get("steps_done") == (None if moment == "before the patch" else ["patch"])
    again = change(**REPAIR)
    assert [(item["name"], item["code"]) for item in again["skipped_objects"]] == [(gone.upn, "soft_deleted")]


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
@pytest.mark.parametrize("stop", ["throttled", "lost sign-in", "journal"])
def test_a_stop_within_a_segment_leaves_nobody_without_an_outcome(change, tenant, tmp_path, monkeypatch, stop):
    """Passwords of 40 users are on the disk, intents of 10 go to the journal at a time, and the run stops in their midst (after 50 reads)."""
    monkeypatch.setattr(work_module, "_SEGMENT", 40)
    monkeypatch.setattr(work_module, "_INTENTS", 10)
    monkeypatch.setattr(batches_module, "BATCH_SIZE", 1)
    users = [*BLOCKED, *PLAIN]
    match stop:
        case "throttled":
            tenant.faults.add(method="POST", path=r"/v1.0/\$batch", skip=75, status=429, retry_after=5000, times=None)
        case "lost sign-in":
            tenant.faults.add(method="POST", path=r"/v1.0/\$batch", skip=75, status=403, code="Authorization_RequestDenied", times=None)
        case "journal":
            append = runner.append_records

            def full_once(path: str, records: list[dict[str, Any]]) -> None:
                if records[0].get("record") == "intent" and len(lines(tmp_path / "journal.jsonl")) >= 10:
                    raise OffboardError("the disk is full", code="file_write_failed")
                append(path, records)

            append(str(tmp_path / "journal.jsonl"), [])
            monkeypatch.setattr(runner, "append_records", full_once)
    result = change(**{**REPAIR, "users": users})
    counts = result["counts"]
    assert counts["skipped"] >= 10, result
    assert counts["planned"] == counts["done"] + counts.get("failed", 0) + counts["skipped"] == 50
    agree(tenant, tmp_path, users)
    outcomes = {item["name"] for item in lines(tmp_path / "journal.jsonl") if item["record"] == "outcome"}
    assert outcomes == set(users)


@pytest.mark.usefixtures("managed")
def test_a_token_that_ends_on_the_way_is_renewed(change, tenant, tmp_path):
    tenant.settings.change({"token_lifetime": 2.0, "latency": 0.4})
    assert change(**REPAIR)["counts"]["done"] == 20
    agree(tenant, tmp_path, BLOCKED)


# -- several app registrations


@pytest.fixture
def at_the_write(tenant: RunningTenant, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets something happen in the tenant just before its first PATCH, or the one after `skip` others, is carried out."""

    def arrange(then: Callable[[], None], skip: int = 0, method: str = "PATCH") -> None:
        hit, count = tenant.faults.hit, itertools.count()

        def watching(this: str, path: str, in_batch: bool) -> Any:
            if in_batch and this == method and next(count) == skip:
                then()
            return hit(this, path, in_batch)

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


def written(tenant: RunningTenant, method: str | None = None) -> list[dict[str, Any]]:
    """Writes until now; the log may be read while a line is being written."""
    while True:
        with contextlib.suppress(ValueError):
            return [item for item in tenant.writes() if method in (None, item["method"])]


def start(tenant: RunningTenant, tmp_path: Path, **options: Any) -> subprocess.Popen[bytes]:
    """entra_users as a process of its own, whose answer goes to answer.json."""
    options = {
        **connection(tenant),
        **options,
        "max_changes": 1000,
        "journal": str(tmp_path / "journal.jsonl"),
        "results_file": str(tmp_path / "results.jsonl"),
        "handover_file": str(tmp_path / "handover.yml"),
        "vault_password": VAULT_PASSWORD,
    }
    # a background job of a shell, as CI may be, ignores Ctrl-C, and so do its children
    script = (
        "import json,signal,sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.offboard.iij_id.plugins.modules import entra_users\n"
        "with patch_module_args(json.load(sys.stdin)): entra_users.main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with open(tmp_path / "answer.json", "wb") as answer:
        process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=answer, stderr=subprocess.DEVNULL, env=environment)
    assert process.stdin is not None
    process.stdin.write(json.dumps(options).encode())
    process.stdin.close()
    return process


def kill(tenant: RunningTenant, process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    """SIGKILL as soon as it has come to that; afterwards nothing of it is on its way any more."""
    wait_for(reached)
    process.send_signal(signal.SIGKILL)
    process.wait()
    tenant.faults.clear()
    time.sleep(0.2)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("moment", ["before the first", "batch 1", "batch 2", "batch 4", "licences"])
def test_killed_and_run_again(change, tenant, tmp_path, moment):
    """SIGKILL while a batch is on its way, applied or not; the rerun ends in the same state, and no password is set twice."""
    users = [*BLOCKED, *PLAIN]
    match moment.split():
        case ["before", *_]:
            tenant.faults.add(method="PATCH", path="/v1.0/users/.*", batch=True, delay=60.0, times=None)
            reached = (tmp_path / "handover.yml").exists
        case ["licences"]:
            tenant.faults.add(method="POST", path="/v1.0/users/.*/assignLicense", skip=7, delay=60.0, applied=True, times=None)
            reached = lambda: sum(SKU in licences(tenant, upn) for upn in BLOCKED) > 7  # noqa: E731
        case [_, number]:
            skip = int(number) * 11
            tenant.faults.add(method="PATCH", path="/v1.0/users/.*", batch=True, skip=skip, delay=60.0)
            reached = lambda: len(written(tenant, "PATCH")) >= skip  # noqa: E731
    kill(tenant, start(tenant, tmp_path, **{**REPAIR, "users": users}), reached)
    result = change(**{**REPAIR, "users": users})
    assert "failed" not in result, result
    agree(tenant, tmp_path, users)
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in users)
    assert journal.unfinished((tmp_path / "journal.jsonl").read_bytes().splitlines()) == []
    tenant.clear_requests()
    assert change(**{**REPAIR, "users": users})["changed"] is False


def test_a_run_that_changes_nothing_leaves_the_results_of_the_last_one(change, tenant, tmp_path):
    tenant.reset(users=1400, seeded="done")
    options = {"domain": "reiji.example", "enabled": True, "licences": {"add": [SKU]}, "usage_location": "JP"}
    change(**options)
    before = (tmp_path / "results.jsonl").read_bytes()
    last = [item["id"] for item in tenant.store.tables["users"].objects.values() if item["userPrincipalName"].endswith("@reiji.example")][-1]
    tenant.arrange("users", last, licenseAssignmentStates=[], assignedLicenses=[])
    tenant.faults.add(method="GET", path="/v1.0/subscribedSkus", status=403, times=None)
    assert change(**options)["failure"]["code"] == "permission_missing"
    tenant.faults.clear()
    assert change(**options, max_changes=0)["failure"]["code"] == "guard_refused"
    assert (tmp_path / "results.jsonl").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run.json.lock", "journal.jsonl", "journal.jsonl.lock", "results.jsonl", "run.json"]


@pytest.mark.parametrize("end", ["killed", "refused", "refused, then another task"])
def test_sessions_are_revoked_by_the_next_run(change, tenant, tmp_path, end):
    """A user who is blocked and still signed in is what nobody looks for again."""
    options = {"users": PLAIN, "enabled": False, "revoke_sessions": True}
    before = {upn: tenant.user(upn)["signInSessionsValidFromDateTime"] for upn in PLAIN}
    kept = lambda: {upn for upn in PLAIN if tenant.user(upn)["signInSessionsValidFromDateTime"] == before[upn]}  # noqa: E731
    if end == "killed":
        tenant.faults.add(method="POST", path="/v1.0/users/.*/revokeSignInSessions", delay=60.0, times=None)
        kill(tenant, start(tenant, tmp_path, **options), lambda: not any(tenant.user(upn)["accountEnabled"] for upn in PLAIN))
        assert kept() == set(PLAIN)
    else:
        tenant.faults.add(method="POST", path="/v1.0/users/.*/revokeSignInSessions", skip=7, status=400, times=None)
        assert change(**options)["counts"]["failed"] == 23
        tenant.faults.clear()
        assert len(kept()) == 23
    if "another" in end:
        assert change(users=PLAIN, licences={"add": ["EXCHANGESTANDARD"]})["counts"]["done"]
        assert len(kept()) == 23
    left = len(kept())
    checked = change(check=True, **options)
    result = change(**options)
    assert (result["counts"]["done"], result["plan"]) == (checked["counts"]["planned"], checked["plan"])
    assert {tuple(item["after"]) for item in result["plan"]} == {("signInSessions",)}
    assert (result["counts"]["done"], kept()) == (left, set())
    assert journal.unfinished((tmp_path / "journal.jsonl").read_bytes().splitlines()) == []
    assert change(**options)["changed"] is False


def test_sessions_whose_end_was_accepted_and_forgotten_are_ended_by_the_next_run(change, tenant):
    """It said done, and whoever was blocked was still signed in."""
    options = {"users": PLAIN, "enabled": False, "revoke_sessions": True, "verify_timeout": 2}
    before = {upn: tenant.user(upn)["signInSessionsValidFromDateTime"] for upn in PLAIN}
    kept = lambda: {upn for upn in PLAIN if tenant.user(upn)["signInSessionsValidFromDateTime"] == before[upn]}  # noqa: E731
    tenant.faults.add(method="POST", path="/v1.0/users/.*/revokeSignInSessions", forgotten=True, times=3)
    first = change(**options)
    assert ({item["code"] for item in first["failed_objects"]}, first["counts"]["failed"], len(kept())) == ({"not_seen"}, 3, 3)
    second = change(**options)
    assert (second.get("failed", False), second["counts"]["done"], kept()) == (False, 3, set())
    assert {tuple(item["after"]) for item in second["plan"]} == {("signInSessions",)}
    assert change(**options)["changed"] is False


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize("doing", ["while a batch is on its way", "while it waits as Graph asks"])
def test_interrupted_by_the_keyboard(change, tenant, tmp_path, doing):
    """Ctrl-C: no new request goes out, what is on its way is waited for, and journal and lines are true for everybody."""
    users = [*BLOCKED, *PLAIN]
    if doing == "while a batch is on its way":
        tenant.faults.add(method="PATCH", path="/v1.0/users/.*", batch=True, skip=25, delay=3.0)
    else:
        tenant.faults.add(method="PATCH", path="/v1.0/users/.*", batch=True, skip=25, status=429, retry_after=600, times=None)
    process = start(tenant, tmp_path, **{**REPAIR, "users": users})
    wait_for(lambda: len(written(tenant, "PATCH")) >= 25)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.wait(30)  # not the 600 seconds
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["failure"]["code"] == "interrupted"
    assert answer["changed"] is True
    assert len(results(tmp_path)) == 50
    agree(tenant, tmp_path, users)
    records = lines(tmp_path / "journal.jsonl")
    outcomes = {item["id"]: item for item in records if item["record"] == "outcome"}
    assert {item["id"] for item in records if item["record"] == "intent"} <= set(outcomes)
    told = results(tmp_path)
    for person in (person for person in PEOPLE.values() if person.upn in users):
        assert outcomes[person.id]["status"] == told[person.upn]["status"]
        if outcomes[person.id].get("details", {}).get("password_set"):
            assert tenant.user(person.upn)["_password_count"] == 1
    tenant.faults.clear()
    assert "failed" not in change(**{**REPAIR, "users": users})
    agree(tenant, tmp_path, users)
    assert all(tenant.user(upn)["_password_count"] == 1 for upn in users)


@pytest.mark.usefixtures("managed")
def test_one_event_loop_for_the_whole_process(change, tenant, monkeypatch):
    made, new = [], asyncio.new_event_loop
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: made.append(new()) or made[-1])
    change(**REPAIR, applications=registrations(tenant, "offboard2", "offboard3"))
    assert len(made) == 1
    assert made[0].is_closed()


def test_progress_while_running(change, tenant, tmp_path):
    tenant.settings.change({"latency": 0.1})
    change(users=[*BLOCKED, *PLAIN], enabled=True, licences={"add": ["SPE_E3"]}, progress_file=str(tmp_path / "progress.jsonl"))
    told = lines(tmp_path / "progress.jsonl")
    assert told[-1]["noun"] == "users"
    assert told[-1]["done"] == told[-1]["total"] == 20


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


# -- Temporary Access Passes


PASS: dict[str, Any] = {"password": "temporary_access_pass", "temporary_access_pass": {"usable_once": True}}


@pytest.fixture
def passes(change, tenant: RunningTenant, tmp_path: Path, managed: None, fast: float):
    """Runs entra_users for passes, at a quota of 5 requests in 10 s that passes faster, like the client's time."""
    tenant.settings.change({"clock_scale": fast})

    def run(**options: Any) -> dict[str, Any]:
        return change(**{"handover_file": str(tmp_path / "handover.yml"), "vault_password": VAULT_PASSWORD, **PASS, **options})

    return run


def pass_of(tenant: RunningTenant, upn: str) -> dict[str, Any] | None:
    """The tenant's own truth."""
    return tenant.store.tables["access_passes"].objects.get(tenant.user(upn)["id"])


def passes_agree(tenant: RunningTenant, tmp_path: Path, users: list[str]) -> None:
    """Whoever has a pass that the tool made is in the file with it, and is told to be done; nobody has one that is in no file."""
    content = yaml.safe_load(vault.decrypt((tmp_path / "handover.yml").read_bytes(), VAULT_PASSWORD.encode()))
    handed = {entry["userPrincipalName"]: entry for entry in content["users"] if entry["temporaryAccessPass"]}
    assert all(entry["displayName"] == tenant.user(upn)["displayName"] for upn, entry in handed.items())
    told = results(tmp_path)
    for upn in users:
        there = pass_of(tenant, upn)
        if told[upn]["status"] in ("done", "unchanged"):
            assert there is not None
        if there is not None:
            assert handed[upn]["temporaryAccessPass"] == there["_value"], told[upn]


def test_passes_are_in_the_file_and_in_the_tenant(passes, tenant, tmp_path):
    users = [*PLAIN[:12], SYNCED[0], PEOPLE[1].upn, "taro_partner.example#EXT#@reiji.onmicrosoft.com", BLOCKED[0]]
    checked = passes(users=users, check=True)
    assert tenant.writes() == []
    assert not (tmp_path / "handover.yml").exists()
    result = passes(users=users)
    assert result["plan"] == checked["plan"]
    assert result["counts"] == {"planned": 12, "unchanged": 0, "skipped": 4, "done": 12}
    passes_agree(tenant, tmp_path, PLAIN[:12])
    told = results(tmp_path)
    assert [told[upn]["code"] for upn in users[12:]] == ["password_is_synced", "needs_higher_role", "is_guest", "is_blocked"]
    assert all(pass_of(tenant, upn) is None for upn in users[12:])
    assert all(pass_of(tenant, upn)["isUsableOnce"] and not tenant.user(upn)["_password_count"] for upn in PLAIN[:12])
    everything = (tmp_path / "journal.jsonl").read_text() + (tmp_path / "results.jsonl").read_text() + str(result)
    assert not any(pass_of(tenant, upn)["_value"] in everything for upn in PLAIN[:12])
    tenant.clear_requests()
    assert passes(users=users)["changed"] is False
    assert not [item for item in tenant.requests() if "authentication" in item["path"]], "neither passes nor the policy are asked for"


def test_files_of_passes_are_named_with_src_too(passes, tenant, tmp_path):
    src = tmp_path / "users.jsonl"
    src.write_text("".join(f'{{"userPrincipalName": "{upn}"}}\n' for upn in PLAIN[:2]))
    result = passes(src=str(src))
    assert result["counts"]["done"] == 2
    assert result["handover_files"] == [str(tmp_path / "handover.yml")]
    passes_agree(tenant, tmp_path, PLAIN[:2])
    assert passes(src=str(src))["handover_files"] == [str(tmp_path / "handover.yml")]


@pytest.mark.parametrize("speed", [20.0])  # so that a busy machine's delays are short against the quota's ten seconds
def test_passes_keep_to_their_quota(passes, tenant):
    assert passes(users=PLAIN[:15])["counts"]["done"] == 15
    asked = [item for item in tenant.requests() if "/authentication/" in item["path"]]
    refused = sum(item["status"] == 429 for item in asked)
    assert len(asked) - refused == 45
    assert refused <= 20, "without pacing, some 70 would be refused"


def test_unblocking_and_a_pass_in_one_run(passes, tenant, tmp_path):
    assert passes(users=BLOCKED[:4], enabled=True, licences={"add": ["SPE_E3"]})["counts"]["done"] == 4
    passes_agree(tenant, tmp_path, BLOCKED[:4])
    assert all(tenant.user(upn)["accountEnabled"] and SKU in licences(tenant, upn) for upn in BLOCKED[:4])


def test_somebody_elses_pass_stays_unless_asked_for(passes, tenant, tmp_path):
    made = tenant.client().call("POST", f"/users/{PEOPLE[71].id}/authentication/temporaryAccessPassMethods", {})
    assert made.status == 201
    result = passes(users=PLAIN[:2])
    assert {item["name"]: item["code"] for item in result["skipped_objects"]} == {PLAIN[0]: "has_pass"}
    assert pass_of(tenant, PLAIN[0])["id"] == made.data["id"]
    assert passes(users=PLAIN[:2], temporary_access_pass={"replace": True})["counts"] == {"planned": 1, "unchanged": 1, "skipped": 0, "done": 1}
    assert pass_of(tenant, PLAIN[0])["id"] != made.data["id"]
    passes_agree(tenant, tmp_path, PLAIN[:2])


def test_who_was_given_a_pass_that_has_ended_gets_another(passes, tenant, tmp_path):
    passes(users=PLAIN[:1], temporary_access_pass={"start": "2022-04-01T09:00:00+09:00"})
    first = pass_of(tenant, PLAIN[0])
    assert passes(users=PLAIN[:1])["counts"]["done"] == 1
    assert pass_of(tenant, PLAIN[0])["id"] != first["id"]
    passes_agree(tenant, tmp_path, PLAIN[:1])


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "applied": True, "times": 2},
        {"status": 503, "times": 2},
        {"status": 429, "retry_after": 20, "times": 3},
        {"status": 429, "times": 2},
        {"status": 401, "times": 2},
        {"drop": True, "applied": True, "path": r"/v1.0/\$batch", "skip": 2, "batch": False},
        {"half": True, "path": r"/v1.0/\$batch", "skip": 2, "batch": False},
        {"status": 503, "applied": True, "method": "DELETE", "times": 2},
    ],
    ids=str,
)
def test_passes_whose_answers_are_lost(passes, tenant, tmp_path, fault):
    """The value of a pass that was made and not told is known to nobody: it goes, and another one is made."""
    replace = fault.get("method") == "DELETE"
    if replace:
        for number in range(71, 77):
            tenant.client().call("POST", f"/users/{PEOPLE[number].id}/authentication/temporaryAccessPassMethods", {})
    tenant.faults.add(**{"method": "POST", "path": "/v1.0/users/.*/temporaryAccessPassMethods.*", "batch": True, **fault})
    assert passes(users=PLAIN[:6], temporary_access_pass={"replace": replace})["counts"].get("done") == 6
    passes_agree(tenant, tmp_path, PLAIN[:6])


def test_a_pass_whose_value_died_with_a_killed_run(passes, tenant, tmp_path):
    """The entry without a value tells that the pass is ours, and that nobody can have it."""
    PassBook(str(tmp_path / "handover.yml"), VAULT_PASSWORD.encode()).begin([(PEOPLE[71].id, PLAIN[0], None)], now())
    made = tenant.client().call("POST", f"/users/{PEOPLE[71].id}/authentication/temporaryAccessPassMethods", {})
    result = passes(users=PLAIN[:2])
    assert result["counts"]["done"] == 2
    assert pass_of(tenant, PLAIN[0])["id"] != made.data["id"]
    passes_agree(tenant, tmp_path, PLAIN[:2])


@pytest.mark.parametrize("applied", [False, True], ids=["the last is not made", "all are made"])
def test_killed_while_passes_are_made(passes, tenant, tmp_path, fast, applied):
    """SIGKILL while a batch of passes is on its way: none was told, so those that were made go, and everybody has one that is in the file."""
    users = PLAIN[:3]
    path = "/v1.0/users/.*/temporaryAccessPassMethods"
    tenant.faults.add(method="POST", path=path, batch=True, skip=2, delay=60.0 * fast, applied=applied)  # the tenant's time is fast, too
    made = lambda: sum(pass_of(tenant, upn) is not None for upn in users) == 2 + applied  # noqa: E731
    kill(tenant, start(tenant, tmp_path, **PASS, users=users), made)
    lost = {pass_of(tenant, upn)["id"] for upn in users if pass_of(tenant, upn) is not None}
    assert len(lost) == 2 + applied
    assert passes(users=users)["counts"] == {"planned": 3, "unchanged": 0, "skipped": 0, "done": 3}
    passes_agree(tenant, tmp_path, users)
    assert lost.isdisjoint(pass_of(tenant, upn)["id"] for upn in users)
    tenant.clear_requests()
    assert passes(users=users)["changed"] is False
    assert tenant.writes() == []


_PASSES = "/v1.0/users/.*/temporaryAccessPassMethods"


@pytest.mark.parametrize("journaled", [True, False], ids=["with a journal", "without"])
def test_a_pass_that_was_told_and_not_made_is_made_by_the_next_run(passes, tenant, tmp_path, journaled):
    """201 with a value, and no pass in the tenant: the value is taken back, and who had it gets one that opens the door."""
    options = {"users": PLAIN[:3], "verify_timeout": 2, **({} if journaled else {"journal": None})}
    tenant.faults.add(method="POST", path=_PASSES, batch=True, forgotten=True, times=2)
    first = passes(**options)
    assert (first["failure"]["code"], first["counts"]["done"], first["counts"]["failed"]) == ("not_seen", 1, 2), first
    handed = yaml.safe_load(vault.decrypt((tmp_path / "handover.yml").read_bytes(), VAULT_PASSWORD.encode()))["users"]
    assert {entry["userPrincipalName"] for entry in handed if entry["temporaryAccessPass"]} == {upn for upn in PLAIN[:3] if pass_of(tenant, upn)}
    assert sorted(line["status"] for line in results(tmp_path).values()) == ["done", "failed", "failed"]
    assert passes(**options)["counts"] == {"planned": 2, "unchanged": 1, "skipped": 0, "done": 2}
    passes_agree(tenant, tmp_path, PLAIN[:3])
    tenant.clear_requests()
    assert passes(**options)["changed"] is False
    assert all(pass_of(tenant, upn) for upn in PLAIN[:3])


def test_a_pass_that_no_run_has_seen_is_looked_for(passes, tenant, tmp_path, monkeypatch):
    """Killed between Graph's answer and the verification: the value is in the file, and nobody knows whether there is such a pass."""
    monkeypatch.setattr(users_module.Users, "verify", lambda self, applied: ())
    tenant.faults.add(method="POST", path=_PASSES, batch=True, forgotten=True, times=2)
    assert passes(users=PLAIN[:3])["counts"]["done"] == 3
    monkeypatch.undo()
    assert sum(pass_of(tenant, upn) is not None for upn in PLAIN[:3]) == 1
    checked = passes(users=PLAIN[:3], check=True)
    assert checked["counts"] == {"planned": 2, "unchanged": 1, "skipped": 0}
    assert passes(users=PLAIN[:3])["counts"] == {"planned": 2, "unchanged": 1, "skipped": 0, "done": 2}
    content = yaml.safe_load(vault.decrypt((tmp_path / "handover.yml").read_bytes(), VAULT_PASSWORD.encode()))["users"]
    values = [entry["temporaryAccessPass"] for entry in content if entry["temporaryAccessPass"]]
    assert sorted(values) == sorted(pass_of(tenant, upn)["_value"] for upn in PLAIN[:3]), "nobody is handed one that is not there"


def test_a_pass_that_is_gone_later_is_made_again(passes, change, tenant, tmp_path, monkeypatch):
    """Seen once, and deleted by somebody since. One that was used up is still there, and its user needs no other."""
    assert passes(users=PLAIN[:3])["counts"]["done"] == 3
    tenant.store.remove("access_passes", tenant.user(PLAIN[0])["id"])
    tenant.store.put("access_passes", tenant.user(PLAIN[1])["id"], {"_used": True})
    assert passes(users=PLAIN[:3])["changed"] is False  # a replica may lag for a while
    asked = {"domains": ["reiji.example"], "handover_file": str(tmp_path / "handover.yml"), "vault_password": VAULT_PASSWORD}
    assert "access_pass_ended" not in change(module="entra_users_readiness_info", **asked)["counts"]
    monkeypatch.setattr(passes_there, "REPLICAS_LAG", 0.0)
    # the final gate believes the tenant, not the file
    told = change(module="entra_users_readiness_info", **asked)["exceptions"]
    assert [item["name"] for item in told if item["code"] == "access_pass_ended"] == [PLAIN[0]]
    assert passes(users=PLAIN[:3])["counts"] == {"planned": 1, "unchanged": 2, "skipped": 0, "done": 1}
    passes_agree(tenant, tmp_path, PLAIN[:3])


def test_a_pass_made_by_hand_after_a_stopped_run_stays(passes, tenant, tmp_path):
    """Announced an hour ago and never asked for; since then the help desk has made one and told it to the user."""
    hour_ago = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)).isoformat()
    PassBook(str(tmp_path / "handover.yml"), VAULT_PASSWORD.encode()).begin([(PEOPLE[71].id, PLAIN[0], None), (PEOPLE[72].id, PLAIN[1], None)], hour_ago)
    made = tenant.client().call("POST", f"/users/{PEOPLE[71].id}/authentication/temporaryAccessPassMethods", {})
    result = passes(users=PLAIN[:2])
    assert {item["name"]: item["code"] for item in result["skipped_objects"]} == {PLAIN[0]: "has_pass"}
    assert pass_of(tenant, PLAIN[0])["id"] == made.data["id"]
    passes_agree(tenant, tmp_path, PLAIN[1:2])


def test_a_stopped_run_has_announced_only_the_next_passes(passes, tenant, tmp_path):
    tenant.faults.add(method="POST", path="/v1.0/users/.*/temporaryAccessPassMethods", batch=True, status=429, retry_after=5000, times=None)
    result = passes(domain="reiji.example")
    assert result["counts"]["planned"] > 100
    assert result["failure"]["code"] == "throttled"
    content = yaml.safe_load(vault.decrypt((tmp_path / "handover.yml").read_bytes(), VAULT_PASSWORD.encode()))
    assert len(content["users"]) == 100


@pytest.mark.parametrize(
    ("policy", "options", "code"),
    [
        ({"state": "disabled"}, {}, "pass_not_allowed"),
        ({}, {"lifetime_minutes": 30}, "bad_option"),
        ({}, {"lifetime_minutes": 481}, "bad_option"),
        ({"isUsableOnce": True}, {"usable_once": False}, "bad_option"),
        ({}, {"start": "tomorrow"}, "bad_option"),
    ],
)
def test_what_the_policy_forbids_is_told_before_anything_is_asked_for(passes, tenant, policy, options, code):
    tenant.arrange("authentication_method_configurations", "TemporaryAccessPass", **policy)
    result = passes(users=PLAIN[:2], temporary_access_pass=options)
    assert result["failure"]["code"] == code, result
    assert "temporary" in result["msg"].casefold()
    assert tenant.writes() == []


def test_users_whom_the_policy_does_not_cover_get_none(passes, tenant):
    """Graph would make one, and it would open no door."""
    included, excluded = company.make_id("group", "all-staff"), GROUP
    targets = {"includeTargets": [{"id": included, "targetType": "group", "isRegistrationRequired": False}]}
    targets["excludeTargets"] = [{"id": excluded, "targetType": "group"}]
    tenant.arrange("authentication_method_configurations", "TemporaryAccessPass", **targets)
    result = passes(users=[PLAIN[0], BY_GROUP[0], "reception@reiji-shop.example"])
    assert result["counts"] == {"planned": 1, "unchanged": 0, "skipped": 2, "done": 1}
    assert {item["code"] for item in result["skipped_objects"]} == {"pass_not_in_policy"}


def test_a_missing_permission_for_passes_is_named(passes, tenant):
    result = passes(app="readonly", users=PLAIN[:1])
    assert result["failure"]["code"] == "permission_missing"
    assert "Policy.Read.AuthenticationMethod" in result["msg"]


def test_a_full_disk_before_passes_are_asked_for(passes, tenant, tmp_path):
    folder = tmp_path / "full"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "lab-full", str(folder)], check=True)
    try:
        result = passes(users=PLAIN, handover_file=str(folder / "handover.yml"))
        assert result["failure"]["code"] == "file_write_failed", result
        assert tenant.writes() == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)


# -- licences by a group


def members(tenant: RunningTenant) -> list[str]:
    return tenant.store.tables["groups"].objects[GROUP]["_members"]


def held(tenant: RunningTenant, upn: str) -> dict[str | None, str]:
    """Where the licence comes from (None: directly), and its state."""
    return {item["assignedByGroup"]: item["state"] for item in tenant.user(upn)["licenseAssignmentStates"] if item["skuId"] == SKU}


def group_agrees(tenant: RunningTenant, tmp_path: Path, users: list[str]) -> None:
    told = results(tmp_path)
    for upn in users:
        if told[upn]["status"] in ("done", "unchanged"):
            assert tenant.user(upn)["id"] in members(tenant)
            assert held(tenant, upn)[GROUP] == "Active", upn
    assert len(set(members(tenant))) == len(members(tenant))


def test_licences_by_a_group(change, tenant, tmp_path):
    """20 members a request, unblocked by the same run; who is a member already costs nothing."""
    users = [*BLOCKED, *NO_LOCATION, *BY_GROUP]
    options = {"users": users, "enabled": True, "usage_location": "JP", "licence_group": {"id": GROUP}}
    checked = change(check=True, diff=True, **options)
    assert tenant.writes() == []
    assert checked["diff"][0]["after"]["licenceGroup"]["name"] == "m365-e3"
    result = change(**options)
    assert result["plan"] == checked["plan"]
    assert result["counts"] == {"planned": 26, "unchanged": 5, "skipped": 0, "done": 26}
    group_agrees(tenant, tmp_path, users)
    assert all(tenant.user(upn)["accountEnabled"] and tenant.user(upn)["usageLocation"] for upn in users)
    assert len([item for item in tenant.writes() if item["path"].startswith("/v1.0/groups/")]) == 2
    assert len(tenant.writes()) == 26 + 2
    tenant.clear_requests()
    assert change(**options)["changed"] is False
    assert tenant.writes() == []


def test_a_group_and_a_direct_licence_take_one_seat_each(change, tenant, tmp_path):
    sku = next(item for item in tenant.store.tables["skus"].objects.values() if item["skuPartNumber"] == "EXCHANGESTANDARD")
    free = sku["prepaidUnits"]["enabled"] - tenant.store.consumed[sku["skuId"]]
    result = change(users=BLOCKED[:free], enabled=True, licence_group={"id": GROUP}, licences={"add": ["EXCHANGESTANDARD"]})
    assert result["counts"].get("done") == free == 10, result
    assert all(licences(tenant, upn) == {SKU, sku["skuId"]} for upn in BLOCKED[:free])


def test_direct_licences_go_when_the_groups_is_seen(change, tenant, tmp_path):
    """Never before: in between nobody is without."""
    options = {"users": PLAIN[:25], "licence_group": {"id": GROUP, "remove_direct": True}}
    assert change(**options)["counts"]["done"] == 25
    assert all(held(tenant, upn) == {None: "Active", GROUP: "Active"} for upn in PLAIN[:25])
    assert change(**options)["counts"]["done"] == 25
    assert all(held(tenant, upn) == {GROUP: "Active"} for upn in PLAIN[:25])
    group_agrees(tenant, tmp_path, PLAIN[:25])
    assert change(**options)["changed"] is False


def test_a_direct_licence_that_goes_leaves_no_seat_where_the_group_gives_it(change, tenant, tmp_path):
    options = {"users": PLAIN[:5], "enabled": True, "licence_group": {"id": GROUP, "remove_direct": True}}
    change(**options)
    sku = next(item for item in tenant.store.tables["skus"].objects.values() if item["skuId"] == SKU)
    tenant.store.put("skus", sku["id"], {"prepaidUnits": {**sku["prepaidUnits"], "enabled": tenant.store.consumed[SKU]}})
    result = change(**{**options, "users": [*PLAIN[:5], *BLOCKED[:3]]})
    assert (result["failure"]["code"], result["counts"]["done"], result["counts"]["failed"]) == ("no_seat", 5, 3)
    assert {tenant.user(upn)["id"] for upn in BLOCKED[:3]}.isdisjoint(members(tenant))
    group_agrees(tenant, tmp_path, [*PLAIN[:5], *BLOCKED[:3]])


def test_a_direct_licence_with_more_plans_than_the_groups_stays(change, tenant):
    plan = next(item for item in tenant.store.tables["skus"].objects.values() if item["skuId"] == SKU)["servicePlans"][0]["servicePlanId"]
    options = {"users": PLAIN[:1], "licence_group": {"id": GROUP, "remove_direct": True}}
    tenant.arrange("groups", GROUP, assignedLicenses=[{"skuId": SKU, "disabledPlans": [plan]}])
    assert change(**options)["counts"]["done"] == 1
    assert change(**options)["changed"] is False
    assert None in held(tenant, PLAIN[0])


def test_out_of_seats_nobody_more_is_added_to_the_group(change, tenant, tmp_path):
    sku = next(item for item in tenant.store.tables["skus"].objects.values() if item["skuId"] == SKU)
    tenant.store.put("skus", sku["id"], {"prepaidUnits": {**sku["prepaidUnits"], "enabled": tenant.store.consumed[SKU] + 7}})
    result = change(users=BLOCKED, enabled=True, licence_group={"id": GROUP})
    assert result["failure"]["code"] == "no_seat"
    assert "20 seats are needed and 7 are free, 13 are missing" in str(result["warnings"])
    assert result["counts"] == {"planned": 20, "unchanged": 0, "skipped": 0, "done": 7, "failed": 13}
    assert all(tenant.user(upn)["accountEnabled"] for upn in BLOCKED)
    assert len(members(tenant)) == 5 + 7
    group_agrees(tenant, tmp_path, BLOCKED)


def test_a_group_licence_that_does_not_arrive_is_a_failure(change, tenant, tmp_path, at_the_write):
    """The last seats are taken by somebody else on the way: Graph accepts the members, and says why they get nothing."""

    def take() -> None:
        sku = next(item for item in tenant.store.tables["skus"].objects.values() if item["skuId"] == SKU)
        tenant.store.put("skus", sku["id"], {"prepaidUnits": {**sku["prepaidUnits"], "enabled": tenant.store.consumed[SKU] + 4}})

    at_the_write(take)
    result = change(users=BLOCKED[:10], enabled=True, licence_group={"id": GROUP})
    assert result["failure"]["code"] == "no_seat", result
    assert result["counts"]["failed"] == 6
    assert "CountViolation" in result["msg"]
    group_agrees(tenant, tmp_path, BLOCKED[:10])
    again = change(users=BLOCKED[:10], enabled=True, licence_group={"id": GROUP})
    assert [item["code"] for item in again["skipped_objects"]] == ["no_seat"] * 6
    group_agrees(tenant, tmp_path, BLOCKED[:10])


@pytest.mark.parametrize(
    ("group", "code", "word"),
    [
        ({"groupTypes": ["DynamicMembership"]}, "group_refused", "rule"),
        ({"onPremisesSyncEnabled": True}, "group_refused", "Active Directory"),
        ({"isAssignableToRole": True}, "group_refused", "roles"),
        ({"assignedLicenses": []}, "group_refused", "no licence"),
    ],
)
def test_groups_that_are_refused(change, tenant, group, code, word):
    tenant.arrange("groups", GROUP, **group)
    result = change(users=BLOCKED, enabled=True, licence_group={"id": GROUP})
    assert result["failure"]["code"] == code
    assert word in result["msg"]
    assert "m365-e3" in result["msg"]
    assert tenant.writes() == []


def test_bad_licence_groups(change, tenant):
    assert change(users=BLOCKED, licence_group={"id": "00000000-0000-0000-0000-000000000009"})["failure"]["code"] == "group_unknown"
    both = change(users=BLOCKED, licence_group={"id": GROUP}, licences={"add": ["SPE_E3"]})
    assert both["failure"]["code"] == "bad_option"
    assert "SPE_E3" in both["msg"]
    assert tenant.writes() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "applied": True},
        {"status": 503},
        {"status": 429, "retry_after": 1, "times": 2},
        {"status": 504, "applied": True},
        {"half": True, "method": "POST", "path": r"/v1.0/\$batch", "batch": False, "skip": 2},
        {"drop": True, "applied": True, "method": "POST", "path": r"/v1.0/\$batch", "batch": False, "skip": 2},
        {"status": 409, "code": "Request_Conflict"},
    ],
    ids=str,
)
def test_faults_while_members_are_added(change, tenant, tmp_path, fault):
    tenant.faults.add(**{"method": "PATCH", "path": "/v1.0/groups/.*", "batch": True, **fault})
    assert change(users=[*BLOCKED, *PLAIN], enabled=True, licence_group={"id": GROUP})["counts"].get("done") == 50
    group_agrees(tenant, tmp_path, [*BLOCKED, *PLAIN])


@pytest.mark.parametrize("applied", [False, True], ids=["not added", "added"])
def test_killed_while_members_are_added(change, tenant, tmp_path, applied):
    """SIGKILL while the second request to the group is on its way; the rerun adds who is missing, and nobody twice."""
    options = {"users": [*BLOCKED, *PLAIN], "enabled": True, "licence_group": {"id": GROUP}}
    before = len(members(tenant))
    tenant.faults.add(method="PATCH", path="/v1.0/groups/.*", batch=True, skip=1, delay=60.0, applied=applied)
    kill(tenant, start(tenant, tmp_path, **options), lambda: len(members(tenant)) == before + (40 if applied else 20))
    assert change(**options)["counts"].get("done", 0) >= 10
    group_agrees(tenant, tmp_path, options["users"])
    assert len(members(tenant)) == before + 50
    assert journal.unfinished((tmp_path / "journal.jsonl").read_bytes().splitlines()) == []
    tenant.clear_requests()
    assert change(**options)["changed"] is False
    assert tenant.writes() == []


@pytest.mark.parametrize("what", ["deleted", "added by somebody else"])
def test_one_user_spoils_it_for_no_other(change, tenant, tmp_path, at_the_write, what):
    """A request for 20 is refused as a whole when one of them is gone or a member already; then each is added alone."""
    person = PEOPLE[15]

    def spoil() -> None:
        if what == "deleted":
            tenant.store.remove("users", person.id)
        else:
            tenant.store.put("groups", GROUP, {"_members": [*members(tenant), person.id]})
            apply_group(tenant.store, tenant.user(person.upn), tenant.store.tables["groups"].objects[GROUP], True)

    at_the_write(spoil, skip=20)
    result = change(users=BLOCKED, enabled=True, licence_group={"id": GROUP})
    assert result["counts"].get("done") == (19 if what == "deleted" else 20), result
    if what == "deleted":
        assert results(tmp_path)[person.upn]["code"] == "user_deleted"
    group_agrees(tenant, tmp_path, [upn for upn in BLOCKED if upn in tenant.store.upns])
