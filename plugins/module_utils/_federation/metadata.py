# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federation metadata: bytes in, identity providers with their addresses and certificates out, or a refusal with a reason.

Reads SAML 2.0 metadata (OASIS saml-metadata-2.0-os) and its WS-Federation extension (OASIS ws-federation 1.2, chapter 3).
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .._core.errors import AmbiguousMatch, OffboardError
from . import signature, url_rule, xml
from .certificates import BadCertificate, Certificate, from_base64, same_key
from .libraries import etree

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
FED = "{http://docs.oasis-open.org/wsfed/federation/200706}"
AUTH = "{http://docs.oasis-open.org/wsfed/authorization/200706}"
WSA = "{http://www.w3.org/2005/08/addressing}"
MEX = "{http://schemas.xmlsoap.org/ws/2004/09/mex}"

SAML2_PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
HTTP_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
HTTP_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
EMAILADDRESS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
IMMUTABLEID = "http://schemas.microsoft.com/LiveID/Federation/2008/05/ImmutableID"

MAX_ENTITY_ID = 1024  # saml-metadata-2.0-os, 2.2.1 entityIDType
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!//(?:[/?#]|\Z))(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;={}\u00a0-\U0010ffff-]|%[0-9A-Fa-f]{2})+")
MIN_RSA_BITS = 2048
#: The largest national federations have some hundred identity providers with one to three certificates each.
MAX_ENTITIES = 4000
MAX_CERTIFICATES = 2500
#: The check of a signature holds the document several times over; what is larger is read, but counts as not verified.
MAX_SIGNED_BYTES = 4 * 1024 * 1024
MAX_SIGNED_NODES = 50_000
#: Keys that are tried on the document's signature when it does not name one.
MAX_KEYS_TRIED = 8

#: Why a document or an identity provider cannot be used, gravest first.
REASONS = {
    "not_metadata": "its root is neither EntityDescriptor nor EntitiesDescriptor of SAML 2.0 metadata. "
    "The address of a WS-Trust metadata exchange (.../trust/mex) or a web page was given perhaps",
    "no_idp": "it describes no identity provider for SAML 2.0 or WS-Federation",
    "duplicate_entity": "it describes the same entity ID more than once, with nothing to tell which one is right",
    "entity_id_missing": "the identity provider has no entityID",
    "no_signing_certificate": "the identity provider publishes no readable signing certificate",
    "passive_endpoint_missing": "the identity provider publishes no sign-in address (SAML HTTP-Redirect or HTTP-POST, WS-Federation passive)",
    "passive_endpoint_not_https": "the identity provider's sign-in address is not https, which is all that Microsoft Entra takes, or no usable address: "
    "it holds a user name, a blank, a port or a host that is none",
}
_ORDER = list(REASONS)

WHAT_TO_SAVE = (
    "Save the XML at the identity provider's address for federation metadata, such as .../FederationMetadata/2007-06/FederationMetadata.xml at AD FS, "
    "as it is, without signing in and not by way of what a browser shows."
)
#: what people save instead, by how it begins
_OTHERS = (
    (rb"(?i)<(?:!doctype\s+html|html|head|body)\b", "a web page"),
    (rb"[^<]*[^<\s][^<]*<(?:[\w.-]+:)?Entit(?:y|ies)Descriptor", "XML below another text, such as what a browser shows of it"),
    (rb"(?i)https?://\S+\s*\Z|\[InternetShortcut\]", "an address and not what lies there"),
    (rb"[{\[]", "JSON, such as OpenID Connect's configuration"),
    (rb"[^<]*-----BEGIN |MII[A-Za-z0-9+/]|\x30\x82", "a certificate or a key"),
    (rb"\x1f\x8b|PK\x03\x04", "compressed"),
)

OK, SELECT, REJECT = "ok", "select", "reject"


@dataclass
class Protocol:
    """What one protocol's role says. active_certificate_basis: how the key that signs tokens now is known, in order of trust:

    metadata_signature (it signed the document itself), only_one, only_valid_one; or why it is not known: ambiguous, none_valid, none.
    A first certificate is not the active one: during a rollover simpleSAMLphp lists the new one first and signs with the old one.
    """

    passive_sign_in_uri: str | None
    signing_certificates: list[Certificate]
    bad_signing_certificates: list[str]
    claims_offered: list[str]
    active_certificate_sha256: str | None = None
    active_certificate_basis: str = "none"
    usable: bool = False
    missing: list[str] = field(default_factory=list)


@dataclass
class Saml(Protocol):
    """What the IDPSSODescriptors that speak SAML 2.0 say. passive_sign_in_uri is the first https HTTP-Redirect address, else the first https HTTP-POST one."""

    sso: list[dict[str, str | None]] = field(default_factory=list)
    redirect_uri: str | None = None
    post_uri: str | None = None
    logout_uris: list[dict[str, str | None]] = field(default_factory=list)
    want_authn_requests_signed: bool = False
    nameid_formats: list[str] = field(default_factory=list)
    encryption_sha256: list[str] = field(default_factory=list)


@dataclass
class WsFed(Protocol):
    """What the security token service's roles say. passive_sign_in_uri is the first https passive endpoint."""

    passive_endpoints: list[str] = field(default_factory=list)
    sts_endpoints: list[str] = field(default_factory=list)
    metadata_exchange_uris: list[str] = field(default_factory=list)
    claim_types_offered: int = 0
    offers_emailaddress: bool = False
    offers_immutableid: bool = False


@dataclass
class Entity:
    """One identity provider. valid_until: the earliest one that binds it, as written; inherited from the document and from its roles."""

    entity_id: str | None
    valid_until: str | None
    saml: Saml | None
    wsfed: WsFed | None
    usable_protocols: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def protocols(self) -> dict[str, Protocol]:
        """The protocols it speaks, by name."""
        return {name: role for name, role in (("saml", self.saml), ("wsfed", self.wsfed)) if role is not None}

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


@dataclass
class Signature:
    """The document's own signature. verified_by: the certificate (SHA-256) whose key made it, None when it does not verify;
    verified_by_published_signing_certificate: None when it does not verify, false when the key is none of the published ones.
    """

    present: bool = False
    embedded_cert_sha256: list[str] = field(default_factory=list)
    verifies: bool = False
    verified_by: str | None = None
    algorithm: str = ""
    error: str = ""
    verified_by_published_signing_certificate: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


@dataclass
class Metadata:
    """A document that was read. outcome: ok (one usable identity provider), select (several: an entity ID must be given), reject.

    reason: a key of REASONS or of xml.REASONS, "" unless rejected; all_reasons: everything that is missing.
    warnings: about the document; each entity has its own. vouched_by: those of the caller's known certificates (SHA-256) whose key signed it.
    """

    outcome: str
    reason: str = ""
    msg: str = ""
    all_reasons: list[str] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    metadata_signature: Signature = field(default_factory=Signature)
    warnings: list[str] = field(default_factory=list)
    vouched_by: list[str] = field(default_factory=list)


def read(data: bytes, now: datetime.datetime, known: Sequence[Certificate] = ()) -> Metadata:
    """Everything that a metadata document says, at the time `now` (aware). Never raises for the document's content: see `outcome`.

    known: certificates that were trusted before; what is in the document itself says who signed it, never that they may be believed.
    """
    try:
        root = xml.parse(data)
        _check_counts(root)
    except xml.XmlRefused as exc:
        return Metadata(REJECT, exc.code, _something_else(data) or exc.msg)
    if root.tag not in (f"{MD}EntityDescriptor", f"{MD}EntitiesDescriptor"):
        return _rejected(["not_metadata"])
    entities = [entity for element, inherited in _descriptors(root, []) if (entity := _entity(element, inherited)) is not None]
    own, signer = _document_signature(root, len(data), entities, known)
    if not entities:
        return _rejected(["no_idp"], metadata_signature=own)
    for entity in entities:
        _judge(entity, own, now)
    found: dict[str, Any] = {"entities": entities, "metadata_signature": own, "warnings": _document_warnings(own, entities)}
    found["vouched_by"] = [one.sha256 for one in same_key(signer, known)] if signer else []
    if any(count > 1 for entity_id, count in Counter(entity.entity_id for entity in entities).items() if (entity_id or "").strip()):
        return _rejected(["duplicate_entity"], **found)
    if len(entities) > 1:
        return Metadata(SELECT, msg="The metadata describes several identity providers: an entity ID must be given.", **found)
    if entities[0].usable_protocols:
        return Metadata(OK, **found)
    return _rejected(sorted({reason for role in entities[0].protocols.values() for reason in role.missing}, key=_ORDER.index), **found)


def choose(metadata: Metadata, entity_id: str | None = None) -> Entity:
    """The one usable identity provider of a document: the only one, or the one with `entity_id`.

    Raises OffboardError with the reason as its code, `entity_not_found`, and AmbiguousMatch when there are several and none was named.
    """
    duplicated = metadata.reason == "duplicate_entity"
    if metadata.outcome == REJECT and (not metadata.entities or duplicated):
        raise OffboardError(metadata.msg, code=metadata.reason)
    entities = [entity for entity in metadata.entities if entity_id in (None, entity.entity_id)]
    if not entities:
        raise OffboardError(f"The metadata has no identity provider with the entity ID {entity_id}.", code="entity_not_found")
    if len(entities) > 1:
        candidates = [{"entity_id": entity.entity_id, "usable_protocols": entity.usable_protocols} for entity in entities]
        raise AmbiguousMatch(f"The metadata describes {len(entities)} identity providers: say which one by its entity ID.", candidates)
    if not entities[0].usable_protocols:
        refused = _rejected(sorted({reason for role in entities[0].protocols.values() for reason in role.missing}, key=_ORDER.index))
        raise OffboardError(refused.msg, code=refused.reason, details={"reasons": refused.all_reasons})
    return entities[0]


def _rejected(reasons: list[str], **found: Any) -> Metadata:
    return Metadata(REJECT, reasons[0], f"The metadata is refused: {'; '.join(REASONS[reason] for reason in reasons)}.", reasons, **found)


def _something_else(data: bytes) -> str:
    """What was given instead of XML, and what to save; "" when that cannot be told."""
    head = xml.behind_comments(data.replace(b"\x00", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").removeprefix(b"\xef\xbb\xbf"))
    what = next((what for pattern, what in _OTHERS if re.match(pattern, head)), "")
    return f"The document is refused: it is {what}, not metadata. {WHAT_TO_SAVE}" if what else ""


def _check_counts(root: etree._Element) -> None:
    for name, limit in ((f"{MD}EntityDescriptor", MAX_ENTITIES), (f"{signature.DS}X509Certificate", MAX_CERTIFICATES)):
        if sum(1 for _unused in root.iter(name)) > limit:
            raise xml.XmlRefused("too_complex")


def _descriptors(element: etree._Element, inherited: list[str]) -> Iterator[tuple[etree._Element, list[str]]]:
    """Every EntityDescriptor with the validUntil values above it. Direct children only; xml.MAX_DEPTH bounds the recursion."""
    inherited = inherited + _valid_until(element)
    if element.tag == f"{MD}EntityDescriptor":
        yield element, inherited
        return
    for child in element.iterchildren(f"{MD}EntityDescriptor", f"{MD}EntitiesDescriptor"):
        yield from _descriptors(child, inherited)


def _valid_until(element: etree._Element) -> list[str]:
    value = element.get("validUntil", "").strip()
    return [value] if value else []


def _entity(element: etree._Element, inherited: list[str]) -> Entity | None:
    """None for an entity that is no identity provider for SAML 2.0 or WS-Federation."""
    saml_roles = [role for role in element.iterchildren(f"{MD}IDPSSODescriptor") if SAML2_PROTOCOL in role.get("protocolSupportEnumeration", "").split()]
    wsfed_roles = [role for role in element.iterchildren(f"{MD}RoleDescriptor") if xml.xsi_type(role) == f"{FED}SecurityTokenServiceType"]
    if not saml_roles and not wsfed_roles:
        return None
    return Entity(
        entity_id=element.get("entityID"),
        valid_until=_earliest([*inherited, *(value for role in (*saml_roles, *wsfed_roles) for value in _valid_until(role))]),
        saml=_saml(saml_roles) if saml_roles else None,
        wsfed=_wsfed(wsfed_roles) if wsfed_roles else None,
    )


def _below(roles: Sequence[etree._Element], *path: str) -> Iterator[etree._Element]:
    """The elements at `path` of all roles: an entity may have several of a kind (saml-metadata-2.0-os, 2.3.2), and any of their keys may sign."""
    return (element for role in roles for element in xml.children(role, *path))


def _time(value: str) -> datetime.datetime | None:
    try:
        return xml.date_time(value)
    except ValueError:
        return None


def _earliest(values: list[str]) -> str | None:
    times = [(when, value) for value in values if (when := _time(value)) is not None]
    return min(times)[1] if times else next(iter(values), None)


def _https(location: str | None) -> bool:
    return location is not None and url_rule.is_usable(location)


def _certificates(roles: Sequence[etree._Element], *, signing: bool) -> tuple[list[Certificate], list[str]]:
    """The certificates for signing (use="signing" or no use), or all others, in document order without repetitions, and a code for each unreadable one."""
    good: dict[str, Certificate] = {}
    bad = []
    for key in _below(roles, f"{MD}KeyDescriptor"):
        if (key.get("use") in ("signing", None)) is not signing:
            continue
        for info in key.iterchildren(f"{signature.DS}KeyInfo"):
            found = []
            for text in signature.certificates_of(info):
                try:
                    found.append(from_base64(text, use=key.get("use")))
                except BadCertificate as exc:
                    bad.append(exc.code)
            for certificate in _without_issuers(found):
                good.setdefault(certificate.sha256, certificate)
    return list(good.values()), bad


def _without_issuers(found: list[Certificate]) -> list[Certificate]:
    """The certificates of one KeyInfo, which belong to one key or to its chain (XML Signature 4.5.4), without those that issued another one of them."""
    issuers = {certificate.issuer for certificate in found if certificate.issuer != certificate.subject}
    return [certificate for certificate in found if certificate.subject not in issuers] or found


def _endpoints(roles: Sequence[etree._Element], name: str) -> list[dict[str, str | None]]:
    """Both attributes are of the type anyURI, whose blanks collapse."""

    def told(element: etree._Element, attribute: str) -> str | None:
        value = element.get(attribute)
        return None if value is None else value.strip()

    return [{"binding": told(element, "Binding"), "location": told(element, "Location")} for element in _below(roles, f"{MD}{name}")]


def _saml(roles: Sequence[etree._Element]) -> Saml:
    sso = _endpoints(roles, "SingleSignOnService")
    redirect, post = (next((e["location"] for e in sso if e["binding"] == binding and _https(e["location"])), None) for binding in (HTTP_REDIRECT, HTTP_POST))
    certificates, bad = _certificates(roles, signing=True)
    encryption, _unused = _certificates(roles, signing=False)
    browser = [endpoint["location"] for endpoint in sso if endpoint["binding"] in (HTTP_REDIRECT, HTTP_POST) and endpoint["location"]]
    return Saml(
        passive_sign_in_uri=redirect or post,
        signing_certificates=certificates,
        bad_signing_certificates=bad,
        claims_offered=[name for element in _below(roles, f"{SAML}Attribute") if (name := element.get("Name"))],
        missing=_missing(certificates, browser, redirect or post),
        sso=sso,
        redirect_uri=redirect,
        post_uri=post,
        logout_uris=_endpoints(roles, "SingleLogoutService"),
        want_authn_requests_signed=any(role.get("WantAuthnRequestsSigned", "").strip() in ("true", "1") for role in roles),
        nameid_formats=[value for element in _below(roles, f"{MD}NameIDFormat") if (value := xml.text(element))],
        encryption_sha256=[certificate.sha256 for certificate in encryption],
    )


def _wsfed(roles: Sequence[etree._Element]) -> WsFed:
    address = (f"{WSA}EndpointReference", f"{WSA}Address")
    passive = [value for element in _below(roles, f"{FED}PassiveRequestorEndpoint", *address) if (value := xml.text(element))]
    # The MetadataReference stands inside the reference's metadata, in wrappers that products nest in different ways.
    exchange = [
        value
        for endpoint in _below(roles, f"{FED}SecurityTokenServiceEndpoint")
        for reference in endpoint.iter(f"{MEX}MetadataReference")
        for element in reference.iterchildren(f"{WSA}Address")
        if (value := xml.text(element))
    ]
    sign_in = next((value for value in passive if _https(value)), None)
    claims = [claim.get("Uri", "").strip() for claim in _below(roles, f"{FED}ClaimTypesOffered", f"{AUTH}ClaimType")]
    certificates, bad = _certificates(roles, signing=True)
    return WsFed(
        passive_sign_in_uri=sign_in,
        signing_certificates=certificates,
        bad_signing_certificates=bad,
        claims_offered=claims,
        missing=_missing(certificates, passive, sign_in),
        passive_endpoints=passive,
        sts_endpoints=[value for element in _below(roles, f"{FED}SecurityTokenServiceEndpoint", *address) if (value := xml.text(element))],
        metadata_exchange_uris=exchange,
        claim_types_offered=len(claims),
        offers_emailaddress=EMAILADDRESS in claims,
        offers_immutableid=IMMUTABLEID in claims,
    )


def _missing(certificates: list[Certificate], addresses: list[Any], sign_in: str | None) -> list[str]:
    missing = [] if certificates else ["no_signing_certificate"]
    if sign_in is None:
        missing.append("passive_endpoint_not_https" if addresses else "passive_endpoint_missing")
    return missing


def _document_signature(root: etree._Element, size: int, entities: list[Entity], known: Sequence[Certificate]) -> tuple[Signature, Certificate | None]:
    """The signature, and the certificate with whose key it was made when it verifies."""
    try:
        element = signature.of(root)
    except signature.SignatureRefused as exc:
        return Signature(present=True, error=exc.code), None
    if element is None:
        return Signature(), None
    published = {c.sha256: c for entity in entities for role in entity.protocols.values() for c in role.signing_certificates}
    embedded = {c.sha256: c for c in _readable(signature.certificates(element))}
    result = Signature(present=True, embedded_cert_sha256=list(embedded), algorithm=signature.algorithm(element), error="no_key")
    if size > MAX_SIGNED_BYTES or sum(1 + len(part.attrib) for part in root.iter(etree.Element)) > MAX_SIGNED_NODES:
        result.error = "too_large"
        return result, None
    for certificate in [*list({**embedded, **published}.values())[:MAX_KEYS_TRIED], *known[:MAX_KEYS_TRIED]]:
        try:
            signature.verify(root, certificate, is_document=True)
        except OffboardError as exc:
            result.error = exc.code
            if exc.code not in signature.NOT_THIS_KEY:
                break
        else:
            # a certificate that was renewed for the same key may come with the signature in its old form
            own = published.get(certificate.sha256) or next(iter(same_key(certificate, published.values())), certificate)
            result.verifies, result.verified_by, result.error = True, own.sha256, ""
            result.verified_by_published_signing_certificate = own.sha256 in published
            return result, certificate
    return result, None


def _readable(texts: Iterable[str]) -> Iterator[Certificate]:
    for value in texts:
        try:
            yield from_base64(value)
        except BadCertificate:
            continue


def _judge(entity: Entity, own: Signature, now: datetime.datetime) -> None:
    """Fill in what depends on the whole document and on the time."""
    for name, role in entity.protocols.items():
        _find_active(role, own, now)
        if not (entity.entity_id or "").strip():
            role.missing.insert(0, "entity_id_missing")
        role.usable = not role.missing
        if role.usable:
            entity.usable_protocols.append(name)
        entity.warnings += [f"{name}:{warning}" for warning in _certificate_warnings(role, now)]
    if entity.saml is not None:
        if entity.saml.want_authn_requests_signed:
            entity.warnings.append("want_authn_requests_signed")
        if entity.saml.nameid_formats and PERSISTENT not in entity.saml.nameid_formats:
            entity.warnings.append("nameid_persistent_not_offered")
    if entity.entity_id and entity.entity_id.strip():
        entity.warnings += _issuer_warnings(entity.entity_id)
    if entity.valid_until is not None:
        until = _time(entity.valid_until)
        if until is None:
            entity.warnings.append("valid_until_invalid")
        elif until < now:
            entity.warnings.append("metadata_expired")


def _find_active(role: Protocol, own: Signature, now: datetime.datetime) -> None:
    certificates = role.signing_certificates
    valid = [certificate for certificate in certificates if certificate.valid_at(now)]
    active: Certificate | None = None
    if not certificates:
        basis = "none"
    elif own.verifies and (active := next((c for c in certificates if c.sha256 == own.verified_by), None)) is not None:
        basis = "metadata_signature"
    elif len(certificates) == 1:
        active, basis = certificates[0], "only_one"
    elif len(valid) == 1:
        active, basis = valid[0], "only_valid_one"
    else:
        basis = "ambiguous" if valid else "none_valid"
    role.active_certificate_sha256 = active.sha256 if active else None
    role.active_certificate_basis = basis


def _certificate_warnings(role: Protocol, now: datetime.datetime) -> Iterator[str]:
    for certificate in role.signing_certificates:
        short = certificate.sha256[:12]
        if certificate.expired_at(now):
            yield f"certificate_expired:{short}"
        elif not certificate.valid_at(now):
            yield f"certificate_not_yet_valid:{short}"
        if not certificate.is_rsa:
            yield f"key_not_rsa:{short}"
        elif certificate.key_bits < MIN_RSA_BITS:
            yield f"key_weak:{short}"
        if re.search(r"md2|md5|sha1", certificate.signature, re.IGNORECASE):
            yield f"certificate_signature_weak:{short}"
    if role.bad_signing_certificates:
        yield f"certificate_unreadable:{len(role.bad_signing_certificates)}"
    if len(role.signing_certificates) > 1:
        yield "several_signing_certificates"


def _issuer_warnings(entity_id: str) -> Iterator[str]:
    if re.search(r"\s", entity_id):
        yield "issuer_whitespace"
    if not is_uri(entity_id.strip()):
        yield "issuer_not_uri"
    if len(entity_id) > MAX_ENTITY_ID:
        yield "issuer_too_long"


def is_uri(issuer: str) -> bool:
    """Whether Microsoft Entra may take it as one (RFC 3986; letters of other alphabets as in RFC 3987). Braces are a template's, which is told by itself."""
    return _URI.fullmatch(issuer) is not None and not url_rule.unseen(issuer)


def _document_warnings(own: Signature, entities: list[Entity]) -> list[str]:
    warnings = []
    if own.present and not own.verifies:
        warnings.append(f"metadata_signature_not_verified:{own.error}")
    elif own.verified_by_published_signing_certificate is False:
        warnings.append("metadata_signed_by_unknown_key")
    if any("{" in (entity.entity_id or "") for entity in entities):
        warnings.append("issuer_is_template")
    return warnings
