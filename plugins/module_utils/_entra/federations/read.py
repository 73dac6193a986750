# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""External federations as the tenant has them."""

from __future__ import annotations

import datetime
import urllib.parse
from collections.abc import Mapping
from typing import Any

from ..._core.model import Object
from ..._federation import certificates
from ..._federation.certificates import BadCertificate
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..addresses import LONGEST_COMPARED
from ..domains.plan import FEDERATED
from ..domains.read import read_domains
from ..guest import Guest, behind
from ..guest_list import read_guests
from .options import InfoOptions
from .plan import LIMIT, days_left, federation

_TYPE = "microsoft.graph.samlOrWsFedExternalDomainFederation"


_BASE = "/directory/federationConfigurations"


_LIST = f"{_BASE}/{_TYPE}"


def _objects(client: Client, path: str) -> list[Object]:
    return [federation(item if "domains" in item else {**item, "domains": _domains(client, item["id"])}) for item in client.list(path)]


def _domains(client: Client, key: str) -> list[dict[str, Any]]:
    return list(client.list(f"{_LIST}/{urllib.parse.quote(key)}/domains"))


def read_federations(client: Client) -> list[Object]:
    """All federations with partners, complete."""
    return _objects(client, _LIST)


def read_by_domain(client: Client, domain: str) -> Object | None:
    """The federation that serves a domain, as Graph shows it now."""
    if len(domain) > LONGEST_COMPARED:
        return next((item for item in read_federations(client) if domain in item.state["domains"]), None)
    query = urllib.parse.quote(f"domains/any(x: x/id eq '{domain}')")
    return next((item for item in _objects(client, f"{_LIST}?$filter={query}") if domain in item.state["domains"]), None)


def write_properties(client: Client, key: str, properties: Mapping[str, Any]) -> None:
    """Change properties of one federation; `domains` is none of them. Raises GraphError."""
    client.patch(f"{_LIST}/{urllib.parse.quote(key)}", {"@odata.type": _TYPE, **properties})


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_external_federation_info."""
    now = datetime.datetime.now(datetime.UTC)
    options = InfoOptions.of(params)
    wanted_domains = options.domains
    with Client(Connection.from_params(params)) as client:
        federations = read_federations(client)
        internal = [item for item in read_domains(client, ()) if item.state["isRoot"] and item.state["authenticationType"] == FEDERATED]
        guests, readable = read_guests(client) if options.guests else ([], False)
    shown = [item for item in federations if not wanted_domains or wanted_domains & set(item.state["domains"])]
    return {
        "federations": [_describe(item, now, guests if options.guests else None) for item in shown],
        "others": [_listed(item) for item in federations if item not in shown],
        "last_sign_in_readable": readable,
        "count": {"external": len(federations), "internal": len(internal), "limit": LIMIT},
    }


def _describe(item: Object, now: datetime.datetime, guests: list[Guest] | None) -> dict[str, Any]:
    state = item.state
    found = None if guests is None else behind(guests, state["issuerUri"] or "", state["domains"])
    return {
        "id": item.id,
        "display_name": state["displayName"],
        "label": _label(item),
        "domains": list(state["domains"]),
        "protocol": state["preferredAuthenticationProtocol"],
        "issuer_uri": state["issuerUri"],
        "passive_sign_in_uri": state["passiveSignInUri"],
        "metadata_exchange_uri": state["metadataExchangeUri"],
        **_certificate(state["signingCertificate"], now),
        "guests": None if found is None else [one.to_dict() for one in found],
        "guest_count": None if found is None else len(found),
        "configuration": {"id": item.id, **state},
    }


def _certificate(text: str | None, now: datetime.datetime) -> dict[str, Any]:
    try:
        certificate = certificates.from_base64(text or "")
    except BadCertificate as exc:
        return {"certificate": None, "certificate_error": exc.msg, "days_left": None}
    return {"certificate": certificate.to_dict(), "certificate_error": None, "days_left": days_left(certificate, now)}


def _label(item: Object) -> str:
    return f"{item.name} ({item.id}): {', '.join(item.state['domains'])}"


def _listed(item: Object) -> dict[str, Any]:
    return {"id": item.id, "display_name": item.name, "domains": list(item.state["domains"]), "label": _label(item)}
