# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many requests by $batch, at the speed of the quotas."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import MAX_RETRY_AFTER, AnswerLost, GraphError, SignInFailed, folded, json_object, refused_request, retry_after, too_long
from .pacer import REPORT_QUOTA
from .pool import ATTEMPTS, BATCH_SIZE, Application, Cost, Pool

_WORTH_CHANGING = 0.1  # seconds by which another application must be sooner: each change gains so much, so changes come to an end


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
        return refused_request(request.method, request.path, request.body, self.status, self.body, {})


Done = Callable[[list[tuple[Request, Answer]]], Iterable[Request] | None]  # pylint: disable=unsupported-binary-operation
#: (application, method, path, body) → httpx.Response; raises GraphError when there is no answer
Exchange = Callable[[Application, str, str, Mapping[str, Any]], Awaitable[Any]]


@dataclass(slots=True)
class _Sending:
    """A request on its way: how often it was sent, and which applications it was refused to for want of a permission."""

    request: Request
    attempts: int = 0
    denied: tuple[Application, ...] = ()


@dataclass(slots=True)
class _SortedOut:
    """What the answers of one batch come to: what is final, how long to pause (seconds; by which headers), and why the run ends."""

    final: list[tuple[Request, Answer]] = field(default_factory=list)
    pause: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    stop: GraphError | None = None

    def wait(self, seconds: float, headers: Mapping[str, str] | None = None) -> None:
        """Pause at least so long."""
        if seconds > self.pause:
            self.pause, self.headers = seconds, self.headers if headers is None else headers


class Engine:
    """Keeps a number of batches in flight until there is nothing left to send."""

    def __init__(self, pool: Pool, exchange: Exchange, source: Iterator[Request], done: Done) -> None:
        self._pool = pool
        self._exchange = exchange
        self._source: Iterator[Request] | None = source
        self._done = done
        self._first: deque[_Sending] = deque()  # follow-ups and refused ones
        self._changed = asyncio.Event()
        self._busy = 0
        self._failure: Exception | None = None
        self._stopped = False

    def stop(self) -> None:
        """No new request goes out, and `run` returns when the answers on their way have come. From any thread."""
        self._stopped = True

    async def run(self, in_flight: int) -> None:
        """Returns when nothing is left. Raises what `done`, the source or a refusal of everything raised."""
        await asyncio.gather(*(self._work() for _unused in range(in_flight)))
        if self._failure is not None:
            raise self._failure

    @property
    def _ends(self) -> bool:
        """Nothing more goes out; what is on its way is still heard."""
        return self._stopped or self._failure is not None

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
        pool = self._pool
        denied = {application for item in batch for application in item.denied}
        while True:
            usable = [application for application in pool.usable() if application not in denied] or pool.usable()
            now = pool.clock()
            choice = min(usable, key=lambda one: (one.delay(cost, now), -one.writes.share_left, one.requests))
            ready = now + pool.take(choice, cost)
            while not self._ends and choice.lost is None:
                now = pool.clock()
                paused = choice.paused(cost, now)  # another batch may have been refused meanwhile
                left = max(ready - now, paused)
                if paused and any(one.delay(cost, now) < left - _WORTH_CHANGING for one in usable):
                    break
                wait = max(left, pool.tenant_pause(cost, now))
                if wait <= 0:
                    return choice
                await asyncio.sleep(min(wait, 1.0))
            pool.give_back(choice, cost)
            if self._ends:
                return None

    async def _carry(self, batch: list[_Sending]) -> None:
        cost = _cost(batch)
        application = await self._turn(batch, cost)
        if application is None:
            return
        answers: dict[str, dict[str, Any]] | None = {}
        try:
            answers = await self._post(application, batch)
        except GraphError as exc:
            if exc.code not in ("connection_lost", "timeout", "server_error"):
                # Nothing of the batch was carried out. Where the reason is the application, another one takes it.
                if (exc.status in (401, 403, 429) or isinstance(exc, SignInFailed)) and self._pool.lose(application, exc):
                    self._first.extendleft(reversed(batch))
                    return
                self._done([(item.request, Answer(exc.status, failure=exc)) for item in batch])
                raise
        if answers is None:  # refused as a whole for now: nothing of it was carried out
            self._first.extendleft(replace(item, attempts=item.attempts + 1) for item in reversed(batch))
            return
        sorted_out = _SortedOut()
        for index, item in enumerate(batch):
            self._sort_out(item, answers.get(str(index)), application, sorted_out)
        if sorted_out.pause and sorted_out.stop is None:
            self._pool.throttled(application, sorted_out.headers, min(sorted_out.pause, MAX_RETRY_AFTER), cost)
        if sorted_out.final:
            self._first.extend(_Sending(request) for request in self._done(sorted_out.final) or ())
        if sorted_out.stop is not None:
            raise sorted_out.stop

    def _sort_out(self, item: _Sending, raw: Mapping[str, Any] | None, application: Application, into: _SortedOut) -> None:
        """One answer of a batch (None where there is none): final, or its request goes out again."""
        answer = Answer(0) if raw is None else Answer(raw["status"], _decoded(raw.get("body")))
        if answer.ok and item.denied:
            self._denied(item)
        if answer.status == 403 and self._elsewhere(item, application):
            return
        if answer.status == 401 and self._signed_in_anew(item, application, answer):
            return
        again = answer.status == 429 or (answer.uncertain and not item.request.writes)
        if answer.status == 429 and self._throttled(item, _headers(raw), application, answer, into):
            return
        if answer.uncertain:
            into.wait(retry_after(_headers(raw)) or (1.0 if again else 0.0))
        if again and item.attempts + 1 < ATTEMPTS and into.pause <= MAX_RETRY_AFTER and self._failure is None:
            self._first.append(replace(item, attempts=item.attempts + 1))
        else:
            into.final.append((item.request, answer))

    def _throttled(self, item: _Sending, headers: Mapping[str, str], application: Application, answer: Answer, into: _SortedOut) -> bool:
        """Whether another application sends it, since this one would have to wait for too long. Else all wait, or where none is left it ends here."""
        application.refused += 1
        seconds = retry_after(headers) or min(2.0 ** (item.attempts + 1), 60.0)
        if seconds > MAX_RETRY_AFTER:
            if self._pool.lose(application, answer.error(item.request)):
                self._first.append(item)
                return True
            into.stop = too_long(seconds)
        into.wait(seconds, headers)
        return False

    def _elsewhere(self, item: _Sending, application: Application) -> bool:
        """A request that one application may not send is not carried out; whether another one may is tried before that is the answer."""
        denied = (*item.denied, application)
        if self._failure is not None or all(one in denied for one in self._pool.usable()):
            return False
        self._first.append(replace(item, denied=denied))
        return True

    def _signed_in_anew(self, item: _Sending, application: Application, answer: Answer) -> bool:
        """The token ended on the way, and the request was not carried out: it goes out again with another token, or by another application."""
        again = item.attempts + 1 < ATTEMPTS and application.tokens.renew()
        if self._failure is not None or not (again or self._pool.lose(application, answer.error(item.request))):
            return False
        self._first.append(replace(item, attempts=item.attempts + 1 if again else 0))
        return True

    def _denied(self, item: _Sending) -> None:
        """Another application could: those that could not lack a permission or a role, and would fail for others too."""
        for application in item.denied:
            error = refused_request(item.request.method, item.request.path, item.request.body, 403, {}, {})
            self._pool.lose(application, error)

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
        renewed = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = await self._exchange(application, "POST", "/$batch", {"requests": requests})
            except GraphError as exc:
                if exc.code not in ("unreachable", "host_unknown") or attempt == ATTEMPTS:
                    raise
                await self._rest(2.0**attempt)  # nothing was sent: a network that is away for a minute ends no run of hours
                if self._stopped:
                    return None
                continue
            status = response.status_code
            if status == 200:
                self._pool.note_usage(application, response.headers)
                return _answers(json_object(response.content).get("responses"))
            error = refused_request("POST", "/$batch", None, status, json_object(response.content), response.headers)
            if status == 401 and not renewed and application.tokens.renew():
                renewed = True
                continue
            if status == 429:
                self._pool.pause(application, error, response.headers, max(item.attempts for item in batch) + 1, _cost(batch))
                return None
            if status >= 500 and (seconds := retry_after(response.headers)):
                for cost in (Cost(1), Cost(1, 1)):
                    self._pool.throttled(application, {}, min(seconds, MAX_RETRY_AFTER), cost)
            raise error
        raise error

    async def _rest(self, seconds: float) -> None:
        """Sleep, but not through the end of the run."""
        end = self._pool.clock() + seconds
        while not self._stopped and (left := end - self._pool.clock()) > 0:
            await asyncio.sleep(min(left, 1.0))


def _cost(batch: Collection[_Sending]) -> Cost:
    """A batch is all about authentication methods, or not at all."""
    reports = len(batch) if any(item.request.reports for item in batch) else 0
    return Cost(len(batch), sum(1 for item in batch if item.request.writes), reports)


def _answers(given: Any) -> dict[str, dict[str, Any]]:
    """Those inside a batch that are answers, by position. Of what is none (a proxy's words) nobody knows whether it was carried out."""
    whole = (item for item in (given if isinstance(given, list) else ()) if isinstance(item, dict))
    return {item["id"]: item for item in whole if isinstance(item.get("id"), str) and isinstance(item.get("status"), int)}


def _headers(raw: Mapping[str, Any] | None) -> Mapping[str, str]:
    """Those of one answer inside a batch; none where there was no answer."""
    return folded((raw or {}).get("headers"))


def _decoded(body: Any) -> Mapping[str, Any]:
    """The body of an answer inside a batch; what is not JSON comes as base64 text and is of no use here."""
    return body if isinstance(body, dict) else {}
