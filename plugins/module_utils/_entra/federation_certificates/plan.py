# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: does Entra hold the certificate with which an identity provider signs, and for how long?"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..._core import heads, phrases, plain
from ..._core.address import shown
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Skip
from ..._federation import certificates, metadata, url_rule
from ..._federation.certificates import BadCertificate, Certificate
from ..._federation.values import is_metadata_exchange
from .announced import Announced

EXTERNAL, INTERNAL = "external_federation", "internal_federation"

NEVER, WHEN_ACTIVE, WHEN_PUBLISHED = "never", "when_active", "when_published"

#: With the exit codes that monitoring plugins use (https://www.monitoring-plugins.org/doc/guidelines.html); gravest last.
EXIT_CODES = {"ok": 0, "warning": 1, "unknown": 3, "critical": 2}
_SEVERITIES = list(EXIT_CODES)

#: Gravest first: the first one that holds is the federation's state.
STATES = (
    "configured_not_published",
    "configured_not_active",
    "expired",
    "unknown",
    "drift",
    "expires_soon",
    "successor_published",
    "no_auto_renewal",
    "in_step",
)

#: AD FS publishes a successor 20 days before the end and signs with it 5 days later: CertificateGenerationThreshold and
#: CertificatePromotionThreshold of https://learn.microsoft.com/powershell/module/adfs/set-adfsproperties
ADFS_PROMOTION_DAYS = 15
#: From so many days before the end on Entra looks daily for a new certificate; https://learn.microsoft.com/graph/api/resources/samlorwsfedprovider
ENTRA_RENEWAL_DAYS = 30

_ADFS_MEX = re.compile(r"(https://[^/]+)/adfs/services/trust/mex/?", re.IGNORECASE)
_ROLES = {"saml": "saml", "wsFed": "wsfed"}


@dataclass(frozen=True)
class Observation:
    """One thing that is true of a federation; reason is a code, given where the state alone does not say why."""

    state: str
    severity: str
    msg: str
    reason: str = ""

    def to_dict(self) -> dict[str, str]:
        """JSON-serialisable."""
        return {"state": self.state, "severity": self.severity, "reason": self.reason, "msg": self.msg}


@dataclass
class CertificateVerdict:
    """What is true of one federation.

    held: the certificates that Entra accepts: one, and for the tenant's own domains the next one too. active: the one that signs now.
    successor: published, not held, and not signing yet. first_failure: when sign-ins begin to fail if nobody does anything.
    vouched: whether the metadata is signed with the key of a held certificate: then, and only then, does it say by itself who may replace that.
    announced: what such metadata says, or said the last time.
    """

    findings: list[Observation] = field(default_factory=list)
    held: list[Certificate] = field(default_factory=list)
    active: Certificate | None = None
    active_basis: str = ""
    successor: Certificate | None = None
    first_failure: datetime.datetime | None = None
    vouched: bool = False
    signed: bool = False
    announced: Announced | None = None

    def vouches_for(self, new: Certificate) -> bool:
        """Whether a held certificate says that it may be replaced by this one."""
        return self.vouched or (self.announced is not None and new.sha256 in self.announced.certificates)

    @property
    def gravest(self) -> Observation:
        """The finding that gives the state."""
        return min(self.findings, key=lambda item: STATES.index(item.state))

    @property
    def severity(self) -> str:
        """The worst severity of all findings."""
        return worst(item.severity for item in self.findings)

    def has(self, *states: str) -> bool:
        """Whether one of the states holds, be it the gravest or not."""
        return any(item.state in states for item in self.findings)

    def add(self, state: str, severity: str, msg: str, reason: str = "") -> None:
        self.findings.append(Observation(state, severity, msg, reason))

    @property
    def last(self) -> Certificate | None:
        """The held certificate that ends last."""
        return max(self.held, key=_end, default=None)


def worst(severities: Iterable[str]) -> str:
    """The worst of them; ok when there are none."""
    return max(severities, key=_SEVERITIES.index, default="ok")


def _end(certificate: Certificate) -> datetime.datetime:
    return datetime.datetime.fromisoformat(certificate.not_after)


def metadata_url(item: Object, given: Mapping[str, str]) -> str | None:
    """Where to read the federation's metadata; None when nowhere.

    given: addresses by domain in lower case, which win. Entra reads AD FS's metadata of the tenant's own domains at its well-known
    path, although the configuration names the WS-Trust metadata exchange next to it
    (https://learn.microsoft.com/entra/identity/hybrid/connect/how-to-connect-fed-o365-certs).
    """
    for domain in item.state["domains"]:
        if domain in given:
            return given[domain]
    address = item.state["metadataExchangeUri"]
    if adfs := _ADFS_MEX.fullmatch(address or ""):
        return f"{adfs[1]}/FederationMetadata/2007-06/FederationMetadata.xml" if item.kind == INTERNAL else None
    return address or None


def judge(
    item: Object,
    document: metadata.Metadata | OffboardError | None,
    now: datetime.datetime,
    *,
    warning_days: int = 30,
    critical_days: int = 7,
    former: Announced | None = None,
) -> CertificateVerdict:
    """Compare what Entra holds with what the identity provider publishes.

    document: the metadata at `now`; the error that came instead; None when there is no address to read. Days: whole days before the
    last held certificate ends, from which on that is a warning, and critical. former: what the federation had announced when it was looked at before.
    """
    verdict = CertificateVerdict()
    if "unreadable" in item.state:
        verdict.add("unknown", "unknown", item.state["unreadable"], "configuration_unreadable")
        verdict.announced = former  # what Entra holds is not known, so nothing speaks against it
        return verdict
    _hold(verdict, item)
    _judge_dates(verdict, now, warning_days, critical_days)
    _judge_source(verdict, item, document)
    if isinstance(document, metadata.Metadata):
        verdict.signed = document.metadata_signature.present
        by = frozenset(one.sha256 for one in verdict.held if one.sha256 in document.vouched_by)
        verdict.vouched = bool(by)
        role = _judge_metadata(verdict, item, document)
        if verdict.vouched:  # the newest word of a held certificate takes the place of all before
            issuer = item.state["issuerUri"]
            former = Announced(issuer, by, frozenset(one.sha256 for one in role.signing_certificates)) if role is not None and issuer else None
        if role is not None and verdict.held:
            _judge_keys(verdict, role, now)
    if former is not None and former.counts(item.state["issuerUri"], (one.sha256 for one in verdict.held)):
        verdict.announced = former
    if not verdict.findings:
        verdict.add("in_step", "ok", "Entra holds the certificate with which the identity provider signs.")
    verdict.first_failure = _first_failure(verdict, item, now)
    return verdict


def held(item: Object) -> list[Certificate]:
    """The readable certificates that Entra holds of a federation."""
    verdict = CertificateVerdict()
    _hold(verdict, item)
    return verdict.held


def _hold(verdict: CertificateVerdict, item: Object) -> None:
    for name in ("signingCertificate", "nextSigningCertificate"):
        if text := item.state.get(name):
            try:
                verdict.held.append(certificates.from_text(text))
            except BadCertificate as exc:
                verdict.add("unknown", "unknown", f"{name} of the configuration cannot be read. {exc.msg}", "certificate_invalid")
    if not verdict.held and not verdict.findings:
        verdict.add("unknown", "unknown", "The configuration has no signing certificate.", "configured_certificate_missing")


def _judge_dates(verdict: CertificateVerdict, now: datetime.datetime, warning_days: int, critical_days: int) -> None:
    if (last := verdict.last) is None:
        return
    days = (_end(last) - now).days
    if last.expired_at(now):
        verdict.add("expired", "critical", f"The certificate that Entra holds ended on {last.not_after[:10]}.")
    elif days <= warning_days:
        severity = "critical" if days <= critical_days else "warning"
        verdict.add("expires_soon", severity, f"The certificate that Entra holds ends in {days} days, on {last.not_after[:10]}.")


def _judge_source(verdict: CertificateVerdict, item: Object, document: metadata.Metadata | OffboardError | None) -> None:
    configured = item.state["metadataExchangeUri"]
    exchange = item.kind == EXTERNAL and is_metadata_exchange(configured or "")
    answered_exchange = isinstance(document, OffboardError) and document.code == "metadata_exchange"
    if not configured or exchange or answered_exchange:
        what = f"{shown(configured)} is a WS-Trust metadata exchange" if configured else "No metadata address is configured"
        verdict.add("no_auto_renewal", "warning", f"{what}, so Entra cannot renew the certificate by itself.", "metadata_exchange" if configured else "no_url")
    if isinstance(document, OffboardError) and not answered_exchange:
        verdict.add("unknown", "unknown", f"The metadata cannot be used: {document.msg}", document.code)


def _judge_metadata(verdict: CertificateVerdict, item: Object, document: metadata.Metadata) -> metadata.Protocol | None:
    """The role to compare with, None when the document says nothing about this federation that could be relied on."""
    issuer, protocol = item.state["issuerUri"], item.state["preferredAuthenticationProtocol"]
    if not document.entities or document.reason == "duplicate_entity":
        verdict.add("unknown", "unknown", document.msg, document.reason)
        return None
    entity = next((one for one in document.entities if one.entity_id == issuer), None)
    if entity is None and len(document.entities) == 1:
        # Nothing can be said about the key of somebody who may be somebody else, so this is no mere warning.
        verdict.add("drift", "unknown", f"The metadata is that of {document.entities[0].entity_id}, but the configured issuer is {issuer}.", "issuer_differs")
        return None
    if entity is None:
        verdict.add("unknown", "unknown", f"The metadata has {len(document.entities)} identity providers, none of them {issuer}.", "entity_not_found")
        return None
    own = document.metadata_signature
    if own.present and not own.verifies:
        verdict.add("unknown", "unknown", f"The metadata's own signature does not verify ({own.error}).", "signature_invalid")
        return None
    for warning in ("metadata_expired", "valid_until_invalid"):
        if warning in entity.warnings:
            verdict.add("unknown", "unknown", f"The metadata is valid until {entity.valid_until} only.", warning)
            return None
    role = entity.protocols.get(_ROLES.get(protocol, ""))
    if role is None or not role.signing_certificates:
        what = "no readable signing certificate" if role else "no such identity provider"
        verdict.add("unknown", "unknown", f"The federation speaks {protocol}; for it the metadata has {what}.", "protocol_not_offered")
        return None
    configured = item.state["passiveSignInUri"]
    if not any(url_rule.same_address(configured or "", one) for one in _sign_in_addresses(role) if one):
        verdict.add(
            "drift",
            "warning",
            f"The identity provider no longer publishes the configured sign-in address {shown(configured or '')}.",
            "sign_in_address_differs",
        )
    return role


def _sign_in_addresses(role: metadata.Protocol) -> list[str | None]:
    if isinstance(role, metadata.Saml):
        return [one["location"] for one in role.sso]
    return list(role.passive_endpoints) if isinstance(role, metadata.WsFed) else []


def _judge_keys(verdict: CertificateVerdict, role: metadata.Protocol, now: datetime.datetime) -> None:
    published = {one.sha256: one for one in role.signing_certificates}
    held = {one.sha256 for one in verdict.held}
    verdict.active = published.get(role.active_certificate_sha256 or "")
    verdict.active_basis = role.active_certificate_basis
    if not held & set(published):
        verdict.add("configured_not_published", "critical", "The identity provider no longer publishes the certificate that Entra holds (AADSTS5000811).")
    elif verdict.active is None:
        verdict.add(
            "unknown", "unknown", f"Which of its {len(published)} certificates the identity provider signs with cannot be told.", "active_certificate_unknown"
        )
    elif verdict.active.sha256 not in held:
        verdict.add("configured_not_active", "critical", "The identity provider signs with another certificate than the one that Entra holds (AADSTS5000811).")
    else:
        announced = [one for one in published.values() if one.sha256 not in held and not one.expired_at(now) and not _preceded(one, verdict.active)]
        verdict.successor = min(announced, key=lambda one: one.not_before, default=None)
        if verdict.successor is not None:
            one = verdict.successor
            verdict.add(
                "successor_published",
                "warning",
                f"The identity provider announces another certificate: SHA-1 {one.sha1.upper()}, valid from {one.not_before[:10]} to {one.not_after[:10]}.",
            )


def _preceded(one: Certificate, active: Certificate) -> bool:
    """Whether a published certificate is the one before the active one, still shown. A successor may well end earlier: lifetimes get shorter."""
    times, present = (one.not_before, _end(one)), (active.not_before, _end(active))
    return times != present and times[0] <= present[0] and times[1] <= present[1]


def _first_failure(verdict: CertificateVerdict, item: Object, now: datetime.datetime) -> datetime.datetime | None:
    if verdict.has("configured_not_published", "configured_not_active"):
        return now
    if (last := verdict.last) is None:
        return None
    adfs = urlsplit(item.state["passiveSignInUri"] or "").path.casefold().startswith("/adfs/")
    if item.kind == EXTERNAL and not last.expired_at(now) and (verdict.successor is not None or adfs):
        # Entra holds one certificate of a partner: there is no overlap when the identity provider switches.
        return max(now, _end(last) - datetime.timedelta(days=ADFS_PROMOTION_DAYS))
    return _end(last)


# -- what to change


@dataclass(frozen=True)
class Trust:
    """What the operator said, by domain in lower case: whose address's TLS is enough, and the thumbprint of whose new certificate they compared."""

    tls: Collection[str] = ()
    thumbprints: Mapping[str, str] = field(default_factory=dict)

    def covers(self, item: Object, new: Certificate) -> bool:
        """Whether a certificate may be applied that nothing which Entra holds vouches for."""
        return any(name in self.tls or self.thumbprints.get(name) in (new.sha1, new.sha256) for name in item.state["domains"])


def decide(item: Object, verdict: CertificateVerdict, apply: str, now: datetime.datetime, trust: Trust | None = None) -> Change | Skip | None:
    """The renewal that `apply` allows, why it is not made, or None when there is nothing to renew.

    A partner's federation holds one certificate. A successor there would lock everybody out until the partner signs with it, so
    when_published renews only the next certificate of the tenant's own domains ahead of time.
    """
    if apply == NEVER:
        return None
    if verdict.has("configured_not_published", "configured_not_active"):
        name, new = "signingCertificate", verdict.active
    elif apply == WHEN_PUBLISHED and item.kind == INTERNAL and verdict.successor is not None:
        name, new = "nextSigningCertificate", verdict.successor
    else:
        return None
    reason = _unfit(item, verdict, name, new, now, trust or Trust())
    if new is None or reason:
        code, msg = reason or ("active_certificate_unknown", "Which of the published certificates is in use cannot be told. Ask the partner.")
        return Skip(item.kind, item.id, item.name, code, msg)
    before, after = {name: item.state.get(name)}, {name: new.base64}
    undo = phrases.english("undo_certificate" if item.kind == EXTERNAL else "undo_internal_certificate")
    return Change(item.kind, item.id, item.name, "update", before, after, risk="high", undo=undo)


def _unfit(item: Object, verdict: CertificateVerdict, name: str, new: Certificate | None, now: datetime.datetime, trust: Trust) -> tuple[str, str] | None:
    """Why a certificate must not be applied by itself: a code and a sentence."""
    if verdict.has("drift"):
        return "drift", "The issuer or the sign-in address differs, as it would in a takeover. Look at it and apply it with entra_external_federation."
    if new is None:
        return None
    what = f"The new certificate (SHA-1 {new.sha1})"
    bits = max(one.key_bits for one in verdict.held)
    if new.expired_at(now):
        return "certificate_expired", f"{what} is valid from {new.not_before} to {new.not_after} only."
    if name == "signingCertificate" and not new.valid_at(now):
        return "certificate_not_yet_valid", f"{what} is valid from {new.not_before} to {new.not_after} only."
    if not new.is_rsa:
        return "key_not_rsa", f"{what} has a key of kind {new.key}; Microsoft Entra takes RSA keys only."
    if new.key_bits < metadata.MIN_RSA_BITS or new.key_bits < bits:
        return "key_weak", f"{what} has a key of {new.key_bits} bits; Entra holds one of {bits}, and {metadata.MIN_RSA_BITS} are needed."
    if not verdict.vouches_for(new) and not trust.covers(item, new):
        how = "signed, but not with the key of a certificate that Entra holds" if verdict.signed else "not signed"
        domain = item.state["domains"][0] if item.state["domains"] else item.id
        return (
            "metadata_not_vouched",
            f"{what} comes from metadata that is {how}, as one of an intruder's would be. Ask the partner by another way for its thumbprint, and give that: "
            f"accept_thumbprints: {{{domain}: …}}. Or, when its address's TLS alone shall be trusted: trust_metadata_tls: [{domain}].",
        )
    return None


# -- what is told


def place(item: Object) -> tuple[str, str]:
    """The kind and the id of a federation, as they are told."""
    return item.kind.removesuffix("_federation"), str(item.state.get("id", item.id))


def describe(item: Object, verdict: CertificateVerdict, url: str | None, guest_count: int | None, now: datetime.datetime) -> dict[str, Any]:
    """One federation's entry of the return values."""
    last, gravest = verdict.last, verdict.gravest
    kind, identity = place(item)
    return {
        "id": identity,
        "kind": kind,
        "display_name": item.name,
        "domains": list(item.state["domains"]),
        "metadata_url": url,
        "state": gravest.state,
        "severity": verdict.severity,
        "reason": gravest.reason,
        "findings": [one.to_dict() for one in verdict.findings],
        "configured": [_shown(one) for one in verdict.held],
        "active": None if verdict.active is None else _shown(verdict.active),
        "active_basis": verdict.active_basis,
        "vouched": verdict.vouched,
        "announced": None if verdict.announced is None else verdict.announced.to_dict(),
        "successor": None if verdict.successor is None else _shown(verdict.successor),
        "days_left": None if last is None else (_end(last) - now).days,
        "expires": None if last is None else last.not_after,
        "adfs_switches": None if last is None else _day(last, ADFS_PROMOTION_DAYS),
        "entra_renews_from": None if last is None else _day(last, ENTRA_RENEWAL_DAYS),
        "first_failure": None if verdict.first_failure is None else f"{verdict.first_failure:%Y-%m-%d}",
        "guest_count": guest_count,
    }


def _shown(certificate: Certificate) -> dict[str, str]:
    return {name: getattr(certificate, name) for name in ("sha1", "sha256", "subject", "subject_text", "not_before", "not_after")}


def _day(certificate: Certificate, before: int) -> str:
    return f"{_end(certificate) - datetime.timedelta(days=before):%Y-%m-%d}"


def summary(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for everything that is not in order, as long as an event of AWX has room for them; all are in the entries."""
    return heads.sentences(
        f"{entry['display_name']} ({', '.join(entry['domains'])}): {finding['state']}, {finding['severity']}. {finding['msg']}"
        for entry in entries
        for finding in entry["findings"]
        if finding["severity"] != "ok"
    )


_METRICS = {
    "severity": "0 ok, 1 warning, 2 critical, 3 unknown.",
    "days_left": "Whole days until the last certificate that Entra holds ends.",
    "guests": "Guests who sign in through the federation.",
    "first_failure_timestamp_seconds": "When sign-ins begin to fail if nobody does anything.",
}


def prometheus(entries: Iterable[Mapping[str, Any]], now: datetime.datetime) -> str:
    """The entries in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
    prefix = "entra_federation_certificate"
    samples: dict[str, list[str]] = {name: [] for name in ("state", *_METRICS)}
    for entry in entries:
        labels = ",".join(f'{name}="{_label(entry[name])}"' for name in ("id", "kind", "display_name"))
        samples["state"].append(f'{prefix}_state{{{labels},state="{entry["state"]}"}} 1')
        values = {"severity": EXIT_CODES[entry["severity"]], "days_left": entry["days_left"], "guests": entry["guest_count"]}
        if entry["first_failure"]:
            values["first_failure_timestamp_seconds"] = int(datetime.datetime.fromisoformat(f"{entry['first_failure']}T00:00:00+00:00").timestamp())
        for name, value in values.items():
            if value is not None:
                samples[name].append(f"{prefix}_{name}{{{labels}}} {value}")
    lines = []
    for name, text in {"state": "1 for the state that the federation is in.", **_METRICS}.items():
        lines += [f"# HELP {prefix}_{name} {text}", f"# TYPE {prefix}_{name} gauge", *samples[name]]
    last = f"{prefix}_checked_timestamp_seconds"
    lines += [f"# HELP {last} When the federations were read.", f"# TYPE {last} gauge", f"{last} {int(now.timestamp())}"]
    return "\n".join(lines) + "\n"


def _label(value: str) -> str:
    return plain.lines(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
