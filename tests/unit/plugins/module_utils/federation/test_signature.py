# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever way a genuine signature was canonicalised it verifies, and in each of those ways no forgery does."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections.abc import Callable
from xml.dom import minidom

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import certificates, metadata, service, signature, token
from lab.identity_providers import canonical, made
from lab.identity_providers.canonical import METHODS, Method
from lxml import etree

A, B = made.key("A"), made.key("B")
PINNED = certificates.from_base64(A.base64)
FEDERATION = token.Federation(issuer_uri=made.ISSUER, certificates=[PINNED], audiences=service.audiences("current", made.TENANT), domains=["fabrikam.example"])
PLACE = "<!--signature-->"
#: What surrounds the signature in the document and is no part of it, except for inclusive canonicalisation.
AROUND = f' xmlns="urn:default" xmlns:x="urn:x" xmlns:none="urn:none" xmlns:ds="{made.DS}" xml:lang="ja" xml:space="preserve"'
INSIDE = '<!-- c --><x:more x:b="&lt;&#9;&quot;" a="&#13;" none="">日本 &amp; ]]&gt;<plain xmlns=""/><?pi  y?></x:more>'


def metadata_text() -> str:
    text = made.entity(inside=f"{PLACE}<md:Extensions>{INSIDE}</md:Extensions>")
    return text.replace(f' xmlns:ds="{made.DS}"', AROUND, 1)


def response_text(place: str) -> str:
    """place: the element that is signed."""
    text = made.saml_response(what="none").decode().replace("<p:Response", f"<p:Response{AROUND}", 1)
    text = text.replace("<a:NameID ", "<!-- c --><a:NameID ")
    if place == "_assertion":
        return re.sub(r"(<a:Assertion.*?</a:Issuer>)", rf"\1{PLACE}", text, count=1)
    return text.replace("</a:Issuer>", f"</a:Issuer>{PLACE}", 1)


def wsfed_text() -> str:
    text = re.sub(r"<ds:Signature.*</ds:Signature>", PLACE, made.wsfed_response().decode(), flags=re.DOTALL)
    return text.replace("<t:RequestSecurityTokenResponse", f"<t:RequestSecurityTokenResponse{AROUND}", 1)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of document: its text, what is signed in it, and whether a reader believes it."""

    text: str
    identifier: str
    genuine: Callable[[str], bool]
    value: tuple[str, str]  # what an intruder would change


def believed_metadata(text: str) -> bool:
    """Genuine by a key that was known before, whatever came with the document."""
    found = metadata.read(text.encode(), made.NOW, [PINNED])
    return found.metadata_signature.verifies and found.vouched_by == [PINNED.sha256]


def believed_token(text: str) -> bool:
    try:
        return token.check(text.encode(), FEDERATION, made.NOW).valid
    except OffboardError:
        return False


KINDS = {
    "metadata": Kind(metadata_text(), "_doc", believed_metadata, ("/adfs/ls/", "/adfs/is/")),
    "assertion": Kind(response_text("_assertion"), "_assertion", believed_token, ("adele@", "adela@")),
    "response": Kind(response_text("_response"), "_response", believed_token, ("adele@", "adela@")),
    "wsfed": Kind(wsfed_text(), "_a1", believed_token, ("adele@", "adela@")),
}
PREFIXES = {"prefixed": ("ds", True), "unprefixed": ("", True), "declared above": ("ds", False)}

all_kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
all_prefixes = pytest.mark.parametrize(("prefix", "declared"), PREFIXES.values(), ids=PREFIXES)
all_infos = pytest.mark.parametrize("info", METHODS, ids=lambda method: f"info {method.name}")
REFERENCES = [*METHODS[:3], METHODS[4], METHODS[6], None]
all_references = pytest.mark.parametrize("reference", REFERENCES, ids=lambda method: f"reference {method.name if method else 'none'}")


def sign(kind: Kind, info: Method, reference: Method | None, prefix: str = "ds", declared: bool = True, by: made.Key = A, text: str = "") -> str:
    return canonical.signed(text or kind.text, PLACE, kind.identifier, by, info=info, reference=reference, prefix=prefix, declared=declared)


# -- the canonical bytes themselves, written by hand

BY_HAND = [
    # Canonical XML 1.0, 3.3 and 3.4: attributes by namespace, empty elements, references, superfluous declarations
    (
        '<doc xmlns:b="http://www.ietf.org" xmlns:a="http://www.w3.org" xmlns="http://example.org" ID="_" attr="I\'m" attr2="all" b:attr="sorted" a:attr="out"'
        " ><e5 xmlns:b='http://www.ietf.org' z='&#9;&quot;&lt;'/><e6 xmlns=\"\">a &gt; &amp; &#13;<![CDATA[<]]></e6></doc>",
        {
            "1.0": '<doc xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" ID="_" attr="I\'m" attr2="all"'
            ' b:attr="sorted" a:attr="out"><e5 z="&#x9;&quot;&lt;"></e5><e6 xmlns="">a &gt; &amp; &#xD;&lt;</e6></doc>',
        },
    ),
    # Exclusive XML Canonicalization 1.0, 2.2
    (
        '<n0:pdu xmlns:n0="http://a.example" xml:lang="fr" xml:space="retain"><n1:elem2 xmlns:n1="http://b.example" xml:lang="en" ID="_">'
        '<n3:stuff xmlns:n3="ftp://example.org"/></n1:elem2></n0:pdu>',
        {
            "1.0": '<n1:elem2 xmlns:n0="http://a.example" xmlns:n1="http://b.example" ID="_" xml:lang="en" xml:space="retain">'
            '<n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>',
            "exclusive": '<n1:elem2 xmlns:n1="http://b.example" ID="_" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>',
        },
    ),
    # A .NET SignedXml signature: nothing is declared anew below an unprefixed element; 1.1 takes no xml:id along
    (
        '<r xmlns:x="urn:x" xml:id="i" xml:lang="ja"><Signature xmlns="urn:s" ID="_"><SignedInfo><T><U/></T></SignedInfo></Signature></r>',
        {
            "1.0": '<Signature xmlns="urn:s" xmlns:x="urn:x" ID="_" xml:id="i" xml:lang="ja"><SignedInfo><T><U></U></T></SignedInfo></Signature>',
            "1.1": '<Signature xmlns="urn:s" xmlns:x="urn:x" ID="_" xml:lang="ja"><SignedInfo><T><U></U></T></SignedInfo></Signature>',
            "exclusive with prefixes": '<Signature xmlns="urn:s" xmlns:x="urn:x" ID="_"><SignedInfo><T><U></U></T></SignedInfo></Signature>',
        },
    ),
    (
        '<r xmlns="urn:d"><e xmlns="" ID="_"><!-- c --><f><?p  q?></f></e></r>',
        {"1.0": '<e ID="_"><f><?p q?></f></e>', "1.0 with comments": '<e ID="_"><!-- c --><f><?p q?></f></e>', "exclusive": '<e ID="_"><f><?p q?></f></e>'},
    ),
]


@pytest.mark.parametrize(
    ("document", "name", "expected"),
    [(document, name, expected) for document, by_method in BY_HAND for name, expected in by_method.items()],
)
def test_the_lab_canonicalises_as_the_recommendations_say(document: str, name: str, expected: str) -> None:
    method = next(one for one in METHODS if one.name == name)
    assert canonical.canonical(canonical.element(document, "_"), method, comments=method.comments).decode() == expected


# -- genuine ones


@all_kinds
@all_prefixes
@all_infos
@all_references
def test_a_genuine_signature_verifies(kind: Kind, prefix: str, declared: bool, info: Method, reference: Method | None) -> None:
    assert kind.genuine(sign(kind, info, reference, prefix, declared))


@all_infos
@pytest.mark.parametrize("prefix", ["ds", ""])
def test_what_is_read_is_what_was_signed(info: Method, prefix: str) -> None:
    """Comments are no part of it, whatever the method is called, and neither is the signature."""
    root = etree.fromstring(sign(KINDS["metadata"], info, info, prefix).encode())
    verified = signature.verify(root, PINNED, is_document=True)
    assert next(verified.iter(etree.Comment, signature.SIGNATURE), None) is None
    assert verified.get("entityID") == made.ISSUER


@all_infos
@pytest.mark.parametrize("reference", REFERENCES[:1] + REFERENCES[-2:])
def test_instructions_beside_the_root_belong_to_the_whole_document(info: Method, reference: Method | None) -> None:
    """A style sheet, as products that show their metadata in browsers have it."""
    kind = KINDS["metadata"]
    text = f'<?xml version="1.0"?>\n<?xml-stylesheet href="a"?><!-- c -->\n<?x?>\n{kind.text}<!-- d -->\n<?y  z?>\n'
    whole = canonical.signed(text, PLACE, kind.identifier, A, info=info, reference=reference, whole_document=True)
    element = canonical.signed(text, PLACE, kind.identifier, A, info=info, reference=reference)
    assert kind.genuine(whole) and kind.genuine(element)
    for old, new in (("<?x?>", ""), ("<?x?>", "<?x 1?>"), ("<?y  z?>", "<?z  y?>")):
        assert not kind.genuine(whole.replace(old, new)) and kind.genuine(element.replace(old, new))


@pytest.mark.parametrize("name", ["assertion", "wsfed"])
@pytest.mark.parametrize("info", METHODS[:4], ids=lambda method: f"info {method.name}")
@pytest.mark.parametrize(
    ("base", "ok"), [('xml:base="https://a.example/x/"', True), ('xml:base="https://a.example/x" xml:id="q"', True), ('xml:base="../x"', False)]
)
def test_an_inherited_base_is_right_or_refused(name: str, info: Method, base: str, ok: bool) -> None:
    kind = KINDS[name]
    text = sign(kind, info, info, text=kind.text.replace(' xml:lang="ja"', f' xml:lang="ja" {base}', 1))
    assert kind.genuine(text) is (ok or "c14n11" not in info.uri)
    assert not kind.genuine(text.replace("xml:base=", "xml:lang2=", 1))


def key_value(of: made.Key) -> str:
    numbers = of.private.public_key().public_numbers()
    modulus, exponent = (base64.b64encode(one.to_bytes((one.bit_length() + 7) // 8, "big")).decode() for one in (numbers.n, numbers.e))
    return f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>{exponent}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"


def x509(*of: made.Key, around: str = "") -> str:
    certificates_of = "".join(f"<ds:X509Certificate>{around}{one.base64}{around}</ds:X509Certificate>" for one in of)
    return f"<ds:X509Data>{certificates_of}</ds:X509Data>"


KEY_INFOS = {
    "none": "",
    "key value": f"<ds:KeyInfo>{key_value(A)}</ds:KeyInfo>",
    "key value and certificate": f"<ds:KeyInfo>{key_value(A)}{x509(A)}</ds:KeyInfo>",
    "another key value": f"<ds:KeyInfo>{x509(A)}{key_value(B)}</ds:KeyInfo>",
    "a chain with its root first": f"<ds:KeyInfo>{x509(B, A)}</ds:KeyInfo>",
    "a chain with a root of another kind first": f"<ds:KeyInfo>{x509(made.key('EC', curve=True), A)}</ds:KeyInfo>",
    "PEM": f"<ds:KeyInfo>{x509(A, around='-----BEGIN CERTIFICATE-----')}</ds:KeyInfo>",
    "line ends of Windows": f"<ds:KeyInfo>{x509(A, around='&#13;&#10;')}</ds:KeyInfo>",
    "unreadable": "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>?</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
    "a name": "<ds:KeyInfo><ds:KeyName>k</ds:KeyName></ds:KeyInfo>",
    "token reference": '<ds:KeyInfo><o:SecurityTokenReference xmlns:o="urn:o"><o:KeyIdentifier>AA==</o:KeyIdentifier></o:SecurityTokenReference></ds:KeyInfo>',
}


def with_key_info(text: str, info: str) -> str:
    return re.sub(r"<ds:KeyInfo>(?:(?!<ds:KeyInfo>).)*</ds:KeyInfo>(?=</ds:Signature>)", info, text, count=1, flags=re.DOTALL)


@all_kinds
@pytest.mark.parametrize("info", KEY_INFOS.values(), ids=KEY_INFOS)
@pytest.mark.parametrize("pss", [False, True], ids=["PKCS1", "PSS"])
def test_what_a_signature_says_of_its_key_counts_for_nothing(kind: Kind, info: str, pss: bool) -> None:
    text = canonical.signed(kind.text, PLACE, kind.identifier, A, info=METHODS[4], reference=METHODS[4], pss=pss)
    assert with_key_info(text, "") != text
    assert kind.genuine(with_key_info(text, info))
    stranger = canonical.signed(kind.text, PLACE, kind.identifier, B, info=METHODS[4], reference=METHODS[4], pss=pss)
    assert not kind.genuine(with_key_info(stranger, info))


@all_kinds
@pytest.mark.parametrize("blank", ["\n", "&#13;&#10;", " \t"])
def test_blanks_in_base64(kind: Kind, blank: str) -> None:
    text = sign(kind, METHODS[0], METHODS[0])
    broken = re.sub(r"(SignatureValue>)([^<]*)", lambda found: found[1] + blank + blank.join(re.findall(".{1,64}", found[2])) + blank, text, count=1)
    assert broken != text and kind.genuine(broken)


def test_a_pinned_key_of_another_kind_hides_no_right_one() -> None:
    other = certificates.from_base64(made.key("EC", curve=True).base64)
    text = sign(KINDS["assertion"], METHODS[4], METHODS[4])
    for pinned, valid in (([other, PINNED], True), ([PINNED, other], True), ([other], False)):
        result = token.check(text.encode(), dataclasses.replace(FEDERATION, certificates=pinned), made.NOW)
        assert result.valid is valid
    assert [item.aadsts for item in result.checks if not item.ok] == ["AADSTS5000811"]


DEFAULT = dataclasses.replace(METHODS[-1], name="exclusive with #default", prefixes="x #default")


@all_kinds
@all_prefixes
@pytest.mark.parametrize(("info", "reference"), [(DEFAULT, METHODS[4]), (METHODS[4], DEFAULT), (DEFAULT, DEFAULT)])
def test_the_default_namespace_in_a_prefix_list(kind: Kind, prefix: str, declared: bool, info: Method, reference: Method) -> None:
    """As OpenSAML writes it into SAML 1.1 tokens; lxml alone passes over it."""
    text = sign(kind, info, reference, prefix, declared)
    assert kind.genuine(text)
    assert not kind.genuine(text.replace(*kind.value, 1))


# -- forgeries


def again(text: str, kind: Kind, info: Method, reference: Method | None) -> str:
    """The digest made anew over what the text says now, under the old signature value."""
    element = canonical.element(text, kind.identifier)
    (own,) = [one for one in element.childNodes if getattr(one, "localName", "") == "Signature"]
    digest = base64.b64encode(hashlib.sha256(canonical.canonical(element, reference or METHODS[0], leave_out=own)).digest()).decode()
    return re.sub(r"(DigestValue>)[^<]*", rf"\g<1>{digest}", text)


def own_signature(text: str) -> str:
    return re.search(r"<(ds:)?Signature[ >].*?</(ds:)?Signature>", text, re.DOTALL)[0]


def wrapped(text: str, kind: Kind) -> str:
    """The signed element kept whole in a corner, another one where the reader looks, with the signature in it."""
    element = minidom.parseString(text.encode())
    whole = canonical.element(text, kind.identifier)
    own = own_signature(text)
    genuine = whole.toxml()
    evil = genuine.replace(kind.identifier, "_evil").replace(*kind.value)
    evil = evil.replace(own_signature(evil), own)
    name = whole.tagName
    evil = evil.removesuffix(f"</{name}>") + f'<x:Extensions xmlns:x="urn:x">{genuine}</x:Extensions></{name}>'
    document = element.documentElement.toxml()
    assert genuine in document
    return document.replace(genuine, evil)


def forged(text: str, kind: Kind, info: Method, reference: Method | None) -> dict[str, str]:
    own = own_signature(text)
    closing = re.search(r"</[\w:]+>$", text.strip())[0]
    comment = text.replace(f"{made.MAIL}<", f"{made.MAIL}<!-- -->.evil.example<").replace("format:persistent<", "format:<!-- -->transient<")
    another = next(one for one in METHODS if one.exclusive is not info.exclusive)
    return {
        "value": text.replace(*kind.value),
        "value and digest": again(text.replace(*kind.value), kind, info, reference),
        "value, behind a comment": comment,
        "SignedInfo": re.sub(r"(SignatureMethod Algorithm=\"[^\"]*)rsa-sha256", r"\1rsa-sha384", text),
        "SignedInfo's canonicalisation": re.sub(r"(CanonicalizationMethod Algorithm=)\"[^\"]*\"", rf'\1"{another.uri}"', text),
        "wrapped": wrapped(text, kind),
        "identifier twice": text.replace(PLACE, "").replace(own, own + f'<x:y xmlns:x="urn:x" ID="{kind.identifier}"/>'),
        "signature at the end of the document": text.replace(own, "").removesuffix(closing) + f'<x:y xmlns:x="urn:x">{own}</x:y>{closing}',
        "signature twice": text.replace(own, own + own),
        "no signature": text.replace(own, ""),
        "reference to nothing": text.replace(f'URI="#{kind.identifier}"', 'URI="#_other"'),
        "reference to the document": text.replace(f'URI="#{kind.identifier}"', 'URI=""'),
        "a namespace": re.sub(r"<(a|md):(Audience|NameIDFormat)>", r'<\1:\2 xmlns:\1="urn:evil">', text),
        "an attribute": text.replace(f'ID="{kind.identifier}"', f'ID="{kind.identifier}" extra=""', 1),
        "an element": text.replace(own, own + '<x:y xmlns:x="urn:x"/>'),
        "a text": text.replace(own, own + "text"),
        "an instruction": text.replace(own, own + "<?pi?>"),
    }


@all_kinds
@pytest.mark.parametrize(("prefix", "declared"), [("ds", True), ("", True)], ids=["prefixed", "unprefixed"])
@all_infos
@pytest.mark.parametrize("reference", [METHODS[0], METHODS[4]], ids=lambda method: f"reference {method.name}")
def test_no_forgery_verifies(kind: Kind, prefix: str, declared: bool, info: Method, reference: Method | None) -> None:
    text = sign(kind, info, reference, prefix, declared)
    assert kind.genuine(text)
    for name, forgery in forged(text, kind, info, reference).items():
        assert forgery != text, name
        minidom.parseString(forgery.encode())
        assert not kind.genuine(forgery), name
    stranger = sign(kind, info, reference, prefix, declared, by=B)
    assert not kind.genuine(stranger), "another key"
    assert not kind.genuine(stranger.replace(B.base64, A.base64)), "another key under the right one's certificate"


@all_infos
def test_what_lies_around_a_signature_counts_for_inclusive_canonicalisation_only(info: Method) -> None:
    """What exclusive canonicalisation leaves out cannot be read from the result either."""
    text = sign(KINDS["assertion"], info, info)
    assert KINDS["assertion"].genuine(text.replace(' xml:lang="ja"', ' xml:lang="en"', 1)) is info.exclusive
    assert KINDS["assertion"].genuine(text.replace(' xmlns:none="urn:none"', ' xmlns:none="urn:evil"', 1)) is (info.exclusive and not info.prefixes)


@all_infos
@pytest.mark.parametrize("name", ["assertion", "response", "wsfed"])
def test_a_comment_in_a_mail_address_does_not_end_it(name: str, info: Method) -> None:
    """An intruder's genuine token for adele@fabrikam.example.evil.example, with a comment put in: no reader may see fabrikam.example."""
    kind = KINDS[name]
    text = sign(kind, info, info, text=kind.text.replace(made.MAIL, f"{made.MAIL}.evil.example"))
    cut = text.replace(f"{made.MAIL}.evil", f"{made.MAIL}<!-- -->.evil")
    result = token.check(cut.encode(), FEDERATION, made.NOW)
    assert (result.valid, result.email_domain) == (False, "fabrikam.example.evil.example")


@pytest.mark.parametrize(
    "transforms",
    [
        f'<ds:Transform Algorithm="{METHODS[4].uri}"/><ds:Transform Algorithm="{canonical.ENVELOPED}"/>',
        f'<ds:Transform Algorithm="{canonical.ENVELOPED}"/><ds:Transform Algorithm="{canonical.ENVELOPED}"/>',
        f'<ds:Transform Algorithm="{canonical.ENVELOPED}"/><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>',
        f'<ds:Transform Algorithm="{METHODS[4].uri}"/>',
    ],
)
def test_other_transforms_are_refused(transforms: str) -> None:
    text = re.sub(r"<ds:Transforms>.*</ds:Transforms>", f"<ds:Transforms>{transforms}</ds:Transforms>", sign(KINDS["metadata"], METHODS[4], METHODS[4]))
    with pytest.raises(signature.SignatureRefused) as caught:
        signature.verify(etree.fromstring(text.encode()), PINNED, is_document=True)
    assert caught.value.code == "signature_unsupported"
