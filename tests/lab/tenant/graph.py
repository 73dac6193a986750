# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph: one request from its path to its answer, and $batch.

The order of the gates is Graph's: token, quota, permission, body. Faults on demand come before all of them.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import os
import pkgutil
import re
import time
import traceback
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..company import GRAPH_APP_ID, Fixture
from . import odata, resources, throttle
from .answers import Answer, GraphError, bad_request, denied, encode, now
from .contract import Contract, Violation
from .faults import Fault, Faults
from .operation import OPERATIONS, Call, Operation
from .outside import Outside
from .settings import Settings
from .signin import SignIn
from .store import Store

for _module in pkgutil.iter_modules(resources.__path__):
    importlib.import_module(f"{resources.__name__}.{_module.name}")

#: `users('…')`, `applications(appId='…')`; a quote inside is doubled
_KEY_CALL = re.compile(r"^(\w+)\((?:(\w+)=)?'((?:[^']|'')*)'\)$")
_CAST = re.compile(r"^(?:microsoft\.)?graph\.(\w+)$", re.IGNORECASE)
#: what may be followed by /$ref, and by the name of a property
_NAVIGATED = re.compile(r"\}/\w+$")
_ENTITY = re.compile(r"^/(\w+)/\{\w+\}$")
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
VERSIONS = ("v1.0", "beta")

#: what every answer carries; the names are those of public captures of the service
_SERVED = {"Cache-Control": "no-cache", "Strict-Transport-Security": "max-age=31536000"}
_SERVER = {"DataCenter": "Japan East", "Slice": "E", "Ring": "3", "ScaleUnit": "000", "RoleInstance": "LAB"}
_DIAGNOSTIC = json.dumps({"ServerInfo": _SERVER}, separators=(",", ":"))
_JSON = "application/json;odata.metadata={};odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_BATCH = "/$batch"
_BATCH_LIMIT = 20


class Drop(Exception):
    """The connection is to be cut without an answer."""


@dataclass
class Incoming:
    """A request as it came; `path` starts after the version and is still percent-encoded; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes | dict[str, Any] | None
    base: str
    batch: str | None = None
    version: str = "v1.0"

    @property
    def whole_path(self) -> str:
        return f"/{self.version}{self.path}"


@dataclass
class Route:
    """Where a path leads: the operation, its parameters, and what of `Call` the end of the path has set."""

    operation: Operation
    params: dict[str, str]
    ending: dict[str, Any]


class RequestLog:
    """Every request served, one JSON line each."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lines: list[bytes] = []
        self._log = open(file, "ab", buffering=0)  # noqa: SIM115 - open as long as the tenant

    def add(self, **entry: Any) -> None:
        self._lines.append(encode({"time": now(), **entry}))

    def flush(self) -> None:
        if self._lines:
            self._log.write(b"\n".join(self._lines) + b"\n")
            self._lines.clear()

    def clear(self) -> None:
        self._lines.clear()
        os.truncate(self.file, 0)

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]


def _tree() -> dict[str, Any]:
    """Operations by path segment, folded: Graph does not mind their case. `{}` stands for any one segment, `` holds the operations by method."""
    root: dict[str, Any] = {}
    for item in OPERATIONS:
        node = root
        for segment in item.path.strip("/").split("/"):
            node = node.setdefault("{}" if segment.startswith("{") else segment.casefold(), {})
        node.setdefault("", {})[item.method] = item
    return root


class Graph:
    """The service over one store."""

    def __init__(self, store: Store, folder: Path, settings: Settings | None = None) -> None:
        self.store = store
        self._defaults = settings or Settings()
        self.settings = replace(self._defaults)
        self.faults = Faults()
        self.outside = Outside()
        self.contract = Contract()
        self.signin = SignIn(store, folder)
        self.log = RequestLog(folder / "requests.jsonl")
        self.throttle = throttle.Throttle(len(store.tables["users"].objects))
        self._tree = _tree()
        #: counts resets: a request that a fault holds back ends with the state it was meant for
        self._life = 0

    def reset(self, users: int = 0, seeded: str = "blocked") -> None:
        """Everything back to the fixture: objects, faults, settings, what lies outside, quotas, request log."""
        self._life += 1
        self.store.reset(Fixture(users=users, seeded=seeded))
        self.settings = replace(self._defaults)
        self.faults.clear()
        self.outside = Outside()
        self.contract.violations.clear()
        self.log.clear()
        self.throttle = throttle.Throttle(len(self.store.tables["users"].objects))

    def later(self, delay: float, work: Callable[[], Any]) -> None:
        """Something that Graph does after it has answered; not where the tenant was reset meanwhile."""
        if delay <= 0:
            work()
            return
        life = self._life

        def do() -> None:
            if life == self._life:
                work()
                self.store.flush()

        asyncio.get_running_loop().call_later(delay, do)

    def check_answer(self, kind: str, value: Any, operation: Operation) -> None:
        if self.settings.contract:
            self.contract.check(kind, value, f"answer to {operation.method} {operation.path}")

    # --- routing ---------------------------------------------------------------------------------------------------------

    def _route(self, method: str, path: str) -> Route:
        node, values = self._tree, []
        ending: dict[str, Any] = {}

        def step(part: str, named: bool = False) -> None:
            """One segment further; a key in parentheses is `named`."""
            nonlocal node
            fold = part.casefold().removesuffix("()")
            action = fold.removeprefix("microsoft.graph.")  # actions and functions may be called by their full names
            read = node.get("", {}).get("GET")
            if not named and method == "GET" and fold == "$ref" and read and _NAVIGATED.search(read.path) and not ending:
                ending["referring"] = True
            elif not named and fold in node and part and not ending:
                node = node[fold]
            elif not named and action in node and part and not ending:
                node = node[action]
            elif not named and read and (more := self._ending(read, part, fold, ending)):
                ending.update(more)
            elif "{}" in node and not ending and (named or not part.startswith("$")):
                # `/users/$name` goes against OData, which keeps `$` for itself: 400. A name that begins so is `/users('$name')`.
                # learn.microsoft.com/graph/api/user-get, "Properties"
                node = node["{}"]
                values.append(part.lower() if _GUID.fullmatch(part) else part)
            else:
                bad_request(f"Resource not found for the segment '{part}'.", "BadRequest")

        segments = path.strip("/").split("/")
        if segments[0].casefold() == "myorganization":  # an old name of the root, which CLI for Microsoft 365 still uses
            segments = segments[1:]
        for raw in segments:
            segment = urllib.parse.unquote(raw)
            if call := _KEY_CALL.match(segment):
                key = call[3].replace("''", "'")
                step(call[1])
                step(f"{call[2]}={key}" if call[2] else key, named=True)
            else:
                step(segment)
        operations = node.get("", {})
        if not operations:
            bad_request(f"Resource not found for the segment '{path.rsplit('/', 1)[-1]}'.", "BadRequest")
        if method not in operations or (method != "GET" and ending):
            raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        operation = operations[method]
        names = [segment[1:-1] for segment in operation.path.split("/") if segment.startswith("{")]
        return Route(operation, dict(zip(names, values, strict=True)), ending)

    def _ending(self, read: Operation, part: str, fold: str, before: dict[str, Any]) -> dict[str, Any]:
        """What a segment makes of the object or the list that stands before it; nothing where it is no ending."""
        if fold == "$count" and before.keys() <= {"cast"}:
            return {"counting": True}
        if fold == "$value" and before.keys() == {"property_name"}:
            return {"raw": True}
        if before:
            return {}
        if found := _CAST.match(part):
            return {"cast": found[1]}
        entity = _ENTITY.match(read.path)
        kind = entity and odata.KINDS.get(entity[1])
        # in Graph's own case: learn.microsoft.com/graph/traverse-the-graph
        name = {name.casefold(): name for name in self.contract.models.fields(kind)}.get(fold) if kind else None
        return {"property_name": name} if name else {}

    # --- one request -----------------------------------------------------------------------------------------------------

    async def serve(self, incoming: Incoming) -> Answer:
        """Answer a request that came on its own. Raises Drop when a fault cuts the connection."""
        life = self._life
        if self.settings.latency:
            await asyncio.sleep(self.settings.latency)
        if life != self._life:
            raise Drop
        try:
            if incoming.path.casefold() == _BATCH:
                return await self._with_fault(incoming, self._batch)
            return await self._with_fault(incoming, self._answer)
        finally:
            self.store.flush()
            self.log.flush()

    async def _with_fault(self, incoming: Incoming, answer: Any) -> Answer:
        """Run a request through the faults, then log it."""
        request_id, life = str(uuid.uuid4()), self._life
        fault = self.faults.hit(incoming.method, incoming.whole_path, incoming.batch is not None) if self.faults.rules else None
        dropped, result = False, None
        notes: dict[str, Any] = {}
        try:
            if fault is None:
                result = await answer(incoming, None, notes)
            else:
                result = await self._faulty(fault, incoming, answer, notes)
        except Drop:
            dropped = True
            raise
        except GraphError as error:
            result = self._error(error, incoming, request_id)
        except Violation as error:
            result = self._error(GraphError(500, "LabContractViolation", f"lab: contract violation: {error}"), incoming, request_id)
        except Exception as error:
            # A fault of the lab's own must fail the test that met it, not only the client.
            traceback.print_exc()
            self.contract.violations.append(f"lab: error in {incoming.method} {incoming.path}: {error!r}")
            result = self._error(GraphError(500, "LabError", f"lab: error: {error!r}"), incoming, request_id)
        finally:
            if life == self._life:  # what a fault held back over a reset belongs to the log that is gone
                self.log.add(
                    method=incoming.method,
                    path=f"{incoming.whole_path}{'?' + incoming.query if incoming.query else ''}",
                    status=None if dropped or result is None else result.status,
                    write=incoming.method != "GET" and incoming.path.casefold() != _BATCH,
                    app_id=notes.get("app_id"),
                    batch=incoming.batch,
                    request_id=request_id,
                    **({"fault": fault.id} if fault else {}),
                )
        return self._dressed(result, incoming, request_id, notes.get("headers", {}))

    @staticmethod
    def _dressed(result: Answer, incoming: Incoming, request_id: str, more: dict[str, str]) -> Answer:
        """With the headers that Graph sends. `odata.metadata=none` in Accept takes the annotations away:
        learn.microsoft.com/graph/best-practices-concept and OData JSON 4.01, 3.1.3."""
        headers = {
            **_SERVED,
            "request-id": request_id,
            "client-request-id": incoming.headers.get("client-request-id", request_id),
            "x-ms-ags-diagnostic": _DIAGNOSTIC,
            **more,
            **result.headers,
        }
        body = result.body
        if result.status < 400:
            headers["OData-Version"] = "4.0"
        if body and "Content-Type" not in headers:
            bare = "odata.metadata=none" in incoming.headers.get("accept", "").lower()
            headers["Content-Type"] = "application/json" if result.status >= 400 else _JSON.format("none" if bare else "minimal")
            if bare and result.status < 400:
                body = encode(_bare(json.loads(body)))
        return Answer(result.status, body, headers)

    async def _faulty(self, fault: Fault, incoming: Incoming, answer: Any, notes: dict[str, Any]) -> Answer:
        result = await answer(incoming, fault, notes) if fault.applied else None
        if fault.delay:
            life = self._life
            await asyncio.sleep(fault.delay)
            if life != self._life:
                raise Drop
        if result is None and not (fault.drop or fault.status):
            result = await answer(incoming, fault, notes)
        if fault.drop:
            raise Drop
        if fault.status:
            headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
            raise GraphError(fault.status, fault.code or _fault_code(fault.status), fault.message, headers)
        assert result is not None
        if fault.next_link and result.body:
            result = replace(result, body=encode(json.loads(result.body) | {"@odata.nextLink": fault.next_link}))
        if fault.half and result.body:
            responses = json.loads(result.body)["responses"]
            result = replace(result, body=encode({"responses": responses[: len(responses) // 2]}))
        return result

    async def _answer(self, incoming: Incoming, fault: Fault | None, notes: dict[str, Any]) -> Answer:
        if incoming.path.strip("/").partition("/")[0].casefold() == "me":
            notes["app_id"] = self.signin.caller(incoming.headers.get("authorization")).app_id
            bad_request("/me request is only valid with delegated authentication flow.", "BadRequest")
        route = self._route(incoming.method, incoming.path)
        operation = route.operation
        caller = self.signin.caller(incoming.headers.get("authorization"))
        notes["app_id"] = caller.app_id
        query = _options(incoming.query)
        if "property_name" in route.ending:
            if query:
                bad_request("Query options are not supported for a single property.", "BadRequest")
            query = {"$select": route.ending["property_name"]}
        self._pay(operation, caller.app_id, query, notes)
        by_person = operation.delegated and self.settings.delegated
        if not by_person and caller.permissions.isdisjoint(operation.permissions):
            denied()
        call = Call(
            graph=self,
            caller=caller,
            operation=operation,
            params=route.params,
            query=query,
            headers=incoming.headers,
            body=self._body(incoming, operation),
            url=f"{incoming.base}/{incoming.version}",
            path=incoming.path,
            stale=fault is not None and fault.stale,
            **route.ending,
        )
        self.store.delay = self.settings.visibility_delay
        self.store.forgetful = fault is not None and fault.forgotten
        return operation.handler(call)

    def _pay(self, operation: Operation, app_id: str, query: dict[str, str], notes: dict[str, Any]) -> None:
        units = throttle.cost(operation.units, query, operation.method)
        headers = notes["headers"] = {"x-ms-resource-unit": str(units)}
        if not self.settings.throttling:
            return
        writes = int(operation.method != "GET")
        report = operation.report or odata.asks_for_activity(query)
        refusal, used = self.throttle.take(app_id, units, writes, report, self.settings.clock_scale)
        if used > 0.8:
            headers["x-ms-throttle-limit-percentage"] = f"{used:.2f}"
        if refusal is not None:
            headers |= {
                "Retry-After": str(throttle.retry_after(refusal)),
                "x-ms-throttle-scope": f"{refusal.scope}/{operation.method}/{app_id}",
                "x-ms-throttle-information": refusal.information,
            }
            raise GraphError(429, "TooManyRequests", "Please retry again later.")

    def _body(self, incoming: Incoming, operation: Operation) -> Any:
        body = incoming.body
        if isinstance(body, bytes):
            if not body:
                body = None
            else:
                if "json" not in incoming.headers.get("content-type", "").lower():  # media types have no case: RFC 9110, 8.3.1
                    bad_request("Write requests (excluding DELETE) must contain the Content-Type header declaration.", "BadRequest")
                try:
                    body = json.loads(body)
                except ValueError:
                    bad_request(
                        "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.", "BadRequest"
                    )
        if operation.body is None:
            return body
        if not isinstance(body, dict):
            bad_request("Empty Payload. JSON content expected.", "BadRequest")
        self._check_body(operation, body)
        return {name: value for name, value in body.items() if name != "@odata.type"}

    def _check_body(self, operation: Operation, body: dict[str, Any]) -> None:
        """400 for a property that the type does not have, or a value of another kind. A client of ours that sends one has broken Microsoft's
        description as well: that is kept with the violations."""
        assert operation.body is not None
        resource = operation.body.rpartition(":")[2].removesuffix("PostRequestBody")
        resource = resource[0].upper() + resource[1:]
        if not self.settings.contract:
            known = self.contract.models.fields(body.get("@odata.type") or operation.body)
            if unknown := next((name for name in body if "@" not in name and name not in known), None):
                bad_request(f"Property '{unknown}' does not exist as a declared property or extension property.")
            return
        try:
            self.contract.check(operation.body, body, f"body of {operation.method} {operation.path}")
        except Violation as violation:
            if violation.unknown:
                bad_request(f"Property '{violation.name}' does not exist as a declared property or extension property.")
            bad_request(f"Invalid value specified for property '{violation.name}' of resource '{resource}'.")

    def _error(self, error: GraphError, incoming: Incoming, request_id: str) -> Answer:
        inner = {
            "date": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()),
            "request-id": request_id,
            "client-request-id": incoming.headers.get("client-request-id", request_id),
        }
        body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
        headers = error.headers
        if error.status == 401:
            # as azure-core's tests of challenges have it from Graph; the address is the lab's
            place = f'authorization_uri="{incoming.base}/common/oauth2/authorize", client_id="{GRAPH_APP_ID}"'
            headers = {"WWW-Authenticate": f'Bearer realm="", {place}'} | headers
        return Answer(error.status, encode(body), headers)

    # --- $batch ----------------------------------------------------------------------------------------------------------

    async def _batch(self, incoming: Incoming, _fault: Fault | None, notes: dict[str, Any]) -> Answer:
        """Each inner request is checked, counted and logged on its own; the envelope is 200 whatever they answer."""
        if incoming.method != "POST":
            raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        notes["app_id"] = self.signin.caller(incoming.headers.get("authorization")).app_id
        requests = _inner_requests(incoming)
        batch_id = str(uuid.uuid4())
        statuses: dict[str, int] = {}
        parts: list[bytes] = []

        def refused(error: GraphError) -> Answer:
            return self._dressed(self._error(error, incoming, batch_id), incoming, batch_id, {})

        for item in requests:
            if any(statuses.get(other.casefold(), 424) >= 400 for other in item.get("dependsOn") or ()):
                result = refused(GraphError(424, "FailedDependency", "Failed Dependency"))
            else:
                path, _, query = item["url"].partition("?")
                headers = {name.lower(): value for name, value in (item.get("headers") or {}).items()}
                headers["authorization"] = incoming.headers.get("authorization", "")
                inner = Incoming(item["method"].upper(), "/" + path.lstrip("/"), query, headers, item.get("body"), incoming.base, batch_id, incoming.version)
                if inner.body is not None and "content-type" not in headers:
                    result = refused(GraphError(400, "BadRequest", "Write requests (excluding DELETE) must contain the Content-Type header declaration."))
                else:
                    result = await self._with_fault(inner, self._answer)
            statuses[item["id"].casefold()] = result.status
            parts.append(_inner_answer(item["id"], result))
        # Graph answers in no particular order; a client has to go by the ids.
        return Answer(200, b'{"responses":[' + b",".join(reversed(parts)) + b"]}")


_SYSTEM_OPTIONS = {"$select", "$filter", "$search", "$top", "$skip", "$count", "$orderby", "$expand", "$format", "$skiptoken", "$deltatoken"}


def _options(text: str) -> dict[str, str]:
    """The query options, with their `$`: learn.microsoft.com/graph/query-parameters has it as optional on beta and for some of v1.0 without
    saying which, so that none is passed over here. Each may be there once: OData 4.0, part 2, 5.1."""
    options: dict[str, str] = {}
    for given, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        name = f"${given}" if f"${given}" in _SYSTEM_OPTIONS else given
        if name in options and name in _SYSTEM_OPTIONS:
            bad_request(f"Query option '{name}' was specified more than once, but it must be specified at most once.", "BadRequest")
        options[name] = value
    return options


def _is_inner(item: Any) -> bool:
    """Whether it has the form of a request in a batch. `headers` and the like may be null."""
    headers, others = item.get("headers") or {}, item.get("dependsOn") or []
    if not isinstance(headers, dict) or not isinstance(others, list):
        return False
    return all(isinstance(text, str) for text in (item["id"], item["method"], item["url"], *headers.values(), *others))


def _inner_requests(incoming: Incoming) -> list[dict[str, Any]]:
    """The requests of a batch, or GraphError 400 when the envelope is wrong. learn.microsoft.com/graph/json-batching; ids have no case there,
    methods have none in OData JSON 4.01, 19.1."""
    try:
        requests = json.loads(incoming.body or b"")["requests"]  # type: ignore[arg-type]
        right = bool(requests) and all(_is_inner(item) for item in requests)
    except (ValueError, KeyError, TypeError, AttributeError):
        right = False
    if not right:
        bad_request("Invalid batch payload format.", "BadRequest")
    if len(requests) > _BATCH_LIMIT:
        bad_request(f"Number of batch request steps exceeds the maximum value of {_BATCH_LIMIT}.", "MaximumValueExceeded")
    ids = [item["id"].casefold() for item in requests]
    if len(set(ids)) != len(ids):
        bad_request("Batch request ids must be unique.", "BadRequest")
    needed = [{other.casefold() for other in item.get("dependsOn") or ()} for item in requests]
    for place, item in enumerate(requests):
        if item["url"].startswith(("http://", "https://")) or f"/{item['url'].lstrip('/')}".casefold().startswith(_BATCH):
            bad_request(f"Invalid batch request url '{item['url']}'.", "BadRequest")
        if needed[place] - set(ids[:place]):
            bad_request("A batch request depends on one that does not come before it.", "BadRequest")
    if any(needed) and needed[1:] != [{key} for key in ids[:-1]]:
        # github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/2339 has it as an answer; the page calls it a tip
        bad_request("Batch should be either fully sequential or fully parallel.", "BadRequest")
    return requests


def _inner_answer(key: str, answer: Answer) -> bytes:
    head = encode({"id": key, "status": answer.status, "headers": answer.headers})
    body = answer.body
    if body and "json" not in answer.headers.get("Content-Type", "json"):
        body = encode(base64.b64encode(body).decode())  # learn.microsoft.com/graph/json-batching: what is no JSON comes in base64
    return head[:-1] + b',"body":' + body + b"}" if body else head


def _bare(value: Any) -> Any:
    """Without OData's annotations, but for those that a client cannot do without."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = ("@odata.nextLink", "@odata.deltaLink", "@odata.count")
    return {name: _bare(item) for name, item in value.items() if "@odata." not in name or name in kept}


def _fault_code(status: int) -> str:
    return {
        401: "InvalidAuthenticationToken",
        403: "Authorization_RequestDenied",
        404: "Request_ResourceNotFound",
        429: "TooManyRequests",
        503: "ServiceUnavailable",
        504: "GatewayTimeout",
    }.get(status, "InternalServerError" if status >= 500 else "Request_BadRequest")
