# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest holds, what of it can be put back, and what is still to do: tables."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Object
from ansible_collections.offboard.iij_id.plugins.module_utils._core.plan import Plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests import copy as guest_copy
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests.plan import GuestContext, Tenant, WantedGuest

from .test_plan import FEDERATION, NONE, ORDER, user

GROUP = "#microsoft.graph.group"


def holdings(*, user: dict[str, Any] | None = None, role_assignable_groups: bool = False, **parts: Any) -> dict[str, Any]:
    given = {"manager": None, "member_of": [], "app_roles": [], "owned": [], "reports": [], **parts}
    return guest_copy.holdings({"id": "old", "accountEnabled": True, **(user or {})}, role_assignable_groups=role_assignable_groups, **given)


@pytest.mark.parametrize(
    ("member", "option", "groups", "lost"),
    [
        ({"@odata.type": GROUP}, False, 1, []),
        ({"@odata.type": GROUP, "groupTypes": ["Unified"], "mailEnabled": True}, False, 1, []),
        ({"@odata.type": GROUP, "groupTypes": ["DynamicMembership", "Unified"]}, False, 0, []),
        ({"@odata.type": GROUP, "groupTypes": [], "mailEnabled": True}, False, 0, ["group"]),
        ({"@odata.type": GROUP, "onPremisesSyncEnabled": True}, False, 0, ["group"]),
        ({"@odata.type": GROUP, "isAssignableToRole": True}, False, 0, ["role"]),
        ({"@odata.type": GROUP, "isAssignableToRole": True}, True, 1, []),
        ({"@odata.type": "#microsoft.graph.directoryRole"}, True, 0, ["role"]),
        ({"@odata.type": "#microsoft.graph.administrativeUnit"}, True, 0, ["administrativeUnit"]),
    ],
)
def test_memberships(member, option, groups, lost):
    held = holdings(member_of=[{"id": "g", "displayName": "G", **member}], role_assignable_groups=option)
    assert (len(held["groups"]), [item["what"] for item in held["lost"]]) == (groups, lost)


def test_what_else_is_held():
    held = holdings(
        user={
            "department": "Sales",
            "faxNumber": None,
            "businessPhones": [],
            "onPremisesExtensionAttributes": {"extensionAttribute1": None, "extensionAttribute2": "x", "@odata.type": "t"},
            "licenseAssignmentStates": [{"skuId": "s", "disabledPlans": ["b", "a"], "assignedByGroup": None}, {"skuId": "t", "assignedByGroup": "g"}],
        },
        manager={"id": "m", "userPrincipalName": "boss@x.example"},
        app_roles=[{"principalId": "old", "resourceId": "app", "appRoleId": "r", "resourceDisplayName": "App"}, {"principalId": "g", "resourceId": "app"}],
        owned=[{"id": "o", "displayName": "Owned"}],
        reports=[{"id": "p", "userPrincipalName": "p@x.example"}],
    )
    assert held["attributes"] == {"department": "Sales", "onPremisesExtensionAttributes": {"extensionAttribute2": "x"}}
    assert held["licences"] == [{"skuId": "s", "disabledPlans": ["a", "b"]}]
    assert [role["resourceDisplayName"] for role in held["app_roles"]] == ["App"]
    assert [item["what"] for item in held["lost"]] == ["ownership", "direct_report"]


COPY = holdings(
    user={
        "department": "Sales",
        "usageLocation": "JP",
        "accountEnabled": False,
        "licenseAssignmentStates": [{"skuId": "s", "disabledPlans": [], "assignedByGroup": None}],
    },
    manager={"id": "m", "userPrincipalName": "boss@x.example"},
    member_of=[{"@odata.type": GROUP, "id": "g", "displayName": "G"}],
    app_roles=[{"principalId": "old", "resourceId": "app", "appRoleId": "r"}],
)
EMPTY = holdings()


@pytest.mark.parametrize(
    ("now", "requests"),
    [
        (COPY, []),
        (
            EMPTY,
            [
                ("PATCH", "/users/new"),
                ("PATCH", "/users/new"),
                ("PATCH", "/users/new"),
                ("PUT", "/users/new/manager/$ref"),
                ("POST", "/groups/g/members/$ref"),
                ("POST", "/users/new/appRoleAssignments"),
                ("", ""),  # the licence waits for the usage location
            ],
        ),
        ({**COPY, "attributes": {"department": "Sales"}}, [("PATCH", "/users/new")]),
        ({**COPY, "attributes": {**COPY["attributes"], "jobTitle": "given since"}}, []),
        ({**COPY, "groups": [*COPY["groups"], {"id": "other", "displayName": "given since"}]}, []),
        ({**COPY, "groups": []}, [("POST", "/groups/g/members/$ref")]),
        ({**COPY, "manager": {"id": "another"}}, [("PUT", "/users/new/manager/$ref")]),
        ({**COPY, "licences": []}, [("POST", "/users/new/assignLicense")]),
        ({**COPY, "accountEnabled": True}, [("PATCH", "/users/new")]),
        ({**COPY, "app_roles": [{"resourceId": "app", "appRoleId": "another"}]}, [("POST", "/users/new/appRoleAssignments")]),
    ],
)
def test_what_is_still_to_do(now, requests):
    assert [(step.method, step.path) for step in guest_copy.missing(COPY, "new", now)] == requests


def test_a_service_that_the_licence_has_lost_is_left_out():
    """Graph would refuse all of the guest's licences."""
    copy = {**COPY, "licences": [{"skuId": "s", "disabledPlans": ["a", "gone"]}]}

    def lost(sku, plans):
        assert sku == "s"
        return {plan for plan in plans if plan == "gone"}

    (step,) = guest_copy.missing(copy, "new", {**COPY, "licences": []}, lost)
    assert step.body == {"addLicenses": [{"skuId": "s", "disabledPlans": ["a"]}], "removeLicenses": []}
    assert guest_copy.missing(copy, "new", {**COPY, "licences": [{"skuId": "s", "disabledPlans": ["a"]}]}, lost) == []


def test_nobody_is_unblocked():
    assert guest_copy.missing({**COPY, "accountEnabled": True}, "new", {**COPY, "accountEnabled": False}) == []


def saved(item: Object, **more: Any) -> dict[str, Any]:
    return {**guest_copy.new_copy(item, COPY, "t", "2026-11-25T00:00:00Z", None), **more}


OLD, NEW = user(id="old"), user(id="new", externalUserState="PendingAcceptance")
DONE = "2026-11-25T00:01:00Z"


@pytest.mark.parametrize("name", ["adele@fabrikam.example", "old"])
@pytest.mark.parametrize(
    ("there", "copy", "outcome"),
    [
        (OLD, {}, "fresh"),  # the copy was written, nothing deleted
        (None, {}, "unfinished"),
        (NEW, {}, "unfinished"),
        (NEW, {"new_id": "new"}, "unfinished"),
        (NEW, {"new_id": "new", "completed_at": DONE}, "unchanged"),
        (user(id="new"), {"new_id": "new", "completed_at": DONE}, "unchanged"),  # redeemed since, another way or not
        (OLD, {"new_id": "new", "completed_at": DONE}, "fresh"),  # brought back
        (None, {"new_id": "new", "completed_at": DONE}, "absent"),  # removed since
        (None, None, "absent"),
        (OLD, None, "fresh"),
    ],
)
def test_where_the_work_stands(name, there, copy, outcome):
    tenant = Tenant([ORDER, FEDERATION, *([there] if there else [])])
    plan, who = Plan(), WantedGuest(mail=name) if "@" in name else WantedGuest(key=name)
    copies = [] if copy is None else [saved(OLD, **copy)]
    found = guest_copy.candidates(tenant, [(who, tenant.find(who))], copies, GuestContext(realms={"fabrikam.example": NONE}), plan)
    counts = {"fresh": len(found.fresh), "unfinished": len(found.unfinished), "absent": len(found.absent), "unchanged": plan.unchanged}
    assert counts == {**dict.fromkeys(counts, 0), outcome: 1}


LESS = {**EMPTY, "accountEnabled": True}
GONE = {"what": "role", "id": "g", "name": "G", "why": ""}


@pytest.mark.parametrize(
    ("before", "now", "differs"),
    [
        ({}, LESS, {}),  # deleted, and still shown by a replica that lags
        ({}, COPY, {}),
        ({"invited_at": DONE}, LESS, {"invited_at": DONE}),
        ({}, {**LESS, "attributes": {"department": "HR", "city": "Osaka"}}, {"attributes": {**COPY["attributes"], "department": "HR", "city": "Osaka"}}),
        ({}, {**LESS, "groups": [{"id": "h", "displayName": "H"}]}, {"groups": [*COPY["groups"], {"id": "h", "displayName": "H"}]}),
        ({}, {**LESS, "lost": [GONE]}, {"groups": [], "lost": [GONE]}),  # role_assignable_groups is given no more
        ({"groups": [], "lost": [GONE]}, COPY, {}),
        ({"accountEnabled": True}, {**COPY, "accountEnabled": False}, {}),
        ({"completed_at": DONE}, LESS, LESS),  # its work ended: brought back since
        ({"old_id": "another"}, LESS, LESS),
    ],
)
def test_a_copy_is_never_replaced_by_less(before, now, differs):
    made = guest_copy.with_saved(guest_copy.new_copy(OLD, now, "t", DONE, None), [saved(OLD, **before)])
    assert {name: made[name] for name in (*COPY, "invited_at")} == {**COPY, "invited_at": None, **differs}


@pytest.mark.parametrize(
    ("other", "copy", "outcome"),
    [
        (NEW, {"invited_at": DONE}, "unfinished"),  # reading lags
        (NEW, {"new_id": "new"}, "unfinished"),
        (NEW, {}, "address_taken"),
        (NEW, None, "address_taken"),
        (user(id="new", userType="Member", creationType=None), {"invited_at": DONE}, "address_taken"),
        (user(id="new", creationType=None), {"invited_at": DONE}, "address_taken"),
        (user(id="new", onPremisesSyncEnabled=True), {"invited_at": DONE}, "address_taken"),
        (user(mail="other@x.example", otherMails=["Adele@fabrikam.example"]), None, "address_taken"),
        (user(mail="other@x.example"), None, "fresh"),
    ],
)
def test_another_account_with_the_address(other, copy, outcome):
    tenant, plan = Tenant([ORDER, FEDERATION, OLD, other]), Plan()
    copies = [] if copy is None else [saved(OLD, **copy)]
    found = guest_copy.candidates(tenant, [(WantedGuest(key="old"), OLD)], copies, GuestContext(realms={"fabrikam.example": NONE}), plan)
    refused = [item.rule for item in guest_copy.address_taken(tenant, found)]
    assert (refused or ["unfinished" if found.unfinished else "fresh"]) == [outcome]


def test_two_unfinished_copies():
    copies = [saved(OLD), saved(user(id="older"))]
    with pytest.raises(OffboardError, match="2 unfinished copies"):
        guest_copy.copy_of(copies, "adele@fabrikam.example", None)


@pytest.mark.parametrize(
    ("lost", "roles", "accept", "rules"),
    [
        ([], [], False, []),
        ([{"what": "group", "id": "g", "name": "g", "why": "synced"}], [], False, ["not_put_back"]),
        ([{"what": "role", "id": "r", "name": "r", "why": ""}], [], False, ["role_holder"]),
        ([], ["old"], False, ["role_holder"]),
        ([{"what": "group", "id": "g", "name": "g", "why": "synced"}], ["old"], True, []),
    ],
)
def test_guards(lost, roles, accept, rules):
    plan, found = Plan(), guest_copy.Candidates(fresh=[(WantedGuest(), OLD, "one_time_passcode", "direct_federation")])
    refusals = guest_copy.add_reinvited(plan, found, {"old": {**COPY, "lost": lost}}, GuestContext(roles=roles, accept_losses=accept))
    assert ([item.rule for item in refusals], len(plan.changes)) == (rules, 1)
    (change,) = plan.changes
    assert (change.risk, "state=restored" in change.undo) == ("high", True)


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ({"copy": "guest", "tenant_id": "t", "version": 1}, True),
        ({"copy": "guest", "tenant_id": "other", "version": 1}, False),
        ({"tenant_id": "t"}, False),
        ([], False),
    ],
)
def test_what_is_a_copy(data, outcome):
    assert guest_copy.is_copy(data, "t") is outcome


def test_a_copy_of_a_newer_release():
    with pytest.raises(OffboardError, match="newer release"):
        guest_copy.is_copy({"copy": "guest", "tenant_id": "t", "version": 2, "mail": "a"}, "t")
