# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML signatures behind a strict wrapper: what was verified is what is read, or there is nothing to read.

A valid signature says nothing about where the signed part stands. The wrapping attacks move it aside and put another element where the
reader looks (Somorovsky et al., "On Breaking SAML", USENIX Security 2012), so this wrapper takes one shape only: the signature is a direct
child of the element it covers, and that element is the root of what is looked at.
"""

from __future__ import annotations

from .._core.errors import OffboardError
from . import xml
from .certificates import BadCertificate, Certificate
from .libraries import cryptography_exceptions, ec, etree, rsa, x509

try:
    import signxml
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
    signxml = None  # type: ignore[assignment]
else:
    IMPORT_ERROR = None

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SIGNATURE = f"{DS}Signature"
SIGNED_INFO = f"{DS}SignedInfo"
XML = "{http://www.w3.org/XML/1998/namespace}"

_INCLUSIVE_NAMESPACES = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_CANONICAL = (
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2006/12/xml-c14n11#WithComments",
)
#: The attributes that identify an element, by SAML 2.0, SAML 1.1, WS-Security and XML itself; compared by local name, in any case.
_ID_NAMES = frozenset({"id", "assertionid", "responseid", "requestid"})


#: Codes that say of one certificate that it is not the one; another may be.
NOT_THIS_KEY = ("signature_invalid", "bad_der")


class SignatureRefused(OffboardError):
    """No verified element; `code` says why.

    signature_missing, several_signatures, signature_wrapped (it covers something else than the element it stands in), duplicate_id,
    signature_unsupported (transforms or algorithms), signature_invalid (another key, or the text was altered).
    """


def of(element: etree._Element) -> etree._Element | None:
    """The signature that stands in `element` as a direct child; None when there is none. Raises SignatureRefused several_signatures."""
    found = list(element.iterchildren(SIGNATURE))
    if len(found) > 1:
        raise SignatureRefused(f"{_name(element)} has {len(found)} signatures; one is allowed.", code="several_signatures")
    return found[0] if found else None


def algorithm(signature: etree._Element) -> str:
    """The signature method without its namespace, such as rsa-sha256; "" when there is none."""
    method = next(xml.children(signature, f"{DS}SignedInfo", f"{DS}SignatureMethod"), None)
    return "" if method is None else method.get("Algorithm", "").rpartition("#")[2]


def uses_sha1(signature: etree._Element) -> bool:
    """True where the signature method or a digest is SHA-1, which collides since 2017."""
    digests = xml.children(signature, f"{DS}SignedInfo", f"{DS}Reference", f"{DS}DigestMethod")
    return algorithm(signature).endswith("sha1") or any(digest.get("Algorithm", "").endswith("sha1") for digest in digests)


def certificates(signature: etree._Element) -> list[str]:
    """The texts of the certificates that came with the signature. They say which key was used, never that it is trusted."""
    return [text for info in signature.iterchildren(f"{DS}KeyInfo") for text in certificates_of(info)]


def certificates_of(info: etree._Element) -> list[str]:
    """The texts of the certificates in a KeyInfo."""
    return [xml.text(element) for element in xml.children(info, f"{DS}X509Data", f"{DS}X509Certificate")]


def check_ids(root: etree._Element) -> None:
    """Refuse a document in which two elements share an identifier: readers would disagree on which one is meant."""
    seen = set()
    for element in root.iter(etree.Element):
        for value in {value for name, value in element.attrib.items() if etree.QName(name).localname.lower() in _ID_NAMES}:
            if value in seen:
                raise SignatureRefused("Two elements of the document have the same identifier.", code="duplicate_id")
            seen.add(value)


def verify(element: etree._Element, certificate: Certificate, *, id_attribute: str = "ID", is_document: bool = False) -> etree._Element:
    """`element` as it was signed by the key of `certificate`, without its signature. Read this, never `element` itself.

    is_document: `element` is the root of the whole document, so a reference to "the document" (an empty URI) means it.
    The certificate's dates do not count: whether an expired key is acceptable is another question than whether the text is genuine.
    Raises SignatureRefused.
    """
    signature = of(element)
    if signature is None:
        raise SignatureRefused(f"{_name(element)} is not signed.", code="signature_missing")
    alone = element if is_document else apart(element)
    check_ids(alone)
    _check_reference(alone, id_attribute, is_document)
    try:
        key = certificate.x509()
        if not _is_of_kind(key, algorithm(signature)):  # one of several keys that are tried
            msg = f"The signature of {_name(element)} does not verify with certificate {certificate.sha1}: it was made with a key of another kind."
            raise SignatureRefused(msg, code="signature_invalid")
        found = _verifier(element, signature).verify(alone, x509_cert=key, id_attribute=id_attribute, expect_config=_configuration(key))
        signed = found.signed_xml if isinstance(found, signxml.VerifyResult) else None
    except (signxml.InvalidSignature, signxml.InvalidDigest) as exc:
        digest = isinstance(exc, signxml.InvalidDigest)
        why = "its content was altered after it was signed" if digest else "it was made with another key, or altered"
        raise SignatureRefused(
            f"The signature of {_name(element)} does not verify with certificate {certificate.sha1}: {why}.", code="signature_invalid"
        ) from exc
    except (BadCertificate, SignatureRefused):
        raise
    except Exception as exc:  # signxml and the libraries below it raise many kinds on input that was made to confuse them
        raise SignatureRefused(f"The signature of {_name(element)} cannot be checked ({type(exc).__name__}).", code="signature_unsupported") from exc
    if signed is None or signed.tag != element.tag or signed.get(id_attribute) != element.get(id_attribute):
        raise SignatureRefused(f"The signature of {_name(element)} covers something else.", code="signature_wrapped")
    return signed


def apart(element: etree._Element) -> etree._Element:
    """A copy of `element` as the root of a document of its own, with every namespace that is in scope declared at it."""
    return xml.parse(etree.tostring(element, encoding="utf-8", with_tail=False))


def _is_of_kind(key: x509.Certificate, method: str) -> bool:
    try:
        return isinstance(key.public_key(), ec.EllipticCurvePublicKey if method.startswith("ecdsa-") else rsa.RSAPublicKey)
    except (ValueError, cryptography_exceptions.UnsupportedAlgorithm):
        return False


def _verifier(element: etree._Element, signature: etree._Element) -> signxml.XMLVerifier:
    """signxml, with SignedInfo and what it refers to canonicalised as what they are in their document.

    signxml hands SignedInfo to lxml while it stands inside its tree, and then lxml (up to 6.1 at least) writes `xmlns=""` into the children's
    children where the signature has no prefix, as with .NET's SignedXml and inclusive canonicalisation. As a root it is right.
    """
    inherited = {True: _above(signature), False: _above(element.getparent())}
    whole = next((reference.get("URI") == "" for reference in xml.children(signature, SIGNED_INFO, f"{DS}Reference")), False)
    around = (_instructions(element, preceding=True), _instructions(element, preceding=False)) if whole else (b"", b"")

    class Verifier(signxml.XMLVerifier):
        def validate_schema(self, signature: etree._Element) -> None:
            # The schema of 2002 admits anything in CanonicalizationMethod, and signxml's edition only what it knows.
            known = apart(signature)
            for info in list(known.iterchildren(f"{DS}KeyInfo")):  # the key is given: whatever is said of it here counts for nothing
                known.remove(info)
            for method in xml.children(known, SIGNED_INFO, f"{DS}CanonicalizationMethod"):
                for found in list(method.iterchildren(_INCLUSIVE_NAMESPACES)):
                    method.remove(found)
            super().validate_schema(known)  # type: ignore[no-untyped-call]

        def _c14n(self, nodes: etree._Element, algorithm: signxml.CanonicalizationMethod, inclusive_ns_prefixes: list[str] | None = None) -> bytes:
            signed_info = nodes.tag == SIGNED_INFO
            root = apart(nodes) if nodes.getparent() is not None else nodes
            exclusive = "/xml-exc-c14n#" in algorithm.value
            if exclusive and "#default" in (inclusive_ns_prefixes or ()) and not _takes_default():
                raise SignatureRefused("Its canonicalisation (#default in a PrefixList) is not supported here.", code="signature_unsupported")
            if not exclusive:
                _inherit(root, inherited[signed_info], algorithm.value)
            text = etree.tostring(
                root,
                method="c14n",
                exclusive=exclusive,
                # A reference within the document leaves comments out whatever comes afterwards (XML Signature, 4.4.3.3).
                with_comments=signed_info and algorithm.value.endswith("#WithComments"),
                inclusive_ns_prefixes=[prefix for prefix in inclusive_ns_prefixes or () if prefix] if exclusive else None,
            )
            return text if signed_info else text.join(around)

    return Verifier()


def _takes_default() -> bool:
    """Whether `#default` in a PrefixList counts, as OpenSAML writes it. lxml hands on what it has met as a name or a namespace, so it is shown that."""
    etree.fromstring(b'<a xmlns:x="#default"/>')
    probe = etree.fromstring(b'<x:a xmlns:x="urn:x" xmlns="urn:default"/>')
    return b"urn:default" in etree.tostring(probe, method="c14n", exclusive=True, inclusive_ns_prefixes=["#default"])


def _instructions(root: etree._Element, *, preceding: bool) -> bytes:
    """The processing instructions beside the root, which belong to the whole document (Canonical XML 1.0, 2.3); its comments do not, see `_c14n`."""
    found = [one for one in root.itersiblings(preceding=preceding) if one.tag is etree.ProcessingInstruction]
    texts = [f"<?{one.target}{' ' if one.text else ''}{(one.text or '')}?>".replace("\r", "&#xD;") for one in found]
    return "".join(f"{text}\n" for text in reversed(texts)).encode() if preceding else "".join(f"\n{text}" for text in texts).encode()


def _above(element: etree._Element | None) -> list[etree._Element]:
    """`element` and what it stands in, the outermost first."""
    return [] if element is None else [element, *element.iterancestors()][::-1]


def _inherit(root: etree._Element, above: list[etree._Element], algorithm: str) -> None:
    """Inclusive canonicalisation takes XML's own attributes along (Canonical XML 1.0, 2.4), but 1.1 no xml:id, and xml:base joined with the outer ones."""
    attributes = {name: value for one in above for name, value in one.attrib.items() if name.startswith(XML)}
    if algorithm.startswith("http://www.w3.org/2006/12/xml-c14n11"):
        bases = [one.get(f"{XML}base") for one in (*above, root) if f"{XML}base" in one.attrib]
        if (len(bases) > 1 or any("./" in f"{base}/" for base in bases)) and f"{XML}base" in attributes:
            raise SignatureRefused("Several xml:base that have to be joined are not supported with Canonical XML 1.1.", code="signature_unsupported")
        attributes = {name: value for name, value in attributes.items() if name in (f"{XML}lang", f"{XML}space") or (name == f"{XML}base" and value)}
    for name, value in attributes.items():
        if name not in root.attrib:
            root.set(name, value)


def _configuration(key: x509.Certificate) -> signxml.SignatureConfiguration:
    return signxml.SignatureConfiguration(
        require_x509=True,
        ignore_ambiguous_key_info=True,
        location="./",
        expect_references=1,
        # SHA-1 is in: much metadata is still signed with it. Callers warn. HMAC is out: a public key is no shared secret.
        signature_methods=frozenset(method for method in signxml.SignatureMethod if method.name.startswith(("RSA_", "ECDSA_SHA", "SHA"))),
        digest_algorithms=frozenset(signxml.DigestAlgorithm),
        verification_time=key.not_valid_before_utc,
    )


def _check_reference(element: etree._Element, id_attribute: str, is_document: bool) -> None:
    references = list(xml.children(element, SIGNATURE, f"{DS}SignedInfo", f"{DS}Reference"))
    identifier = element.get(id_attribute)
    accepted = ([f"#{identifier}"] if identifier and not identifier.startswith("#") else []) + ([""] if is_document else [])
    if len(references) == 1 and references[0].get("URI") == "" and not is_document:
        msg = f'The signature in {_name(element)} refers to the whole document (URI=""); SAML wants the ID of the element that it stands in.'
        raise SignatureRefused(msg, code="signature_unsupported")
    if len(references) != 1 or references[0].get("URI") not in accepted:
        raise SignatureRefused(f"The signature in {_name(element)} covers something else than the element it stands in.", code="signature_wrapped")
    transforms = [transform.get("Algorithm") for transform in xml.children(references[0], f"{DS}Transforms", f"{DS}Transform")]
    if transforms[:1] != [_ENVELOPED] or len(transforms) > 2 or any(name not in _CANONICAL for name in transforms[1:]):
        raise SignatureRefused(f"The signature of {_name(element)} uses transforms other than those SAML allows.", code="signature_unsupported")


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
