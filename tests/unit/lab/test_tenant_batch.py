# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""$batch: envelope, order, dependencies, counting, logging."""

from __future__ import annotations

from typing import Any

import pytest
from lab.testing import RunningTenant

JSON = {"Content-Type": "application/json"}
UPN = "sato.taro@reiji.example"


def send(tenant: RunningTenant, *requests: dict[str, Any], app: str = "offboard") -> tuple[int, dict[str, dict[str, Any]]]:
    """Status of the envelope, and the answers by id."""
    numbered = [{"id": str(number), **item} for number, item in enumerate(requests)]
    reply = tenant.client(app).call("POST", "/$batch", {"requests": numbered})
    answers = reply.data.get("responses", []) if reply.data else []
    assert all(set(item) <= {"id", "status", "headers", "body"} for item in answers)
    return reply.status, {item["id"]: item for item in answers}


def get(url: str, **more: Any) -> dict[str, Any]:
    return {"method": "GET", "url": url, **more}


def patch(url: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"method": "PATCH", "url": url, "headers": JSON, "body": body, **more}


def test_each_answer_has_its_own_status(tenant: RunningTenant) -> None:
    status, answers = send(tenant, get(f"/users/{UPN}"), get("users/nobody@reiji.example"), patch(f"/users/{UPN}", {"jobTitle": "顧問"}))
    assert status == 200
    assert [answers[key]["status"] for key in "012"] == [200, 404, 204]
    assert answers["0"]["body"]["displayName"] == "佐藤 太郎"
    assert answers["1"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert "body" not in answers["2"]
    assert tenant.user(UPN)["jobTitle"] == "顧問"


def test_answers_come_in_another_order(tenant: RunningTenant) -> None:
    _, answers = send(tenant, get("/domains"), get("/organization"), get("/groups"))
    assert list(answers) == ["2", "1", "0"]


def test_what_depends_on_a_failure_is_not_done(tenant: RunningTenant) -> None:
    _, answers = send(
        tenant,
        get("/domains"),
        patch("/users/nobody@reiji.example", {"jobTitle": "x"}, dependsOn=["0"]),
        patch(f"/users/{UPN}", {"jobTitle": "x"}, dependsOn=["1"]),
        get("/domains", dependsOn=["2"]),
    )
    assert {key: item["status"] for key, item in answers.items()} == {"0": 200, "1": 404, "2": 424, "3": 424}
    assert tenant.user(UPN)["jobTitle"] != "x"


def test_what_depends_goes_step_by_step(tenant: RunningTenant) -> None:
    """Source: learn.microsoft.com/graph/json-batching, and microsoft-graph-docs-contrib#2339 for the refusal."""
    _, answers = send(tenant, get("/domains", id="A"), get("/domains", dependsOn=["a"], id="B"), get("/domains", dependsOn=["B"], id="C"))
    assert [item["status"] for item in answers.values()] == [200] * 3
    for mixed in (
        [get("/domains"), get("/domains", dependsOn=["0"]), get("/domains")],
        [get("/domains"), get("/domains"), get("/domains", dependsOn=["1"])],
        [get("/domains"), get("/domains", dependsOn=["0"]), get("/domains", dependsOn=["0"])],
    ):
        reply = tenant.client().call("POST", "/$batch", {"requests": [{"id": str(number), **item} for number, item in enumerate(mixed)]})
        assert (reply.status, reply.data["error"]["message"]) == (400, "Batch should be either fully sequential or fully parallel.")


def test_null_is_nothing_and_a_method_has_no_case(tenant: RunningTenant) -> None:
    """Source: OData JSON 4.01, 19.1."""
    status, answers = send(tenant, {"method": "get", "url": "/domains", "headers": None, "body": None, "dependsOn": None})
    assert (status, answers["0"]["status"]) == (200, 200)


def test_the_segment_has_no_case(tenant: RunningTenant) -> None:
    reply = tenant.client().call("POST", "/$BATCH", {"requests": [get("/domains", id="1")]})
    assert (reply.status, reply.data["responses"][0]["status"]) == (200, 200)
    assert not tenant.writes()


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [get("/domains", id=str(number)) for number in range(21)],
        [get("/domains", id="1"), get("/users", id="1")],
        [get("https://graph.microsoft.com/v1.0/users", id="1")],
        [get("/domains", id="1", dependsOn=["2"]), get("/domains", id="2")],
        [{"id": "1"}],
        ["no object"],
        [get("/domains", id=1)],
        [get("/domains", id="a"), get("/users", id="A")],
        [get("/domains", id="1", headers=["x"])],
        [get("/domains", id="1", headers={"x": None})],
        [get("/domains", id="1", dependsOn="2")],
        [get("/$BATCH", id="1")],
    ],
)
def test_a_malformed_envelope_is_refused(tenant: RunningTenant, requests: list[Any]) -> None:
    assert tenant.client().call("POST", "/$batch", {"requests": requests}).status == 400


def test_an_inner_body_needs_its_content_type(tenant: RunningTenant) -> None:
    _, answers = send(tenant, {"method": "PATCH", "url": f"/users/{UPN}", "body": {"jobTitle": "x"}})
    assert answers["0"]["status"] == 400


def test_permissions_hold_inside_a_batch(tenant: RunningTenant) -> None:
    _, answers = send(tenant, get("/users?$top=1"), patch(f"/users/{UPN}", {"jobTitle": "x"}), app="readonly")
    assert [answers[key]["status"] for key in "01"] == [200, 403]


def test_headers_hold_for_one_inner_request(tenant: RunningTenant) -> None:
    url = "/users?$filter=endsWith(userPrincipalName,'@sales.reiji.example')&$count=true"
    _, answers = send(tenant, get(url), get(url, headers={"ConsistencyLevel": "eventual"}))
    assert [answers[key]["status"] for key in "01"] == [400, 200]


def test_the_log_shows_each_inner_request(tenant: RunningTenant) -> None:
    send(tenant, get("/domains"), patch(f"/users/{UPN}", {"jobTitle": "x"}))
    lines = [item for item in tenant.requests() if item["path"].startswith("/v1.0")]
    assert [(item["method"], item["write"], bool(item["batch"])) for item in lines] == [
        ("GET", False, True),
        ("PATCH", True, True),
        ("POST", False, False),
    ]
    assert [item["path"] for item in tenant.writes()] == [f"/v1.0/users/{UPN}"]
