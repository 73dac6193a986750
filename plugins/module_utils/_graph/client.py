# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph for the modules: single requests, streamed lists, batches.

msgraph-sdk signs in, builds and carries the requests; bodies stay bytes and dicts, because its typed models cost some 4 ms of
CPU a user (github.com/microsoftgraph/msgraph-sdk-python issues 584 and 904), lack the federation casts, and send null by the wrong name.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import gc
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from .._core.errors import OffboardError
from .._core.marks import Once
from .._core.plain import to_json
from .._module import waiting
from . import sdk
from .batches import Answer, Done, Engine, Request
from .connection import CLOUDS, Connection
from .errors import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    MAX_RETRY_AFTER,
    AnswerLost,
    GraphError,
    SignInFailed,
    clock_ahead,
    is_list,
    json_object,
    refused_request,
    retry_after,
    transport_error,
)
from .pool import ATTEMPTS, BATCH_SIZE, Application, Cost, Pool
from .sign_in import TokenSource

IN_FLIGHT = 8  # batches on their way at once: fills the quota at any latency up to 8 s, and httpx slows down beyond

_T = TypeVar("_T")


class Client:
    """Graph's v1.0 endpoint (or beta's). Safe to make without a network; the first request signs in. Close it when done."""

    def __init__(self, connection: Connection, further: Iterable[Connection] = (), clock: Callable[[], float] = time.monotonic, version: str = "v1.0") -> None:
        self.connection = connection
        graph, authority = CLOUDS[connection.cloud]
        self._scope = f"{graph}/.default"
        self._base = (connection.graph_url or graph).rstrip("/")
        self._version = version
        self._authority = (connection.authority or authority).rstrip("/")
        self._pool = Pool((connection, *further), clock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        #: HTTP requests sent
        self.requests_sent = 0
        #: by how many seconds the clock of this machine is ahead of Graph's, by the last answer; None where it does not tell
        self.clock_ahead: float | None = None

    @property
    def applications(self) -> list[Application]:
        """The app registration of `connection`, then the further ones, which share the requests of batches with it."""
        return self._pool.applications

    # -- life

    def _start(self) -> asyncio.AbstractEventLoop:
        """The process's one event loop, in a thread of its own so that the next page travels while the last one is planned."""
        if self._loop is None:
            connections = IN_FLIGHT * len(self.applications) + 1
            limits = sdk.httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
            timeout = sdk.httpx.Timeout(ANSWER_TIMEOUT, connect=CONNECT_TIMEOUT)
            # HTTP/1.1: faster than HTTP/2 at this number of connections. No redirects: a token goes to no other address.
            self._http = sdk.httpx.AsyncClient(verify=_tls(self.connection.ca_file), limits=limits, timeout=timeout, http2=False)
            for application in self.applications:
                application.tokens = TokenSource(application.connection, self._authority, self._scope)
                provider = sdk.AzureIdentityAccessTokenProvider(
                    application.tokens, options=None, scopes=[self._scope], allowed_hosts=[urllib.parse.urlsplit(self._base).hostname or ""]
                )
                application.adapter = sdk.BaseGraphRequestAdapter(sdk.BaseBearerTokenAuthenticationProvider(provider), http_client=self._http)
            self._native = sdk.ResponseHandlerOption(sdk.NativeResponseHandler())
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

    # -- single requests

    def get(self, path: str, *, eventual: bool = False) -> dict[str, Any]:
        """One object. Raises GraphError (`not_found` for 404)."""
        return self._call(self._send("GET", path, eventual=eventual))

    def find(self, path: str) -> dict[str, Any] | None:
        """One object, or None when Graph says 404 several times running: a single 404 may be a replica that lags."""

        def read(paths: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
            for one in paths:
                try:
                    yield one, self.get(one)
                except GraphError as exc:
                    if exc.status != 404:
                        raise

        return dict(waiting.insisted([path], read)).get(path)

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
        return {"@odata.id": f"{self._base}/{self._version}/directoryObjects/{key}"}

    # -- lists

    def pages(self, path: str, *, eventual: bool = False, once: bool = True) -> Generator[list[dict[str, Any]], None, None]:
        """A list, page by page; the next one is fetched while the caller works on this one. What comes again, on whatever page, is given `once`: a list
        that changes while it is read moves. Not so of a log, which has any number of entries: who counts them tells them apart.

        `eventual` sends `ConsistencyLevel: eventual` with every page, because a nextLink does not carry it. Raises GraphError
        `foreign_next_link` when the continuation names another host, `duplicate_page` when it runs in a circle, and `no_list` for an answer
        that is none (a proxy's page): it must not pass for an empty one.
        """
        loop = self._start()
        coming: Any = asyncio.run_coroutine_threadsafe(self._send("GET", path, eventual=eventual), loop)
        seen: set[int] = set()
        given = Once()
        try:
            while coming is not None:
                page = coming.result()
                coming = None
                if not is_list(page):
                    raise GraphError(f"GET {path.partition('?')[0]}: the answer is no list of Microsoft Graph", code="no_list")
                link = page.get("@odata.nextLink")
                if link:
                    if hash(link) in seen:
                        raise GraphError(f"GET {path}: Graph sent the same page twice; the list would never end", code="duplicate_page")
                    seen.add(hash(link))
                    coming = asyncio.run_coroutine_threadsafe(self._send("GET", self._own(link), eventual=eventual), loop)
                yield [item for item in page["value"] if not once or not item.get("id") or given.is_new(str(item["id"]))]
        finally:
            if coming is not None:
                coming.cancel()

    def list(self, path: str, *, eventual: bool = False) -> Iterator[dict[str, Any]]:
        """The same, object by object."""
        for page in self.pages(path, eventual=eventual):
            yield from page

    def list_below(self, parent: str, name: str) -> Iterator[dict[str, Any]]:
        """`list` of what belongs to an object that was in a list a moment ago; nothing where the object has gone meanwhile.

        Entra's replicas differ for a while: a list may still have what another replica answers 404 for.
        """
        try:
            yield from self.list(f"{parent}/{name}")
        except GraphError as exc:
            if exc.status != 404 or self.find(f"{parent}?$select=id") is not None:
                raise

    def _own(self, link: str) -> str:
        """The path of a continuation link, which must lead to the host that we trust with the token."""
        if not link.startswith(f"{self._base}/{self._version}/"):
            host = urllib.parse.urlsplit(link).netloc
            raise GraphError(
                f"Graph's continuation link leads to {host or link!r}, not to {self._base}; it was not followed and no token was sent there",
                code="foreign_next_link",
            )
        return link[len(self._base) + 1 + len(self._version) :]

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
        loop = self._start()
        engine = Engine(self._pool, self._exchange, iter(requests), done)
        future = asyncio.run_coroutine_threadsafe(engine.run(in_flight * len(self._pool.usable())), loop)
        try:
            future.result()
        except KeyboardInterrupt:
            engine.stop()
            with contextlib.suppress(OffboardError, TimeoutError):  # whatever else went wrong: what ends the run is the interruption
                future.result(ANSWER_TIMEOUT + CONNECT_TIMEOUT)
            raise

    def get_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        """(path, answer) of many single reads, by batches; in the order of `paths`."""
        paths = iter(paths)
        while chunk := [path for _unused, path in zip(range(BATCH_SIZE * IN_FLIGHT), paths, strict=False)]:
            answers: dict[str, Answer] = {}
            self.batch((Request("GET", path) for path in chunk), functools.partial(_keep, answers))
            yield from ((path, answers[path]) for path in chunk)

    # -- who we are

    def identity(self) -> dict[str, str]:
        """`app_id`, `upn`, `object_id` and `tenant_id` as the access token names them; empty strings for what it does not name.

        Decoded, not verified: the answer only feeds guards that protect the caller from locking itself out.
        """
        return self._identity(self._pool.usable()[0])

    def identities(self) -> Sequence[dict[str, str]]:
        """The same of all applications. Signs all of them in, and raises SignInFailed for one that cannot."""
        return [self._identity(application) for application in self.applications]

    def granted(self) -> Sequence[str] | None:
        """The application permissions that every access token holds, sorted; None where a user is signed in, or a token does not tell."""
        found: set[str] | None = None
        for application in self.applications:
            claims = self._claims(application)
            roles = claims.get("roles")
            if not isinstance(roles, list) or "scp" in claims:
                return None
            here = {name for name in roles if isinstance(name, str)}
            found = here if found is None else found & here
        return None if found is None else sorted(found)

    def _identity(self, application: Application) -> dict[str, str]:
        claims = {name: value for name, value in self._claims(application).items() if isinstance(value, str)}
        return {
            "app_id": claims.get("appid") or claims.get("azp") or application.connection.client_id or "",
            "upn": claims.get("upn") or claims.get("unique_name") or claims.get("preferred_username") or "",
            "object_id": claims.get("oid", ""),
            # the option may be one of the tenant's domains; the token has the id
            "tenant_id": claims.get("tid") or self.connection.tenant_id,
        }

    def _claims(self, application: Application) -> dict[str, Any]:
        """What the access token says; nothing where it cannot be read."""
        self._start()
        parts = application.tokens.get_token(self._scope).token.split(".")
        if len(parts) == 3:
            with contextlib.suppress(ValueError):
                return json_object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return {}

    # -- transport

    async def _exchange(self, application: Application, method: str, path: str, body: Mapping[str, Any] | None, eventual: bool = False) -> Any:
        """One request and its answer (httpx.Response), whatever its status. Raises GraphError when there is none."""
        info = sdk.RequestInformation(sdk.Method(method))
        info.url = f"{self._base}/{self._version}{path}"
        info.url_template = path.partition("?")[0]
        info.headers.add("Accept", "application/json")
        if eventual:
            info.headers.add("ConsistencyLevel", "eventual")
        if body is not None:
            info.headers.add("Content-Type", "application/json")
            info.content = to_json(body, separators=(",", ":")).encode()
        info.add_request_options([self._native])
        self.requests_sent += 1
        try:
            response = await application.adapter.send_primitive_async(info, "bytes", None)
        except (sdk.httpx.HTTPError, sdk.httpx.InvalidURL) as exc:
            raise transport_error(exc, self._base, method, path, self.connection.ca_file) from exc
        # It has been read. httpx's answer and its stream hold each other, and a page's bytes with them until a search for cycles.
        response.stream = None
        self.clock_ahead = clock_ahead(response.headers)
        return response

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, eventual: bool = False, repeatable: bool = True) -> dict[str, Any]:
        """One request outside a batch with bounded retries; its body as a dict (empty for 204)."""
        while True:
            application = self._pool.usable()[0]
            try:
                return await self._send_by(application, method, path, body, eventual, repeatable)
            except GraphError as exc:
                if not (exc.status == 401 or isinstance(exc, SignInFailed)) or not self._pool.lose(application, exc):
                    raise

    async def _send_by(
        self, application: Application, method: str, path: str, body: Mapping[str, Any] | None, eventual: bool, repeatable: bool
    ) -> dict[str, Any]:
        renewed = False
        writes = int(method != "GET")
        for attempt in range(1, ATTEMPTS + 1):
            await asyncio.sleep(self._pool.take(application, Cost(1 - writes, writes)))
            try:
                response = await self._exchange(application, method, path, body, eventual)
            except GraphError as exc:
                lost = exc.code in ("connection_lost", "timeout")
                if lost and not repeatable:
                    raise AnswerLost(f"{exc.msg} Whether it was carried out is not known.", code="answer_lost") from exc  # pylint: disable=bad-exception-cause
                if not (lost or exc.code == "unreachable") or attempt >= 3:
                    raise
                await asyncio.sleep(attempt)
                continue
            status = response.status_code
            if 200 <= status < 300:
                self._pool.note_usage(application, response.headers)
                return json_object(response.content)
            if status == 401 and not renewed and application.tokens.renew():
                renewed = True
                continue
            error = refused_request(method, path, body, status, json_object(response.content), response.headers)
            if status == 429:
                self._pool.pause(application, error, response.headers, attempt, Cost(1 - writes, writes))
            elif status >= 500 and not repeatable:
                raise AnswerLost(f"{error.msg} Whether it was carried out is not known.", code="answer_lost", status=status)
            elif status in (500, 502, 503, 504) and attempt < ATTEMPTS:
                await asyncio.sleep(min(retry_after(response.headers) or 2.0 ** (attempt - 1), MAX_RETRY_AFTER))
            else:
                raise error
        raise error


def _tls(ca_file: str | None) -> Any:
    if not ca_file:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise OffboardError(f"cannot read certificate authorities from ca_file {ca_file}: {exc}", code="ca_file_unusable") from exc


def _keep(answers: dict[str, Answer], pairs: list[tuple[Request, Answer]]) -> None:
    answers.update((request.path, answer) for request, answer in pairs)
