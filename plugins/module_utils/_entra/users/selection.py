# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which users a task is about, read as a stream: everybody, a domain, a group, a list, a file or a snapshot."""

from __future__ import annotations

import codecs
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..._core import names, strict_json
from ..._core.errors import OffboardError
from ..._graph.batches import Request
from ..._graph.client import Client
from ..._module import waiting
from ..addresses import user_address
from ..domains.read import check_known
from ..of_tenant import MANY, tenant_of
from ..snapshot.files import read_snapshot_users
from .options import SelectionOptions
from .plan import SESSIONS

T = TypeVar("T")

_ALWAYS = ("id", "userPrincipalName", "accountEnabled", "usageLocation", "userType", "onPremisesSyncEnabled")


class Selection:
    """The users that a task is about, read as a stream."""

    def __init__(self, client: Client, options: SelectionOptions, fields: Iterable[str], desired: Mapping[str, Any] | None) -> None:
        self._client = client
        self._ending = f"@{options.domain}" if options.domain else ""
        self._provisioned_only = options.provisioned_only
        self._domain = options.domain
        self._exclude = options.exclude
        #: those of `exclude` that were met, by the form in which they are named
        self._met: set[str] = set()
        #: whether the tenant has one of those that are named, of whatever shard
        self.met_anybody = False
        self._shard = options.shard
        #: what is desired, by id or userPrincipalName as `names.user` has it; None when users are not selected one by one
        self.keyed = desired
        self._fields = [*fields, *(["onPremisesImmutableId"] if self._provisioned_only else [])]

    def path(self, key: str) -> str:
        """The request for one user."""
        return user_path(key, self._fields)

    def read(self) -> Iterator[dict[str, Any]]:
        """Graph's users; for one that is named and not there, {"id", "userPrincipalName", "missing": code}.

        Raises OffboardError `not_found` at the end for a domain that is none of the tenant's, and for somebody to be left out whom the tenant does not have:
        under the name that was meant they would have been changed.
        """
        if self.keyed is not None:
            yield from self._named(self.keyed)
        else:
            someone = False
            for item in self._client.list(f"/users?$select={_select(self._fields)}&$top=999"):
                someone = someone or self._inside(item)
                if self._chosen(item):
                    yield item
            if self._domain and not someone:
                check_known(self._client, "domain", [self._domain], ())
        if unknown := sorted(self._unknown()):
            raise OffboardError(f"exclude: the tenant has no user {', '.join(unknown)}. Correct the name, or take it out.", code="not_found")

    def _unknown(self) -> Iterator[str]:
        """Names to be left out that nobody has, nor had in the last 30 days."""
        left = {self.path(key): key for key in self._exclude - self._met}
        gone = {left[path]: None for path, answer in self._client.get_many(left) if answer.status == 404}
        if gone:
            yield from (item["userPrincipalName"] for item in self._gone(gone, whole=True) if item["missing"] == "not_found")

    def _inside(self, item: Mapping[str, Any]) -> bool:
        return not self._ending or names.user(item["userPrincipalName"]).endswith(self._ending)

    def _chosen(self, item: Mapping[str, Any]) -> bool:
        if self._exclude and (met := names.of_user(item["id"], item["userPrincipalName"]) & self._exclude):
            self._met |= met
            return False
        if self._shard.count > 1 and item["id"] not in self._shard:
            return False
        if self._provisioned_only and not item.get("onPremisesImmutableId"):
            return False
        return self._inside(item)

    def _named(self, keyed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        # A user named by object id need not be read to know that they are another shard's.
        missing = dict.fromkeys(key for key in keyed if key not in self._exclude and (not names.is_uuid(key) or key in self._shard))
        if len(missing) > MANY:
            for item in self._client.list(f"/users?$select={_select(self._fields)}&$top=999"):
                both = names.of_user(item["id"], item["userPrincipalName"])  # may be named by both
                if not keyed.keys().isdisjoint(both):
                    self.met_anybody = True
                    for name in both:
                        missing.pop(name, None)
                    if self._chosen(item):
                        yield item
        given: set[str] = set()
        keys = {self.path(key): key for key in missing}
        for path, answer in waiting.insisted(keys, lambda left: (pair for pair in self._client.get_many(left) if pair[1].status != 404)):
            if not answer.ok:
                raise answer.error(Request("GET", path))
            del missing[keys[path]]
            self.met_anybody = True
            if self._chosen(answer.body) and answer.body["id"] not in given:
                given.add(answer.body["id"])
                yield dict(answer.body)
        if missing:
            yield from self._gone(missing)

    def _gone(self, missing: Iterable[str], *, whole: bool = False) -> Iterator[dict[str, Any]]:
        """Tell soft-deleted users, who can be restored for 30 days, from those whom nobody knows. `whole`: of every shard."""
        deleted: dict[str, str] = {}
        for item in self._client.list("/directory/deletedItems/microsoft.graph.user?$select=id,userPrincipalName&$top=999"):
            deleted[names.uuid(item["id"])] = item["id"]
            # Entra prefixes the name of a deleted user with the object id without its hyphens.
            deleted[names.user(item["userPrincipalName"]).removeprefix(item["id"].replace("-", ""))] = item["id"]
        for key in sorted(missing):
            user_id = deleted.get(key, key)
            if whole or user_id in self._shard:
                yield {"id": user_id, "userPrincipalName": key, "missing": "soft_deleted" if key in deleted else "not_found"}


def user_path(key: str, fields: Iterable[str]) -> str:
    """The request for one user, with the fields that are always read, and further ones."""
    return f"{user_address(key)}?$select={_select(fields)}"


def _select(fields: Iterable[str]) -> str:
    return ",".join(dict.fromkeys((*_ALWAYS, *fields)))


def fields_of(*, licences: bool = False, password: bool = False, created: bool = False, called: bool = False, sessions: bool = False) -> list[str]:
    """The further properties of a user that are needed; fewer fields make a list of 100,000 users 3 times smaller."""
    wanted = {
        "licenseAssignmentStates": licences,
        "lastPasswordChangeDateTime": password,
        "createdDateTime": created,
        "displayName": called,
        SESSIONS: sessions,
    }
    return [name for name, needed in wanted.items() if needed]


def members(client: Client, group: str) -> Iterator[str]:
    """The ids of the group's direct members that are users. Other properties of members cannot be selected by name."""
    for item in client.list(f"/groups/{urllib.parse.quote(group)}/members?$select=id&$top=999"):
        if item.get("@odata.type", "#microsoft.graph.user") == "#microsoft.graph.user":
            yield names.uuid(item["id"])


@dataclass(frozen=True, slots=True)
class Named:
    """A user whom the task names: by a record of the snapshot, or by the name alone."""

    #: id or userPrincipalName in lower case
    key: str
    saved: Mapping[str, Any] | None = None


def named_in(client: Client, options: SelectionOptions, make: Callable[[Named], T]) -> dict[str, T] | None:
    """By key, what `make` makes of the users who are named one by one; None when they are selected otherwise."""
    found = _named(client, options)
    return None if found is None else {who.key: make(who) for who in found}


def _named(client: Client, options: SelectionOptions) -> Iterable[Named] | None:
    if options.users is not None:
        return (Named(names.user(name)) for name in options.users)
    if options.group is not None:
        return map(Named, members(client, options.group))
    if options.snapshot is not None:
        records = read_snapshot_users(options.snapshot, options.vault_password(), tenant_of(client))
        return (Named(names.uuid(record["id"]), record) for record in records)
    if options.src is not None:
        return (Named(names.user(key)) for _number, key, _line in src_lines(options.src))
    return None


def src_lines(path: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(number, id or userPrincipalName, line) of a JSON-lines file. A person's or a program's work: nothing but empty lines is passed over.

    Raises OffboardError `file_missing`, `file_read_failed` or `bad_src`.
    """
    try:
        with open(path, "rb") as stream:
            for number, raw in enumerate(stream, 1):
                if raw := (raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw).strip():
                    line = _src_line(raw, f"src: line {number} of {path}")
                    yield number, line.get("id") or line["userPrincipalName"], line
    except FileNotFoundError as exc:
        raise OffboardError(f"src: there is no file {path}", code="file_missing") from exc
    except OSError as exc:
        raise OffboardError(f"src: cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc


def _src_line(raw: bytes, where: str) -> dict[str, Any]:
    try:
        line = strict_json.loads(raw.decode())
    except UnicodeDecodeError as exc:
        raise OffboardError(f"{where} is not in UTF-8; save the file in that encoding", code="bad_src") from exc
    except ValueError as exc:
        raise OffboardError(f"{where} is not JSON ({exc}); each line must be one object", code="bad_src") from exc
    if not isinstance(line, dict):
        raise OffboardError(f"{where} is no JSON object; each line must be one", code="bad_src")
    key = line.get("id") or line.get("userPrincipalName")
    if not key:
        raise OffboardError(f"{where} has neither id nor userPrincipalName", code="bad_src")
    if not isinstance(key, str):
        raise OffboardError(f"{where} names a user by something else than a text; id and userPrincipalName must be texts", code="bad_src")
    return line
