# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Licences by a group: which group will do, who becomes a member, and which direct licence may go."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import requests as user_requests
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.desired import Desired
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.licence_group import LicenceGroup
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.plan import decide

from .test_plan import E3, EXCHANGE, SKUS, context, state

RAW = {"id": "g", "displayName": "licensed", "assignedLicenses": [{"skuId": E3, "disabledPlans": ["p"]}]}
GROUP = LicenceGroup.read(RAW, remove_direct=False)
REPLACING = LicenceGroup.read(RAW, remove_direct=True)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"groupTypes": ["Unified", "DynamicMembership"]}, "rule"),
        ({"onPremisesSyncEnabled": True}, "Active Directory"),
        ({"isAssignableToRole": True}, "roles"),
        ({"assignedLicenses": []}, "no licence"),
    ],
)
def test_groups_that_will_not_do(more, word):
    with pytest.raises(OffboardError, match=word) as caught:
        LicenceGroup.read({**RAW, **more}, False)
    assert caught.value.code == "group_refused"


@pytest.mark.parametrize("more", [{}, {"groupTypes": ["Unified"]}, {"onPremisesSyncEnabled": None, "isAssignableToRole": False}])
def test_groups_that_will(more):
    assert LicenceGroup.read({**RAW, **more}, False).licences == {E3: {"p"}}


@pytest.mark.parametrize(
    ("current", "member", "seats"),
    [
        (state(), False, ["SPE_E3"]),
        (state(licences={E3: []}), False, []),
        (state(group_licences=[E3]), False, []),
        (state(), True, None),
        (state(licenceGroup={"id": "g"}), False, None),
    ],
)
def test_who_becomes_a_member_and_takes_a_seat(current, member, seats):
    change = decide("1", "u@a.example", current, Desired(group=GROUP), context(is_member=lambda user_id: member)).change
    assert (change and user_requests.new_seats(change)) == seats


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({E3: "Active"}, None),
        ({}, "group_licence_awaited"),
        ({E3: "CountViolation"}, "no_seat"),
        ({E3: "MutuallyExclusiveViolation"}, "group_licence_refused"),
    ],
)
def test_a_member_without_the_groups_licence_is_not_as_desired(given, code):
    decision = decide("1", "u@a.example", state(given=given), Desired(group=GROUP), context(is_member=lambda user_id: True))
    assert decision.change is None
    assert (decision.skip and decision.skip.code) == code


def test_guests_do_not():
    assert decide("1", "u@a.example", state(userType="Guest"), Desired(group=GROUP), context()).skip.code == "is_guest"


ACTIVE = {E3: "Active"}


@pytest.mark.parametrize(
    ("group", "direct", "given", "more", "left"),
    [
        (GROUP, ["p"], ACTIVE, {}, True),
        (REPLACING, ["p"], {}, {}, True),
        (REPLACING, ["p"], {E3: "CountViolation"}, {}, True),
        (REPLACING, [], ACTIVE, {}, True),
        (REPLACING, ["p"], ACTIVE, {}, False),
        (REPLACING, ["p", "q"], ACTIVE, {}, False),
        (GROUP, ["p"], {}, {"remove": frozenset([E3])}, True),
        (GROUP, ["p"], ACTIVE, {"remove": frozenset([E3])}, False),
        (GROUP, ["p"], {}, {"exact": True}, True),
    ],
)
def test_a_direct_licence_goes_only_when_the_groups_is_seen(group, direct, given, more, left):
    current = state(licences={E3: direct}, given=given)
    change = decide("1", "u@a.example", current, Desired(group=group, **more), context(is_member=lambda user_id: True)).change
    assert (change is None) is left
    if change is not None:
        assert change.after["licences"] == {}


def test_what_the_group_gives_is_not_assigned_directly():
    desired = Desired(group=GROUP, add={E3: None, EXCHANGE: None})
    assert decide("1", "u@a.example", state(), desired, context()).change.after["licences"] == {"EXCHANGE": []}


@pytest.mark.parametrize(
    ("states", "errors"),
    [
        ([], {"SPE_E3": ""}),
        ([{"skuId": E3, "assignedByGroup": "g", "state": "Active", "error": "None"}], {}),
        ([{"skuId": E3, "assignedByGroup": "other", "state": "Active", "error": "None"}], {"SPE_E3": ""}),
        ([{"skuId": E3, "assignedByGroup": "g", "state": "Error", "error": "CountViolation"}], {"SPE_E3": "CountViolation"}),
    ],
)
def test_what_must_be_seen(states, errors):
    change = decide("1", "u@a.example", state(), Desired(group=GROUP), context()).change
    item = {"licenseAssignmentStates": states}
    assert user_requests.group_errors(item, change.after["licenceGroup"], SKUS) == errors
    assert user_requests.meets(item, user_requests.expectation(change), SKUS, password_changed=False) is (errors == {})


def test_a_licence_that_the_tenant_has_no_longer_is_not_seen():
    """The journal of an earlier run may name one."""
    assert user_requests.group_errors({}, {"id": "g", "name": "licensed", "licences": ["OLD"]}, SKUS) == {"OLD": ""}
