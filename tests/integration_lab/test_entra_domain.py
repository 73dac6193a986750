# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_domain and entra_domain_info against the lab's tenant."""

from __future__ import annotations

import copy
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from lab.testing import RunningTenant

from .entra import BREAK_GLASS, ansible, connection, lines, run_module


@pytest.fixture
def convert(tenant: RunningTenant, capsys: pytest.CaptureFixture[str]):
    def run(*domains: str, check: bool = False, diff: bool = False, module: str = "entra_domain", **options: Any) -> dict[str, Any]:
        if module == "entra_domain":
            options = {"authentication": "managed", "break_glass": BREAK_GLASS, **options}
        return run_module(capsys, module, {**connection(tenant), "domains": list(domains), **options}, check=check, diff=diff)

    return run


def rules(result: dict[str, Any]) -> list[str]:
    return [item["rule"] for item in result["failure"]["details"]["refusals"]]


def test_info_says_whose_and_why(convert, tenant):
    found = {item["id"]: item for item in convert(module="entra_domain_info")["domains"]}
    assert found["reiji.example"]["federation"]["idp"] == "iij"
    assert found["reiji.example"]["federation"]["identified_by"][0] == "passiveSignInUri: www.auth.iij.jp"
    assert found["reiji-lab.example"]["federation"]["idp"] == "other"
    assert found["sales.reiji.example"] | {"federation": None} == found["sales.reiji.example"]
    assert found["sales.reiji.example"]["parent"] == "reiji.example"
    assert found["reiji.onmicrosoft.com"]["is_default"] is True
    assert tenant.writes() == []


def test_info_of_a_domain_that_is_not_there(convert):
    result = convert("nobody.example", module="entra_domain_info")
    assert result["failure"]["code"] == "not_found"
    assert "nobody.example" in result["msg"]


def test_check_mode_writes_nothing_and_plans_the_same(convert, tenant):
    checked = convert("reiji.example", "reiji-group.example", check=True, diff=True)
    assert tenant.writes() == []
    assert checked["changed"] is True
    assert [item["before"]["authenticationType"] for item in checked["diff"]] == ["Federated", "Federated"]
    real = convert("reiji.example", "reiji-group.example")
    assert real["plan"] == checked["plan"]


def test_converts_waits_and_is_idempotent(convert, tenant, tmp_path: Path):
    tenant.settings.change({"conversion_delay": 1.5})
    journal = tmp_path / "journal.jsonl"
    result = convert("reiji.example", journal=str(journal))
    assert result["changed"] is True
    assert result["applied"][0]["details"]["seconds_until_seen"] >= 1.5
    assert tenant.client().get("/domains/sales.reiji.example").data["authenticationType"] == "Managed"
    assert [item["record"] for item in lines(journal)] == ["intent", "outcome"]
    tenant.clear_requests()
    again = convert("reiji.example")
    assert again["changed"] is False
    assert again["counts"] == {"planned": 0, "unchanged": 1, "skipped": 0}
    assert tenant.writes() == []


def test_there_and_back(convert, tenant):
    before = copy.deepcopy(tenant.store.tables["federations"].objects["reiji.example"])
    converted = convert("reiji.example")
    saved = converted["plan"][0]["before"]["federationConfiguration"]
    back = convert("reiji.example", authentication="federated", federation_configurations={"reiji.example": saved})
    assert back["changed"] is True, back
    after = tenant.store.tables["federations"].objects["reiji.example"]
    assert {name: after[name] for name in saved if name != "id"} == {name: before[name] for name in saved if name != "id"}
    again = convert("reiji.example", authentication="federated", federation_configurations={"reiji.example": saved})
    assert again["changed"] is False


@pytest.mark.parametrize(
    ("domains", "options", "rule"),
    [
        (["sales.reiji.example"], {}, "inherits_from_root"),
        (["reiji-lab.example"], {}, "foreign_federation"),
        (["reiji.example"], {"expected_idp_hosts": ["iij.example"]}, "foreign_federation"),
        (["reiji.example"], {"break_glass": []}, "break_glass"),
        (["reiji.example"], {"break_glass": [BREAK_GLASS[0], "nobody@reiji.onmicrosoft.com"]}, "break_glass"),
        (["reiji.example"], {"break_glass": [BREAK_GLASS[0], "sato.taro@reiji.example"]}, "break_glass"),
        (["reiji.example", "reiji-group.example"], {"max_changes": 1}, "max_changes"),
    ],
)
def test_guards(convert, tenant, domains, options, rule):
    result = convert(*domains, **options)
    assert result["failed"] is True
    assert rule in rules(result)
    assert domains[0] in result["msg"] or rule in ("break_glass", "max_changes")
    assert tenant.writes() == []


def test_a_disabled_break_glass_administrator_does_not_count(convert, tenant):
    tenant.arrange("users", tenant.user(BREAK_GLASS[1])["id"], accountEnabled=False)
    result = convert("reiji.example")
    assert rules(result) == ["break_glass"]
    assert "disabled" in result["msg"]
    assert convert("reiji.example", min_break_glass=1)["changed"] is True


def test_federating_the_default_domain_is_refused(convert, tenant):
    saved = convert("reiji.example", module="entra_domain_info")["domains"][0]["federation"]["configuration"]
    result = convert("reiji.onmicrosoft.com", authentication="federated", federation_configurations={"reiji.onmicrosoft.com": saved})
    assert "default_domain" in rules(result)


def test_foreign_federation_can_be_allowed(convert):
    assert convert("reiji-lab.example", expected_idp_hosts=["sts.reiji-lab.example"])["changed"] is True


def test_restore_needs_a_certificate(convert, tenant):
    saved = convert("reiji.example")["plan"][0]["before"]["federationConfiguration"]
    tenant.clear_requests()
    for broken in ({"signingCertificate": None}, {"signingCertificate": "bm9uc2Vuc2U="}, {"issuerUri": ""}):
        result = convert("reiji.example", authentication="federated", federation_configurations={"reiji.example": saved | broken})
        assert result["failure"]["code"] == "bad_configuration"
    assert tenant.writes() == []


def test_a_refused_patch_falls_back_to_deleting_the_configuration(convert, tenant):
    tenant.faults.add(method="PATCH", path="/v1.0/domains/.*", status=403, code="Authorization_RequestDenied", message="Insufficient privileges.")
    result = convert("reiji.example")
    assert result["applied"][0]["details"]["method"] == "DELETE federationConfiguration"


def test_one_failure_stops_the_others(convert, tenant):
    tenant.faults.add(method="PATCH|DELETE", path="/v1.0/domains/.*", times=None, status=403, code="Authorization_RequestDenied")
    result = convert("reiji-group.example", "reiji.example")
    assert result["failure"]["code"] == "permission_missing"
    assert "Domain.ReadWrite.All" in result["msg"]
    assert result["changed"] is False
    assert [(item["id"], item["code"]) for item in result["skipped_objects"]] == [("reiji.example", "earlier_failure")]


def test_not_seen_is_a_failure(convert, tenant):
    tenant.settings.change({"conversion_delay": 60.0})
    result = convert("reiji.example", verify_timeout=2)
    assert result["failure"]["code"] == "not_seen"


def test_a_restore_without_answer_is_read_back_and_never_sent_twice(convert, tenant):
    saved = convert("reiji.example")["plan"][0]["before"]["federationConfiguration"]
    tenant.clear_requests()
    tenant.faults.add(method="POST", path="/v1.0/domains/.*", drop=True, applied=True)
    result = convert("reiji.example", authentication="federated", federation_configurations={"reiji.example": saved})
    assert result["changed"] is True, result
    assert [item["method"] for item in tenant.writes()] == ["POST"]


def test_a_restore_that_was_lost_before_it_arrived_fails(convert, tenant):
    saved = convert("reiji.example")["plan"][0]["before"]["federationConfiguration"]
    tenant.clear_requests()
    tenant.faults.add(method="POST", path="/v1.0/domains/.*", status=503)
    result = convert("reiji.example", authentication="federated", federation_configurations={"reiji.example": saved})
    assert result["failure"]["code"] == "answer_lost"
    assert len(tenant.writes()) == 1


def test_predictions_chain_check_mode_runs(convert, tmp_path: Path):
    predictions = str(tmp_path / "predictions.jsonl")
    first = convert("reiji.example", check=True, predictions=predictions)
    again = convert("reiji.example", check=True, predictions=predictions)
    assert (first["changed"], again["changed"], again["predicted"]) == (True, False, True)


# -- failures of the connection, which every Entra module shares


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"client_secret": "not-the-secret"}, "secret_wrong", "secret"),
        ({"tenant_id": "00000000-0000-0000-0000-000000000001"}, "tenant_unknown", "tenant"),
        ({"client_id": "00000000-0000-0000-0000-000000000002"}, "client_unknown", "client_id"),
        ({"graph_url": "https://graph.nowhere.invalid"}, "host_unknown", "graph.nowhere.invalid"),
        ({"authority": "https://login.nowhere.invalid"}, "host_unknown", "login.nowhere.invalid"),
        ({"graph_url": "https://127.0.0.1:9"}, "connection_failed", "127.0.0.1:9"),
        ({"ca_file": "/etc/ssl/certs/ca-certificates.crt"}, "certificate_untrusted", "ca_file"),
        ({"ca_file": "/nonexistent.pem"}, "bad_ca_file", "ca_file"),
        ({"graph_url": "http://127.0.0.1"}, "bad_option", "https"),
        ({"client_secret": None}, "bad_option", "credential"),
    ],
)
def test_failures_are_one_clear_message(convert, tenant, monkeypatch, change, code, word):
    monkeypatch.delenv("AZURE_CLIENT_SECRET", raising=False)
    result = convert("reiji.example", **change)
    assert result["failure"]["code"] == code, result
    assert word in result["msg"]
    assert "Traceback" not in str(result)
    assert tenant.writes() == []


def test_expired_secret(convert, tenant):
    result = convert("reiji.example", **tenant.credentials("iij_old"))
    assert result["failure"]["code"] == "secret_expired"


def test_untrusted_graph_behind_a_trusted_sign_in(convert, tenant, capsys, tmp_path):
    """The certificate of Graph itself is checked too, not only that of the sign-in service."""
    other = tmp_path / "other.pem"
    other.write_text(ssl.get_server_certificate(("127.0.0.1", int(tenant.url.rsplit(":", 1)[1]))))
    result = run_module(
        capsys, "entra_domain_info", {**connection(tenant), "client_secret": None, "access_token": "a.b.c", "ca_file": "/etc/ssl/certs/ca-certificates.crt"}
    )
    assert result["failure"]["code"] == "certificate_untrusted"


def test_missing_permission_is_named(convert, tenant):
    result = convert("reiji.example", **tenant.credentials("readonly"), min_break_glass=0)
    assert result["failure"]["code"] == "permission_missing"
    assert "Domain-InternalFederation" in result["msg"] or "Domain.ReadWrite.All" in result["msg"]


def test_throttled_single_requests_are_waited_for(convert, tenant):
    tenant.faults.add(method="GET", path="/v1.0/domains", status=429, retry_after=1)
    assert len(convert(module="entra_domain_info")["domains"]) == 6


def test_a_wait_beyond_the_bound_is_told(convert, tenant):
    tenant.faults.add(method="GET", path="/v1.0/domains", status=429, retry_after=3600)
    result = convert(module="entra_domain_info")
    assert result["failure"]["code"] == "throttled"
    assert "3600" in result["msg"]


def test_a_dropped_read_is_repeated(convert, tenant):
    tenant.faults.add(method="GET", path="/v1.0/domains", drop=True)
    assert len(convert(module="entra_domain_info")["domains"]) == 6


def test_a_foreign_next_link_is_not_followed(convert, tenant):
    tenant.faults.add(method="GET", path="/v1.0/domains", next_link="https://evil.example/v1.0/domains?$skiptoken=x")
    result = convert(module="entra_domain_info")
    assert result["failure"]["code"] == "foreign_next_link"


def test_by_ansible_without_a_secret_in_sight(tenant, tmp_path):
    journal = tmp_path / "journal.jsonl"
    options = {**connection(tenant), "domains": ["reiji.example"], "authentication": "managed", "break_glass": BREAK_GLASS, "journal": str(journal)}
    secret = options["client_secret"]
    checked, printed = ansible("entra_domain", dict(options), "--check", "--diff", "-vvv")
    assert checked["changed"] is True
    assert tenant.writes() == []
    assert secret not in printed
    real, printed = ansible("entra_domain", dict(options), "--diff", "-vvv")
    assert real["changed"] is True
    assert secret not in printed + journal.read_text()
    again, _ = ansible("entra_domain", dict(options))
    assert again["changed"] is False
    assert threading.active_count() < 50
