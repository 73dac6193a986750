# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A captured sign-in answer (SAML 2.0 response, WS-Federation RSTR) judged as Microsoft Entra would judge it.

What Entra demands: https://learn.microsoft.com/entra/external-id/direct-federation. The AADSTS codes are those that users have reported for
the same fault; Microsoft calls them unstable, so take them as a hint. Personal data stays in here: results hold no token, name or address.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .._core.errors import OffboardError
from . import captured, signature, xml
from .captured import TokenRefused
from .certificates import BadCertificate, Certificate, from_base64
from .libraries import etree
from .metadata import EMAILADDRESS, IMMUTABLEID, MIN_RSA_BITS, PERSISTENT
from .service import LOGIN_URL
from .url_rule import OTHER_DOTS, a_label, unseen

MAX_BYTES = 1024 * 1024
SKEW_SECONDS = 300

SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
SAML2 = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAML1 = "{urn:oasis:names:tc:SAML:1.0:assertion}"
#: WS-Trust of February 2005 (what AD FS sends to Entra) and 1.3
TRUST = ("{http://schemas.xmlsoap.org/ws/2005/02/trust}", "{http://docs.oasis-open.org/ws-sx/ws-trust/200512}")

SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_NO_TIME = "holds a time that is not one"
_ENCRYPTED = "{http://www.w3.org/2001/04/xmlenc#}EncryptedData"


@dataclass(frozen=True)
class Federation:
    """What the token is held against. domains: empty for a federation without domains, where any mail domain will do.

    certificates: the pinned ones; a token must verify with one of them, whatever certificate it carries.
    """

    issuer_uri: str
    certificates: Sequence[Certificate]
    audiences: Sequence[str]
    domains: Sequence[str] = ()
    login_url: str = LOGIN_URL


@dataclass(frozen=True)
class Check:
    """One demand. claim: what in the token it is about. aadsts: the error that a user would see, "" when it passed."""

    check: str
    ok: bool
    claim: str
    msg: str
    aadsts: str = ""


@dataclass
class Result:
    """What was found. signed: the elements whose signatures verified. signed_with: SHA-1 of the certificate that came with the token.

    The facts below `claims` are read from verified elements only, and empty when the signature does not verify.
    """

    protocol: str
    valid: bool = False
    checks: list[Check] = field(default_factory=list)
    warnings_found: list[str] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    signed_with: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    issuer: str = ""
    audiences: list[str] = field(default_factory=list)
    name_id_format: str = ""
    email_domain: str = ""
    not_before: str = ""
    not_on_or_after: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self) | {"summary": [f"{item.aadsts} ({item.claim}): {item.msg}" for item in self.checks if not item.ok]}


def check(data: bytes, federation: Federation, now: datetime.datetime, skew: float = SKEW_SECONDS) -> Result:
    """Judge a token at the time `now` (aware); `skew`: seconds that clocks may differ.

    Raises xml.XmlRefused and TokenRefused for what is no sign-in answer at all; every other fault is a Check that is not ok.
    """
    try:
        root = xml.parse(captured.decode(data, MAX_BYTES), max_bytes=MAX_BYTES)
    except xml.XmlRefused as exc:
        if exc.code not in ("not_xml", "dtd_forbidden"):
            raise
        raise TokenRefused(f"{exc.msg} {captured.WHAT_TO_SAVE}", code=exc.code) from exc  # pylint: disable=bad-exception-cause
    if root.tag == f"{SAMLP}Response":
        judge: _Saml | _WsFed = _Saml(root, federation, now, skew)
    elif etree.QName(root).localname.startswith("RequestSecurityTokenResponse") and root.tag.startswith(TRUST):
        judge = _WsFed(root, federation, now, skew)
    else:
        msg = "The XML is refused: it is neither a SAML 2.0 Response nor a WS-Trust RequestSecurityTokenResponse."
        raise TokenRefused(f"{msg} {captured.WHAT_TO_SAVE}", code="not_a_token")
    result = judge.run()
    if any(item.check == "signature" and not item.ok for item in result.checks) and _has_stray_text(root):
        msg = "The answer is refused: text stands between its elements, such as marks of a browser or line numbers, so it is not as it was sent."
        raise TokenRefused(f"{msg} {captured.WHAT_TO_SAVE}", code="not_a_token")
    return result


class _Judge:
    """What both protocols have in common."""

    protocol: str
    namespace: str  # of the assertion
    id_attribute: str
    invalid: str  # the AADSTS code of an assertion that is not as it must be

    def __init__(self, root: etree._Element, federation: Federation, now: datetime.datetime, skew: float) -> None:
        self.root = root
        self.federation = federation
        self.now = now
        self.skew = datetime.timedelta(seconds=skew)
        self.result = Result(self.protocol)

    def run(self) -> Result:
        if self.answered():
            assertion = self.verified()
            if assertion is not None:
                self.judge(assertion)
        self.result.valid = all(item.ok for item in self.result.checks)
        return self.result

    def note(self, name: str, ok: bool, claim: str, good: str, bad: str, aadsts: str) -> None:
        self.result.checks.append(Check(name, ok, claim, good if ok else bad, "" if ok else f"AADSTS{aadsts}"))

    def answered(self) -> bool:
        """False when the provider sent an error instead of a token."""
        return True

    def places(self) -> Iterable[etree._Element]:
        """The assertions where the protocol has them."""
        raise NotImplementedError

    def verified(self) -> etree._Element | None:
        """The assertion as it was signed, or None after noting why there is none."""
        try:
            element = self.only_assertion()
            self.carried(element)
            return self.signed(element)
        except OffboardError as exc:
            code = {"signature_invalid": "5000811", "assertion_missing": "500082"}.get(exc.code, "50008")
            self.note("signature", False, "Signature", "", f"{exc.msg} ({exc.code})", code)
            return None

    def only_assertion(self) -> etree._Element:
        signature.check_ids(self.root)
        everywhere = list(self.root.iter(f"{SAML1}Assertion", f"{SAML2}Assertion"))
        # WS-Federation has no element around it, as AD FS shows where the relying party has a certificate for that
        encrypted = (f"{SAML2}EncryptedAssertion", f"{SAML2}EncryptedID", *([] if everywhere else [_ENCRYPTED]))
        if next(self.root.iter(*encrypted), None) is not None:
            raise TokenRefused("The assertion is encrypted; Entra publishes no key for that, so the provider must not encrypt.", code="assertion_encrypted")
        if not everywhere:
            raise TokenRefused("The answer holds no assertion.", code="assertion_missing")
        if len(everywhere) > 1 or list(self.places()) != everywhere:
            raise TokenRefused("The answer holds several assertions, or one in the wrong place, as in a signature wrapping attack.", code="signature_wrapped")
        if everywhere[0].tag != f"{self.namespace}Assertion":
            version = "1.1" if self.namespace == SAML1 else "2.0"
            raise TokenRefused(f"The assertion is not SAML {version}, which {self.protocol} needs here.", code="assertion_version")
        for element in self.root.iter(signature.SIGNATURE):
            if element.getparent() not in (self.root, everywhere[0]):
                raise TokenRefused("A signature stands where none belongs, as in a signature wrapping attack.", code="signature_wrapped")
        return everywhere[0]

    def carried(self, assertion: etree._Element) -> None:
        """Note which certificate came along: that is what to compare when the signature does not verify."""
        for element in (self.root, assertion):
            own = signature.of(element)
            for text in signature.certificates(own) if own is not None else ():
                try:
                    sha1 = from_base64(text).sha1
                except BadCertificate:
                    continue
                if sha1 not in self.result.signed_with:
                    self.result.signed_with.append(sha1)
            if own is not None and signature.uses_sha1(own):
                self.result.warnings_found.append(f"The {etree.QName(element).localname} is signed with SHA-1; have the provider use SHA-256.")

    def signed(self, assertion: etree._Element) -> etree._Element:
        """Every signature that is there must verify, and one must cover the assertion."""
        verified = None
        if signature.of(self.root) is not None:
            whole = self.verify(self.root, "ID")
            verified = next(whole.iterchildren(assertion.tag))
        if signature.of(assertion) is not None or verified is None:
            verified = self.verify(assertion, self.id_attribute)
        else:
            self.result.warnings_found.append("Only the Response is signed; Entra documents a signed Assertion, so have the provider sign that.")
        return verified

    def verify(self, element: etree._Element, id_attribute: str) -> etree._Element:
        name = etree.QName(element).localname
        refused: OffboardError = signature.SignatureRefused("The federation has no signing certificate.", code="signature_invalid")
        for certificate in self.federation.certificates:
            try:
                verified = signature.verify(element, certificate, id_attribute=id_attribute)
            except OffboardError as exc:
                refused = exc
                if exc.code not in signature.NOT_THIS_KEY:
                    raise
                continue
            self.result.signed.append(name)
            self.note("signature", True, f"{name}/Signature", f"The {name} is signed by certificate {certificate.sha1}.", "", "")
            self.judge_key(name, certificate, signature.of(element))
            if not certificate.valid_at(self.now):
                self.result.warnings_found.append(
                    f"The signing certificate {certificate.sha1} is valid from {certificate.not_before} to {certificate.not_after} only."
                )
            return verified
        other = [one for one in self.result.signed_with if one not in {certificate.sha1 for certificate in self.federation.certificates}]
        came = ", ".join(other or self.result.signed_with) or "none"
        hint = "; if the provider now signs with that one, put it into the federation" if other else ""
        if self.result.signed_with and not other:
            hint = ". A program that shows XML in lines of its own alters it: save it as it was posted"
        raise signature.SignatureRefused(f"{refused.msg} Certificate that came with the token: {came}{hint}.", code=refused.code)

    def judge_key(self, name: str, certificate: Certificate, own: etree._Element | None) -> None:
        """What verifies here need not do so there."""
        method = "" if own is None else signature.algorithm(own)
        if not certificate.is_rsa:
            what = f"is signed with a key of kind {certificate.key}, but Microsoft Entra takes RSA keys only"
        elif certificate.key_bits < MIN_RSA_BITS:
            what = f"is signed with a key of {certificate.key_bits} bits; at least {MIN_RSA_BITS} are needed"
        elif not re.fullmatch(r"rsa-sha\d+", method):
            what = f"is signed by the method {method}, which not every reader knows; have the provider use RSA-SHA256"
        else:
            return
        self.result.warnings_found.append(f"The {name} {what}.")

    def judge(self, assertion: etree._Element) -> None:
        """The demands on a verified assertion."""
        raise NotImplementedError

    def judge_issuer(self, issuer: str, where: str = "Issuer") -> None:
        want = self.federation.issuer_uri
        hint = " Only a trailing slash differs." if issuer.rstrip("/") == want.rstrip("/") else ""
        hint = hint or (" Only white space around it differs." if issuer.strip() == want.strip() else "")
        self.note("issuer", issuer == want, where, f"The issuer is {want}.", f"The issuer is {issuer!r}, the federation's is {want!r}.{hint}", "50107")

    def judge_audience(self, conditions: etree._Element | None, restriction: str) -> None:
        groups = (
            [] if conditions is None else [[xml.text(a) for a in xml.children(r, f"{self.namespace}Audience")] for r in conditions.iterchildren(restriction)]
        )
        self.result.audiences = [audience for group in groups for audience in group]
        ok = bool(groups) and all(set(group) & set(self.federation.audiences) for group in groups)
        wanted = " or ".join(self.federation.audiences)
        found = ", ".join(self.result.audiences) or "none"
        near = any(one.rstrip("/") == other.rstrip("/") for one in self.result.audiences for other in self.federation.audiences)
        hint = " Only a trailing slash differs." if near else ""
        self.note("audience", ok, "Audience", f"The audience is {found}.", f"The audience is {found}, expected {wanted}.{hint}", self.invalid)

    def judge_time(self, name: str, element: etree._Element | None, *, required: bool) -> None:
        fault = self.fault_of_time(element, required=required)
        if name == "Conditions" and element is not None and fault != _NO_TIME:
            self.result.not_before, self.result.not_on_or_after = element.get("NotBefore", ""), element.get("NotOnOrAfter", "")
        at = f"{self.now:%Y-%m-%dT%H:%M:%SZ}"
        self.note("time", not fault, name, f"{name} holds at {at}.", f"{name} {fault}; checked at {at}.", self.invalid)

    def fault_of_time(self, element: etree._Element | None, *, required: bool) -> str:
        """Why an element with NotBefore and NotOnOrAfter does not hold now; "" when it does."""
        begin, end = ("", "") if element is None else (element.get("NotBefore", ""), element.get("NotOnOrAfter", ""))
        try:
            times = [None if not value else xml.date_time(value) for value in (begin, end)]
        except ValueError:
            return _NO_TIME
        if required and times[1] is None:
            return "has no NotOnOrAfter"
        if times[0] is not None and self.now + self.skew < times[0]:
            return f"is not valid before {begin}"
        return f"was valid until {end}" if times[1] is not None and self.now - self.skew >= times[1] else ""

    def judge_email(self, claims: dict[str, list[str]], *, encrypted: bool = False) -> None:
        self.result.claims = list(claims)
        values = claims.get(EMAILADDRESS)
        if values is not None and not any(values):
            self.note("emailaddress", False, EMAILADDRESS, "", "The claim has no value.", "5000819")
            return
        if values is None:
            similar = [name for name in claims if re.search(r"e?mail", name, re.IGNORECASE)]
            hint = f" It sends {', '.join(similar)} instead; the name must be this whole URI, letter by letter." if similar else ""
            hint = hint or (" Attributes are encrypted, for which Entra publishes no key: the provider must not do that." if encrypted else "")
            self.note("emailaddress", False, EMAILADDRESS, "", f"The claim is missing.{hint}", "5000819")
            return
        local, at, domain = values[0].strip().rpartition("@")
        why = "" if len(values) == 1 else "it has several values"
        if not why and not (local and at and domain):
            why = "it is no text before and after one @"
        if why or (why := _no_mail_address(local, domain)):
            self.note("emailaddress", False, EMAILADDRESS, "", f"The claim is not exactly one mail address: {why}.", "5000819")
            return
        domain = a_label(domain)
        self.result.email_domain = domain
        ok = not self.federation.domains or domain in map(a_label, self.federation.domains)
        wanted = ", ".join(self.federation.domains)
        self.note(
            "emailaddress",
            ok,
            EMAILADDRESS,
            f"The mail domain is {domain}.",
            f"The mail domain is {domain}, the federation is for {wanted}.",
            "5000819",
        )


class _Saml(_Judge):
    protocol, namespace, id_attribute, invalid = "saml", SAML2, "ID", "500089"

    def answered(self) -> bool:
        codes = [code.get("Value", "").strip() for code in self.root.iter(f"{SAMLP}StatusCode")]
        ok = codes[:1] == [SUCCESS]
        words = ", ".join(filter(None, (code.rpartition(":")[2] for code in codes)))
        hint = " The provider does not offer the persistent NameID that Entra asks for." if "InvalidNameIDPolicy" in words else ""
        nothing = "The answer's StatusCode is empty" if codes else "The answer has no StatusCode"
        bad = f"The provider reports an error: {words}.{hint}" if words else f"{nothing}, so it does not say that it succeeded."
        self.note("status", ok, "StatusCode", "The provider reports success.", bad, "500082")
        return ok

    def places(self) -> Iterable[etree._Element]:
        return self.root.iterchildren(f"{SAML2}Assertion", f"{SAML1}Assertion")

    def judge(self, assertion: etree._Element) -> None:
        conditions = next(xml.children(assertion, f"{SAML2}Conditions"), None)
        self.result.issuer = _own_text(assertion, f"{SAML2}Issuer")  # that of the Response need not be signed, and is only compared
        self.judge_issuer(self.result.issuer)
        if (own := next(self.root.iterchildren(f"{SAML2}Issuer"), None)) is not None and str(own.xpath("string()")) != self.federation.issuer_uri:
            self.judge_issuer(str(own.xpath("string()")), "Response/Issuer")
        self.judge_audience(conditions, f"{SAML2}AudienceRestriction")
        self.judge_destination(assertion)
        self.judge_name_id(assertion)
        hidden = next(xml.children(assertion, f"{SAML2}AttributeStatement", f"{SAML2}EncryptedAttribute"), None)
        self.judge_email(self.claims(assertion), encrypted=hidden is not None)
        self.judge_time("Conditions", conditions, required=False)

    def judge_destination(self, assertion: etree._Element) -> None:
        want = self.federation.login_url
        destination = self.root.get("Destination")
        if destination is None:
            self.result.warnings_found.append("The Response has no Destination, which a signed one must have.")
        else:
            self.note("destination", destination == want, "Destination", f"It is {want}.", f"It is {destination!r}, expected {want}.", self.invalid)
        confirmations = [element for element in xml.children(assertion, f"{SAML2}Subject", f"{SAML2}SubjectConfirmation") if element.get("Method") == BEARER]
        # one that holds is enough (saml-core-2.0-os, 2.4.1); of others the first is told
        given = [element for one in confirmations for element in one.iterchildren(f"{SAML2}SubjectConfirmationData")]
        data = min(given, key=lambda one: one.get("Recipient") != want or bool(self.fault_of_time(one, required=True)), default=None)
        recipient = None if data is None else data.get("Recipient")
        self.note("recipient", recipient == want, "Recipient", f"It is {want}.", f"The bearer's recipient is {recipient!r}, expected {want}.", self.invalid)
        if data is not None:
            self.judge_time("SubjectConfirmationData", data, required=True)
        if not self.root.get("InResponseTo"):
            self.result.warnings_found.append(
                "The answer is to no request: the sign-in was started at the provider. Entra may refuse that with AADSTS50107; start at the application."
            )

    def judge_name_id(self, assertion: etree._Element) -> None:
        element = next(xml.children(assertion, f"{SAML2}Subject", f"{SAML2}NameID"), None)
        self.result.name_id_format = "" if element is None else element.get("Format", "")
        ok = self.result.name_id_format == PERSISTENT and bool(xml.text(element))
        found = self.result.name_id_format or "no format"
        self.note("name_id", ok, "NameID", "It is persistent.", f"It is missing, empty, or not persistent ({found}), expected {PERSISTENT}.", self.invalid)

    @staticmethod
    def claims(assertion: etree._Element) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for element in xml.children(assertion, f"{SAML2}AttributeStatement", f"{SAML2}Attribute"):
            found.setdefault(element.get("Name", ""), []).extend(xml.text(value) for value in element.iterchildren(f"{SAML2}AttributeValue"))
        return found


class _WsFed(_Judge):
    protocol, namespace, id_attribute, invalid = "wsfed", SAML1, "AssertionID", "50008"

    def places(self) -> Iterable[etree._Element]:
        trust = next((name for name in TRUST if self.root.tag.startswith(name)), "")
        path = [f"{trust}RequestSecurityTokenResponse"] if self.root.tag == f"{trust}RequestSecurityTokenResponseCollection" else []
        for token in xml.children(self.root, *path, f"{trust}RequestedSecurityToken"):
            yield from token.iterchildren(f"{SAML1}Assertion", f"{SAML2}Assertion")

    def judge(self, assertion: etree._Element) -> None:
        conditions = next(xml.children(assertion, f"{SAML1}Conditions"), None)
        claims = self.claims(assertion)
        self.result.issuer = assertion.get("Issuer", "")
        self.judge_issuer(self.result.issuer)
        self.judge_audience(conditions, f"{SAML1}AudienceRestrictionCondition")
        ok = any(claims.get(IMMUTABLEID, []))
        self.note("immutable_id", ok, IMMUTABLEID, "The claim is there.", "The claim is missing or empty.", "90020")
        self.judge_email(claims)
        self.judge_time("Conditions", conditions, required=True)

    @staticmethod
    def claims(assertion: etree._Element) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for element in xml.children(assertion, f"{SAML1}AttributeStatement", f"{SAML1}Attribute"):
            name = f"{element.get('AttributeNamespace', '')}/{element.get('AttributeName', '')}".lstrip("/")
            found.setdefault(name, []).extend(xml.text(value) for value in element.iterchildren(f"{SAML1}AttributeValue"))
        return found


def _no_mail_address(local: str, domain: str) -> str:
    """Why two parts are no mail address, without quoting them; "" when they are one."""
    if local.lower().startswith("mailto:"):
        return "it begins with mailto:"
    if re.search(r'[\s@;,:<>()\[\]\\"]', local):
        return "before its last @ it holds a blank, a bracket, a quotation mark or one of @ ; , : \\"
    if OTHER_DOTS.search(domain):
        return "a dot of its domain is U+3002 or another that is no full stop"
    if re.search(r"[\s;,:<>()\[\]\\\"/]|\.\.|^\.|\.$", domain) or unseen(local + domain):
        return "its domain is no name of one, or it holds what nobody sees"
    return ""


def _has_stray_text(root: etree._Element) -> bool:
    """Whether text stands where both protocols have elements only."""
    outside = root.iter(*(f"{namespace}*" for namespace in (SAMLP, SAML2, SAML1, signature.DS, *TRUST)))
    parents = (element for element in outside if len(element) and etree.QName(element).localname not in ("AttributeValue", "KeyInfo"))
    return any(text and text.strip() for parent in parents for text in (parent.text, *(child.tail for child in parent)))


def _own_text(parent: etree._Element, name: str) -> str:
    """The text of a child with its white space: issuers are compared byte for byte."""
    element = next(parent.iterchildren(name), None)
    return "" if element is None else str(element.xpath("string()"))
