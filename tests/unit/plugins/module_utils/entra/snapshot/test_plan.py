# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a snapshot shall hold, and what it lacks: tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Object
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.snapshot import plan

PATH, APP, OTHER = "/run/snapshot", "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"


def there(path: str = PATH, users: Any = "all", apps: Sequence[str] = ()) -> Object:
    return Object(plan.KIND, path, "snapshot", {"taken": "2026-11-27T00:00:00Z", "counts": {}, "users": users, "apps": list(apps)})


@pytest.mark.parametrize(
    ("current", "domains", "client_ids", "after"),
    [
        ([], [], [], {"domains": "all", "users": "all", "apps": []}),
        ([], ["A.example"], [APP], {"domains": "all", "users": ["A.example"], "apps": [APP]}),
        # that of an earlier task of a check run lies elsewhere
        ([there("/other")], [], [], {"domains": "all", "users": "all", "apps": []}),
        ([there()], ["a.example"], [], None),
        ([there(users=["a.example", "b.example"], apps=[APP])], [" A.EXAMPLE"], [f"{{{APP.upper()}}}"], None),
    ],
)
def test_a_snapshot_is_taken_once(current: list[Object], domains: list[str], client_ids: list[str], after: dict[str, Any] | None) -> None:
    made = plan.plan_snapshot(PATH, current, domains, client_ids)
    assert [change.after for change in made.changes] == ([after] if after else [])
    assert made.unchanged == (after is None)


@pytest.mark.parametrize(
    ("current", "domains", "client_ids", "lacks"),
    [
        (there(users=["a.example"]), ["a.example", "b.example"], [], "users of b.example"),
        (there(users=["a.example"]), [], [], "users of all"),
        (there(apps=[APP]), [], [APP, OTHER], f"application {OTHER}"),
    ],
)
def test_what_was_named_later_is_not_in_it(current: Object, domains: list[str], client_ids: list[str], lacks: str) -> None:
    with pytest.raises(OffboardError, match=f"does not hold {lacks}: ") as caught:
        plan.plan_snapshot(PATH, [current], domains, client_ids)
    assert caught.value.code == "snapshot_incomplete"


@pytest.mark.parametrize(
    ("users", "name", "held"), [("all", "t@x.example", True), (["A.example"], "T@a.EXAMPLE", True), (["a.example"], "t@sub.a.example", False)]
)
def test_whose_users_it_holds(users: Any, name: str, held: bool) -> None:
    assert plan.holds({"users": users}, name) is held


@pytest.mark.parametrize(
    ("state", "works"), [({}, True), ({"assignedByGroup": "g", "state": "Active"}, True), ({"assignedByGroup": "g", "state": "Error"}, False)]
)
def test_a_licence_that_works(state: dict[str, Any], works: bool) -> None:
    assert plan.works(state) is works


def test_licences_are_kept_apart_by_who_assigned_them() -> None:
    states = [{"skuId": "e3", "disabledPlans": ["p"]}, {"skuId": "E5", "assignedByGroup": "g", "state": "Active"}]
    states += [{"skuId": "f1", "assignedByGroup": "g", "state": "Error"}]
    record = plan.user_record({"id": "1", "userPrincipalName": "t@a.example", "licenseAssignmentStates": states})
    assert record["licences"] == [{"skuId": "e3", "disabledPlans": ["p"]}]
    assert record["groupLicences"] == [{"skuId": "E5", "group": "g", "state": "Active"}, {"skuId": "f1", "group": "g", "state": "Error"}]
    assert plan.works_by_group(record) == ("e5",)
    beside = {"skuId": "e5", "group": "g", "state": "ActiveWithError"}  # the licence is there, whatever else is wrong
    assert plan.works_by_group({"groupLicences": [beside]}) == ("e5",)
    assert plan.works_by_group({"groupLicences": [{"skuId": "e5", "group": "g"}]}) == ("e5",) and plan.works_by_group({}) == ()
    assert "licenseAssignmentStates" not in record


def test_a_manifest_without_what_is_needed_is_damaged() -> None:
    with pytest.raises(OffboardError, match="has no counts") as caught:
        plan.state_of(PATH, {"taken": "2026-11-27T00:00:00Z"})
    assert caught.value.code == "snapshot_damaged"


def test_a_domain_that_the_tenant_does_not_have() -> None:
    plan.check_known(["A.example."], ["a.example"])
    with pytest.raises(OffboardError, match="no domain b"):
        plan.check_known(["a.example", "b.example"], ["a.example"])


def test_what_may_be_the_work_of_the_stop_is_not_kept_as_normal() -> None:
    plan.check_usual([])
    with pytest.raises(OffboardError, match="of 10 users 9 are blocked, 3 have no licence") as caught:
        plan.check_usual([{"domain": "a.example", "total": 10, "blocked": 9, "unlicensed": 3}])
    assert caught.value.code == "mostly_blocked"
