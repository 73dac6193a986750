# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Captured sign-in answers: what Entra would accept, the error a user would see, and the wrapping attacks."""

from __future__ import annotations

import base64
import copy
import dataclasses
import datetime
import gzip
import html
import json
import quopri
import re
import time
import zlib
from email.message import EmailMessage
from urllib.parse import quote_plus, urlencode

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import captured, certificates, service, token
from ansible_collections.offboard.iij_id.plugins.module_utils._federation.options import TokenOptions
from dev.options import given
from lab.identity_providers import made
from lxml import etree
from signxml import CanonicalizationMethod, SignatureMethod, XMLSigner

A, B = made.key("A"), made.key("B")
A_SHA1 = certificates.from_base64(A.base64).sha1
SAML2, SAMLP = f"{{{made.SAML2}}}", f"{{{made.SAMLP}}}"
FEDERATION = token.Federation(
    issuer_uri=made.ISSUER,
    certificates=[certificates.from_base64(A.base64)],
    audiences=service.audiences("current", made.TENANT),
    domains=["fabrikam.example", "müller.example"],
)


def check(data: bytes, now: datetime.datetime = made.NOW, **changes: object) -> token.Result:
    return token.check(data, dataclasses.replace(FEDERATION, **changes), now)


def faults(result: token.Result) -> list[tuple[str, str]]:
    return [(item.check, item.aadsts) for item in result.checks if not item.ok]


@pytest.mark.parametrize("what", ["assertion", "response", "both"])
def test_a_good_saml_response(what: str) -> None:
    result = check(made.saml_response(what=what))
    assert result.valid, faults(result)
    assert result.signed == {"assertion": ["Assertion"], "response": ["Response"], "both": ["Response", "Assertion"]}[what]
    assert [item.check for item in result.checks if item.check != "signature"] == [
        "status", "issuer", "audience", "destination", "recipient", "time", "name_id", "emailaddress", "time",
    ]  # fmt: skip
    assert (result.email_domain, result.claims, result.issuer) == ("fabrikam.example", [made.EMAILADDRESS], made.ISSUER)
    assert bool(result.warnings_found) is (what == "response")


@pytest.mark.parametrize("collection", [False, True])
@pytest.mark.parametrize("trust", token.TRUST)
def test_a_good_wsfed_answer(collection: bool, trust: str) -> None:
    result = check(made.wsfed_response(collection=collection, trust=trust.strip("{}")))
    assert result.valid, faults(result)
    assert result.protocol == "wsfed"
    assert result.claims == [token.IMMUTABLEID, token.EMAILADDRESS]


def assertion(**options: object) -> bytes:
    return made.saml_response(made.saml_assertion(**options))


SAML_FAULTS = [
    pytest.param(assertion(issuer=made.ISSUER + "/"), [("issuer", "AADSTS50107")], id="issuer with another ending"),
    pytest.param(assertion(audience="urn:federation:MicrosoftOnline"), [("audience", "AADSTS500089")], id="the old audience"),
    pytest.param(assertion(audience=None), [("audience", "AADSTS500089")], id="no audience"),
    pytest.param(made.saml_response(destination="https://evil.example/"), [("destination", "AADSTS500089")], id="another destination"),
    pytest.param(assertion(recipient=None), [("recipient", "AADSTS500089")], id="no recipient"),
    pytest.param(assertion(name_id_format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"), [("name_id", "AADSTS500089")], id="NameID not persistent"),
    pytest.param(assertion(mail=None), [("emailaddress", "AADSTS5000819")], id="no mail claim"),
    pytest.param(assertion(mail_claim="emailaddress"), [("emailaddress", "AADSTS5000819")], id="mail claim with a short name"),
    pytest.param(assertion(mail="adele@evil.example"), [("emailaddress", "AADSTS5000819")], id="mail of another domain"),
    pytest.param(assertion(mail="adele@sub.fabrikam.example"), [("emailaddress", "AADSTS5000819")], id="mail of a sub-domain"),
    pytest.param(assertion(mail="adele@evil.example@fabrikam.example"), [("emailaddress", "AADSTS5000819")], id="two at signs"),
    pytest.param(assertion(mail="adele"), [("emailaddress", "AADSTS5000819")], id="no address"),
    pytest.param(assertion(minutes=(-90, -30)), [("time", "AADSTS500089")], id="expired"),
    pytest.param(assertion(minutes=(30, 90)), [("time", "AADSTS500089")], id="not yet valid"),
    pytest.param(assertion(confirmed_until=-30), [("time", "AADSTS500089")], id="confirmation expired"),
    pytest.param(made.saml_response(status="Requester"), [("status", "AADSTS500082")], id="an error instead of a token"),
    pytest.param(made.saml_response(by=B), [("signature", "AADSTS5000811")], id="signed with another key"),
    pytest.param(made.saml_response(what="none"), [("signature", "AADSTS50008")], id="not signed"),
    pytest.param(
        assertion(issuer="urn:x", audience="urn:x", mail=None),
        [("issuer", "AADSTS50107"), ("audience", "AADSTS500089"), ("emailaddress", "AADSTS5000819")],
        id="several faults are all told",
    ),
]


@pytest.mark.parametrize(("data", "expected"), SAML_FAULTS)
def test_faults_of_a_saml_response(data: bytes, expected: list[tuple[str, str]]) -> None:
    result = check(data)
    assert not result.valid
    assert faults(result) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"immutable_id": None}, ("immutable_id", "AADSTS90020")),
        ({"immutable_id": " "}, ("immutable_id", "AADSTS90020")),
        ({"mail": None}, ("emailaddress", "AADSTS5000819")),
        ({"mail": "adele@evil.example"}, ("emailaddress", "AADSTS5000819")),
        ({"issuer": "urn:x"}, ("issuer", "AADSTS50107")),
        ({"audience": "urn:x"}, ("audience", "AADSTS50008")),
        ({"minutes": (-90, -30)}, ("time", "AADSTS50008")),
        ({"by": B}, ("signature", "AADSTS5000811")),
    ],
)
def test_faults_of_a_wsfed_answer(options: dict[str, object], expected: tuple[str, str]) -> None:
    assert faults(check(made.wsfed_response(**options))) == [expected]


def test_the_responses_own_issuer_is_compared_and_takes_the_place_of_no_verified_one() -> None:
    """Only the assertion is signed here, so whoever carries the answer can write another issuer around it."""
    data = made.saml_response(what="assertion")
    assert data.count(made.ISSUER.encode()) >= 2
    result = check(data.replace(made.ISSUER.encode(), b"urn:evil", 1))
    assert faults(result) == [("issuer", "AADSTS50107")]
    assert result.issuer == made.ISSUER


@pytest.mark.parametrize(("minutes", "valid"), [(-6, False), (-4, True), (0, True), (64, True), (66, False)])
def test_clocks_may_differ_by_the_skew(minutes: float, valid: bool) -> None:
    data = assertion(minutes=(0, 60), confirmed_until=60)
    assert check(data, made.NOW + datetime.timedelta(minutes=minutes)).valid is valid


@pytest.mark.parametrize(
    ("profile", "audience", "valid"),
    [
        ("current", made.AUDIENCE, True),
        ("current", service.GLOBAL_AUDIENCE, False),
        ("2020", made.AUDIENCE, False),
        ("2020", service.GLOBAL_AUDIENCE, True),
        ("any", made.AUDIENCE, True),
        ("any", service.GLOBAL_AUDIENCE, True),
        ("any", f"https://login.microsoftonline.com/{made.TENANT}", False),
    ],
)
def test_both_audiences(profile: str, audience: str, valid: bool) -> None:
    accepted = service.audiences(profile, made.TENANT)
    assert check(assertion(audience=audience), audiences=accepted).valid is valid
    assert check(made.wsfed_response(audience=audience), audiences=accepted).valid is valid


def test_an_audience_without_its_slash_is_told() -> None:
    told = [item.msg for item in check(assertion(audience=made.AUDIENCE.rstrip("/"))).checks if item.check == "audience"]
    assert told[0].endswith("Only a trailing slash differs.")


def test_encrypted_attributes_are_told_where_the_claim_is_missing() -> None:
    hidden = ("<a:AttributeStatement>", "<a:AttributeStatement><a:EncryptedAttribute/>")
    told = [item.msg for item in check(made.saml_response(made.saml_assertion(mail=None).replace(*hidden))).checks if item.check == "emailaddress"]
    assert "Attributes are encrypted" in told[0]
    assert check(made.saml_response(made.saml_assertion().replace(*hidden))).valid


def test_the_current_audience_needs_the_tenant_and_follows_the_cloud() -> None:
    with pytest.raises(OffboardError) as refused:
        service.audiences("current", None)
    assert refused.value.code == "tenant_id_missing"
    for written in (made.TENANT, made.TENANT.upper(), f" {{{made.TENANT}}} "):
        assert service.audiences("current", written, "https://login.microsoftonline.us/login.srf") == [f"https://login.microsoftonline.us/{made.TENANT}/"]
    china = "https://login.partner.microsoftonline.cn/login.srf"
    found = service.audiences("any", made.TENANT, china)
    assert found == ["urn:federation:partner.microsoftonline.cn", f"https://login.partner.microsoftonline.cn/{made.TENANT}/"]
    external = service.audiences("current", made.TENANT, f"https://{made.TENANT}.ciamlogin.com/login.srf")
    assert external == [made.AUDIENCE], "an external tenant"
    assert service.audiences("current", made.TENANT, "https://login.example") == [f"https://login.example/{made.TENANT}/"]
    with pytest.raises(OffboardError) as refused:
        service.audiences("any", "fabrikam.example")
    assert refused.value.code == "tenant_id_invalid"


def test_the_domains_of_a_federation_are_compared_as_they_are_everywhere() -> None:
    asked = given("federation_token_info", issuer_uri=made.ISSUER, signing_certificates=[A.pem], audience="2020", content="x", domains=[" MÜLLER.example. "])
    assert TokenOptions.of(asked).domains == ("xn--mller-kva.example",)


def test_a_federation_without_domains_takes_any_mail_domain() -> None:
    assert check(assertion(mail="adele@elsewhere.example"), domains=[]).valid


def test_an_international_mail_domain() -> None:
    assert check(assertion(mail="adele@MÜLLER.example")).valid
    assert check(assertion(mail="adele@xn--mller-kva.example")).valid


@pytest.mark.parametrize("pinned", [[A], [B, A]])
def test_any_pinned_certificate_will_do(pinned: list[made.Key]) -> None:
    assert check(made.saml_response(what="both"), certificates=[certificates.from_base64(key.base64) for key in pinned]).valid


def test_a_token_of_a_rotated_key_names_the_certificate_that_came_along() -> None:
    result = check(made.saml_response(by=B))
    thumbprint = certificates.from_base64(B.base64).sha1
    assert result.signed_with == [thumbprint]
    assert thumbprint in result.checks[-1].msg


def test_of_two_certificates_that_came_along_the_unknown_one_is_named() -> None:
    twice = made.sign(etree.fromstring(made.saml_response()), B, "_response")
    told = [item.msg for item in check(etree.tostring(twice)).checks if not item.ok]
    assert f"Certificate that came with the token: {certificates.from_base64(B.base64).sha1}; if the provider now signs with that one" in told[0]


def test_an_expired_signing_certificate_is_no_forgery() -> None:
    old = made.key("old", begin=-400, end=-1)
    result = check(made.saml_response(by=old), certificates=[certificates.from_base64(old.base64)])
    assert result.valid
    assert "is valid from" in result.warnings_found[0]


def test_sha1_is_told() -> None:
    result = check(made.saml_response(sha1=True))
    assert result.valid
    assert "SHA-1" in result.warnings_found[0]


@pytest.mark.parametrize(
    ("by", "method", "told"),
    [
        (A, SignatureMethod.RSA_SHA256, ""),
        (A, SignatureMethod.RSA_SHA512, ""),
        (A, SignatureMethod.SHA256_RSA_MGF1, "by the method sha256-rsa-MGF1"),
        (made.key("curve", curve=True), SignatureMethod.ECDSA_SHA256, "Microsoft Entra takes RSA keys only"),
        (made.key("weak", bits=1024), SignatureMethod.RSA_SHA256, "a key of 1024 bits"),
    ],
)
def test_a_key_or_a_method_that_entra_may_not_take_is_told(by: made.Key, method: SignatureMethod, told: str) -> None:
    response = etree.fromstring(made.saml_response("<a:x xmlns:a='urn:x'/>", what="none"))
    signer = XMLSigner(signature_algorithm=method, c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    found = signer.sign(etree.fromstring(made.saml_assertion()), key=by.private, cert=[by.certificate], reference_uri="#_assertion")
    response.replace(response[-1], found)
    result = check(etree.tostring(response), certificates=[certificates.from_base64(by.base64)])
    assert result.valid, faults(result)
    assert len(result.warnings_found) == bool(told) and told in "".join(result.warnings_found)


def test_a_comment_in_the_mail_address_does_not_cut_it() -> None:
    result = check(assertion(mail="adele@fabrikam.example<!---->.evil.example"))
    assert faults(result) == [("emailaddress", "AADSTS5000819")]
    assert result.email_domain == "fabrikam.example.evil.example"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda r: r.find(f".//{SAML2}AttributeValue").__setattr__("text", "eve@fabrikam.example"), id="claim"),
        pytest.param(lambda r: r.find(f".//{SAML2}Audience").__setattr__("text", "urn:x"), id="audience"),
        pytest.param(lambda r: r.find(f".//{SAML2}Conditions").set("NotOnOrAfter", made.stamp(9999)), id="time"),
    ],
)
@pytest.mark.parametrize("what", ["assertion", "response", "both"])
def test_altered_tokens(what: str, change) -> None:
    root = etree.fromstring(made.saml_response(what=what))
    change(root)
    assert faults(check(etree.tostring(root))) == [("signature", "AADSTS5000811")]


def evil_assertion() -> etree._Element:
    return etree.fromstring(made.saml_assertion(mail="eve@fabrikam.example", identifier="_evil"))


def signature_of(element: etree._Element) -> etree._Element:
    return next(element.iterchildren(f"{{{made.DS}}}Signature"))


def wrapping_attacks(what: str):
    """The eight of "On Breaking SAML", and neighbours of them; each changes a genuine response in place or gives a new root."""

    def genuine() -> tuple[etree._Element, etree._Element]:
        root = etree.fromstring(made.saml_response(what=what))
        return root, next(root.iterchildren(f"{SAML2}Assertion"))

    def evil_response(root: etree._Element) -> etree._Element:
        evil = copy.deepcopy(root)
        evil.set("ID", "_evil_response")
        old = next(evil.iterchildren(f"{SAML2}Assertion"))
        evil.replace(old, evil_assertion())
        return evil

    def into_object(root: etree._Element, signature: etree._Element) -> None:
        etree.SubElement(signature, f"{{{made.DS}}}Object").append(root)

    if what == "response":
        root, _ = genuine()
        evil = evil_response(root)
        into_object(copy.deepcopy(root), signature_of(evil))
        yield "XSW1: the genuine response inside the signature of an evil one", evil
        root, _ = genuine()
        evil = evil_response(root)
        evil.insert(1, copy.deepcopy(root))
        yield "XSW2: the genuine response beside the signature of an evil one", evil
        root, assertion_ = genuine()
        root.replace(assertion_, evil_assertion())
        yield "assertion replaced under a signed response", root
        return
    root, assertion_ = genuine()
    root.insert(0, evil_assertion())
    yield "XSW3: an evil assertion before the genuine one", root
    root, assertion_ = genuine()
    root.append(evil_assertion())
    yield "XSW3b: an evil assertion behind the genuine one", root
    root, assertion_ = genuine()
    evil = evil_assertion()
    root.replace(assertion_, evil)
    evil.append(assertion_)
    yield "XSW4: the genuine assertion inside an evil one", root
    root, assertion_ = genuine()
    own = signature_of(assertion_)
    evil = evil_assertion()
    evil.insert(1, own)
    root.replace(assertion_, evil)
    root.append(assertion_)
    yield "XSW5: the signature moved into an evil assertion", root
    root, assertion_ = genuine()
    own = signature_of(assertion_)
    evil = evil_assertion()
    evil.insert(1, own)
    root.replace(assertion_, evil)
    into_object(assertion_, own)
    yield "XSW6: the same, the genuine assertion inside the signature", root
    root, assertion_ = genuine()
    extensions = etree.Element(f"{SAMLP}Extensions")
    extensions.append(evil_assertion())
    root.insert(0, extensions)
    yield "XSW7: an evil assertion in extensions", root
    root, assertion_ = genuine()
    own = signature_of(assertion_)
    evil = evil_assertion()
    evil.set("ID", "_assertion")
    evil.insert(1, own)
    root.replace(assertion_, evil)
    into_object(assertion_, own)
    yield "XSW8: the same, with the genuine identifier", root
    root, assertion_ = genuine()
    evil = evil_assertion()
    evil.set("ID", "_assertion")
    root.insert(0, evil)
    yield "the same identifier twice", root
    root, assertion_ = genuine()
    evil = evil_assertion()
    evil.append(copy.deepcopy(signature_of(assertion_)))
    root.replace(assertion_, evil)
    yield "the signature on another assertion", root
    root, assertion_ = genuine()
    assertion_.append(copy.deepcopy(signature_of(assertion_)))
    yield "two signatures", root
    root, assertion_ = genuine()
    root.append(etree.Element(f"{SAML2}EncryptedAssertion"))
    yield "an encrypted assertion beside it", root


ATTACKS = [pytest.param(root, id=f"{what}: {name}") for what in ("assertion", "response", "both") for name, root in wrapping_attacks(what)]


@pytest.mark.parametrize("root", ATTACKS)
def test_wrapping_attacks(root: etree._Element) -> None:
    result = check(etree.tostring(root))
    assert [name for name, _ in faults(result)] == ["signature"]
    assert result.claims == [] and result.email_domain == "" and result.issuer == ""


def test_an_evil_assertion_in_a_wsfed_answer() -> None:
    root = etree.fromstring(made.wsfed_response())
    root.append(copy.deepcopy(root[0]))
    root[1][0].set("AssertionID", "_evil")
    assert faults(check(etree.tostring(root))) == [("signature", "AADSTS50008")]


def test_wsfed_needs_saml_1_1() -> None:
    root = etree.fromstring(made.wsfed_response())
    root[0].replace(root[0][0], etree.fromstring(made.saml_assertion()))
    assert faults(check(etree.tostring(root))) == [("signature", "AADSTS50008")]


def test_a_hmac_signature_with_the_public_key_as_secret_is_refused() -> None:
    data = made.saml_response().replace(b"rsa-sha256", b"hmac-sha256")
    assert faults(check(data)) == [("signature", "AADSTS50008")]


RESPONSE = made.saml_response()
BASE64 = base64.b64encode(RESPONSE).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(RESPONSE, id="XML"),
        pytest.param(b"\xef\xbb\xbf\r\n" + RESPONSE, id="XML with a byte order mark"),
        pytest.param(BASE64.encode(), id="base64"),
        pytest.param("\r\n".join(BASE64[n : n + 76] for n in range(0, len(BASE64), 76)).encode(), id="base64 in lines"),
        pytest.param(quote_plus(BASE64).encode(), id="base64, percent-encoded"),
        pytest.param(urlencode({"RelayState": "x", "SAMLResponse": BASE64}).encode(), id="form"),
    ],
)
def test_the_forms_in_which_people_capture_a_response(text: bytes) -> None:
    assert check(text).valid


LOGIN = made.LOGIN
WRESULT = made.wsfed_response().decode()
FORM_BODY = urlencode({"RelayState": "x", "SAMLResponse": BASE64})
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Working...</title></head><body onload='document.forms[0].submit()'>"
    f'<form method="POST" name="hiddenform" action="{LOGIN}"><input type="hidden" name="%s" value="%s" /><input type="hidden" name="RelayState" '
    'value="x"/></form></body></html>'
)


def har(*entries: dict[str, object]) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": [{"request": {"url": "https://idp.example/style.css", "method": "GET"}}, *entries]}})


def posted(url: str, **data: object) -> dict[str, object]:
    return {"startedDateTime": "x", "request": {"method": "POST", "url": url, "postData": data}}


def cmd(text: str) -> str:
    """As Chrome escapes it for cmd.exe."""
    return re.sub(r'(["%&])', r"^\1", text)


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(PAGE % ("SAMLResponse", BASE64), id="a saved page"),
        pytest.param(PAGE.removeprefix("<!DOCTYPE html>\n") % ("SAMLResponse", BASE64), id="a saved page without DOCTYPE"),
        pytest.param(f'<form><textarea name="SAMLResponse">{BASE64}</textarea></form>', id="a piece of a page"),
        pytest.param(PAGE % ("samlresponse", BASE64), id="a saved page, small letters"),
        pytest.param(PAGE % ("wresult", html.escape(WRESULT)), id="a saved page, WS-Federation"),
        pytest.param(f"SAMLResponse: {BASE64}\nRelayState: x", id="Chrome's table"),
        pytest.param(f"RelayState\tx\nSAMLResponse\t{BASE64}\n", id="Edge's table"),
        pytest.param(f"RelayState: x\nSAMLResponse:\n{BASE64}\n", id="the value on the next line"),
        pytest.param(f'Form data\nSAMLResponse\t"{BASE64}"\nRelayState\t"x"', id="Firefox's table"),
        pytest.param(f"wa: wsignin1.0\nwresult: {WRESULT}\nwctx: LoginOptions=3", id="Chrome's table, WS-Federation"),
        pytest.param(f"POST /login.srf HTTP/1.1\r\nHost: login.microsoftonline.com\r\nCookie: a=b\r\n\r\n{FORM_BODY}", id="a whole request"),
        pytest.param(har(posted(LOGIN, text=FORM_BODY)), id="HAR, text only"),
        pytest.param(har(posted(LOGIN, params=[{"name": "SAMLResponse", "value": quote_plus(BASE64)}], text=FORM_BODY)), id="HAR, as Chrome writes it"),
        pytest.param(har(posted(LOGIN, params=[{"name": "SAMLResponse", "value": BASE64}])), id="HAR, as Firefox writes it"),
        pytest.param(
            har(posted("https://idp.example/acs", text=urlencode({"SAMLResponse": "PHg+"})), posted(LOGIN, text=FORM_BODY)), id="HAR with the provider's own"
        ),
        pytest.param(har(posted(LOGIN, params=[{"name": "wresult", "value": WRESULT}])), id="HAR, WS-Federation"),
        pytest.param(json.dumps({"SAMLResponse": BASE64, "RelayState": "x"}), id="JSON"),
        pytest.param(json.dumps({"Form data": {"SAMLResponse": [BASE64]}}), id="JSON with lists"),
        pytest.param(json.dumps({"requests": [{"url": LOGIN, "post": [["SAMLResponse", BASE64]]}]}), id="JSON with pairs"),
        pytest.param(f"curl '{LOGIN}' \\\n  -H 'a: b=c' \\\n  --data-raw '{FORM_BODY}' \\\n  --compressed", id="curl"),
        pytest.param(f"curl '{LOGIN}' --data-urlencode 'SAMLResponse={BASE64}' -H 'a: b'", id="curl, not encoded"),
        pytest.param(f'curl ^"{LOGIN}^" ^\r\n  -H ^"a: b^" ^\r\n  --data-raw ^"{cmd(FORM_BODY)}^"', id="curl for cmd.exe"),
        pytest.param(f'curl "{LOGIN}" --data-raw "{FORM_BODY.replace("%", "%%")}"', id="curl for an older cmd.exe"),
        pytest.param(f'Invoke-WebRequest -Uri "{LOGIN}" `\n-Method "POST" `\n-Body "{FORM_BODY}"', id="PowerShell"),
        pytest.param(f'fetch("{LOGIN}", {{\n  "body": "{FORM_BODY}",\n  "method": "POST"\n}});', id="fetch"),
        pytest.param(f"curl '{LOGIN}' --data-raw '{urlencode({'wa': 'wsignin1.0', 'wresult': WRESULT})}'", id="curl, WS-Federation"),
    ],
)
def test_the_ways_in_which_browsers_save_an_answer(saved: str) -> None:
    assert check(saved.encode()).valid


#: XML whose length is a multiple of 3 has no = at the end of its base64, and the last sign may be +: what is decoded once too often ends in a blank.
WHOLE = RESPONSE + b"<!--" + b"x" * (-(len(RESPONSE) + 7) % 3) + b"-->"
WHOLE64 = base64.b64encode(WHOLE).decode()
LINES = [BASE64[at : at + 76] for at in range(0, len(BASE64), 76)]
CONTEXT = WRESULT.replace(">", ' Context="1&amp;2">', 1)
BARE_FORM = f"wa=wsignin1.0&wresult={CONTEXT}&wctx=x"
COMMENT = f"<!-- {'x' * 5000} -->"


def page_of(content: dict[str, object]) -> str:
    return har({"request": {"url": "https://idp.example/sso", "method": "POST"}, "response": {"content": content}})


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param("    " + "\n    ".join(LINES) + "\n", id="indented"),
        pytest.param(" \t\r\n".join(LINES) + "  \r\n", id="blanks where the lines end"),
        pytest.param("SAMLResponse=\n  " + "\n  ".join(LINES) + "\n&RelayState=x", id="form value on indented lines"),
        pytest.param(PAGE % ("SAMLResponse", "\n    " + "\n    ".join(LINES) + "\n   "), id="page, value on indented lines"),
        pytest.param(f"SAMLResponse={WHOLE64}&RelayState=x", id="form not encoded, + at the end"),
        pytest.param(f"RelayState=x&SAMLResponse={WHOLE64}", id="the same, last"),
        pytest.param(f"SAMLResponse={WHOLE64}", id="the same, alone"),
        pytest.param(f"SAMLResponse={WHOLE64}\n", id="the same, alone on a line"),
        pytest.param(har(posted(LOGIN, params=[{"name": "SAMLResponse", "value": WHOLE64.replace("+", " ")}])), id="HAR, decoded once too often"),
        pytest.param(json.dumps({"SAMLResponse": WHOLE64.replace("+", " ")}), id="JSON, decoded once too often"),
        pytest.param(WHOLE64.replace("+", " ") + "\n", id="base64, decoded once too often"),
        pytest.param(BASE64 + "    ", id="blanks behind base64"),
        pytest.param(WHOLE64 + "    ", id="blanks behind base64 without ="),
        pytest.param(f'"{BASE64}",\n', id="base64 in quotes"),
        pytest.param("\\r\\n".join(LINES), id="line breaks as a program writes them"),
        pytest.param("\\n".join(LINES) + "\\n", id="line breaks as a program writes them, Unix"),
        pytest.param("&#13;&#10;".join(LINES), id="line breaks as XML writes them"),
        pytest.param("\u200b" + BASE64, id="a blank without width before base64"),
        pytest.param("\u200b\ufeff" + RESPONSE.decode(), id="a blank without width before XML"),
        pytest.param(base64.urlsafe_b64encode(RESPONSE).decode().rstrip("="), id="base64 for addresses"),
        pytest.param(base64.b64encode(zlib.compress(RESPONSE)[2:-4]).decode(), id="deflated"),
        pytest.param(urlencode({"SAMLResponse": base64.b64encode(zlib.compress(RESPONSE)[2:-4]), "RelayState": "x"}), id="form, deflated"),
        pytest.param(base64.b64encode(BASE64.encode()).decode(), id="base64 of base64"),
        pytest.param(BARE_FORM, id="form not encoded, WS-Federation"),
        pytest.param(f"curl '{LOGIN}' --data-raw '{BARE_FORM}'", id="curl, not encoded, WS-Federation"),
        pytest.param(har(posted(LOGIN, text=BARE_FORM)), id="HAR, not encoded, WS-Federation"),
        pytest.param(json.dumps({"samlResponse": BASE64}), id="JSON of a program"),
        pytest.param(har(posted(LOGIN, text=base64.b64encode(FORM_BODY.encode()).decode(), encoding="base64")), id="HAR, body in base64"),
        pytest.param(page_of({"text": PAGE % ("SAMLResponse", BASE64)}), id="HAR with the page only"),
        pytest.param(page_of({"text": base64.b64encode((PAGE % ("SAMLResponse", BASE64)).encode()).decode(), "encoding": "base64"}), id="the same in base64"),
        pytest.param("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n" + PAGE % ("SAMLResponse", BASE64), id="a page below its headers"),
        *(
            pytest.param(f"<{tag}>x</{tag}><p>{PAGE.partition('<body')[2].partition('>')[2]}" % ("SAMLResponse", BASE64), id=f"a piece of a page: {tag}")
            for tag in ("div", "style", "title", "script", "noscript", "table")
        ),
        pytest.param('<meta charset="utf-8">' + PAGE.partition("\n")[2] % ("SAMLResponse", BASE64), id="a piece of a page: meta"),
        pytest.param(COMMENT + PAGE % ("SAMLResponse", BASE64), id="a page below a long comment"),
        pytest.param(COMMENT + f'<div><input value="{BASE64}" name="SAMLResponse"></div>', id="a piece of a page below a long comment"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_more_ways_in_which_answers_are_saved(saved: str, encoding: str) -> None:
    """UTF-16: PowerShell's > and Notepad's Unicode, with a byte order mark and without."""
    result = check(saved.encode(encoding))
    assert result.valid, faults(result)


def archive(page: str, encoding: str) -> str:
    """A page as Chrome and Edge save it in one file."""
    told = base64.encodebytes(page.encode()) if encoding == "base64" else quopri.encodestring(page.encode())
    parts = f"--x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: {encoding}\r\nContent-Location: https://idp.example/\r\n\r\n{told.decode()}\r\n"
    picture = f"--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{'iVBORw0K' * 400_000}\r\n"
    head = 'From: <Saved by Blink>\r\nSubject: Working...\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="x"\r\n\r\n'
    return f"{head}{parts}{picture}--x--\r\n"


def traced(posted_value: str, data: object) -> str:
    """As SAML-tracer exports it."""
    request = {"method": "GET", "url": "https://idp.example/sso", "saml": '<p:AuthnRequest xmlns:p="urn:x"/>', "protocol": "SAML-P"}
    answer = {"method": "POST", "url": LOGIN, "post": [["SAMLResponse", posted_value]], "postData": data, "saml": RESPONSE.decode(), "protocol": "SAML-P"}
    return json.dumps({"requests": [request, answer], "timestamp": "2026-11-21T12:00:00Z"}, indent=2)


def multipart(name: str, value: str) -> str:
    return "".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in ((name, value), ("RelayState", "x"))) + "--x--\r\n"


@pytest.mark.parametrize(
    "saved",
    [
        *(
            pytest.param(archive(PAGE % of, encoding), id=f"MHTML, {encoding}, {of[0]}")
            for encoding in ("quoted-printable", "base64")
            for of in (("SAMLResponse", BASE64), ("wresult", html.escape(WRESULT)))
        ),
        pytest.param(f"<html><pre>{html.escape(PAGE % ('SAMLResponse', BASE64))}</pre></html>", id="a page that shows the source"),
        pytest.param(f"<html><pre>{html.escape(PAGE % ('wresult', html.escape(WRESULT)))}</pre></html>", id="the same, WS-Federation"),
        pytest.param(html.escape(RESPONSE.decode()), id="XML as a page shows it"),
        pytest.param(f"SAML message:\n{RESPONSE.decode()}\nRelayState", id="XML below a title"),
        pytest.param(f"```xml\n{WRESULT}\n```\n", id="XML in a note"),
        pytest.param(traced(BASE64, {"SAMLResponse": [BASE64]}), id="SAML-tracer"),
        pytest.param(traced("{hash:0123456789abcdef}", "{overwritten}"), id="SAML-tracer, masked"),
        pytest.param(traced("{obf:alternative_0}", "{overwritten}"), id="SAML-tracer, removed"),
        pytest.param(multipart("SAMLResponse", BASE64), id="form data in parts"),
        pytest.param(multipart("wresult", WRESULT), id="form data in parts, WS-Federation"),
        pytest.param(f'Invoke-RestMethod -Uri "{LOGIN}" -Method Post -Body @{{ SAMLResponse = "{BASE64}"; RelayState = "x" }}', id="PowerShell, hash table"),
        pytest.param(f"data = {{'SAMLResponse': '{BASE64}', 'RelayState': 'x'}}\nrequests.post('{LOGIN}', data=data)", id="Python"),
        pytest.param(f"{{ SAMLResponse: '{BASE64}', RelayState: 'x' }}", id="JavaScript"),
        pytest.param(f"http --form POST {LOGIN} SAMLResponse='{BASE64}'", id="HTTPie"),
        pytest.param(f'body: {{"SAMLResponse": "{BASE64}"}}', id="JSON in a log"),
        pytest.param(urlencode({"SAMLResponse": quote_plus(BASE64)}), id="form, encoded twice"),
        pytest.param(urlencode({"wresult": quote_plus(quote_plus(WRESULT))}), id="form, encoded three times"),
        pytest.param(quote_plus(quote_plus(BASE64)), id="base64, encoded twice"),
    ],
)
def test_still_more_ways_in_which_answers_are_saved(saved: str) -> None:
    result = check(saved.encode())
    assert result.valid, faults(result)


MIME = b"X: y\nMIME-Version: 1.0\nContent-Type: %b\n\n"


@pytest.mark.parametrize(
    "saved",
    [
        b"PA" * 900_000, (b"PA" + b"A" * 99 + b"!") * 17_000, b"SAMLResponse\n" * 140_000, b"&lt;p:Response &gt; wresult " * 70_000,
        b"x <p:Response " * 140_000, b"<!DOCTYPE " * 140_000, MIME % b"multipart/mixed; boundary=b" + b"--b\n\nx\n" * 1_000_000,
        MIME % b"message/rfc822" * 3000, b"".join(MIME % b"multipart/mixed; boundary=%d" % n + b"--%d\n" % n for n in range(2000)),
    ],
    ids=["letters", "short", "names", "pieces", "roots", "declarations", "parts of a mail", "mails in mails", "parts in parts"],
)  # fmt: skip
def test_a_text_full_of_names_takes_no_time(saved: bytes) -> None:
    begin = time.process_time()
    with pytest.raises(OffboardError):
        check(saved)
    assert time.process_time() - begin < 10


def coloured(name: str, value: str) -> str:
    """As Chrome saves the view of a page's source."""
    pairs = "".join(
        f'<span class="html-attribute-name">{n}</span>="<span class="html-attribute-value">{v}</span>" ' for n, v in (("name", name), ("value", value))
    )
    return f'<html><body><table><tr><td class="line-content"><span class="html-tag">&lt;input {pairs}&gt;</span></td></tr></table></body></html>'


def on_lines(before: str, between: str = "\n", width: int = 76) -> str:
    return before + between.join(BASE64[at : at + width] for at in range(0, len(BASE64), width))


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(on_lines("SAMLResponse: >-\n  ", "\n  "), id="YAML"),
        pytest.param(f'<html><body><script>var form = {{"SAMLResponse": "{BASE64}"}}; post(form)</script></body></html>', id="a page that posts by script"),
        pytest.param(coloured("SAMLResponse", BASE64), id="a page's source with colours"),
        pytest.param(base64.b64encode(zlib.compress(RESPONSE)).decode(), id="zlib"),
        pytest.param(base64.b64encode(gzip.compress(RESPONSE)).decode(), id="gzip"),
        pytest.param(f"Array\n(\n    [SAMLResponse] => {BASE64}\n    [RelayState] => x\n)", id="PHP, print_r"),
        pytest.param(f'array(1) {{\n  ["SAMLResponse"]=>\n  string({len(BASE64)}) "{BASE64}"\n}}', id="PHP, var_dump"),
        pytest.param(f'{{"SAMLResponse"=>"{BASE64}"}}', id="Ruby"),
        pytest.param(f"map[RelayState:[x] SAMLResponse:[{BASE64}]]", id="Go"),
        pytest.param(f"{{SAMLResponse=[{BASE64}], RelayState=[x]}}", id="Java"),
        pytest.param(f"name,value\nSAMLResponse,{BASE64}\nRelayState,x", id="CSV"),
        pytest.param(f"| name | value |\n|---|---|\n| SAMLResponse | {BASE64} |", id="Markdown"),
        pytest.param(json.dumps({"body": {"urlencoded": [{"key": "SAMLResponse", "value": BASE64}]}}), id="Postman"),
        pytest.param(json.dumps({"body": json.dumps({"SAMLResponse": BASE64}).replace("/", "\\/").replace("+", "\\u002b")}), id="JSON in a text of JSON"),
        pytest.param(json.dumps({"saml_response": BASE64}), id="a log's own name"),
        pytest.param(f"samlresponse={quote_plus(BASE64)}", id="small letters"),
        pytest.param(f"\u201c{BASE64}\u201d", id="quotes of a word processor"),
        pytest.param(on_lines("SAMLResponse:\n> ", "\n> "), id="quoted in a mail"),
        pytest.param(on_lines("", "\u200b"), id="blanks without width"),
        pytest.param(f"SAMLResponse\uff1a\n{BASE64}", id="a wide colon"),
        pytest.param(on_lines("SAMLResponse=", "\\\n"), id="a shell's lines"),
        pytest.param('wa\t"wsignin1.0"\nwresult\t"' + WRESULT.replace('"', '\\"') + '"\n', id="quotes that a program has escaped"),
    ],
)
def test_an_answer_is_found_wherever_it_stands(saved: str) -> None:
    result = check(saved.encode())
    assert result.valid, faults(result)


def proxied(request: str, *, encoded: bool = True, doctype: bool = True) -> str:
    """As Burp Suite exports its items."""
    kind = '<!DOCTYPE items [\n<!ELEMENT items (item*)>\n<!ATTLIST items burpVersion CDATA "">\n]>\n' if doctype else ""
    told = base64.b64encode(request.encode()).decode() if encoded else request
    return (
        f'<?xml version="1.0"?>\n{kind}<items burpVersion="2026.1">\n  <item>\n    <url><![CDATA[{LOGIN}]]></url>\n'
        f'    <request base64="{"true" if encoded else "false"}"><![CDATA[{told}]]></request>\n'
        f'    <response base64="true"><![CDATA[{base64.b64encode(b"HTTP/1.1 200 OK" * 40).decode()}]]></response>\n  </item>\n</items>\n'
    )


def numbered(text: str, form: str = "{}\t{}", first: int = 1) -> str:
    return "\n".join(form.format(n, line) for n, line in enumerate(text.split("\n"), first))


def mailed(body: str, attached: str = "") -> str:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "adele@fabrikam.example", "The answer"
    mail.set_content(body, cte="quoted-printable")
    if attached:
        mail.add_attachment(attached.encode(), maintype="application", subtype="octet-stream", filename="answer.txt")
    return mail.as_string()


REQUEST = f"POST /login.srf HTTP/1.1\r\nHost: login.microsoftonline.com\r\n\r\n{FORM_BODY}"
WSFED_BODY = urlencode({"wa": "wsignin1.0", "wresult": WRESULT, "wctx": "x"})
#: laid out where nothing is signed
IN_LINES = re.sub(r"(<p:Status>|</p:Status>)", r"\n  \1\n", RESPONSE.decode())
FORM_IN_BASE64 = base64.b64encode(FORM_BODY.encode()).decode()


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(proxied(REQUEST), id="Burp"),
        pytest.param(proxied(REQUEST.replace(FORM_BODY, WSFED_BODY)), id="Burp, WS-Federation"),
        pytest.param(proxied(REQUEST, encoded=False), id="Burp, not in base64"),
        pytest.param(proxied(REQUEST.replace(FORM_BODY, WSFED_BODY), encoded=False, doctype=False), id="Burp, not in base64, WS-Federation"),
        pytest.param(f"<httpSample><queryString>{html.escape(FORM_BODY)}</queryString></httpSample>", id="JMeter"),
        pytest.param(f"<session><line>POST /login.srf</line><body><![CDATA[{FORM_IN_BASE64}]]></body></session>", id="Charles"),
        pytest.param(f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{WRESULT}</s:Body></s:Envelope>', id="SOAP"),
        pytest.param(f"<Event><Data>{html.escape(RESPONSE.decode())}</Data></Event>", id="Windows' event log"),
        pytest.param(FORM_IN_BASE64, id="form in base64"),
        pytest.param(base64.b64encode(WSFED_BODY.encode()).decode(), id="form in base64, WS-Federation"),
        pytest.param("\n".join(re.findall(".{1,76}", FORM_IN_BASE64)), id="form in base64, on lines"),
        pytest.param(f"body={FORM_IN_BASE64}", id="form in base64, named"),
        pytest.param(json.dumps({"body": FORM_IN_BASE64, "isBase64Encoded": True}), id="form in base64, in a gateway's JSON"),
        pytest.param(base64.b64encode(REQUEST.encode()).decode(), id="request in base64"),
        pytest.param(base64.b64encode((PAGE % ("SAMLResponse", BASE64)).encode()).decode(), id="page in base64"),
        pytest.param(repr({"wresult": [WRESULT]}), id="Python's list, WS-Federation"),
        pytest.param(f"wresult: |\n  {WRESULT}\nwctx: x", id="YAML, WS-Federation"),
        pytest.param(f"{{\\rtf1\\ansi {WRESULT}\\par}}", id="RTF"),
        pytest.param(numbered(IN_LINES), id="numbered XML"),
        pytest.param(numbered(IN_LINES, "{:>6}\t{}"), id="numbered XML, as cat does"),
        pytest.param(numbered(IN_LINES, "{}: {}", 41), id="numbered XML, from its midst"),
        pytest.param(numbered(IN_LINES, "{}\r\n{}\r"), id="XML, numbers on lines of their own"),
        pytest.param(numbered(on_lines(""), "{:>4}  {}"), id="numbered base64"),
        pytest.param(numbered(on_lines(""), "{}\n{}"), id="base64, numbers on lines of their own"),
        pytest.param(numbered(PAGE % ("wresult", html.escape(WRESULT))), id="numbered page"),
        pytest.param("\n".join(f"> {line}" for line in IN_LINES.split("\n")), id="XML quoted in a mail"),
        pytest.param("\n".join(f">> {line}" for line in IN_LINES.split("\n")), id="XML quoted twice"),
        pytest.param(mailed(FORM_BODY), id="a mail with form data"),
        pytest.param(mailed("See the file.", FORM_BODY), id="a mail with form data in a file"),
        pytest.param(mailed("See the file.", har(posted(LOGIN, text=WSFED_BODY))), id="a mail with HAR in a file"),
        pytest.param(on_lines("Here it is:\n\n") + "\n\nregards\nAdele", id="base64 on lines, in the midst of a mail"),
    ],
)
def test_what_programs_put_around_an_answer(saved: str) -> None:
    result = check(saved.encode())
    assert result.valid, faults(result)


@pytest.mark.parametrize("name", ["ds:SignedInfo", "a:Subject", "ds:Transforms", "p:Status"])
def test_marks_in_the_midst_of_an_answer_are_no_fault_of_its_signature(name: str) -> None:
    """A browser's "-" before what can be folded, numbers that do not count from line to line."""
    marked = made.saml_response(what="both").replace(f"<{name}>".encode(), f"- <{name}>".encode())
    assert b"- <" in marked
    with pytest.raises(OffboardError) as refused:
        check(marked)
    assert (refused.value.code, "text stands between its elements" in refused.value.msg) == ("not_a_token", True), refused.value.msg
    assert refused.value.msg.endswith(captured.WHAT_TO_SAVE)


def test_a_document_type_is_not_cut_off_an_answer() -> None:
    for name in ("p:Response", "Response"):
        with pytest.raises(OffboardError) as refused:
            check(f"<!DOCTYPE {name} [<!ENTITY x 'y'>]>{RESPONSE.decode()}".encode())
        assert refused.value.code == "dtd_forbidden"


#: with a name that is signed, its letters as they are
LETTERS = etree.tostring(etree.fromstring(made.wsfed_response(mail="連携@fabrikam.example")), encoding="unicode")
LETTERS_PAGE = f'<html><head>%s<title>x</title></head><body><form action="{LOGIN}"><input name="wresult" value="{html.escape(LETTERS)}"></form></body></html>'
OF_JAPAN = ("shift_jis", "windows-31j", "x-sjis", "euc-jp", "iso-2022-jp")


def in_bytes(text: str, encoding: str) -> bytes:
    return text.encode("cp932" if encoding in OF_JAPAN[:3] else encoding)


@pytest.mark.parametrize("encoding", [*OF_JAPAN, "utf-8"])
@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(LETTERS_PAGE % '<meta charset="%s">', id="page"),
        pytest.param("<!DOCTYPE html>\n" + LETTERS_PAGE % "<META http-equiv='Content-Type' content='text/html; charset=%s'>", id="page, older"),
        pytest.param(f"<?xml version='1.0' encoding='%s'?>\n{LETTERS}", id="XML"),
    ],
)
def test_letters_of_an_answer_in_the_encoding_that_it_names(saved: str, encoding: str) -> None:
    result = check(in_bytes(saved % encoding, encoding))
    assert result.valid, faults(result)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("saved", [f"一つ目の回答は次のとおりである\n{LETTERS}\n以上", f"<?xml version='1.0' encoding='utf-8'?>{LETTERS}", BASE64])
def test_letters_of_an_answer_in_the_encoding_that_its_bytes_show(saved: str, encoding: str) -> None:
    result = check(saved.encode(encoding))
    assert result.valid, faults(result)


@pytest.mark.parametrize("named", ["utf-16", "UTF8", "Shift_JIS", "iso-8859-1"])
def test_what_is_utf_8_is_read_as_it_whatever_it_was_before(named: str) -> None:
    """A program's text, and what was handed over as the text of a task, says what it would have been."""
    assert check(f'<?xml version="1.0" encoding="{named}"?>{LETTERS}'.encode()).valid


def test_a_page_in_another_encoding_than_it_says_is_read_as_what_it_is() -> None:
    assert check((LETTERS_PAGE % '<meta charset="shift_jis">').encode()).valid


def test_a_page_in_one_file_tells_its_encoding_in_its_header() -> None:
    page = base64.encodebytes((LETTERS_PAGE % "").encode("cp932")).decode()
    part = f'--x\r\nContent-Type: text/html; charset="Shift_JIS"\r\nContent-Transfer-Encoding: base64\r\n\r\n{page}\r\n--x--\r\n'
    assert check(f'From: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n{part}'.encode()).valid


@pytest.mark.parametrize(
    "saved",
    [
        LETTERS,
        f"wa: wsignin1.0\nwresult: {LETTERS}\nwctx: x",
        json.dumps({"wresult": LETTERS}, ensure_ascii=False),
        LETTERS_PAGE % "",
        LETTERS_PAGE % "<meta charset='utf-8'>",
        LETTERS_PAGE % "<meta charset='x-user-defined'>",
        f"<?xml version='1.0' encoding='euc-jp'?>{LETTERS}",
    ],
)
def test_letters_in_an_encoding_that_nothing_tells_are_no_forgery(saved: str) -> None:
    """Notepad's ANSI: read as other letters, the signature would not fit, which would be told of the provider's certificate."""
    with pytest.raises(OffboardError) as refused:
        check(saved.encode("cp932"))
    assert (refused.value.code, "save it as UTF-8" in refused.value.msg) == ("not_xml", True), refused.value.msg


def test_letters_beside_an_answer_do_not_count() -> None:
    assert check(f"SAMLResponse: {BASE64}\nRelayState: 日本".encode("cp932")).valid


def test_what_stands_anywhere_must_be_an_answer_and_one() -> None:
    request, picture = (base64.b64encode(text * 9).decode() for text in (b'<p:AuthnRequest xmlns:p="urn:x">', b'<svg xmlns="http://www.w3.org/2000/svg">'))
    assert check(f"SAMLRequest [{request}] picture [{picture}] response [{BASE64}]".encode()).valid
    for text, code in (
        (f"SAMLRequest [{request}]", "not_a_token"),
        (f"one [{BASE64}] another [{base64.b64encode(WRESULT.encode()).decode()}]", "ambiguous_match"),
    ):
        with pytest.raises(OffboardError) as refused:
            check(text.encode())
        assert refused.value.code == code


def test_two_bodies_on_lines_of_their_own_are_two_answers() -> None:
    with pytest.raises(OffboardError) as refused:
        check(f"{FORM_BODY}\n{urlencode({'SAMLResponse': base64.b64encode(made.saml_response(what='both'))})}\n".encode())
    assert refused.value.code == "ambiguous_match"


def test_a_length_of_three_is_what_is_tested() -> None:
    assert WHOLE64.endswith("+")


def test_an_answer_in_utf_16_may_say_that_it_is_something_else() -> None:
    assert check(f"<?xml version='1.0' encoding='utf-8'?>\n{RESPONSE.decode()}".encode("utf-16")).valid


@pytest.mark.parametrize(
    "saved", ["<a><b></a>", "<div>Sign in<br></div>", base64.b64encode(b"<a>").decode(), f"<p:Response {RESPONSE.decode()[:900]}", BASE64[:400]]
)
def test_what_is_no_xml_says_what_to_save(saved: str) -> None:
    with pytest.raises(OffboardError) as refused:
        check(saved.encode())
    assert (refused.value.code, refused.value.msg.endswith(captured.WHAT_TO_SAVE)) == ("not_xml", True), refused.value.msg


@pytest.mark.parametrize(
    ("saved", "code", "told"),
    [
        ("<html><body>Sign in</body></html>", "not_a_token", "no form field SAMLResponse"),
        ("<html><![unknown[<form>", "not_a_token", "no form field SAMLResponse"),
        (har(posted("https://a.example/", text="a=b")), "not_a_token", "HAR"),
        ("{}", "not_a_token", "login.srf"),
        ("SAMLRequest: fZJBT8MwDIXv", "not_a_token", "login.srf"),
        (f"curl '{LOGIN}' -H 'a: b'", "not_a_token", "login.srf"),
        (har(posted(LOGIN, text=FORM_BODY), posted(LOGIN, text=urlencode({"SAMLResponse": "PHg+PC94Pg=="}))), "ambiguous_match", "2 sign-in answers"),
        ("[" * 100_000, "not_a_token", "login.srf"),
        ("<html>" + "<a " * 34_000, "not_a_token", "login.srf"),  # Python's own parser took minutes
        ("<form>" + "<input " * 15_000, "not_a_token", "login.srf"),
        ('<?xml version="1.0"?>\n<!DOCTYPE items [<!ELEMENT items (item*)>]>\n<items/>', "dtd_forbidden", "login.srf"),
        (archive("<html>SAMLResponse</html>", "base64"), "not_a_token", "login.srf"),
        (archive("<html>Sign in</html>", "quoted-printable")[:300_000], "not_a_token", "login.srf"),
    ],
)
def test_what_holds_no_answer_says_what_to_save(saved: str, code: str, told: str) -> None:
    with pytest.raises(OffboardError) as refused:
        check(saved.encode())
    assert (refused.value.code, told in refused.value.msg) == (code, True), refused.value.msg


def test_the_forms_in_which_people_capture_a_wsfed_answer() -> None:
    answer = made.wsfed_response().decode()
    for text in (answer, quote_plus(answer), urlencode({"wa": "wsignin1.0", "wresult": answer, "wctx": "LoginOptions=3"})):
        assert check(text.encode()).valid


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"!!", "not_a_token"),
        ("日本".encode(), "not_a_token"),
        (b"<a/>", "not_a_token"),
        (made.entity().encode(), "not_a_token"),
        (made.saml_assertion().encode(), "not_a_token"),
        (base64.b64encode(b"<a>"), "not_xml"),
        (b"<!DOCTYPE a><a/>", "dtd_forbidden"),
        (b"<a>" + b" " * token.MAX_BYTES + b"</a>", "too_large"),
        (b"A" * token.MAX_BYTES * 3, "too_large"),
        (b"&".join(b"a%d=1" % n for n in range(100)), "not_a_token"),
    ],
)
def test_what_is_no_token_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(OffboardError) as refused:
        check(data)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (gzip.compress(urlencode({"SAMLResponse": "x"}).encode()), "compressed"),
        (b"PK\x03\x04" + bytes(3 * token.MAX_BYTES), "Fiddler's SAZ"),
        (b"bplist00" + bytes(3 * token.MAX_BYTES), "a web archive of Safari"),
        (b"\x0a\x0d\x0d\x0a" + b"x" * 3 * token.MAX_BYTES, "larger than"),
    ],
)
def test_whoever_saved_something_else_is_told_what_to_save(data: bytes, told: str) -> None:
    with pytest.raises(OffboardError) as refused:
        check(data)
    assert told in refused.value.msg and "copy that request as cURL" in refused.value.msg


@pytest.mark.parametrize("data", [made.saml_response(), made.saml_response(by=B), assertion(mail="adele@evil.example"), made.wsfed_response(mail="a@b@c")])
def test_nothing_personal_is_told(data: bytes) -> None:
    told = json.dumps(check(data).to_dict())
    assert "adele" not in told and "a@b" not in told and "7f3a" not in told
    assert "<" not in told


@pytest.mark.parametrize(
    ("mail", "domain", "ok"),
    [
        ("adele@faceboo\u212a.example", "facebook.example", False),  # the Kelvin sign, whose small letter is k
        ("adele@FABRIKAM.example", "fabrikam.example", True),
        ("adele@M\u00dcLLER.example", "m\u00fcller.example", True),
        ("adele@m\u00fcller\u212a.example", "m\u00fcllerk.example", False),
    ],
)
def test_the_mail_domain_is_no_other_that_looks_alike(mail: str, domain: str, ok: bool) -> None:
    result = check(made.saml_response(made.saml_assertion(mail=mail)), domains=[domain])
    assert (("emailaddress", "AADSTS5000819") in faults(result)) is not ok


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        ("mailto:adele@fabrikam.example", "mailto:"),
        ("MAILTO:adele@fabrikam.example", "mailto:"),
        ("adele;bob@fabrikam.example", "before its last @"),
        ("adele@fabrikam.example;bob@fabrikam.example", "before its last @"),
        ("Adele &lt;adele@fabrikam.example&gt;", "before its last @"),
        ("adele vance@fabrikam.example", "before its last @"),
        ("adele@fabrikam\u3002example", "U+3002"),
        ("adele@fabrikam\uff0eexample", "U+3002"),
        ("adele@fabrikam..example", "no name"),
        ("adele@fabrikam.example.", "no name"),
        ("adele\u200b@fabrikam.example", "nobody sees"),
        ("adele", "one @"),
    ],
)
@pytest.mark.parametrize("domains", [["fabrikam.example"], []])
def test_what_is_not_one_mail_address_is_told_without_it(mail: str, told: str, domains: list[str]) -> None:
    result = check(assertion(mail=mail), domains=domains)
    (item,) = [item for item in result.checks if not item.ok]
    assert (item.check, told in item.msg, result.email_domain) == ("emailaddress", True, ""), item.msg
    assert "adele" not in item.msg and "fabrikam" not in item.msg


@pytest.mark.parametrize("mail", ["adele.o'neil+x_y#1@fabrikam.example", "連携@fabrikam.example"])
def test_unusual_mail_addresses(mail: str) -> None:
    assert check(assertion(mail=mail)).valid


@pytest.mark.parametrize(
    ("end", "valid"),
    [
        (" 2026-11-21T12:30:00Z ", True),
        ("\n2026-11-21T11:00:00Z\n", False),
        ("2026-11-21T24:00:00Z", True),
        ("2026-11-20T24:00:00.000Z", False),
        ("2026-11-21T24:00:01Z", False),
        ("9999-12-31T24:00:00Z", False),
        ("2026-11-21T12:30:00.1234567Z", True),
    ],
)
def test_times_as_xml_schema_allows_them(end: str, valid: bool) -> None:
    one = re.sub(r'(<\w+:Conditions NotBefore="[^"]*" NotOnOrAfter=")[^"]*', rf"\g<1>{end}", made.saml_assertion())
    assert end in one
    result = check(made.saml_response(one))
    assert result.valid is valid, faults(result)
    assert valid or faults(result) == [("time", "AADSTS500089")]


def test_an_answer_without_a_status_says_so() -> None:
    data = re.sub(rb"<p:Status>.*</p:Status>", b"", made.saml_response())
    assert [item.msg for item in check(data).checks] == ["The answer has no StatusCode, so it does not say that it succeeded."]


def test_a_reference_to_the_whole_document_is_named() -> None:
    data = made.saml_response(what="response").replace(b'URI="#_response"', b'URI=""')
    (item,) = [item for item in check(data).checks if item.check == "signature"]
    assert "whole document" in item.msg and "signature_unsupported" in item.msg


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ('<p:Status><p:StatusCode Value=""/></p:Status>', "The answer's StatusCode is empty, so it does not say that it succeeded."),
        ('<p:Status><p:StatusCode Value=""><p:StatusCode Value=" "/></p:StatusCode></p:Status>', "The answer's StatusCode is empty, so it does"),
        ('<p:Status><p:StatusCode Value="urn:x:Responder"><p:StatusCode Value=""/></p:StatusCode></p:Status>', "reports an error: Responder."),
    ],
)
def test_an_error_that_is_none_is_not_reported(status: str, told: str) -> None:
    data = re.sub(rb"<p:Status>.*</p:Status>", status.encode(), made.saml_response())
    assert [told in item.msg for item in check(data).checks] == [True]


def test_the_certificate_that_is_there_already_is_not_advised() -> None:
    root = etree.fromstring(made.saml_response())
    root.find(f".//{SAML2}Audience").text = "urn:x"
    (altered,) = [item.msg for item in check(etree.tostring(root)).checks if not item.ok]
    assert "put it into the federation" not in altered and A_SHA1 in altered and "save it as it was posted" in altered
    (rotated,) = [item.msg for item in check(made.saml_response(by=B)).checks if not item.ok]
    assert "put it into the federation" in rotated and "as it was posted" not in rotated
    (without,) = [item.msg for item in check(re.sub(rb"(?s)<ds:X509Certificate>.*?</ds:X509Certificate>", b"", made.saml_response(by=B))).checks if not item.ok]
    assert "put it into the federation" not in without


@pytest.mark.parametrize("value", ["", "<a:AttributeValue/>", "<a:AttributeValue> </a:AttributeValue><a:AttributeValue/>"])
def test_a_claim_without_a_value_is_not_told_as_another_claim(value: str) -> None:
    """Of a user without a mail address."""
    told = made.saml_assertion().replace(f"<a:AttributeValue>{made.MAIL}</a:AttributeValue>", value)
    assert [item.msg for item in check(made.saml_response(told)).checks if not item.ok] == ["The claim has no value."]
    other = made.saml_response(made.saml_assertion(mail_claim="email"))
    assert [item.msg for item in check(other).checks if not item.ok] == [
        "The claim is missing. It sends email instead; the name must be this whole URI, letter by letter."
    ]


def test_blanks_around_a_status_are_none_of_it() -> None:
    """Its type is anyURI, whose blanks collapse."""
    data = re.sub(rb'StatusCode Value="([^"]*)"', rb'StatusCode Value="\n  \1 "', made.saml_response())
    assert b"\n  urn:" in data and check(data).valid


def test_blanks_around_an_issuer_are_named() -> None:
    result = check(assertion(issuer=f"\n  {made.ISSUER}\n"))
    assert [item.msg.endswith("Only white space around it differs.") for item in result.checks if not item.ok] == [True]


@pytest.mark.parametrize("wrong", [(made.LOGIN, "https://shop.example/acs"), (made.stamp(60), made.stamp(-60))])
def test_one_confirmation_that_holds_is_enough(wrong: tuple[str, str]) -> None:
    right = re.search("<a:SubjectConfirmation .*</a:SubjectConfirmation>", made.saml_assertion())
    assert right
    other = right[0].replace(*wrong)
    for both in (other + right[0], right[0] + other):
        assert check(made.saml_response(made.saml_assertion().replace(right[0], both))).valid
    assert len(faults(check(made.saml_response(made.saml_assertion().replace(right[0], other + other))))) == 1


def test_an_encrypted_token_of_wsfed_is_not_told_as_none() -> None:
    root = etree.fromstring(made.wsfed_response())
    token_ = root[0]
    token_.remove(token_[0])
    etree.SubElement(token_, "{http://www.w3.org/2001/04/xmlenc#}EncryptedData")
    assert [("encrypted" in item.msg, item.aadsts) for item in check(etree.tostring(root)).checks if not item.ok] == [(True, "AADSTS50008")]
