# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client at its port, httpx's transport: no server, no network, no waiting."""

from __future__ import annotations

import asyncio
import base64
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._graph import client as client_module
from ansible_collections.offboard.iij_id.plugins.module_utils._graph import sdk
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.client import Client
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.errors import GraphError, json_object
from ansible_collections.offboard.iij_id.plugins.module_utils._module import waiting

GRAPH = "https://graph.microsoft.com/v1.0"
Answers = Callable[..., Client]


def token(**claims: Any) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.x"


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body if body is not None else {}, headers={name.replace("_", "-"): value for name, value in headers.items()})


def failed(status: int, code: str = "x", **headers: str) -> httpx.Response:
    return answer(status, {"error": {"code": code, "message": "no"}}, **headers)


class World:
    """What Graph answers, in order; the last answer stays. And what was asked of it, and how long was waited."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception] = []
        self.requests: list[httpx.Request] = []
        self.waited: list[float] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)  # one that was read cannot be read again

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {str(request.url).removeprefix(GRAPH)}" for request in self.requests]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    real_sleep, real_client = asyncio.sleep, httpx.AsyncClient

    async def sleep(seconds: float) -> None:
        if seconds:
            made.waited.append(seconds)
        await real_sleep(0)

    def opened(**options: Any) -> httpx.AsyncClient:
        assert options.pop("http2") is False
        options.pop("verify")
        return real_client(**options, transport=httpx.MockTransport(made.handle))

    monkeypatch.setattr(client_module.asyncio, "sleep", sleep)
    monkeypatch.setattr(waiting, "CLOCK", waiting.Clock(client_module.time.monotonic, made.waited.append))
    monkeypatch.setattr(sdk.httpx, "AsyncClient", opened)
    return made


@pytest.fixture
def graph(world: World) -> Iterator[Answers]:
    opened: list[Client] = []

    def make(*answers: httpx.Response | Exception, access_token: str | None = None) -> Client:
        world.answers[:] = answers
        opened.append(Client(Connection("contoso.example", access_token=access_token or token(appid="app", oid="o", tid="t", roles=["User.Read.All"]))))
        return opened[-1]

    yield make
    for client in opened:
        client.close()
        client.close()  # twice does no harm


LOST = httpx.ReadError("gone")
NEVER_THERE = httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("method", "answers", "code", "requests"),
    [
        ("get", [answer(200, {"id": "1"})], None, 1),
        ("get", [failed(503), failed(500), answer(200, {"id": "1"})], None, 3),
        ("get", [LOST, answer(200, {"id": "1"})], None, 2),
        ("get", [LOST], "connection_lost", 3),
        ("get", [NEVER_THERE], "unreachable", 3),
        ("get", [failed(404)], "not_found", 1),
        ("get", [failed(403)], "permission_missing", 1),
        ("get", [failed(401)], "unauthorized", 1),  # a token that was given cannot be had anew
        ("get", [failed(429, Retry_After="3"), answer(200, {"id": "1"})], None, 2),
        ("get", [answer(302, Location="https://evil.example/")], "refused", 1),
        ("patch", [LOST, answer(204)], None, 2),  # the same values once more do no harm
        ("patch", [failed(500), answer(204)], None, 2),
        ("post", [answer(201, {"id": "1"})], None, 1),
        ("post", [LOST], "answer_lost", 1),  # never twice
        ("post", [failed(500)], "answer_lost", 1),
        ("post", [failed(429, Retry_After="1"), answer(201, {"id": "1"})], None, 2),  # refused, so not carried out
        ("post", [NEVER_THERE], "unreachable", 3),  # nobody took it
        ("delete", [answer(204)], None, 1),
        ("delete", [failed(404)], None, 1),
        ("delete", [LOST, failed(404)], None, 2),
        ("delete", [failed(403)], "permission_missing", 1),
    ],
)
def test_one_request(world: World, graph: Answers, method: str, answers: list[Any], code: str | None, requests: int) -> None:
    client = graph(*answers)
    call = getattr(client, method)
    if code is None:
        call("/users/1", *([{"a": "é"}] if method in ("patch", "post") else []))
    else:
        with pytest.raises(GraphError) as caught:
            call("/users/1", *([{"a": "é"}] if method in ("patch", "post") else []))
        assert caught.value.code == code, caught.value
    assert world.asked == [f"{method.upper()} /users/1"] * requests
    assert all(request.headers["Authorization"] == f"Bearer {client.connection.access_token}" for request in world.requests)
    if method in ("patch", "post"):
        assert all(json.loads(request.content) == {"a": "é"} for request in world.requests)


def test_it_waits_as_long_as_graph_asks(world: World, graph: Answers) -> None:
    graph(failed(503, Retry_After="7"), answer(200, {"id": "1"})).get("/x")
    assert 7.0 in world.waited


@pytest.mark.parametrize(
    ("date", "ahead"),
    [("Mon, 05 Jan 2026 10:00:00 GMT", 7200), ("Mon, 05 Jan 2026 12:00:00 GMT", 0), ("Mon, 05 Jan 2026 14:00:00 +0200", 0), ("yesterday", None), ("", None)],
)
def test_graph_tells_how_far_the_clock_is_ahead(graph: Answers, monkeypatch: pytest.MonkeyPatch, date: str, ahead: float | None) -> None:
    monkeypatch.setattr("time.time", lambda: 1767614400.0)  # 2026-01-05T12:00:00Z
    client = graph(answer(200, {"id": "1"}, Date=date))
    assert client.clock_ahead is None
    client.get("/organization/1")
    assert client.clock_ahead == ahead


def test_a_single_404_may_be_a_replica_that_lags(world: World, graph: Answers) -> None:
    assert graph(failed(404), answer(200, {"id": "1"})).find("/x") == {"id": "1"}
    assert graph(failed(404)).find("/x") is None
    assert len(world.requests) == 2 + 3
    with pytest.raises(GraphError):
        graph(failed(403)).find("/x")


def page(*ids: str, link: str = "") -> httpx.Response:
    return answer(200, {"value": [{"id": one} for one in ids], **({"@odata.nextLink": link} if link else {})})


def test_a_list_of_pages(world: World, graph: Answers) -> None:
    client = graph(page("1", "2", link=f"{GRAPH}/users?$skiptoken=a"), page("2", "3", "3", link=f"{GRAPH}/users?$skiptoken=b"), page("4"))
    assert [item["id"] for item in client.list("/users?$top=2", eventual=True)] == ["1", "2", "3", "4"]
    assert [request.url.query.decode() for request in world.requests] == ["$top=2", "$skiptoken=a", "$skiptoken=b"]
    assert all(request.headers["ConsistencyLevel"] == "eventual" for request in world.requests)


def test_what_comes_again_far_behind_is_given_once(graph: Answers) -> None:
    links = [f"{GRAPH}/users?$skiptoken={number}" for number in range(3)]
    answers = (page("1", "2", link=links[0]), page("3", link=links[1]), page("4", "1", link=links[2]), page("3", "5"))
    assert [item["id"] for item in graph(*answers).list("/users")] == ["1", "2", "3", "4", "5"]
    assert [len(found) for found in graph(*answers).pages("/auditLogs/signIns", once=False)] == [2, 1, 2, 2]


def test_what_has_no_id_of_its_own_is_given_as_often_as_it_comes(graph: Answers) -> None:
    client = graph(answer(200, {"value": [{"tenantId": "a"}, {"tenantId": "b"}, {"id": None}, {"id": None}, {"id": ["x"]}, {"id": 7}]}))
    assert len(list(client.list("/policies/crossTenantAccessPolicy/partners"))) == 6


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([page("1", link="https://graph.microsoft.com.evil.example/v1.0/users?$skiptoken=a")], "foreign_next_link"),
        ([page("1", link="https://graph.microsoft.com/beta/users?$skiptoken=a")], "foreign_next_link"),
        ([page("1", link=f"{GRAPH}/users?$skiptoken=a")], "duplicate_page"),
        ([answer(200, {"hello": "proxy"})], "no_list"),
        ([answer(200, {"value": "all"})], "no_list"),
        ([answer(200, {"value": [None]})], "no_list"),
        ([answer(200, {"value": ["an id"]})], "no_list"),
        ([page("1", link=f"{GRAPH}/users?$skiptoken=a"), answer(204)], "no_list"),
        ([page("1", link=f"{GRAPH}/users?$skiptoken=a"), failed(403)], "permission_missing"),
    ],
)
def test_a_list_that_is_none_is_never_an_empty_one(world: World, graph: Answers, answers: list[Any], code: str) -> None:
    with pytest.raises(GraphError) as caught:
        list(graph(*answers).list("/users"))
    assert caught.value.code == code
    assert {request.url.host for request in world.requests} == {"graph.microsoft.com"}


def batch_of(world: World, request: httpx.Request) -> httpx.Response:
    world.requests.append(request)
    inner = json.loads(request.content)["requests"]
    return answer(200, {"responses": [{"id": one["id"], "status": 200, "body": {"url": one["url"]}} for one in reversed(inner)]})


def test_many_reads_come_in_the_order_that_was_asked(world: World, graph: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    client = graph(answer())
    monkeypatch.setattr(world, "handle", functools.partial(batch_of, world))
    paths = [f"/users/{number}" for number in range(45)]
    assert [(path, found.body["url"]) for path, found in client.get_many(paths)] == [(path, path) for path in paths]
    assert len(world.requests) == 3 and client.requests_sent == 3


@pytest.mark.parametrize(
    ("claims", "who", "granted"),
    [
        ({"appid": "app", "oid": "o", "tid": "t", "roles": ["B", "A"]}, ("app", "", "o", "t"), ["A", "B"]),
        ({"azp": "app", "unique_name": "u@a.example", "scp": "User.Read", "roles": ["A"]}, ("app", "u@a.example", "", "contoso.example"), None),
        ({"appid": 1, "oid": None}, ("", "", "", "contoso.example"), None),
    ],
)
def test_who_signs_in(graph: Answers, claims: dict[str, Any], who: tuple[str, ...], granted: list[str] | None) -> None:
    client = graph(answer(), access_token=token(**claims))
    found = client.identity()
    assert tuple(found[name] for name in ("app_id", "upn", "object_id", "tenant_id")) == who
    assert client.granted() == granted


@pytest.mark.parametrize("text", ["opaque", "a.b.c", "e30.!!!.x", "e30..x"])
def test_a_token_that_tells_nothing(graph: Answers, text: str) -> None:
    assert graph(answer(), access_token=text).identity() == {"app_id": "", "upn": "", "object_id": "", "tenant_id": "contoso.example"}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (rb'{"displayName": "cut \ud83d"}', r"cut \ud83d"),
        (rb'{"displayName": "whole \uD83D\uDE00"}', "whole \U0001f600"),
        ('{"displayName": "\u540d"}'.encode(), "名"),
    ],
)
def test_half_of_a_character_is_shown(body: bytes, name: str) -> None:
    """A display name that was cut within an emoji: no file could hold it, and Ansible takes no answer with it."""
    assert json_object(body) == {"displayName": name}


@pytest.mark.parametrize(
    ("code", "told"), [("Authorization_RequestDenied", True), ("", True), ("Directory_QuotaExceeded", False), ("Directory_ResourceSizeExceeded", False)]
)
def test_a_permission_is_asked_for_only_where_one_is_missing(graph: Answers, code: str, told: bool) -> None:
    with pytest.raises(GraphError) as error:
        graph(failed(403, code)).get("/users/x")
    assert ("Grant the app" in error.value.msg) == told
