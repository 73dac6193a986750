# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of SCIM, page by page until it is whole: RFC 7644 3.4.2.4, and RFC 9865 where the service says that it has cursors. Pure.

Pages are no snapshot: what is made or removed meanwhile moves the others, so that one may be missed. A list is whole when each of its pages counts the
same, and it has as many different ids. One made and one removed between two pages does not show in that; a second export shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core.errors import OffboardError

Get = Callable[[str, Mapping[str, Any]], dict[str, Any]]


@dataclass
class Listed:
    """The resources by id, in the order of their ids; how many the service counted; whether that is all of them."""

    items: dict[str, dict[str, Any]]
    total: int
    whole: bool


@dataclass(frozen=True)
class Ways:
    """How lists are asked for. `page_size` is a wish: the service may send fewer, never more are counted on."""

    page_size: int
    sort: bool = False
    cursor: bool = False


def ways(config: Mapping[str, Any] | None, page_size: int) -> Ways:
    """By the service's own description (ServiceProviderConfig); without one, what every service must have."""

    def says(*path: str) -> bool:
        found: Any = config
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found is True

    return Ways(page_size, says("sort", "supported"), says("pagination", "cursor"))


def everything(get: Get, path: str, how: Ways, attempts: int) -> Listed:
    """All resources below `path`, read up to `attempts` times where the list changed meanwhile; the last reading when none was whole.

    Raises OffboardError `no_list`.
    """
    found = _once(get, path, how)
    while not found.whole and attempts > 1:
        attempts -= 1
        found = _once(get, path, how)
    return found


def _once(get: Get, path: str, how: Ways) -> Listed:
    items: dict[str, dict[str, Any]] = {}
    came, cursor, totals = 0, "", set()
    seen: set[str] = set()
    while True:
        query: dict[str, Any] = {"cursor": cursor} if how.cursor else {"startIndex": came + 1}
        page = get(path, {**query, "count": how.page_size, **({"sortBy": "id"} if how.sort else {})})
        total, resources = _page(path, page, how.cursor)
        totals.add(total)
        for item in resources:
            items[item["id"]] = item
        before, came = came, came + len(resources)
        cursor = page.get("nextCursor") or ""
        # by what came, never by what was asked for; a service that repeats itself ends here too
        if (not cursor or cursor in seen) if how.cursor else (came == before or came >= (total or 0)):
            break
        seen.add(cursor)
    # a list that was cut says so by its own count; twice the same one means that another was missed
    counted = came if total is None else total
    return Listed(dict(sorted(items.items())), counted, len(totals) == 1 and len(items) == counted == came)


def _page(path: str, page: Mapping[str, Any], uncounted: bool) -> tuple[int | None, list[dict[str, Any]]]:
    """How many there are (None: with cursors a service need not count), and those of this page."""
    total, resources = page.get("totalResults"), page.get("Resources")
    resources = [] if resources is None else resources
    counts = (isinstance(total, int) and not isinstance(total, bool) and total >= 0) or (total is None and uncounted)
    whole = counts and isinstance(resources, list)
    if not whole or not all(isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"] for item in resources):
        raise OffboardError(f"{path}: the service answered with success, and with something that is no list of SCIM.", code="no_list")
    cursor = page.get("nextCursor")
    if cursor is not None and not isinstance(cursor, str):
        raise OffboardError(f"{path}: the service answered with a cursor that is none.", code="no_list")
    return total, resources  # type: ignore[return-value]


def cut_groups(users: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Groups that a user names as having them as a direct member, and that do not have them among their members."""
    members = {identity: _ids(group.get("members")) for identity, group in groups.items()}
    cut = set()
    for identity, user in users.items():
        said = user.get("groups")
        for group in said if isinstance(said, list) else ():
            value = group.get("value") if isinstance(group, Mapping) and group.get("type") != "indirect" else None
            if isinstance(value, str) and identity not in members.get(value, {identity}):
                cut.add(value)
    return sorted(cut)


def not_checked(users: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Groups of which nothing tells whether all their members came: all of them, where the service shows of no user which groups they are in."""
    return [] if not users or any(_ids(user.get("groups")) for user in users.values()) else sorted(groups)


def without_members(groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Groups whose members are not in the list: they have none, or the service leaves them out of lists."""
    return [identity for identity, group in groups.items() if not _ids(group.get("members"))]


def _ids(members: Any) -> set[str]:
    return {item["value"] for item in members if isinstance(item, Mapping) and isinstance(item.get("value"), str)} if isinstance(members, list) else set()
