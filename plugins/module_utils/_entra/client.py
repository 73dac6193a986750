# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph for the modules: sign-in, single requests, streamed lists, batches at the speed of the quota.

msgraph-sdk signs in, builds and carries the requests; bodies stay bytes and dicts, because its typed models cost some 4 ms of
CPU a user (github.com/microsoftgraph/msgraph-sdk-python issues 584 and 904), lack the federation casts, and send null by the wrong name.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email.utils
import gc
import json
import re
import ssl
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from .._core.errors import OffboardError
from . import permissions
from .pacer import REPORT_QUOTA, TENANT_WRITE_QUOTA, UNIT_QUOTA, WRITE_QUOTA, TokenBucket

try:
    import httpx
    from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError
    from azure.identity import (
        AzureCliCredential,
        CertificateCredential,
        ClientSecretCredential,
        CredentialUnavailableError,
        ManagedIdentityCredential,
        WorkloadIdentityCredential,
    )
    from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
    from kiota_abstractions.method import Method
    from kiota_abstractions.native_response_handler import NativeResponseHandler
    from kiota_abstractions.request_information import RequestInformation
    from kiota_authentication_azure.azure_identity_access_token_provider import AzureIdentityAccessTokenProvider
    from kiota_http.middleware.options import ResponseHandlerOption

    # The SDK's own adapter without its 16,741 model files: `import msgraph` would read the generated client as well.
    from msgraph_core import BaseGraphRequestAdapter

    SDK_IMPORT_ERROR: ImportError | None = None
except ImportError as exc:  # reported by the modules through runner.require
    SDK_IMPORT_ERROR = exc

#: cloud: (Microsoft Graph, sign-in service); https://learn.microsoft.com/graph/deployments
CLOUDS = {
    "global": ("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "us_gov_l4": ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "us_gov_l5": ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    "china": ("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}

PAGE_SIZE = 999  # the most that Graph gives; https://learn.microsoft.com/graph/paging
BATCH_SIZE = 20  # the most that $batch takes; https://learn.microsoft.com/graph/json-batching
IN_FLIGHT = 8  # batches on their way at once: fills the quota at any latency up to 8 s, and httpx slows down beyond

#: Seconds. A longer Retry-After is an error that says so: a task that silently sleeps for an hour looks dead.
MAX_RETRY_AFTER = 900
_CONNECT_TIMEOUT, _ANSWER_TIMEOUT = 30.0, 100.0
_ATTEMPTS = 6
_TOKEN_MARGIN = 300  # seconds of life that a token must have left to be used
_WORTH_CHANGING = 0.1  # seconds by which another application must be sooner: each change gains so much, so changes come to an end

_T = TypeVar("_T")


class GraphError(OffboardError):
    """Microsoft Graph refused. `status` is the HTTP status, `graph_code` the error code of the body."""

    def __init__(self, msg: str, *, code: str, status: int = 0, graph_code: str = "", request_id: str = "") -> None:
        facts = {"status": status, "graph_code": graph_code, "request_id": request_id}
        super().__init__(msg, code=code, details={name: value for name, value in facts.items() if value})
        self.status = status
        self.graph_code = graph_code


class SignInFailed(GraphError):
    """The sign-in service gives the application no token."""


class AnswerLost(GraphError):
    """A write was sent, and whether it was carried out is not known. Read before writing again."""


@dataclass(frozen=True)
class Connection:
    """How to reach Graph; the module options of the same names. Quotas are (requests, seconds)."""

    tenant_id: str
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    client_certificate_path: str | None = None
    client_certificate_password: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    credential: str = "auto"
    cloud: str = "global"
    graph_url: str | None = None
    authority: str | None = None
    ca_file: str | None = None
    write_quota: tuple[int, float] = WRITE_QUOTA
    tenant_write_quota: tuple[int, float] = TENANT_WRITE_QUOTA

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        """From a module's options. Raises OffboardError when they contradict each other."""
        quotas = {"write_quota", "tenant_write_quota"}
        given = {name: params[name] for name in cls.__dataclass_fields__ if params.get(name) is not None}
        made = cls(**{name: _quota(name, value) if name in quotas else value for name, value in given.items()})
        for option in ("graph_url", "authority"):
            value = getattr(made, option)
            try:
                scheme = urllib.parse.urlsplit(value or "https:").scheme
            except ValueError as exc:
                raise OffboardError(f"{option} is {value!r}, which is not an address ({exc})", code="bad_option") from exc
            if scheme != "https":
                raise OffboardError(f"{option} is {value!r}, but only https is allowed: a token must not travel in clear", code="bad_option")
        return made

    def further(self, applications: Iterable[Mapping[str, Any]]) -> list[Connection]:
        """The same tenant by other app registrations; items of the option `applications`. Raises OffboardError `bad_option`."""
        own = ("client_id", "client_secret", "client_certificate_path", "client_certificate_password")
        made = [replace(self, access_token=None, credential="auto", **{name: item.get(name) for name in own}) for item in applications]
        known = {(self.client_id or "").casefold()}
        for connection in made:
            client_id = (connection.client_id or "").casefold()
            if client_id in known:
                raise OffboardError(f"applications: {connection.client_id} is given twice; its quota is there only once", code="bad_option")
            known.add(client_id)
            if not (connection.client_secret or connection.client_certificate_path):
                raise OffboardError(f"applications: {connection.client_id} needs client_secret or client_certificate_path", code="bad_option")
        return made

    @property
    def kind(self) -> str:
        """The credential that `auto` means: the token, the secret or the certificate, whichever is given, in this order."""
        if self.credential != "auto":
            return self.credential
        for kind, value in (("token", self.access_token), ("secret", self.client_secret), ("certificate", self.client_certificate_path)):
            if value:
                return kind
        raise OffboardError(
            "no credential: give access_token, client_secret or client_certificate_path, or choose another one by credential", code="bad_option"
        )


@dataclass(frozen=True)
class Request:
    """One request of a batch. `path` is relative to the version ("/users/…"); `tag` is the caller's own."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    tag: Any = None

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def reports(self) -> bool:
        """Whether it falls under the small quota of authentication methods."""
        return "/authentication/" in self.path


@dataclass(frozen=True)
class Answer:
    """What became of a request of a batch. `status` 0: the answer was lost, the request perhaps carried out.

    `failure` is set when the batch as a whole was refused, so that nothing in it was carried out.
    """

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    failure: GraphError | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def uncertain(self) -> bool:
        """Perhaps carried out: no answer, or the server failed after it had accepted the request."""
        return self.failure is None and (self.status == 0 or self.status >= 500)

    def error(self, request: Request) -> GraphError:
        """The error that a single request with this answer would have raised."""
        if self.failure is not None:
            return self.failure
        if self.status == 0:
            return AnswerLost(f"{request.method} {request.path}: the connection broke before the answer came", code="answer_lost")
        return _error(request.method, request.path, request.body, self.status, self.body, {})


Done = Callable[[list[tuple[Request, Answer]]], Iterable[Request] | None]  # pylint: disable=unsupported-binary-operation


class Client:
    """Graph's v1.0 endpoint. Safe to make without a network; the first request signs in. Close it when done."""

    def __init__(self, connection: Connection, further: Iterable[Connection] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self.connection = connection
        graph, authority = CLOUDS[connection.cloud]
        self._scope = f"{graph}/.default"
        self._base = (connection.graph_url or graph).rstrip("/")
        self._authority = (connection.authority or authority).rstrip("/")
        self._clock = clock
        self._tenant_writes = _write_bucket(connection.tenant_write_quota, clock())
        #: the app registration of `connection`, then the further ones, which share the requests of batches with it
        self.applications = [Application(one, clock()) for one in (connection, *further)]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        #: HTTP requests sent
        self.requests_sent = 0

    # -- life

    def _start(self) -> asyncio.AbstractEventLoop:
        """The process's one event loop, in a thread of its own so that the next page travels while the last one is planned."""
        if self._loop is None:
            connections = IN_FLIGHT * len(self.applications) + 1
            limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
            timeout = httpx.Timeout(_ANSWER_TIMEOUT, connect=_CONNECT_TIMEOUT)
            # HTTP/1.1: faster than HTTP/2 at this number of connections. No redirects: a token goes to no other address.
            self._http = httpx.AsyncClient(verify=_tls(self.connection.ca_file), limits=limits, timeout=timeout, http2=False)
            for application in self.applications:
                application.tokens = _TokenSource(application.connection, self._authority, self._scope)
                provider = AzureIdentityAccessTokenProvider(
                    application.tokens, options=None, scopes=[self._scope], allowed_hosts=[urllib.parse.urlsplit(self._base).hostname or ""]
                )
                application.adapter = BaseGraphRequestAdapter(BaseBearerTokenAuthenticationProvider(provider), http_client=self._http)
            self._native = ResponseHandlerOption(NativeResponseHandler())
            # A page of users is 10,000 containers without a cycle; searching them every 700 took a fifth of the reading of 100,000.
            gc.set_threshold(10_000)
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="graph", daemon=True)
            self._thread.start()
        return self._loop

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._start())
        except BaseException:
            work.close()
            raise
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self) -> None:
        """Give back connections and end the loop. May be called twice."""
        if self._loop is not None and self._thread is not None:
            with contextlib.suppress(Exception):
                asyncio.run_coroutine_threadsafe(self._http.aclose(), self._loop).result(5)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop.close()
            self._loop = self._thread = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- applications

    def _usable(self) -> list[Application]:
        return [application for application in self.applications if application.lost is None]

    def _lose(self, application: Application, error: GraphError) -> bool:
        """Go on without an application that Graph or the sign-in service no longer serves. False when it is the last one."""
        if application.lost is None and len(self._usable()) > 1:
            application.lost = error
        return application.lost is not None

    # -- single requests

    def get(self, path: str, *, eventual: bool = False) -> dict[str, Any]:
        """One object. Raises GraphError (`not_found` for 404)."""
        return self._call(self._send("GET", path, eventual=eventual))

    def find(self, path: str) -> dict[str, Any] | None:
        """One object, or None when Graph says 404 several times running: a single 404 may be a replica that lags."""
        for attempt in range(3):
            if attempt:
                time.sleep(1)
            try:
                return self.get(path)
            except GraphError as exc:
                if exc.status != 404:
                    raise
        return None

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change an object. Sent again when the answer is lost: the same values once more do no harm."""
        return self._call(self._send("PATCH", path, body))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create or act. Never sent twice: a lost answer or a 5xx raises AnswerLost, and the caller reads before it goes on."""
        return self._call(self._send("POST", path, body, repeatable=False))

    def delete(self, path: str) -> None:
        """Remove. 404 counts as removed, since a first attempt may have been carried out without its answer arriving."""
        try:
            self._call(self._send("DELETE", path))
        except GraphError as exc:
            if exc.status != 404:
                raise

    def reference(self, key: str) -> dict[str, str]:
        """The body that links to a directory object."""
        return {"@odata.id": f"{self._base}/v1.0/directoryObjects/{key}"}

    # -- lists

    def pages(self, path: str, *, eventual: bool = False) -> Iterator[list[dict[str, Any]]]:
        """A list, page by page; the next one is fetched while the caller works on this one.

        `eventual` sends `ConsistencyLevel: eventual` with every page, because a nextLink does not carry it. Raises GraphError
        `foreign_next_link` when the continuation names another host, and `duplicate_page` when it runs in a circle.
        """
        loop = self._start()
        coming: Any = asyncio.run_coroutine_threadsafe(self._send("GET", path, eventual=eventual), loop)
        seen: set[int] = set()
        try:
            while coming is not None:
                page = coming.result()
                link = page.get("@odata.nextLink")
                coming = None
                if link:
                    if hash(link) in seen:
                        raise GraphError(f"GET {path}: Graph sent the same page twice; the list would never end", code="duplicate_page")
                    seen.add(hash(link))
                    coming = asyncio.run_coroutine_threadsafe(self._send("GET", self._own(link), eventual=eventual), loop)
                yield page.get("value", [])
        finally:
            if coming is not None:
                coming.cancel()

    def list(self, path: str, *, eventual: bool = False) -> Iterator[dict[str, Any]]:
        """The same, object by object; an object that comes on two pages is given once in a row of pages that overlap."""
        last: set[str] = set()
        for page in self.pages(path, eventual=eventual):
            now = {item["id"] for item in page if "id" in item}
            yield from page if last.isdisjoint(now) else [item for item in page if item.get("id") not in last]
            last = now

    def _own(self, link: str) -> str:
        """The path of a continuation link, which must lead to the host that we trust with the token."""
        if not link.startswith(f"{self._base}/v1.0/"):
            host = urllib.parse.urlsplit(link).netloc
            raise GraphError(
                f"Graph's continuation link leads to {host or link!r}, not to {self._base}; it was not followed and no token was sent there",
                code="foreign_next_link",
            )
        return link[len(self._base) + len("/v1.0") :]

    # -- batches

    def batch(self, requests: Iterable[Request], done: Done, in_flight: int = IN_FLIGHT) -> None:
        """Send many requests, at most 20 in a batch and `in_flight` batches at once for each
        application, as fast as the quotas allow.

        `done` gets the final answers of each batch (never a 429 before its retries are used up) and may return
        further requests, which go first. `requests` is read as needed; both run in the client's own thread, one
        at a time. Refused requests (429) are sent again after the time that Graph asks for; reads whose answer was lost
        too. A write whose answer was lost is handed to `done` as `uncertain`. On Ctrl-C no new request
        goes out, answers on their way are handed to `done`, and KeyboardInterrupt is raised.
        """
        self._stopping = False
        loop = self._start()
        future = asyncio.run_coroutine_threadsafe(_Engine(self, iter(requests), done).run(in_flight * len(self._usable())), loop)
        try:
            future.result()
        except KeyboardInterrupt:
            self._stopping = True
            with contextlib.suppress(OffboardError, TimeoutError):  # whatever else went wrong: what ends the run is the interruption
                future.result(_ANSWER_TIMEOUT + _CONNECT_TIMEOUT)
            raise

    def get_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        """(path, answer) of many single reads, by batches; in the order of `paths`."""
        paths = iter(paths)
        while chunk := [path for _unused, path in zip(range(BATCH_SIZE * IN_FLIGHT), paths, strict=False)]:
            answers: dict[str, Answer] = {}
            self.batch((Request("GET", path) for path in chunk), lambda pairs, out=answers: out.update((r.path, a) for r, a in pairs))
            yield from ((path, answers[path]) for path in chunk)

    # -- who we are

    def identity(self) -> dict[str, str]:
        """`app_id`, `upn`, `object_id` and `tenant_id` as the access token names them; empty strings for what it does not name.

        Decoded, not verified: the answer only feeds guards that protect the caller from locking itself out.
        """
        return self._identity(self._usable()[0])

    def identities(self) -> list[dict[str, str]]:
        """The same of all applications. Signs all of them in, and raises SignInFailed for one that cannot."""
        return [self._identity(application) for application in self.applications]

    def _identity(self, application: Application) -> dict[str, str]:
        self._start()
        parts = application.tokens.get_token(self._scope).token.split(".")
        claims: dict[str, Any] = {}
        if len(parts) == 3:
            with contextlib.suppress(ValueError):
                claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return {
            "app_id": claims.get("appid") or claims.get("azp") or application.connection.client_id or "",
            "upn": claims.get("upn") or claims.get("unique_name") or claims.get("preferred_username") or "",
            "object_id": claims.get("oid", ""),
            # the option may be one of the tenant's domains; the token has the id
            "tenant_id": claims.get("tid") or self.connection.tenant_id,
        }

    # -- transport

    async def _exchange(self, application: Application, method: str, path: str, body: Mapping[str, Any] | None, eventual: bool) -> Any:
        """One request and its answer (httpx.Response), whatever its status. Raises GraphError when there is none."""
        info = RequestInformation(Method(method))
        info.url = f"{self._base}/v1.0{path}"
        info.url_template = path.partition("?")[0]
        info.headers.add("Accept", "application/json")
        if eventual:
            info.headers.add("ConsistencyLevel", "eventual")
        if body is not None:
            info.headers.add("Content-Type", "application/json")
            info.content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        info.add_request_options([self._native])
        self.requests_sent += 1
        try:
            response = await application.adapter.send_primitive_async(info, "bytes", None)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise _transport_error(exc, self._base, method, path, self.connection.ca_file) from exc
        # It has been read. httpx's answer and its stream hold each other, and a page's bytes with them until a search for cycles.
        response.stream = None
        return response

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, eventual: bool = False, repeatable: bool = True) -> dict[str, Any]:
        """One request outside a batch with bounded retries; its body as a dict (empty for 204)."""
        while True:
            application = self._usable()[0]
            try:
                return await self._send_by(application, method, path, body, eventual, repeatable)
            except GraphError as exc:
                if not (exc.status == 401 or isinstance(exc, SignInFailed)) or not self._lose(application, exc):
                    raise

    async def _send_by(
        self, application: Application, method: str, path: str, body: Mapping[str, Any] | None, eventual: bool, repeatable: bool
    ) -> dict[str, Any]:
        renewed = False
        writes = int(method != "GET")
        for attempt in range(1, _ATTEMPTS + 1):
            await asyncio.sleep(self._take(application, Cost(1 - writes, writes)))
            try:
                response = await self._exchange(application, method, path, body, eventual)
            except GraphError as exc:
                lost = exc.code in ("connection_broken", "timeout")
                if lost and not repeatable:
                    raise AnswerLost(f"{exc.msg} Whether it was carried out is not known.", code="answer_lost") from exc  # pylint: disable=bad-exception-cause
                if not (lost or exc.code == "connection_failed") or attempt >= 3:
                    raise
                await asyncio.sleep(attempt)
                continue
            status = response.status_code
            if 200 <= status < 300:
                self._note_usage(application, response.headers)
                return _json(response.content)
            if status == 401 and not renewed and application.tokens.renew():
                renewed = True
                continue
            error = _error(method, path, body, status, _json(response.content), response.headers)
            if status == 429:
                self._pause(application, error, response.headers, attempt, Cost(1 - writes, writes))
            elif status >= 500 and not repeatable:
                raise AnswerLost(f"{error.msg} Whether it was carried out is not known.", code="answer_lost", status=status)
            elif status in (500, 502, 503, 504) and attempt < _ATTEMPTS:
                await asyncio.sleep(min(_retry_after(response.headers) or 2.0 ** (attempt - 1), MAX_RETRY_AFTER))
            else:
                raise error
        raise error

    def _take(self, application: Application, cost: Cost) -> float:
        """Reserve what requests cost; seconds to wait before they may go out."""
        now = self._clock()
        application.requests += max(cost)
        return max([bucket.take(count, now) for bucket, count in self._costs(application, cost)], default=0.0)

    def _give_back(self, application: Application, cost: Cost) -> None:
        application.requests -= max(cost)
        for bucket, count in self._costs(application, cost):
            bucket.give_back(count)

    def _costs(self, application: Application, cost: Cost) -> list[tuple[TokenBucket, int]]:
        return [*application.costs(cost), *([(self._tenant_writes, cost.writes)] if cost.writes else [])]

    def _pause(self, application: Application, error: GraphError, headers: Mapping[str, str], attempt: int, cost: Cost) -> None:
        """Send nothing for as long as a 429 asks; exponentially longer where it asks nothing. Raises `error` when that would take too long."""
        seconds = _retry_after(headers)
        if seconds is None:
            seconds = min(2.0**attempt, 60.0)
        if seconds > MAX_RETRY_AFTER:
            raise _too_long(seconds) from error
        if attempt >= _ATTEMPTS:
            raise error
        self._throttled(application, headers, seconds, cost)

    def _throttled(self, application: Application, headers: Mapping[str, str], seconds: float, cost: Cost) -> None:
        """`x-ms-throttle-scope` begins with whose limit it is: `Tenant` all applications', else the application's own."""
        scope = _folded(headers).get("x-ms-throttle-scope", "").partition("/")[0]
        if scope == "Tenant" and cost.writes:
            bucket = self._tenant_writes
        else:
            bucket = application.reports if cost.reports else application.writes if cost.writes else application.units
        bucket.pause(seconds, self._clock())

    def _note_usage(self, application: Application, headers: Mapping[str, str]) -> None:
        """What Graph says about the share of the quota that is used, by whomever (only above 0.8)."""
        share = headers.get("x-ms-throttle-limit-percentage")
        if share:
            with contextlib.suppress(ValueError):
                application.writes.correct(float(share), self._clock())


class Cost(NamedTuple):
    """What requests take from the quotas."""

    units: int
    writes: int = 0
    reports: int = 0

    @classmethod
    def of(cls, batch: Collection[_Sending]) -> Cost:
        """A batch is all about authentication methods, or not at all."""
        reports = len(batch) if any(item.request.reports for item in batch) else 0
        return cls(len(batch), sum(1 for item in batch if item.request.writes), reports)


class Application:
    """One app registration at work: its sign-in, and the quotas that are its own."""

    def __init__(self, connection: Connection, now: float) -> None:
        self.connection = connection
        self.writes = _write_bucket(connection.write_quota, now)
        self.units = TokenBucket(*UNIT_QUOTA, now)
        self.reports = TokenBucket(*REPORT_QUOTA, now)
        self.tokens: Any = None
        self.adapter: Any = None
        #: requests sent, those inside batches one by one, and how many of the latter were refused with 429
        self.requests = 0
        self.refused = 0
        #: why it takes part no longer
        self.lost: GraphError | None = None

    def costs(self, cost: Cost) -> list[tuple[TokenBucket, int]]:
        """The quotas of its own that requests take something from."""
        return [(bucket, count) for bucket, count in ((self.units, cost.units), (self.writes, cost.writes), (self.reports, cost.reports)) if count]

    def delay(self, cost: Cost, now: float) -> float:
        """Seconds until its own quotas allow so many requests."""
        return max(bucket.delay(count, now) for bucket, count in self.costs(cost))

    def paused(self, cost: Cost, now: float) -> float:
        """Seconds that remain of the longest pause that Graph asked it for."""
        return max(bucket.blocked(now) for bucket, _unused in self.costs(cost))


def _write_bucket(quota: tuple[int, float], now: float) -> TokenBucket:
    # Requests bunch up on their way; two batches kept back cost 2 s of a full quota, and spare nearly all refusals.
    requests, seconds = quota
    return TokenBucket(requests, seconds, now, keep_back=min(2 * BATCH_SIZE, requests // 2))


def _quota(name: str, value: Mapping[str, int]) -> tuple[int, float]:
    if value["requests"] < 1 or value["seconds"] < 1:
        raise OffboardError(f"{name}: requests and seconds must be 1 or more", code="bad_option")
    return value["requests"], float(value["seconds"])


@dataclass(slots=True)
class _Sending:
    """A request on its way: how often it was sent, and which applications it was refused to for want of a permission."""

    request: Request
    attempts: int = 0
    denied: tuple[Application, ...] = ()


class _Engine:
    """Keeps a number of batches in flight until there is nothing left to send."""

    def __init__(self, client: Client, source: Iterator[Request], done: Done) -> None:
        self._client = client
        self._source: Iterator[Request] | None = source
        self._done = done
        self._first: deque[_Sending] = deque()  # follow-ups and refused ones
        self._changed = asyncio.Event()
        self._busy = 0
        self._failure: Exception | None = None

    async def run(self, in_flight: int) -> None:
        await asyncio.gather(*(self._work() for _unused in range(in_flight)))
        if self._failure is not None:
            raise self._failure

    @property
    def _ends(self) -> bool:
        """Nothing more goes out; what is on its way is still heard."""
        return self._client._stopping or self._failure is not None

    def _next(self) -> list[_Sending]:
        batch: list[_Sending] = []
        if self._ends:
            return batch
        while (item := self._pull()) is not None:
            if batch and item.request.reports != batch[0].request.reports:
                self._first.appendleft(item)
                break
            batch.append(item)
            if len(batch) == (REPORT_QUOTA[0] if item.request.reports else BATCH_SIZE):
                break
        return batch

    def _pull(self) -> _Sending | None:
        if self._first:
            return self._first.popleft()
        request = next(self._source, None) if self._source is not None else None
        if request is None:
            self._source = None
            return None
        return _Sending(request)

    async def _work(self) -> None:
        while True:
            self._busy += 1
            try:
                batch = self._next()
                if batch:
                    await self._carry(batch)
            except Exception as exc:  # kept, so that the batches on their way still end well; raised by run()
                batch, self._failure = [], self._failure or exc
            finally:
                self._busy -= 1
                self._changed.set()
            if batch:
                continue
            if not self._busy:
                return
            self._changed.clear()
            await self._changed.wait()  # another batch may bring follow-ups

    async def _turn(self, batch: list[_Sending], cost: Cost) -> Application | None:
        """The application that may send the batch first, as soon as it may; None when the run ends before that."""
        client = self._client
        denied = {application for item in batch for application in item.denied}
        while True:
            usable = [application for application in client._usable() if application not in denied] or client._usable()
            now = client._clock()
            choice = min(usable, key=lambda one: (one.delay(cost, now), -one.writes.share_left, one.requests))
            ready = now + client._take(choice, cost)
            while not self._ends and choice.lost is None:
                now = client._clock()
                paused = choice.paused(cost, now)  # another batch may have been refused meanwhile
                left = max(ready - now, paused)
                if paused and any(one.delay(cost, now) < left - _WORTH_CHANGING for one in usable):
                    break
                wait = max(left, client._tenant_writes.blocked(now) if cost.writes else 0.0)
                if wait <= 0:
                    return choice
                await asyncio.sleep(min(wait, 1.0))
            client._give_back(choice, cost)
            if self._ends:
                return None

    async def _carry(self, batch: list[_Sending]) -> None:
        client = self._client
        cost = Cost.of(batch)
        application = await self._turn(batch, cost)
        if application is None:
            return
        answers: dict[str, dict[str, Any]] | None = {}
        try:
            answers = await self._post(application, batch)
        except GraphError as exc:
            if exc.code not in ("connection_broken", "timeout", "server_error"):
                # Nothing of the batch was carried out. Where the reason is the application, another one takes it.
                if (exc.status in (401, 403, 429) or isinstance(exc, SignInFailed)) and client._lose(application, exc):
                    self._first.extendleft(reversed(batch))
                    return
                self._done([(item.request, Answer(exc.status, failure=exc)) for item in batch])
                raise
        if answers is None:  # refused as a whole for now: nothing of it was carried out
            self._first.extendleft(replace(item, attempts=item.attempts + 1) for item in reversed(batch))
            return
        final: list[tuple[Request, Answer]] = []
        pause, headers = 0.0, {}
        stop: GraphError | None = None
        for index, item in enumerate(batch):
            raw = answers.get(str(index))
            answer = Answer(0) if raw is None else Answer(raw["status"], _decoded(raw.get("body")))
            if answer.ok and item.denied:
                self._denied(item)
            if answer.status == 403 and self._elsewhere(item, application):
                continue
            if answer.status == 401 and self._signed_in_anew(item, application, answer):
                continue
            again = answer.status == 429 or (answer.uncertain and not item.request.writes)
            if answer.status == 429:
                application.refused += 1
                asked = _folded(raw.get("headers"))
                seconds = _retry_after(asked) or min(2.0 ** (item.attempts + 1), 60.0)
                if seconds > MAX_RETRY_AFTER:
                    if client._lose(application, answer.error(item.request)):
                        self._first.append(item)
                        continue
                    stop = _too_long(seconds)
                if seconds > pause:
                    pause, headers = seconds, asked
            elif raw is not None and answer.uncertain:
                pause = max(pause, _retry_after(_folded(raw.get("headers"))) or 0.0, 1.0 if again else 0.0)
            elif again:
                pause = max(pause, 1.0)
            if again and item.attempts + 1 < _ATTEMPTS and pause <= MAX_RETRY_AFTER and self._failure is None:
                self._first.append(replace(item, attempts=item.attempts + 1))
            else:
                final.append((item.request, answer))
        if pause and stop is None:
            client._throttled(application, headers, min(pause, MAX_RETRY_AFTER), cost)
        if final:
            self._first.extend(_Sending(request) for request in self._done(final) or ())
        if stop is not None:
            raise stop

    def _elsewhere(self, item: _Sending, application: Application) -> bool:
        """A request that one application may not send is not carried out; whether another one may is tried before that is the answer."""
        denied = (*item.denied, application)
        if self._failure is not None or all(one in denied for one in self._client._usable()):
            return False
        self._first.append(replace(item, denied=denied))
        return True

    def _signed_in_anew(self, item: _Sending, application: Application, answer: Answer) -> bool:
        """The token ended on the way, and the request was not carried out: it goes out again with another token, or by another application."""
        again = item.attempts + 1 < _ATTEMPTS and application.tokens.renew()
        if self._failure is not None or not (again or self._client._lose(application, answer.error(item.request))):
            return False
        self._first.append(replace(item, attempts=item.attempts + 1 if again else 0))
        return True

    def _denied(self, item: _Sending) -> None:
        """Another application could: those that could not lack a permission or a role, and would fail for others too."""
        for application in item.denied:
            error = _error(item.request.method, item.request.path, item.request.body, 403, {}, {})
            self._client._lose(application, error)

    async def _post(self, application: Application, batch: list[_Sending]) -> dict[str, dict[str, Any]] | None:
        """The inner answers by position; None when the whole batch was refused and is to be sent again later.

        The envelope is refused (429, 401) only before anything inside was carried out.
        """
        requests = []
        for index, item in enumerate(batch):
            request = item.request
            entry: dict[str, Any] = {"id": str(index), "method": request.method, "url": request.path}
            if request.body is not None:
                entry |= {"headers": {"Content-Type": "application/json"}, "body": request.body}
            requests.append(entry)
        client = self._client
        renewed = False
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response = await client._exchange(application, "POST", "/$batch", {"requests": requests}, False)
            except GraphError as exc:
                if exc.code not in ("connection_failed", "host_unknown") or attempt == _ATTEMPTS:
                    raise
                await self._rest(2.0**attempt)  # nothing was sent: a network that is away for a minute ends no run of hours
                if client._stopping:
                    return None
                continue
            status = response.status_code
            if status == 200:
                client._note_usage(application, response.headers)
                return {item["id"]: item for item in _json(response.content).get("responses", [])}
            error = _error("POST", "/$batch", None, status, _json(response.content), response.headers)
            if status == 401 and not renewed and application.tokens.renew():
                renewed = True
                continue
            if status == 429:
                client._pause(application, error, response.headers, max(item.attempts for item in batch) + 1, Cost.of(batch))
                return None
            if status >= 500 and (seconds := _retry_after(response.headers)):
                for cost in (Cost(1), Cost(1, 1)):
                    client._throttled(application, {}, min(seconds, MAX_RETRY_AFTER), cost)
            raise error
        raise error

    async def _rest(self, seconds: float) -> None:
        """Sleep, but not through the end of the run."""
        end = self._client._clock() + seconds
        while not self._client._stopping and (left := end - self._client._clock()) > 0:
            await asyncio.sleep(min(left, 1.0))


class _TokenSource:
    """A credential that is asked for a token once per token's life, whatever the number of requests."""

    def __init__(self, connection: Connection, authority: str, scope: str) -> None:
        self._connection, self._authority, self._scope = connection, authority, scope
        self._inner: Any = None
        self._token: Any = None

    def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> Any:
        """As azure-identity's credentials; `claims` (continuous access evaluation) always asks anew."""
        if self._connection.kind == "token":
            return _access_token(self._connection.access_token or "", 2**40)
        if claims or self._token is None or self._token.expires_on - time.time() < _TOKEN_MARGIN:
            if self._inner is None:
                self._inner = _credential(self._connection, self._authority)
            options = {"claims": claims} if claims else {}
            try:
                self._token = self._inner.get_token(*(scopes or (self._scope,)), **options)
            except (AzureError, ValueError) as exc:  # ValueError: MSAL, when the tenant's address gives no configuration
                raise _sign_in_error(exc, self._connection, self._authority) from exc
        return self._token

    def renew(self) -> bool:
        """Forget the token, which Graph no longer takes. False when there is no way to get another one."""
        if self._connection.kind == "token":
            return False
        self._inner = self._token = None
        return True


def _access_token(token: str, expires_on: int) -> Any:
    from azure.core.credentials import AccessToken

    return AccessToken(token, expires_on)


def _credential(connection: Connection, authority: str) -> Any:
    """azure-identity's credential. Raises OffboardError `bad_option` for what is missing."""
    common: dict[str, Any] = {
        "authority": authority,
        # With an authority of one's own there is nothing at Microsoft to ask about it.
        "disable_instance_discovery": connection.authority is not None,
        "retry_total": 2,
        "connection_timeout": _CONNECT_TIMEOUT,
        "read_timeout": _ANSWER_TIMEOUT,
    }
    if connection.ca_file:
        common["connection_verify"] = connection.ca_file
    kind = connection.kind
    if kind in ("secret", "certificate") and not connection.client_id:
        raise OffboardError(f"client_id is missing; credential {kind!r} needs it", code="bad_option")
    match kind:
        case "secret":
            if not connection.client_secret:
                raise OffboardError("client_secret is missing; credential 'secret' needs it", code="bad_option")
            return ClientSecretCredential(connection.tenant_id, connection.client_id, connection.client_secret, **common)
        case "certificate":
            if not connection.client_certificate_path:
                raise OffboardError("client_certificate_path is missing; credential 'certificate' needs it", code="bad_option")
            password = {"password": connection.client_certificate_password} if connection.client_certificate_password else {}
            try:
                return CertificateCredential(connection.tenant_id, connection.client_id, connection.client_certificate_path, **password, **common)
            except (OSError, ValueError) as exc:
                raise OffboardError(
                    f"cannot use the certificate {connection.client_certificate_path}: {exc}. It must hold certificate and private key (PEM or PKCS#12), "
                    "and client_certificate_password must fit.",
                    code="bad_certificate",
                ) from exc
        case "managed_identity":
            return ManagedIdentityCredential(client_id=connection.client_id) if connection.client_id else ManagedIdentityCredential()
        case "workload_identity":
            try:
                return WorkloadIdentityCredential(tenant_id=connection.tenant_id, client_id=connection.client_id, **common)
            except ValueError as exc:
                raise OffboardError(f"workload identity: {exc}", code="bad_option") from exc
        case _:
            return AzureCliCredential(tenant_id=connection.tenant_id)


def _tls(ca_file: str | None) -> Any:
    if not ca_file:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise OffboardError(f"cannot read certificate authorities from ca_file {ca_file}: {exc}", code="bad_ca_file") from exc


def _json(content: bytes) -> dict[str, Any]:
    """A body as a dict; empty when there is none or when it is not a JSON object (a gateway's HTML page)."""
    try:
        value = json.loads(content) if content else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _decoded(body: Any) -> Mapping[str, Any]:
    """The body of an answer inside a batch; what is not JSON comes as base64 text and is of no use here."""
    return body if isinstance(body, dict) else {}


def _folded(headers: Mapping[str, Any] | None) -> dict[str, str]:
    return {name.casefold(): str(value) for name, value in (headers or {}).items()}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After (a number or a date) asks to wait; None without one."""
    value = headers.get("retry-after") or headers.get("Retry-After")
    if not value:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(value))
    with contextlib.suppress(ValueError):
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return None


_CODES = {400: "bad_request", 401: "unauthorized", 403: "permission_missing", 404: "not_found", 409: "conflict", 429: "throttled"}


def _error(method: str, path: str, body: Mapping[str, Any] | None, status: int, answer: Mapping[str, Any], headers: Mapping[str, str]) -> GraphError:
    """A refused request in words. The body of the request, which may hold a password, is never quoted."""
    error = answer.get("error") if isinstance(answer.get("error"), dict) else {}
    graph_code, text = str(error.get("code") or ""), str(error.get("message") or "").strip()
    inner = error.get("innerError") or error.get("innererror") or {}
    request_id = headers.get("request-id") or (inner.get("request-id", "") if isinstance(inner, dict) else "")
    plain = path.partition("?")[0]
    said = f"Graph answered {status}{f' {graph_code}' if graph_code else ''}{f': {text}' if text else ''}"
    msg = f"{method} {plain}: {said}"
    if not msg.endswith("."):
        msg += "."
    if status == 403:
        msg += " " + permissions.sentence(permissions.needed(method, plain, body))
    elif status == 401:
        msg += " The access token was refused: it has expired, was made for another service, or the application was switched off."
    code = _CODES.get(status, "server_error" if status >= 500 else "refused")
    return GraphError(msg, code=code, status=status, graph_code=graph_code, request_id=str(request_id or ""))


def _too_long(seconds: float) -> GraphError:
    return GraphError(
        f"Graph asks to wait {seconds:.0f} s, more than the {MAX_RETRY_AFTER} s that are waited for at most; run the task again later",
        code="throttled",
        status=429,
    )


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        inner = next((arg for arg in exc.args if isinstance(arg, BaseException)), None)
        exc = exc.__cause__ or exc.__context__ or inner or getattr(exc, "reason", None) or getattr(exc, "inner_exception", None)
        if not isinstance(exc, BaseException):
            return


_UNKNOWN_HOST = re.compile(r"name or service not known|nodename nor servname|no address associated|name resolution|getaddrinfo", re.IGNORECASE)


def _transport_error(exc: Exception, address: str, method: str, path: str, ca_file: str | None) -> GraphError:
    """Why there is no answer: `certificate_untrusted`, `host_unknown`, `connection_failed` (nothing was sent), `timeout`, `connection_broken`."""
    causes = list(_causes(exc))
    text = " ".join(str(cause) for cause in causes)
    if "CERTIFICATE_VERIFY_FAILED" in text or any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        trusted = f"the authorities in ca_file {ca_file}" if ca_file else "this machine's certificate authorities"
        return GraphError(
            f"The certificate of {address} is not trusted by {trusted}. If a proxy inspects TLS or the address is a lab, put its authority (PEM) into ca_file.",
            code="certificate_untrusted",
        )
    if _UNKNOWN_HOST.search(text):
        return GraphError(f"The host name in {address} is unknown (DNS). Check graph_url, authority and cloud.", code="host_unknown")
    if any(isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout, ServiceRequestError)) for cause in causes):
        return GraphError(f"No connection to {address}: {exc}. Check the address, the network and the proxy.", code="connection_failed")
    if isinstance(exc, httpx.TimeoutException):
        return GraphError(f"{method} {path.partition('?')[0]}: {address} did not answer within {_ANSWER_TIMEOUT:.0f} s.", code="timeout")
    return GraphError(f"{method} {path.partition('?')[0]}: the connection to {address} broke ({type(exc).__name__}).", code="connection_broken")


#: Code of the sign-in service: (our code, what to do). https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_SIGN_IN = {
    "7000215": ("secret_wrong", "The client secret is wrong. Give the secret's value, not its id."),
    "7000222": ("secret_expired", "The client secret has expired. Make a new one for the app registration."),
    "90002": ("tenant_unknown", "The tenant does not exist. Check tenant_id and cloud."),
    "900023": ("tenant_unknown", "tenant_id is neither a tenant's id nor one of its verified domains."),
    "700016": ("client_unknown", "The tenant knows no application with this client_id."),
    "7000112": ("client_disabled", "The application's service principal is switched off."),
    "700027": ("certificate_wrong", "The certificate is not registered for the application."),
    "53003": ("sign_in_blocked", "A Conditional Access policy blocks the application."),
}


def _sign_in_error(exc: Exception, connection: Connection, authority: str) -> GraphError:
    """A failed sign-in in words. Only the code of Microsoft's text is used; the text may quote what was sent."""
    text = " ".join(str(cause) for cause in _causes(exc))
    who = f"Sign-in of application {connection.client_id or '(none)'} to tenant {connection.tenant_id} at {authority} failed"
    # azure-identity wraps some of them into its own "Authentication failed"
    if (
        "CERTIFICATE_VERIFY_FAILED" in text
        or _UNKNOWN_HOST.search(text)
        or any(isinstance(c, (ServiceRequestError, ServiceResponseError)) for c in _causes(exc))
    ):
        return _transport_error(exc, authority, "POST", "/oauth2/v2.0/token", connection.ca_file)
    found = re.search(r"AADSTS(\d+)", text)
    if found and found[1] in _SIGN_IN:
        code, advice = _SIGN_IN[found[1]]
        return SignInFailed(f"{who} (AADSTS{found[1]}). {advice}", code=code, status=getattr(exc, "status_code", 0) or 0)
    if found:
        return SignInFailed(f"{who} (AADSTS{found[1]}); see https://login.microsoftonline.com/error?code={found[1]}.", code="sign_in_failed")
    if isinstance(exc, ValueError):
        return SignInFailed(
            f"{who}. The tenant does not exist, or the address is not a sign-in service. Check tenant_id, cloud and authority.", code="tenant_unknown"
        )
    if isinstance(exc, CredentialUnavailableError):
        return SignInFailed(f"{who}: credential {connection.kind!r} is not available here: {exc.message}", code="credential_unavailable")
    if isinstance(exc, ClientAuthenticationError):
        return SignInFailed(f"{who}: {str(exc).splitlines()[0]}", code="sign_in_failed")
    return SignInFailed(f"{who}: {type(exc).__name__}.", code="sign_in_failed")
