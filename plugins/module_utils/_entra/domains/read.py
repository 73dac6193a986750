# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains, their federation configurations and the administrators who could be locked out, as the tenant has them."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import names, plain
from ..._core.errors import OffboardError
from ..._core.model import Object
from ..._core.predict import Predictions
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module.plans import read_predictions
from ..._offboarding import phrases
from ..addresses import user_address
from .options import InfoOptions
from .plan import FEDERATED, GLOBAL_ADMINISTRATOR, KIND, Administrator, affected, hosts, identified_by, not_managed, root_of

#: what Graph may be asked for, of what people give as a domain
_NAME, _LONGEST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+"), 253


def named_domains(option: str, given: Iterable[str]) -> frozenset[str]:
    """The domains that people name, as they are compared; none where none was given. Raises OffboardError `bad_option` where what was given names none."""
    texts = list(given)
    found = frozenset(map(names.domain, texts)) - {""}
    if texts and not found:
        raise OffboardError(f"{option}: what is given names no domain, so nobody would be looked at", code="bad_option")
    return found


def check_known(client: Client, option: str, named: Iterable[str], known: Collection[str]) -> None:
    """Refuse domains that the tenant does not have: nobody is in one, and "0 of 0 users" would pass for good news. `known`: those of which that is known.

    Raises OffboardError `not_found`.
    """

    def is_known(name: str) -> bool:
        return len(name) <= _LONGEST and bool(_NAME.fullmatch(name)) and client.find(f"/domains/{name}?$select=id") is not None

    if unknown := [name for name in sorted({*named} - {*known}) if not is_known(name)]:
        raise OffboardError(f"{option}: the tenant has no domain {', '.join(unknown)}", code="not_found", details={"domains": unknown})


def read_domains(client: Client, configurations_of: Collection[str] | None = None) -> Iterator[Object]:
    """All domains of the tenant, complete; the federation configuration only of those named in lower case (None: all)."""
    items = list(client.list("/domains"))
    roots = {names.domain(item["id"]) for item in items if item["isRoot"]}
    for item in items:
        name = names.domain(item["id"])
        configuration = None
        if item["authenticationType"] == FEDERATED and item["isRoot"] and (configurations_of is None or name in configurations_of):
            configuration = read_configuration(client, name)
        yield Object(
            KIND,
            name,
            item["id"],
            {
                "authenticationType": item["authenticationType"],
                "isDefault": item["isDefault"],
                "isInitial": item["isInitial"],
                "isRoot": item["isRoot"],
                "isVerified": item["isVerified"],
                "parent": None if item["isRoot"] else root_of(name, roots),
                "federationConfiguration": configuration,
            },
        )


def read_configuration(client: Client, domain: str) -> dict[str, Any] | None:
    """The one federation configuration of a domain, None when Graph keeps saying that there is none (404)."""
    answer = client.find(f"/domains/{urllib.parse.quote(domain)}/federationConfiguration")
    items = (answer or {}).get("value") or []
    return {name: value for name, value in items[0].items() if not name.startswith("@")} if items else None


def read_administrators(client: Client, upns: Sequence[str]) -> list[Administrator]:
    """The named users, and whether each holds Global Administrator directly."""
    if not upns:
        return []
    assignments = client.list(f"/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'")
    holders = {item["principalId"] for item in assignments}
    found = []
    for upn in sorted(names.users(upns)):
        state = client.find(f"{user_address(upn)}?$select=id,userPrincipalName,accountEnabled,onPremisesSyncEnabled")
        found.append(Administrator(upn, state, state is not None and state["id"] in holders))
    return found


def info(params: Mapping[str, Any], warn: Callable[[str], None] | None = None) -> dict[str, Any]:
    """The return values of entra_domain_info. warn: in check mode, takes why a real run would stop. Raises OffboardError `not_found`, `still_federated`."""
    options = InfoOptions.of(params)
    wanted = options.domains
    with Client(Connection.from_params(params)) as client:
        found = list(read_domains(client, wanted or None))
    if options.predictions:
        found = predicted(found, read_predictions(options.predictions))
    found = [item for item in found if not wanted or item.id in wanted]
    missing = wanted - {item.id for item in found}
    if missing:
        raise OffboardError(f"the tenant has no domain {', '.join(sorted(missing))}", code="not_found", details={"domains": sorted(missing)})
    states = {item.id: item.state for item in found}
    follow = affected(options.to_convert, states)
    if (left := not_managed(follow, states)) and options.require_managed:
        told = phrases.told("still_federated", domains=", ".join(left))
        if warn is None:
            raise OffboardError(told.told(options.language), code="still_federated", details={"domains": left})
        warn(plain.line(phrases.english("would_stop", why=told.en)))
    return {"domains": [_describe(item, options.expected_idp_hosts) for item in found], "affected": follow, "not_managed": left}


def predicted(domains: Sequence[Object], predictions: Predictions) -> list[Object]:
    """The domains as the plans of this check run would leave them; a subdomain follows its root."""
    found = list(predictions.overlay((KIND,), domains))
    roots = {item.id: item.state["authenticationType"] for item in found if item.state["isRoot"]}
    for number, item in enumerate(found):
        now = roots.get(item.state["parent"] or "", item.state["authenticationType"])
        found[number] = Object(KIND, item.id, item.name, {**item.state, "authenticationType": now})
    return found


def _describe(item: Object, expected: Sequence[str]) -> dict[str, Any]:
    state = item.state
    configuration = state["federationConfiguration"]
    federation = None
    if configuration is not None:
        why = identified_by(configuration, expected)
        federation = {"configuration": configuration, "hosts": hosts(configuration), "idp": "iij" if why else "other", "identified_by": why}
    return {
        "id": item.name,
        "authentication_type": state["authenticationType"],
        "is_default": state["isDefault"],
        "is_initial": state["isInitial"],
        "is_root": state["isRoot"],
        "is_verified": state["isVerified"],
        "parent": state["parent"],
        "federation": federation,
    }
