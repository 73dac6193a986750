# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all kinds of objects of a tenant have in common."""

from __future__ import annotations

from collections.abc import Mapping

from .._graph.client import Client
from .._module.runner import Resource

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
