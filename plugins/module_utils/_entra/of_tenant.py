# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all kinds of objects of a tenant have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .._core.names import domain
from .._graph.client import Client
from .._module.runner import Resource
from .domains.plan import KIND as DOMAIN
from .domains.plan import MANAGED, authentication_of, root_of
from .domains.read import read_domains

#: More accounts than this are found in the list of all, not one by one.
MANY = 400


def tenant_of(client: Client) -> dict[str, str]:
    """The tenant that the access token is for, as `binding` names it."""
    return {"tenant_id": client.identity()["tenant_id"]}


class OfTenant(Resource):
    """A kind of object that Microsoft Graph changes."""

    _client: Client

    def owner(self) -> Mapping[str, str]:
        return tenant_of(self._client)

    def federated(self, names: Collection[str]) -> list[str]:
        """In check mode as the conversions before it would leave them."""
        states = {item.id: item.state for item in self._assumed.overlay((DOMAIN,), read_domains(self._client, ()))}
        named = {domain(name) for name in names}
        under = [name for name in states if name in named or root_of(name, named)]
        return sorted({*(named - states.keys()), *(name for name in under if authentication_of(name, states) != MANAGED)})
