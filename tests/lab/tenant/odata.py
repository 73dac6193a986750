# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OData as Microsoft Graph does it for directory objects: $select, $filter, $orderby, $count, pages.

Sources: learn.microsoft.com/graph/query-parameters, /aad-advanced-queries, /paging; the supported $filter operators are those
that each resource's page lists.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from .answers import Answer, bad_request, encode
from .store import Object, Table

if TYPE_CHECKING:
    from .contract import Models
    from .operation import Call

Predicate = Callable[[Any], bool]

_USER_DEFAULT = (
    "businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage",
    "surname", "userPrincipalName",
)  # fmt: skip
#: what an object shows without $select, where that is not everything
DEFAULTS: dict[str, tuple[str, ...]] = {"user": _USER_DEFAULT}

_STRING = "eq ne not ge le in startsWith"
_FLAG = "eq ne not in"
#: kind → property → operators of $filter; "$count" is the test for an empty collection
_FILTERS: dict[str, dict[str, str]] = {
    "user": {
        **dict.fromkeys(
            [
                "city",
                "companyName",
                "country",
                "displayName",
                "employeeId",
                "faxNumber",
                "givenName",
                "jobTitle",
                "mailNickname",
                "mobilePhone",
                "officeLocation",
                "onPremisesSamAccountName",
                "postalCode",
                "preferredLanguage",
                "state",
                "surname",
                "usageLocation",
            ],
            _STRING,
        ),
        "mail": f"{_STRING} endsWith",
        "userPrincipalName": f"{_STRING} endsWith",
        "department": "eq ne not ge le in",
        "onPremisesImmutableId": "eq ne not ge le in",
        "createdDateTime": "eq ne not ge le in",
        **dict.fromkeys(["accountEnabled", "creationType", "externalUserState", "onPremisesSyncEnabled", "userType"], _FLAG),
        "id": "eq in",
        "identities": "eq",
        "assignedLicenses": "eq not $count",
        "businessPhones": "eq not ge le startsWith",
        "otherMails": "eq not ge le startsWith endsWith $count",
        "proxyAddresses": "eq not ge le startsWith endsWith $count",
    },
    "group": {
        **dict.fromkeys(["displayName", "mail", "mailNickname", "description"], _STRING),
        **dict.fromkeys(["mailEnabled", "securityEnabled", "onPremisesSyncEnabled"], _FLAG),
        "id": "eq in",
        "groupTypes": "eq not",
        "assignedLicenses": "eq",
    },
    "application": {
        "appId": "eq in",
        "id": "eq in",
        "displayName": _STRING,
        "createdDateTime": "eq ne not ge le in",
        "publisherDomain": "eq ne ge le startsWith",
        "signInAudience": "eq ne not",
        "tags": "eq not ge le startsWith",
    },
    "servicePrincipal": {
        "accountEnabled": _FLAG,
        "appId": "eq ne not in startsWith",
        "id": "eq in",
        "appOwnerOrganizationId": "eq ne not ge le",
        "displayName": _STRING,
        "servicePrincipalNames": "eq not ge le startsWith",
        "servicePrincipalType": "eq",
        "tags": "eq not ge le startsWith",
    },
    "oAuth2PermissionGrant": dict.fromkeys(["clientId", "consentType", "principalId", "resourceId"], "eq"),
    "appRoleAssignment": {"resourceId": "eq", "principalDisplayName": "eq startsWith"},
    "unifiedRoleAssignment": dict.fromkeys(["principalId", "roleDefinitionId", "directoryScopeId"], "eq in"),
    "unifiedRoleDefinition": {"displayName": "eq startsWith", "id": "eq", "isBuiltIn": "eq", "templateId": "eq"},
    "directoryRole": {"displayName": "eq", "roleTemplateId": "eq"},
    "samlOrWsFedExternalDomainFederation": {"domains": "eq"},
    "directoryAudit": {
        "activityDateTime": "eq ge le gt lt",
        "activityDisplayName": "eq startsWith",
        "category": "eq",
        "correlationId": "eq",
        "initiatedBy": "eq startsWith",
        "loggedByService": "eq",
        "result": "eq",
        "targetResources": "eq startsWith",
    },
}
_ORDERS: dict[str, str] = {
    "user": "displayName userPrincipalName createdDateTime",
    "group": "displayName",
    "application": "displayName",
    "servicePrincipal": "displayName",
    "directoryAudit": "activityDateTime",
}
#: kinds for which Graph asks for ConsistencyLevel: eventual and $count=true
_ADVANCED_KINDS = {"user", "group", "application", "servicePrincipal"}


def _refuse(message: str, code: str = "Request_UnsupportedQuery") -> NoReturn:
    bad_request(message, code)


# --- $select -----------------------------------------------------------------------------------------------------------------


def select(query: dict[str, str], kind: str, models: Models) -> tuple[str, ...] | None:
    """The properties asked for, each known to the type; None when nothing was asked."""
    text = query.get("$select", "").strip()
    if not text:
        return None
    fields = models.fields(kind)
    declared = {name.casefold(): name for name in fields}  # Graph does not mind the case, and answers in its own
    names = tuple(dict.fromkeys(declared.get(name.strip().casefold(), name.strip()) for name in text.split(",")))
    for name in names:
        if name not in fields and name != "*":
            _refuse(f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'.", "BadRequest")
    return None if "*" in names else names


def view(kind: str, item: Object, names: tuple[str, ...] | None) -> Object:
    """What is served of an object. A property that was asked for and has no value is null, a collection empty."""
    if names is None:
        names = DEFAULTS.get(kind)
        if names is None:
            return {key: value for key, value in item.items() if not key.startswith("_")}
    collections = _COLLECTIONS.get(kind, ())
    shown = {name: item.get(name, [] if name in collections else None) for name in names}
    if "@odata.type" in item:
        shown["@odata.type"] = item["@odata.type"]
    return shown


#: collections of users that the tenant keeps nothing in
_COLLECTIONS = {
    "user": {"assignedPlans", "provisionedPlans", "imAddresses", "onPremisesProvisioningErrors", "serviceProvisioningErrors"},
    "group": {"onPremisesProvisioningErrors", "assignedLabels", "serviceProvisioningErrors"},
    "application": {"addIns", "appRoles"},
    "servicePrincipal": {"addIns", "notificationEmailAddresses", "resourceSpecificApplicationPermissions"},
}

# --- $filter -----------------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
    | (?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_@$][\w.@$]*(?:/[A-Za-z_$][\w.$]*)*)
    | (?P<mark>[(),:])
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "ge": lambda a, b: a is not None and b is not None and a >= b,
    "le": lambda a, b: a is not None and b is not None and a <= b,
    "gt": lambda a, b: a is not None and b is not None and a > b,
    "lt": lambda a, b: a is not None and b is not None and a < b,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {"startswith": str.startswith, "endswith": str.endswith}


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _getter(path: list[str]) -> Callable[[Any], Any]:
    """Reads a property path; strings are compared without case, as Entra does."""
    if len(path) == 1:
        name = path[0]
        return lambda item: _fold(item.get(name))

    def read(item: Any) -> Any:
        for name in path:
            item = item.get(name) if isinstance(item, dict) else None
        return _fold(item)

    return read


class _Parser:
    """Recursive descent over one $filter; `advanced` becomes true when it needs the advanced query rule."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind, self.text = kind, text
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        self.advanced: str | None = None
        self.variables: dict[str, str] = {}
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                self.fail()
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def fail(self) -> NoReturn:
        _refuse(f"Invalid filter clause: {self.text}", "BadRequest")

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> tuple[str, str]:
        if self.at >= len(self.tokens) or (wanted and self.tokens[self.at][1] not in wanted):
            self.fail()
        self.at += 1
        return self.tokens[self.at - 1]

    def parse(self) -> Predicate:
        result = self.either()
        if self.at != len(self.tokens):
            self.fail()
        return result

    def either(self) -> Predicate:
        left = self.both()
        while self.peek() == "or":
            self.take()
            left = (lambda a, b: lambda item: a(item) or b(item))(left, self.both())
        return left

    def both(self) -> Predicate:
        left = self.unary()
        while self.peek() == "and":
            self.take()
            left = (lambda a, b: lambda item: a(item) and b(item))(left, self.unary())
        return left

    def unary(self) -> Predicate:
        if self.peek().lower() == "not":
            self.take()
            self.advanced = self.advanced or "not"
            inner = self.unary()
            return lambda item: not inner(item)
        if self.peek() == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        return self.comparison()

    def path(self, operator: str) -> list[str]:
        kind, word = self.take()
        if kind != "word":
            self.fail()
        return self.resolve(word, operator)

    def resolve(self, word: str, operator: str) -> list[str]:
        """The property path behind a word, checked against what the resource lets you filter by."""
        parts = word.split("/")
        if parts[0] in self.variables:
            self.support(self.variables[parts[0]], operator)
            return parts[1:]
        self.support(parts[0], operator)
        return parts

    def support(self, name: str, operator: str) -> None:
        if operator not in _FILTERS.get(self.kind, {}).get(name, "").split():
            resource = self.kind[0].upper() + self.kind[1:]
            _refuse(f"Unsupported or invalid query filter clause specified for property '{name}' of resource '{resource}'.")

    def literal(self) -> Any:
        kind, text = self.take()
        if kind == "text":
            return text[1:-1].replace("''", "'").casefold()
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "word":
            if text not in ("true", "false", "null"):
                self.fail()
            return {"true": True, "false": False, "null": None}[text]
        if kind == "mark":
            self.fail()
        return text.casefold()

    def comparison(self) -> Predicate:
        word = self.peek()
        function = word.lower()
        if function in _FUNCTIONS:
            return self.function(function)
        self.take()
        if word.endswith(("/any", "/all")):
            return self.collection(word)
        if word.endswith("/$count"):
            return self.count(word)
        operator = self.take("eq", "ne", "ge", "le", "gt", "lt", "in")[1]
        read = _getter_or_self(self.resolve(word, operator))
        if operator == "in":
            self.take("(")
            values = [self.literal()]
            while self.peek() == ",":
                self.take()
                values.append(self.literal())
            self.take(")")
            return lambda item: read(item) in values
        if operator == "ne":
            self.advanced = self.advanced or "ne"
        value, compare = self.literal(), _COMPARE[operator]
        return lambda item: compare(read(item), value)

    def function(self, name: str) -> Predicate:
        self.take()
        if name == "endswith":
            self.advanced = "endsWith"
        self.take("(")
        read = _getter_or_self(self.path({"startswith": "startsWith", "endswith": "endsWith"}[name]))
        self.take(",")
        value, test = self.literal(), _FUNCTIONS[name]
        self.take(")")
        return lambda item: isinstance(text := read(item), str) and test(text, value)

    def collection(self, word: str) -> Predicate:
        path = word.split("/")[:-1]
        read, test = _reader_raw(path), any if word.endswith("/any") else all
        self.take("(")
        variable = self.take()[1]
        self.take(":")
        self.variables[variable] = path[0]
        inner = self.either()
        del self.variables[variable]
        self.take(")")
        return lambda item: test(inner(part) for part in read(item) or ())

    def count(self, word: str) -> Predicate:
        path = word.split("/")[:-1]
        self.support(path[0], "$count")
        self.advanced = self.advanced or "$count"
        read = _reader_raw(path)
        compare = _COMPARE[self.take("eq", "ne")[1]]
        if self.literal() != 0:
            self.fail()
        return lambda item: compare(len(read(item) or ()), 0)


def _getter_or_self(path: list[str]) -> Callable[[Any], Any]:
    return _getter(path) if path else _fold


def _reader_raw(path: list[str]) -> Callable[[Any], Any]:
    def read(item: Any) -> Any:
        for name in path:
            item = item.get(name) if isinstance(item, dict) else None
        return item

    return read


# --- pages -------------------------------------------------------------------------------------------------------------------


@dataclass
class _Query:
    select: tuple[str, ...] | None
    matches: Predicate | None
    order: tuple[str, bool] | None
    top: int
    start: int
    count: bool


def _parse(call: Call, kind: str, default_top: int, max_top: int) -> _Query:
    query = call.query
    if unknown := {name for name in query if name.startswith("$")} - {"$select", "$filter", "$top", "$count", "$orderby", "$skiptoken"}:
        _refuse(f"Query option '{sorted(unknown)[0]}' is not supported here.", "BadRequest")
    eventual = call.headers.get("consistencylevel", "").lower() == "eventual"
    count = query.get("$count", "").lower() == "true"
    matches = order = needs = None
    if query.get("$filter"):
        parser = _Parser(kind, query["$filter"])
        matches, needs = parser.parse(), parser.advanced
    if query.get("$orderby"):
        name, _, direction = query["$orderby"].strip().partition(" ")
        if name not in _ORDERS.get(kind, "").split() or direction.strip() not in ("", "asc", "desc"):
            _refuse(f"Sorting by '{query['$orderby']}' is not supported for this resource.")
        order = (name, direction.strip() == "desc")
        if matches and kind in _ADVANCED_KINDS:
            needs = needs or "$orderby"
    if needs and kind in _ADVANCED_KINDS and not (eventual and count):
        _refuse(
            f"Operator '{needs}' is not supported because the required parameters might be missing. Try adding $count=true query "
            "parameter and ConsistencyLevel:eventual header. Refer to https://aka.ms/graph-docs/advanced-queries for more information"
        )
    top_text = query.get("$top", str(default_top))
    if not top_text.isdigit() or not 1 <= int(top_text) <= max_top:
        _refuse(f"Invalid page size specified: '{top_text}'. Must be between 1 and {max_top} inclusive.")
    start = 0
    if "$skiptoken" in query:
        try:
            start = json.loads(base64.urlsafe_b64decode(query["$skiptoken"]))["at"]
        except (ValueError, KeyError, TypeError):
            _refuse("Skip token is invalid.", "Directory_ExpiredPageToken")
    return _Query(
        select=select(query, kind, call.graph.contract.models),
        matches=matches,
        order=order,
        top=int(top_text),
        start=start,
        count=count and (eventual or kind not in _ADVANCED_KINDS),
    )


def _next_link(call: Call, at: int) -> str:
    token = base64.urlsafe_b64encode(json.dumps({"at": at}).encode()).decode()
    query = {name: value for name, value in call.query.items() if name != "$skiptoken"} | {"$skiptoken": token}
    return f"{call.url}{call.path}?{urllib.parse.urlencode(query, safe='$,', quote_via=urllib.parse.quote)}"


def page(call: Call, kind: str, rows: Table | list[Object], default_top: int = 100, max_top: int = 999) -> Answer:
    """A page. Its place is an index in an order that only grows, so nothing is lost or repeated while objects change."""
    query = _parse(call, kind, default_top, max_top)
    fragments: list[bytes] = []
    at = query.start
    if isinstance(rows, Table) and query.order is None:
        cache = rows.fragments.setdefault(query.select, {})
        order, end = rows.order, len(rows.order)
        while at < end and len(fragments) < query.top:
            key = order[at]
            at += 1
            item = rows.previous(key) if call.stale else rows.visible(key)
            if item is None or (query.matches and not query.matches(item)):
                continue
            fragment = None if call.stale or not rows.settled(key) else cache.get(key)
            if fragment is None:
                fragment = _fragment(call, kind, item, query)
                if not call.stale and rows.settled(key):
                    cache[key] = fragment
            fragments.append(fragment)
    else:
        items = [item for item in rows if query.matches is None or query.matches(item)]
        if query.order:
            name, descending = query.order
            items.sort(key=lambda item: (item.get(name) is not None, _fold(item.get(name))), reverse=descending)
        end = len(items)
        fragments = [_fragment(call, kind, item, query) for item in items[at : at + query.top]]
        at += len(fragments)
    head: dict[str, Any] = {"@odata.context": f"{call.url}/$metadata#{kind}"}
    if query.count and "$skiptoken" not in call.query:
        head["@odata.count"] = sum(1 for item in rows if query.matches is None or query.matches(item))
    if at < end:
        head["@odata.nextLink"] = _next_link(call, at)
    call.graph.check_answer(f"schema:{kind}CollectionResponse", head | {"value": []}, call.operation)
    body = encode(head)[:-1] + b',"value":[' + b",".join(fragments) + b"]}"
    return Answer(200, body)


def _fragment(call: Call, kind: str, item: Object, query: _Query) -> bytes:
    shown = view(kind, item, query.select)
    call.graph.check_answer(kind, shown, call.operation)
    return encode(shown)
