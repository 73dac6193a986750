# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federation with partners' SAML and WS-Fed identity providers for guests ("direct federation"): reading, writing, waiting.

msgraph-sdk knows neither the cast paths nor the `domains` below them; they are those of
https://learn.microsoft.com/graph/api/resources/samlorwsfedexternaldomainfederation. That page's `nextLink`, filter and `domains` inline
exist on the cast path only, so everything is read there.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import os
import re
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from ..._core import phrases
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome
from ..._core.plain import to_json
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._federation import certificates, dns_txt, metadata
from ..._federation.certificates import BadCertificate
from ..._federation.info import document
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._graph.errors import AnswerLost, GraphError
from ..._module import waiting
from ..._module.files import write_atomically
from ..domains.plan import FEDERATED
from ..domains.read import read_domains
from ..guest_list import read_guests
from ..of_tenant import OfTenant
from . import realm_lookup as realm
from .options import Options
from .plan import (
    CREATE,
    DELETE,
    KIND,
    FederationContext,
    FederationObjections,
    added_domains,
    check,
    from_address,
    locked_out,
    may_lock_out,
    plan_federation,
    removed_domains,
    role_of,
)
from .read import _BASE, _LIST, _TYPE, read_by_domain, read_federations, write_properties

# -- reading


# -- the resource


class ExternalFederation(OfTenant):
    """entra_external_federation: one federation, found by one of its domains."""

    noun = "federations"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._now = datetime.datetime.now(datetime.UTC)
        # What can be wrong with the partner's data is told before anybody is asked.
        given = self._options.metadata
        self._document = document(given.source) if given else b""
        self._want = self._options.wanted(metadata.read(self._document, self._now) if given else None)
        self._connection = Connection.from_params(params)
        self._client = Client(self._connection)
        self._federations: list[Object] = []

    def read(self) -> Iterable[Object]:
        return read_federations(self._client)

    def plan(self, current: Iterable[Object]) -> Plan:
        self._federations = list(current)
        plan = plan_federation(self._federations, self._want)
        plan.facts = {"locked_out": [], "last_sign_in_readable": False, "url_rule": FederationObjections().url_rule}
        for change in plan.changes:
            context, warnings = self._context(change)
            found = check(change, self._federations, context)
            plan.refusals += found.refusals
            plan.warnings += warnings + found.warnings
            plan.facts["url_rule"] = found.url_rule
            if may_lock_out(change):
                plan.facts["locked_out"] = [item.to_dict() for item in locked_out(change, self._current(change), context.guests)]
                plan.facts["last_sign_in_readable"] = context.sign_in_readable
        if self._want.entity is not None and self._want.entity.warnings:
            plan.warnings.append(phrases.english("metadata_says", issuer=str(self._want.entity.entity_id), codes=", ".join(self._want.entity.warnings)))
        return plan

    def _current(self, change: Change) -> Mapping[str, Any]:
        return next((item.state for item in self._federations if item.id == change.id), {})

    def _lookup(self, name: str) -> list[str]:
        """TXT records, with a resolver that is made only when a check needs one."""
        dns = self._options.dns
        return dns_txt.txt_lookup(dns.servers, port=dns.port, timeout=dns.timeout)(name)

    def _context(self, change: Change) -> tuple[FederationContext, list[str]]:
        """What the checks of this change need, and no more; with warnings about what could not be read."""
        options = self._options
        warnings: list[str] = []
        context = FederationContext(
            now=self._now,
            profile=options.profile,
            role=role_of(self._want, {**self._current(change), **(change.after or {})}),
            lookup=self._lookup,
            accept_lockout=options.accept_lockout,
            confirmed=self._want.set_to or (self._want.domain,),
            unvouched=self._unvouched(change),
        )
        if change.action != DELETE and set(change.after or ()) & {"issuerUri", "domains"}:
            domains = list(read_domains(self._client, ()))
            context.own_domains = {item.id for item in domains if item.state["isVerified"]}
            federated = [item.id for item in domains if item.state["isRoot"] and item.state["authenticationType"] == FEDERATED]
            context.internal = self._issuers(federated, "issuerUri" in (change.after or {}), warnings)
            context.realms = {name: self._realm(name) for name in added_domains(change) if name not in context.own_domains}
        if may_lock_out(change):
            context.guests, context.sign_in_readable = read_guests(self._client)
        return context, warnings

    def _unvouched(self, change: Change) -> list[str]:
        """What would change by the word of metadata alone that neither the held certificate's key nor that of one given by hand has signed."""
        changed = from_address(change, self._want)
        if not changed or (self._options.metadata is not None and self._options.metadata.trust_tls):
            return []
        known = []
        for text in (self._current(change).get("signingCertificate"), self._want.settings.get("signingCertificate")):
            with contextlib.suppress(BadCertificate):
                known.append(certificates.from_base64(text or ""))
        return [] if metadata.read(self._document, self._now, known).vouched_by else changed

    def _issuers(self, domains: list[str], compare: bool, warnings: list[str]) -> dict[str, str]:
        """The issuers of this tenant's own federated domains; "" for one that is not read or not readable."""
        found = dict.fromkeys(domains, "")
        if compare:
            paths = {f"/domains/{urllib.parse.quote(name)}/federationConfiguration": name for name in domains}
            for path, answer in self._client.get_many(paths):
                items = answer.body.get("value") or []
                if answer.ok and items:
                    found[paths[path]] = items[0].get("issuerUri") or ""
            if unknown := [name for name, issuer in found.items() if not issuer]:
                warnings.append(phrases.english("issuer_not_compared", domains=", ".join(unknown)))
        return found

    def _realm(self, domain: str) -> realm.Realm | None:
        try:
            return realm.look_up(self._connection, domain)
        except OffboardError:
            return None

    def apply(self, change: Change) -> dict[str, Any]:
        steps: list[str] = []
        details: dict[str, Any] = {"steps_done": steps}
        if change.action != CREATE and (folder := self._options.backup_dir):
            details["backup"] = self._back_up(change, folder)
        write = {CREATE: self._create, DELETE: self._delete}.get(change.action, self._update)
        try:
            write(change, steps)
        except OffboardError as exc:
            exc.details = {**exc.details, **details}
            raise
        return details

    def _back_up(self, change: Change, folder: str) -> str:
        stamp = f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S.%fZ}"
        path = os.path.join(folder, f"external_federation_{re.sub(r'[^a-z0-9.-]', '_', self._want.domain)}_{change.id}_{stamp}.json")
        saved = {"id": change.id, **self._current(change)}
        write_atomically(path, to_json(saved, indent=1).encode() + b"\n", overwrite=False)
        return path

    def _create(self, change: Change, steps: list[str]) -> None:
        after = change.after or {}
        body = {name: value for name, value in after.items() if name != "domains" and value is not None}
        self._post(_LIST, {"@odata.type": _TYPE, **body, "domains": [_domain(name) for name in after["domains"]]}, lambda: self._shown(change))
        steps.append("created")

    def _update(self, change: Change, steps: list[str]) -> None:
        """First what goes, since a new address need not fit the domains that leave; last what comes, since it must fit the new address."""
        domains = f"{_BASE}/{urllib.parse.quote(change.id)}/{_TYPE}/domains"
        for name in removed_domains(change):
            self._client.delete(f"{domains}/{urllib.parse.quote(name)}")
            steps.append(f"removed domain {name}")
        properties = {name: value for name, value in (change.after or {}).items() if name != "domains"}
        if properties:
            write_properties(self._client, change.id, properties)
            steps.append(f"changed {', '.join(properties)}")
        for name in added_domains(change):
            self._post(domains, _domain(name), functools.partial(self._serves, name))
            steps.append(f"added domain {name}")

    def _serves(self, name: str) -> bool:
        return read_by_domain(self._client, name) is not None

    def _delete(self, change: Change, steps: list[str]) -> None:
        """The admin centre wants all domains but one removed first. Removing one is documented nowhere, so a refusal only counts if
        the federation cannot be deleted with it either."""
        key, refused, last = urllib.parse.quote(change.id), None, self._lasting(change)
        for name in (change.before or {})["domains"]:
            if name != last:
                try:
                    self._client.delete(f"{_BASE}/{key}/{_TYPE}/domains/{urllib.parse.quote(name)}")
                except GraphError as exc:
                    if exc.status not in (400, 405, 501):
                        raise
                    refused = exc
                    break
                steps.append(f"removed domain {name}")
        try:
            self._client.delete(f"{_BASE}/{key}")
        except GraphError as exc:
            raise (refused or exc) from exc  # pylint: disable=bad-exception-cause
        steps.append("deleted")

    def _post(self, path: str, body: Mapping[str, Any], is_there: Callable[[], bool]) -> None:
        """Sent once. When the answer is lost, what is there decides."""
        try:
            self._client.post(path, body)
        except AnswerLost as lost:
            if not waiting.is_shown(is_there, min(waiting.LOST_TIMEOUT, self._options.verify_timeout), agreeing=waiting.ONE_READ):
                raise OffboardError(  # pylint: disable=bad-exception-cause
                    f"{lost.msg} Read back, it is not there, and it was not sent again. Run entra_external_federation_info for {self._want.domain} "
                    "before you run the task again.",
                    code=lost.code,
                ) from lost

    def _lasting(self, change: Change) -> str:
        """A domain that the federation serves as long as it is there: the one that names it, unless it was found by another one."""
        served = {**self._current(change), **(change.after or {})}["domains"]
        return self._want.domain if self._want.domain in served else served[0]

    def _shown(self, change: Change) -> bool:
        """Whether Graph shows the change."""
        found = read_by_domain(self._client, self._lasting(change))
        if change.action == DELETE:
            return found is None
        return found is not None and all(found.state[name] == value for name, value in (change.after or {}).items())

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        changes = {change.key: change for change in applied}
        late = waiting.not_shown(changes, lambda keys: {key for key in keys if self._shown(changes[key])}, self._options.verify_timeout)
        for key in late:
            msg = f"Graph accepted the change of {changes[key].name}, but after {self._options.verify_timeout} s it does not show it."
            yield Outcome(changes[key], "failed", "not_seen", f"{msg} Run the task again later, or raise verify_timeout.")
        if self._options.wait and any(change.risk != "low" for key, change in changes.items() if key not in late):
            self._wait_for_effect()

    def _wait_for_effect(self) -> None:
        end = time.monotonic() + self._options.wait_seconds
        while (left := end - time.monotonic()) > 0:
            self.tell(phrases.english("waits_for_effect", seconds=f"{left:.0f}"))
            time.sleep(min(left, 10.0))

    def close(self) -> None:
        self._client.close()


def _domain(name: str) -> dict[str, str]:
    return {"@odata.type": "microsoft.graph.externalDomainName", "id": name}
