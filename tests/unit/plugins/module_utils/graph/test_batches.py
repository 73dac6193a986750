# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine of batches at its port: what an exchange answers, and what goes out next. No server, no time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._graph import batches
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.batches import ATTEMPTS, BATCH_SIZE, Answer, Engine, Request
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.errors import GraphError
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.pool import Pool


class Response(NamedTuple):
    content: bytes
    status_code: int = 200
    headers: dict[str, str] = {}


class Clock:
    """Moves on whenever the engine sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


Server = Callable[[dict[str, Any], int], dict[str, Any] | None]


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch):
    """Sends requests to a server that is a function (request, how often it came) → its entry of the answer, None for none."""
    clock = Clock()
    really = asyncio.sleep

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        await really(0)

    def run(server: Server, requests: list[Request], follow: Callable[[Request, Answer], list[Request]] = lambda *_: [], in_flight: int = 1):
        monkeypatch.setattr(asyncio, "sleep", sleep)
        batches: list[list[dict[str, Any]]] = []
        seen: dict[str, int] = {}
        answers: list[tuple[str, Answer]] = []

        async def exchange(_application: object, method: str, path: str, body: dict[str, Any]) -> Response:
            assert (method, path) == ("POST", "/$batch")
            batches.append(body["requests"])
            entries = []
            for entry in body["requests"]:
                seen[entry["url"]] = seen.get(entry["url"], 0) + 1
                found = server(entry, seen[entry["url"]])
                entries += [{"id": entry["id"], **found}] if found is not None else []
            return Response(json.dumps({"responses": entries}).encode())

        def done(pairs: list[tuple[Request, Answer]]) -> list[Request]:
            answers.extend((request.path, answer) for request, answer in pairs)
            return [more for request, answer in pairs for more in follow(request, answer)]

        pool = Pool((Connection("t", client_id="a", client_secret="s"),), clock=clock)
        asyncio.run(Engine(pool, exchange, iter(requests), done).run(in_flight))
        return batches, answers, clock.now

    return run


def fine(_entry: dict[str, Any], _times: int) -> dict[str, Any]:
    return {"status": 204}


def test_everything_is_sent_once_in_full_batches(send):
    requests = [Request("PATCH", f"/users/{number}", {"x": 1}) for number in range(2 * BATCH_SIZE + 1)]
    batches, answers, _seconds = send(fine, requests)
    assert [len(batch) for batch in batches] == [BATCH_SIZE, BATCH_SIZE, 1]
    assert [path for path, _answer in answers] == [request.path for request in requests]


def test_follow_ups_go_before_what_is_still_to_come(send):
    requests = [Request("PATCH", f"/users/{number}", {}) for number in range(BATCH_SIZE + 1)]
    more = {"/users/0": [Request("POST", "/users/0/assignLicense", {})]}
    batches, _answers, _seconds = send(fine, requests, lambda request, _answer: more.get(request.path, []))
    assert [entry["url"] for entry in batches[1]] == ["/users/0/assignLicense", f"/users/{BATCH_SIZE}"]


def test_one_that_is_throttled_is_sent_again_after_the_pause_and_the_others_are_not(send):
    def server(entry: dict[str, Any], times: int) -> dict[str, Any]:
        return {"status": 429, "headers": {"Retry-After": "7"}} if entry["url"] == "/users/1" and times == 1 else {"status": 204}

    batches, answers, seconds = send(server, [Request("PATCH", f"/users/{number}", {}) for number in range(3)])
    assert [[entry["url"] for entry in batch] for batch in batches] == [["/users/0", "/users/1", "/users/2"], ["/users/1"]]
    assert all(answer.ok for _path, answer in answers)
    assert seconds >= 7


@pytest.mark.parametrize(("method", "times"), [("PATCH", 1), ("POST", 1), ("DELETE", 1), ("GET", ATTEMPTS)])
@pytest.mark.parametrize("lost", [None, {"status": 503}])
def test_only_reading_is_sent_again_when_nobody_knows_what_became_of_it(send, method, times, lost):
    batches, ((_path, answer),), _seconds = send(lambda *_: lost, [Request(method, "/users/1", None)])
    assert len(batches) == times
    assert answer.uncertain


def test_a_refusal_is_the_answer_and_stops_nobody(send):
    def server(entry: dict[str, Any], _times: int) -> dict[str, Any]:
        return {"status": 400, "body": {"error": {"code": "x"}}} if entry["url"] == "/users/0" else {"status": 204}

    batches, answers, _seconds = send(server, [Request("PATCH", f"/users/{number}", {}) for number in range(2)])
    assert len(batches) == 1
    assert [answer.status for _path, answer in answers] == [400, 204]


def test_a_throttle_that_lasts_too_long_ends_the_run(send):
    with pytest.raises(GraphError) as caught:
        send(lambda *_: {"status": 429, "headers": {"Retry-After": "99999"}}, [Request("PATCH", "/users/0", {})])
    assert caught.value.code == "throttled"


@pytest.mark.parametrize(
    "given",
    [None, {}, "x", 5, [None, 5, "x", []], [{"status": 204}, {"id": 1, "status": 204}, {"id": "1"}, {"id": "1", "status": "204"}, {"id": None, "status": 204}]],
)
def test_what_is_no_answer_inside_a_batch_is_passed_over(given: Any) -> None:
    assert batches._answers(given) == {}
    if isinstance(given, list):
        assert batches._answers([*given, {"id": "0", "status": 204}]) == {"0": {"id": "0", "status": 204}}
