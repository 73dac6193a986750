# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quotas, late visibility, faults on demand, and bodies that break the contract."""

from __future__ import annotations

import concurrent.futures
import time

import pytest
from lab.tenant.throttle import Throttle
from lab.testing import RunningTenant

UPN = "sato.taro@reiji.example"
JSON = {"Content-Type": "application/json"}


class Clock:
    """Seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1.0

    def __call__(self) -> float:
        return self.now


def test_the_write_quota_is_3000_in_150_seconds_for_an_app() -> None:
    clock = Clock()
    throttle = Throttle(users=100_000, clock=clock)
    for _ in range(3000):
        assert throttle.take("a", 1, 1, False)[0] is None
        clock.now += 1e-9
        throttle._buckets[("unit", "a")].tokens = 8000
    refusal, _ = throttle.take("a", 1, 1, False)
    assert refusal is not None
    assert (refusal.scope, round(refusal.seconds, 3)) == ("Application_Tenant", 0.05)
    assert throttle.take("b", 1, 1, False)[0] is None  # another app has its own
    clock.now += 10
    assert sum(throttle.take("a", 1, 1, False)[0] is None for _ in range(300)) == 200  # 20 a second


def test_the_tenant_shares_18000_writes_in_300_seconds() -> None:
    throttle = Throttle(users=100_000, clock=Clock())
    done = sum(throttle.take(app, 1, 1, False)[0] is None for app in "abcdefg" for _ in range(3000))
    assert done == 18_000


@pytest.mark.parametrize(("users", "units"), [(49, 3500), (500, 5000), (501, 8000)])
def test_resource_units_depend_on_the_size_of_the_tenant(users: int, units: int) -> None:
    throttle = Throttle(users, Clock())
    assert sum(throttle.take("a", 1, 0, False)[0] is None for _ in range(9000)) == units


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("/users", 2),
        ("/users?$select=id", 1),
        ("/users?$top=5", 1),
        ("/subscribedSkus", 3),
        ("/domains", 1),
        ("/domains/reiji.example/domainNameReferences", 4),
    ],
)
def test_what_a_request_costs(tenant: RunningTenant, path: str, units: int) -> None:
    assert tenant.client().get(path).headers["x-ms-resource-unit"] == str(units)


def test_a_429_says_when_to_come_back(tenant: RunningTenant) -> None:
    client = tenant.client()
    tenant.settings.clock_scale = 5.0  # the quota of five requests in ten seconds refills in two
    answers = [client.get("/auditLogs/directoryAudits?$top=1") for _ in range(6)]
    assert [reply.status for reply in answers] == [200] * 5 + [429]
    refused = answers[-1]
    assert refused.data["error"]["code"] == "TooManyRequests"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-ms-throttle-scope"].startswith("Application_Tenant/GET/")
    time.sleep(1)
    assert client.get("/auditLogs/directoryAudits?$top=1").status == 200


def test_an_inner_429_has_its_own_retry_after(tenant: RunningTenant) -> None:
    requests = [{"id": str(number), "method": "GET", "url": "/auditLogs/directoryAudits?$top=1"} for number in range(7)]
    reply = tenant.client().call("POST", "/$batch", {"requests": requests})
    refused = [item for item in reply.data["responses"] if item["status"] == 429]
    assert (reply.status, len(refused)) == (200, 2)
    assert all(int(item["headers"]["Retry-After"]) >= 1 for item in refused)


def test_reads_lag_behind_writes(tenant: RunningTenant) -> None:
    client = tenant.client()
    tenant.settings.visibility_delay = 0.4
    key = tenant.user(UPN)["id"]
    assert client.call("PATCH", f"/users/{key}", {"jobTitle": "新"}).status == 204
    assert client.get(f"/users/{key}").data["jobTitle"] != "新"
    assert "新" not in {user["jobTitle"] for user in client.get("/users?$top=999&$select=jobTitle").data["value"]}
    assert client.call("PATCH", f"/users/{key}", {"department": "新部"}).status == 204  # writes build on the latest state
    gone = tenant.user("reception@reiji-shop.example")["id"]
    assert client.call("DELETE", f"/users/{gone}").status == 204
    assert client.get(f"/users/{gone}").status == 200
    assert client.call("PATCH", f"/users/{gone}", {"jobTitle": "x"}).status == 404
    time.sleep(0.5)
    assert client.get(f"/users/{gone}").status == 404
    shown = client.get(f"/users/{key}?$select=jobTitle,department").data
    assert (shown["jobTitle"], shown["department"]) == ("新", "新部")


def test_faults_hit_as_often_as_told(tenant: RunningTenant) -> None:
    client = tenant.client()
    tenant.faults.add(path="/v1.0/domains", status=503, retry_after=7, times=2, skip=1)
    answers = [client.get("/domains") for _ in range(4)]
    assert [reply.status for reply in answers] == [200, 503, 503, 200]
    assert answers[1].headers["retry-after"] == "7"
    assert answers[1].data["error"]["code"] == "ServiceUnavailable"


def test_a_dropped_connection_before_and_after_the_write(tenant: RunningTenant) -> None:
    client, path = tenant.client(), f"/users/{UPN}"
    tenant.faults.add(method="PATCH", drop=True)
    tenant.faults.add(method="PATCH", drop=True, applied=True)
    with pytest.raises(OSError):
        client.call("PATCH", path, {"jobTitle": "一"})
    assert tenant.user(UPN)["jobTitle"] != "一"
    with pytest.raises(OSError):
        client.call("PATCH", path, {"jobTitle": "二"})
    assert tenant.user(UPN)["jobTitle"] == "二"
    assert [item["status"] for item in tenant.writes()] == [None, None]


def test_an_answer_can_lie_about_a_write_that_took_effect(tenant: RunningTenant) -> None:
    tenant.faults.add(method="PATCH", status=504, applied=True)
    assert tenant.client().call("PATCH", f"/users/{UPN}", {"jobTitle": "三"}).status == 504
    assert tenant.user(UPN)["jobTitle"] == "三"


def test_a_fault_inside_batches_only(tenant: RunningTenant) -> None:
    client = tenant.client()
    tenant.faults.add(path="/v1.0/domains", status=429, retry_after=3, batch=True)
    assert client.get("/domains").status == 200
    requests = [{"id": "1", "method": "GET", "url": "/domains"}, {"id": "2", "method": "GET", "url": "/domains"}]
    answers = {item["id"]: item for item in client.call("POST", "/$batch", {"requests": requests}).data["responses"]}
    assert (answers["1"]["status"], answers["1"]["headers"]["Retry-After"], answers["2"]["status"]) == (429, "3", 200)


def test_a_whole_batch_is_done_and_its_answer_lost(tenant: RunningTenant) -> None:
    tenant.faults.add(path=r"/v1\.0/\$batch", drop=True, applied=True)
    requests = [{"id": "1", "method": "PATCH", "url": f"/users/{UPN}", "headers": JSON, "body": {"jobTitle": "四"}}]
    with pytest.raises(OSError):
        tenant.client().call("POST", "/$batch", {"requests": requests})
    assert tenant.user(UPN)["jobTitle"] == "四"


def test_a_stale_read(tenant: RunningTenant) -> None:
    client = tenant.client()
    before = client.get(f"/users/{UPN}").data["jobTitle"]
    client.call("PATCH", f"/users/{UPN}", {"jobTitle": "五"})
    tenant.faults.add(method="GET", path="/v1.0/users.*", stale=True, times=2)
    assert client.get(f"/users/{UPN}").data["jobTitle"] == before
    assert "五" not in {user["jobTitle"] for user in client.get("/users?$top=999&$select=jobTitle").data["value"]}
    assert client.get(f"/users/{UPN}").data["jobTitle"] == "五"


def test_a_page_that_points_to_a_foreign_host(tenant: RunningTenant) -> None:
    tenant.faults.add(path="/v1.0/users", next_link="https://elsewhere.example/v1.0/users?$skiptoken=x")
    assert tenant.client().get("/users?$top=5").data["@odata.nextLink"].startswith("https://elsewhere.example/")


def test_a_delay(tenant: RunningTenant) -> None:
    client = tenant.client()
    tenant.faults.add(path="/v1.0/domains", delay=0.3)
    begin = time.monotonic()
    assert client.get("/domains").status == 200
    assert time.monotonic() - begin >= 0.3


@pytest.mark.parametrize("applied", [False, True])
def test_a_request_held_back_over_a_reset_leaves_no_trace(tenant: RunningTenant, applied: bool) -> None:
    """Of a killed client: neither the company nor the log that the next test looks at knows it."""
    client = tenant.client()
    fault = tenant.faults.add(path="/v1.0/users/.*", method="PATCH", delay=0.5, applied=applied)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        late = pool.submit(client.call, "PATCH", f"/users/{UPN}", {"jobTitle": "late"})
        while not fault.hits:
            time.sleep(0.01)
        tenant.reset()
        with pytest.raises(OSError, match="closed connection"):
            late.result()
    assert (tenant.writes(), tenant.user(UPN).get("jobTitle") == "late") == ([], False)


def test_the_token_endpoint_can_fail_too(tenant: RunningTenant) -> None:
    tenant.faults.add(path=".*/oauth2/v2.0/token", status=503)
    with pytest.raises(AssertionError, match="temporarily_unavailable"):
        tenant.client()
    assert tenant.client().get("/domains").status == 200


def test_a_token_expires(tenant: RunningTenant) -> None:
    tenant.settings.token_lifetime = 0.2
    client = tenant.client()
    assert client.get("/domains").status == 200
    time.sleep(0.3)
    reply = client.get("/domains")
    assert (reply.status, reply.data["error"]["code"]) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize("rule", [{"stauts": 503}, {"path": "("}])
def test_a_wrong_rule_is_refused(tenant: RunningTenant, rule: dict) -> None:
    with pytest.raises(ValueError, match="fault rule"):
        tenant.faults.add(**rule)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"acountEnabled": True}, "acountEnabled"),
        ({"accountEnabled": "true"}, "accountEnabled"),
        ({"passwordProfile": {"pasword": "x"}}, "pasword"),
        ({"businessPhones": "03"}, "businessPhones"),
        ({"passwordProfile": {"forceChangePasswordNextSignIn": 1}}, "forceChangePasswordNextSignIn"),
    ],
)
def test_a_body_outside_the_description_is_a_violation(tenant: RunningTenant, body: dict, name: str) -> None:
    reply = tenant.client().call("PATCH", f"/users/{UPN}", body)
    assert (reply.status, reply.data["error"]["code"]) == (400, "Request_BadRequest")
    assert name in reply.data["error"]["message"]
    assert len(tenant.violations()) == 1
    assert name in tenant.violations()[0]
    tenant.violations().clear()


def test_an_answer_outside_the_description_is_a_violation(tenant: RunningTenant) -> None:
    tenant.arrange("users", tenant.user(UPN)["id"], jobTitle=7)
    assert tenant.client().get(f"/users/{UPN}").status == 500
    assert "jobTitle" in tenant.violations()[0]
    tenant.violations().clear()


def test_null_where_the_csdl_forbids_it_is_a_violation_of_the_strict_schema(tenant: RunningTenant) -> None:
    if not tenant._tenant.graph.contract.strict:
        pytest.skip("Microsoft's strict schema does not lie beside this checkout")
    tenant.arrange("domains", "reiji.example", isVerified=None)
    assert tenant.client().get("/domains/reiji.example").status == 500
    assert "microsoft.graph.domain" in tenant.violations()[0]
    tenant.violations().clear()
