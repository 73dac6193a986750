# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of assignments in Intune: which are meant, in which order they go and come back, and which may not go."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object, Outcome
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.intune_assignments import plan as rules

APP, GROUP, OTHER = (f"{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 12}" for digit in "abc")
USERS = {"@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget"}
DEVICES = {"@odata.type": "microsoft.graph.allDevicesAssignmentTarget"}


def group(key: str = GROUP, kind: str = "group", **more: str) -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{kind}AssignmentTarget", "groupId": key, **more}


EXCLUDED = group(kind="exclusionGroup")


def there(target: dict[str, Any], intent: str | None = "required", kind: str = "mobile_app", key: str = APP, assignment: str = "x_1_0") -> Object:
    values = {"id": assignment, "intent": intent, "target": target, "settings": None}
    return rules.describe(kind, {"id": key, "displayName": "SmartKey"}, values, {GROUP: "Sales"})


def wanted(target: str, kind: str = "mobile_app", key: str = APP) -> rules.WantedAssignment:
    return rules.WantedAssignment(kind, key, target)


@pytest.mark.parametrize(
    ("target", "shown", "group_id"),
    [
        (USERS, "allLicensedUsers", ""),
        (DEVICES, "allDevices", ""),
        (group(), GROUP, GROUP),
        (group(GROUP.upper()), GROUP, GROUP),
        (EXCLUDED, f"not {GROUP}", GROUP),
        # what nobody has heard of is told by its type, and is no group
        ({"@odata.type": "#microsoft.graph.configurationManagerCollectionAssignmentTarget", "collectionId": "c"},
         "configurationManagerCollectionAssignmentTarget", ""),
        ({}, "not_known", ""),
        (None, "not_known", ""),
    ],
)  # fmt: skip
def test_to_whom(target: Any, shown: str, group_id: str) -> None:
    assert rules.target_of({"target": target}) == shown
    assert rules.group_of(shown) == group_id


@pytest.mark.parametrize(
    ("overview", "devices"),
    [
        (None, "not_known"),
        ({}, "not_known"),
        ({"successCount": None}, "not_known"),
        ({"notApplicableCount": 7}, "not_known"),
        ({"successCount": 0, "pendingCount": 0}, 0),
        ({"successCount": 31, "pendingCount": 4, "errorCount": 1, "failedCount": 2, "notApplicableCount": 12}, 38),
    ],
)
def test_how_many_devices(overview: dict[str, Any] | None, devices: int | str) -> None:
    assert rules.devices_of(overview) == devices


def test_a_strangers_name_is_obeyed_by_no_terminal() -> None:
    item = rules.describe("mobile_app", {"id": APP, "displayName": "\x1b[2JX"}, {"id": "y", "target": group(), "intent": "required"}, {GROUP: "\x1bY"})
    assert item.name == f"\\x1b[2JX: required \\x1bY ({GROUP})" and item.id == f"{APP}/required/{GROUP}"


@pytest.mark.parametrize(
    ("current", "named", "going", "unchanged"),
    [
        ([there(USERS), there(group())], [wanted("allLicensedUsers")], ["allLicensedUsers"], 0),
        ([there(USERS), there(group())], [wanted(" ALLLICENSEDUSERS "), wanted(GROUP.upper())], ["allLicensedUsers", GROUP], 0),
        # by the id of the assignment
        ([there(USERS, assignment="u_0_0"), there(group())], [wanted("U_0_0")], ["allLicensedUsers"], 0),
        # both intents to one target
        ([there(USERS), there(USERS, "available")], [wanted("allLicensedUsers")], ["allLicensedUsers"] * 2, 0),
        # an excluded group is another target than the group
        ([there(EXCLUDED)], [wanted(GROUP)], [], 1),
        # exclusions last
        ([there(EXCLUDED), there(USERS)], [wanted(f"not {GROUP}"), wanted("allLicensedUsers")], ["allLicensedUsers", f"not {GROUP}"], 0),
        # of another app, of another kind
        ([there(USERS, key=OTHER)], [wanted("allLicensedUsers")], [], 1),
        ([there(USERS, kind="device_configuration", intent=None)], [wanted("allLicensedUsers")], [], 1),
        ([], [wanted("allDevices")], [], 1),
    ],
)
def test_absent(current: list[Object], named: list[rules.WantedAssignment], going: list[str], unchanged: int) -> None:
    plan = rules.plan_absent(current, named)
    assert [rules.target_of(change.before or {}) for change in plan.changes] == going
    assert {(change.action, change.after) for change in plan.changes} <= {("remove", None)} and plan.unchanged == unchanged


def alike(*assignments: str) -> list[Object]:
    """One app that is given to the same people directly and by a policy set, as v1.0 shows it."""
    rows = [{"id": one, "intent": "required", "target": USERS} for one in assignments]
    return list(rules.described("mobile_app", {"id": APP, "displayName": "SmartKey"}, rows, {}))


def test_a_policy_sets_assignment_is_not_taken_for_the_direct_one() -> None:
    direct, by_set = both = alike("u_0_0", "u_0_1")
    assert len({item.id for item in both}) == len({item.name for item in both}) == 2
    assert [item.id for item in alike("u_0_0")] == [there(USERS).id]
    assert len({change.key for change in rules.plan_absent(both, [wanted("allLicensedUsers")]).changes}) == 2
    (change,) = rules.plan_absent(both, [wanted("u_0_0")]).changes
    assert change.before == direct.state
    assert not rules.is_seen(change, both) and rules.is_seen(change, alike("u_0_1")) and rules.is_seen(change, [])
    # the policy set's is still there, and the direct one has to come back
    assert [item.after for item in rules.plan_present(alike("u_0_1"), recorded(direct), [], False).changes] == [direct.state]
    back = Change(rules.KIND, direct.id, direct.name, "restore", None, direct.state, "medium")
    assert not rules.is_seen(back, alike("u_0_1")) and rules.is_seen(back, alike("u_0_1", "another"))
    assert rules.plan_present(alike("u_0_1", "another"), recorded(direct), [], False).unchanged == 1
    # of two that went Graph makes one again
    plan = rules.plan_present([], recorded(direct, by_set), [], False)
    assert [item.after for item in plan.changes] == [direct.state] and plan.unchanged == 1
    assert rules.plan_present(alike("another"), recorded(direct, by_set), [], False).unchanged == 2


def recorded(*items: Object) -> dict[str, Object]:
    return {item.id: item for item in items}


@pytest.mark.parametrize(
    ("current", "gone", "named", "beta", "back"),
    [
        ([], [there(USERS), there(EXCLUDED)], [], False, [f"not {GROUP}", "allLicensedUsers"]),
        ([there(USERS, assignment="another")], [there(USERS)], [], False, []),
        ([], [there(USERS), there(group())], [wanted(GROUP)], False, [GROUP]),
        ([there(USERS)], [], [wanted("allLicensedUsers")], False, []),
        ([], [], [], False, []),
        ([], [there(USERS)], [wanted("allDevices")], False, "not_found"),
        ([], [there(group(deviceAndAppManagementAssignmentFilterId=OTHER))], [], False, "bad_option"),
        ([], [there(group(deviceAndAppManagementAssignmentFilterId=OTHER))], [], True, [GROUP]),
        ([], [there(group(deviceAndAppManagementAssignmentFilterId="00000000-0000-0000-0000-000000000000"))], [], False, [GROUP]),
    ],
)
def test_present(current: list[Object], gone: list[Object], named: list[rules.WantedAssignment], beta: bool, back: list[str] | str) -> None:
    if isinstance(back, str):
        with pytest.raises(OffboardError) as caught:
            rules.plan_present(current, recorded(*gone), named, beta)
        assert caught.value.code == back
        return
    plan = rules.plan_present(current, recorded(*gone), named, beta)
    assert [rules.target_of(change.after or {}) for change in plan.changes] == back
    assert {(change.action, change.before) for change in plan.changes} <= {("restore", None)}


def test_what_comes_back_is_what_went_without_what_graph_sets() -> None:
    settings = {"@odata.type": "#microsoft.graph.iosStoreAppAssignmentSettings", "vpnConfigurationId": "v"}
    values = {"id": "x", "intent": "required", "target": USERS, "settings": settings, "source": "direct", "sourceId": "s"}
    item = rules.describe("mobile_app", {"id": APP}, values, {})
    assert rules.body(item.state) == {
        "@odata.type": "#microsoft.graph.mobileAppAssignment", "intent": "required", "target": USERS, "settings": settings,
    }  # fmt: skip
    profile = there(DEVICES, None, "device_configuration")
    assert rules.body(profile.state) == {"@odata.type": "#microsoft.graph.deviceConfigurationAssignment", "target": DEVICES}


def removal(item: Object) -> Change:
    return Change(rules.KIND, item.id, item.name, "remove", item.state, None, "medium")


def of_run(change: Change, status: str | None = "done", code: str = "") -> list[dict[str, Any]]:
    made = [journal.intent(change, "run", "2026-11-01T00:00:00+00:00")]
    return made if status is None else [*made, journal.outcome(Outcome(change, status, code), "run", "2026-11-01T00:00:01+00:00")]


def back(item: Object) -> Change:
    return Change(rules.KIND, item.id, item.name, "restore", None, item.state, "medium")


GOING = there(USERS)


@pytest.mark.parametrize(
    ("records", "gone"),
    [
        ([], []),
        (of_run(removal(GOING)), [GOING.id]),
        (of_run(removal(GOING), None), [GOING.id]),
        (of_run(removal(GOING), "failed", "not_seen"), [GOING.id]),
        (of_run(removal(GOING)) + of_run(back(GOING)), []),
        # what was begun to come back, and may not have, is asked for once more
        (of_run(removal(GOING)) + of_run(back(GOING), None), [GOING.id]),
        (of_run(removal(GOING)) + of_run(back(GOING), "failed", "answer_lost"), [GOING.id]),
        (of_run(removal(GOING)) + of_run(back(GOING)) + of_run(removal(GOING)), [GOING.id]),
        # Graph said that it was back, and the same run did not see it: the next one said ok, and nobody had it
        (of_run(removal(GOING)) + of_run(back(GOING)) + of_run(back(GOING), "failed", "not_seen")[1:], [GOING.id]),
        (of_run(removal(GOING)) + of_run(back(GOING)) + of_run(back(GOING), "failed", "not_seen")[1:] + of_run(back(GOING)), []),
        # of another kind, or not whole
        (of_run(Change("application", "a", "a", "remove", GOING.state, None)), []),
        (of_run(Change(rules.KIND, "a", "a", "remove", {"kind": "no such"}, None)), []),
    ],
)
def test_what_the_journal_knows(records: list[dict[str, Any]], gone: list[str]) -> None:
    found = rules.removed(journal.known(records))
    assert list(found) == gone and all(item.state == GOING.state for item in found.values())


def test_what_came_back_is_still_known_by_the_id_that_it_had() -> None:
    back_again: dict[str, Object] = {}
    assert rules.removed(journal.known(of_run(removal(GOING)) + of_run(back(GOING))), back_again) == {}
    named, known = [wanted("x_1_0")], back_again.values()
    assert rules.plan_present([there(USERS, assignment="another")], {}, named, False, known).unchanged == 0
    with pytest.raises(OffboardError):  # somebody has removed it since
        rules.plan_present([], {}, named, False, known)


@pytest.mark.parametrize(
    ("current", "going", "not_iij", "refused"),
    [
        ([there(USERS)], [there(USERS)], {}, []),
        ([there(USERS)], [there(USERS)], {APP: "Mail"}, ["not_iij"]),
        ([there(EXCLUDED), there(USERS)], [there(EXCLUDED)], {}, ["exclusion_needed"]),
        ([there(EXCLUDED), there(USERS)], [there(EXCLUDED), there(USERS)], {}, []),
        ([there(EXCLUDED), there(USERS)], [there(USERS)], {}, []),
        # another intent, another app: it is excluded from something else
        ([there(EXCLUDED), there(USERS, "available")], [there(EXCLUDED)], {}, []),
        ([there(EXCLUDED), there(USERS, key=OTHER)], [there(EXCLUDED)], {}, []),
    ],
)
def test_guards(current: list[Object], going: list[Object], not_iij: dict[str, str], refused: list[str]) -> None:
    found = rules.guard([removal(item) for item in going], current, not_iij)
    assert [item.rule for item in found] == refused
    assert all(item.allow_with == f"expected_objects: [{APP}]" for item in found if item.rule == "not_iij")
