# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata and tokens of identity providers that really run: samlp and wsfed of npm, and simpleSAMLphp with its adfs module."""

from __future__ import annotations

import base64
import datetime
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import certificates, fetch, metadata, token, url_rule
from dev import environment
from dev.say import Failure
from lab import paths
from lab.identity_providers import part
from lab.identity_providers.browser import Browser

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("identity_providers")]

NAMES = sorted(part.METADATA)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def provider(name: str) -> tuple[metadata.Entity, metadata.Protocol]:
    """The identity provider as its metadata describes it now, and its one role."""
    entity = metadata.choose(metadata.read(fetch.fetch(part.METADATA[name], ca_file=str(paths.ca_file())), now()))
    return entity, next(iter(entity.protocols.values()))


def sign_in(name: str, role: metadata.Protocol) -> bytes:
    browser = Browser()
    return (browser.saml if name.endswith("saml") else browser.wsfed)(role.passive_sign_in_uri).encode()


def active(role: metadata.Protocol) -> certificates.Certificate:
    return next(one for one in role.signing_certificates if one.sha256 == role.active_certificate_sha256)


def check(name: str, entity: metadata.Entity, pinned: certificates.Certificate, answer: bytes | None = None) -> token.Result:
    role = next(iter(entity.protocols.values()))
    federation = token.Federation(entity.entity_id, [pinned], [part.AUDIENCE], ["fabrikam.example"])
    return token.check(answer or sign_in(name, role), federation, now())


def faults(result: token.Result) -> list[tuple[str, str]]:
    return [(item.check, item.aadsts) for item in result.checks if not item.ok]


@pytest.mark.parametrize("stage", ["a", "ab", "b"])
@pytest.mark.parametrize("name", NAMES)
def test_the_active_certificate_signs_at_every_stage_of_a_rollover(name: str, stage: str) -> None:
    part.behave(stage=stage)
    entity, role = provider(name)
    assert active(role).sha256 == certificates.from_text(part.certificate("b" if stage == "b" else "a")).sha256
    if name.startswith("contoso"):
        assert role.active_certificate_basis == "metadata_signature"
        if stage == "ab":  # the trap: the new certificate comes first, and signs nothing yet
            assert role.signing_certificates[0].sha256 != role.active_certificate_sha256
    result = check(name, entity, active(role))
    assert result.valid, [item for item in result.checks if not item.ok]


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_that_was_not_changed_after_the_rollover(name: str) -> None:
    entity, role = provider(name)
    before = active(role)
    part.behave(stage="b")
    assert faults(check(name, entity, before)) == [("signature", "AADSTS5000811")]


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_that_was_changed_too_early(name: str) -> None:
    part.behave(stage="ab")
    entity, _ = provider(name)
    assert faults(check(name, entity, certificates.from_text(part.certificate("b")))) == [("signature", "AADSTS5000811")]


@pytest.mark.parametrize(
    ("behaviour", "names", "expected"),
    [
        ({"mail": ""}, NAMES, ("emailaddress", "AADSTS5000819")),
        ({"mail": "adele@other.example"}, NAMES, ("emailaddress", "AADSTS5000819")),
        ({"immutable_id": ""}, ["contoso_wsfed", "fabrikam_wsfed"], ("immutable_id", "AADSTS90020")),
        ({"saml_issuer": "https://sts.fabrikam.example/other"}, ["fabrikam_saml"], ("issuer", "AADSTS50107")),
        ({"wsfed_issuer": "http://sts.fabrikam.example/other"}, ["fabrikam_wsfed"], ("issuer", "AADSTS50107")),
        ({"name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, ["fabrikam_saml", "contoso_saml"], ("name_id", "AADSTS500089")),
    ],
)
def test_misconfigured_providers_give_the_right_code(behaviour: dict[str, str], names: list[str], expected: tuple[str, str]) -> None:
    for name in names:
        part.behave()
        entity, role = provider(name)
        part.behave(**behaviour)
        assert expected in faults(check(name, entity, active(role))), name


@pytest.mark.parametrize("name", NAMES)
def test_the_url_rule_with_their_addresses(name: str) -> None:
    _, role = provider(name)
    own, other = ("fabrikam.example", "contoso.example") if name.startswith("fabrikam") else ("contoso.example", "fabrikam.example")
    assert url_rule.check(own, role.passive_sign_in_uri).rule == "sub_host"
    assert url_rule.check(other, role.passive_sign_in_uri, "current", lambda _name: []).rule == "txt_record_missing"


#: OneLogin's toolkit as a service provider in Entra's place
TOOLKIT = """
import json, sys
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
given = json.load(sys.stdin)
idp = {"entityId": given["issuer"], "x509cert": given["certificate"], "singleSignOnService": {"url": "https://idp.example/"}}
sp = {"entityId": given["audience"], "assertionConsumerService": {"url": "https://login.microsoftonline.com/login.srf"}}
settings = OneLogin_Saml2_Settings({"strict": True, "idp": idp, "sp": sp, "security": {"wantAssertionsSigned": True}})
response = OneLogin_Saml2_Response(settings, given["response"])
where = {"https": "on", "http_host": "login.microsoftonline.com", "script_name": "/login.srf", "get_data": {}, "post_data": {}}
valid = response.is_valid(where)
print(json.dumps({"valid": valid, "error": response.get_error(), "claims": response.get_attributes() if valid else {},
                  "name_id_format": response.get_nameid_format() if valid else ""}))
"""


@pytest.fixture(scope="module")
def toolkit() -> Path:
    try:
        return environment.python3_saml() / "bin" / "python"
    except Failure as failure:
        pytest.skip(f"python3-saml cannot be installed here: {failure}")


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("saml")])
def test_python3_saml_takes_what_they_issue_and_agrees_with_us(name: str, toolkit: Path) -> None:
    """Somebody else's reader: what the lab's providers send is SAML, and not only what our own reader takes for it."""
    entity, role = provider(name)
    pinned = active(role)
    form = sign_in(name, role)
    xml = token.captured.decode(form, token.MAX_BYTES)

    def judged(data: bytes, certificate: str = pinned.base64) -> dict[str, Any]:
        given = {"issuer": entity.entity_id, "certificate": certificate, "audience": part.AUDIENCE, "response": base64.b64encode(data).decode()}
        done = subprocess.run([toolkit, "-c", TOOLKIT], input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    found, ours = judged(xml), check(name, entity, pinned, form)
    assert (found["valid"], found["error"]) == (True, None)
    assert ours.valid and (found["name_id_format"], sorted(found["claims"])) == (ours.name_id_format, sorted(ours.claims))
    altered = re.sub(rb"adele@fabrikam", b"eve@fabrikam", xml)
    assert altered != xml
    for data, certificate in ((altered, pinned.base64), (xml, certificates.from_text(part.certificate("b")).base64)):
        assert judged(data, certificate)["valid"] is False
        assert not check(name, entity, certificates.from_base64(certificate), data).valid
