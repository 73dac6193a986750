# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watch says of a federation, and what it would renew: tables over configured certificates, metadata and clock."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object, Skip
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federation_certificates import plan as watch
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federation_certificates.announced import Announced, parse
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import certificates, metadata
from lab.identity_providers import made

URL = "https://sts.fabrikam.example/m.xml"
OLD, NEW = made.key("A"), made.key("B", begin=-2, end=363)
SOON, VERY_SOON, ENDED = made.key("A", end=18), made.key("A", end=6), made.key("A", begin=-90, end=-3)
SHORT, WEAK, CURVE, LATER = made.key("A", end=60), made.key("weak", bits=1024), made.key("curve", curve=True), made.key("L", begin=3, end=400)
LONG = made.key("long", bits=3072)
BRIEF, TWIN = made.key("brief", begin=-1, end=90), made.key("twin")


def item(held: made.Key = OLD, *, kind: str = watch.EXTERNAL, following: made.Key | None = None, **more: Any) -> Object:
    state = {
        "issuerUri": made.ISSUER,
        "passiveSignInUri": made.SIGN_IN,
        "metadataExchangeUri": URL,
        "preferredAuthenticationProtocol": "saml",
        "signingCertificate": held.base64,
        "domains": ["fabrikam.example"],
    }
    if following:
        state["nextSigningCertificate"] = following.base64
    return Object(kind, "1", "Fabrikam", {**state, **more})


HELD = [certificates.from_base64(key.base64) for key in (OLD, NEW, LONG)]


def published(*keys: made.Key, by: made.Key | None = None, **entity: Any) -> metadata.Metadata:
    text = made.entity(made.saml_role("".join(made.key_descriptor(key) for key in keys)), **entity)
    return metadata.read(made.signed_metadata(text, by) if by else text.encode(), made.NOW, HELD)


def broken() -> metadata.Metadata:
    signed = made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(OLD))), OLD)
    return metadata.read(signed.replace(b"nameid-format:persistent", b"nameid-format:transient"), made.NOW)


UNREACHABLE = OffboardError(f"{URL} cannot be read: refused.", code="unreachable")
EXCHANGE = OffboardError(f"{URL} is a WS-Trust metadata exchange.", code="metadata_exchange")
SIGN_IN = "https://sts.fabrikam.example/other/"

STATES = [
    ("A, A published", item(), published(OLD), "in_step", "ok", ""),
    ("A, A and B published, A signs", item(), published(NEW, OLD, by=OLD), "successor_published", "warning", ""),
    ("A, A and B published, B signs", item(), published(NEW, OLD, by=NEW), "configured_not_active", "critical", ""),
    ("A, B published", item(), published(NEW), "configured_not_published", "critical", ""),
    ("A, two others published", item(), published(NEW, LONG), "configured_not_published", "critical", ""),
    ("B held too early, A signs", item(NEW), published(NEW, OLD, by=OLD), "configured_not_active", "critical", ""),
    ("B, A left over, B signs", item(NEW), published(NEW, OLD, by=NEW), "in_step", "ok", ""),
    ("A, A and B published, nobody knows", item(), published(OLD, NEW), "unknown", "unknown", "active_certificate_unknown"),
    ("A ended, B is the only valid one", item(ENDED), published(ENDED, NEW), "configured_not_active", "critical", ""),
    ("A, B not yet valid", item(), published(OLD, LATER), "successor_published", "warning", ""),
    ("A, B of a shorter life announced", item(LONG), published(BRIEF, LONG, by=LONG), "successor_published", "warning", ""),
    ("A, B of the same days announced", item(), published(TWIN, OLD, by=OLD), "successor_published", "warning", ""),
    ("18 days left", item(SOON), published(SOON), "expires_soon", "warning", ""),
    ("6 days left", item(VERY_SOON), published(VERY_SOON), "expires_soon", "critical", ""),
    ("ended", item(ENDED), published(ENDED), "expired", "critical", ""),
    ("unreachable", item(), UNREACHABLE, "unknown", "unknown", "unreachable"),
    ("a web page", item(), metadata.read(b"<html><p>x</p></html>", made.NOW), "unknown", "unknown", "not_metadata"),
    ("no XML", item(), metadata.read(b"hello", made.NOW), "unknown", "unknown", "not_xml"),
    ("a DOCTYPE", item(), metadata.read(b"<!DOCTYPE x><x/>", made.NOW), "unknown", "unknown", "dtd_forbidden"),
    ("broken signature", item(), broken(), "unknown", "unknown", "signature_invalid"),
    ("validUntil past", item(), published(OLD, attributes=' validUntil="2026-11-20T00:00:00Z"'), "unknown", "unknown", "metadata_expired"),
    ("another issuer", item(), published(OLD, entity_id="https://evil.example/"), "drift", "unknown", "issuer_differs"),
    ("another issuer and key", item(), published(NEW, entity_id="https://evil.example/"), "drift", "unknown", "issuer_differs"),
    ("another protocol", item(preferredAuthenticationProtocol="wsFed"), published(OLD), "unknown", "unknown", "protocol_not_offered"),
    ("another sign-in address", item(passiveSignInUri=SIGN_IN), published(OLD), "drift", "warning", "sign_in_address_differs"),
    ("its host in capitals", item(passiveSignInUri="HTTPS://STS.Fabrikam.example/adfs/ls/"), published(OLD), "in_step", "ok", ""),
    ("its path in capitals", item(passiveSignInUri="https://sts.fabrikam.example/ADFS/ls/"), published(OLD), "drift", "warning", "sign_in_address_differs"),
    ("no metadata address", item(metadataExchangeUri=None), None, "no_auto_renewal", "warning", "no_url"),
    ("none, but given to the watch", item(metadataExchangeUri=None), published(OLD), "no_auto_renewal", "warning", "no_url"),
    ("none, B published at the given one", item(metadataExchangeUri=None), published(NEW), "configured_not_published", "critical", ""),
    ("a metadata exchange", item(metadataExchangeUri="https://sts.fabrikam.example/adfs/services/trust/mex"), None, "no_auto_renewal", "warning", ""),
    ("WSDL answers", item(), EXCHANGE, "no_auto_renewal", "warning", "metadata_exchange"),
    ("ended, no address", item(ENDED, metadataExchangeUri=None), None, "expired", "critical", ""),
    ("certificate unreadable", item(signingCertificate="MIIC"), published(OLD), "unknown", "unknown", "certificate_invalid"),
    ("no certificate", item(signingCertificate=None), published(OLD), "unknown", "unknown", "configured_certificate_missing"),
    ("own domain, next one held", item(kind=watch.INTERNAL, following=NEW), published(NEW, OLD, by=OLD), "in_step", "ok", ""),
    ("own domain, next one signs", item(kind=watch.INTERNAL, following=NEW), published(NEW, OLD, by=NEW), "in_step", "ok", ""),
    ("own domain, unreadable", item(kind=watch.INTERNAL, unreadable="Forbidden."), None, "unknown", "unknown", "configuration_unreadable"),
]


@pytest.mark.parametrize(("federation", "document", "state", "severity", "reason"), [case[1:] for case in STATES], ids=[case[0] for case in STATES])
def test_state(federation, document, state, severity, reason):
    verdict = watch.judge(federation, document, made.NOW)
    assert (verdict.gravest.state, verdict.severity) == (state, severity)
    assert reason in ("", verdict.gravest.reason)
    assert verdict.gravest.msg


def test_every_state_occurs_in_the_table():
    assert {case[3] for case in STATES} == set(watch.STATES)


def test_the_worst_finding_is_not_hidden_by_a_state():
    verdict = watch.judge(item(VERY_SOON), UNREACHABLE, made.NOW)
    assert [one.state for one in verdict.findings] == ["expires_soon", "unknown"]
    assert verdict.severity == "critical", "a certificate that ends this week matters although the state is unknown"


def day(days: float) -> str:
    return f"{made.NOW + datetime.timedelta(days=days):%Y-%m-%d}"


FAILURES = [
    ("fails already", item(), published(NEW), 0),
    ("ended three days ago", item(ENDED), published(ENDED), -3),
    ("AD FS of a partner switches before the end", item(SHORT), published(SHORT), 45),
    ("a successor is announced, the switch is due", item(VERY_SOON), published(VERY_SOON, NEW, by=VERY_SOON), 0),
    ("no AD FS: at the end", item(SHORT, passiveSignInUri=SIGN_IN), published(SHORT), 60),
    ("own domain: at the end of the next one", item(SHORT, kind=watch.INTERNAL, following=NEW), published(SHORT), 363),
    ("unreachable: at the latest at the end", item(SHORT, passiveSignInUri=SIGN_IN), UNREACHABLE, 60),
]


@pytest.mark.parametrize(("federation", "document", "days"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES])
def test_first_failure(federation, document, days):
    entry = watch.describe(federation, watch.judge(federation, document, made.NOW), URL, 3, made.NOW)
    assert entry["first_failure"] == day(days)


RENEWALS = [
    ("in step", item(), published(OLD), "when_active", None),
    ("A vouches for B alone", item(), published(NEW, by=OLD), "when_active", NEW),
    ("A vouches for B alone, never", item(), published(NEW, by=OLD), "never", None),
    ("next one of an own domain vouches", item(kind=watch.INTERNAL, following=LONG), published(NEW, by=LONG), "when_active", "key_weak"),
    ("next one of a partner's neighbour vouches", item(), published(NEW, by=LONG), "when_active", "metadata_not_vouched"),
    ("B signs", item(), published(NEW, OLD, by=NEW), "when_active", "metadata_not_vouched"),
    ("B signs, never", item(), published(NEW, OLD, by=NEW), "never", None),
    ("unsigned, B alone is published", item(), published(NEW), "when_active", "metadata_not_vouched"),
    ("unsigned, the old one has ended", item(ENDED), published(ENDED, NEW), "when_active", "metadata_not_vouched"),
    ("signed by somebody", item(), published(NEW, by=TWIN), "when_active", "metadata_not_vouched"),
    ("B held too early, back to A", item(NEW), published(NEW, OLD, by=OLD), "when_active", "metadata_not_vouched"),
    ("successor, when_active", item(), published(NEW, OLD, by=OLD), "when_published", None),
    ("unreachable", item(), UNREACHABLE, "when_published", None),
    ("unreachable and ended", item(ENDED), UNREACHABLE, "when_published", None),
    ("broken signature", item(), broken(), "when_active", None),
    ("validUntil past", item(), published(NEW, attributes=' validUntil="2026-11-20T00:00:00Z"'), "when_active", None),
    ("another issuer", item(), published(NEW, entity_id="https://evil.example/"), "when_active", None),
    ("another issuer, signed by A", item(), published(NEW, entity_id="https://evil.example/", by=OLD), "when_active", None),
    ("another address", item(passiveSignInUri=SIGN_IN), published(NEW, by=OLD), "when_active", "drift"),
    ("two others", item(), published(NEW, LONG), "when_active", "active_certificate_unknown"),
    ("not valid yet", item(), published(LATER, by=OLD), "when_active", "certificate_not_yet_valid"),
    ("ended", item(), published(ENDED, by=OLD), "when_active", "certificate_expired"),
    ("no RSA key", item(), published(CURVE, by=OLD), "when_active", "key_not_rsa"),
    ("too few bits", item(), published(WEAK, by=OLD), "when_active", "key_weak"),
    ("fewer bits than before", item(LONG), published(NEW, by=LONG), "when_active", "key_weak"),
    ("B signs the metadata and A is gone", item(), published(NEW, by=NEW), "when_active", "metadata_not_vouched"),
]


@pytest.mark.parametrize(("federation", "document", "apply", "expected"), [case[1:] for case in RENEWALS], ids=[case[0] for case in RENEWALS])
def test_renewal(federation, document, apply, expected):
    decision = watch.decide(federation, watch.judge(federation, document, made.NOW), apply, made.NOW)
    if expected is None:
        assert decision is None
    elif isinstance(expected, str):
        assert isinstance(decision, Skip)
        assert decision.code == expected
    else:
        assert isinstance(decision, Change)
        assert decision.before == {"signingCertificate": federation.state["signingCertificate"]}
        assert decision.after == {"signingCertificate": expected.base64}


NEW_IS = certificates.from_base64(NEW.base64)
HERE, ELSEWHERE = "fabrikam.example", "woodgrove.example"
WORDS = [
    ("nothing said", watch.Trust(), False),
    ("TLS of this partner", watch.Trust(tls=[HERE]), True),
    ("TLS of another partner", watch.Trust(tls=[ELSEWHERE]), False),
    ("SHA-256", watch.Trust(thumbprints={HERE: NEW_IS.sha256}), True),
    ("SHA-1", watch.Trust(thumbprints={HERE: NEW_IS.sha1}), True),
    ("thumbprint of another certificate", watch.Trust(thumbprints={HERE: HELD[2].sha256}), False),
    ("thumbprint for another partner", watch.Trust(thumbprints={ELSEWHERE: NEW_IS.sha256}), False),
]
UNVOUCHED = [
    ("unsigned", published(NEW)),
    ("B signs, A is shown", published(NEW, OLD, by=NEW)),
    ("B signs, A is gone", published(NEW, by=NEW)),
    ("somebody signs", published(NEW, by=TWIN)),
]


@pytest.mark.parametrize("document", [case[1] for case in UNVOUCHED], ids=[case[0] for case in UNVOUCHED])
@pytest.mark.parametrize(("trust", "applied"), [case[1:] for case in WORDS], ids=[case[0] for case in WORDS])
def test_what_nothing_vouches_for_needs_the_operators_word(document, trust, applied):
    verdict = watch.judge(item(), document, made.NOW)
    assert (verdict.vouched, verdict.has("configured_not_active", "configured_not_published")) == (False, True)
    decision = watch.decide(item(), verdict, watch.WHEN_ACTIVE, made.NOW, trust)
    if applied:
        assert decision.after == {"signingCertificate": NEW.base64}
    else:
        assert decision.code == "metadata_not_vouched"
        assert all(word in decision.msg for word in (NEW_IS.sha1, "accept_thumbprints", "trust_metadata_tls", HERE))


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ((item(passiveSignInUri=SIGN_IN), published(NEW)), "drift"),
        ((item(), published(WEAK)), "key_weak"),
        ((item(), published(LATER)), "certificate_not_yet_valid"),
        ((item(), broken()), None),
    ],
)
def test_the_operators_word_overrules_nothing_else(case, code):
    federation, document = case
    decision = watch.decide(federation, watch.judge(federation, document, made.NOW), watch.WHEN_ACTIVE, made.NOW, watch.Trust(tls=[HERE]))
    assert (decision and decision.code) == code


def test_an_announced_successor_of_an_own_domain_is_vouched_for_too():
    own = item(kind=watch.INTERNAL)
    document = metadata.read(made.entity(made.saml_role(made.key_descriptor(LATER) + made.key_descriptor(OLD))).encode(), made.NOW, HELD)
    verdict = watch.judge(own, document, made.NOW)
    assert verdict.has("successor_published")
    assert watch.decide(own, verdict, watch.WHEN_PUBLISHED, made.NOW).code == "metadata_not_vouched"


def test_a_held_key_that_the_metadata_does_not_show_is_found():
    text = made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(NEW))), OLD)
    bare = re.sub(rb"<ds:KeyInfo>(?:(?!<ds:KeyInfo>).)*</ds:KeyInfo></ds:Signature>", b"</ds:Signature>", text, flags=re.DOTALL)
    assert bare != text
    assert metadata.read(bare, made.NOW).metadata_signature.verifies is False
    found = metadata.read(bare, made.NOW, HELD)
    assert (found.metadata_signature.verifies, found.vouched_by) == (True, [HELD[0].sha256])


def test_a_renewed_certificate_of_the_same_key_is_vouched_for():
    same = made.key("A", end=18)
    renewed = made.Key(same.private, made.certificate_of(same.private, end=700))
    text = made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(renewed))), renewed)
    verdict = watch.judge(item(same), metadata.read(text, made.NOW, [certificates.from_base64(same.base64)]), made.NOW)
    assert verdict.vouched is True


def test_a_successor_becomes_the_next_certificate_of_an_own_domain_only():
    own = item(kind=watch.INTERNAL)
    verdict = watch.judge(own, published(LATER, OLD, by=OLD), made.NOW)
    assert watch.decide(own, verdict, watch.WHEN_ACTIVE, made.NOW) is None
    assert watch.decide(own, verdict, watch.WHEN_PUBLISHED, made.NOW).after == {"nextSigningCertificate": LATER.base64}


@pytest.mark.parametrize(
    ("federation", "given", "url"),
    [
        (item(), {}, URL),
        (item(), {"fabrikam.example": "https://given.example/"}, "https://given.example/"),
        (item(metadataExchangeUri=None), {"other.example": "https://given.example/"}, None),
        (item(metadataExchangeUri="https://sts.f.example/adfs/services/trust/mex"), {}, None),
        (
            item(kind=watch.INTERNAL, metadataExchangeUri="https://sts.f.example/adfs/services/trust/mex"),
            {},
            "https://sts.f.example/FederationMetadata/2007-06/FederationMetadata.xml",
        ),
    ],
)
def test_where_metadata_is_read(federation, given, url):
    assert watch.metadata_url(federation, given) == url


def test_prometheus_text():
    entry = watch.describe(item(SHORT), watch.judge(item(SHORT), published(SHORT), made.NOW), URL, 3, made.NOW)
    lines = watch.prometheus([{**entry, "display_name": 'A "B"\\\n'}], made.NOW).splitlines()
    labels = r'{id="1",kind="external",display_name="A \"B\"\\\n"'
    assert f'entra_federation_certificate_state{labels},state="in_step"}} 1' in lines
    assert f"entra_federation_certificate_severity{labels}}} 0" in lines
    assert f"entra_federation_certificate_days_left{labels}}} 60" in lines
    assert f"entra_federation_certificate_guests{labels}}} 3" in lines
    assert f"entra_federation_certificate_checked_timestamp_seconds {int(made.NOW.timestamp())}" in lines


@pytest.mark.parametrize(
    ("severities", "expected"), [([], "ok"), (["ok", "warning"], "warning"), (["unknown", "warning"], "unknown"), (["unknown", "critical", "ok"], "critical")]
)
def test_the_worst_severity(severities, expected):
    assert watch.worst(severities) == expected


# -- what was announced


def _judged(held: made.Key, document: metadata.Metadata | OffboardError, former: Announced | None = None, **more: Any) -> watch.CertificateVerdict:
    return watch.judge(item(held, **more), document, made.NOW, former=former)


def _decided(held: made.Key, document: metadata.Metadata, former: Announced | None, **more: Any) -> Change | Skip | None:
    return watch.decide(item(held, **more), _judged(held, document, former, **more), watch.WHEN_ACTIVE, made.NOW)


ANNOUNCED = _judged(OLD, published(NEW, OLD, by=OLD)).announced


def test_a_successor_that_the_held_certificate_announced_is_applied_when_it_signs():
    """AD FS: announced in metadata signed with the old key, then signing it itself."""
    assert ANNOUNCED is not None and ANNOUNCED.certificates == {HELD[0].sha256, HELD[1].sha256} and ANNOUNCED.by == {HELD[0].sha256}
    for document in (published(NEW, OLD, by=NEW), published(NEW, by=NEW), published(NEW)):
        applied = _decided(OLD, document, ANNOUNCED)
        assert isinstance(applied, Change) and applied.after == {"signingCertificate": NEW.base64}


@pytest.mark.parametrize(
    ("held", "document", "former", "more"),
    [
        (OLD, published(TWIN, by=TWIN), ANNOUNCED, {}),  # another one than was announced
        (TWIN, published(NEW, by=NEW), ANNOUNCED, {}),  # who said so is held no more
        (OLD, published(NEW, by=NEW), None, {}),
        (OLD, published(NEW, by=NEW), dataclasses.replace(ANNOUNCED, issuer="https://other.example/"), {}),
    ],
)
def test_what_was_announced_covers_nothing_else(held, document, former, more):
    refused = _decided(held, document, former, **more)
    assert isinstance(refused, Skip) and refused.code == "metadata_not_vouched"


def test_the_newest_word_of_the_held_certificate_counts():
    withdrawn = _judged(OLD, published(LONG, OLD, by=OLD), ANNOUNCED).announced
    assert withdrawn is not None and HELD[1].sha256 not in withdrawn.certificates
    assert isinstance(_decided(OLD, published(NEW, by=NEW), withdrawn), Skip)


def test_what_cannot_be_read_takes_no_announcement_back():
    assert _judged(OLD, UNREACHABLE, ANNOUNCED).announced == ANNOUNCED
    assert watch.judge(item(unreadable="503"), None, made.NOW, former=ANNOUNCED).announced == ANNOUNCED
    assert _judged(NEW, published(NEW, by=NEW), ANNOUNCED).announced.by == {HELD[1].sha256}  # renewed: by its own word from here on


def test_an_answer_is_believed_for_its_tenant():
    assert ANNOUNCED is not None
    kept = {"tenant_id": "T", "announced": [{"kind": "external", "id": "1", "announced": ANNOUNCED.to_dict()}]}
    assert parse(kept, "t") == {("external", "1"): ANNOUNCED} and parse(kept, "other") == {}


@pytest.mark.parametrize(
    "content",
    [None, [], {}, {"tenant_id": "t"}, {"tenant_id": 1, "announced": []}, *({"tenant_id": "t", "announced": [one]} for one in (
        None, {}, {"kind": "external", "id": 1, "announced": {}}, {"kind": "external", "id": "1", "announced": None},
        {"kind": "external", "id": "1", "announced": {"issuer": "x", "by": "a", "certificates": []}},
        {"kind": "external", "id": "1", "announced": {"issuer": "x", "by": [1], "certificates": []}},
    ))],
)  # fmt: skip
def test_an_answer_of_another_shape_is_none(content):
    with pytest.raises(ValueError):
        parse(content, "t")
