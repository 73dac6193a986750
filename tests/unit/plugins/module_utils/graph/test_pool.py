# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections, and how the quotas of several applications play together; what goes over the wire is tested against the lab's tenant."""

from __future__ import annotations

import asyncio
import time

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.batches import Engine, Request, _Sending
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.pool import Cost, Pool

FIRST = Connection("t", client_id="first", client_secret="one", write_quota=(100, 10.0), tenant_write_quota=(300, 10.0))


def pool(count: int) -> Pool:
    further = FIRST.further([{"client_id": f"app-{number}", "client_secret": "x"} for number in range(2, count + 1)])
    return Pool((FIRST, *further), clock=lambda: 0.0)


def test_further_applications_share_the_connection_but_no_secret():
    (second,) = FIRST.further([{"client_id": "second", "client_certificate_path": "/c.pem"}])
    assert (second.tenant_id, second.write_quota, second.client_secret, second.kind) == ("t", (100, 10.0), None, "certificate")


@pytest.mark.parametrize(
    "items",
    [
        [{"client_id": "FIRST", "client_secret": "x"}],
        [{"client_id": "a", "client_secret": "x"}] * 2,
        [{"client_id": text, "client_secret": "x"} for text in ("{907FC9C1-C1CF-5891-97CB-17F0571A3426}", "907fc9c1-c1cf-5891-97cb-17f0571a3426")],
        [{"client_id": "a"}],
    ],
    ids=["first", "twice", "pasted", "bare"],
)
def test_bad_applications(items):
    with pytest.raises(OffboardError) as caught:
        FIRST.further(items)
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize("quota", [{"requests": 0, "seconds": 1}, {"requests": 1, "seconds": 0}, {"requests": -1, "seconds": 150}])
def test_bad_quotas(quota):
    with pytest.raises(OffboardError, match="write_quota"):
        Connection.from_params({"tenant_id": "t", "write_quota": quota})


@pytest.mark.parametrize(("count", "allowed"), [(1, 60), (2, 120), (3, 180), (8, 260)])
def test_each_application_has_its_quota_and_all_of_them_the_tenants(count, allowed):
    """Of 100 and of 300 requests, 40 are kept back each."""
    shared = pool(count)
    sent = 0
    while True:
        choice = min(shared.applications, key=lambda one: (one.delay(Cost(20, 20), 0.0), -one.writes.share_left))
        if shared.take(choice, Cost(20, 20)) > 0:
            break
        sent += 20
    assert sent == allowed


@pytest.mark.parametrize(("scope", "others"), [("Tenant/PATCH/app", 5.0), ("Application_Tenant/PATCH/app", 0.0), ("", 0.0)])
def test_whose_limit_was_hit_decides_who_waits(scope, others):
    shared = pool(2)
    shared.throttled(shared.applications[0], {"X-Ms-Throttle-Scope": scope}, 5.0, Cost(20, 20))
    assert max(bucket.blocked(0.0) for bucket, _unused in shared.costs(shared.applications[1], Cost(20, 20))) == others
    assert max(bucket.blocked(0.0) for bucket, _unused in shared.costs(shared.applications[0], Cost(20, 20))) == 5.0


def test_the_last_application_is_never_lost():
    shared = pool(2)
    error = OffboardError("gone", code="client_disabled")
    assert shared.lose(shared.applications[0], error) is True
    assert shared.lose(shared.applications[0], error) is True
    assert shared.lose(shared.applications[1], error) is False
    assert shared.usable() == [shared.applications[1]]


BATCH = [_Sending(Request("PATCH", f"/users/{number}", {})) for number in range(20)]
COST = Cost(20, 20)


@pytest.mark.parametrize(
    ("reserved", "refused", "name"),
    [(200, 1.5, "first"), (55, 60.0, "app-2")],
    ids=["the other has more to do than the pause lasts", "the other is sooner"],
)
def test_a_refused_application_is_left_only_for_one_that_is_sooner(reserved, refused, name):
    """The first one could send in 1 s, and is refused just as it was chosen; the other one could in 16 s or in 1.5 s."""
    shared = Pool((FIRST, *FIRST.further([{"client_id": "app-2", "client_secret": "x"}])), time.monotonic)
    first, second = shared.applications
    first.writes.take(50, time.monotonic())
    second.writes.take(reserved, time.monotonic())
    take, choices, ticks = shared.take, [], 0

    def counted(application, cost):
        choices.append(application.connection.client_id)
        assert len(choices) < 1000, "it chooses again and again"
        return take(application, cost)

    shared.take = counted

    async def both() -> None:
        nonlocal ticks
        turn = asyncio.ensure_future(Engine(shared, None, iter(()), lambda pairs: None)._turn(BATCH, COST))
        await asyncio.sleep(0)
        shared.throttled(first, {}, refused, COST)
        while not turn.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert (await turn).connection.client_id == name

    asyncio.run(both())
    assert (choices[0], choices[-1], len(choices) <= 2) == ("first", name, True)
    assert ticks > 50, "nothing else could run meanwhile"
