# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains of the tenant: managed, or federated to an identity provider."""

from __future__ import annotations

import datetime
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ..._core import names
from ..._core.errors import NotSeen, OffboardError
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._graph.errors import AnswerLost, GraphError
from ..._module import waiting
from ..of_tenant import OfTenant
from .options import Options
from .plan import KIND, MANAGED, DomainContext, _same, guard_domains, plan_domains
from .read import read_administrators, read_configuration, read_domains

# -- pure: whose federation, which domain


# -- pure: plan and guards


# -- reading


# -- the resource


class Domains(OfTenant):
    """entra_domain: converts domains one after the other, and waits for each until it is seen."""

    noun = "domains"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)
    stop_at_first_failure = True

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._client = Client(Connection.from_params(params))
        self._states: dict[str, Mapping[str, Any]] = {}

    def read(self) -> Iterable[Object]:
        return read_domains(self._client, set(self._options.domains))

    def plan(self, current: Iterable[Object]) -> Plan:
        objects = list(current)
        self._states = {item.id: item.state for item in objects}
        options = self._options
        plan, refusals = plan_domains(objects, options.domains, options.authentication, options.federation_configurations, datetime.datetime.now(datetime.UTC))
        plan.refusals += refusals
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        for change in begun:
            after, state = change.after or {}, self._states.get(change.id)
            if state is not None and state["authenticationType"] == after.get("authenticationType"):
                configuration = after.get("federationConfiguration")
                if configuration is None or _same(state["federationConfiguration"], configuration):
                    yield change

    def guard(self, plan: Plan) -> Iterable[Refusal]:
        changes = list(plan.changes)
        if not changes:
            return plan.refusals
        context = DomainContext(
            caller_upn=self._client.identity()["upn"],
            break_glass=read_administrators(self._client, self._options.break_glass) if self._options.min_break_glass else (),
            min_break_glass=self._options.min_break_glass,
        )
        return plan.refusals + guard_domains(changes, self._states, self._options.expected_idp_hosts, context)

    def lacking(self, manifest: Mapping[str, Any], changes: Iterable[Change]) -> list[str]:
        """A domain with the federation configuration that it has, or shall have again."""
        held, federated = ({names.domain(name) for name in manifest[key]} for key in ("domains", "federated"))
        result = []
        for change in changes:
            configured = any((state or {}).get("federationConfiguration") for state in (change.before, change.after))
            if change.id not in held or (configured and change.id not in federated):
                result.append(f"{change.name} with its federation configuration" if change.id in held else change.name)
        return result

    def domains(self, changes: Iterable[Change]) -> list[str]:
        return [change.id for change in changes]

    def apply(self, change: Change) -> dict[str, Any]:
        wanted = (change.after or {})["authenticationType"]
        configuration = (change.after or {})["federationConfiguration"]
        details = self._federate(change.id, configuration) if configuration else self._unfederate(change)
        seen_after = self._wait(change.id, wanted, self._options.verify_timeout)
        return {**details, "seconds_until_seen": round(seen_after, 1)}

    def _unfederate(self, change: Change) -> dict[str, Any]:
        path = f"/domains/{urllib.parse.quote(change.id)}"
        try:
            self._client.patch(path, {"authenticationType": MANAGED})
        except GraphError as refused:
            configuration = (change.before or {}).get("federationConfiguration")
            if refused.status != 403 or not configuration:
                raise
            # Tenants are known to refuse the documented PATCH to applications; deleting the configuration does the same
            # (github.com/microsoftgraph/microsoft-graph-docs-contrib issue 1251, microsoft-graph-docs pull request 21881).
            try:
                self._client.delete(f"{path}/federationConfiguration/{configuration['id']}")
            except GraphError:
                raise refused from None
            return {"method": "DELETE federationConfiguration"}
        return {"method": "PATCH authenticationType"}

    def _federate(self, domain: str, configuration: Mapping[str, Any]) -> dict[str, Any]:
        path = f"/domains/{urllib.parse.quote(domain)}/federationConfiguration"
        try:
            self._client.post(path, {"@odata.type": "#microsoft.graph.internalDomainFederation", **configuration})
        except AnswerLost as lost:
            if not _same(read_configuration(self._client, domain), configuration):
                raise OffboardError(  # pylint: disable=bad-exception-cause
                    f"{domain}: {lost.msg} Read back, the federation is not there. Run entra_domain_info for this domain before you try again.", code=lost.code
                ) from lost
            return {"method": "POST federationConfiguration (answer lost, seen by reading back)"}
        return {"method": "POST federationConfiguration"}

    def _wait(self, domain: str, wanted: str, seconds: float) -> float:
        """Seconds until several reads in a row agreed. Raises NotSeen."""
        start, state = time.monotonic(), ""

        def read() -> bool:
            nonlocal state
            state = self._client.get(f"/domains/{urllib.parse.quote(domain)}")["authenticationType"]
            return state == wanted

        if not waiting.is_shown(read, seconds):
            raise NotSeen(
                f"Graph accepted the change, but after {self._options.verify_timeout} s {domain} still reads {state}. Microsoft allows up to "
                "60 minutes; run the task again later, or raise verify_timeout.",
                domain=domain,
                wanted=wanted,
                seen=state,
            )
        return time.monotonic() - start

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Each was waited for in `apply`; once more at the end, since a conversion that falls back must not count as done."""
        now = {names.domain(item["id"]): item["authenticationType"] for item in self._client.list("/domains")}
        for change in applied:
            wanted = (change.after or {})["authenticationType"]
            if now.get(change.id) != wanted:
                yield Outcome(change, "failed", "not_seen", f"{change.id} was {wanted} for a moment, and now reads {now.get(change.id)}")

    def close(self) -> None:
        self._client.close()
