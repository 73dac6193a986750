# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_federation_certificate and its _info twin against the lab's tenant and metadata at an https address."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common import warnings as ansible_warnings
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import certificates
from dev import places
from lab import paths
from lab.identity_providers import made
from lab.testing import RunningTenant

from .entra import connection, lines, run_module
from .test_entra_external_federation import DOMAIN, ROOM, guest, key, published, stored, warnings  # noqa: F401 - a fixture

MODULE, INFO = "entra_federation_certificate", "entra_federation_certificate_info"


def metadata(*keys: made.Key, by: made.Key | None = None, **entity: Any) -> bytes:
    text = made.entity(made.saml_role("".join(made.key_descriptor(one) for one in keys)), **entity)
    return made.signed_metadata(text, by) if by else text.encode()


@pytest.fixture
def run(tenant: RunningTenant, capsys: pytest.CaptureFixture[str], published):  # noqa: F811 - the fixture
    def call(module: str = INFO, check: bool = False, **options: Any) -> dict[str, Any]:
        ansible_warnings._global_warnings.clear()
        options = {"metadata_ca_file": str(paths.ca_file()), "domains": [DOMAIN], **options}
        return run_module(capsys, module, {**connection(tenant), **options}, check=check)

    return call


@pytest.fixture
def federated(tenant: RunningTenant, capsys: pytest.CaptureFixture[str], published):  # noqa: F811 - the fixture
    """A partner's federation with certificate A; the address where its metadata is, and its file."""
    folder, base = published
    made_by_hand = {"domain": DOMAIN, "issuer_uri": made.ISSUER, "passive_sign_in_uri": made.SIGN_IN, "signing_certificate": key("A").pem, "protocol": "saml"}
    result = run_module(capsys, "entra_external_federation", {**connection(tenant), **made_by_hand, "metadata_exchange_uri": f"{base}/m.xml"})
    assert result["changed"] is True, result
    tenant.clear_requests()
    return folder / "m.xml"


def state(result: dict[str, Any]) -> tuple[str, str]:
    assert not result.get("failed"), result
    (entry,) = result["federations"]
    return entry["state"], entry["severity"]


# -- a rollover, stage by stage


def test_a_rollover_is_seen_at_every_stage_and_renewed_once_the_new_key_signs(run, tenant, federated):
    guest(tenant, f"adele@{DOMAIN}")
    stages = [
        (metadata(key("A"), by=key("A")), ("in_step", "ok")),
        (metadata(key("B", end=400), key("A"), by=key("A")), ("successor_published", "warning")),
    ]
    for data, expected in stages:
        federated.write_bytes(data)
        assert state(run()) == expected
        assert run(MODULE, apply="when_published")["changed"] is False
    assert tenant.writes() == []
    federated.write_bytes(metadata(key("B", end=400), key("A"), by=key("B", end=400)))
    seen = run()
    assert (state(seen), seen["exit_code"]) == (("configured_not_active", "critical"), 2)
    assert seen["federations"][0]["guest_count"] == 1
    refused = run(MODULE, apply="when_active")
    assert [one["code"] for one in refused["skipped_objects"]] == ["metadata_not_vouched"]
    assert (refused["federations"][0]["vouched"], refused["changed"]) == (False, False)
    named = {"apply": "when_active", "accept_thumbprints": {DOMAIN: certificates.from_base64(key("B", end=400).base64).sha1.upper()}}
    checked = run(MODULE, **named, check=True)
    assert checked["changed"] is True
    assert tenant.writes() == []
    done = run(MODULE, **named)
    assert done["plan"] == checked["plan"]
    assert [item["method"] for item in tenant.writes()] == ["PATCH"]
    assert stored(tenant)[0]["signingCertificate"] == key("B", end=400).base64
    assert any("5 to 10 minutes" in text for text in warnings(done))
    assert state(run()) == ("in_step", "ok")
    assert run(MODULE, apply="when_active")["changed"] is False
    federated.write_bytes(metadata(key("B", end=400), by=key("B", end=400)))
    assert state(run()) == ("in_step", "ok")


def test_a_rollover_that_was_announced_is_renewed_by_itself(run, tenant, federated, tmp_path: Path):
    """As AD FS makes it: the successor in metadata signed with the old key, then metadata signed with the new one."""
    kept = tmp_path / "announced.json"
    federated.write_bytes(metadata(key("B", end=400), key("A"), by=key("A")))
    first = run()
    kept.write_text(json.dumps({name: first[name] for name in ("tenant_id", "announced")}))
    federated.write_bytes(metadata(key("B", end=400), key("A"), by=key("B", end=400)))
    options = {"apply": "when_active", "announced_in": str(kept)}
    kept.chmod(0o666)
    assert run(MODULE, **options)["failure"]["code"] == "run_folder_unsafe"
    kept.chmod(0o600)
    assert [item["code"] for item in run(MODULE, apply="when_active", announced_in=str(tmp_path / "none.json"))["skipped_objects"]] == ["metadata_not_vouched"]
    assert run(announced_in=str(kept))["announced"] == first["announced"]
    done = run(MODULE, **options)
    assert done["changed"] is True and stored(tenant)[0]["signingCertificate"] == key("B", end=400).base64
    assert run(MODULE, **options)["changed"] is False
    kept.write_text("<html>")
    assert run(MODULE, **options)["failure"]["code"] == "file_read_failed"


def test_only_the_certificate_is_written(run, tenant, federated):
    before = stored(tenant)[0]
    federated.write_bytes(metadata(key("B"), by=key("A")))
    assert state(run()) == ("configured_not_published", "critical")
    run(MODULE, apply="when_active")
    assert stored(tenant)[0] == {**before, "signingCertificate": key("B").base64}


def test_the_journal_has_intent_and_outcome(run, federated, tmp_path: Path):
    federated.write_bytes(metadata(key("B"), by=key("A")))
    run(MODULE, apply="when_active", journal=str(tmp_path / "j.jsonl"))
    assert [line["record"] for line in lines(tmp_path / "j.jsonl")] == ["intent", "outcome"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (metadata(key("B"), entity_id="https://evil.example/"), None),
        (b"<html/>", None),
        (made.entity(made.saml_role(made.key_descriptor(key("B")), endpoints=made.endpoint("https://evil.example/"))).encode(), "drift"),
        (metadata(key("B"), by=key("B")), "metadata_not_vouched"),
        (metadata(key("B")), "metadata_not_vouched"),
        (metadata(key("B"), by=key("somebody")), "metadata_not_vouched"),
        (metadata(key("weak", bits=1024)), "key_weak"),
    ],
)
def test_what_is_never_applied(run, tenant, federated, data, code):
    federated.write_bytes(data)
    result = run(MODULE, apply="when_published")
    assert (result["changed"], tenant.writes()) == (False, [])
    assert [item["code"] for item in result["skipped_objects"]] == ([code] if code else [])
    assert bool(warnings(result)) is bool(code)
    assert result["severity"] in ("unknown", "critical")


def test_one_that_is_left_alone_does_not_stop_another(run, tenant, federated, published, capsys):  # noqa: F811 - the fixture
    folder, base = published
    second = {
        "domain": "woodgrove.example",
        "issuer_uri": "https://woodgrove.example/idp",
        "passive_sign_in_uri": "https://woodgrove.example/",
        "signing_certificate": key("A").pem,
        "protocol": "saml",
        "metadata_exchange_uri": f"{base}/second.xml",
    }
    assert run_module(capsys, "entra_external_federation", {**connection(tenant), **second})["changed"] is True
    federated.write_bytes(metadata(key("B"), by=key("B")))
    role = made.saml_role(made.key_descriptor(key("B")), endpoints=made.endpoint("https://woodgrove.example/"))
    (folder / "second.xml").write_text(made.entity(role, entity_id="https://woodgrove.example/idp"))
    result = run(MODULE, apply="when_active", domains=[DOMAIN, "woodgrove.example"], trust_metadata_tls=["Woodgrove.example"])
    assert [item["name"] for item in result["applied"]] == ["woodgrove.example"]
    assert [item["code"] for item in result["skipped_objects"]] == ["metadata_not_vouched"]


# -- trouble


def test_trusted_tls_is_no_tls_that_was_not_checked(run, tenant, federated):
    federated.write_bytes(metadata(key("B")))
    trusted = {"apply": "when_active", "trust_metadata_tls": [DOMAIN]}
    for options in ({"metadata_ca_file": None}, {"metadata_urls": {DOMAIN: "http://sts.fabrikam.example/m.xml"}}):
        assert run(MODULE, **trusted, **options)["changed"] is False
    assert tenant.writes() == []
    assert run(MODULE, **trusted)["changed"] is True


def test_what_cannot_be_fetched_is_unknown_and_never_ok(run, tenant, federated):
    for options in ({}, {"metadata_ca_file": None}, {"metadata_urls": {DOMAIN: "http://sts.fabrikam.example/m.xml"}}):
        result = run(**options)
        assert (state(result), result["exit_code"]) == (("unknown", "unknown"), 3)
        assert run(MODULE, apply="when_published", trust_metadata_tls=[DOMAIN], **options)["changed"] is False
    assert run()["federations"][0]["reason"] == "http_status"
    assert tenant.writes() == []


def test_a_certificate_that_graph_does_not_show_is_a_failure(run, tenant, federated, monkeypatch):
    federated.write_bytes(metadata(key("B"), by=key("A")))
    monkeypatch.setattr(f"{ROOM}.federation_certificates.resource.write_properties", lambda *_: None)
    result = run(MODULE, apply="when_active", verify_timeout=0)
    assert result["failure"]["code"] == "not_seen"


def test_a_refused_write_is_a_failure(run, tenant, federated):
    federated.write_bytes(metadata(key("B"), by=key("A")))
    tenant.faults.add(method="PATCH", path=".*", status=403, code="Authorization_RequestDenied")
    assert run(MODULE, apply="when_active")["failure"]["code"] == "permission_missing"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"domains": ["nobody.example"]}, "not_found"),
        ({"domains": ["not a domain"]}, "domain_invalid"),
        ({"domains": [], "critical_days": 40}, "bad_option"),
        ({"module": MODULE, "accept_thumbprints": {DOMAIN: "B"}}, "bad_option"),
        ({"module": MODULE, "trust_metadata_tls": ["*"]}, "domain_invalid"),
    ],
)
def test_bad_options(run, options, code):
    assert run(**options)["failure"]["code"] == code


# -- the tenant's own domains


def own(tenant: RunningTenant) -> dict[str, Any]:
    return next(iter(tenant.store.tables["federations"].objects.values()))


def test_an_own_domain_is_watched_and_gets_its_next_certificate_ahead(run, tenant, published):  # noqa: F811 - the fixture
    folder, base = published
    found = own(tenant)
    domain = found["_domain"]
    settings = {"issuerUri": made.ISSUER, "passiveSignInUri": made.SIGN_IN, "preferredAuthenticationProtocol": "saml"}
    tenant.arrange("federations", domain, **settings, signingCertificate=key("A").base64, metadataExchangeUri=f"{base}/own.xml")
    file = folder / "own.xml"
    file.write_bytes(metadata(key("B", end=400), key("A"), by=key("A")))
    assert state(run(domains=[domain])) == ("successor_published", "warning")
    assert run(MODULE, apply="when_active", domains=[domain])["changed"] is False
    done = run(MODULE, apply="when_published", domains=[domain])
    assert done["plan"][0]["after"] == {"nextSigningCertificate": key("B", end=400).base64}, done
    assert own(tenant)["nextSigningCertificate"] == key("B", end=400).base64
    assert own(tenant)["signingCertificate"] == key("A").base64
    file.write_bytes(metadata(key("B", end=400), key("A"), by=key("B", end=400)))
    result = run(domains=[domain])
    assert state(result) == ("in_step", "ok")
    assert (result["federations"][0]["kind"], result["federations"][0]["guest_count"]) == ("internal", None)


def test_every_federation_of_the_tenant_is_read(run, tenant, federated):
    federated.write_bytes(metadata(key("A")))
    tenant.arrange("federations", own(tenant)["_domain"], _broken=True)
    result = run(domains=[])
    kinds = {entry["kind"]: entry for entry in result["federations"]}
    assert set(kinds) == {"external", "internal"}
    unreadable = [entry for entry in result["federations"] if entry["reason"] == "configuration_unreadable"]
    assert [entry["domains"] for entry in unreadable] == [[own(tenant)["_domain"]]]
    assert result["severity"] == "unknown"


# -- the playbook


def play(tenant: RunningTenant, folder: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    options = connection(tenant)
    secret = options.pop("client_secret")
    defaults = {"watch_certificates_connection": options, "watch_certificates_ca_file": str(paths.ca_file()), "watch_certificates_folder": str(folder)}
    defaults["offboard_run_dir"] = str(folder / "run")
    return subprocess.run(
        ["ansible-playbook", str(places.ROOT / "playbooks" / "watch_certificates.yml"), "-e", json.dumps({**defaults, **variables})],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        env={**os.environ, "AZURE_CLIENT_SECRET": secret, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1"},
    )


def test_the_playbook_writes_both_files_and_fails_for_the_scheduler(tenant, federated, tmp_path: Path):
    federated.write_bytes(metadata(key("B"), by=key("A")))
    options = {"watch_certificates_domains": [DOMAIN]}
    failed = play(tenant, tmp_path, **options)
    assert failed.returncode == 2, failed.stdout + failed.stderr
    assert "configured_not_published" in failed.stdout
    assert json.loads((tmp_path / "certificates.json").read_text())["exit_code"] == 2
    assert 'state="configured_not_published"' in (tmp_path / "certificates.prom").read_text()
    renewed = play(tenant, tmp_path, **options, watch_certificates_apply="when_active")
    assert renewed.returncode == 0, renewed.stdout + renewed.stderr
    assert json.loads((tmp_path / "certificates.json").read_text())["federations"][0]["state"] == "in_step"
    assert stored(tenant)[0]["signingCertificate"] == key("B").base64


def test_the_playbook_remembers_what_was_announced(tenant, federated, tmp_path: Path):
    """Run by a scheduler, also in check mode, or while Entra cannot be reached: AD FS' switch needs nobody."""
    options = {"watch_certificates_domains": [DOMAIN], "watch_certificates_apply": "when_active"}
    federated.write_bytes(metadata(key("B", end=400), key("A"), by=key("A")))
    assert play(tenant, tmp_path, **options).returncode == 0
    kept = tmp_path / "run" / "announced_certificates.json"
    assert kept.stat().st_mode & 0o777 == 0o600 and len(json.loads(kept.read_text())["announced"]) == 1
    federated.write_bytes(metadata(key("B", end=400), key("A"), by=key("B", end=400)))
    assert play(tenant, tmp_path, **options | {"watch_certificates_apply": "never"}).returncode == 2
    renewed = play(tenant, tmp_path, **options)
    assert renewed.returncode == 0, renewed.stdout + renewed.stderr
    assert stored(tenant)[0]["signingCertificate"] == key("B", end=400).base64


# -- the manual


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_the_manual_gives_for_the_retired_commands_works(tenant, capsys, language):
    page = (places.ROOT / "docs" / language / "direct-federation.md").read_text(encoding="utf-8")
    (task,) = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1])
    options = {**task["offboard.iij_id.entra_external_federation"], "signing_certificate": key().pem}
    result = run_module(capsys, "entra_external_federation", {**connection(tenant), **options})
    assert result["changed"] is True, result
    (item,) = stored(tenant)
    assert (item["preferredAuthenticationProtocol"], item["passiveSignInUri"]) == ("wsFed", options["passive_log_on_uri"])
    assert run_module(capsys, "entra_external_federation", {**connection(tenant), **options})["changed"] is False
