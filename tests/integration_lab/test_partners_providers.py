# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole life of a federation with identity providers that really run: made from their metadata address, signed in, rolled over, renewed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common import warnings as ansible_warnings
from lab import paths
from lab.identity_providers import part
from lab.identity_providers.browser import Browser
from lab.testing import RunningTenant

from .entra import connection, run_module
from .test_entra_external_federation import guest, stored
from .test_entra_guest_federation import dns, play  # noqa: F401 - fixtures

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("identity_providers")]

Run = Callable[..., dict[str, Any]]
#: provider: its domain, and its protocol in Graph's name
PROVIDERS = {
    "fabrikam_saml": ("fabrikam.example", "saml"),
    "fabrikam_wsfed": ("fabrikam.example", "wsFed"),
    "contoso_saml": ("contoso.example", "saml"),
    "contoso_wsfed": ("contoso.example", "wsFed"),
}


class Partner:
    """One provider, and what our modules say of it."""

    def __init__(self, name: str, run: Run) -> None:
        self.name, self._run = name, run
        self.domain, self.protocol = PROVIDERS[name]
        self.behave()

    def behave(self, **changes: str) -> None:
        part.behave(**{"mail": f"adele@{self.domain}", **changes})

    @property
    def entry(self) -> dict[str, Any]:
        """The partner in a list of the role guest_federation."""
        return {"name": self.name, "domains": [self.domain], "metadata": {"url": part.METADATA[self.name], "ca_file": str(paths.ca_file())}}

    def federate(self, **options: Any) -> dict[str, Any]:
        return self._run("entra_external_federation", domain=self.domain, metadata=self.entry["metadata"], **options)

    def federate_without_metadata(self, **options: Any) -> dict[str, Any]:
        return self._run("entra_external_federation", domain=self.domain, **options)

    def sign_in(self) -> str:
        """The answer of the provider to a request of Entra's, at the address that the federation has."""
        browser = Browser()
        address = self.configured()["passive_sign_in_uri"]
        return browser.saml(address) if self.protocol == "saml" else browser.wsfed(address)

    def configured(self) -> dict[str, Any]:
        (found,) = self._run("entra_external_federation_info", domains=[self.domain], guests=False)["federations"]
        return found

    def token(self, answer: str | None = None) -> dict[str, Any]:
        """Whether Entra would take it, with what it holds now."""
        held = self.configured()
        return self._run(
            "federation_token_info",
            content=answer or self.sign_in(),
            issuer_uri=held["issuer_uri"],
            signing_certificates=[held["configuration"]["signingCertificate"]],
            domains=held["domains"],
        )

    def faults(self) -> list[str]:
        return [item["aadsts"] for item in self.token()["checks"] if not item["ok"]]

    def watch(self) -> tuple[str, str]:
        (entry,) = self._run("entra_federation_certificate_info", domains=[self.domain], metadata_ca_file=str(paths.ca_file()))["federations"]
        return entry["state"], entry["severity"]

    def renew(self, **options: Any) -> dict[str, Any]:
        options = {"apply": "when_active", "domains": [self.domain], "metadata_ca_file": str(paths.ca_file()), **options}
        return self._run("entra_federation_certificate", **options)


@pytest.fixture
def run(tenant: RunningTenant, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(module: str, **options: Any) -> dict[str, Any]:
        ansible_warnings._global_warnings.clear()
        given = {"tenant_id": tenant.tenant_id} if module.startswith("federation_") else connection(tenant)
        result = run_module(capsys, module, {**given, **options})
        assert not result.get("failed"), result
        return result

    return run


@pytest.fixture(params=sorted(PROVIDERS))
def partner(request: pytest.FixtureRequest, run: Run) -> Partner:
    return Partner(request.param, run)


def test_a_federation_from_its_metadata_address_through_a_rollover(partner: Partner, tenant: RunningTenant) -> None:
    made = partner.federate(display_name=partner.name)
    assert made["url_rule"][0]["rule"] == "sub_host"
    (item,) = stored(tenant)
    assert (item["preferredAuthenticationProtocol"], item["metadataExchangeUri"]) == (partner.protocol, part.METADATA[partner.name])
    assert partner.federate()["changed"] is False
    assert partner.token()["valid"] is True
    assert partner.watch() == ("in_step", "ok")

    partner.behave(stage="ab")  # npm's packages publish one key at a time; simpleSAMLphp lists the new one first, and signs with the old one
    assert partner.watch() == (("successor_published", "warning") if partner.name.startswith("contoso") else ("in_step", "ok"))
    assert partner.token()["valid"] is True
    tenant.clear_requests()
    assert partner.renew()["changed"] is False
    assert partner.renew(apply="when_published")["changed"] is False
    assert partner.federate()["changed"] is False
    assert tenant.writes() == []

    partner.behave(stage="b")
    assert partner.watch() == ("configured_not_published", "critical")
    assert partner.faults() == ["AADSTS5000811"]
    refused = partner.renew()  # unsigned, or the new key vouches for itself only, as somebody's would who took the address over
    assert [one["code"] for one in refused["skipped_objects"]] == ["metadata_not_vouched"]
    assert tenant.writes() == []
    assert partner.renew(trust_metadata_tls=[partner.domain])["changed"] is True
    assert [one["method"] for one in tenant.writes()] == ["PATCH"]
    assert stored(tenant)[0] == {**item, "signingCertificate": stored(tenant)[0]["signingCertificate"]}, "nothing but the certificate"
    assert partner.watch() == ("in_step", "ok")
    assert partner.token()["valid"] is True
    assert partner.renew()["changed"] is False


def test_a_certificate_that_is_renewed_too_early_locks_everybody_out(partner: Partner) -> None:
    """Why a successor of a partner is never written ahead of time."""
    partner.federate()
    partner.behave(stage="ab")
    assert partner.federate_without_metadata(signing_certificate=part.certificate("b"))["changed"] is True
    assert partner.faults() == ["AADSTS5000811"]
    expected = "configured_not_active" if partner.name.startswith("contoso") else "configured_not_published"
    assert partner.watch() == (expected, "critical")
    assert partner.renew(trust_metadata_tls=[partner.domain])["changed"] is True, "the key that signs is put back"
    assert partner.token()["valid"] is True


MISCONFIGURED = [
    ({"mail": ""}, PROVIDERS, "AADSTS5000819"),
    ({"mail": "adele@elsewhere.example"}, PROVIDERS, "AADSTS5000819"),
    ({"immutable_id": ""}, ["contoso_wsfed", "fabrikam_wsfed"], "AADSTS90020"),
    ({"saml_issuer": "https://sts.fabrikam.example/another"}, ["fabrikam_saml"], "AADSTS50107"),
    ({"wsfed_issuer": "http://sts.fabrikam.example/another"}, ["fabrikam_wsfed"], "AADSTS50107"),
    ({"name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, ["contoso_saml", "fabrikam_saml"], "AADSTS500089"),
]


def test_misconfigured_providers_give_the_error_that_a_guest_would_see(partner: Partner) -> None:
    partner.federate()
    assert partner.faults() == []
    for behaviour, names, error in MISCONFIGURED:
        if partner.name in names:
            partner.behave(**behaviour)
            assert set(partner.faults()) == {error}, behaviour
            assert "adele" not in str(partner.token()["checks"])


def test_another_issuer_at_the_metadata_address_is_never_applied(partner: Partner, tenant: RunningTenant) -> None:
    if not partner.name.startswith("fabrikam"):
        partner.federate()
        tenant.arrange("external_federations", stored(tenant)[0]["id"], issuerUri="https://sso.contoso.example/before")
    else:
        partner.federate()
        partner.behave(stage="b", saml_issuer="https://sts.fabrikam.example/new", wsfed_issuer="http://sts.fabrikam.example/new")
    tenant.clear_requests()
    assert partner.watch() == ("drift", "unknown")
    assert partner.renew(apply="when_published", trust_metadata_tls=[partner.domain])["changed"] is False
    assert tenant.writes() == []


def test_guests_behind_a_provider_are_not_locked_out_without_a_word(partner: Partner, tenant: RunningTenant, capsys: pytest.CaptureFixture[str]) -> None:
    partner.federate()
    guest(tenant, f"adele@{partner.domain}")
    options = {**connection(tenant), "domain": partner.domain, "state": "absent"}
    refused = run_module(capsys, "entra_external_federation", options)
    assert [one["rule"] for one in refused["failure"]["details"]["refusals"]] == ["lockout"]
    assert run_module(capsys, "entra_external_federation", {**options, "accept_lockout": True})["changed"] is True


def test_the_role_with_both_companies_and_captured_answers(play, run: Run, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    companies = [Partner(name, run) for name in ("fabrikam_wsfed", "contoso_saml")]
    entries = []
    for company in companies:
        company.behave()
        entries.append(company.entry)
    play(entries).good()
    for company, entry in zip(companies, entries, strict=True):
        company.behave()
        file = tmp_path / f"{company.name}.captured"
        file.write_text(company.sign_in())
        entry["token"] = str(file)
    play(entries).good(changed=0)
