# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, metadata and tokens as an identity provider would make them, every part of them open to mischief.

Templates are filled with `str.format`; whatever a test wants to be wrong it gives as text.
"""

from __future__ import annotations

import base64
import datetime
import functools
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod, XMLSigner

NOW = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.UTC)
ISSUER = "http://sts.fabrikam.example/adfs/services/trust"
SIGN_IN = "https://sts.fabrikam.example/adfs/ls/"
TENANT = "6b1c4a2e-0d5f-4c3b-9a7e-8f2d1c0b9a87"
AUDIENCE = f"https://login.microsoftonline.com/{TENANT}/"
LOGIN = "https://login.microsoftonline.com/login.srf"
MAIL = "adele@fabrikam.example"
EMAILADDRESS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
SAML2 = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"


@dataclass(frozen=True)
class Key:
    """A private key with a self-signed certificate."""

    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def base64(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def key(name: str = "A", *, bits: int = 2048, begin: int = -30, end: int = 300, curve: bool = False) -> Key:
    """The key called `name`, the same in the whole run; valid from `begin` to `end`, in days from NOW."""
    return _key(name, bits, begin, end, curve)


@functools.cache
def _key(name: str, bits: int, begin: int, end: int, curve: bool) -> Key:
    private = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, bits)
    return Key(private, certificate_of(private, name, begin=begin, end=end))


def certificate_of(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, name: str = "A", *, begin: int = -30, end: int = 300) -> x509.Certificate:
    """A self-signed certificate of a key, valid from `begin` to `end`, in days from NOW."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Fabrikam token signing {name}")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(4711)
        .not_valid_before(NOW + datetime.timedelta(days=begin))
        .not_valid_after(NOW + datetime.timedelta(days=end))
        .sign(private, hashes.SHA256())
    )


def sign(element: etree._Element, by: Key, reference: str, *, sha1: bool = False, id_attribute: str | None = None) -> etree._Element:
    """`element` with an enveloped signature whose reference is `#reference`, or the whole document for ""."""
    signer = _Signer(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.RSA_SHA1 if sha1 else SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA1 if sha1 else DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    return signer.sign(element, key=by.private, cert=[by.certificate], reference_uri=f"#{reference}" if reference else None, id_attribute=id_attribute)


class _Signer(XMLSigner):
    def check_deprecated_methods(self) -> None:
        """SHA-1 is what some identity providers still use."""


def key_descriptor(of: Key | str, use: str | None = "signing") -> str:
    text = of if isinstance(of, str) else of.base64
    attribute = f' use="{use}"' if use else ""
    return (
        f"<md:KeyDescriptor{attribute}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def endpoint(location: str = SIGN_IN, binding: str = "HTTP-Redirect") -> str:
    return f'<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="{location}"/>'


def saml_role(
    keys: str | None = None, *, endpoints: str | None = None, formats: tuple[str, ...] = ("2.0:nameid-format:persistent",), inside: str = "", **attributes: str
) -> str:
    extra = "".join(f' {name}="{value}"' for name, value in attributes.items())
    names = "".join(f"<md:NameIDFormat>urn:oasis:names:tc:SAML:{name}</md:NameIDFormat>" for name in formats)
    return (
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{SAMLP}"{extra}>{inside}'
        f"{key_descriptor(key()) if keys is None else keys}{names}{endpoint() if endpoints is None else endpoints}</md:IDPSSODescriptor>"
    )


def wsfed_role(
    keys: str | None = None,
    *,
    passive: str = SIGN_IN,
    mex: str = "https://sts.fabrikam.example/adfs/services/trust/mex",
    claims: tuple[str, ...] = (EMAILADDRESS,),
    xsi_type: str = "fed:SecurityTokenServiceType",
) -> str:
    offered = "".join(f'<auth:ClaimType Uri="{claim}"/>' for claim in claims)
    return (
        '<md:RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706"'
        ' xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:auth="http://docs.oasis-open.org/wsfed/authorization/200706"'
        f' xmlns:mex="http://schemas.xmlsoap.org/ws/2004/09/mex" xsi:type="{xsi_type}" protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706">'
        f"{key_descriptor(key()) if keys is None else keys}<fed:ClaimTypesOffered>{offered}</fed:ClaimTypesOffered>"
        "<fed:SecurityTokenServiceEndpoint><wsa:EndpointReference><wsa:Address>https://sts.fabrikam.example/trust</wsa:Address>"
        f"<wsa:Metadata><mex:Metadata><mex:MetadataSection><mex:MetadataReference><wsa:Address>{mex}</wsa:Address></mex:MetadataReference>"
        "</mex:MetadataSection></mex:Metadata></wsa:Metadata></wsa:EndpointReference></fed:SecurityTokenServiceEndpoint>"
        f"<fed:PassiveRequestorEndpoint><wsa:EndpointReference><wsa:Address>{passive}</wsa:Address></wsa:EndpointReference></fed:PassiveRequestorEndpoint>"
        "</md:RoleDescriptor>"
    )


def entity(*roles: str, entity_id: str | None = ISSUER, inside: str = "", attributes: str = "") -> str:
    issuer = "" if entity_id is None else f' entityID="{entity_id}"'
    body = "".join(roles or (saml_role(),))
    return f'<md:EntityDescriptor xmlns:md="{MD}" xmlns:ds="{DS}" ID="_doc"{issuer}{attributes}>{inside}{body}</md:EntityDescriptor>'


def aggregate(*entities: str, attributes: str = "") -> str:
    return f'<md:EntitiesDescriptor xmlns:md="{MD}"{attributes}>{"".join(entities)}</md:EntitiesDescriptor>'


def signed_metadata(document: str, by: Key, *, reference: str = "_doc", sha1: bool = False) -> bytes:
    return etree.tostring(sign(etree.fromstring(document), by, reference, sha1=sha1))


def stamp(minutes: float = 0) -> str:
    return f"{NOW + datetime.timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def saml_assertion(
    *,
    issuer: str = ISSUER,
    audience: str | None = AUDIENCE,
    recipient: str | None = LOGIN,
    name_id_format: str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    mail: str | None = MAIL,
    mail_claim: str = EMAILADDRESS,
    minutes: tuple[float, float] = (-5, 60),
    confirmed_until: float = 60,
    identifier: str = "_assertion",
) -> str:
    to = "" if recipient is None else f' Recipient="{recipient}"'
    restriction = "" if audience is None else f"<a:AudienceRestriction><a:Audience>{audience}</a:Audience></a:AudienceRestriction>"
    claim = "" if mail is None else f'<a:Attribute Name="{mail_claim}"><a:AttributeValue>{mail}</a:AttributeValue></a:Attribute>'
    return (
        f'<a:Assertion xmlns:a="{SAML2}" ID="{identifier}" Version="2.0" IssueInstant="{stamp()}"><a:Issuer>{issuer}</a:Issuer>'
        f'<a:Subject><a:NameID Format="{name_id_format}">7f3a</a:NameID><a:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        f'<a:SubjectConfirmationData{to} NotOnOrAfter="{stamp(confirmed_until)}" InResponseTo="_request"/></a:SubjectConfirmation></a:Subject>'
        f'<a:Conditions NotBefore="{stamp(minutes[0])}" NotOnOrAfter="{stamp(minutes[1])}">{restriction}</a:Conditions>'
        f"<a:AttributeStatement>{claim}</a:AttributeStatement></a:Assertion>"
    )


def saml_response(
    assertion: str | None = None, *, by: Key | None = None, what: str = "assertion", destination: str = LOGIN, status: str = "Success", sha1: bool = False
) -> bytes:
    """A SAML response. what: assertion, response, both or none; which of them `by` (the key A) signs."""
    by = by or key()
    response = etree.fromstring(
        f'<p:Response xmlns:p="{SAMLP}" ID="_response" Version="2.0" IssueInstant="{stamp()}" Destination="{destination}" InResponseTo="_request">'
        f'<a:Issuer xmlns:a="{SAML2}">{ISSUER}</a:Issuer><p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></p:Status></p:Response>'
    )
    element = etree.fromstring(saml_assertion() if assertion is None else assertion)
    if what in ("assertion", "both"):
        element = sign(element, by, element.get("ID"), sha1=sha1)
    response.append(element)
    if what in ("response", "both"):
        response = sign(response, by, "_response", sha1=sha1)
    return etree.tostring(response)


def wsfed_response(
    *,
    by: Key | None = None,
    issuer: str = ISSUER,
    audience: str = AUDIENCE,
    mail: str | None = MAIL,
    immutable_id: str | None = "K7v0bV9nQ0mH2cS3u5yZ1w==",
    minutes: tuple[float, float] = (-5, 60),
    trust: str = "http://schemas.xmlsoap.org/ws/2005/02/trust",
    collection: bool = False,
) -> bytes:
    def attribute(name: str, namespace: str, value: str | None) -> str:
        return (
            ""
            if value is None
            else f'<a:Attribute AttributeName="{name}" AttributeNamespace="{namespace}"><a:AttributeValue>{value}</a:AttributeValue></a:Attribute>'
        )

    assertion = etree.fromstring(
        f'<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:1.0:assertion" MajorVersion="1" MinorVersion="1"'
        f' AssertionID="_a1" Issuer="{issuer}" IssueInstant="{stamp()}">'
        f'<a:Conditions NotBefore="{stamp(minutes[0])}" NotOnOrAfter="{stamp(minutes[1])}">'
        f"<a:AudienceRestrictionCondition><a:Audience>{audience}</a:Audience></a:AudienceRestrictionCondition></a:Conditions><a:AttributeStatement>"
        + attribute("ImmutableID", "http://schemas.microsoft.com/LiveID/Federation/2008/05", immutable_id)
        + attribute("emailaddress", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims", mail)
        + "</a:AttributeStatement></a:Assertion>"
    )
    answer = etree.fromstring(f'<t:RequestSecurityTokenResponse xmlns:t="{trust}"><t:RequestedSecurityToken/></t:RequestSecurityTokenResponse>')
    answer[0].append(sign(assertion, by or key(), "_a1", id_attribute="AssertionID"))
    if collection:
        answer = etree.fromstring(
            f'<t:RequestSecurityTokenResponseCollection xmlns:t="{trust}">{etree.tostring(answer).decode()}</t:RequestSecurityTokenResponseCollection>'
        )
    return etree.tostring(answer)
