# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_external_federation, entra_redemption_order and their _info twins against the lab's tenant."""

from __future__ import annotations

import datetime
import functools
import http.server
import importlib
import json
import os
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common import warnings as ansible_warnings
from lab import dns_server, paths, tls
from lab.identity_providers import made
from lab.testing import RunningTenant

from .entra import ansible, connection, lines, run_module

MODULE = "entra_external_federation"
INFO = "entra_external_federation_info"
ROOM = "ansible_collections.offboard.iij_id.plugins.module_utils._entra"
DOMAIN, SECOND = "fabrikam.example", "fabrikam-japan.example"
OTHER_ADDRESS = "https://accounts.google.com/o/saml2/idp?idpid=abc12345"
CAST = "/v1.0/directory/federationConfigurations/microsoft.graph.samlOrWsFedExternalDomainFederation"


def key(name: str = "A", *, begin: int = -30, end: int = 300, **more: Any) -> made.Key:
    """A key whose certificate is valid from and until so many days from today."""
    past = (datetime.datetime.now(datetime.UTC) - made.NOW).days
    return made.key(name, begin=begin + past, end=end + past, **more)


def by_hand(**more: Any) -> dict[str, Any]:
    return {
        "domain": DOMAIN,
        "issuer_uri": made.ISSUER,
        "passive_sign_in_uri": made.SIGN_IN,
        "signing_certificate": key().pem,
        "protocol": "saml",
        **more,
    }


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch, tenant: RunningTenant) -> dict[str, list[str]]:
    """The TXT records that the module and the tenant see, without a network."""
    monkeypatch.setattr(f"{ROOM}.federations.resource.dns_txt.txt_lookup", lambda *_, **__: tenant.outside.txt_at)
    return tenant.outside.txt


@pytest.fixture
def run(tenant: RunningTenant, capsys: pytest.CaptureFixture[str], dns: dict[str, list[str]]):
    def call(module: str = MODULE, check: bool = False, diff: bool = False, app: str = "offboard", **options: Any) -> dict[str, Any]:
        ansible_warnings._global_warnings.clear()  # those of an earlier module in this process
        return run_module(capsys, module, {**connection(tenant, app), **options}, check=check, diff=diff)

    return call


@pytest.fixture
def federated(run) -> dict[str, Any]:
    result = run(**by_hand())
    assert result["changed"] is True, result
    return result


def stored(tenant: RunningTenant) -> list[dict[str, Any]]:
    return list(tenant.store.tables["external_federations"].objects.values())


def domains(tenant: RunningTenant) -> list[str]:
    return sorted(entry["id"] for item in stored(tenant) for entry in item["domains"])


def warnings(result: dict[str, Any]) -> list[str]:
    return [item if isinstance(item, str) else item["event"]["msg"] for item in result.get("warnings", ())]


def rules(result: dict[str, Any]) -> list[str]:
    assert result.get("failed"), result
    return [item["rule"] for item in result["failure"]["details"]["refusals"]]


def guest(tenant: RunningTenant, address: str, last_sign_in: str | None = None) -> dict[str, Any]:
    """A guest who has redeemed."""
    reply = tenant.client().call("POST", "/invitations", {"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://myapps.microsoft.com"})
    assert reply.status == 201, reply.data
    user = tenant.redeem(address)
    if last_sign_in:
        tenant.arrange("users", user["id"], signInActivity={"lastSignInDateTime": last_sign_in})
    tenant.clear_requests()
    return user


# -- made, found, changed


def test_check_mode_writes_nothing_and_plans_the_same(run, tenant):
    checked = run(**by_hand(), check=True, diff=True)
    assert checked["changed"] is True
    assert tenant.writes() == []
    assert checked["diff"][0]["after"]["passiveSignInUri"] == made.SIGN_IN
    real = run(**by_hand())
    assert real["plan"] == checked["plan"]
    assert len(stored(tenant)) == 1


def test_made_and_made_again(run, tenant, tmp_path: Path):
    journal = tmp_path / "journal.jsonl"
    result = run(**by_hand(display_name="Fabrikam", journal=str(journal)))
    item = stored(tenant)[0]
    assert {name: value for name, value in item.items() if name != "id"} == {
        "displayName": "Fabrikam",
        "issuerUri": made.ISSUER,
        "passiveSignInUri": made.SIGN_IN,
        "preferredAuthenticationProtocol": "saml",
        "signingCertificate": key().base64,
        "metadataExchangeUri": None,
        "domains": [{"id": DOMAIN}],
    }
    assert any("5 to 10 minutes" in text for text in warnings(result))
    assert any("cannot renew" in text for text in warnings(result))
    assert [line["record"] for line in lines(journal)] == ["intent", "outcome"]
    tenant.clear_requests()
    again = run(**by_hand(display_name="Fabrikam"))
    assert (again["changed"], again["counts"]) == (False, {"planned": 0, "unchanged": 1, "skipped": 0})
    assert tenant.writes() == []


@pytest.mark.parametrize("spelling", ["WsFed", "wsfed", "wsFed"])
def test_the_spellings_of_the_retired_command(run, tenant, spelling):
    run(**by_hand(protocol=spelling))
    assert stored(tenant)[0]["preferredAuthenticationProtocol"] == "wsFed"
    assert run(domain=DOMAIN, protocol="WSFED")["changed"] is False
    assert run(domain=DOMAIN, protocol="Samlp")["plan"][0]["after"] == {"preferredAuthenticationProtocol": "saml"}
    assert run(domain=DOMAIN, protocol="oidc")["failure"]["code"] == "protocol_unknown"


EDITS = [
    ("display_name", "displayName", "Fabrikam Holding", "low"),
    ("issuer_uri", "issuerUri", "https://fabrikam.example/idp", "high"),
    ("passive_sign_in_uri", "passiveSignInUri", "https://login.fabrikam.example/", "high"),
    ("metadata_exchange_uri", "metadataExchangeUri", "https://sts.fabrikam.example/metadata.xml", "medium"),
    ("protocol", "preferredAuthenticationProtocol", "wsFed", "high"),
]


@pytest.mark.parametrize(("option", "name", "value", "risk"), EDITS)
def test_each_property_is_edited_alone_and_undone_from_before(run, tenant, federated, option, name, value, risk):
    before = stored(tenant)[0]
    result = run(domain=DOMAIN, diff=True, **{option: value})
    assert result["plan"][0]["after"] == {name: value}
    assert result["plan"][0]["risk"] == risk
    assert result["diff"][0]["before"] == {name: before[name]}
    assert stored(tenant)[0] == {**before, name: value}
    assert run(domain=DOMAIN, **{option: value})["changed"] is False
    assert run(domain=DOMAIN, configuration=result["plan"][0]["before"])["changed"] is True
    assert stored(tenant)[0] == before


def test_the_certificate_is_compared_without_white_space(run, tenant, federated):
    assert run(domain=DOMAIN, signing_certificate=key().base64)["changed"] is False
    new = run(domain=DOMAIN, signing_certificate=key("B").pem)
    assert new["plan"][0]["before"] == {"signingCertificate": key().base64}
    assert stored(tenant)[0]["signingCertificate"] == key("B").base64


def test_metadata_exchange_uri_is_removed_by_an_empty_text(run, tenant):
    run(**by_hand(metadata_exchange_uri="https://sts.fabrikam.example/m.xml"))
    assert run(domain=DOMAIN, metadata_exchange_uri="")["plan"][0]["after"] == {"metadataExchangeUri": None}
    assert stored(tenant)[0]["metadataExchangeUri"] is None


# -- domains


def test_domains_added_removed_and_set(run, tenant, dns, federated):
    dns[SECOND] = dns["fabrikam.jp.example"] = [f"DirectFedAuthUrl={made.SIGN_IN}"]
    added = run(domain=DOMAIN, domains={"add": [SECOND.upper()]})
    assert added["plan"][0]["after"] == {"domains": [SECOND, DOMAIN]}
    assert [item["rule"] for item in added["url_rule"]] == ["txt_record"]
    assert domains(tenant) == [SECOND, DOMAIN]
    assert run(domain=SECOND, domains={"add": [DOMAIN]})["changed"] is False, "found by the other domain"
    assert run(domain=DOMAIN)["changed"] is False, "a task that names no domains keeps them"
    changed = run(domain=DOMAIN, domains={"set": [DOMAIN, "fabrikam.jp.example"]})
    assert changed["plan"][0]["before"] == {"domains": [SECOND, DOMAIN]}
    assert domains(tenant) == [DOMAIN, "fabrikam.jp.example"]
    run(domain=DOMAIN, domains={"remove": ["fabrikam.jp.example", "never.example"]})
    assert domains(tenant) == [DOMAIN]


def test_a_federation_moves_to_another_domain_and_address_in_one_task(run, tenant, dns, federated):
    """The old domain goes before the address changes, and the new one comes after it."""
    dns[DOMAIN] = ["DirectFedAuthUrl=https://sts.woodgrove.example/"]
    dns["old.example"] = [f"DirectFedAuthUrl={made.SIGN_IN}"]
    run(domain=DOMAIN, domains={"add": ["old.example"]})
    tenant.clear_requests()
    moved = run(domain=DOMAIN, domains={"set": [DOMAIN, "woodgrove.example"]}, passive_sign_in_uri="https://sts.woodgrove.example/")
    assert moved["changed"] is True, moved
    assert [item["method"] for item in tenant.writes()] == ["DELETE", "PATCH", "POST"]
    assert moved["applied"][0]["details"]["steps_done"] == ["removed domain old.example", "changed passiveSignInUri", "added domain woodgrove.example"]


def test_a_partner_with_a_new_first_domain_keeps_its_federation(run, tenant, dns, federated):
    dns[SECOND] = [f"DirectFedAuthUrl={made.SIGN_IN}"]
    before = stored(tenant)[0]
    renamed = by_hand(domain=SECOND, domains={"set": [SECOND, DOMAIN]})
    checked = run(**renamed, check=True)
    assert [item["action"] for item in checked["plan"]] == ["update"]
    assert run(**renamed)["plan"] == checked["plan"]
    assert {**stored(tenant)[0], "domains": []} == {**before, "domains": []}
    assert domains(tenant) == [SECOND, DOMAIN]
    assert run(**renamed)["changed"] is False
    other = run(**by_hand(domain="third.example", domains={"set": ["third.example", DOMAIN]}, issuer_uri="https://third.example/idp"))
    assert "domain_in_use" in rules(other), "another issuer is somebody else"


def test_an_absent_partner_is_found_by_any_of_its_domains(run, tenant, federated):
    assert run(domain=SECOND, state="absent")["changed"] is False
    result = run(domain=SECOND, domains={"set": [SECOND, DOMAIN]}, state="absent")
    assert result["applied"][0]["details"]["steps_done"] == ["deleted"], result
    assert stored(tenant) == []
    run(**by_hand())
    run(**by_hand(domain="woodgrove.example", issuer_uri="https://woodgrove.example/", passive_sign_in_uri="https://woodgrove.example/"))
    both = run(domain=SECOND, domains={"set": [SECOND, DOMAIN, "woodgrove.example"]}, state="absent")
    assert both["failure"]["code"] == "ambiguous_match"


@pytest.mark.parametrize("lists", [{"remove": [DOMAIN]}, {"set": [SECOND]}])
def test_the_domain_that_names_the_federation_stays(run, tenant, lists):
    assert run(domain=DOMAIN, domains=lists)["failure"]["code"] == "bad_option"
    assert tenant.requests() == []


def test_a_federation_that_graph_holds_in_part_is_no_traceback(run, tenant, federated):
    """Graph's description lets every property be null."""
    tenant.arrange("external_federations", stored(tenant)[0]["id"], passiveSignInUri=None, signingCertificate=None, displayName=None)
    assert run(INFO)["federations"][0]["passive_sign_in_uri"] is None
    assert rules(run(domain=DOMAIN, domains={"add": [SECOND]})) == ["url_not_https"]
    assert run(domain=DOMAIN, passive_sign_in_uri=made.SIGN_IN, signing_certificate=key().pem, display_name="Fabrikam")["changed"] is True


def test_a_failure_on_the_way_tells_what_was_done(run, tenant, dns, federated):
    dns[SECOND] = ["DirectFedAuthUrl=https://login.fabrikam.example/"]
    tenant.faults.add(method="POST", path=".*/domains", status=403, code="Authorization_RequestDenied")
    result = run(domain=DOMAIN, domains={"add": [SECOND]}, passive_sign_in_uri="https://login.fabrikam.example/")
    assert result["failure"]["code"] == "permission_missing"
    assert "IdentityProvider.ReadWrite.All" in result["msg"]
    assert result["changed"] is True, "the address was changed"
    assert result["failed_objects"][0]["details"]["steps_done"] == ["changed passiveSignInUri"]
    assert run(domain=DOMAIN, domains={"add": [SECOND]}, passive_sign_in_uri="https://login.fabrikam.example/")["changed"] is True
    assert domains(tenant) == [SECOND, DOMAIN]


# -- from metadata


def test_from_metadata_with_by_hand_winning(run, tenant, tmp_path: Path):
    file = tmp_path / "metadata.xml"
    file.write_text(made.entity(made.saml_role(made.key_descriptor(key()))))
    result = run(domain=DOMAIN, metadata={"path": str(file)}, display_name="Fabrikam")
    assert result["changed"] is True, result
    item = stored(tenant)[0]
    assert (item["issuerUri"], item["passiveSignInUri"], item["signingCertificate"]) == (made.ISSUER, made.SIGN_IN, key().base64)
    assert item["preferredAuthenticationProtocol"] == "saml"
    again = run(domain=DOMAIN, metadata={"path": str(file)}, passive_sign_in_uri="https://login.fabrikam.example/")
    assert again["plan"][0]["after"] == {"passiveSignInUri": "https://login.fabrikam.example/"}


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Metadata at an https address: what is in the folder, under a certificate of a lab's authority."""
    monkeypatch.setattr(paths, "STATE", tmp_path / "lab")
    certificate, private = tls.server_certificate(tmp_path / "tls", ["localhost"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, private)
    folder = tmp_path / "published"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"https://localhost:{server.server_address[1]}"
        server.shutdown()


def test_from_a_metadata_url_which_entra_then_reads_itself(run, tenant, published):
    folder, base = published
    ca = str(paths.ca_file())
    (folder / "m.xml").write_text(made.entity(made.saml_role(made.key_descriptor(key("A")))))
    source = {"metadata": {"url": f"{base}/m.xml", "ca_file": ca}}
    assert run(domain=DOMAIN, **source)["changed"] is True
    assert stored(tenant)[0]["metadataExchangeUri"] == f"{base}/m.xml"
    (folder / "m.xml").write_bytes(made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(key("B")))), key("A")))
    assert run(domain=DOMAIN, **source)["plan"][0]["after"] == {"signingCertificate": key("B").base64}
    assert run(domain=DOMAIN, **source)["changed"] is False
    assert run(domain=DOMAIN, metadata={"url": f"{base}/gone.xml", "ca_file": ca})["failure"]["code"] == "http_status"
    assert run(domain=DOMAIN, metadata={"url": f"{base}/m.xml"})["failure"]["code"] == "certificate_untrusted"


ELSEWHERE = made.endpoint("https://sts.fabrikam.example/elsewhere/")


@pytest.mark.parametrize("by", [None, "B", "somebody"])
@pytest.mark.parametrize(
    ("role", "changed"),
    [
        (made.saml_role(made.key_descriptor(key("B"))), "signingCertificate"),
        (made.saml_role(made.key_descriptor(key("A")), endpoints=ELSEWHERE), "passiveSignInUri"),
    ],
)
def test_an_address_alone_changes_nothing_of_a_federation(run, tenant, published, role, changed, by):
    folder, base = published
    address = {"url": f"{base}/m.xml", "ca_file": str(paths.ca_file())}
    (folder / "m.xml").write_text(made.entity(made.saml_role(made.key_descriptor(key("A")))))
    assert run(domain=DOMAIN, metadata=address)["changed"] is True, "a new federation believes the address that it is made from"
    text = made.entity(role)
    (folder / "m.xml").write_bytes(made.signed_metadata(text, key(by)) if by else text.encode())
    tenant.clear_requests()
    refused = run(domain=DOMAIN, metadata=address)
    assert [one["rule"] for one in refused["failure"]["details"]["refusals"]] == ["metadata_not_vouched"]
    assert all(word in refused["msg"] for word in (changed, "trust_metadata_tls"))
    assert tenant.writes() == []
    assert changed in run(domain=DOMAIN, metadata={**address, "trust_metadata_tls": True}, check=True)["plan"][0]["after"]
    assert changed in run(domain=DOMAIN, metadata={"content": (folder / "m.xml").read_text()}, check=True)["plan"][0]["after"]


def test_a_certificate_by_hand_vouches_for_metadata_that_it_signed(run, tenant, published):
    folder, base = published
    address = {"url": f"{base}/m.xml", "ca_file": str(paths.ca_file())}
    (folder / "m.xml").write_text(made.entity(made.saml_role(made.key_descriptor(key("A")))))
    assert run(domain=DOMAIN, metadata=address)["changed"] is True
    (folder / "m.xml").write_bytes(made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(key("B")), endpoints=ELSEWHERE)), key("B")))
    assert set(run(domain=DOMAIN, metadata=address, signing_certificate=key("B").pem)["plan"][0]["after"]) == {"signingCertificate", "passiveSignInUri"}


def test_both_protocols_need_a_choice_once(run, tenant):
    both = made.entity(made.saml_role(made.key_descriptor(key())), made.wsfed_role(made.key_descriptor(key())))
    assert run(domain=DOMAIN, metadata={"content": both})["failure"]["code"] == "protocol_needed"
    assert tenant.writes() == []
    assert run(domain=DOMAIN, metadata={"content": both}, protocol="wsFed")["changed"] is True
    assert run(domain=DOMAIN, metadata={"content": both})["changed"] is False, "the configured protocol stays"
    only = made.entity(made.saml_role(made.key_descriptor(key())))
    assert run(domain=DOMAIN, metadata={"content": only}, protocol="wsFed")["failure"]["code"] == "protocol_not_offered"


def test_a_rollover_keeps_the_configured_certificate_while_it_is_published(run, tenant):
    rolling = made.entity(made.saml_role(made.key_descriptor(key("B")) + made.key_descriptor(key("A"))))
    first = run(domain=DOMAIN, metadata={"content": rolling})
    assert first["failure"]["code"] == "active_certificate_unknown"
    assert len(first["failure"]["details"]["candidates"]) == 2
    assert run(domain=DOMAIN, metadata={"content": rolling}, signing_certificate=key("A").pem)["changed"] is True
    assert run(domain=DOMAIN, metadata={"content": rolling})["changed"] is False
    signed = made.signed_metadata(rolling, key("B")).decode()
    assert run(domain=DOMAIN, metadata={"content": signed})["plan"][0]["after"] == {"signingCertificate": key("B").base64}
    done = made.entity(made.saml_role(made.key_descriptor(key("C"))))
    assert run(domain=DOMAIN, metadata={"content": done})["plan"][0]["after"] == {"signingCertificate": key("C").base64}


def test_a_certificate_by_hand_that_cannot_sign_is_refused(run, tenant):
    """Somebody's old notes would lock everybody out."""
    only = made.entity(made.saml_role(made.key_descriptor(key("B", begin=-1))))
    rolling = made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(key("B", begin=-1)) + made.key_descriptor(key("A")))), key("B", begin=-1))
    for document, rule in ((only, "certificate_not_published"), (rolling.decode(), "certificate_not_active")):
        assert rules(run(domain=DOMAIN, metadata={"content": document}, signing_certificate=key("A").pem)) == [rule]
    assert tenant.writes() == []
    assert run(domain=DOMAIN, metadata={"content": only}, signing_certificate=key("B", begin=-1).pem)["changed"] is True
    older = run(domain=DOMAIN, signing_certificate=key("A").pem)
    assert older["changed"] is True, "without metadata it is the operator who knows"
    assert any("make sure that the partner signs with it" in text for text in warnings(older))
    newer = run(domain=DOMAIN, signing_certificate=key("B", begin=-1).pem)
    assert not any("make sure" in text for text in warnings(newer))


def test_metadata_of_several_needs_an_entity_id(run, tenant):
    several = made.aggregate(
        made.entity(made.saml_role(made.key_descriptor(key())), entity_id="https://a.example/"),
        made.entity(made.saml_role(made.key_descriptor(key())), entity_id="https://b.example/"),
    )
    assert run(domain=DOMAIN, metadata={"content": several})["failure"]["code"] == "ambiguous_match"
    run(domain=DOMAIN, metadata={"content": several, "entity_id": "https://b.example/"})
    assert stored(tenant)[0]["issuerUri"] == "https://b.example/"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"metadata": {"content": "<!DOCTYPE x><x/>"}}, "dtd_forbidden"),
        ({"metadata": {"content": "hello"}}, "not_xml"),
        ({"metadata": {"path": "/nonexistent.xml"}}, "file_read_failed"),
        ({"metadata": {"url": "http://sts.fabrikam.example/m.xml"}}, "url_invalid"),
        ({"signing_certificate": "MIIC"}, "certificate_invalid"),
        ({"signing_certificate": key().pem + key("B").pem}, "several_certificates"),
        ({"signing_certificate": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "private_key"),
        ({"domain": "com"}, "domain_invalid"),
        ({"domain": "co.jp"}, "domain_is_public_suffix"),
        ({"domain": "fabrikam.example", "domains": {"add": ["not a domain"]}}, "domain_invalid"),
        ({"configuration": {"signingCertificate": "nonsense"}}, "certificate_invalid"),
    ],
)
def test_what_is_wrong_with_the_partners_data_is_told_before_anybody_is_asked(run, tenant, options, code):
    result = run(**{"domain": DOMAIN, **options})
    assert result["failure"]["code"] == code, result
    assert "Traceback" not in str(result)
    assert tenant.requests() == []


def test_a_new_federation_names_what_is_missing(run, tenant):
    result = run(domain=DOMAIN, issuer_uri=made.ISSUER)
    assert result["failure"]["code"] == "missing_settings"
    assert result["failure"]["details"]["missing"] == ["passive_sign_in_uri", "protocol", "signing_certificate"]


# -- what is refused, all at once and before anything is written


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"signing_certificate": key("old", begin=-400, end=-1).pem}, "certificate_expired"),
        ({"signing_certificate": key("soon", begin=2).pem}, "certificate_not_yet_valid"),
        ({"signing_certificate": key("weak", bits=1024).pem}, "key_weak"),
        ({"signing_certificate": key("curve", curve=True).pem}, "key_not_rsa"),
        ({"issuer_uri": "fabrikam"}, "issuer_not_uri"),
        ({"issuer_uri": "https://sts.windows.net/{tenantid}/"}, "issuer_is_template"),
        ({"issuer_uri": "http://sts.reiji-lab.example/adfs/services/trust"}, "issuer_in_use"),
        ({"metadata_exchange_uri": "http://sts.fabrikam.example/m.xml"}, "metadata_exchange_uri_not_https"),
        ({"passive_sign_in_uri": "http://sts.fabrikam.example/"}, "url_not_https"),
        ({"passive_sign_in_uri": "https://fabrikam.example@evil.example/"}, "url_has_userinfo"),
        ({"passive_sign_in_uri": OTHER_ADDRESS}, "txt_record_missing"),
        ({"passive_sign_in_uri": "https://fabrikam.example.evil.example/"}, "txt_record_missing"),
        ({"passive_sign_in_uri": "https://sts.woodgrove.example/", "profile": "2020"}, "host_not_allowed"),
        ({"domain": "reiji-shop.example", "passive_sign_in_uri": "https://reiji-shop.example/"}, "domain_verified_here"),
        ({"domains": {"add": [f"eu.{DOMAIN}"]}, "profile": "2020", "passive_sign_in_uri": f"https://eu.{DOMAIN}/"}, "several_domains"),
        ({"max_changes": 0}, "max_changes"),
    ],
)  # fmt: skip
def test_refusals(run, tenant, change, rule):
    result = run(**by_hand(**change))
    assert rule in rules(result)
    assert tenant.writes() == []
    assert run(**by_hand(**change), check=True)["failure"]["code"] == "guard_refused"


def test_all_reasons_at_once(run, tenant):
    result = run(**by_hand(issuer_uri="fabrikam", passive_sign_in_uri=OTHER_ADDRESS, signing_certificate=key("old", begin=-400, end=-1).pem))
    assert rules(result) == ["certificate_expired", "issuer_not_uri", "txt_record_missing"]
    assert result["url_rule"][0]["txt_record"] == f"DirectFedAuthUrl={OTHER_ADDRESS}"


def test_a_txt_record_allows_another_address(run, tenant, dns):
    dns[DOMAIN] = ["v=spf1 -all", f"DirectFedAuthUrl={OTHER_ADDRESS}"]
    assert run(**by_hand(passive_sign_in_uri=OTHER_ADDRESS))["changed"] is True
    dns[DOMAIN] = ["DirectFedAuthUrl=https://accounts.google.com/other"]
    left = run(domain=DOMAIN, display_name="B")
    assert left["failure"]["code"] == "bad_request", "what does not change is left to the service, which checks it with every change"
    assert rules(run(domain=DOMAIN, passive_sign_in_uri=OTHER_ADDRESS + "6")) == ["txt_record_differs"]


def test_a_txt_record_of_a_real_dns_server(tenant, capsys):
    """The module and the tenant ask the same server."""
    records = {DOMAIN: ["v=spf1 -all"]}
    with dns_server.serving(records) as (address, port):
        tenant.outside.change({"dns": [address, port]})
        options = {**connection(tenant), **by_hand(passive_sign_in_uri=OTHER_ADDRESS), "dns_servers": [address], "dns_port": port}
        assert rules(run_module(capsys, MODULE, dict(options))) == ["txt_record_missing"]
        records[DOMAIN] = ["v=spf1 -all", f"directFedAuthUrl={OTHER_ADDRESS}"]
        result = run_module(capsys, MODULE, dict(options))
        assert (result["changed"], result["url_rule"][0]["rule"]) == (True, "txt_record"), result
    result = run_module(capsys, MODULE, {**options, "passive_sign_in_uri": f"{OTHER_ADDRESS}6", "dns_timeout": 1})
    assert result["failure"]["code"] == "dns_failed", "no answer is not the same as no record"


def test_a_private_key_given_by_mistake_is_shown_nowhere(run, tenant):
    mistake = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IGtleQ==\n-----END PRIVATE KEY-----"
    result = run(**by_hand(signing_certificate=mistake))
    assert result["failure"]["code"] == "private_key"
    assert "c2VjcmV0" not in json.dumps(result)


def test_what_entra_refuses_by_its_rules_of_today_is_told(run, tenant):
    """Profile 2020 lets a listed provider pass; the service no longer does."""
    result = run(**by_hand(passive_sign_in_uri=OTHER_ADDRESS, profile="2020"))
    assert result["failure"]["code"] == "bad_request"
    assert "DirectFedAuthUrl=" in result["msg"]


def test_a_domain_and_an_issuer_of_another_federation(run, tenant, federated):
    woodgrove = by_hand(domain="woodgrove.example", issuer_uri="https://woodgrove.example/", passive_sign_in_uri="https://sts.woodgrove.example/")
    assert rules(run(**{**woodgrove, "issuer_uri": made.ISSUER})) == ["issuer_in_use"]
    assert run(**woodgrove)["changed"] is True
    assert "domain_in_use" in rules(run(domain=DOMAIN, domains={"add": ["woodgrove.example"]}))


def test_the_limit_counts_internal_federations_too(run, tenant):
    table = tenant.store.tables["external_federations"]
    for number in range(996):  # and three federated root domains of the tenant's own
        item = {"id": str(number), "issuerUri": f"urn:{number}", "displayName": str(number), "domains": [{"id": f"p{number}.example"}]}
        table.replace(str(number), item, 0)
    warned = run(**by_hand(), check=True)
    assert any("999 federations of at most 1000" in text for text in warnings(warned))
    table.replace("996", {**item, "id": "996", "issuerUri": "urn:996", "domains": [{"id": "p996.example"}]}, 0)
    assert rules(run(**by_hand())) == ["limit"]
    assert tenant.writes() == []
    for number in range(897, 997):
        table.replace(str(number), None, 0)
    assert any("900 federations" in text for text in warnings(run(**by_hand(), check=True)))
    table.replace("896", None, 0)
    assert not any("federations of at most" in text for text in warnings(run(**by_hand(), check=True)))


@pytest.mark.parametrize(
    ("tenant_kind", "profile", "rule", "warning"),
    [
        ("verified", "2020", "domain_verified_elsewhere", None),
        ("verified", "current", None, "entra_redemption_order"),
        ("unmanaged", "2020", None, None),
        ("unmanaged", "current", None, None),
    ],
)
def test_a_domain_of_another_tenant(run, tenant, tenant_kind, profile, rule, warning):
    tenant.outside.tenants[DOMAIN] = tenant_kind
    result = run(**by_hand(profile=profile))
    if rule:
        assert rules(result) == [rule]
    else:
        assert result["changed"] is True, result
    assert any("another Entra tenant" in text for text in warnings(result)) is (warning is not None)


def test_an_unknown_realm_is_a_warning(run, tenant):
    tenant.faults.add(method="GET", path="/common/userrealm/.*", status=503)
    assert any("could not be looked up" in text for text in warnings(run(**by_hand(profile="2020"))))


# -- trouble


def test_a_lost_answer_is_read_back_and_never_sent_twice(run, tenant):
    tenant.faults.add(method="POST", path=CAST, drop=True, applied=True)
    result = run(**by_hand())
    assert result["changed"] is True, result
    assert [item["method"] for item in tenant.writes()] == ["POST"]
    assert len(stored(tenant)) == 1


def test_a_server_error_after_the_post_took_effect(run, tenant):
    tenant.settings.change({"visibility_delay": 0.3})
    tenant.faults.add(method="POST", path=CAST, status=500, applied=True)
    assert run(**by_hand())["changed"] is True
    assert len(tenant.writes()) == 1


def test_a_server_error_without_effect_is_a_failure(run, tenant):
    tenant.faults.add(method="POST", path=CAST, status=503, retry_after=0)
    result = run(**by_hand(), verify_timeout=1)
    assert result["failure"]["code"] == "answer_lost"
    assert result["changed"] is False
    assert len(tenant.writes()) == 1
    assert run(**by_hand())["changed"] is True


def test_a_lost_answer_for_an_added_domain(run, tenant, dns, federated):
    dns[SECOND] = [f"DirectFedAuthUrl={made.SIGN_IN}"]
    tenant.clear_requests()
    tenant.faults.add(method="POST", path=".*/domains", drop=True, applied=True)
    assert run(domain=DOMAIN, domains={"add": [SECOND]})["changed"] is True
    assert len(tenant.writes()) == 1


def test_delayed_visibility_is_waited_for(run, tenant):
    tenant.settings.change({"visibility_delay": 0.6})
    begin = time.monotonic()
    assert run(**by_hand())["changed"] is True
    assert time.monotonic() - begin >= 0.6
    assert run(domain=DOMAIN, display_name="B")["changed"] is True
    assert run(domain=DOMAIN, state="absent")["changed"] is True
    assert run(domain=DOMAIN, state="absent")["changed"] is False


def test_not_seen_is_a_failure(run, tenant):
    tenant.settings.change({"visibility_delay": 60})
    result = run(**by_hand(), verify_timeout=1)
    assert result["failure"]["code"] == "not_seen"
    assert result["applied"] == []


def test_a_conflict_is_told(run, tenant):
    tenant.faults.add(method="POST", path=CAST, status=409, code="Request_MultipleObjectsWithSameKeyValue", message="Another object with the same value.")
    result = run(**by_hand())
    assert result["failure"]["code"] == "conflict"
    assert stored(tenant) == []


def test_missing_permission_is_named(run, tenant):
    result = run(**by_hand(), app="readonly")
    assert result["failure"]["code"] == "permission_missing"
    assert "IdentityProvider.ReadWrite.All" in result["msg"]


def test_waits_until_it_is_in_effect(run, tenant, tmp_path: Path):
    progress = tmp_path / "progress.jsonl"
    begin = time.monotonic()
    run(**by_hand(wait=True, wait_seconds=1, progress_file=str(progress)))
    assert time.monotonic() - begin >= 1
    assert any("until the change is in effect" in line.get("doing", "") for line in lines(progress))
    begin = time.monotonic()
    run(domain=DOMAIN, display_name="B", wait=True, wait_seconds=30)
    assert time.monotonic() - begin < 20, "a new name is in effect at once"


def test_predictions_chain_check_mode_runs(run, tmp_path: Path):
    predictions = str(tmp_path / "predictions.jsonl")
    assert run(**by_hand(), check=True, predictions=predictions)["changed"] is True
    again = run(**by_hand(), check=True, predictions=predictions)
    assert (again["changed"], again["predicted"]) == (False, True)


# -- removal


def test_removal_lists_who_would_be_locked_out_and_is_undone(run, tenant, dns, federated, tmp_path: Path):
    dns[SECOND] = [f"DirectFedAuthUrl={made.SIGN_IN}"]
    run(domain=DOMAIN, domains={"add": [SECOND]}, display_name="Fabrikam")
    adele = guest(tenant, f"adele@{DOMAIN}", "2026-11-01T08:00:00Z")
    before = stored(tenant)[0]
    backups = tmp_path / "backups"
    both = {"domain": DOMAIN, "state": "absent", "domains": {"set": [DOMAIN, SECOND]}, "backup_dir": str(backups)}

    refused = run(domain=DOMAIN, state="absent")
    assert rules(refused) == ["more_domains", "lockout"]
    assert [(item["mail"], item["last_sign_in"]) for item in refused["locked_out"]] == [(f"adele@{DOMAIN}", "2026-11-01T08:00:00Z")]
    assert refused["last_sign_in_readable"] is True
    assert adele["userPrincipalName"] in refused["failure"]["details"]["refusals"][1]["objects"]
    assert rules(run(**both)) == ["lockout"]
    checked = run(**both, accept_lockout=True, check=True)
    assert checked["locked_out"] == refused["locked_out"]
    assert tenant.writes() == []
    assert not backups.exists()

    removed = run(**both, accept_lockout=True)
    assert removed["changed"] is True, removed
    assert removed["plan"] == checked["plan"]
    assert removed["applied"][0]["details"]["steps_done"] == [f"removed domain {SECOND}", "deleted"]
    assert stored(tenant) == []
    assert run(**both)["changed"] is False

    (file,) = backups.iterdir()
    assert str(file) == removed["applied"][0]["details"]["backup"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == removed["plan"][0]["before"]
    restored = run(domain=DOMAIN, configuration=json.loads(file.read_text()))
    assert restored["changed"] is True, restored
    after = stored(tenant)[0]
    assert {**after, "id": "", "domains": domains(tenant)} == {**before, "id": "", "domains": sorted(item["id"] for item in before["domains"])}
    assert run(domain=DOMAIN, configuration=removed["plan"][0]["before"])["changed"] is False


def test_guests_who_sign_in_otherwise_do_not_count(run, tenant, federated):
    tenant.outside.tenants[DOMAIN] = "verified"
    guest(tenant, f"by-entra@{DOMAIN}")
    pending = tenant.client().call("POST", "/invitations", {"invitedUserEmailAddress": f"late@{DOMAIN}", "inviteRedirectUrl": "https://x.example"})
    assert pending.status == 201
    result = run(domain=DOMAIN, state="absent")
    assert (result["changed"], result["locked_out"]) == (True, [])


def test_a_guest_whose_identity_names_the_domain_counts(run, tenant, federated):
    user = guest(tenant, f"adele@{DOMAIN}")
    tenant.arrange("users", user["id"], identities=[{"signInType": "federated", "issuer": DOMAIN.upper(), "issuerAssignedId": None}])
    assert rules(run(domain=DOMAIN, state="absent")) == ["lockout"]


def test_another_issuer_and_a_removed_domain_lock_out_too(run, tenant, dns, federated):
    dns[SECOND] = [f"DirectFedAuthUrl={made.SIGN_IN}"]
    run(domain=DOMAIN, domains={"add": [SECOND]})
    guest(tenant, f"adele@{DOMAIN}")
    assert rules(run(domain=DOMAIN, issuer_uri="https://new.example/idp")) == ["lockout"]
    assert run(domain=DOMAIN, domains={"remove": [SECOND]})["changed"] is True, "nobody of that domain signs in through it"
    run(domain=DOMAIN, domains={"add": [SECOND]})
    guest(tenant, f"hanako@{SECOND}")
    refused = run(domain=DOMAIN, domains={"remove": [SECOND]})
    assert rules(refused) == ["lockout"]
    assert [item["mail"] for item in refused["locked_out"]] == [f"hanako@{SECOND}"]
    assert run(domain=DOMAIN, domains={"remove": [SECOND]}, accept_lockout=True)["changed"] is True


def test_last_sign_ins_that_cannot_be_read_are_left_out(run, tenant, federated):
    guest(tenant, f"adele@{DOMAIN}")
    tenant.faults.add(method="GET", path="/v1.0/users", status=403, code="Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    result = run(domain=DOMAIN, state="absent")
    assert rules(result) == ["lockout"]
    assert result["last_sign_in_readable"] is False
    assert result["locked_out"][0]["last_sign_in"] is None


def test_a_copy_that_cannot_be_written_stops_the_removal(run, tenant, federated, tmp_path: Path):
    (tmp_path / "file").write_text("")
    tenant.clear_requests()
    result = run(domain=DOMAIN, state="absent", backup_dir=str(tmp_path / "file"))
    assert result["failure"]["code"] == "file_write_failed"
    assert tenant.writes() == []


def test_a_domain_that_graph_will_not_remove_does_not_hide_why(run, tenant, dns, federated):
    dns[SECOND] = [f"DirectFedAuthUrl={made.SIGN_IN}"]
    run(domain=DOMAIN, domains={"add": [SECOND]})
    tenant.faults.add(method="DELETE", path=".*/domains/.*", times=None, status=405, code="BadRequest", message="not allowed")
    result = run(domain=DOMAIN, state="absent", domains={"set": [DOMAIN, SECOND]})
    assert "not allowed" in result["msg"]
    assert len(stored(tenant)) == 1


# -- info


def test_info(run, tenant, federated):
    guest(tenant, f"adele@{DOMAIN}", "2026-11-01T08:00:00Z")
    found = run(INFO)
    (item,) = found["federations"]
    assert (item["domains"], item["issuer_uri"], item["protocol"]) == ([DOMAIN], made.ISSUER, "saml")
    assert item["certificate"]["base64"] == key().base64
    assert 295 <= item["days_left"] <= 300
    assert [(one["mail"], one["last_sign_in"]) for one in item["guests"]] == [(f"adele@{DOMAIN}", "2026-11-01T08:00:00Z")]
    assert item["guest_count"] == 1
    assert found["count"] == {"external": 1, "internal": 3, "limit": 1000}
    nobody = run(INFO, domains=["nobody.example"])
    assert (nobody["federations"], [one["domains"] for one in nobody["others"]]) == ([], [[DOMAIN]])
    assert run(INFO, domains=[DOMAIN])["others"] == found["others"] == []
    assert run(INFO, domains=[DOMAIN.upper()], guests=False)["federations"][0]["guests"] is None
    tenant.arrange("external_federations", item["id"], signingCertificate="not base64")
    broken = run(INFO)["federations"][0]
    assert (broken["certificate"], broken["days_left"]) == (None, None)
    assert "base64" in broken["certificate_error"]
    assert [line for line in tenant.writes() if line["method"] != "GET"] == []


def test_domains_that_are_not_inline_are_read(run, tenant, federated, monkeypatch):
    """Whether a list shows `domains` without $expand is known from an example only."""
    room = importlib.import_module(f"{ROOM}.federations.resource")
    real = room.Client.list
    monkeypatch.setattr(
        room.Client, "list", lambda self, path, **more: ({n: v for n, v in item.items() if n != "domains"} for item in real(self, path, **more))
    )
    assert run(INFO, guests=False)["federations"][0]["domains"] == [DOMAIN]


# -- redemption order


def test_redemption_order_is_set_and_put_back(run, tenant):
    order = ["externalFederation", "azureActiveDirectory", "socialIdentityProviders"]
    tenant.client().call("PATCH", "/policies/crossTenantAccessPolicy/default", {"inboundTrust": {"isMfaAccepted": True}})
    tenant.clear_requests()
    assert run("entra_redemption_order_info") | {"invocation": 0} == {
        "changed": False, "order": ["azureActiveDirectory", "externalFederation", "socialIdentityProviders"],
        "fallback": "defaultConfiguredIdp", "is_default": True, "invocation": 0,
    }  # fmt: skip
    checked = run("entra_redemption_order", order=order, check=True, diff=True)
    assert (checked["changed"], tenant.writes()) == (True, [])
    real = run("entra_redemption_order", order=order)
    assert real["plan"] == checked["plan"]
    assert run("entra_redemption_order", order=order)["changed"] is False
    changed = run("entra_redemption_order", fallback="emailOneTimePasscode")
    assert changed["plan"][0]["after"] == {"fallbackIdentityProvider": "emailOneTimePasscode"}
    found = run("entra_redemption_order_info")
    assert (found["order"], found["fallback"], found["is_default"]) == (order, "emailOneTimePasscode", False)
    assert run("entra_redemption_order", state="default")["changed"] is True
    assert run("entra_redemption_order_info")["is_default"] is True
    assert tenant.client().get("/policies/crossTenantAccessPolicy/default").data["inboundTrust"]["isMfaAccepted"] is True, "nothing else is reset"


def test_redemption_order_refusals(run, tenant):
    assert run("entra_redemption_order", order=["externalFederation"] * 2)["failure"]["code"] == "bad_option"
    assert "missing: order, fallback" in run("entra_redemption_order")["msg"]
    result = run("entra_redemption_order", fallback="microsoftAccount", app="readonly")
    assert (result["failure"]["code"], "Policy." in result["msg"]) == ("permission_missing", True)
    tenant.settings.change({"visibility_delay": 60})
    assert run("entra_redemption_order", fallback="microsoftAccount", verify_timeout=1)["failure"]["code"] == "not_seen"


# -- the whole way


def test_by_ansible_without_a_secret_in_sight(tenant, tmp_path: Path):
    options = {**connection(tenant), **by_hand(journal=str(tmp_path / "journal.jsonl"), backup_dir=str(tmp_path / "backups"))}
    secret = options["client_secret"]
    checked, printed = ansible(MODULE, dict(options), "--check", "--diff", "-vvv")
    assert (checked["changed"], tenant.writes()) == (True, [])
    assert secret not in printed
    real, printed = ansible(MODULE, dict(options), "--diff", "-vvv")
    assert real["changed"] is True
    assert secret not in printed + (tmp_path / "journal.jsonl").read_text()
    assert ansible(MODULE, dict(options))[0]["changed"] is False


def test_a_playbook_there_and_back(tenant, tmp_path: Path):
    metadata = tmp_path / "metadata.xml"
    metadata.write_text(made.entity(made.saml_role(made.key_descriptor(key())), made.wsfed_role(made.key_descriptor(key()))))
    shown = {name: value for name, value in connection(tenant).items() if name != "client_secret"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/offboard.iij_id.entra": shown},
        "tasks": [
            {"offboard.iij_id.entra_redemption_order": {"order": ["externalFederation", "azureActiveDirectory", "socialIdentityProviders"]}},
            {"offboard.iij_id.entra_external_federation": {"domain": DOMAIN, "protocol": "WsFed", "metadata": {"path": str(metadata)}}},
            {"offboard.iij_id.entra_external_federation_info": {"domains": [DOMAIN]}, "register": "found"},
            {"ansible.builtin.assert": {"that": ["found.federations[0].protocol == 'wsFed'", "found.federations[0].days_left > 200"]}},
            {"offboard.iij_id.entra_external_federation": {"domain": DOMAIN, "state": "absent"}, "register": "removed"},
            {"offboard.iij_id.entra_external_federation": {"domain": DOMAIN, "configuration": "{{ removed.plan[0].before }}"}},
        ],
    }
    book = tmp_path / "play.yml"
    book.write_text(yaml.safe_dump([play], sort_keys=False))
    environment = {**os.environ, "AZURE_CLIENT_SECRET": tenant.credentials()["client_secret"], "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false"}
    done = subprocess.run(["ansible-playbook", str(book)], capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=4" in done.stdout
    assert stored(tenant)[0]["preferredAuthenticationProtocol"] == "wsFed"
