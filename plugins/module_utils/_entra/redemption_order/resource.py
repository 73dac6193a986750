# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The redemption order: which identity provider a guest gets who redeems an invitation.

https://learn.microsoft.com/graph/api/resources/defaultinvitationredemptionidentityproviderconfiguration
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ..._core.model import Change, Object, Outcome
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module import waiting
from ..of_tenant import OfTenant
from .options import Options
from .plan import DEFAULT, KIND, describe, plan_order

_PATH = "/policies/crossTenantAccessPolicy/default"
_PROPERTY = "invitationRedemptionIdentityProviderConfiguration"


def read_order(client: Client) -> Object:
    """The order in force."""
    value = client.get(f"{_PATH}?$select={_PROPERTY}").get(_PROPERTY) or {}
    return Object(KIND, "default", "redemption order", {name: value.get(name) or default for name, default in DEFAULT.items()})


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_redemption_order_info."""
    with Client(Connection.from_params(params)) as client:
        return describe(read_order(client).state)


class RedemptionOrder(OfTenant):
    """entra_redemption_order: the one object of its kind.

    Graph's resetToSystemDefault is not used: it resets all of the tenant's default cross-tenant settings, not this one alone.
    """

    noun = "redemption orders"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._client = Client(Connection.from_params(params))
        self._current: Mapping[str, Any] = {}

    def read(self) -> Iterable[Object]:
        return [read_order(self._client)]

    def plan(self, current: Iterable[Object]) -> Plan:
        (only,) = current
        self._current = only.state
        return plan_order(only, self._options.state, self._options.order, self._options.fallback)

    def apply(self, change: Change) -> None:
        self._client.patch(_PATH, {_PROPERTY: {**self._current, **(change.after or {})}})

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        changes = {change.key: change for change in applied}
        state: dict[str, Any] = {}

        def shown(keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
            state.update(read_order(self._client).state)
            return {key for key in keys if all(state[name] == value for name, value in (changes[key].after or {}).items())}

        for key in waiting.not_shown(changes, shown, self._options.verify_timeout):
            yield Outcome(changes[key], "failed", "not_seen", f"Graph accepted the order, but still shows {state}")

    def close(self) -> None:
        self._client.close()
