# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How guests sign in, and how they would after another redemption."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.model import Object
from ..._federation.url_rule import comparable
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..federations import realm_lookup as realm
from ..federations.read import read_federations
from ..federations.realm_lookup import look_up_realms
from ..guest import Guest
from ..guest_list import read_guests
from ..redemption_order import resource as redemption_order
from .options import InfoOptions
from .sign_in import next_redemption, signs_in_by


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_guests_info."""
    options = InfoOptions.of(params)
    connection = Connection.from_params(params)
    with Client(connection) as client:
        federations = read_federations(client)
        order = redemption_order.read_order(client).state
        guests, readable = read_guests(client)
    shown = [
        item
        for item in guests
        if (not options.domains or item.domain in options.domains)
        and (not options.issuers or options.issuers & {comparable(issuer) for issuer in item.issuers})
        and (not options.states or item.state in options.states)
    ]
    realms = look_up_realms(connection, {item.domain for item in shown} - {""}) if options.look_up_domains else {}
    entries = [_describe(item, federations, order, realms) for item in shown]
    return {
        "guests": entries,
        "count": len(entries),
        "by_sign_in": dict(Counter(entry["signs_in_by"] for entry in entries)),
        "redemption_order": redemption_order.describe(order),
        "last_sign_in_readable": readable,
    }


def _describe(item: Guest, federations: Sequence[Object], order: Mapping[str, Any], realms: Mapping[str, realm.Realm | None]) -> dict[str, Any]:
    now, following = signs_in_by(item, federations), next_redemption(item.domain, federations, order, realms)
    return {**item.to_dict(), "domain": item.domain, "signs_in_by": now, "next_redemption": following}
