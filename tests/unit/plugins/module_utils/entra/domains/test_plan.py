# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans and guards of domains, as tables."""

from __future__ import annotations

import base64
import datetime

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object
from ansible_collections.offboard.iij_id.plugins.module_utils._core.predict import Predictions
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.domains.plan import (
    CONVERT,
    KIND,
    Administrator,
    DomainContext,
    affected,
    authentication_of,
    guard_domains,
    identified_by,
    not_managed,
    plan_domains,
    root_of,
    upn_domain,
    writable,
)
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.domains.read import predicted
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.domains.resource import Domains
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dev.options import given

NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)


def certificate(days: int = 100) -> str:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signing")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(NOW - datetime.timedelta(days=1000)).not_valid_after(NOW + datetime.timedelta(days=days))
    return base64.b64encode(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)).decode()


IIJ = {
    "id": "1",
    "displayName": "IIJ ID",
    "issuerUri": "https://www.auth.iij.jp/saml/a.example/idp",
    "passiveSignInUri": "https://www.auth.iij.jp/saml/a.example/sso",
    "signingCertificate": certificate(),
}
OTHER = {**IIJ, "issuerUri": "http://sts.b.example/trust", "passiveSignInUri": "https://sts.b.example/adfs/ls/"}


def domain(name: str, federation: dict | None = None, **more) -> Object:
    state = {"authenticationType": "Federated" if federation else "Managed", "isDefault": False, "isInitial": False, "isRoot": True, "isVerified": True}
    return Object("domain", name, name, {**state, "parent": None, "federationConfiguration": federation, **more})


TENANT = [
    domain("x.onmicrosoft.com", isDefault=True),
    domain("a.example", IIJ),
    domain("sub.a.example", authenticationType="Federated", isRoot=False, parent="a.example"),
    domain("b.example", OTHER),
    domain("c.example"),
    domain("broken.example", authenticationType="Federated"),
]


def test_an_issuer_alone_does_not_identify():
    assert identified_by({"issuerUri": "https://auth.iij.jp/x", "passiveSignInUri": "https://evil.example/"}, ["auth.iij.jp"]) == []
    assert identified_by(None, ["auth.iij.jp"]) == []


@pytest.mark.parametrize(
    ("name", "root"), [("a.example", "a.example"), ("Sub.A.example", "a.example"), ("x.sub.a.example", "a.example"), ("ba.example", None), ("example", None)]
)
def test_root_of(name, root):
    assert root_of(name, {"a.example", "b.example"}) == root


def test_authentication_follows_the_root():
    states = {item.id: item.state for item in TENANT}
    assert authentication_of("sub.a.example", states) == "Federated"
    states["a.example"] = {**states["a.example"], "authenticationType": "Managed"}
    assert authentication_of("sub.a.example", states) == "Managed"
    assert authentication_of("gone.example", states) is None
    assert upn_domain("a@b@C.Example") == "c.example"


@pytest.mark.parametrize(
    ("wanted", "planned", "unchanged", "rules"),
    [
        (["a.example"], ["a.example"], 0, []),
        (["A.Example", "a.example"], ["a.example"], 0, []),
        (["c.example"], [], 1, []),
        (["sub.a.example"], [], 0, ["inherits_from_root"]),
        (["a.example", "b.example", "c.example"], ["a.example", "b.example"], 1, []),
        ([], [], 0, []),
    ],
)
def test_plan_to_managed(wanted, planned, unchanged, rules):
    plan, refusals = plan_domains(TENANT, wanted, "managed", {}, NOW)
    assert [change.id for change in plan.changes] == planned
    assert plan.unchanged == unchanged
    assert [item.rule for item in refusals] == rules


def test_a_plan_holds_the_way_back():
    plan, _ = plan_domains(TENANT, ["a.example"], "managed", {}, NOW)
    change = plan.changes.head[0]
    assert change.before == {"authenticationType": "Federated", "federationConfiguration": IIJ, "subdomains": ["sub.a.example"]}
    assert change.after == {"authenticationType": "Managed", "federationConfiguration": None, "subdomains": ["sub.a.example"]}
    assert change.risk == "high"
    assert change.undo


def test_plan_back_to_federated():
    plan, refusals = plan_domains(TENANT, ["c.example"], "federated", {"C.example": OTHER}, NOW)
    assert refusals == []
    assert "id" not in plan.changes.head[0].after["federationConfiguration"]
    same, _ = plan_domains(TENANT, ["a.example"], "federated", {"a.example": IIJ}, NOW)
    assert same.unchanged == 1
    _, refusals = plan_domains(TENANT, ["a.example"], "federated", {"a.example": OTHER}, NOW)
    assert [item.rule for item in refusals] == ["federated_otherwise"]


def test_an_unknown_domain_is_an_error():
    with pytest.raises(OffboardError, match=r"nobody\.example") as caught:
        plan_domains(TENANT, ["nobody.example"], "managed", {}, NOW)
    assert caught.value.code == "not_found"


def test_a_certificate_with_an_odd_name_keeps_nobody_from_going_back() -> None:
    """What a PrintableString must not hold; cryptography refuses such a certificate, Entra has taken it."""
    odd = base64.b64encode(base64.b64decode(IIJ["signingCertificate"]).replace(b"\x0c\x07signing", b"\x13\x07*.x.jp&")).decode()
    warnings: list[str] = []
    assert writable("a.example", {**IIJ, "signingCertificate": odd}, NOW, warnings)["signingCertificate"] == odd
    assert odd != IIJ["signingCertificate"] and not warnings


@pytest.mark.parametrize("broken", [None, {}, {**IIJ, "signingCertificate": None}, {**IIJ, "signingCertificate": "x"}, {**IIJ, "passiveSignInUri": ""}])
def test_a_broken_configuration_is_refused(broken):
    with pytest.raises(OffboardError) as caught:
        writable("a.example", broken, NOW, [])
    assert caught.value.code == "bad_configuration"


def test_an_expired_certificate_warns():
    warnings: list[str] = []
    writable("a.example", {**IIJ, "signingCertificate": certificate(-1)}, NOW, warnings)
    assert "expired" in warnings[0]


def admin(upn: str, role: bool = True, **state) -> Administrator:
    return Administrator(upn, {"userPrincipalName": upn, "accountEnabled": True, "onPremisesSyncEnabled": None, **state}, role)


GOOD = (admin("1@x.onmicrosoft.com"), admin("2@x.onmicrosoft.com"))


@pytest.mark.parametrize(
    ("name", "context", "rules"),
    [
        ("a.example", DomainContext("", GOOD), []),
        ("a.example", DomainContext("me@x.onmicrosoft.com", GOOD), []),
        ("a.example", DomainContext("me@a.example", GOOD), ["own_identity"]),
        ("a.example", DomainContext("me@sub.a.example", GOOD), ["own_identity"]),
        ("a.example", DomainContext("", ()), ["break_glass"]),
        ("a.example", DomainContext("", (), 0), []),
        ("a.example", DomainContext("", GOOD[:1]), ["break_glass"]),
        ("a.example", DomainContext("", (GOOD[0], GOOD[0])), ["break_glass"]),
        # one person, by user name and by object id
        ("a.example", DomainContext("", (GOOD[0], Administrator("11111111-1111-1111-1111-111111111111", GOOD[0].state, True))), ["break_glass"]),
        ("a.example", DomainContext("", (GOOD[0], admin("2@a.example"))), ["break_glass"]),
        ("a.example", DomainContext("", (GOOD[0], admin("2@sub.a.example"))), ["break_glass"]),
        ("a.example", DomainContext("", (GOOD[0], admin("2@x.onmicrosoft.com", role=False))), ["break_glass"]),
        ("a.example", DomainContext("", (GOOD[0], admin("2@x.onmicrosoft.com", accountEnabled=False))), ["break_glass"]),
        ("a.example", DomainContext("", (GOOD[0], admin("2@x.onmicrosoft.com", onPremisesSyncEnabled=True))), ["break_glass"]),
        ("a.example", DomainContext("", (GOOD[0], Administrator("2@x.onmicrosoft.com", None))), ["break_glass"]),
        # enough others are there, but whoever was meant is looked after by nobody
        ("a.example", DomainContext("", (*GOOD, Administrator("3@x.onmicrosoft.com", None))), ["break_glass"]),
        ("b.example", DomainContext("", GOOD), ["foreign_federation"]),
        ("broken.example", DomainContext("", GOOD), ["foreign_federation"]),
    ],
)
def test_guards(name, context, rules):
    plan, refusals = plan_domains(TENANT, [name], "managed", {}, NOW)
    assert refusals == []
    found = guard_domains(plan.changes.head, {item.id: item.state for item in TENANT}, ["auth.iij.jp"], context)
    assert [item.rule for item in found] == rules
    assert all(item.msg for item in found)


@pytest.mark.parametrize(("fit", "offered"), [((), ""), (GOOD[:1], "min_break_glass: 1")])
def test_nobody_is_advised_to_go_without_a_break_glass_administrator(fit, offered):
    plan, _ = plan_domains(TENANT, ["a.example"], "managed", {}, NOW)
    (found,) = guard_domains(plan.changes.head, {item.id: item.state for item in TENANT}, ["auth.iij.jp"], DomainContext("", fit))
    assert (found.rule, found.allow_with) == ("break_glass", offered)


def test_a_duplicate_name_counts_once():
    plan, _ = plan_domains(TENANT, ["a.example"], "managed", {}, NOW)
    found = guard_domains(plan.changes.head, {item.id: item.state for item in TENANT}, ["auth.iij.jp"], DomainContext("", (GOOD[0], GOOD[0])))
    assert found[0].rule == "break_glass"


def test_the_default_domain():
    plan, _ = plan_domains(TENANT, ["x.onmicrosoft.com"], "federated", {"x.onmicrosoft.com": IIJ}, NOW)
    found = guard_domains(plan.changes.head, {item.id: item.state for item in TENANT}, [], DomainContext("", GOOD))
    assert "default_domain" in [item.rule for item in found]


@pytest.mark.parametrize(
    ("wanted", "now", "expected"),
    [
        (None, {"authenticationType": "Managed", "federationConfiguration": None}, True),
        (None, {"authenticationType": "Federated", "federationConfiguration": {"issuerUri": "i"}}, False),
        ("i", {"authenticationType": "Federated", "federationConfiguration": {"issuerUri": "i", "passiveSignInUri": "s", "id": "1"}}, True),
        ("i", {"authenticationType": "Federated", "federationConfiguration": {"issuerUri": "other", "passiveSignInUri": "s"}}, False),
        ("i", {"authenticationType": "Federated", "federationConfiguration": None}, False),
        ("i", {"authenticationType": "Managed", "federationConfiguration": None}, False),
    ],
)
def test_what_a_stopped_run_had_begun(wanted, now, expected):
    resource = Domains(given("entra_domain", tenant_id="t", domains=[], authentication="managed"))
    resource._states = {"a.example": now}
    configuration = {"issuerUri": wanted, "passiveSignInUri": "s"} if wanted else None
    after = {"authenticationType": "Federated" if wanted else "Managed", "federationConfiguration": configuration}
    begun = [Change("domain", name, name, CONVERT, {}, after) for name in ("a.example", "gone")]
    assert list(resource.carried_out(begun)) == [begun[0]] * expected


STATES = {item.id: item.state for item in TENANT}


@pytest.mark.parametrize(
    ("named", "domains"),
    [
        ([], []),
        ([""], []),
        (["a.example"], ["a.example", "sub.a.example"]),
        ([" A.Example. "], ["a.example", "sub.a.example"]),
        (["A.EXAMPLE", "a.example"], ["a.example", "sub.a.example"]),
        (["sub.a.example", "a.example"], ["sub.a.example", "a.example"]),
        (["Sub.A.example"], ["sub.a.example"]),
        (["c.example"], ["c.example"]),
        (["nobody.example"], ["nobody.example"]),
    ],
)
def test_who_follows_a_named_domain(named, domains):
    assert affected(named, STATES) == domains


@pytest.mark.parametrize(
    ("changed", "left"),
    [({}, ["a.example", "sub.a.example"]), ({"a.example": "Managed"}, ["sub.a.example"]), ({"a.example": "Managed", "sub.a.example": "Managed"}, [])],
)
def test_who_still_signs_in_elsewhere(changed, left):
    states = {name: {**state, "authenticationType": changed.get(name, state["authenticationType"])} for name, state in STATES.items()}
    assert not_managed(affected(["A.example"], states), states) == left
    assert not_managed(["nobody.example"], states) == []


def test_domains_are_told_as_a_check_run_has_planned_them():
    def object_of(name, authentication, parent=None):
        return Object(KIND, name, name, {"authenticationType": authentication, "isRoot": parent is None, "parent": parent})

    there = [object_of("a.example", "Federated"), object_of("sales.a.example", "Federated", "a.example"), object_of("b.example", "Federated")]
    change = Change(KIND, "a.example", "a.example", "convert", {"authenticationType": "Federated"}, {"authenticationType": "Managed"})
    found = predicted(there, Predictions([change]))
    assert [(item.id, item.state["authenticationType"]) for item in found] == [
        ("a.example", "Managed"), ("sales.a.example", "Managed"), ("b.example", "Federated"),
    ]  # fmt: skip
    assert predicted(there, Predictions([])) == there
