# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Named guests as the tenant has them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core.model import Object
from ..._federation.url_rule import comparable
from ..._graph.batches import Answer, Request
from ..._graph.client import Client
from ..._module import waiting
from ..addresses import LONGEST_COMPARED, user_address
from ..of_tenant import MANY
from . import plan as guest_plan
from .plan import FIELDS, WantedGuest, account

#: of by_address, with what proxyAddresses have before it
_LONGEST = LONGEST_COMPARED - len("smtp:")


def by_address(address: str) -> str:
    """The request for the accounts that have an address."""
    text = address.replace("'", "''")
    terms = f"mail eq '{text}' or userPrincipalName eq '{text}' or otherMails/any(m: m eq '{text}') or proxyAddresses/any(p: p eq 'smtp:{text}')"
    return f"/users?$filter={urllib.parse.quote(terms)}&$select={FIELDS}"


def read_named(client: Client, guests: Sequence[WantedGuest]) -> Iterator[Object]:
    """The accounts of those who are named, each once; nothing for one who is not there."""
    if len(guests) > MANY or any(len(who.mail) > _LONGEST for who in guests if not who.key):
        wanted = {comparable(who.shown) for who in guests}
        for user in client.list(f"/users?$select={FIELDS}&$top=999"):
            item = account(user)
            if comparable(item.id) in wanted or guest_plan.addresses(item.state) & wanted:
                yield item
        return
    seen: set[str] = set()
    keys = [_path(who.key) for who in guests if who.key]
    for path, answer in waiting.insisted(keys, lambda left: (pair for pair in client.get_many(left) if pair[1].status != 404)):
        yield from _unseen([_body(path, answer)], seen)
    for path, answer in client.get_many([by_address(who.mail) for who in guests if not who.key]):
        yield from _unseen(_body(path, answer)["value"], seen)


def _path(key: str) -> str:
    return f"{user_address(key)}?$select={FIELDS}"


def _body(path: str, answer: Answer) -> Mapping[str, Any]:
    if not answer.ok:
        raise answer.error(Request("GET", path))
    return answer.body


def _unseen(users: Iterable[Mapping[str, Any]], seen: set[str]) -> Iterator[Object]:
    for user in users:
        if user["id"] not in seen:
            seen.add(user["id"])
            yield account(user)
