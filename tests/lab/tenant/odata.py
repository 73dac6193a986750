# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OData as Microsoft Graph does it for directory objects: $select, $filter, $search, $orderby, $count, casts, contexts, pages.

Sources: learn.microsoft.com/graph/query-parameters, /search-query-parameter, /aad-advanced-queries, /paging; the supported $filter
operators are those that each resource's page lists. `@odata.context` as the examples of the resources' pages have it.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from .. import company
from .answers import Answer, GraphError, bad_request, encode
from .store import Object, Table

if TYPE_CHECKING:
    from .contract import Models
    from .operation import Call, Related

Predicate = Callable[[Any], bool]

_USER_DEFAULT = (
    "businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage",
    "surname", "userPrincipalName",
)  # fmt: skip
#: learn.microsoft.com/graph/api/resources/group, "Returned by default"
_GROUP_DEFAULT = (
    "classification", "createdDateTime", "deletedDateTime", "description", "displayName", "expirationDateTime", "groupTypes", "id", "isAssignableToRole",
    "mail", "mailEnabled", "mailNickname", "membershipRule", "membershipRuleProcessingState", "onPremisesDomainName", "onPremisesLastSyncDateTime",
    "onPremisesNetBiosName", "onPremisesProvisioningErrors", "onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled",
    "preferredDataLocation", "preferredLanguage", "proxyAddresses", "renewedDateTime", "securityEnabled", "securityIdentifier", "theme", "visibility",
)  # fmt: skip
#: what an object shows without $select, where that is not everything
DEFAULTS: dict[str, tuple[str, ...]] = {"user": _USER_DEFAULT, "group": _GROUP_DEFAULT}
#: what $filter knows and no answer shows: learn.microsoft.com/graph/api/group-list
_NEVER_SHOWN = {"hasMembersWithLicenseErrors"}
#: what $filter knows without the advanced query parameters only: microsoft-graph-docs-contrib#9437, which has the text
_NEVER_ADVANCED = {"hasMembersWithLicenseErrors"}

_STRING = "eq ne not ge le in startsWith"
_FLAG = "eq ne not in"
#: kind → property → operators of $filter; "$count" is the test for an empty collection
_FILTERS: dict[str, dict[str, str]] = {
    "detectedApp": {"displayName": "eq"},  # Intune documents no operators; scripts of many use this one
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
        "signInActivity": "eq ne not ge le",
        "assignedLicenses": "eq not $count",
        "businessPhones": "eq not ge le startsWith",
        "otherMails": "eq not ge le startsWith endsWith $count",
        "proxyAddresses": "eq not ge le startsWith endsWith $count",
    },
    "group": {
        **dict.fromkeys(["displayName", "mail", "mailNickname"], _STRING),
        "description": "eq ne not ge le startsWith",
        **dict.fromkeys(["securityEnabled", "onPremisesSyncEnabled"], _FLAG),
        **dict.fromkeys(["mailEnabled", "isAssignableToRole"], "eq ne not"),
        "id": "eq in",
        "groupTypes": "eq not",
        "hasMembersWithLicenseErrors": "eq",
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
    "signIn": {
        "createdDateTime": "eq ge le gt lt",
        **dict.fromkeys(["appId", "clientAppUsed", "id", "userId"], "eq"),
        **dict.fromkeys(["appDisplayName", "userDisplayName", "userPrincipalName"], "eq startsWith"),
        "status": "eq",
    },
    "userRegistrationDetails": {
        **dict.fromkeys(["userPrincipalName", "userDisplayName"], "eq startsWith"),
        **dict.fromkeys(["id", "isAdmin", "isMfaCapable", "isMfaRegistered", "isPasswordlessCapable", "userType"], "eq"),
    },
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
    "signIn": "createdDateTime",
}
#: kinds for which Graph asks for ConsistencyLevel: eventual and $count=true
_ADVANCED_KINDS = {"user", "group", "application", "servicePrincipal"}


def _refuse(message: str, code: str = "Request_UnsupportedQuery") -> NoReturn:
    bad_request(message, code)


# --- @odata.context ----------------------------------------------------------------------------------------------------------

#: the entity set that objects of a type belong to, wherever they were found; for others the path says where they are
_SETS = {
    "user": "users",
    "group": "groups",
    "domain": "domains",
    "application": "applications",
    "servicePrincipal": "servicePrincipals",
    "directoryObject": "directoryObjects",
    "directoryRole": "directoryRoles",
    "directoryRoleTemplate": "directoryRoleTemplates",
    "oAuth2PermissionGrant": "oauth2PermissionGrants",
    "subscribedSku": "subscribedSkus",
    "organization": "organization",
    "invitation": "invitations",
}


def context(call: Call, kind: str, names: tuple[str, ...] | None, *, one: bool, place: str = "") -> str:
    """`…/$metadata#users(id)/$entity`. `place` replaces what follows the `#` up to the properties."""
    place = place or _place(call, kind, one)
    selected = f"({','.join(names)})" if names else ""
    return f"{call.url}/$metadata#{place}{selected}{'/$entity' if one else ''}"


#: entity set → type
KINDS = {place: kind for kind, place in _SETS.items()}


def _place(call: Call, kind: str, one: bool) -> str:
    if kind in _SETS:
        return _SETS[kind]
    if kind == "appRoleAssignment" and not one and not call.operation.path.endswith("/appRoleAssignedTo"):
        return "appRoleAssignments"  # learn.microsoft.com/graph/api/serviceprincipal-list-approleassignments, user-list-approleassignments
    parts: list[str] = []
    for segment in call.operation.path.strip("/").split("/"):
        if segment.startswith("{"):
            parts[-1] += f"('{call.params[segment[1:-1]]}')"
        else:
            parts.append(f"microsoft.{segment}" if segment.startswith("graph.") else segment)
    if one and call.operation.path.endswith("}"):
        parts[-1] = parts[-1].partition("(")[0]
    return "/".join(parts)


# --- single objects ----------------------------------------------------------------------------------------------------------

_COLLECTION_ONLY = {"$filter", "$orderby", "$count", "$skip", "$top", "$search", "$skiptoken"}
#: what $expand brings at most: learn.microsoft.com/graph/known-issues, "Some limitations apply to query parameters"
_MOST_EXPANDED = 20
#: learn.microsoft.com/graph/api/user-list-manager
_MOST_LEVELS = 1000


#: learn.microsoft.com/graph/api/user-list: more can be asked for, and is not given
_MOST_WITH_ACTIVITY = 500


def asks_for_activity(query: dict[str, str]) -> bool:
    return any("signInActivity" in query.get(name, "") for name in ("$select", "$filter"))


def check_format(call: Call) -> None:
    if (wanted := call.query.get("$format", "json")).lower().partition(";")[0] not in ("json", "application/json"):
        _refuse(f"The value '{wanted}' of the query option '$format' is not supported.", "BadRequest")


def check_single(call: Call, kind: str) -> None:
    """400 for what a single object cannot be asked with. learn.microsoft.com/graph/api/user-get, group-get, domain-get: $select alone, and
    $expand where /graph/query-parameters has it. The service may also ignore what it does not know (known issues), which helps nobody here."""
    check_format(call)
    wanted = expansion(call, kind)
    chain = {"$count"} if wanted and wanted.levels and call.eventual else set()  # learn.microsoft.com/graph/api/user-list-manager, example 2
    for name in call.query:
        if name in _COLLECTION_ONLY - chain:
            _refuse(
                "The query specified in the URI is not valid. The requested resource is not a collection. Query options $filter, $orderby, $count, "
                "$skip, and $top can be applied only on collections.",
                "BadRequest",
            )
        if name.startswith("$") and name not in {"$select", "$expand", "$format", *chain}:
            _refuse(f"The query parameter '{name}' is not supported.", "BadRequest")


@dataclass(frozen=True)
class Expansion:
    """The one relationship that $expand asks for, and the options inside of it. `levels` is how far a chain is followed; 0 where none was named."""

    name: str
    find: Related
    select: tuple[str, ...] | None
    levels: int

    @property
    def shown(self) -> str:
        """As the context writes it."""
        return f"{self.name}({','.join(self.select or ())})"


_EXPANDED = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.DOTALL)


def expansion(call: Call, kind: str) -> Expansion | None:
    """What $expand asks for; None for nothing. Options inside of it are bound to what the relationship's page has: the same list of known issues."""
    text = call.query.get("$expand", "").strip()
    if not text:
        return None
    parts = _EXPANDED.fullmatch(text)
    name = {name.casefold(): name for owner, name in call.relationships if owner == kind}.get(parts[1].casefold() if parts else "")
    if parts is None or name is None or call.operation.method != "GET":
        _refuse(f"Could not find a property named '{text}' on type 'microsoft.graph.{kind}', or it cannot be expanded here.", "BadRequest")
    relationship = call.relationships[kind, name]
    options: dict[str, str] = {}
    for option in (parts[2] or "").split(";") if parts[2] is not None else ():
        key, _, value = option.strip().partition("=")
        if key.lower() not in relationship.options or key.lower() in options:
            _refuse(f"The query option '{key}' inside of $expand is not supported for '{name}'.", "BadRequest")
        options[key.lower()] = value
    levels = options.get("$levels")
    if levels not in (None, "max") and not (levels.isdigit() and 1 <= int(levels) <= _MOST_LEVELS):
        _refuse(f"Invalid value for '$levels': '{levels}'.", "BadRequest")
    if "$levels" in relationship.options and options.keys() == {"$select"}:
        _refuse("'$select' inside of $expand requires '$levels' here.", "BadRequest")
    if call.eventual and not levels:
        _refuse("$expand is not supported with advanced queries.", "BadRequest")
    return Expansion(
        name=name,
        find=relationship.find,
        select=select(options, "directoryObject", call.graph.contract.models),
        levels=_MOST_LEVELS if levels == "max" else int(levels or 0),
    )


def expand(call: Call, wanted: Expansion, item: Object) -> Any:
    """What the relationship of an object leads to, as it is shown."""
    value = wanted.find(call, item)
    if isinstance(value, list):
        return [view(call.graph.contract.models, "directoryObject", each, wanted.select) for each in value[:_MOST_EXPANDED]]
    return value and _chain(call, wanted, value, frozenset({item["id"]}))


def _chain(call: Call, wanted: Expansion, item: Object, below: frozenset[str]) -> Object:
    """An object with those that the same relationship leads to from there, `$levels` deep; a circle ends where it closes."""
    shown = view(call.graph.contract.models, "directoryObject", item, wanted.select)
    further = wanted.find(call, item) if len(below) < wanted.levels and item["id"] not in below else None
    return shown | {wanted.name: _chain(call, wanted, further, below | {item["id"]})} if isinstance(further, dict) else shown


# --- references and single properties ----------------------------------------------------------------------------------------


def _refers(call: Call, item: Object) -> Object:
    """The address of an object as Graph writes it, which is no path of v1.0: the examples of learn.microsoft.com/graph/tutorial-applications-basics."""
    of_type = item["@odata.type"].rpartition(".")[2]
    service = f"{call.url.rpartition('/')[0]}/v2/{company.tenant_id()}"
    return {"@odata.id": f"{service}/directoryObjects/{item['id']}/Microsoft.DirectoryServices.{of_type[0].upper()}{of_type[1:]}"}


def check_referring(call: Call, kind: str) -> None:
    """400 for /$ref where no objects of the directory stand: what is contained in another has no reference of its own."""
    if kind != "directoryObject":
        bad_request("Resource not found for the segment '$ref'.", "BadRequest")
    if unknown := {name for name in call.query if name.startswith("$")} - {"$top", "$skiptoken"}:
        _refuse(f"Query option '{sorted(unknown)[0]}' is not supported for references.", "BadRequest")


def reference(call: Call, kind: str, item: Object) -> Answer:
    """OData JSON 4.01, 14 "Entity Reference"."""
    check_referring(call, kind)
    return Answer(200, encode({"@odata.context": f"{call.url}/$metadata#$ref"} | _refers(call, item)))


def property_of(call: Call, kind: str, item: Object) -> Answer:
    """One property by its path. OData 4.01, part 1, 11.2.4: no value is 204, and so is its raw value; OData JSON 4.01, 11 has the form."""
    name, models = call.property_name, call.graph.contract.models
    read = models.fields(kind)[name][0]
    value = view(models, kind, item, (name,))[name]
    if "object" in read and name not in item and name not in (*_ALSO.get(kind, ()), *_COLLECTIONS.get(kind, ())):
        bad_request(f"Resource not found for the segment '{name}'.", "BadRequest")  # a relationship, which the tenant does not serve
    if call.raw and ("object" in read or "collection" in read):
        bad_request("The $value of a collection or of a complex property cannot be read.", "BadRequest")
    if value is None:
        return Answer(204)
    if call.raw:
        text = value if isinstance(value, str) else json.dumps(value)
        return Answer(200, text.encode(), {"Content-Type": "text/plain"})
    head = {"@odata.context": f"{call.url}/$metadata#{_SETS[kind]}('{urllib.parse.quote(item['id'])}')/{name}"}
    return Answer(200, encode(head | (value if read == "object" else {"value": value})))


# --- $select -----------------------------------------------------------------------------------------------------------------

#: what a directoryObject may be
DIRECTORY_OBJECTS = ("user", "group", "servicePrincipal", "application", "device", "orgContact", "directoryRole", "administrativeUnit")


def select(query: dict[str, str], kind: str, models: Models) -> tuple[str, ...] | None:
    """The properties asked for, each known to the type, or to a type derived from directoryObject; None when nothing was asked."""
    text = query.get("$select", "").strip()
    if not text:
        return None
    fields = {name for each in (DIRECTORY_OBJECTS if kind == "directoryObject" else (kind,)) for name in models.fields(each)}
    declared = {name.casefold(): name for name in fields}  # Graph does not mind the case, and answers in its own
    names = tuple(dict.fromkeys(declared.get(name.strip().casefold(), name.strip()) for name in text.split(",")))
    for name in names:
        if name not in fields and name != "*":
            _refuse(f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'.", "BadRequest")
    return None if "*" in names else names


def view(models: Models, kind: str, item: Object, names: tuple[str, ...] | None, whole: bool = False) -> Object:
    """What is served of an object. A property that was asked for and has no value is null, a collection empty; of a directoryObject it is
    what its own type has. `whole` is everything that the tenant keeps, for answers that show it unasked."""
    declared = item.get("@odata.type")
    if kind == "directoryObject" and declared:
        kind = declared.rpartition(".")[2]
        names = tuple(name for name in names if name in models.fields(kind)) if names is not None else None
    collections = _COLLECTIONS.get(kind, ())
    if names is None:
        names = DEFAULTS.get(kind)
        if names is None or whole:
            also: Object = {name: [] if name in collections else None for name in _ALSO.get(kind, ())}
            return also | {key: value for key, value in item.items() if not key.startswith("_")}
    shown = {"@odata.type": declared} if declared else {}
    return shown | {name: item.get(name, [] if name in collections else None) for name in names if name not in _NEVER_SHOWN}


#: properties that the tenant keeps nothing in, and that are shown all the same where everything is
_ALSO: dict[str, tuple[str, ...]] = {
    "user": (
        "ageGroup", "assignedPlans", "city", "consentProvidedForMinor", "country", "employeeId", "imAddresses", "isResourceAccount",
        "legalAgeGroupClassification", "onPremisesDistinguishedName", "onPremisesDomainName", "onPremisesProvisioningErrors",
        "onPremisesSecurityIdentifier", "onPremisesUserPrincipalName", "postalCode", "preferredDataLocation", "provisionedPlans",
        "showInAddressList", "state", "streetAddress",
    ),
    "group": (
        "classification", "expirationDateTime", "isAssignableToRole", "membershipRule", "membershipRuleProcessingState", "onPremisesDomainName",
        "onPremisesLastSyncDateTime", "onPremisesNetBiosName", "onPremisesProvisioningErrors", "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier", "preferredDataLocation", "preferredLanguage", "renewedDateTime", "securityIdentifier", "theme",
    ),
    "servicePrincipal": (
        "addIns", "applicationTemplateId", "disabledByMicrosoftStatus", "loginUrl", "logoutUrl", "notes", "notificationEmailAddresses",
        "preferredSingleSignOnMode", "tokenEncryptionKeyId",
    ),
    "application": ("addIns", "disabledByMicrosoftStatus", "groupMembershipClaims", "optionalClaims", "serviceManagementReference", "tokenEncryptionKeyId"),
    "organization": ("city", "country", "postalCode", "state", "street"),
}  # fmt: skip

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


def _time(value: Any) -> datetime | None:
    """Without an offset it is in UTC, and a date is its midnight; None when it is no time."""
    try:
        time = datetime.fromisoformat(value.upper())
    except (ValueError, AttributeError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


#: what a property may be compared with; others are text
_EDM = {
    "bool": "Edm.Boolean", "datetime": "Edm.DateTimeOffset", "date": "Edm.DateTimeOffset", "int": "Edm.Int32", "float": "Edm.Int32", "uuid": "Edm.Guid",
}  # fmt: skip
_LITERALS = {"text": "Edm.String", "guid": "Edm.Guid", "time": "Edm.DateTimeOffset", "number": "Edm.Int32"}
_OPERATORS = {
    "eq": "Equal", "ne": "NotEqual", "ge": "GreaterThanOrEqual", "le": "LessThanOrEqual", "gt": "GreaterThan", "lt": "LessThan", "in": "Equal",
}  # fmt: skip
#: learn.microsoft.com/graph/known-issues has the number, microsoft-graph-docs-contrib#1238 the text, and that it is by default only
_MOST_CLAUSES = 15


class _Parser:
    """Recursive descent over one $filter; `advanced` becomes true when it needs the advanced query rule. `free` of the limit of clauses is one
    with the advanced query parameters."""

    def __init__(self, kind: str, text: str, models: Models, free: bool, eventual: bool) -> None:
        self.kind, self.text, self.models, self.free, self.eventual = kind, text, models, free, eventual
        #: how many clauses the part just read counts for beside others with `or`
        self.width = 1
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        self.advanced: str | None = None
        self.variables: dict[str, list[str]] = {}
        self.names: set[str] = set()
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
        left, width = self.both(), self.width
        while self.peek() == "or":
            self.take()
            left = (lambda a, b: lambda item: a(item) or b(item))(left, self.both())
            width += self.width
        self.width = width
        self.check_width()
        return left

    def check_width(self) -> None:
        if self.width > _MOST_CLAUSES and not self.free:
            _refuse(
                f"Too many child clauses specified in search filter expression containing 'OR' operators: {self.width}. Max allowed: {_MOST_CLAUSES}.",
                "Request_UnsupportedQuery",
            )

    def both(self) -> Predicate:
        left = self.unary()
        while self.peek() == "and":
            self.take()
            left = (lambda a, b: lambda item: a(item) and b(item))(left, self.unary())
            self.width = 1
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
            self.support(self.variables[parts[0]][0], operator)
            return parts[1:]
        self.support(parts[0], operator)
        return parts

    def support(self, name: str, operator: str) -> None:
        self.names.add(name)
        alone = "signInActivity" in self.names and len(self.names) > 1  # learn.microsoft.com/graph/api/resources/user
        if alone or (name in _NEVER_ADVANCED and self.eventual) or operator not in _FILTERS.get(self.kind, {}).get(name, "").split():
            resource = self.kind[0].upper() + self.kind[1:]
            _refuse(f"Unsupported or invalid query filter clause specified for property '{name}' of resource '{resource}'.")

    def edm(self, word: str) -> str:
        """The type of the property behind a word, as far as Microsoft's models tell."""
        parts = word.split("/")
        path = self.variables[parts[0]] + parts[1:] if parts[0] in self.variables else parts
        kind, read = self.kind, ""
        for name in path:
            read, kind = self.models.fields(kind).get(name, ("", "")) if kind else ("", "")
        return _EDM.get(read, "Edm.String")

    def literal(self, word: str, operator: str) -> Any:
        """The value that a property is compared with. Types are not converted: learn.microsoft.com/graph/query-parameters refers to OData's
        rules, whose library on the service's side has the text."""
        edm, (kind, text) = self.edm(word), self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        found = "Edm.Boolean" if text in ("true", "false") else _LITERALS.get(kind, edm)
        if found != edm:
            _refuse(
                f"Invalid filter clause: A binary operator with incompatible types was detected. Found operand types '{edm}' and '{found}' for operator "
                f"kind '{_OPERATORS[operator]}'.",
                "BadRequest",
            )
        return self.value() if edm != "Edm.DateTimeOffset" else self.moment()

    def moment(self) -> datetime | None:
        kind, text = self.take()
        value = _time(text)
        if (kind, value) == ("time", None) or (kind != "time" and text != "null"):
            self.fail()
        return value

    def value(self) -> Any:
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
        self.width = 1
        if word.endswith(("/any", "/all")):
            return self.collection(word)
        if word.endswith("/$count"):
            return self.count(word)
        operator = self.take("eq", "ne", "ge", "le", "gt", "lt", "in")[1]
        plain = _getter_or_self(self.resolve(word, operator))
        read = (lambda item: _time(plain(item))) if self.edm(word) == "Edm.DateTimeOffset" else plain
        if operator == "in":
            self.take("(")
            values = [self.literal(word, operator)]
            while self.peek() == ",":
                self.take()
                values.append(self.literal(word, operator))
            self.take(")")
            self.width = len(values)
            self.check_width()
            return lambda item: read(item) in values
        if operator == "eq" and not self.free and self.at < len(self.tokens) and len(self.tokens[self.at][1].replace("''", "'")) > 2 + 120:
            # developer.microsoft.com/graph/known-issues: the value to match has 120 characters at most, without the advanced query parameters
            _refuse(f"Unsupported or invalid query filter clause specified for property '{word}'.")
        if operator == "ne":
            self.advanced = self.advanced or "ne"
        value, compare = self.literal(word, operator), _COMPARE[operator]
        return lambda item: compare(read(item), value)

    def function(self, name: str) -> Predicate:
        self.take()
        if name == "endswith":
            self.advanced = "endsWith"
        self.width = 1
        self.take("(")
        read = _getter_or_self(self.path({"startswith": "startsWith", "endswith": "endsWith"}[name]))
        self.take(",")
        if self.tokens[self.at : self.at + 1] and self.tokens[self.at][0] != "text":
            _refuse(f"Invalid filter clause: No function signature for the function with name '{name}' matches the specified arguments.", "BadRequest")
        value, test = self.value(), _FUNCTIONS[name]
        self.take(")")
        return lambda item: isinstance(text := read(item), str) and test(text, value)

    def collection(self, word: str) -> Predicate:
        path = word.split("/")[:-1]
        read, test = _reader_raw(path), any if word.endswith("/any") else all
        self.take("(")
        variable = self.take()[1]
        self.take(":")
        self.variables[variable] = path
        inner = self.either()
        del self.variables[variable]
        self.take(")")
        self.width = 1
        return lambda item: test(inner(part) for part in read(item) or ())

    def count(self, word: str) -> Predicate:
        path = word.split("/")[:-1]
        self.support(path[0], "$count")
        self.advanced = self.advanced or "$count"
        read = _reader_raw(path)
        compare = _COMPARE[self.take("eq", "ne")[1]]
        if self.value() != 0:
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


# --- $search -----------------------------------------------------------------------------------------------------------------

#: properties that $search looks at; in those of `_TOKENS` it finds words and parts of words, in the others how they begin
_SEARCHED = {
    "user": "displayName givenName surname mail mailNickname userPrincipalName otherMails proxyAddresses",
    "group": "displayName description mail mailNickname proxyAddresses",
    "application": "displayName appId identifierUris",
    "servicePrincipal": "displayName appId servicePrincipalNames",
}
_TOKENS = {"displayName", "description"}
_CLAUSE = re.compile(r'\s*(?:(?P<word>AND|OR)\b|(?P<mark>[()])|"(?P<name>\w+):(?P<text>(?:[^"\\]|\\.)*)")')


def _words(text: str) -> set[str]:
    """As learn.microsoft.com/graph/search-query-parameter cuts names: at what is no letter or digit, and where small meets great."""
    return {text.casefold(), *(word.casefold() for word in re.findall(r"[^\W_]+", text)), *(word.casefold() for word in re.findall(r"[A-Z]?[^\W_A-Z]+", text))}


def _search(kind: str, text: str) -> Predicate:
    """The predicate of one $search. Clauses bind as in $filter: AND before OR."""
    clauses: list[tuple[str, str, str]] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        found = _CLAUSE.match(text, position)
        if found is None:
            _refuse(f"Syntax error: character '{text[position]}' is not valid at position {position} in '{text}'.", "BadRequest")
        clauses.append((found["word"] or found["mark"] or "clause", found["name"] or "", re.sub(r"\\(.)", r"\1", found["text"] or "")))
        position = found.end()

    def take() -> tuple[str, str, str]:
        return clauses.pop(0) if clauses else _refuse(f"Invalid search clause: {text}", "BadRequest")

    def single() -> Predicate:
        what, name, wanted = take()
        if what == "(":
            inner = either()
            if take()[0] != ")":
                _refuse(f"Invalid search clause: {text}", "BadRequest")
            return inner
        if what != "clause" or name not in _SEARCHED.get(kind, "").split():
            _refuse(f"Unsupported property filter clause operator for '{name or what}' in $search.")
        return _searches(name, wanted.casefold())

    def both() -> Predicate:
        left = single()
        while clauses and clauses[0][0] == "AND":
            take()
            left = (lambda a, b: lambda item: a(item) and b(item))(left, single())
        return left

    def either() -> Predicate:
        left = both()
        while clauses and clauses[0][0] == "OR":
            take()
            left = (lambda a, b: lambda item: a(item) or b(item))(left, both())
        return left

    result = either()
    if clauses:
        _refuse(f"Invalid search clause: {text}", "BadRequest")
    return result


def _searches(name: str, wanted: str) -> Predicate:
    def found(item: Any) -> bool:
        value = item.get(name)
        values = value if isinstance(value, list) else [value] if value else []
        if name in _TOKENS:
            parts = {word for text in values for word in _words(text)}
            return all(any(part.startswith(word) for part in parts) for word in wanted.split() or [wanted])
        return any(text.casefold().startswith(wanted) for text in values)

    return found


# --- pages -------------------------------------------------------------------------------------------------------------------


#: learn.microsoft.com/graph/query-parameters, "OData system query options"; of the forms that $format can ask for the service has one
_OPTIONS = {"$select", "$filter", "$search", "$top", "$count", "$orderby", "$skiptoken", "$expand", "$format"}


@dataclass
class _Query:
    select: tuple[str, ...] | None
    matches: Predicate | None
    order: tuple[str, bool] | None
    top: int
    start: int
    count: bool
    expand: Expansion | None


def _parse(call: Call, kind: str, default_top: int, max_top: int) -> _Query:
    query = call.query
    if unknown := {name for name in query if name.startswith("$")} - _OPTIONS:
        _refuse(f"Query option '{sorted(unknown)[0]}' is not supported here.", "BadRequest")
    check_format(call)
    eventual = call.eventual
    count = query.get("$count", "").lower() == "true"
    matches = order = needs = None
    if query.get("$filter"):
        parser = _Parser(kind, query["$filter"], call.graph.contract.models, eventual and count, eventual)
        matches, needs = parser.parse(), parser.advanced
    if query.get("$orderby"):
        name, _, direction = query["$orderby"].strip().partition(" ")
        deleted = name == "deletedDateTime" and call.operation.path.startswith("/directory/deletedItems")
        if deleted:  # learn.microsoft.com/graph/api/directory-deleteditems-list, example 2
            needs = needs or "$orderby"
        if not (deleted or name in _ORDERS.get(kind, "").split()) or direction.strip() not in ("", "asc", "desc"):
            _refuse(f"Sorting by '{query['$orderby']}' is not supported for this resource.")
        order = (name, direction.strip() == "desc")
        if matches and kind in _ADVANCED_KINDS:
            needs = needs or "$orderby"
    if needs and kind in _ADVANCED_KINDS and not (eventual and count):
        _refuse(
            f"Operator '{needs}' is not supported because the required parameters might be missing. Try adding $count=true query "
            "parameter and ConsistencyLevel:eventual header. Refer to https://aka.ms/graph-docs/advanced-queries for more information"
        )
    if query.get("$search"):
        if kind not in _SEARCHED:
            _refuse("Query option '$search' is not supported for this resource.", "BadRequest")
        if not eventual:
            _refuse("Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'")
        searched, filtered = _search(kind, query["$search"]), matches
        matches = searched if filtered is None else lambda item: searched(item) and filtered(item)
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
        top=min(int(top_text), _MOST_WITH_ACTIVITY if asks_for_activity(query) else max_top),
        start=start,
        count=count and (eventual or kind not in _ADVANCED_KINDS),
        expand=expansion(call, kind),
    )


def _next_link(call: Call, at: int) -> str:
    token = base64.urlsafe_b64encode(json.dumps({"at": at}).encode()).decode()
    query = {name: value for name, value in call.query.items() if name != "$skiptoken"} | {"$skiptoken": token}
    return f"{call.url}{call.path}?{urllib.parse.urlencode(query, safe='$,', quote_via=urllib.parse.quote)}"


def page(call: Call, kind: str, rows: Table | list[Object], default_top: int = 100, max_top: int = 999) -> Answer:
    """A page, or for /$count the number alone. A page's place is an index in an order that only grows, so nothing is lost or repeated while
    objects change."""
    if call.cast:
        kind, rows = _cast(call, kind, rows)
    if call.referring:
        check_referring(call, kind)
    query = _parse(call, kind, default_top, max_top)
    if call.counting:
        if kind in (*_ADVANCED_KINDS, "directoryObject") and not call.eventual:
            bad_request("$count is not currently supported.")
        number = sum(1 for item in rows if query.matches is None or query.matches(item))
        return Answer(200, str(number).encode(), {"Content-Type": "text/plain"})
    fragments: list[bytes] = []
    at = query.start
    if isinstance(rows, Table) and query.order is None and not query.expand:
        cache = rows.fragments.setdefault((query.select, call.beta), {})
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
    names = (*(query.select or ()), query.expand.shown) if query.expand else query.select
    head: dict[str, Any] = {"@odata.context": f"{call.url}/$metadata#Collection($ref)" if call.referring else context(call, kind, names, one=False)}
    if query.count and "$skiptoken" not in call.query:
        head["@odata.count"] = sum(1 for item in rows if query.matches is None or query.matches(item))
    if at < end:
        head["@odata.nextLink"] = _next_link(call, at)
    call.graph.check_answer(f"schema:{kind}CollectionResponse", head | {"value": []}, call.operation)
    body = encode(head)[:-1] + b',"value":[' + b",".join(fragments) + b"]}"
    return Answer(200, body)


def delta(call: Call, kind: str, table: str, size: int = 100) -> Answer:
    """All objects, page by page, then only what has changed since: learn.microsoft.com/graph/delta-query-overview."""
    rows, query = call.table(table), call.query
    if unknown := {name for name in query if name.startswith("$")} - {"$select", "$deltatoken", "$skiptoken"}:
        _refuse(f"Query option '{sorted(unknown)[0]}' is not supported for delta queries here.", "BadRequest")
    names = select(query, kind, call.graph.contract.models)
    token = query.get("$skiptoken") or query.get("$deltatoken")
    state: dict[str, Any] = {"at": 0, "since": None, "until": rows.changes}
    if token == "latest":
        state["at"] = len(rows.order)
    elif token:
        try:
            state |= json.loads(base64.urlsafe_b64decode(token))
        except (ValueError, TypeError):
            _refuse("Delta token is invalid.", "Directory_ExpiredPageToken")
        if (state["since"] or 0) > rows.changes:  # from before a reset
            raise GraphError(410, "SyncStateNotFound", "The sync state generation is not found; begin anew without a token.")
    found: list[Object] = []
    while state["at"] < len(rows.order) and len(found) < size:
        key = rows.order[state["at"]]
        state["at"] += 1
        if state["since"] is not None and rows.changed_at.get(key, 0) <= state["since"]:
            continue
        item = rows.visible(key)
        if item is not None:
            found.append(view(call.graph.contract.models, kind, item, ("id", *(name for name in names if name != "id")) if names else None, whole=call.beta))
        elif state["since"] is not None:
            kept = f"deleted_{table}" in call.store.tables and key in call.table(f"deleted_{table}").objects
            found.append({"id": key, "@removed": {"reason": "changed" if kept else "deleted"}})
    left = state["at"] < len(rows.order)
    after = state if left else {"at": 0, "since": state["until"]}
    link = base64.urlsafe_b64encode(json.dumps(after).encode()).decode()
    others = {name: value for name, value in query.items() if name not in ("$skiptoken", "$deltatoken")}
    options = urllib.parse.urlencode({**others, "$skiptoken" if left else "$deltatoken": link}, safe="$,", quote_via=urllib.parse.quote)
    head = {"@odata.context": context(call, kind, names, one=False), "@odata.nextLink" if left else "@odata.deltaLink": f"{call.url}{call.path}?{options}"}
    return Answer(200, encode(head | {"value": found}))


def _cast(call: Call, kind: str, rows: Table | list[Object]) -> tuple[str, list[Object]]:
    """Only the objects of the type that the path ends with. Plain casts are not bound to the advanced query parameters: public clients,
    CLI for Microsoft 365 among them, list `members/microsoft.graph.user` without."""
    cast = {name.casefold(): name for name in DIRECTORY_OBJECTS}.get((call.cast or "").casefold())
    if kind != "directoryObject" or cast is None:
        bad_request(f"Resource not found for the segment 'microsoft.graph.{call.cast}'.", "BadRequest")
    wanted = f"#microsoft.graph.{cast}"
    return cast, [{name: value for name, value in item.items() if name != "@odata.type"} for item in rows if item.get("@odata.type") == wanted]


def _fragment(call: Call, kind: str, item: Object, query: _Query) -> bytes:
    if call.referring:
        return encode(_refers(call, item))
    shown = view(call.graph.contract.models, kind, item, query.select, whole=call.beta)
    if query.expand and (found := expand(call, query.expand, item)) is not None:
        shown |= {query.expand.name: found}
    call.graph.check_answer(kind, shown, call.operation)
    return encode(shown)
