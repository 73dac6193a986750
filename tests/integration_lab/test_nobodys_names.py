# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that nobody in the tenant has: "0 users have no way in" would be said of a domain that was mistyped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .entra import VAULT_PASSWORD, connection, run_module

GOOD = "reiji-group.example"
MODULES: dict[str, dict[str, Any]] = {
    "entra_sign_in_readiness_info": {},
    "entra_users_readiness_info": {},
    "entra_provisioning_info": {"client_ids": []},
    "entra_arrivals_info": {"since": "2026-01-01T00:00:00Z"},
    "entra_managers_info": {},
    "entra_snapshot": {"vault_password": VAULT_PASSWORD},
}


@pytest.fixture
def ask(tenant, capsys, tmp_path):
    def ask(name: str, **options: Any) -> dict[str, Any]:
        given = {**MODULES[name], **options}
        if name == "entra_snapshot":
            given["path"] = str(tmp_path / "snapshot")
        offered = {key: value for key, value in connection(tenant).items() if key != "verify_timeout" or not name.endswith("_info")}
        return run_module(capsys, name, {**offered, **given})

    return ask


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("domain", ["reiji-group.exampel", "https://reiji-group.example", "a.example, b.example"])
def test_a_domain_that_the_tenant_does_not_have(ask, tmp_path: Path, name: str, domain: str) -> None:
    files = {} if name in ("entra_snapshot", "entra_provisioning_info") else {"results_file": str(tmp_path / "results.jsonl")}
    files |= {"verdict_file": str(tmp_path / "sign_in.json")} if name == "entra_sign_in_readiness_info" else {}
    for given in ([domain], [GOOD, domain]):
        answer = ask(name, domains=given, **files)
        assert answer.get("failed") and answer["failure"]["code"] == "not_found", answer
    # nor is anything kept that would be believed later
    assert not list(tmp_path.glob("*.json*")) and not (tmp_path / "snapshot/manifest.json").exists()


@pytest.mark.parametrize("name", MODULES)
def test_one_that_it_has(ask, name: str) -> None:
    answer = ask(name, domains=[f"＠{GOOD.upper()}. "])
    assert not answer.get("failed"), answer


@pytest.mark.parametrize("name", [name for name in MODULES if name != "entra_snapshot"])
def test_what_names_no_domain(ask, name: str) -> None:
    assert ask(name, domains=[" ", "@"])["failure"]["code"] == "bad_option"


@pytest.mark.parametrize(
    ("name", "option"),
    [
        *(("entra_sign_in_readiness_info", option) for option in ("exclude", "also_enable", "accepted", "signs_in_otherwise")),
        *(("entra_users_readiness_info", option) for option in ("exclude", "also_enable", "signs_in_otherwise")),
        *(("entra_provisioning_info", option) for option in ("exclude", "also_enable")),
    ],
)
@pytest.mark.parametrize("nobody", ["reiji-group.example", "a@b@c", "['taro@reiji-group.example']", " ", "営業部", "a@x.example,b@x.example"])
def test_a_list_of_people_names_people(ask, name: str, option: str, nobody: str) -> None:
    answer = ask(name, domains=[GOOD], **{option: [nobody]})
    assert answer.get("failed") and answer["failure"]["code"] == "bad_option" and option in answer["msg"], answer


def test_whoever_signs_in_otherwise_may_be_a_whole_domain(ask) -> None:
    assert not ask("entra_sign_in_readiness_info", domains=[GOOD], signs_in_otherwise=["@reiji-group.example", " ＠Reiji-Group.Example. "]).get("failed")


def test_who_is_to_be_enabled_is_in_the_domains(ask) -> None:
    answer = ask("entra_provisioning_info", domains=[GOOD], also_enable=["nobody@reiji-group.example"])
    assert answer.get("failed") and answer["failure"]["code"] == "not_found", answer


LONG = f"{'a' * 60}@{'b' * 60}.example"


def test_an_address_that_is_longer_than_a_filter_takes(tenant, capsys) -> None:
    """Microsoft Graph compares with 120 characters at most."""
    options = {**connection(tenant), "guests": [{"mail": LONG}], "state": "absent", "backup_dir": "/nowhere", "max_changes": 5}
    answer = run_module(capsys, "entra_guests", options, check=True)
    assert answer["counts"] == {"planned": 0, "unchanged": 1, "skipped": 0}, answer


@pytest.mark.parametrize("client_id", ["iij", "x' or appId ne 'y", "日本", "0b1f3e8a-57a1-4f0c-8a10"])
def test_what_is_no_client_id(ask, client_id: str) -> None:
    """Nothing would be found of it, and it would pass for an app that did nothing."""
    answer = ask("entra_provisioning_info", domains=[GOOD], client_ids=[client_id])
    assert answer.get("failed") and answer["failure"]["code"] == "bad_option", answer
    answer = ask("entra_snapshot", domains=[GOOD], client_ids=[client_id])
    assert answer.get("failed") and answer["failure"]["code"] == "bad_option", answer


@pytest.mark.parametrize("group", ["iij", "sales@reiji.example", "a" * 3000, "../users", " "])
def test_what_is_no_group(tenant, capsys, group: str) -> None:
    for options in ({"group": group, "enabled": True}, {"domain": GOOD, "licence_group": {"id": group}}):
        answer = run_module(capsys, "entra_users", {**connection(tenant), **options})
        assert answer.get("failed") and answer["failure"]["code"] == "bad_option", answer
    assert tenant.writes() == []


def test_a_name_longer_than_any(tenant, capsys) -> None:
    answer = run_module(capsys, "entra_users", {**connection(tenant), "users": [f"{'a' * 3000}@{GOOD}"], "enabled": True})
    assert answer.get("failed") and answer["failure"]["code"] == "bad_option", answer
