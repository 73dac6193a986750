# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a federation shall be, what changes, and what is refused: tables over the pure part."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federations import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federations.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federations.realm import Realm
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guest import Guest, behind, guest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.redemption_order.plan import DEFAULT, plan_order
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import metadata
from dev.options import given
from lab.identity_providers import made

A, B = made.key("A"), made.key("B")
DOMAIN = "fabrikam.example"


def federation(key: str = "f1", *domains: str, **more: Any) -> Object:
    return plan.federation(
        {
            "id": key,
            "displayName": "Fabrikam",
            "issuerUri": made.ISSUER,
            "passiveSignInUri": made.SIGN_IN,
            "metadataExchangeUri": None,
            "preferredAuthenticationProtocol": "saml",
            "signingCertificate": A.base64,
            "domains": [{"id": name} for name in domains or (DOMAIN,)],
            **more,
        }
    )


def wanted(document: str | None = None, **options: Any) -> plan.WantedFederation:
    read = None if document is None else metadata.read(document.encode(), made.NOW)
    if document is not None:
        options = {"metadata": {"content": document}, **options}
    return Options.of(given("entra_external_federation", **{"domain": DOMAIN, **options})).wanted(read)


def changes(current: list[Object], want: plan.WantedFederation) -> list[Change]:
    return list(plan.plan_federation(current, want).changes)


@pytest.mark.parametrize(("name", "other"), [("Fabri\u212aam.example", "fabrikam.example"), ("stra\u00dfe.example", "strasse.example")])
def test_a_domain_is_no_other_that_looks_alike(name: str, other: str) -> None:
    assert plan.holder([federation("f1", name)], other) is None
    assert plan.holder([federation("f1", "Fabrikam.Example")], "fabrikam.example") is not None


NEW = {"issuer_uri": made.ISSUER, "passive_sign_in_uri": made.SIGN_IN, "signing_certificate": A.pem, "protocol": "Samlp"}


@pytest.mark.parametrize(
    ("current", "options", "action", "after"),
    [
        ([], NEW, "create", {"displayName": DOMAIN, "preferredAuthenticationProtocol": "saml", "domains": [DOMAIN], "metadataExchangeUri": None}),
        ([], {**NEW, "domain": " Fabrikam.Example. "}, "create", {"domains": [DOMAIN]}),
        ([], {**NEW, "domain": "例え.jp"}, "create", {"domains": ["xn--r8jz45g.jp"]}),
        ([], {**NEW, "domains": {"add": ["b.example"], "set": [DOMAIN]}}, "create", {"domains": ["b.example", DOMAIN]}),
        ([], {**NEW, "configuration": {"displayName": "Saved", "domains": [DOMAIN, "b.example"]}}, "create",
         {"displayName": "Saved", "domains": ["b.example", DOMAIN]}),
        ([federation()], NEW, None, {}),
        ([federation()], {"issuer_uri": f"  {made.ISSUER} "}, None, {}),
        ([federation()], {"signing_certificate": f"{A.base64[:64]}\n{A.base64[64:]}"}, None, {}),
        ([federation(preferredAuthenticationProtocol="WsFed")], {"protocol": "wsfed"}, None, {}),
        ([federation("f1", DOMAIN, "B.example")], {}, None, {}),
        ([federation("f1", DOMAIN, "b.example")], {"domains": {"set": ["b.example", DOMAIN]}}, None, {}),
        ([federation()], {"signing_certificate": B.pem}, "update", {"signingCertificate": B.base64}),
        ([federation()], {"display_name": "X"}, "update", {"displayName": "X"}),
        ([federation("f1", DOMAIN, "b.example")], {"domains": {"remove": ["B.Example"]}}, "update", {"domains": [DOMAIN]}),
        ([federation()], {"configuration": {"issuerUri": "urn:old", "domains": [{"id": DOMAIN}, {"id": "b.example"}]}}, "update",
         {"issuerUri": "urn:old", "domains": ["b.example", DOMAIN]}),
        ([federation()], {"configuration": {"issuerUri": "urn:old"}, "issuer_uri": "urn:hand"}, "update", {"issuerUri": "urn:hand"}),
        ([federation()], {"configuration": {"id": "f0", "displayName": "Fabrikam"}}, None, {}),
        ([federation(metadataExchangeUri="https://m.example/")], {"metadata_exchange_uri": ""}, "update", {"metadataExchangeUri": None}),
        ([federation(metadataExchangeUri="https://m.example/")], {"configuration": {"metadataExchangeUri": None}}, "update", {"metadataExchangeUri": None}),
        ([federation()], {"state": "absent"}, "delete", None),
        ([federation("f1", "b.example")], {"state": "absent"}, None, {}),
        ([], {"state": "absent"}, None, {}),
    ],
)  # fmt: skip
def test_plan(current: list[Object], options: dict[str, Any], action: str | None, after: dict[str, Any] | None) -> None:
    made_changes = changes(current, wanted(**options))
    assert [change.action for change in made_changes] == ([action] if action else [])
    if action == "create":
        assert {name: made_changes[0].after[name] for name in after} == after
        assert made_changes[0].before is None
    elif action == "update":
        assert made_changes[0].after == after
        assert set(made_changes[0].before) == set(after)
    elif action == "delete":
        assert made_changes[0].after is None
        assert made_changes[0].before == {"id": "f1", **current[0].state}


def test_the_saved_copy_of_a_removal_makes_the_same_federation() -> None:
    current = federation("f1", DOMAIN, "b.example", metadataExchangeUri="https://m.example/")
    (removal,) = changes([current], wanted(state="absent"))
    (restored,) = changes([], wanted(configuration=removal.before))
    assert restored.after == current.state


def test_several_federations_with_one_domain_are_no_guess() -> None:
    with pytest.raises(OffboardError, match="2 federations serve"):
        changes([federation("f1"), federation("f2")], wanted())


SAML, BOTH = made.entity(made.saml_role(made.key_descriptor(A))), made.entity(made.saml_role(made.key_descriptor(A)), made.wsfed_role(made.key_descriptor(A)))
ROLLING = made.entity(made.saml_role(made.key_descriptor(B) + made.key_descriptor(A)))


@pytest.mark.parametrize(
    ("document", "current", "options", "expected"),
    [
        (SAML, {}, {}, {"issuerUri": made.ISSUER, "passiveSignInUri": made.SIGN_IN, "preferredAuthenticationProtocol": "saml", "signingCertificate": A.base64}),
        (SAML, {}, {"issuer_uri": "urn:hand", "signing_certificate": B.pem}, {"issuerUri": "urn:hand", "signingCertificate": B.base64}),
        (SAML, {}, {"metadata": {"url": "https://m.example/"}}, {"metadataExchangeUri": "https://m.example/"}),
        (SAML, {}, {"metadata": {"url": "https://m.example/"}, "metadata_exchange_uri": "https://n.example/"}, {"metadataExchangeUri": "https://n.example/"}),
        (BOTH, {}, {"protocol": "wsFed"}, {"preferredAuthenticationProtocol": "wsFed"}),
        (BOTH, {"preferredAuthenticationProtocol": "wsFed"}, {}, {"preferredAuthenticationProtocol": "wsFed"}),
        (BOTH, {}, {}, "protocol_needed"),
        (SAML, {}, {"protocol": "wsFed"}, "protocol_not_offered"),
        (SAML, {"preferredAuthenticationProtocol": "wsFed"}, {}, {"preferredAuthenticationProtocol": "saml"}),
        (ROLLING, {}, {}, "active_certificate_unknown"),
        (ROLLING, {"signingCertificate": A.base64}, {}, {"signingCertificate": A.base64}),
        (ROLLING, {"signingCertificate": B.base64}, {}, {"signingCertificate": B.base64}),
        (ROLLING, {"signingCertificate": made.key("C").base64}, {}, "active_certificate_unknown"),
    ],
)  # fmt: skip
def test_settings_from_metadata(document: str, current: dict[str, Any], options: dict[str, Any], expected: dict[str, Any] | str) -> None:
    want = wanted(document, **options)
    if isinstance(expected, str):
        with pytest.raises(OffboardError) as raised:
            plan.settings_of(want, current)
        assert raised.value.code == expected
    else:
        settings = plan.settings_of(want, current)
        assert {name: settings[name] for name in expected} == expected


# -- checks

NOW = made.NOW
CONTEXT: dict[str, Any] = {"now": NOW, "lookup": lambda name: {"txt.example": [f"DirectFedAuthUrl={made.SIGN_IN}"]}.get(name, [])}


def found(current: list[Object], options: dict[str, Any], **context: Any) -> plan.FederationObjections:
    (change,) = changes(current, wanted(**options))
    return plan.check(change, current, plan.FederationContext(**{**CONTEXT, **context}))


@pytest.mark.parametrize(
    ("options", "context", "rules"),
    [
        ({}, {}, []),
        ({"signing_certificate": made.key("old", begin=-9, end=-1).pem}, {}, ["certificate_expired"]),
        ({"signing_certificate": made.key("new", begin=1).pem}, {}, ["certificate_not_yet_valid"]),
        ({"signing_certificate": made.key("weak", bits=1024).pem}, {}, ["key_weak"]),
        ({"signing_certificate": made.key("curve", curve=True).pem}, {}, ["key_not_rsa"]),
        ({"issuer_uri": "fabrikam"}, {}, ["issuer_not_uri"]),
        ({"issuer_uri": "https://fabrikam .example/"}, {}, ["issuer_not_uri"]),
        ({"issuer_uri": "https://fabrikam.example/<id>"}, {}, ["issuer_not_uri"]),
        ({"issuer_uri": "urn:x:" + "y" * 1024}, {}, ["issuer_not_uri"]),
        ({"issuer_uri": "https://sts.windows.net/{tenantid}/"}, {}, ["issuer_is_template"]),
        ({}, {"internal": {"reiji.example": made.ISSUER}}, ["issuer_in_use"]),
        ({}, {"own_domains": {DOMAIN}}, ["domain_verified_here"]),
        ({}, {"own_domains": {"example-own.test"}}, []),
        ({"domain": "txt.example"}, {}, []),
        ({"domain": "other.example"}, {}, ["txt_record_missing"]),
        ({"domain": "other.example"}, {"profile": "2020"}, ["host_not_allowed"]),
        ({"domain": "other.example", "passive_sign_in_uri": "https://other.okta.com/app/sso"}, {"profile": "2020"}, []),
        ({"domains": {"add": [f"eu.{DOMAIN}"]}, "passive_sign_in_uri": f"https://sts.eu.{DOMAIN}/"}, {}, []),
        ({"domains": {"add": [f"eu.{DOMAIN}"]}, "passive_sign_in_uri": f"https://sts.eu.{DOMAIN}/"}, {"profile": "2020"}, ["several_domains"]),
        ({}, {"realms": {DOMAIN: Realm("Managed")}, "profile": "2020"}, ["domain_verified_elsewhere"]),
        ({}, {"realms": {DOMAIN: Realm("Federated")}, "profile": "2020"}, ["domain_verified_elsewhere"]),
        ({}, {"realms": {DOMAIN: Realm("Managed", unmanaged=True)}, "profile": "2020"}, []),
        ({}, {"realms": {DOMAIN: Realm("Unknown")}, "profile": "2020"}, []),
        ({}, {"realms": {DOMAIN: Realm("Managed")}}, []),
        ({}, {"internal": {f"d{number}.example": "" for number in range(999)}}, []),
        ({}, {"internal": {f"d{number}.example": "" for number in range(1000)}}, ["limit"]),
        ({"metadata_exchange_uri": "http://m.example/"}, {}, ["metadata_exchange_uri_not_https"]),
        ({"metadata_exchange_uri": "https://a:b@m.example/"}, {}, ["metadata_exchange_uri_not_https"]),
        ({"metadata_exchange_uri": "https://m example/"}, {}, ["metadata_exchange_uri_not_https"]),
        ({"metadata_exchange_uri": "https://"}, {}, ["metadata_exchange_uri_not_https"]),
        ({"metadata_exchange_uri": "https://[2001:db8::1]:8443/m"}, {}, []),
        ({"passive_sign_in_uri": "http://sts.fabrikam.example/", "issuer_uri": "x"}, {}, ["issuer_not_uri", "url_not_https"]),
    ],
)  # fmt: skip
def test_checks_of_a_new_federation(options: dict[str, Any], context: dict[str, Any], rules: list[str]) -> None:
    assert [item.rule for item in found([], {**NEW, **options}, **context).refusals] == rules


@pytest.mark.parametrize(
    ("options", "context", "word"),
    [
        ({}, {}, "cannot renew the signing certificate"),
        ({"signing_certificate": made.key("near", end=10).pem}, {}, "expires in 10 days"),
        ({"metadata_exchange_uri": "https://sts.fabrikam.example/adfs/services/trust/mex"}, {}, "WS-Trust"),
        ({"metadata_exchange_uri": "https://sts.fabrikam.example/adfs/services/trust/MEX?wsdl"}, {}, "WS-Trust"),
        ({}, {"realms": {DOMAIN: Realm("Managed")}}, "redemption order"),
        ({}, {"realms": {DOMAIN: None}}, "could not be looked up"),
        ({}, {"own_domains": {"example"}}, "lies below"),
        ({}, {"internal": {f"d{number}.example": "" for number in range(900)}}, "900 federations of at most 1000"),
        ({}, {}, "5 to 10 minutes"),
    ],
)
def test_warnings(options: dict[str, Any], context: dict[str, Any], word: str) -> None:
    assert any(word in text for text in found([], {**NEW, **options}, **context).warnings)


def test_what_does_not_change_is_not_checked() -> None:
    expired = federation(signingCertificate=made.key("old", begin=-9, end=-1).base64, passiveSignInUri="https://elsewhere.example/", issuerUri="odd")
    findings = found([expired], {"display_name": "X"})
    assert (findings.refusals, findings.warnings, findings.url_rule) == ([], [], [])


def test_a_domain_of_another_federation() -> None:
    others = [federation(), federation("f2", "b.fabrikam.example", issuerUri="urn:b")]
    assert [item.rule for item in found(others, {"domains": {"add": ["b.fabrikam.example"]}}).refusals] == ["domain_in_use", "txt_record_missing"]


# -- guests


def a_guest(mail: str, *issuers: str) -> Guest:
    identities = [{"signInType": "federated", "issuer": name, "issuerAssignedId": None} for name in issuers]
    return guest({"id": mail, "userPrincipalName": f"{mail.replace('@', '_')}#EXT#@x", "mail": mail, "accountEnabled": True, "identities": identities})


GUESTS = [
    a_guest(f"a@{DOMAIN}", made.ISSUER),
    a_guest("b@b.example", made.ISSUER.upper()),
    a_guest(f"c@{DOMAIN}", "ExternalAzureAD"),
    a_guest(f"d@{DOMAIN}"),
    a_guest("e@b.example", "B.example"),
    a_guest("f@other.example", "https://other.example/"),
]


@pytest.mark.parametrize(
    ("options", "locked"),
    [
        ({"state": "absent"}, "abe"),
        ({"issuer_uri": "urn:new"}, "abe"),
        ({"domains": {"remove": ["b.example"]}}, "be"),
        ({"domains": {"set": [DOMAIN]}}, "be"),
        ({"domains": {"remove": ["b.example"]}, "issuer_uri": "urn:new"}, "abe"),
        ({"display_name": "X"}, ""),
        ({"signing_certificate": B.pem}, ""),
        ({"domains": {"add": ["sts.fabrikam.example"]}}, ""),
    ],
)
def test_who_is_locked_out(options: dict[str, Any], locked: str) -> None:
    current = federation("f1", DOMAIN, "b.example")
    (change,) = changes([current], wanted(**options))
    assert plan.may_lock_out(change) is bool(locked)
    if locked:
        assert "".join(item.id[0] for item in plan.locked_out(change, current.state, GUESTS)) == locked
        confirmed = current.state["domains"]
        refused = found([current], options, guests=GUESTS, confirmed=confirmed).refusals
        assert [item.rule for item in refused if item.rule == "lockout"] == ["lockout"]
        assert not [item for item in found([current], options, guests=GUESTS, confirmed=confirmed, accept_lockout=True).refusals if item.rule == "lockout"]


def test_a_removal_confirms_all_domains() -> None:
    current = [federation("f1", DOMAIN, "b.example")]
    assert [item.rule for item in found(current, {"state": "absent"}, confirmed=[DOMAIN]).refusals] == ["more_domains"]
    assert found(current, {"state": "absent"}, confirmed=[DOMAIN, "b.example"]).refusals == []


def test_no_issuer_matches_nobody() -> None:
    assert behind([a_guest("g@x.example", "")], "", []) == []


def test_a_guest_without_mail() -> None:
    item = guest({"id": "1", "otherMails": ["Only@Other.example"], "signInActivity": {"lastSignInDateTime": "2026-01-01T00:00:00Z"}})
    assert (item.mail, item.domain, item.last_sign_in, item.enabled, item.issuers) == ("Only@Other.example", "other.example", "2026-01-01T00:00:00Z", False, ())


# -- redemption order


@pytest.mark.parametrize(
    ("state", "order", "fallback", "after"),
    [
        ("present", None, "defaultConfiguredIdp", None),
        ("present", ["externalFederation"], None, {"primaryIdentityProviderPrecedenceOrder": ["externalFederation"]}),
        ("present", None, "microsoftAccount", {"fallbackIdentityProvider": "microsoftAccount"}),
        ("default", None, None, None),
    ],
)  # fmt: skip
def test_order(state: str, order: list[str] | None, fallback: str | None, after: dict[str, Any] | None) -> None:
    current = Object("redemption_order", "default", "redemption order", dict(DEFAULT))
    made_plan = plan_order(current, state, order, fallback)
    assert [change.after for change in made_plan.changes] == ([after] if after else [])


def test_days_left_are_whole_days() -> None:
    certificate = plan.certificates.from_base64(A.base64)
    assert plan.days_left(certificate, NOW) == 300
    assert plan.days_left(certificate, NOW + datetime.timedelta(days=300, seconds=1)) == -1


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("mail.fabrikam.example", True),
        ("fabrlkam.example", True),
        ("fabrikma.example", True),
        ("contoso.example", False),
        (DOMAIN, False),
    ],
)
def test_a_domain_that_is_nearly_a_federations_is_told_when_nothing_is_removed(typed: str, told: bool) -> None:
    """Both may have one of their own, so it is no error."""
    made = plan.plan_federation([federation(), federation("f2", "adatum.example")], wanted(domain=typed, state="absent"))
    assert (len(made.changes), any(DOMAIN in text for text in made.warnings)) == (int(typed == DOMAIN), told)
