# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: what a federation with a partner shall be, what changes, and what Microsoft Entra or the operator's guests would not survive.

The rules are those of https://learn.microsoft.com/entra/external-id/direct-federation; the profile `2020` means the text of 2020.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core import phrases
from ..._core.address import shown
from ..._core.diff import changed_properties, list_change
from ..._core.errors import AmbiguousMatch, OffboardError
from ..._core.model import Change, Object, Refusal
from ..._core.plan import Plan
from ..._core.text import counted
from ..._federation import certificates, metadata, url_rule
from ..._federation.certificates import BadCertificate, Certificate
from ..._federation.url_rule import comparable
from ..._federation.values import is_metadata_exchange, known_protocol
from ..guest import Guest, behind
from .realm import Realm

KIND = "external_federation"
CREATE, UPDATE, DELETE = "create", "update", "delete"

#: option: Graph's property
PROPERTIES = {
    "display_name": "displayName",
    "issuer_uri": "issuerUri",
    "passive_sign_in_uri": "passiveSignInUri",
    "metadata_exchange_uri": "metadataExchangeUri",
    "protocol": "preferredAuthenticationProtocol",
    "signing_certificate": "signingCertificate",
}
_REQUIRED = ("issuerUri", "passiveSignInUri", "preferredAuthenticationProtocol", "signingCertificate")

#: Graph's protocol: the metadata reader's
_ROLES = {"saml": "saml", "wsFed": "wsfed"}

#: Federations, internal and external together; direct-federation's text of 2024-06-05. The text of 2025 no longer names the number.
LIMIT, NEAR_LIMIT = 1000, 900
#: Days before the end of a certificate from which on it is told. AD FS makes the successor the active one 15 days before.
EXPIRY_WARNING_DAYS = 30
TAKES_EFFECT = phrases.english("takes_effect")


# -- what shall be


@dataclass(frozen=True)
class WantedFederation:
    """What a task asks for. settings: Graph's properties given by hand or by a saved configuration, None in metadataExchangeUri removes it.

    entity, metadata_url: from the metadata, which what is given by hand overrules. set_to: None when the list of domains is not given.
    """

    domain: str
    present: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    entity: metadata.Entity | None = None
    metadata_url: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    set_to: tuple[str, ...] | None = None


def settings_of(want: WantedFederation, configured: Mapping[str, Any] | None) -> dict[str, Any]:
    """The properties that the federation shall have: by hand, else from the metadata. Those that nobody names are left out.

    configured: the federation as it is; it decides where the metadata leaves a choice. Raises OffboardError `protocol_needed`,
    `protocol_not_offered`, `active_certificate_unknown`.
    """
    settings = dict(want.settings)
    if want.entity is None:
        return settings
    chosen = settings.get("preferredAuthenticationProtocol") or _protocol(want.entity, configured)
    settings["preferredAuthenticationProtocol"] = chosen
    role = want.entity.protocols.get(_ROLES[chosen])
    if role is None or not role.usable:
        offered = ", ".join(want.entity.usable_protocols)
        raise OffboardError(f"the metadata of {want.entity.entity_id} offers no usable {chosen} sign-in; it offers {offered}", code="protocol_not_offered")
    settings.setdefault("issuerUri", want.entity.entity_id)
    settings.setdefault("passiveSignInUri", role.passive_sign_in_uri)
    if want.metadata_url:
        settings.setdefault("metadataExchangeUri", want.metadata_url)
    if "signingCertificate" not in settings:
        settings["signingCertificate"] = _active(want.entity, role, (configured or {}).get("signingCertificate"))
    return settings


def role_of(want: WantedFederation, settings: Mapping[str, Any]) -> metadata.Protocol | None:
    """What the metadata says of the protocol that the federation speaks; None without metadata."""
    return None if want.entity is None else want.entity.protocols.get(_ROLES.get(settings.get("preferredAuthenticationProtocol") or "", ""))


def _protocol(entity: metadata.Entity, configured: Mapping[str, Any] | None) -> str:
    usable = [name for name, role in _ROLES.items() if role in entity.usable_protocols]
    present = (configured or {}).get("preferredAuthenticationProtocol")
    if len(usable) == 1 or present in usable:
        return usable[usable.index(present) if present in usable else 0]
    raise OffboardError(f"the metadata of {entity.entity_id} offers both {' and '.join(usable)}. Say which one by protocol.", code="protocol_needed")


def _active(entity: metadata.Entity, role: metadata.Protocol, configured: str | None) -> str:
    """The certificate with whose key tokens are signed now. Where the metadata does not tell, the configured one while it is published."""
    published = {item.sha256: item for item in role.signing_certificates}
    if role.active_certificate_sha256 in published:
        return published[role.active_certificate_sha256].base64
    if configured in {item.base64 for item in published.values()}:
        return configured
    raise OffboardError(
        f"the metadata of {entity.entity_id} does not tell which of its {len(published)} certificates is in use ({role.active_certificate_basis}). "
        "Ask the partner, and give it as signing_certificate.",
        code="active_certificate_unknown",
        details={"candidates": [{name: getattr(item, name) for name in ("sha1", "sha256", "not_before", "not_after")} for item in published.values()]},
    )


# -- what is


def federation(item: Mapping[str, Any]) -> Object:
    """From Graph's samlOrWsFedExternalDomainFederation; `domains` must be there. In one form, so that equal things compare equal."""
    state = {name: item.get(name) for name in PROPERTIES.values()}
    state["preferredAuthenticationProtocol"] = known_protocol(str(state["preferredAuthenticationProtocol"])) or state["preferredAuthenticationProtocol"]
    state["signingCertificate"] = "".join((state["signingCertificate"] or "").split()) or None
    state["domains"] = sorted(comparable(str(entry["id"])) for entry in item["domains"])
    return Object(KIND, item["id"], state["displayName"] or item["id"], state)


def holder(federations: Iterable[Object], domain: str) -> Object | None:
    """The federation that serves `domain`. Raises AmbiguousMatch when Graph names several, which must not be."""
    found = [item for item in federations if domain in item.state["domains"]]
    if len(found) > 1:
        raise AmbiguousMatch(f"{len(found)} federations serve {domain}", [{"id": item.id, "displayName": item.name} for item in found])
    return found[0] if found else None


def meant(federations: Iterable[Object], want: WantedFederation) -> Object | None:
    """The federation that a task is about: the one that serves its domain.

    When none does, the partner may have another first domain by now: then the one that serves one of the other wanted domains, if it has the
    wanted issuer, or if it shall be removed. Raises AmbiguousMatch.
    """
    federations = list(federations)
    if (found := holder(federations, want.domain)) is not None:
        return found
    others = {*want.add, *(want.set_to or ())}
    issuer = want.settings.get("issuerUri") or (want.entity.entity_id if want.entity is not None else None)
    matching = [item for item in federations if others & set(item.state["domains"]) and (not want.present or item.state["issuerUri"] == issuer)]
    if len(matching) > 1:
        raise AmbiguousMatch(
            f"{len(matching)} federations serve the domains {', '.join(sorted(others))}. Name each by one of its own domains.",
            [{"id": item.id, "displayName": item.name, "domains": item.state["domains"]} for item in matching],
        )
    return matching[0] if matching else None


# -- plan

_UNDO = phrases.english("undo_federation")


def plan_federation(federations: Sequence[Object], want: WantedFederation) -> Plan:
    """Raises OffboardError `missing_settings` when a new federation lacks something."""
    plan = Plan()
    found = meant(federations, want)
    change = _present(found, want) if want.present else _absent(found)
    if change is None:
        plan.unchanged += 1
        if not want.present and (near := alike(want.domain, (name for item in federations for name in item.state["domains"]))):
            plan.warnings.append(phrases.english("federation_alike", domain=want.domain, found=", ".join(near)))
    else:
        plan.changes.append(change)
    return plan


def alike(domain: str, others: Iterable[str]) -> list[str]:
    """The domains above or below it, and those that differ from it as a typing error does. Each may have a federation of its own."""
    names = sorted(set(others))
    family = [name for name in names if name.endswith(f".{domain}") or domain.endswith(f".{name}")]
    return list(dict.fromkeys([*family, *difflib.get_close_matches(domain, names, cutoff=0.9)]))


def _absent(found: Object | None) -> Change | None:
    if found is None:
        return None
    return Change(KIND, found.id, found.name, DELETE, {"id": found.id, **found.state}, None, risk="high", undo=_UNDO)


def _present(found: Object | None, want: WantedFederation) -> Change | None:
    state = {} if found is None else found.state
    settings = settings_of(want, state)
    domains = list_change(state.get("domains", ()), [want.domain, *want.add], want.remove, want.set_to)
    desired = {**settings, "domains": sorted(domains)}
    if found is None:
        missing = [option for option, name in PROPERTIES.items() if name in _REQUIRED and not settings.get(name)]
        if missing:
            raise OffboardError(
                f"no federation serves {want.domain}, and a new one needs {', '.join(missing)}. Give metadata, a saved configuration, or these options.",
                code="missing_settings",
                details={"missing": missing},
            )
        after = {"displayName": want.domain, "metadataExchangeUri": None, **desired}
        return Change(KIND, want.domain, after["displayName"], CREATE, None, after, risk="medium", undo=phrases.english("undo_federation_created"))
    before, after = changed_properties(state, desired)
    if not after:
        return None
    return Change(KIND, found.id, found.name, UPDATE, before, after, risk=_risk(before, after), undo=_UNDO)


def _risk(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if set(after) == {"displayName"}:
        return "low"
    fewer = set(before.get("domains", ())) - set(after.get("domains", ()))
    return "high" if fewer or set(after) & {"issuerUri", "passiveSignInUri", "preferredAuthenticationProtocol", "signingCertificate"} else "medium"


# -- what it would do to guests


def removed_domains(change: Change) -> list[str]:
    """The domains that the federation would no longer serve."""
    after = (change.after or {"domains": ()}).get("domains")
    return [] if after is None or change.before is None else [name for name in change.before["domains"] if name not in after]


def added_domains(change: Change) -> list[str]:
    """The domains that the federation would serve in addition."""
    return [name for name in (change.after or {}).get("domains", ()) if name not in (change.before or {}).get("domains", ())]


def may_lock_out(change: Change) -> bool:
    """Whether guests who sign in through the federation could be unable to, so that one has to look who they are."""
    return change.action == DELETE or bool(removed_domains(change)) or (change.action == UPDATE and "issuerUri" in (change.after or {}))


def locked_out(change: Change, current: Mapping[str, Any], guests: Iterable[Guest]) -> list[Guest]:
    """The guests who could no longer sign in: all behind a federation that goes away or gets another issuer, else those of removed domains.

    current: the federation's state.
    """
    found = behind(guests, current["issuerUri"] or "", current["domains"])
    if change.action == DELETE or "issuerUri" in (change.after or {}):
        return found
    gone = set(removed_domains(change))
    return [item for item in found if item.domain in gone or gone & {comparable(issuer) for issuer in item.issuers}]


# -- guards


@dataclass
class FederationContext:
    """What the checks look at besides the plan.

    own_domains: verified in this tenant. internal: federated root domains of this tenant, by name, with their issuers ("" when unknown).
    unvouched: properties from metadata at an address, that nothing which the tenant holds vouches for. lookup: TXT records.
    realms: of added domains, None where the sign-in service did not tell. role: what the metadata says, where it is given.
    """

    now: datetime.datetime
    profile: str = "current"
    role: metadata.Protocol | None = None
    own_domains: Collection[str] = ()
    internal: Mapping[str, str] = field(default_factory=dict)
    lookup: url_rule.TxtLookup | None = None
    realms: Mapping[str, Realm | None] = field(default_factory=dict)
    guests: Sequence[Guest] = ()
    accept_lockout: bool = False
    confirmed: Collection[str] = ()
    unvouched: Collection[str] = ()
    #: whether the guests' last sign-in could be read
    sign_in_readable: bool = False


@dataclass
class FederationObjections:
    """What the checks found."""

    refusals: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    url_rule: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, rule: str, msg: str, *objects: str, allow_with: str = "") -> None:
        self.refusals.append(Refusal(rule, msg, objects, allow_with))


def check(change: Change, federations: Sequence[Object], context: FederationContext) -> FederationObjections:
    """Every reason not to make the change, all at once."""
    found = FederationObjections()
    current = next((item.state for item in federations if item.id == change.id), {})
    if change.action == DELETE:
        _check_confirmed(found, change, context)
    else:
        after = {**current, **(change.after or {})}
        if "signingCertificate" in (change.after or {}):
            _check_certificate(found, after["signingCertificate"], context.now)
            _check_published(found, after["signingCertificate"], context.role)
            _check_older(found, after["signingCertificate"], current.get("signingCertificate"))
        if "issuerUri" in (change.after or {}):
            _check_issuer(found, after["issuerUri"], change.id, federations, context)
        if (change.after or {}).get("metadataExchangeUri"):
            _check_metadata_exchange_uri(found, after["metadataExchangeUri"])
        _check_vouched(found, change, context.unvouched)
        _check_domains(found, change, after, federations, context)
        if change.action == CREATE:
            _check_limit(found, len(federations) + len(context.internal))
            if not after["metadataExchangeUri"]:
                until = certificates.from_base64(after["signingCertificate"]).not_after[:10]
                found.warnings.append(phrases.english("no_metadata_address", date=until))
        if change.risk != "low":
            found.warnings.append(TAKES_EFFECT)
    _check_lockout(found, change, current, context)
    return found


def _check_confirmed(found: FederationObjections, change: Change, context: FederationContext) -> None:
    served = (change.before or {})["domains"]
    others = [name for name in served if name not in context.confirmed]
    if others:
        found.refuse(
            "more_domains",
            f"The federation also serves {', '.join(others)}, which would lose it too. To take one domain out of it, use state: present with another of its "
            "domains and domains.remove.",
            *others,
            allow_with=f"domains: {{set: [{', '.join(served)}]}}",
        )


def _check_lockout(found: FederationObjections, change: Change, current: Mapping[str, Any], context: FederationContext) -> None:
    if not may_lock_out(change) or context.accept_lockout:
        return
    guests = locked_out(change, current, context.guests)
    if guests:
        shown = ", ".join(item.mail or item.upn for item in guests[:10]) + (f" and {len(guests) - 10} more" if len(guests) > 10 else "")
        found.refuse(
            "lockout",
            f"{counted(len(guests), 'guest signs', 'guests sign')} in through this federation and could no longer: {shown}. "
            "If you accept that, reset their redemption afterwards, so that they can redeem anew.",
            *(item.upn for item in guests),
            allow_with="accept_lockout: true",
        )


def _check_certificate(found: FederationObjections, text: str, now: datetime.datetime) -> None:
    certificate = certificates.from_base64(text)
    what = f"The signing certificate {certificate.subject_text} (SHA-1 {certificate.sha1})"
    if certificate.expired_at(now):
        found.refuse("certificate_expired", f"{what} expired on {certificate.not_after}. Ask the partner for the present one.")
    elif not certificate.valid_at(now):
        found.refuse("certificate_not_yet_valid", f"{what} is valid from {certificate.not_before} only.")
    elif days_left(certificate, now) <= EXPIRY_WARNING_DAYS:
        found.warnings.append(phrases.english("certificate_expires_soon", certificate=what, days=days_left(certificate, now), date=certificate.not_after))
    if not certificate.is_rsa:
        found.refuse("key_not_rsa", f"{what} has a key of kind {certificate.key}; Microsoft Entra takes RSA keys only.")
    elif certificate.key_bits < metadata.MIN_RSA_BITS:
        found.refuse("key_weak", f"{what} has a key of {certificate.key_bits} bits; at least {metadata.MIN_RSA_BITS} are needed.")


def _check_published(found: FederationObjections, text: str, role: metadata.Protocol | None) -> None:
    """A certificate that was given by hand, against the metadata that was given with it."""
    if role is None:
        return
    certificate = certificates.from_base64(text)
    way_out = "Leave signing_certificate out to take the one in use, or metadata if you know better."
    if certificate.sha256 not in {one.sha256 for one in role.signing_certificates}:
        found.refuse("certificate_not_published", f"The metadata does not publish the signing certificate with SHA-1 {certificate.sha1}. {way_out}")
    elif role.active_certificate_sha256 not in (None, certificate.sha256):
        found.refuse(
            "certificate_not_active",
            f"The metadata tells by {role.active_certificate_basis} that another key signs than that of SHA-1 {certificate.sha1}. {way_out}",
        )


def from_address(change: Change, want: WantedFederation) -> list[str]:
    """What an existing federation would take from metadata that is read anew from an address at each run: who answers there decides it."""
    if change.action != UPDATE or not want.metadata_url:
        return []
    return [name for name in ("issuerUri", "passiveSignInUri", "signingCertificate") if name in (change.after or {}) and name not in want.settings]


def _check_vouched(found: FederationObjections, change: Change, unvouched: Collection[str]) -> None:
    if unvouched:
        found.refuse(
            "metadata_not_vouched",
            f"The metadata at the address would change {', '.join(unvouched)}, but it is not signed with the key of the certificate that Entra holds: an "
            "intruder's would look the same. Ask the partner by another way, and give the new signing_certificate (or other property) by hand, or the "
            "metadata as a file that the partner sent. Or say that the address's TLS alone is trusted.",
            change.name,
            allow_with="metadata: {trust_metadata_tls: true}",
        )


def _check_older(found: FederationObjections, text: str, configured: str | None) -> None:
    """One that was renewed in the meantime would be lost to somebody's old notes."""
    try:
        before = certificates.from_base64(configured or "")
    except BadCertificate:
        return
    after = certificates.from_base64(text)
    if after.not_before < before.not_before:
        dates = {"date": after.not_before[:10], "before": before.not_before[:10]}
        found.warnings.append(phrases.english("certificate_is_older", thumbprint=after.sha1, **dates))


def days_left(certificate: Certificate, now: datetime.datetime) -> int:
    """Whole days until it ends; negative afterwards."""
    return (datetime.datetime.fromisoformat(certificate.not_after) - now).days


def _check_issuer(found: FederationObjections, issuer: str, own: str, federations: Iterable[Object], context: FederationContext) -> None:
    if not metadata.is_uri(issuer) or len(issuer) > metadata.MAX_ENTITY_ID:
        found.refuse(
            "issuer_not_uri", f"The issuer {issuer!r} is no URI (RFC 3986) of at most {metadata.MAX_ENTITY_ID} characters, as Microsoft Entra wants it."
        )
    if "{" in issuer:
        found.refuse("issuer_is_template", f"The issuer {issuer} is a template. Take the metadata of the partner's own tenant.")
    users = [f"the federation {item.name} ({', '.join(item.state['domains'])})" for item in federations if item.state["issuerUri"] == issuer and item.id != own]
    users += [f"this tenant's domain {name}" for name, other in context.internal.items() if other == issuer]
    if users:
        found.refuse("issuer_in_use", f"The issuer {issuer} is in use already, by {' and '.join(users)}. Add the domain to that federation.", *users)


def _check_metadata_exchange_uri(found: FederationObjections, address: str) -> None:
    if not url_rule.is_usable(address):
        what = f"metadata_exchange_uri {shown(address)} is no https address from which Entra could renew"
        found.refuse("metadata_exchange_uri_not_https", f"{what}: it has another scheme, a user name, a blank, or a port or a host that is none.")
    elif is_metadata_exchange(address):
        found.warnings.append(phrases.english("ws_trust_address", address=address))


def _check_limit(found: FederationObjections, count: int) -> None:
    if count >= LIMIT:
        found.refuse("limit", f"The tenant has {count} federations, internal and external ones counted together; Microsoft Entra takes {LIMIT}.")
    elif count >= NEAR_LIMIT:
        found.warnings.append(phrases.english("near_the_limit", number=count, limit=LIMIT))


def _check_domains(found: FederationObjections, change: Change, after: Mapping[str, Any], federations: Iterable[Object], context: FederationContext) -> None:
    added = added_domains(change)
    if context.profile == "2020" and added and len(after["domains"]) > 1:
        found.refuse("several_domains", f"Profile 2020 allows one domain in a federation, not {', '.join(after['domains'])}.", *after["domains"])
    for name in added:
        other = next((item for item in federations if item.id != change.id and name in item.state["domains"]), None)
        if other is not None:
            found.refuse("domain_in_use", f"{name} belongs to the federation {other.name} (id {other.id}). Remove it there first.", name)
        _check_tenants(found, name, context)
    address = after["passiveSignInUri"] or ""  # Graph may hold none
    for name in after["domains"] if "passiveSignInUri" in (change.after or {}) else added:
        verdict = url_rule.check(name, address, context.profile, context.lookup)
        found.url_rule.append({"domain": name, "url": address, **verdict.to_dict()})
        if not verdict.allowed:
            found.refuse(verdict.rule, f"{address} cannot sign people of {name} in: {verdict.msg}", name)


def _check_tenants(found: FederationObjections, name: str, context: FederationContext) -> None:
    """A domain of this tenant, or of another one."""
    if name in context.own_domains:
        found.refuse("domain_verified_here", f"{name} is verified in this tenant: its people are no guests here.", name)
        return
    parent = next((own for own in context.own_domains if name.endswith(f".{own}")), None)
    if parent:
        found.warnings.append(phrases.english("below_own_domain", domain=name, parent=parent))
    if name not in context.realms:
        return
    realm = context.realms[name]
    if realm is None:
        found.warnings.append(phrases.english("tenant_not_looked_up", domain=name))
    elif realm.verified and context.profile == "2020":
        found.refuse("domain_verified_elsewhere", f"{name} is verified in another Entra tenant, which profile 2020 does not allow.", name)
    elif realm.verified:
        found.warnings.append(phrases.english("verified_elsewhere", domain=name))
