# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of SCIM, page by page until it is whole: RFC 7644 3.4.2.4, and RFC 9865 where the service says that it has cursors. Pure.

Pages are no snapshot: what is made or removed meanwhile moves the others, so that one may be missed. A list is whole when each of its pages counts the
same, and it has as many different ids. One made and one removed between two pages does not show in that; a second export shows it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..._core.errors import OffboardError
from ..._core.marks import Marks, mark
from .attributes import attribute

Get = Callable[[str, Mapping[str, Any]], dict[str, Any]]


@dataclass
class Listed:
    """How many the service counted; whether those that were put away are all of them."""

    total: int
    whole: bool


class Put(Protocol):
    """Where resources are put away, by their ids."""

    def put(self, item: Mapping[str, Any]) -> None:
        """One more, or another one of the same id."""

    def clear(self) -> None:
        """Forget all of them."""

    def __len__(self) -> int:
        """How many different ones there are."""


@dataclass(frozen=True)
class Ways:
    """How lists are asked for. `page_size` is a wish: the service may send fewer, never more are counted on."""

    page_size: int
    sort: bool = False
    cursor: bool = False
    #: a list with more than so many never ends
    most: int = 1_000_000


def ways(config: Mapping[str, Any] | None, page_size: int, most: int = 1_000_000) -> Ways:
    """By the service's own description (ServiceProviderConfig); without one, what every service must have."""

    def says(*path: str) -> bool:
        found: Any = config
        for name in path:
            found = attribute(found, name) if isinstance(found, Mapping) else None
        return found is True

    return Ways(page_size, says("sort", "supported"), says("pagination", "cursor"), most)


def everything(get: Get, path: str, how: Ways, attempts: int, into: Put, tell: Callable[[int], None] = lambda count: None) -> Listed:
    """All resources below `path`, put away page by page, and read up to `attempts` times where the list changed meanwhile; the last reading when none was
    whole. tell: how many came with a page.

    Raises OffboardError `no_list`, `too_large`.
    """
    found = _once(get, path, how, into, tell)
    while not found.whole and attempts > 1:
        attempts -= 1
        found = _once(get, path, how, into, tell)
    return found


def _once(get: Get, path: str, how: Ways, into: Put, tell: Callable[[int], None]) -> Listed:
    into.clear()
    came, cursor, totals = 0, "", set()
    seen: set[str] = set()
    while True:
        query: dict[str, Any] = {"cursor": cursor} if how.cursor else {"startIndex": came + 1}
        query |= {"count": how.page_size, **({"sortBy": "id"} if how.sort else {})}
        page = get(path, query)
        total, resources = _page(path, page, how.cursor)
        totals.add(total)
        for item in resources:
            into.put(item)
        tell(len(resources))
        before, came = came, came + len(resources)
        if came > how.most:
            raise OffboardError(
                f"{path}: the service gave more than {how.most} entries and has not come to an end, so nothing was written, and earlier exports stay. If there "
                "are so many, raise max_resources; otherwise its list grows for ever, which IIJ's support has to see.",
                code="too_large",
            )
        cursor = attribute(page, "nextCursor") or ""
        # by what came, never by what was asked for; a service that repeats itself ends here too
        if (not cursor or cursor in seen) if how.cursor else (came == before or came >= (total or 0)):
            break
        seen.add(cursor)
    if not how.cursor and came and before == 0 and _goes_on(get, path, {**query, "startIndex": came + 1}, into):
        totals.add(None)
    # a list that was cut says so by its own count, or by a cursor that leads nowhere; twice the same one means that another was missed
    counted = came if total is None else total
    return Listed(counted, len(totals) == 1 and not cursor and len(into) == counted == came)


def _goes_on(get: Get, path: str, query: Mapping[str, Any], into: Put) -> bool:
    """Whether others come after the first page although the service counts no more: some count the page, and not the list. Beyond the end of a list a
    service answers with none; one that refuses to has no more, and one that repeats itself neither."""
    known = len(into)
    try:
        _total, resources = _page(path, get(path, query), False)
    except OffboardError as exc:
        if exc.code not in ("http_status", "not_found", "server_error", "no_list", "no_json"):
            raise
        return False
    for item in resources:
        into.put(item)
    return len(into) > known


def _page(path: str, page: Mapping[str, Any], uncounted: bool) -> tuple[int | None, list[dict[str, Any]]]:
    """How many there are (None: with cursors a service need not count), and those of this page."""
    total, resources = attribute(page, "totalResults"), attribute(page, "Resources")
    resources = [] if resources is None else resources
    counts = (isinstance(total, int) and not isinstance(total, bool) and total >= 0) or (total is None and uncounted)
    whole = counts and isinstance(resources, list)
    if not whole or not all(isinstance(item, dict) and _is_id(attribute(item, "id")) for item in resources):
        raise OffboardError(f"{path}: the service answered with success, and with something that is no list of SCIM.", code="no_list")
    cursor = attribute(page, "nextCursor")
    if cursor is not None and not isinstance(cursor, str):
        raise OffboardError(f"{path}: the service answered with a cursor that is none.", code="no_list")
    return total, resources  # type: ignore[return-value]


def _is_id(value: Any) -> bool:
    """Whether it is a text that a file can hold: half of a surrogate pair, which JSON can escape, cannot be written."""
    return isinstance(value, str) and value != "" and not any("\ud800" <= character <= "\udfff" for character in value)


@dataclass
class Memberships:
    """Which groups lack members whom the users name, and which have none in the list. Marks of the pairs are kept, 8 bytes each."""

    lacking: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    #: nothing tells whether members are missing, since no user says which groups they are in
    unsaid: bool = False


def memberships(users: Iterable[Mapping[str, Any]], groups: Iterable[Mapping[str, Any]]) -> Memberships:
    """Compare what groups say of their members with what users say of the groups that they are a direct member of."""
    members, known, empty = array("Q"), set(), []
    for group in groups:
        key, found = attribute(group, "id"), _ids(attribute(group, "members"))
        known.add(key)
        members.extend(mark(key, member) for member in found)
        if not found:
            empty.append(key)
    has, lacking, said = Marks(members), set(), False
    there = False
    for user in users:
        there = True
        key, told = attribute(user, "id"), attribute(user, "groups")
        for group in told if isinstance(told, list) else ():
            value, kind = (attribute(group, "value"), attribute(group, "type")) if isinstance(group, Mapping) else (None, None)
            said = said or isinstance(value, str)
            if isinstance(value, str) and kind != "indirect" and value in known and mark(value, key) not in has:
                lacking.add(value)
    return Memberships(tuple(sorted(lacking)), tuple(empty), there and not said)


def _ids(members: Any) -> set[str]:
    values = (attribute(item, "value") for item in members if isinstance(item, Mapping)) if isinstance(members, list) else ()
    return {value for value in values if isinstance(value, str)}
