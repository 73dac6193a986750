# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Temporary Access Passes that are in the tenant, and whether what was handed over is among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..._graph.batches import Request
from ..._graph.client import Client
from ..._module.clock import now, seconds_since
from . import access_pass
from .passwords import PassBook

#: Seconds for which an old answer may come from a replica that lags. Graph promises no bound; after these, what is read overrules what was recorded.
REPLICAS_LAG = 900.0


def read(client: Client, users: Iterable[str]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each user's id and passes; not of who is gone meanwhile."""
    paths = {access_pass.passes_of(user_id): user_id for user_id in users}
    for path, answer in client.get_many(paths):
        if answer.ok:
            yield paths[path], answer.body.get("value", [])
        elif answer.status != 404:
            raise answer.error(Request("GET", path))


def look_for(client: Client, passes: PassBook, users: Iterable[str]) -> None:
    """Is what was handed over to them in the tenant? Asked for whom no run has seen it, or not lately: `passes` is told who has none."""
    at = now()
    given = [user_id for user_id in users if passes.was_given(user_id, at)]
    doubtful = [user_id for user_id in given if not (seen := passes.seen_at(user_id)) or seconds_since(seen) >= REPLICAS_LAG]
    for user_id, there in read(client, doubtful):
        if not any(method["methodUsabilityReason"] != "Expired" for method in there):
            passes.is_gone(user_id)
