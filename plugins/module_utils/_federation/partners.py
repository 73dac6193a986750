# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: a list of partners, checked as a whole; and what each one's administrator has to configure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .._core.errors import OffboardError
from . import metadata, url_rule
from .certificates import Certificate
from .metadata import EMAILADDRESS, IMMUTABLEID, PERSISTENT
from .service import Service
from .values import certificate_text, mail_address, names, protocol

SAML, WSFED = "saml", "wsFed"
#: Graph's protocol: the metadata reader's
_ROLES = {SAML: "saml", WSFED: "wsfed"}


def normal(entries: Iterable[Mapping[str, Any]], service: Service) -> list[dict[str, Any]]:
    """The list with domains, protocols and certificates in Graph's form, and each guest as entra_guests takes it.

    Raises OffboardError that names the partner: `bad_option`, `duplicate_partner`, `duplicate_domain`, `guest_domain`, and what values.py raises.
    """
    found: list[dict[str, Any]] = []
    owners: dict[str, str] = {}
    for number, entry in enumerate(entries, 1):
        name = entry["name"].strip()
        if not name:
            raise OffboardError(f"partners: number {number} has an empty name", code="bad_option")
        if any(other["name"].casefold() == name.casefold() for other in found):
            raise OffboardError(f"partners: {name} is there twice. Join the two entries, or rename one.", code="duplicate_partner")
        try:
            partner = {**entry, "name": name, **_normal(entry, service)}
        except OffboardError as exc:
            raise OffboardError(f"partners: {name}: {exc.msg}", code=exc.code, details=exc.details) from exc
        for domain in partner["domains"]:
            if other := owners.get(domain):
                raise OffboardError(
                    f"partners: {domain} belongs to {other} and to {name}. A domain has one federation: take it out of one of them.", code="duplicate_domain"
                )
            owners[domain] = name
        found.append(partner)
    if not found:
        raise OffboardError("partners is empty. List at least one partner; one that shall be removed has state: absent.", code="bad_option")
    return found


def _normal(entry: Mapping[str, Any], service: Service) -> dict[str, Any]:
    domains = names(entry["domains"])
    if not domains:
        raise OffboardError("there is no domain. Give the mail domains of the partner's people.", code="bad_option")
    made: dict[str, Any] = {"domains": list(domains)}
    if entry.get("metadata"):
        made["metadata"] = {name: value for name, value in entry["metadata"].items() if value is not None}
        if len({"path", "url", "content"} & set(made["metadata"])) != 1:
            raise OffboardError("metadata needs exactly one of path, url and content", code="bad_option")
    if entry.get("protocol"):
        made["protocol"] = protocol(entry["protocol"])
    if entry.get("signing_certificate"):
        made["signing_certificate"] = certificate_text(entry["signing_certificate"])
    shared = {"redirect_url": service.links[0], **{name: entry[name] for name in ("redirect_url", "message_body", "language") if entry.get(name)}}
    made["guests"] = [shared | {name: value for name, value in guest.items() if value is not None} for guest in entry.get("guests") or ()]
    seen: set[str] = set()
    for guest in made["guests"]:
        mail = mail_address(guest["mail"])
        if mail.rpartition("@")[2] not in domains:
            raise OffboardError(
                f"the guest {guest['mail']} is of none of its domains, and would not sign in through this federation. Add the domain, or invite with "
                "entra_guests.",
                code="guest_domain",
            )
        if url_rule.comparable(mail) in seen:  # all are invited by one task, which would refuse them all
            raise OffboardError(f"the guest {guest['mail']} is there twice. Take one out.", code="bad_option")
        seen.add(url_rule.comparable(mail))
    return made


# -- what the partner configures


@dataclass(frozen=True)
class Dns:
    """The URL rule for one domain. txt_record: the text that the partner adds at the domain, None when none is needed or none helps."""

    domain: str
    rule: str
    needed: bool
    txt_record: str | None
    zone_line: str | None


@dataclass
class ProviderSettings:
    """What is known of the partner's identity provider, from its metadata or given by hand."""

    issuer_uri: str | None = None
    passive_sign_in_uris: dict[str, str] = field(default_factory=dict)
    certificate: Certificate | None = None
    certificate_basis: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass
class Requirements:
    """What one partner's administrator configures; by protocol, in Graph's names, where it differs between them."""

    name: str
    domains: list[str]
    service: Service
    protocols: list[str]
    answers_to: dict[str, str]
    claims: dict[str, list[str]]
    name_id_format: str | None
    dns: list[Dns]
    known: ProviderSettings
    adfs: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


def known(partner: Mapping[str, Any], document: metadata.Metadata | None, certificate: Certificate | None) -> ProviderSettings:
    """From the partner's metadata; what was given by hand wins. Raises OffboardError when the metadata cannot be used."""
    made = ProviderSettings()
    chosen = partner.get("protocol")
    if document is not None:
        entity = metadata.choose(document, partner["metadata"].get("entity_id"))
        roles = {name: entity.protocols[role] for name, role in _ROLES.items() if role in entity.usable_protocols and chosen in (None, name)}
        if not roles:
            raise OffboardError(
                f"the metadata of {entity.entity_id} offers no usable {chosen} sign-in; it offers {', '.join(entity.usable_protocols)}",
                code="protocol_not_offered",
            )
        made.issuer_uri = entity.entity_id
        made.passive_sign_in_uris = {name: role.passive_sign_in_uri for name, role in roles.items() if role.passive_sign_in_uri}
        made.warnings = [*entity.warnings, *document.warnings]
        active = {role.active_certificate_sha256 for role in roles.values()}
        if len(active) == 1:
            role = next(iter(roles.values()))
            made.certificate = next((one for one in role.signing_certificates if one.sha256 in active), None)
            made.certificate_basis = role.active_certificate_basis
    if partner.get("issuer_uri"):
        made.issuer_uri = partner["issuer_uri"]
    if partner.get("passive_sign_in_uri"):
        made.passive_sign_in_uris = {chosen or next(iter(made.passive_sign_in_uris), SAML): partner["passive_sign_in_uri"]}
    if certificate is not None:
        made.certificate, made.certificate_basis = certificate, "given"
    return made


def requirements(partner: Mapping[str, Any], service: Service, found: ProviderSettings, profile: str = "current") -> Requirements:
    """What the partner configures. Without a protocol and without metadata that leaves one only, both are described."""
    protocols = [partner["protocol"]] if partner.get("protocol") else sorted(found.passive_sign_in_uris) or [SAML, WSFED]
    addresses = list(dict.fromkeys(found.passive_sign_in_uris.values()))
    return Requirements(
        name=partner["name"],
        domains=list(partner["domains"]),
        service=service,
        protocols=protocols,
        answers_to=dict.fromkeys(protocols, service.login_url),
        claims={name: [EMAILADDRESS] if name == SAML else [IMMUTABLEID, EMAILADDRESS] for name in protocols},
        name_id_format=PERSISTENT if SAML in protocols else None,
        dns=[_dns(domain, address, profile) for domain in partner["domains"] for address in addresses],
        known=found,
        adfs=not addresses or any(urlsplit(address).path.casefold().startswith("/adfs/") for address in addresses),
    )


def _dns(domain: str, address: str, profile: str) -> Dns:
    """By the rule alone: the record stays needed, whether it is there already or not."""
    verdict = url_rule.check(domain, address, profile)
    line = None if verdict.txt_record is None else f"{domain}. IN TXT {' '.join(quoted(verdict.txt_record))}"
    return Dns(domain, verdict.rule, not verdict.allowed, verdict.txt_record, line)


def quoted(text: str) -> list[str]:
    """The character strings of a TXT record, as zone files want them: of at most 255 bytes each (RFC 1035, 3.3 and 5.1)."""
    data = text.encode("utf-8", "surrogatepass")
    parts = [data[at : at + 255] for at in range(0, len(data), 255)]
    return ['"' + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03d}" for byte in part) + '"' for part in parts]


# -- AD FS


def adfs_commands(name: str, service: Service, protocol_name: str) -> str:
    """PowerShell that sets AD FS up, with the claim rules of https://learn.microsoft.com/entra/external-id/direct-federation-adfs.

    The page's wizard chooses an access control policy by its name, which differs with the language of Windows, so the permission is a rule
    here. It adds the global identifier too, which may be in one trust only: a partner with Microsoft 365 of its own has it there.
    """
    trust = _single(name)
    identifiers = [
        f"$identifiers = @({_single(service.audience)})",
        f"if (-not (Get-AdfsRelyingPartyTrust -Identifier {_single(service.global_audience)})) {{ $identifiers += {_single(service.global_audience)} }}",
    ]
    permit = """$permit = '=> issue(Type = "http://schemas.microsoft.com/authorization/claims/permit", Value = "true");'"""
    options = "-IssuanceTransformRules $rules -IssuanceAuthorizationRules $permit"
    if protocol_name == SAML:
        lines = [
            f"if (-not (Get-AdfsClaimDescription -ClaimType {_single(PERSISTENT)})) {{",
            f"  Add-AdfsClaimDescription -Name 'Persistent Identifier' -ClaimType {_single(PERSISTENT)} -IsAccepted $true -IsOffered $true",
            "}",
            "$rules = @'",
            *_EMAIL_RULE,
            "",
            *_NAME_ID_RULE,
            "'@",
            permit,
            *identifiers,
            f"$endpoint = New-AdfsSamlEndpoint -Binding POST -Protocol SAMLAssertionConsumer -Uri {_single(service.login_url)}",
            f"Add-AdfsRelyingPartyTrust -Name {trust} -Identifier $identifiers -SamlEndpoint $endpoint {options}",
        ]
    else:
        lines = [
            "$rules = @'",
            *_EMAIL_RULE,
            "",
            *_IMMUTABLE_ID_RULE,
            "'@",
            permit,
            *identifiers,
            f"Add-AdfsRelyingPartyTrust -Name {trust} -Identifier $identifiers -WSFedEndpoint {_single(service.login_url)} {options}",
        ]
    return "\n".join(lines) + "\n"


_ACCOUNT = 'c:[Type == "http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname"'
_EMAIL_RULE = (
    '@RuleTemplate = "LdapClaims"',
    '@RuleName = "Email claim rule"',
    f'{_ACCOUNT}, Issuer == "AD AUTHORITY"]',
    f' => issue(store = "Active Directory", types = ("{EMAILADDRESS}"), query = ";mail;{{0}}", param = c.Value);',
)
_NAME_ID_RULE = (
    '@RuleTemplate = "MapClaims"',
    '@RuleName = "Email transform rule"',
    f'c:[Type == "{EMAILADDRESS}"]',
    ' => issue(Type = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier", Issuer = c.Issuer, OriginalIssuer = c.OriginalIssuer,',
    "  Value = c.Value, ValueType = c.ValueType,",
    f'  Properties["http://schemas.xmlsoap.org/ws/2005/05/identity/claimproperties/format"] = "{PERSISTENT}");',
)
_IMMUTABLE_ID_RULE = (
    '@RuleName = "Issue Immutable ID"',
    f"{_ACCOUNT}]",
    f' => issue(store = "Active Directory", types = ("{IMMUTABLEID}"),',
    '  query = "samAccountName={0};objectGUID;{1}",',
    r'  param = regexreplace(c.Value, "(?<domain>[^\\]+)\\(?<user>.+)", "${user}"), param = c.Value);',
)


def _single(text: str) -> str:
    """A PowerShell string in single quotes, in which nothing is expanded; the typographic quotes end one as well."""
    for quote in "'\u2018\u2019\u201a\u201b":
        text = text.replace(quote, quote * 2)
    return "'" + " ".join(text.split()) + "'"
