# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out changes of users at the port: a client that is a table of users, and what it does to a request."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Outcome
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import work
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.access_pass import Terms
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.licences import Skus
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.results import Results
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.work import Work, WorkOptions
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.batches import Answer, Request


def enabled(number: int, **after: Any) -> Change:
    return Change("user", f"u{number}", f"u{number}@a.example", "update", {"accountEnabled": False}, {"accountEnabled": True, **after})


class Table:
    """`serve` (request, how often it came) gives the answer; what a PATCH has done (204, or lost and `carried_out`) is read back."""

    def __init__(self, serve: Callable[[Request, int], Answer]) -> None:
        self.serve = serve
        self.sent: list[str] = []
        self.users: dict[str, dict[str, Any]] = {}

    def batch(self, requests: Iterable[Request], done: Callable[[list[tuple[Request, Answer]]], Iterable[Request] | None]) -> None:
        source, first = iter(requests), deque[Request]()
        while (request := first.popleft() if first else next(source, None)) is not None:
            self.sent.append(f"{request.method} {request.path}")
            answer = self.serve(request, self.sent.count(self.sent[-1]))
            if (answer.ok or answer.body.get("carried_out")) and request.method == "PATCH":
                self.users.setdefault(request.path.rpartition("/")[2], {}).update(request.body or {})
            first.extend(done([(request, answer)]) or ())

    def get_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        for path in paths:
            yield path, Answer(200, {"id": path, "accountEnabled": False, **self.users.get(path, {})})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(work.time, "sleep", lambda _seconds: None)

    def carry(serve: Callable[[Request, int], Answer], *changes: Change, broken: OffboardError | None = None):
        client, begun, outcomes = Table(serve), [], list[Outcome]()
        means: Any = SimpleNamespace(path=lambda key: key)
        work_of = Work(
            WorkOptions(client, means, Results(None), Skus(lambda: iter(())), {}, "none", Terms()),  # type: ignore[arg-type]
            iter(changes),
            lambda group: begun.extend(change.id for change in group),
            lambda *found: outcomes.extend(found),
        )
        try:
            work_of.run()
        except OffboardError as exc:
            assert broken is exc
            work_of.give_up(exc)
        return client, begun, {item.change.id: item for item in outcomes}, len(outcomes)

    return carry


def fine(_request: Request, _times: int) -> Answer:
    return Answer(204)


def test_each_user_has_one_intent_and_one_outcome(run):
    client, begun, outcomes, count = run(fine, *(enabled(number) for number in range(250)))
    assert begun == [f"u{number}" for number in range(250)]
    assert {item.status for item in outcomes.values()} == {"done"}
    assert count == len(outcomes) == 250
    assert len(client.sent) == 250


def test_the_steps_come_one_after_the_other(run):
    client, _begun, outcomes, _count = run(fine, enabled(1, signInSessions="revoked"))
    assert client.sent == ["PATCH /users/u1", "POST /users/u1/revokeSignInSessions"]
    assert outcomes["u1"].details["steps_done"] == ["patch", "revoke"]


def test_one_that_is_refused_hides_no_other_and_goes_no_further(run):
    def serve(request: Request, _times: int) -> Answer:
        return Answer(400, {"error": {"code": "x", "message": "no"}}) if request.path == "/users/u1" else Answer(204)

    client, _begun, outcomes, _count = run(serve, enabled(1, signInSessions="revoked"), enabled(2))
    assert (outcomes["u1"].status, outcomes["u2"].status) == ("failed", "done")
    assert "POST /users/u1/revokeSignInSessions" not in client.sent


def test_a_lost_answer_is_looked_up_and_what_was_done_is_not_sent_again(run):
    """The first of them was carried out, the second was not."""

    def serve(request: Request, times: int) -> Answer:
        return Answer(0, {"carried_out": request.path == "/users/u1"}) if times == 1 else Answer(204)

    client, _begun, outcomes, _count = run(serve, enabled(1), enabled(2))
    assert client.sent == ["PATCH /users/u1", "PATCH /users/u2", "PATCH /users/u2"]
    assert [item.status for item in outcomes.values()] == ["done", "done"]


def test_who_is_never_answered_has_failed(run):
    _client, _begun, outcomes, count = run(lambda *_: Answer(0), enabled(1))
    assert (outcomes["u1"].status, outcomes["u1"].code, count) == ("failed", "answer_lost", 1)


def test_when_the_run_ends_on_the_way_everybody_has_an_outcome(run):
    error = OffboardError("the tenant is gone", code="unreachable")

    def serve(request: Request, _times: int) -> Answer:
        if request.path == "/users/u150":
            raise error
        return Answer(204)

    _client, begun, outcomes, count = run(serve, *(enabled(number) for number in range(1200)), broken=error)
    assert count == len(outcomes) == 1200
    assert all(outcomes[f"u{number}"].status == "done" for number in range(150))
    for number in range(150, 1200):
        expected = "failed" if f"u{number}" in begun else "skipped"
        assert outcomes[f"u{number}"].status == expected, number
    assert "u1199" not in begun
