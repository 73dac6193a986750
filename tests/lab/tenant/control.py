# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab itself asks of the tenant, under `/_lab/`: no part of Microsoft Graph, and no write of it is a tenant write.

`settings`, `faults`, `outside`, `requests`, `violations`, `reset`, `applications`, `password`, `redeem`, `objects/{table}[/{id}]`, `status`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from .. import company
from .graph import Graph
from .resources.domains import is_federated, view
from .resources.guests import redeem
from .resources.users import password_matches
from .store import Object


def handle(graph: Graph, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
    """Status and JSON answer. Wrong input raises ValueError with a sentence for people."""
    head, _, rest = path.strip("/").partition("/")
    body = {} if body is None else body
    if not isinstance(body, dict):
        raise ValueError("the body has to be a JSON object")
    match method, head:
        case "GET", "status":
            return 200, {
                "users": len(graph.store.tables["users"].objects),
                "fixture": vars(graph.store.fixture),
                "strict_schema": graph.contract.strict,
                "violations": len(graph.contract.violations),
                "throttled": graph.throttle.refused,
            }
        case "GET", "settings":
            return 200, vars(graph.settings)
        case "PATCH", "settings":
            graph.settings.change(body)
            return 200, vars(graph.settings)
        case "GET", "faults":
            return 200, [dataclasses.asdict(rule) for rule in graph.faults.rules]
        case "POST", "faults":
            return 201, dataclasses.asdict(graph.faults.add(**body))
        case "DELETE", "faults":
            graph.faults.clear()
            return 204, None
        case "GET", "outside":
            return 200, vars(graph.outside)
        case "PATCH", "outside":
            graph.outside.change(body)
            return 200, vars(graph.outside)
        case "POST", "redeem":
            return 200, redeem(graph, str(body.get("guest", "")))
        case "GET", "requests":
            lines = graph.log.read()
            return 200, [line for line in lines if line["write"]] if query.get("write") else lines
        case "DELETE", "requests":
            graph.log.clear()
            return 204, None
        case "GET", "violations":
            return 200, graph.contract.violations
        case "POST", "reset":
            graph.reset(**body)
            return 200, {"users": len(graph.store.tables["users"].objects)}
        case "POST", "applications":
            return 200, _applications(graph, int(body.get("count", 0)))
        case "POST", "password":
            return 200, _password(graph, body)
        case (("GET" | "PATCH"), "objects"):
            return 200, _objects(graph, method, rest, body)
    raise ValueError(f"{method} /_lab/{path}: no such control")


def _applications(graph: Graph, count: int) -> dict[str, Any]:
    """So many more applications with their service principals; one of a hundred has an address at IIJ ID."""
    graph.store.delay = 0.0
    for number in range(count):
        name, app_id = f"App {number}", company.make_id("appId", f"App {number}")
        host = "www.auth.iij.jp" if number % 100 == 0 else f"app{number}.reiji.example"
        web = {**company.application(app_id, name)["web"], "redirectUris": [f"https://{host}/cb", f"https://test.{host}/cb"]}
        key, principal = company.make_id("application", name), company.make_id("servicePrincipal", name)
        graph.store.put("applications", key, company.application(app_id, name, id=key, web=web))
        graph.store.put("service_principals", principal, company.service_principal(app_id, name, id=principal, replyUrls=web["redirectUris"]))
    graph.store.flush()
    return {"applications": len(graph.store.tables["applications"].objects)}


def _password(graph: Graph, body: dict[str, Any]) -> dict[str, Any]:
    """Whether a password is the user's, and how many times one was set since the fixture."""
    key = str(body.get("user", ""))
    user = graph.store.tables["users"].objects.get(graph.store.upns.get(key.casefold(), key))
    if user is None:
        raise ValueError(f"no user {key!r}")
    return {"matches": password_matches(user, str(body.get("password", ""))), "count": user["_password_count"]}


def _objects(graph: Graph, method: str, rest: str, body: dict[str, Any]) -> Any:
    """The truth of the store, whatever reads through Graph show; PATCH arranges a state without a tenant write."""
    table, _, key = rest.partition("/")
    if table not in graph.store.tables:
        raise ValueError(f"no table {table!r}; tables are {', '.join(sorted(graph.store.tables))}")
    objects = graph.store.tables[table].objects
    if not key:
        return _in_effect(graph, table)
    if key not in objects:
        raise ValueError(f"no {key!r} in {table}")
    if method == "PATCH":
        graph.store.delay = 0.0
        graph.store.put(table, key, body)
        graph.store.flush()
    return objects[key]


def _in_effect(graph: Graph, table: str) -> list[Object]:
    """All of a table as it is by now: a conversion takes effect at the time that its domain notes, and its configuration ends with it."""
    objects = list(graph.store.tables[table].objects.values())
    match table:
        case "domains":
            return [view(graph.store, item) | {"_managed_at": None} for item in objects]
        case "federations":
            return [item for item in objects if is_federated(graph.store, item["_domain"])]
    return objects
