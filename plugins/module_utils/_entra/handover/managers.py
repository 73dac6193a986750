# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_managers_info: in which department users are, and who their manager is."""

from __future__ import annotations

import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any

from ..._core import names, plain
from ..._core.plan import ANSWER_LIMIT
from ..._graph.batches import Request
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module import budget
from ..._module.progress import Progress
from ..domains.plan import root_of, upn_domain
from ..domains.read import check_known
from ..users.plan import signs_in_at_home
from ..users.results import Results
from .options import ManagersOptions

_USERS = "/users?$select=id,userPrincipalName,department&$top=999"
#: Users whose managers are asked for at once; so many are kept in memory.
_ASKED = 1000


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_managers_info."""
    options = ManagersOptions.of(params)
    roots, seen = options.domains, set[str]()
    results, progress = Results(options.results_file), Progress(options.progress_file, "users", None)
    departments: Counter[str] = Counter()
    managers: set[str] = set()
    counts = Counter(dict.fromkeys(("total", "without_department", "without_manager"), 0))
    users: list[dict[str, Any]] = []
    with closing(results), Client(Connection.from_params(params)) as client:
        found = _users(client, roots, seen)
        for item, manager in _with_managers(client, found) if options.managers else ((item, None) for item in found):
            progress.add()
            department = names.visible(str(item.get("department") or ""))
            boss = {"manager": manager["id"], "manager_name": str(manager.get("userPrincipalName") or manager["id"])} if manager else {}
            counts["total"] += 1
            counts["without_department"] += not department
            counts["without_manager"] += not manager and options.managers
            departments.update([plain.line(department)] if department else [])
            managers.update([manager["id"]] if manager else [])
            if len(users) < ANSWER_LIMIT:
                users.append({"id": item["id"], "name": item["userPrincipalName"], "department": department, "manager": boss.get("manager_name", "")})
            results.add(item["id"], item["userPrincipalName"], "found", details={"department": department, **boss})
        check_known(client, "domains", roots, seen)
        results.publish()
    return {"counts": dict(counts), "departments": dict(departments.most_common()), "managers_count": len(managers), "users": budget.sample(users)}


def _users(client: Client, roots: frozenset[str], seen: set[str]) -> Iterator[Mapping[str, Any]]:
    """Those of the domains, of all without any; `seen` takes the domains in which there is one."""
    for item in client.list(_USERS):
        if signs_in_at_home(item["userPrincipalName"]):
            continue
        root = root_of(upn_domain(item["userPrincipalName"]), roots)
        seen.update([root] if root else [])
        if root or not roots:
            yield item


def _with_managers(client: Client, users: Iterator[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    """Each user with their manager. Raises GraphError; only that there is no manager is no error."""
    while chunk := list(islice(users, _ASKED)):
        paths = [f"/users/{urllib.parse.quote(item['id'])}/manager?$select=id,userPrincipalName" for item in chunk]
        for item, (path, answer) in zip(chunk, client.get_many(paths), strict=True):
            if not answer.ok and answer.status != 404:
                raise answer.error(Request("GET", path))
            yield item, answer.body if answer.ok else None
