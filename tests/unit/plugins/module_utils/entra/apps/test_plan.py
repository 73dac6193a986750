# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans, guards and reasons of applications."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.apps.plan import guard_app, plan_app, reasons
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.apps.resource import App
from dev.options import given


def application(deleted=False):
    return Object("application", "a", "app", {"appId": "c", "displayName": "app", "deleted": deleted})


def principal(enabled=True, deleted=False):
    return Object("service_principal", "p", "app", {"appId": "c", "displayName": "app", "deleted": deleted, "accountEnabled": enabled})


GRANT = Object("oauth2_permission_grant", "g", "app: x", {"scope": "x"})
ROLE = Object("app_role_assignment", "r", "app: y", {"principalId": "p"})


@pytest.mark.parametrize(
    ("there", "state", "enabled", "grants", "plan"),
    [
        ([application(), principal(), GRANT, ROLE], "absent", None, False, ["g remove", "r remove", "p delete", "a delete"]),
        ([application(), principal()], "absent", None, False, ["p delete", "a delete"]),
        ([principal()], "absent", None, False, ["p delete"]),
        ([application(deleted=True), principal(deleted=True)], "absent", None, False, []),
        ([], "absent", None, False, []),
        ([application(), principal()], "present", None, False, []),
        ([application(), principal()], "present", False, False, ["p disable"]),
        ([application(), principal(enabled=False)], "present", True, False, ["p enable"]),
        ([application(), principal(), GRANT, ROLE], "present", False, True, ["g remove", "r remove", "p disable"]),
        ([application(deleted=True), principal(deleted=True)], "present", None, False, ["a restore", "p restore"]),
    ],
)
def test_plan(there, state, enabled, grants, plan):
    found = plan_app(there, "c", state, enabled, grants)
    assert [f"{change.id} {change.action}" for change in found.changes] == plan
    assert found.unchanged == (not plan)


@pytest.mark.parametrize(
    ("there", "enabled", "mine", "plan", "left"),
    [
        ([application(), principal(enabled=False)], True, None, ["p enable"], []),
        ([application(), principal(enabled=False)], True, {"p"}, ["p enable"], []),
        ([application(), principal(enabled=False)], True, {"other"}, [], ["p"]),
        ([application(deleted=True), principal(deleted=True, enabled=False)], True, set(), ["a restore", "p restore"], ["p"]),
        ([application(deleted=True), principal(deleted=True, enabled=False)], True, {"p"}, ["a restore", "p restore", "p enable"], []),
        ([application(), principal()], True, set(), [], []),
        ([application(), principal()], False, set(), ["p disable"], []),
    ],
)
def test_what_was_switched_off_before_the_exit_stays_off(there, enabled, mine, plan, left):
    """`restore` with `app` must not let IIJ ID change the tenant again where somebody had switched that off before."""
    found = plan_app(there, "c", "present", enabled, False, mine=mine)
    assert [f"{change.id} {change.action}" for change in found.changes] == plan
    assert [(item.id, item.code) for item in found.skipped] == [(one, "disabled_before") for one in left]


@pytest.mark.parametrize(
    ("there", "enabled", "plan"),
    [
        ([application(), principal()], False, ["p disable"]),
        ([application(), principal(enabled=False)], False, []),
        ([principal(), ROLE], False, ["p disable"]),
        ([application(), principal(deleted=True)], False, []),
        ([application(deleted=True), principal(deleted=True)], False, []),
        ([application(deleted=True), principal()], False, ["p disable"]),
        ([], False, []),
        ([application(deleted=True)], None, []),
    ],
)
def test_of_what_is_there_nothing_is_brought_back(there, enabled, plan):
    found = plan_app(there, "c", "present", enabled, False, only_there=True)
    assert [f"{change.id} {change.action}" for change in found.changes] == plan


def gone(identity, at, kind="service_principal"):
    return Object(kind, identity, "app", {"appId": "c", "displayName": "app", "deleted": True, "deletedDateTime": at, "accountEnabled": True})


OLD, NEW = gone("old", "2026-11-01T00:00:00Z"), gone("new", "2026-11-20T00:00:00Z")


@pytest.mark.parametrize("there", [[OLD, NEW], [NEW, OLD], [application(), NEW, OLD], [gone("x", "2026-11-02T00:00:00Z", "application"), NEW, OLD]])
def test_of_several_deleted_ones_the_newest_comes_back(there):
    assert [change.id for change in plan_app(there, "c", "absent", None, False).changes if change.kind == "service_principal"] == []
    found = plan_app(there, "c", "present", None, False)
    assert [change.id for change in found.changes if change.kind == "service_principal"] == ["new"] and "new" in found.warnings[0]
    chosen = plan_app(there, "c", "present", None, False, ["OLD"])
    assert [change.id for change in chosen.changes if change.kind == "service_principal"] == ["old"] and chosen.warnings == []


@pytest.mark.parametrize("there", [[OLD, NEW], [NEW, OLD], [gone("x", "2026-11-02T00:00:00Z", "application"), NEW, OLD]])
def test_of_several_deleted_ones_that_of_the_snapshot_comes_back(there):
    found = plan_app(there, "c", "present", None, False, held=["OLD", "elsewhere"])
    assert [change.id for change in found.changes if change.kind == "service_principal"] == ["old"]
    assert found.warnings == ["2 deleted service_principal objects have that client id; the one that the snapshot holds, old, is brought back"]
    named = plan_app(there, "c", "present", None, False, ["new"], held=["old"])
    assert [change.id for change in named.changes if change.kind == "service_principal"] == ["new"] and named.warnings == []
    assert [change.id for change in plan_app([OLD, NEW], "c", "present", None, False, held=["elsewhere"]).changes] == ["new"]


@pytest.mark.parametrize(
    ("there", "named", "code"),
    [
        ([gone("a", None), gone("b", None)], [], "ambiguous_match"),
        ([gone("a", "2026-11-01T00:00:00Z"), gone("b", "2026-11-01T00:00:00Z")], [], "ambiguous_match"),
        ([OLD, NEW], ["old", "new"], "ambiguous_match"),
        ([OLD, NEW], ["other"], "not_found"),
    ],
)
def test_which_deleted_one_is_meant_is_never_guessed(there, named, code):
    with pytest.raises(OffboardError) as caught:
        plan_app(there, "c", "present", None, False, named)
    assert caught.value.code == code


def test_nothing_to_bring_back():
    with pytest.raises(OffboardError) as caught:
        plan_app([], "c", "present", None, False)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    ("own", "owner", "enabled", "rules"),
    [
        ("other", None, False, []),
        ("C", None, False, ["own_identity"]),
        ("other", "f8cdef31-a31e-4b4a-93e4-5f571e91255a", False, ["microsoft_app"]),
        ("c", None, True, []),
    ],
)
def test_guard(own, owner, enabled, rules):
    changes = plan_app([principal(enabled=not enabled)], "c", "present", enabled, False).changes.head
    assert [item.rule for item in guard_app(changes, "c", own, owner)] == rules


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 0),
        ({"display_name": "iid_graph_api"}, 1),
        ({"client_id": "named"}, 1),
        ({"addresses": ["https://www.auth.iij.jp/x"]}, 1),
        ({"addresses": ["https://AUTH.IIJ.JP./x"]}, 1),
        ({"addresses": ["made for the sign-in at auth.iij.jp."]}, 1),
        ({"addresses": ["https://x.example/?wtrealm=auth.iij.jp"]}, 1),
        ({"addresses": ["https://myauth.iij.jp.example/x"]}, 0),
        ({"permissions": ["Domain.ReadWrite.All"]}, 0),
        ({"permissions": ["Domain.ReadWrite.All", "User.ReadWrite.All"]}, 1),
        ({"permissions": ["Domain.ReadWrite.All", "Directory.ReadWrite.All"], "display_name": "IIJ ID"}, 2),
        ({"display_name": None}, 0),
    ],
)
def test_reasons(more, count):
    app = {"client_id": "c", "display_name": "Graph API report", "addresses": [], "permissions": [], **more}
    assert len(reasons(app, ["named"], ["(?i)iij", "(?i)^iid[ _-]"], ["auth.iij.jp"])) == count


CLIENT_ID = "0b1f3e8a-57a1-4f0c-8a10-aa11d0000001"


def mine(item):
    return Object(item.kind, item.id, item.name, {**item.state, "appId": CLIENT_ID})


@pytest.mark.parametrize(
    ("there", "kind", "key", "action", "before", "after", "expected"),
    [
        ([], "application", "a", "delete", {"appId": CLIENT_ID}, None, True),
        ([mine(application(deleted=True))], "application", "a", "delete", {"appId": CLIENT_ID}, None, True),
        ([mine(application())], "application", "a", "delete", {"appId": CLIENT_ID}, None, False),
        ([], "application", "other", "delete", {"appId": "another"}, None, False),
        ([mine(principal(enabled=False))], "service_principal", "p", "disable", {"accountEnabled": True}, {"accountEnabled": False}, True),
        ([mine(principal())], "service_principal", "p", "disable", {"accountEnabled": True}, {"accountEnabled": False}, False),
        ([mine(principal())], "service_principal", "other", "disable", {"accountEnabled": True}, {"accountEnabled": False}, False),
        ([mine(principal())], "app_role_assignment", "r", "remove", {"principalId": "p"}, None, True),
        ([mine(principal()), ROLE], "app_role_assignment", "r", "remove", {"principalId": "p"}, None, False),
        ([mine(principal())], "app_role_assignment", "r", "remove", {"principalId": "other"}, None, False),
        ([mine(principal(deleted=True))], "oauth2_permission_grant", "g", "remove", {"clientId": "p"}, None, False),
    ],
)
def test_what_a_stopped_run_had_begun(there, kind, key, action, before, after, expected):
    """Only of what belongs to the application that the task is about; permissions that went with their principal come back with it."""
    app = App(given("entra_app", app_id=CLIENT_ID, tenant_id="t", state="absent"))
    app.plan(there)
    change = Change(kind, key, "x", action, before, after)
    assert list(app.carried_out([change])) == [change] * expected
