# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of all federations of the tenant: read, compared with what is published, renewed."""

from __future__ import annotations

import datetime
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from ..._core import phrases, strict_json
from ..._core.address import shown
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome, Skip
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._federation import fetch, metadata, xml
from ..._federation.certificates import Certificate
from ..._graph.batches import Request
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module import waiting
from ..._module.files import check_run_file, read_whole
from ..domains.plan import FEDERATED
from ..domains.read import read_domains
from ..federations.plan import TAKES_EFFECT
from ..federations.read import read_federations, write_properties
from ..guest import Guest, behind
from ..guest_list import read_guests
from ..of_tenant import OfTenant
from . import announced
from . import plan as watch
from .options import InfoOptions, Options, WatchOptions

#: Documents at a time: each may be xml.MAX_BYTES large.
_FETCHING = 4
#: Root elements that a WS-Trust metadata exchange answers with.
_EXCHANGE = (
    "{http://schemas.xmlsoap.org/wsdl/}definitions",
    "{http://schemas.xmlsoap.org/ws/2004/09/mex}Metadata",
    "{http://www.w3.org/2003/05/soap-envelope}Envelope",
    "{http://schemas.xmlsoap.org/soap/envelope/}Envelope",
)
_CERTIFICATES = ("signingCertificate", "nextSigningCertificate")


# -- reading


def read_all(client: Client) -> Iterator[Object]:
    """The federations with partners and those of the tenant's own domains. One that cannot be read is there, with `unreadable` saying why."""
    yield from read_federations(client)
    federated = [item.id for item in read_domains(client, ()) if item.state["isRoot"] and item.state["authenticationType"] == FEDERATED]
    paths = {f"/domains/{urllib.parse.quote(name)}/federationConfiguration": name for name in federated}
    for path, answer in client.get_many(paths):
        items = answer.body.get("value") or []
        if answer.ok and items:
            yield _internal(paths[path], items[0])
        else:
            why = "Graph shows none." if answer.ok else answer.error(Request("GET", path)).msg
            yield _internal(paths[path], {}, f"The configuration of the federated domain cannot be read: {why}")


def _internal(domain: str, item: Mapping[str, Any], unreadable: str = "") -> Object:
    state = {name: item.get(name) for name in ("id", "issuerUri", "passiveSignInUri", "metadataExchangeUri", "preferredAuthenticationProtocol")}
    # Domains that were federated before Graph had the property show none: they speak WS-Federation.
    state |= {"id": item.get("id") or domain, "preferredAuthenticationProtocol": item.get("preferredAuthenticationProtocol") or "wsFed", "domains": [domain]}
    state |= {name: _compact(item.get(name)) for name in _CERTIFICATES}
    if unreadable:
        state["unreadable"] = unreadable
    return Object(watch.INTERNAL, domain, item.get("displayName") or domain, state)


def _compact(text: str | None) -> str | None:
    return "".join((text or "").split()) or None


def selected(items: Iterable[Object], domains: Sequence[str]) -> list[Object]:
    """The federations that serve one of the domains; all without any. Raises OffboardError `not_found`."""
    wanted = set(domains)
    found = [item for item in items if not wanted or wanted & set(item.state["domains"])]
    if missing := wanted - {name for item in found for name in item.state["domains"]}:
        raise OffboardError(f"no federation of the tenant serves {', '.join(sorted(missing))}", code="not_found", details={"domains": sorted(missing)})
    return found


class Watch:
    """What the two modules have in common: one look at the federations' metadata."""

    def __init__(self, options: WatchOptions, tenant_id: str) -> None:
        """Raises OffboardError `file_read_failed`, `run_folder_unsafe`."""
        self._options, self._tenant_id = options, tenant_id
        self.now = datetime.datetime.now(datetime.UTC)
        self._former = _announced(options.announced_in, tenant_id) if options.announced_in else {}

    def judge(self, items: Sequence[Object]) -> list[watch.CertificateVerdict]:
        """A verdict for each federation, in order. Each address is read once."""
        days = {"warning_days": self._options.warning_days, "critical_days": self._options.critical_days}
        served: dict[str | None, list[int]] = {}
        for number, item in enumerate(items):
            served.setdefault(None if "unreadable" in item.state else watch.metadata_url(item, self._options.metadata_urls), []).append(number)
        verdicts: dict[int, watch.CertificateVerdict] = {}

        def work(url: str | None) -> None:
            known = {one.sha256: one for number in served[url] for one in watch.held(items[number])}
            document = None if url is None else self._document(url, list(known.values()))
            for number in served[url]:
                former = self._former.get(watch.place(items[number]))
                verdicts[number] = watch.judge(items[number], document, self.now, **days, former=former)

        with ThreadPoolExecutor(_FETCHING) as pool:
            list(pool.map(work, served))
        return [verdicts[number] for number in range(len(items))]

    def _document(self, url: str, known: Sequence[Certificate]) -> metadata.Metadata | OffboardError:
        try:
            data = fetch.fetch(url, ca_file=self._options.metadata_ca_file, timeout=self._options.metadata_timeout)
        except OffboardError as exc:
            return exc
        document = metadata.read(data, self.now, known)
        if document.reason == "not_metadata" and xml.parse(data).tag in _EXCHANGE:
            return OffboardError(f"{shown(url)} is a WS-Trust metadata exchange, not federation metadata.", code="metadata_exchange")
        return document

    def report(self, items: Sequence[Object], verdicts: Sequence[watch.CertificateVerdict], guests: Sequence[Guest] | None) -> dict[str, Any]:
        """The return values that both modules have."""
        entries = [
            watch.describe(item, verdict, watch.metadata_url(item, self._options.metadata_urls), _guest_count(item, guests), self.now)
            for item, verdict in zip(items, verdicts, strict=True)
        ]
        severity = watch.worst(entry["severity"] for entry in entries)
        # of those that were not looked at this time it is kept
        told = self._former | {watch.place(item): verdict.announced for item, verdict in zip(items, verdicts, strict=True)}
        return {
            "tenant_id": self._tenant_id,
            "federations": entries,
            "announced": [{"kind": kind, "id": identity, "announced": one.to_dict()} for (kind, identity), one in told.items() if one is not None],
            "severity": severity,
            "exit_code": watch.EXIT_CODES[severity],
            "summary": watch.summary(entries),
            "checked": f"{self.now:%Y-%m-%dT%H:%M:%SZ}",
            "prometheus": watch.prometheus(entries, self.now),
        }


def _announced(path: str, tenant_id: str) -> dict[tuple[str, str], announced.Announced]:
    """What a file has of earlier; nothing where there is none. Who could write to it could name the key with which guests sign in."""
    check_run_file(path)
    if (content := read_whole(path)) is None:
        return {}
    try:
        return announced.parse(strict_json.loads(content.decode()), tenant_id)
    except (ValueError, RecursionError):
        why = f"{path} holds no answer of entra_federation_certificate_info; move it away, or name another file (announced_in)"
    raise OffboardError(why, code="file_read_failed", details={"path": path})


def _guest_count(item: Object, guests: Sequence[Guest] | None) -> int | None:
    if guests is None or item.kind == watch.INTERNAL:
        return None
    return len(behind(guests, item.state["issuerUri"] or "", item.state["domains"]))


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_federation_certificate_info."""
    options = InfoOptions.of(params)
    with Client(Connection.from_params(params)) as client:
        look = Watch(options.watch, client.identity()["tenant_id"])
        items = selected(read_all(client), options.watch.domains)
        guests = read_guests(client)[0] if options.guests else None
    return look.report(items, look.judge(items), guests)


# -- the resource


class FederationCertificates(OfTenant):
    """entra_federation_certificate: renews what `apply` allows, and nothing else."""

    noun = "federations"
    kinds: ClassVar[tuple[str, ...]] = (watch.EXTERNAL, watch.INTERNAL)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._client = Client(Connection.from_params(params))

    def read(self) -> Iterable[Object]:
        return read_all(self._client)

    def plan(self, current: Iterable[Object]) -> Plan:
        plan = Plan()
        look = Watch(self._options.watch, self._client.identity()["tenant_id"])
        items = selected(current, self._options.watch.domains)
        verdicts = look.judge(items)
        for item, verdict in zip(items, verdicts, strict=True):
            decision = watch.decide(item, verdict, self._options.apply, look.now, self._options.trust)
            if isinstance(decision, Change):
                plan.changes.append(decision)
            elif isinstance(decision, Skip):
                plan.skipped.append(decision)
                plan.warnings.append(phrases.english("certificate_not_renewed", name=item.name, msg=decision.msg))
            else:
                plan.unchanged += 1
        if len(plan.changes):
            plan.warnings.append(TAKES_EFFECT)
        report = look.report(items, verdicts, None)
        plan.facts = {name: report[name] for name in ("tenant_id", "federations", "announced", "severity")}
        return plan

    def apply(self, change: Change) -> None:
        after = change.after or {}
        if change.kind == watch.EXTERNAL:
            write_properties(self._client, change.id, after)
        else:
            path = f"/domains/{urllib.parse.quote(change.id)}/federationConfiguration"
            key = self._client.get(path)["value"][0]["id"]
            self._client.patch(f"{path}/{urllib.parse.quote(key)}", {"@odata.type": "#microsoft.graph.internalDomainFederation", **after})

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        changes = {change.key: change for change in applied}

        def seen(keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
            now = {(item.kind, item.id): item.state for item in read_all(self._client)}
            return {key for key in keys if all(_compact(now.get(key, {}).get(name)) == value for name, value in (changes[key].after or {}).items())}

        for key in waiting.not_shown(changes, seen, self._options.verify_timeout):
            msg = f"Graph accepted the certificate of {changes[key].name}, but after {self._options.verify_timeout} s it does not show it."
            yield Outcome(changes[key], "failed", "not_seen", f"{msg} Run the task again later.")

    def close(self) -> None:
        self._client.close()
