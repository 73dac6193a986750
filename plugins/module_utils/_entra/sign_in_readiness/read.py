# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a tenant that tell who can sign in. Each can be refused for itself; what was refused is told, and is never empty."""

from __future__ import annotations

import urllib.parse
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, TypeVar

from ..._core import names, plain
from ..._core.marks import Marks, mark
from ..._graph.client import Client
from ..._graph.errors import GraphError, about_one_part
from ..._module.progress import Progress
from ..references.plan import reason_of
from . import plan

_T = TypeVar("_T")

_USER = ("id", "userPrincipalName", "accountEnabled", "userType", "onPremisesSyncEnabled", "assignedLicenses")
#: learn.microsoft.com/graph/api/user-list: 500 users a page with signInActivity, 999 without
_USERS = f"/users?$select={','.join(_USER)},signInActivity&$top=500"
_USERS_ALONE = f"/users?$select={','.join(_USER)}&$top=999"
#: clients that are told apart; their bits are in 8 bytes for each user
_MOST_CLIENTS = 64
#: clients that one filter asks for; elsewhere Microsoft Graph takes 15 conditions, and for this log it says no number
_CLIENTS_AT_ONCE = 9
_REPORT = "/reports/authenticationMethods/userRegistrationDetails?$select=id,isMfaCapable,isPasswordlessCapable&$top=999"


class Parts:
    """Reads parts of the tenant, and keeps what was refused of them."""

    def __init__(self) -> None:
        #: part, reason, msg
        self.not_looked_at: list[dict[str, str]] = []
        self._signed_in = False

    def read(self, part: str, read: Callable[[], _T]) -> _T | None:
        """What `read` gives, None when it was refused. Raises GraphError when the tenant cannot be asked at all."""
        try:
            found = read()
        except GraphError as exc:
            if not about_one_part(exc, self._signed_in):
                raise
            self.tell(part, reason_of(exc.code, exc.status, exc.msg), exc.msg)
            return None
        self._signed_in = True
        return found

    def tell(self, part: str, reason: str, words: str) -> None:
        """One part that was not looked at, or not to its end."""
        self.not_looked_at.append({"part": part, "reason": reason, "msg": plain.line(words)})


def one(objects: Iterable[Mapping[str, Any]], path: str) -> Mapping[str, Any]:
    """The one object that there is. Raises GraphError `no_list` for an answer that is none (a proxy's page): it must not pass for one without properties."""
    found = next(iter(objects), {})
    if "id" not in found:
        raise GraphError(f"GET {path}: the answer is no object of Microsoft Graph", code="no_list")
    return found


class Registrations:
    """The report of registered methods: some bytes a user."""

    def __init__(self, client: Client, progress: Progress) -> None:
        known, capable, passwordless = array("Q"), array("Q"), array("Q")
        for item in client.list(_REPORT):
            progress.add()
            if not isinstance(item.get("isMfaCapable"), bool):  # a row that does not say it is none: not knowing is no "no"
                continue
            one = mark(names.uuid(item["id"]))
            known.append(one)
            if item["isMfaCapable"]:
                capable.append(one)
            if item.get("isPasswordlessCapable"):
                passwordless.append(one)
        self._known, self._capable, self._passwordless = Marks(known), Marks(capable), Marks(passwordless)

    def of(self, user_id: str) -> plan.Registration | None:
        """None for whom the report leaves out."""
        one = mark(names.uuid(user_id))
        return plan.Registration(one in self._capable, one in self._passwordless) if one in self._known else None


class Legacy:
    """Clients without modern authentication by who used them, some bytes each; complete: of who is not in it, it is known that they used none."""

    def __init__(self, entries: Iterable[tuple[str, str]], complete: Callable[[], bool]) -> None:
        """entries: ids of users, and the client; complete is asked once they are read."""
        marks, clients = array("Q"), array("H")
        self._names: dict[str, int] = {}
        for user_id, client in entries:
            marks.append(mark(names.uuid(user_id)))
            # what Microsoft may call them some day is one more; a sign-in log has a dozen
            clients.append(self._names.setdefault(client, min(len(self._names), _MOST_CLIENTS - 1)))
        self._users, self._used = Marks(marks), array("Q", bytes(8 * len(marks)))
        for one, number in zip(marks, clients, strict=True):
            self._used[self._users.place_of(one)] |= 1 << number
        self._complete = complete()

    def of(self, user_id: str) -> list[str] | None:
        """None when it is not known."""
        place = self._users.place(mark(names.uuid(user_id)))
        if place is None:
            return [] if self._complete else None
        return sorted(name for name, number in self._names.items() if self._used[place] >> number & 1)


def read_legacy(client: Client, since: str, most_pages: int, parts: Parts, progress: Progress) -> Legacy:
    """Who used such a client since then, by the log's own filter, newest entries first; so many pages at most for each filter."""
    cut: list[str] = []

    def entries() -> Iterator[tuple[str, str]]:
        for at in range(0, len(plan.LEGACY_CLIENTS), _CLIENTS_AT_ONCE):
            pages, oldest = client.pages(_legacy_path(since, plan.LEGACY_CLIENTS[at : at + _CLIENTS_AT_ONCE]), once=False), ""
            for page in islice(pages, most_pages):
                progress.add(len(page))
                for item in page:
                    if item.get("userId") and item.get("clientAppUsed"):
                        yield item["userId"], plain.line(str(item["clientAppUsed"]))
                    oldest = min(filter(None, (oldest, str(item.get("createdDateTime") or ""))), default="")
            if next(pages, None) is not None:
                cut.append(oldest)

    def complete() -> bool:
        if cut:
            parts.tell("legacy_sign_ins", "too_many", f"The sign-in log was read back to {max(cut)} only, after {most_pages} pages; older entries were not.")
        return not cut

    return Legacy(entries(), complete)


def _legacy_path(since: str, legacy: Iterable[str]) -> str:
    clients = " or ".join(f"clientAppUsed eq '{name}'" for name in legacy)
    return "/auditLogs/signIns?$filter=" + urllib.parse.quote(f"createdDateTime ge {since} and ({clients})", safe="$=' ()")


class Groups:
    """Who is in the groups that policies name. A group that may not be read is told, and nobody is known to be in it or not."""

    def __init__(self, client: Client, ids: Collection[str], parts: Parts) -> None:
        self._members = {key: parts.read("groups", lambda key=key: self._read(client, key)) for key in sorted(ids)}  # type: ignore[misc]

    @staticmethod
    def _read(client: Client, key: str) -> Marks:
        return Marks(mark(names.uuid(item["id"])) for item in client.list(f"/groups/{urllib.parse.quote(key)}/transitiveMembers?$select=id&$top=999"))

    def has(self, user_id: str) -> plan.InGroup:
        """Whether a user is in a group."""
        one = mark(names.uuid(user_id))

        def answer(group: str) -> bool | None:
            members = self._members.get(group)
            return None if members is None else one in members

        return answer


def read_users(client: Client, parts: Parts) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Every user, and whether it could be read when they last signed in."""
    pages = client.pages(_USERS)
    first = parts.read("sign_in_activity", lambda: next(pages, []))
    if first is None:
        for item in client.list(_USERS_ALONE):
            yield item, False
        return
    yield from ((item, True) for page in chain([first], pages) for item in page)
