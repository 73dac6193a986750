# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resource file needs: declare operations, answer them, refuse them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from .. import company
from . import odata
from .answers import NO_CONTENT, Answer, GraphError, bad_request, denied, encode, not_found, now
from .store import Object, Store, Table

if TYPE_CHECKING:
    from .graph import Graph


@dataclass(frozen=True)
class Operation:
    """One method on one path. `units` is its base cost in resource units; any one of `permissions` is enough."""

    method: str
    path: str
    permissions: frozenset[str]
    handler: Callable[[Call], Answer]
    body: str | None
    units: int
    report: bool
    delegated: bool


OPERATIONS: list[Operation] = []
#: type and relationship → what $expand finds there; None for nothing
Related = Callable[["Call", Object], "list[Object] | Object | None"]
_R = TypeVar("_R", bound=Related)
_RELATIONSHIPS: dict[tuple[str, str], Relationship] = {}


@dataclass(frozen=True)
class Relationship:
    """`options` may stand inside of $expand, each as its page has it: "Not all resources or relationships support using $select on expanded items"
    (learn.microsoft.com/graph/query-parameters)."""

    find: Related
    options: frozenset[str]


__all__ = [
    "NO_CONTENT", "Answer", "Call", "GraphError", "bad_request", "by_alternate_key", "denied", "encode", "expandable", "is_guid", "not_found", "now",
    "operation",
]  # fmt: skip


def expandable(kind: str, name: str, options: str = "") -> Callable[[_R], _R]:
    """Declare what a relationship of a type leads to, as directoryObjects with `@odata.type`."""

    def declare(related: _R) -> _R:
        _RELATIONSHIPS[kind, name] = Relationship(related, frozenset(options.split()))
        return related

    return declare


def operation(
    method: str, *templates: str, permissions: str, body: str | None = None, units: int = 1, report: bool = False, delegated: bool = False
) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    """Declare a handler. `permissions` are application permissions, separated by spaces; `body` is the Graph type of the
    request's body (or `module:Class` in msgraph-sdk); `report` marks the operations under the reports quota, `delegated` those that a person may and no
    application."""

    def declare(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        allowed = frozenset(permissions.split())
        OPERATIONS.extend(Operation(method, template, allowed, handler, body, units, report, delegated) for template in templates)
        return handler

    return declare


@dataclass(frozen=True)
class Caller:
    """The application that a token was issued to."""

    app_id: str
    principal_id: str
    permissions: frozenset[str]


@dataclass
class Call:
    """One request on its way through a handler."""

    graph: Graph
    caller: Caller
    operation: Operation
    params: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    url: str
    path: str
    stale: bool = False
    #: the derived type that the path ends with: /members/microsoft.graph.user
    cast: str | None = None
    #: the path ends with /$count
    counting: bool = False
    #: the path ends with /$ref
    referring: bool = False
    #: the property of the object that the path ends with, and whether /$value follows
    property_name: str = ""
    raw: bool = False

    @property
    def beta(self) -> bool:
        return self.url.endswith("/beta")

    @property
    def eventual(self) -> bool:
        """Whether the request takes eventual consistency: learn.microsoft.com/graph/aad-advanced-queries."""
        return self.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def relationships(self) -> dict[tuple[str, str], Relationship]:
        return _RELATIONSHIPS

    @property
    def store(self) -> Store:
        return self.graph.store

    def table(self, name: str) -> Table:
        return self.store.tables[name]

    def find(self, table: str, key: str) -> Object | None:
        """The object as this request sees it."""
        rows = self.table(table)
        return rows.previous(key) if self.stale else rows.visible(key)

    def get(self, table: str, key: str) -> Object:
        """The same, or 404."""
        return self.find(table, key) or not_found(key)

    def current(self, table: str, key: str) -> Object:
        """For a write: the latest state of an object that this request can see, or 404."""
        self.get(table, key)
        return self.table(table).objects.get(key) or not_found(key)

    def may(self, *permissions: str) -> bool:
        return not self.caller.permissions.isdisjoint(permissions)

    def directory_roles(self, principal: str) -> set[str]:
        """Names of the directory roles a principal holds."""
        names = {template: name for name, template in company.ROLE_TEMPLATES.items()}
        return {
            names[item["roleDefinitionId"]]
            for item in self.table("role_assignments").objects.values()
            if item["principalId"] == principal and item["roleDefinitionId"] in names
        }

    def audit(self, activity: str, kind: str, item: Object, modified: dict[str, tuple[str, str]] | None = None) -> None:
        """Note a write in the directory audit. modified: property → old and new value, as JSON texts."""
        principal = self.table("service_principals").objects.get(self.caller.principal_id, {})
        who = {"appId": self.caller.app_id, "id": self.caller.principal_id, "displayName": principal.get("displayName")}
        self.store.audit(company.audit(now(), who, activity, kind, item["id"], item.get("displayName"), item.get("userPrincipalName"), modified))

    def one(self, kind: str, item: Object, status: int = 200, *, context: str = "", whole: bool = False) -> Answer:
        """A single object, with $select and $expand. `whole` shows what a read would show only when asked, as the answers to actions do; `context` is
        for what is no entity."""
        if self.counting or self.cast:
            bad_request("The request URI is not valid: a single object can be neither counted nor cast.", "BadRequest")
        if self.referring:
            return odata.reference(self, kind, item)
        if self.property_name:
            return odata.property_of(self, kind, item)
        odata.check_single(self, kind)
        models = self.graph.contract.models
        select = odata.select(self.query, kind, models)
        view = odata.view(models, kind, item, select, whole=whole or self.beta)
        if wanted := odata.expansion(self, kind):
            value = odata.expand(self, wanted, item)
            select = (*(select or ()), wanted.shown)
            view |= {wanted.name: value} if value is not None else {}
        self.graph.check_answer(kind, view, self.operation)
        answer = Answer(status, encode({"@odata.context": odata.context(self, kind, select, one=not context, place=context)} | view))
        if status == 201 and "id" in item:
            # OData 4.01, part 1, 8.3.3 "Header Location"; a plain reading of it finds the new object
            answer.headers["Location"] = f"{self.url}{self.path.rstrip('/')}/{item['id']}"
        return answer

    def value(self, value: Any, edm: str = "Edm.Boolean") -> Answer:
        """What an action returns that is no object."""
        return Answer(200, encode({"@odata.context": f"{self.url}/$metadata#{edm}", "value": value}))

    def page(self, kind: str, rows: Table | list[Object], **options: Any) -> Answer:
        """A page of a collection, with everything OData that Graph supports there. `options` as in `odata.page`."""
        return odata.page(self, kind, rows, **options)


_DEFAULT_KEY = re.compile(r"^(appId)=(.*)$")


def by_alternate_key(call: Call, table: str, key: str) -> str:
    """The id behind `{id}` or `(appId='…')`, or 404."""
    match = _DEFAULT_KEY.match(key)
    if not match:
        return key
    wanted = match[2]
    return next((item["id"] for item in call.table(table) if item[match[1]] == wanted), None) or not_found(wanted)


def is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
