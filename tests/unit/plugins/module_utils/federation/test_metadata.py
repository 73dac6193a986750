# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata: what is read, what is refused, and which certificate is the active one."""

from __future__ import annotations

import base64
import datetime
import gzip

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import AmbiguousMatch, OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import certificates, info, metadata, values, xml
from ansible_collections.offboard.iij_id.plugins.module_utils._federation.options import TokenOptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519
from dev.options import given
from lab.identity_providers import made
from lxml import etree

A, B = made.key("A"), made.key("B")


def read(document: str | bytes, now: datetime.datetime = made.NOW) -> metadata.Metadata:
    return metadata.read(document.encode() if isinstance(document, str) else document, now)


def only(document: str | bytes) -> metadata.Entity:
    result = read(document)
    assert result.outcome == metadata.OK, result.msg
    return result.entities[0]


def sha256(key: made.Key) -> str:
    return certificates.from_base64(key.base64).sha256


def test_what_a_provider_with_both_protocols_says() -> None:
    entity = only(made.entity(made.saml_role(), made.wsfed_role(claims=(metadata.EMAILADDRESS, metadata.IMMUTABLEID))))
    assert entity.entity_id == made.ISSUER
    assert entity.usable_protocols == ["saml", "wsfed"]
    assert entity.saml.passive_sign_in_uri == entity.wsfed.passive_sign_in_uri == made.SIGN_IN
    assert entity.wsfed.metadata_exchange_uris == ["https://sts.fabrikam.example/adfs/services/trust/mex"]
    assert (entity.wsfed.claim_types_offered, entity.wsfed.offers_emailaddress, entity.wsfed.offers_immutableid) == (2, True, True)
    assert entity.warnings == []


REFUSED = {
    "empty": b" \n",
    "too_large": b"<a>" + b" " * xml.MAX_BYTES + b"</a>",
    "dtd_forbidden": b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
    "not_xml": b"<a><b></a>",
    "too_deep": b"<a>" * 201 + b"</a>" * 201,
    "too_complex": b"<a>" + b"<b/>" * (xml.MAX_NODES + 1) + b"</a>",
    "not_metadata": b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
    "no_idp": made.entity("<md:SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'/>").encode(),
    "duplicate_entity": made.aggregate(made.entity(), made.entity()).replace('ID="_doc"', "").encode(),
    "entity_id_missing": made.entity(entity_id=" ").encode(),
    "no_signing_certificate": made.entity(made.saml_role(made.key_descriptor(A, "encryption"))).encode(),
    "passive_endpoint_missing": made.entity(made.saml_role(endpoints=made.endpoint(binding="SOAP"))).encode(),
    "passive_endpoint_not_https": made.entity(made.saml_role(endpoints=made.endpoint("http://sts.fabrikam.example/"))).encode(),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refusals(reason: str) -> None:
    result = read(REFUSED[reason])
    assert (result.outcome, result.reason) == (metadata.REJECT, reason)
    assert result.msg
    with pytest.raises(OffboardError) as refused:
        metadata.choose(result)
    assert refused.value.code == reason


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form></form></body></html>", "dtd_forbidden", "a web page"),
        (b"\xef\xbb\xbf<!-- saved -->\n<HTML><br></HTML>", "not_xml", "a web page"),
        (b"<!---->" * 3000 + b"<html><br></html>", "not_xml", "a web page"),
        ("<!doctype html><html></html>".encode("utf-16"), "not_xml", "a web page"),
        (b'{"issuer": "https://sts.fabrikam.example", "jwks_uri": "x"}', "not_xml", "JSON"),
        (A.pem.encode(), "not_xml", "a certificate"),
        (b"Bag Attributes\n" + A.pem.encode(), "not_xml", "a certificate"),
        (base64.b64decode(A.base64), "not_xml", "a certificate"),
        (A.base64.encode(), "not_xml", "a certificate"),
        (gzip.compress(made.entity().encode()), "not_xml", "compressed"),
        (b"This XML file does not appear to have any style information associated with it.\n" + made.entity().encode(), "not_xml", "a browser"),
        (f"この XML ファイルにはスタイル情報が関連付けられていないようです。\n{made.entity()}".encode(), "not_xml", "a browser"),
        (f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n{made.entity()}".encode(), "not_xml", "below another text"),
        (b"https://sts.fabrikam.example/FederationMetadata.xml\r\n", "not_xml", "an address"),
        (b"[InternetShortcut]\r\nURL=https://sts.fabrikam.example/FederationMetadata.xml\r\n", "not_xml", "an address"),
    ],
)
def test_what_is_something_else_is_named(data: bytes, code: str, told: str) -> None:
    result = read(data)
    assert told in result.msg and result.msg.endswith(metadata.WHAT_TO_SAVE), result.msg
    assert result.reason in (code, "dtd_forbidden")


def test_broken_metadata_is_not_something_else() -> None:
    assert "not well-formed" in read(made.entity(made.saml_role(made.key_descriptor(A.pem)))[:-10]).msg
    assert "DOCTYPE" in read("<!DOCTYPE md:EntityDescriptor>" + made.entity()).msg


@pytest.mark.parametrize(
    "location",
    [
        "https://idp fabrikam.com/", "https://a:b@idp.fabrikam.com/", "https://a@idp.fabrikam.com/", "https://idp.fabrikam.com/a&#9;b", "https://[::1/",
        "https://idp.fabrikam.com:99999/", "https://idp.fabrikam.com:0/", "https://idp.fabrikam.com/&#x200b;", "https://idp&#x3002;fabrikam.com/", "https://:443/",
        "https://idp.fabrikam.com\\@evil.example/",
    ],
)  # fmt: skip
def test_sign_in_addresses_that_are_none(location: str) -> None:
    assert read(made.entity(made.saml_role(endpoints=made.endpoint(location)))).reason == "passive_endpoint_not_https"
    assert read(made.entity(made.wsfed_role(passive=location))).reason == "passive_endpoint_not_https"


@pytest.mark.parametrize("location", ["https://192.0.2.10/", "https://[2001:db8::1]:8443/", "https://adfs/adfs/ls/", "https://idp.müller.example/連携?a=é"])
def test_sign_in_addresses_that_are_unusual(location: str) -> None:
    assert only(made.entity(made.saml_role(endpoints=made.endpoint(location)))).saml.passive_sign_in_uri == location


@pytest.mark.parametrize("depth", [200, 201])
def test_the_depth_limit_itself(depth: int) -> None:
    assert read("<a>" * depth + "</a>" * depth).reason == ("not_metadata" if depth == 200 else "too_deep")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<a " + b"".join(b"a%x='' " % n for n in range(100_000)) + b"/>", id="one tag of a megabyte"),
        pytest.param(b"<a><!--" + b"x" * 2**20 + b"--></a>", id="one comment of a megabyte"),
        pytest.param(made.aggregate("<md:EntityDescriptor/>" * (metadata.MAX_ENTITIES + 1)).encode(), id="more entities than real"),
    ],
)
def test_what_would_cost_too_much_is_refused(data: bytes) -> None:
    assert read(data).reason == "too_complex"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "us-ascii", "utf-7", "shift_jis", "no-such-encoding"])
def test_encodings_are_read_or_refused(encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?>{made.entity()}"
    result = read(text.encode("utf-8" if encoding.startswith("no-") else encoding))
    assert (result.outcome, result.reason) in ((metadata.OK, ""), (metadata.REJECT, "not_xml"))
    assert result.outcome == metadata.OK or encoding in ("utf-7", "no-such-encoding")


NAMED = made.entity().replace("</md:EntityDescriptor>", "<md:Organization><md:OrganizationName xml:lang='ja'>～株式会社</md:OrganizationName></md:Organization>"
                              "</md:EntityDescriptor>")  # fmt: skip


@pytest.mark.parametrize(
    ("named", "encoding"),
    [
        ("Shift_JIS", "cp932"), ("windows-31j", "cp932"), ("EUC-JP", "euc_jp"), ("ISO-2022-JP", "iso2022_jp"), ("gb18030", "gb18030"), ("UTF8", "utf-8"),
        ("utf-8", "utf-16"), ("utf-16", "utf-16-le"), ("utf-8", "utf-32"), ("utf-16", "utf-8"),
        ("csWindows31J", "cp932"), ("SJIS-win", "cp932"), ("eucJP-win", "euc_jp"), ("eucJP-ms", "euc_jp"), ("CP51932", "euc_jp"),
    ],
)  # fmt: skip
def test_the_encodings_of_the_east_and_of_windows(named: str, encoding: str) -> None:
    """XML of Japan; files that PowerShell and programs have saved in another encoding than the document was sent in."""
    document = f'<?xml version="1.0" encoding="{named}"?>\n{NAMED.replace("～", "") if encoding == "euc_jp" or encoding == "iso2022_jp" else NAMED}'
    assert only(document.encode(encoding)).entity_id == made.ISSUER


@pytest.mark.parametrize("named", ["", "utf-8", "euc-jp"])
def test_an_encoding_that_is_not_the_one_is_told(named: str) -> None:
    result = read((f'<?xml version="1.0" encoding="{named}"?>' * bool(named) + NAMED).encode("cp932"))
    assert (result.reason, "save it as UTF-8" in result.msg) == ("not_xml", True)


@pytest.mark.parametrize(
    ("hidden", "inside"),
    [
        pytest.param(made.key_descriptor(B), "role", id="key in the role's extensions"),
        pytest.param(made.saml_role(made.key_descriptor(B), endpoints=made.endpoint("https://evil.example/")), "entity", id="role in the entity's extensions"),
        pytest.param(made.endpoint("https://evil.example/"), "role", id="endpoint in the role's extensions"),
    ],
)
def test_hidden_elements_change_nothing(hidden: str, inside: str) -> None:
    extensions = f"<md:Extensions>{hidden}</md:Extensions>"
    document = made.entity(made.saml_role(inside=extensions)) if inside == "role" else made.entity(made.saml_role(), inside=extensions)
    saml = only(document).saml
    assert [c.sha256 for c in saml.signing_certificates] == [sha256(A)]
    assert saml.passive_sign_in_uri == made.SIGN_IN
    assert len(saml.sso) == 1


def test_a_comment_does_not_end_a_text() -> None:
    entity = only(made.entity(made.wsfed_role(passive="https://sts.fabrikam.example<!-- -->.evil.example/")))
    assert entity.wsfed.passive_sign_in_uri == "https://sts.fabrikam.example.evil.example/"


@pytest.mark.parametrize(
    ("xsi_type", "found"),
    [
        ("fed:SecurityTokenServiceType", True),
        ("md:SecurityTokenServiceType", False),
        ("fed:ApplicationServiceType", False),
        ("x:SecurityTokenServiceType", False),
    ],
)
def test_the_role_type_is_a_qualified_name(xsi_type: str, found: bool) -> None:
    assert (read(made.entity(made.wsfed_role(xsi_type=xsi_type))).outcome == metadata.OK) is found


@pytest.mark.parametrize(
    ("locations", "expected"),
    [
        ([("https://a.example/r", "HTTP-Redirect"), ("https://a.example/p", "HTTP-POST")], "https://a.example/r"),
        ([("https://a.example/p", "HTTP-POST"), ("https://a.example/r", "HTTP-Redirect")], "https://a.example/r"),
        ([("http://a.example/r", "HTTP-Redirect"), ("https://a.example/p", "HTTP-POST")], "https://a.example/p"),
        ([("/adfs/ls/", "HTTP-Redirect"), (" https://a.example/r ", "HTTP-Redirect")], "https://a.example/r"),
        ([("https:///adfs", "HTTP-Redirect"), ("HTTPS://a.example/", "HTTP-Redirect")], "HTTPS://a.example/"),
        ([("https://a.example/soap", "SOAP"), ("https://a.example/r", "HTTP-Redirect\n  ")], "https://a.example/r"),
    ],
)
def test_the_sign_in_address(locations: list[tuple[str, str]], expected: str) -> None:
    document = made.entity(made.saml_role(endpoints="".join(made.endpoint(*location) for location in locations)))
    assert only(document).saml.passive_sign_in_uri == expected


@pytest.mark.parametrize(
    ("entity_id", "warning"),
    [
        ("fabrikam", "issuer_not_uri"),
        ("urn:fabrikam", None),
        ("https://sts.fabrikam.example:8443/a%20b?c=d&amp;e=(f)#g", None),
        ("https://sts.例.jp/", None),
        ("https://sts.fabrikam.example/\u200b", "issuer_not_uri"),
        ("https://sts.fabrikam.example/&lt;id&gt;", "issuer_not_uri"),
        ("https://sts.fabrikam.example/100%", "issuer_not_uri"),
        ("https://", "issuer_not_uri"),
        ("https:///idp", "issuer_not_uri"),
        ("https://sts.fabrikam.example/ ", "issuer_whitespace"),
        ("https://sts.fabrikam.example/" + "a" * 1024, "issuer_too_long"),
    ],
)
def test_warnings_about_the_issuer(entity_id: str, warning: str | None) -> None:
    assert only(made.entity(entity_id=entity_id)).warnings == ([warning] if warning else [])


@pytest.mark.parametrize(
    ("key", "warning"),
    [
        (made.key("weak", bits=1024), "key_weak"),
        (made.key("curve", curve=True), "key_not_rsa"),
        (made.key("old", begin=-400, end=-1), "certificate_expired"),
        (made.key("new", begin=1), "certificate_not_yet_valid"),
    ],
)
def test_warnings_about_a_certificate(key: made.Key, warning: str) -> None:
    assert only(made.entity(made.saml_role(made.key_descriptor(key)))).warnings == [f"saml:{warning}:{sha256(key)[:12]}"]


def test_further_warnings() -> None:
    role = made.saml_role(made.key_descriptor(A) + made.key_descriptor("AAAA"), formats=("1.1:nameid-format:emailAddress",), WantAuthnRequestsSigned="1")
    warnings = ["saml:certificate_unreadable:1", "want_authn_requests_signed", "nameid_persistent_not_offered"]
    assert only(made.entity(role)).warnings == warnings


@pytest.mark.parametrize(
    ("on_document", "on_entity", "on_role", "expected", "warning"),
    [
        ("2030-01-01T00:00:00Z", "2029-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "2029-01-01T00:00:00Z", []),
        ("2020-01-01T00:00:00Z", "2029-01-01T00:00:00Z", "", "2020-01-01T00:00:00Z", ["metadata_expired"]),
        ("", "", "2020-01-01T00:00:00", "2020-01-01T00:00:00", ["metadata_expired"]),
        ("", "soon", "", "soon", ["valid_until_invalid"]),
        ("2026-11-20T24:00:00Z", "2029-01-01T00:00:00Z", "", "2026-11-20T24:00:00Z", ["metadata_expired"]),
        ("", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", ["metadata_expired"]),
        ("", "", "", None, []),
    ],
)
def test_the_earliest_valid_until_binds(on_document: str, on_entity: str, on_role: str, expected: str | None, warning: list[str]) -> None:
    role = made.saml_role(**({"validUntil": on_role} if on_role else {}))
    entity = made.entity(role, attributes=f' validUntil="{on_entity}"' if on_entity else "")
    found = only(made.aggregate(entity, attributes=f' validUntil="{on_document}"' if on_document else ""))
    assert (found.valid_until, found.warnings) == (expected, warning)


OLD, NEXT = made.key("old", begin=-400, end=-1), made.key("next", begin=1)


@pytest.mark.parametrize(
    ("published", "signed_by", "active", "basis"),
    [
        ([A], None, A, "only_one"),
        ([OLD], None, OLD, "only_one"),
        ([B, A], A, A, "metadata_signature"),
        ([B, A], B, B, "metadata_signature"),
        ([B, A], None, None, "ambiguous"),
        ([B, A], made.key("C"), None, "ambiguous"),
        ([OLD, A], None, A, "only_valid_one"),
        ([NEXT, A], None, A, "only_valid_one"),
        ([OLD, A], OLD, OLD, "metadata_signature"),
        ([OLD, NEXT], None, None, "none_valid"),
    ],
)
def test_the_active_certificate(published: list[made.Key], signed_by: made.Key | None, active: made.Key | None, basis: str) -> None:
    document = made.entity(made.saml_role("".join(map(made.key_descriptor, published))))
    saml = only(made.signed_metadata(document, signed_by) if signed_by else document).saml
    assert (saml.active_certificate_sha256, saml.active_certificate_basis) == (sha256(active) if active else None, basis)


def named(subject: str, issuer: str) -> str:
    """The base64 of a certificate of its own key."""
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    private = made.key(subject).private
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(private.public_key()).serial_number(x509.random_serial_number())
    begin, end = (made.NOW + datetime.timedelta(days=days) for days in (-30, 300))
    signed = builder.not_valid_before(begin).not_valid_after(end).sign(private, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.DER)).decode()


LEAF, MIDDLE, ROOT = named("leaf", "middle"), named("middle", "root"), named("root", "root")
#: between certificates in X509Data of their own
APART = "</ds:X509Certificate></ds:X509Data><ds:X509Data><ds:X509Certificate>"
SELF, SELF_NEXT = named("leaf", "leaf"), named("leaf", "leaf")


@pytest.mark.parametrize(
    ("groups", "kept", "basis"),
    [
        ([[LEAF, MIDDLE]], [LEAF], "only_one"),
        ([[MIDDLE, LEAF]], [LEAF], "only_one"),
        ([[ROOT, LEAF, MIDDLE]], [LEAF], "only_one"),
        ([[LEAF, MIDDLE], [A.base64, ROOT]], [LEAF, A.base64, ROOT], "ambiguous"),
        ([[LEAF], [MIDDLE]], [LEAF, MIDDLE], "ambiguous"),
        ([[ROOT]], [ROOT], "only_one"),
        ([[SELF, SELF_NEXT]], [SELF, SELF_NEXT], "ambiguous"),
        ([[A.base64, B.base64]], [A.base64, B.base64], "ambiguous"),
        ([[named("one", "two"), named("two", "one")]], 2, "ambiguous"),
        ([[LEAF, APART, MIDDLE, APART, ROOT]], [LEAF], "only_one"),
        ([[A.base64, APART, B.base64]], [A.base64, B.base64], "ambiguous"),
    ],
)
def test_a_chain_is_one_certificate(groups: list[list[str]], kept: list[str] | int, basis: str) -> None:
    between = "</ds:X509Certificate><ds:X509Certificate>"
    keys = "".join(made.key_descriptor(between.join(group).replace(f"{between}{APART}{between}", APART)) for group in groups)
    saml = only(made.entity(made.saml_role(keys))).saml
    found = [certificate.base64 for certificate in saml.signing_certificates]
    assert (found if isinstance(kept, list) else len(found), saml.active_certificate_basis) == (kept, basis)


@pytest.mark.parametrize(
    ("roles", "protocol"),
    [
        pytest.param([made.saml_role(made.key_descriptor(A)), made.saml_role(made.key_descriptor(B))], "saml", id="SAML"),
        pytest.param([made.wsfed_role(made.key_descriptor(A)), made.wsfed_role(made.key_descriptor(B))], "wsfed", id="WS-Federation"),
    ],
)
def test_the_keys_of_all_roles_of_a_kind_may_sign(roles: list[str], protocol: str) -> None:
    role = only(made.entity(*roles)).protocols[protocol]
    assert ([one.base64 for one in role.signing_certificates], role.active_certificate_basis) == ([A.base64, B.base64], "ambiguous")


def test_a_role_without_keys_and_addresses_hides_no_other_one() -> None:
    saml = only(made.entity(made.saml_role("", endpoints=made.endpoint("http://sts.fabrikam.example/")), made.saml_role())).saml
    assert (saml.usable, saml.passive_sign_in_uri) == (True, made.SIGN_IN)


def test_metadata_signed_with_the_key_of_a_certificate_that_was_renewed_for_it() -> None:
    """What comes with the signature may still be the certificate of before."""
    renewed = base64.b64encode(made.certificate_of(A.private, "renewed", end=700).public_bytes(serialization.Encoding.DER)).decode()
    result = read(made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(B) + made.key_descriptor(renewed))), A))
    (entity,) = result.entities
    assert (entity.saml.active_certificate_basis, result.warnings) == ("metadata_signature", [])
    assert entity.saml.active_certificate_sha256 == certificates.from_base64(renewed).sha256


def test_the_protocols_have_their_own_active_certificates() -> None:
    document = made.entity(made.saml_role(made.key_descriptor(A) + made.key_descriptor(B)), made.wsfed_role(made.key_descriptor(B)))
    entity = only(made.signed_metadata(document, A))
    assert (entity.saml.active_certificate_sha256, entity.saml.active_certificate_basis) == (sha256(A), "metadata_signature")
    assert (entity.wsfed.active_certificate_sha256, entity.wsfed.active_certificate_basis) == (sha256(B), "only_one")


@pytest.mark.parametrize("reference", ["_doc", ""])
@pytest.mark.parametrize("sha1", [False, True])
def test_a_good_document_signature(reference: str, sha1: bool) -> None:
    result = read(made.signed_metadata(made.entity(), A, reference=reference, sha1=sha1))
    own = result.metadata_signature
    assert (own.verifies, own.verified_by, own.verified_by_published_signing_certificate) == (True, sha256(A), True)
    assert own.algorithm == ("rsa-sha1" if sha1 else "rsa-sha256")
    assert result.warnings == []


def test_a_document_signature_without_a_certificate_is_tried_with_the_published_ones() -> None:
    root = etree.fromstring(made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(B) + made.key_descriptor(A))), A))
    info = next(root.iterchildren(f"{{{made.DS}}}Signature")).find(f"{{{made.DS}}}KeyInfo")
    info.getparent().remove(info)
    assert read(etree.tostring(root)).metadata_signature.verified_by == sha256(A)


def test_a_foreign_document_signature_is_told() -> None:
    result = read(made.signed_metadata(made.entity(), B))
    assert result.metadata_signature.verified_by_published_signing_certificate is False
    assert result.warnings == ["metadata_signed_by_unknown_key"]


def wrapped(reference: str) -> bytes:
    """The genuine signed document moved into the extensions of an evil one, which carries the genuine signature."""
    genuine = etree.fromstring(made.signed_metadata(made.entity(), A))
    evil = etree.fromstring(
        made.entity(made.saml_role(made.key_descriptor(A) + made.key_descriptor(B)), inside="<md:Extensions/>").replace('"_doc"', f'"{reference}"')
    )
    own = next(genuine.iterchildren(f"{{{made.DS}}}Signature"))
    evil.insert(0, own)
    evil[1].append(genuine)
    return etree.tostring(evil)


@pytest.mark.parametrize(("reference", "error"), [("_evil", "signature_wrapped"), ("_doc", "duplicate_id")])
def test_a_wrapped_document_signature_proves_nothing(reference: str, error: str) -> None:
    result = read(wrapped(reference))
    assert (result.metadata_signature.verifies, result.metadata_signature.verified_by, result.metadata_signature.error) == (False, None, error)
    assert result.entities[0].saml.active_certificate_basis == "ambiguous"
    assert result.warnings == [f"metadata_signature_not_verified:{error}"]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (made.SIGN_IN, "https://evil.example/", "signature_invalid"),
        ("xml-exc-c14n#", "xml-unknown#", "signature_unsupported"),
        ('URI="#_doc"', 'URI="#_other"', "signature_wrapped"),
        ('URI="#_doc"', 'URI="https://evil.example/"', "signature_wrapped"),
        ("rsa-sha256", "hmac-sha256", "signature_unsupported"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA", "signature_invalid"),
    ],
)
def test_a_broken_document_signature_proves_nothing(old: str, new: str, error: str) -> None:
    signed = made.signed_metadata(made.entity(), A).decode()
    assert old in signed
    own = read(signed.replace(old, new)).metadata_signature
    assert (own.present, own.verifies, own.error) == (True, False, error)


def test_several_providers_need_a_choice() -> None:
    other = made.entity(entity_id="urn:other").replace("_doc", "_other")
    unusable = made.entity(made.saml_role(""), entity_id="urn:unusable").replace("_doc", "_unusable")
    result = read(made.aggregate(made.aggregate(made.entity()), other, unusable))
    assert result.outcome == metadata.SELECT
    assert metadata.choose(result, "urn:other").entity_id == "urn:other"
    with pytest.raises(AmbiguousMatch) as several:
        metadata.choose(result)
    assert [item["entity_id"] for item in several.value.details["candidates"]] == [made.ISSUER, "urn:other", "urn:unusable"]
    for entity_id, code in (("urn:unusable", "no_signing_certificate"), ("urn:none", "entity_not_found")):
        with pytest.raises(OffboardError) as refused:
            metadata.choose(result, entity_id)
        assert refused.value.code == code


def test_entras_template_is_told() -> None:
    assert read(made.entity(entity_id="https://sts.windows.net/{tenantid}/")).warnings == ["issuer_is_template"]


def test_certificates_as_people_hold_them() -> None:
    assert certificates.from_text(A.pem).sha256 == certificates.from_text(f"\n {A.base64[:64]}\r\n{A.base64[64:]} ").sha256
    for text, code in (
        ("AAA", "bad_base64"),
        ("-----BEGIN CERTIFICATE-----\n!!\n", "bad_base64"),
        ("AAAA", "bad_der"),
        ("", "bad_der"),
        ("A" * 10**6, "bad_der"),
    ):
        with pytest.raises(certificates.BadCertificate) as refused:
            certificates.from_text(text)
        assert refused.value.code == code


ONE_LINE = A.pem.replace("\n", " ")
BASE64_PEM = base64.b64encode(A.pem.encode()).decode()
TRUSTED = base64.b64encode(base64.b64decode(A.base64) + bytes.fromhex("300c300a06082b06010505070301")).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ONE_LINE, id="PEM on one line"),
        pytest.param(A.pem.replace("\n", "\\n"), id="PEM with line breaks as a program writes them"),
        pytest.param(A.pem.replace("\n", "\\r\\n"), id="the same of Windows"),
        pytest.param(f"Bag Attributes\n    localKeyID: 01 \nsubject=CN = x\n\nissuer=CN = x\n\n{A.pem}", id="openssl pkcs12"),
        pytest.param(f"Certificate:\n    Data:\n        Version: 3 (0x2)\n{A.pem}", id="openssl x509 -text"),
        pytest.param(f"-----BEGIN TRUSTED CERTIFICATE-----\n{TRUSTED}\n-----END TRUSTED CERTIFICATE-----\n", id="trusted"),
        pytest.param(A.pem.replace("CERTIFICATE", "X509 CERTIFICATE"), id="X509 CERTIFICATE"),
        pytest.param(f'"{A.base64}",', id="base64 in quotes"),
        pytest.param(f"'{A.pem}'", id="PEM in quotes"),
        pytest.param("\ufeff" + A.base64, id="a byte order mark"),
        pytest.param(BASE64_PEM, id="base64 of PEM"),
        pytest.param(made.key_descriptor(A), id="the element's surroundings"),
        pytest.param(f"<X509Certificate Id='a'>\n{A.base64}\n</X509Certificate>", id="the element"),
    ],
)
def test_certificates_as_tools_and_people_write_them(text: str) -> None:
    assert certificates.from_text(text).sha256 == sha256(A)
    assert values.certificate_text(text) == A.base64


@pytest.mark.parametrize("data", [base64.b64decode(A.base64), A.pem.encode("utf-16"), b"\xef\xbb\xbf" + A.base64.encode(), f"日本 {A.pem}".encode("cp932")])
def test_files_with_certificates(data: bytes) -> None:
    assert values.certificate_text(info._certificate_text(data)) == A.base64


KEY = A.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


@pytest.mark.parametrize("text", [KEY, A.pem + KEY, KEY + A.pem, (A.pem + KEY).replace("\n", "\\n"), base64.b64encode((A.pem + KEY).encode()).decode()])
def test_a_private_key_is_refused_and_not_shown(text: str) -> None:
    for read_it in (certificates.from_text, values.certificate_text):
        with pytest.raises(OffboardError) as refused:
            read_it(text)
        assert (refused.value.code, "private key" in refused.value.msg) == ("private_key", True)
        assert KEY.splitlines()[1] not in refused.value.msg


@pytest.mark.parametrize("text", [A.pem + B.pem, (A.pem + B.pem).replace("\n", " "), made.key_descriptor(A) + made.key_descriptor(B)])
def test_several_certificates(text: str) -> None:
    assert certificates.from_text(text).sha256 == sha256(A)
    with pytest.raises(OffboardError) as refused:
        values.certificate_text(text)
    assert refused.value.code == "several_certificates"


def test_the_same_certificate_twice_is_one() -> None:
    assert (
        values.certificate_text(made.key_descriptor(A) + made.key_descriptor(A.pem.replace("-----BEGIN CERTIFICATE-----", "").partition("---")[0])) == A.base64
    )


def test_a_token_may_be_signed_with_each_of_a_bundle() -> None:
    asked = given("federation_token_info", issuer_uri=made.ISSUER, signing_certificates=[A.pem + B.pem], audience="2020", content="x")
    assert [one.sha256 for one in TokenOptions.of(asked).signing_certificates] == [sha256(A), sha256(B)]


def test_a_certificate_is_described_as_cryptography_does() -> None:
    mine, theirs = certificates.from_base64(A.base64), A.certificate
    assert mine.subject == theirs.subject.rfc4514_string()
    assert int(mine.serial, 16) == theirs.serial_number
    assert datetime.datetime.fromisoformat(mine.not_after) == theirs.not_valid_after_utc
    assert mine.key_bits == A.private.key_size


def test_bytes_after_a_certificate_count_for_its_thumbprints_only() -> None:
    der = base64.b64decode(A.base64)
    padded = certificates.from_der(der + b"\0\0")
    assert padded.sha256 != certificates.from_der(der).sha256
    assert padded.x509().public_key() == A.private.public_key()


@pytest.mark.parametrize("entity_id", ["", "  "])
def test_an_empty_entity_id_is_told_as_it_is(entity_id):
    found = metadata.read(made.entity(entity_id=entity_id).encode(), made.NOW)
    assert (found.reason, found.entities[0].entity_id) == ("entity_id_missing", entity_id)


@pytest.mark.parametrize(("private", "bits"), [(ed25519.Ed25519PrivateKey, 256), (ed448.Ed448PrivateKey, 456)])
def test_keys_of_one_size_only_have_it(private, bits):
    key = private.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(made.NOW).not_valid_after(made.NOW).sign(key, None)
    assert certificates.from_der(certificate.public_bytes(serialization.Encoding.DER)).key_bits == bits


@pytest.mark.parametrize(
    ("name", "rfc2253", "shown"),
    [
        ("日本", r"\E6\97\A5\E6\9C\AC", "日本"),
        ("株式会社, 東京", r"\E6\A0\AA\E5\BC\8F\E4\BC\9A\E7\A4\BE\, \E6\9D\B1\E4\BA\AC", r"株式会社\, 東京"),
        ("a\u202eb", r"a\E2\80\AEb", r"a\E2\80\AEb"),  # no override of direction is shown to people
        ("a\nb", r"a\0Ab", r"a\0Ab"),
        ("株式会社\u3000日本", r"\E6\A0\AA\E5\BC\8F\E4\BC\9A\E7\A4\BE\E3\80\80\E6\97\A5\E6\9C\AC", "株式会社\u3000日本"),
        ("a\u00a0b", r"a\C2\A0b", "a\u00a0b"),
        ("\ue000田", r"\EE\80\80\E7\94\B0", "\ue000田"),  # a gaiji
        ("a\u200bb\u2028c\u2029d\u0085e", r"a\E2\80\8Bb\E2\80\A8c\E2\80\A9d\C2\85e", r"a\E2\80\8Bb\E2\80\A8c\E2\80\A9d\C2\85e"),
    ],
)
def test_a_subject_is_readable_beside_rfc_2253(name: str, rfc2253: str, shown: str) -> None:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(A.private.public_key()).serial_number(1)
    made_one = builder.not_valid_before(made.NOW).not_valid_after(made.NOW).sign(A.private, hashes.SHA256())
    found = certificates.from_der(made_one.public_bytes(serialization.Encoding.DER))
    assert (found.subject, found.subject_text) == (f"CN={rfc2253}", f"CN={shown}")
    assert (found.issuer, found.issuer_text) == (found.subject, found.subject_text)


def named(of: made.Key, tag: int, value: bytes) -> bytes:
    """The certificate (DER) with another string in both names, of the same length."""
    old = b"Fabrikam token signing A"
    der, padded = base64.b64decode(of.base64), value.ljust(len(old), b"x")
    assert der.count(b"\x0c" + bytes([len(old)]) + old) == 2
    return der.replace(b"\x0c" + bytes([len(old)]) + old, bytes([tag, len(padded)]) + padded)


@pytest.mark.parametrize(
    ("tag", "value", "subject"),
    [
        (19, b"*.fabrikam.example A&B_@", "CN=*.fabrikam.example A&B_@"),  # a PrintableString must not hold these, and many do
        (12, "株式会社".encode("cp932") + b"x" * 16, f"CN=#0C18{'株式会社'.encode('cp932').hex().upper()}{'78' * 16}"),
        (30, b"\xd8\x00" * 12, f"CN=#1E18{'D800' * 12}"),  # halves of characters
        (28, b"\x00\x11\x00\x00" * 6, f"CN=#1C18{'00110000' * 6}"),  # beyond all characters
        (12, "あ\u3164\uffa0".encode() + b"x" * 15, rf"CN=あ\E3\85\A4\EF\BE\A0{'x' * 15}"),  # fillers, which nobody sees
    ],
)
def test_a_name_that_is_wrongly_written_hides_no_certificate(tag: int, value: bytes, subject: str) -> None:
    der = named(A, tag, value)
    found = certificates.from_der(der)
    assert found.subject_text == subject
    assert found.x509().public_key() == A.private.public_key()
    text = base64.b64encode(der).decode()
    pinned = certificates.from_base64(text)
    result = metadata.read(made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(text))), A), made.NOW, [pinned])
    assert (result.outcome, result.vouched_by, result.entities[0].warnings) == (metadata.OK, [pinned.sha256], [])
