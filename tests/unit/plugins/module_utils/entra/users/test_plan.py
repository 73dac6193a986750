# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided for one user, as a table."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.snapshot import plan as snapshot_plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import desired as user_desired
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import plan as user_plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import requests as user_requests
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.desired import Desired
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.licence_group import LicenceGroup
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.licences import Sku, Skus
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.plan import NEW_PASSWORD, RepairContext, decide

E3, EXCHANGE = "05e9a617-0261-4cee-bb44-138d3ef5d965", "4b9405b0-7788-4568-add1-99614e613b69"
#: an id that the tenant has not
UNKNOWN = "00000000-0000-0000-0000-00000000dead"
SKUS = Skus(
    lambda: [
        {"skuId": E3, "skuPartNumber": "SPE_E3", "consumedUnits": 3, "prepaidUnits": {"enabled": 5}, "appliesTo": "User"},
        {"skuId": EXCHANGE, "skuPartNumber": "EXCHANGE", "consumedUnits": 9, "prepaidUnits": {"enabled": 5}},
        {"skuId": "00000000-0000-0000-0000-000000000001", "skuPartNumber": "COMPANY", "consumedUnits": 0, "prepaidUnits": {}, "appliesTo": "Company"},
    ]
)
DOMAINS = {
    "a.example": {"isRoot": True, "authenticationType": "Managed"},
    "fed.example": {"isRoot": True, "authenticationType": "Federated"},
    "b.example": {"isRoot": True, "authenticationType": "Managed"},
}
#: as the journal has it
CONVERTED = {"b.example": "2026-10-01T09:00:00Z"}
ADMINISTRATOR, HELPDESK = "62e90394-69f5-4237-9190-012177145e10", "729827e3-9c14-49f7-bb1b-9608f156bbb8"


def context(**more):
    return RepairContext(SKUS, lambda: DOMAINS, **more)


def state(**more):
    found = {
        "accountEnabled": True,
        "usageLocation": "JP",
        "userType": "Member",
        "onPremisesSyncEnabled": False,
        "onPremisesImmutableId": None,
        "lastPasswordChangeDateTime": "2022-04-01T00:00:00Z",
        "licences": {},
        "group_licences": [],
        "given": {},
    }
    return found | more


ADD_E3 = {"add": {E3: None}}
PASSWORD = {"passwordProfile": NEW_PASSWORD}


@pytest.mark.parametrize(
    ("current", "desired", "after"),
    [
        (state(), Desired(), None),
        (state(accountEnabled=False), Desired(), None),
        (state(accountEnabled=False), Desired(enabled=True), {"accountEnabled": True}),
        (state(), Desired(enabled=True), None),
        (state(), Desired(**ADD_E3), {"licences": {"SPE_E3": []}}),
        (state(licences={E3: ["plan"]}), Desired(**ADD_E3), None),
        (state(group_licences=[E3]), Desired(**ADD_E3), None),
        (state(licences={E3: ["plan"]}), Desired(add={E3: []}), {"licences": {"SPE_E3": []}}),
        (state(licences={EXCHANGE: []}), Desired(**ADD_E3, remove=frozenset([EXCHANGE])), {"licences": {"SPE_E3": []}}),
        (state(licences={EXCHANGE: []}), Desired(**ADD_E3, exact=True), {"licences": {"SPE_E3": []}}),
        (state(licences={EXCHANGE: []}, group_licences=[E3]), Desired(**ADD_E3, exact=True), {"licences": {}}),
        (state(licences={EXCHANGE: []}), Desired(exact=True), {"licences": {}}),
        (state(), Desired(remove=frozenset([E3])), None),
        (state(usageLocation=None), Desired(usage_location="JP"), {"usageLocation": "JP"}),
        (state(usageLocation="US"), Desired(usage_location="JP"), None),
        (state(), Desired(password=True), PASSWORD),
        (state(passwordProfile=NEW_PASSWORD), Desired(password=True), None),
        (state(accountEnabled=False), Desired(enabled=True, password=True), {"accountEnabled": True, **PASSWORD}),
        (state(accountEnabled=False), Desired(enabled=True, revoke_sessions=True), {"accountEnabled": True, "signInSessions": "(revoked now)"}),
        (state(), Desired(revoke_sessions=True), None),
    ],
)
def test_changes(current, desired, after):
    decision = decide("1", "u@a.example", current, desired, context())
    assert decision.skip is None
    assert (decision.change and dict(decision.change.after)) == after
    if decision.change:
        assert decision.change.before.keys() == decision.change.after.keys()


@pytest.mark.parametrize(
    ("upn", "current", "desired", "roles", "code"),
    [
        ("u@a.example", state(onPremisesSyncEnabled=True), Desired(password=True), {}, "password_is_synced"),
        ("u@fed.example", state(), Desired(password=True), {}, "domain_is_federated"),
        ("u@sub.fed.example", state(), Desired(password=True), {}, "domain_is_federated"),
        ("u@a.example", state(accountEnabled=False), Desired(password=True), {}, "is_blocked"),
        ("u@a.example", state(), Desired(enabled=False, password=True), {"1": {ADMINISTRATOR}}, "needs_higher_role"),
        ("u_b.example#EXT#@a.example", state(userType="Guest"), Desired(password=True), {}, "is_guest"),
        # a member whom another organization signs in, as cross-tenant synchronization makes them
        ("u_b.example#ext#@a.example", state(), Desired(password=True), {}, "is_guest"),
        ("u@a.example", state(), Desired(password=True), {"1": {ADMINISTRATOR}}, "needs_higher_role"),
        ("u@a.example", state(accountEnabled=False), Desired(blocked=True), {}, "blocked_before_snapshot"),
        ("u@b.example", state(createdDateTime="2026-10-01T09:00:01Z"), Desired(password=True), {}, "created_since"),
        ("u@sub.b.example", state(createdDateTime="2026-10-01T18:00:01+09:00"), Desired(access_pass=True), {}, "created_since"),
    ],
)
def test_skips(upn, current, desired, roles, code):
    decision = decide("1", upn, current, desired, context(roles=lambda: roles, converted=CONVERTED))
    assert decision.skip is not None
    assert decision.skip.code in (code, "is_blocked")
    assert upn in decision.skip.msg


@pytest.mark.parametrize(("upn", "created"), [("u@b.example", "2026-10-01T09:00:00Z"), ("u@a.example", "2026-10-02T00:00:00Z"), ("u@b.example", None)])
def test_who_was_there_before_the_conversion_gets_a_password(upn, created):
    decision = decide("1", upn, state(createdDateTime=created), Desired(password=True), context(converted=CONVERTED))
    assert decision.change.after == PASSWORD


def test_what_cannot_be_done_is_left_out_and_named():
    decision = decide("1", "u@fed.example", state(accountEnabled=False), Desired(enabled=True, password=True), context())
    assert decision.change.after == {"accountEnabled": True, "left_out": ["domain_is_federated"]}
    administrator = context(roles=lambda: {"1": {ADMINISTRATOR}})
    decision = decide("1", "u@a.example", state(accountEnabled=False), Desired(enabled=True, **ADD_E3), administrator)
    assert decision.change.after == {"licences": {"SPE_E3": []}, "left_out": ["needs_higher_role"]}


@pytest.mark.parametrize(("roles", "may", "planned"), [({HELPDESK}, False, True), ({ADMINISTRATOR}, True, True), ({ADMINISTRATOR}, False, False)])
def test_who_may_touch_administrators(roles, may, planned):
    known = context(roles=lambda: {"1": roles}, may_reset_every_administrator=lambda: may)
    assert (decide("1", "u@a.example", state(accountEnabled=False), Desired(enabled=True), known).change is not None) is planned


def never():
    raise AssertionError("read for nothing")


def test_roles_are_not_read_when_nobody_is_touched():
    decide("1", "u@a.example", state(), Desired(enabled=True, **ADD_E3), context(roles=never))


@pytest.mark.parametrize(
    "desired",
    [
        Desired(enabled=True, password=True, access_pass=True, usage_location="JP", revoke_sessions=True),
        Desired(**user_desired.desired_licences({"add": [E3]}, Skus(never))),
        Desired(**user_desired.desired_licences({"set": [E3.upper()]}, Skus(never))),
        user_desired.from_snapshot(
            Desired(), {"userPrincipalName": "u", "id": "1", "accountEnabled": True, "licences": [{"skuId": E3, "disabledPlans": []}]}, ()
        ),
        Desired(group=LicenceGroup("g", "licensed", {E3: frozenset()})),
    ],
    ids=["passwords", "add", "set", "snapshot", "group"],
)
def test_nothing_more_is_read_when_everything_is_as_desired(desired):
    known = RepairContext(
        Skus(never), never, never, never, password_was_set=lambda user_id, last: True, pass_was_given=lambda user_id: True, is_member=lambda _id: True
    )
    decision = decide("1", "u@a.example", state(licences={E3: []}, given={E3: "Active"}), desired, known)
    assert (decision.change, decision.skip) == (None, None)


def test_an_earlier_plan_speaks_of_part_numbers():
    predicted = user_plan.by_id(state(licences={"SPE_E3": []}), SKUS)
    assert decide("1", "u@a.example", predicted, Desired(**ADD_E3), context()).change is None


def test_an_unknown_licence_stops_the_plan():
    desired = Desired(**user_desired.desired_licences({"add": [UNKNOWN]}, SKUS))
    with pytest.raises(OffboardError, match=f"no licence '{UNKNOWN}', which u@a.example shall get; it has SPE_E3") as caught:
        decide("1", "u@a.example", state(), desired, context())
    assert caught.value.code == "licence_unknown"


def test_a_licence_that_is_gone_since_the_snapshot_hinders_nothing_else():
    licences = [{"skuId": sku, "disabledPlans": []} for sku in (UNKNOWN, E3)]
    desired = user_desired.from_snapshot(Desired(), record(licences=licences), ())
    after = {"accountEnabled": True, "licences": {"SPE_E3": []}, "left_out": ["licence_gone"]}
    assert decide("1", "u@a.example", state(accountEnabled=False), desired, context()).change.after == after
    skip = decide("1", "u@a.example", state(licences={E3: []}), desired, context()).skip
    assert skip.code == "licence_gone" and UNKNOWN in skip.msg
    assert decide("1", "u@a.example", state(licences={E3: [], UNKNOWN: []}), desired, context()).change is None


@pytest.mark.parametrize(
    ("units", "consumed", "free"),
    [
        ({"enabled": 0, "warning": 245, "suspended": 0}, 240, 5),
        ({"enabled": 10, "warning": 5}, 12, 3),
        ({"enabled": 0, "suspended": 245}, 240, -240),
        ({"enabled": None, "warning": None}, 0, 0),
        ({"enabled": -1, "warning": 3}, 1, 2),
    ],
)
def test_seats_in_grace_are_seats(units, consumed, free):
    assert Sku.of({"skuId": E3, "skuPartNumber": "SPE_E3", "prepaidUnits": units, "consumedUnits": consumed}).free == free


@pytest.mark.parametrize(
    ("units", "told"),
    [
        ({"enabled": 0, "suspended": 220}, "2 seats are needed and 0 are free, 2 are missing; who gets none counts as failed. The subscription is suspended"),
        (
            {"enabled": 0, "warning": 0, "lockedOut": 220},
            "2 seats are needed and 0 are free, 2 are missing; who gets none counts as failed. The subscription is",
        ),
        ({"enabled": 200, "suspended": 20}, "2 seats are needed and 0 are free, 2 are missing; who gets none counts as failed"),
        ({"enabled": 220}, "2 seats are needed and 1 are free, 1 are missing; who gets none counts as failed"),
        ({"enabled": 221}, ""),
    ],
)
def test_seats_that_are_missing_are_no_more_than_are_needed(units, told):
    sku = Sku.of({"skuId": E3, "skuPartNumber": "SPE_E3", "prepaidUnits": units, "consumedUnits": 219})
    message = user_requests.too_few("SPE_E3", 2, sku)
    assert message.startswith(f"SPE_E3: {told}" if told else "") and bool(message) == bool(told)
    assert "-" not in message and ("suspended or locked out" in message) == ("subscription" in told)


def sku_row(sku, name, enabled, consumed, **values):
    return {"skuId": sku, "skuPartNumber": name, "prepaidUnits": {"enabled": enabled}, "consumedUnits": consumed, **values}


def test_two_accounts_that_hold_one_sku_are_one_licence():
    """`id` of a subscribedSku is of the account and the SKU; a row that comes twice counts once."""
    rows = [sku_row(E3, "SPE_E3", 10, 4, id=f"a_{E3}"), sku_row(E3.upper(), "SPE_E3", 5, 5, id=f"b_{E3}"), sku_row(E3, "SPE_E3", 10, 4, id=f"a_{E3}")]
    for order in (rows, rows[::-1]):
        skus = Skus(lambda order=order: order)
        assert (skus.find("spe_e3").free, str(skus)) == (6, "SPE_E3")


def test_a_part_number_that_two_licences_have_names_neither():
    """Neither is taken for the other, whichever comes last."""
    skus = Skus(lambda: [sku_row(E3, "SPE", 10, 4), sku_row(UNKNOWN, "Spe", 5, 5)])
    with pytest.raises(OffboardError, match=f"SPE.*{E3}.*{UNKNOWN}") as caught:
        skus.id("SPE")
    assert caught.value.code == "licence_unknown"
    assert (skus.name(E3), skus.name(UNKNOWN), skus.find(E3).free) == (E3, UNKNOWN, 6)


def test_a_licence_without_a_part_number_goes_by_its_id():
    assert Skus(lambda: [sku_row(E3, None, 1, 0, appliesTo=None)]).name(E3) == E3


LOST, KEPT = "11111111-0000-0000-0000-000000000001", "11111111-0000-0000-0000-000000000002"


def test_a_service_that_the_licence_has_lost_is_left_out():
    row = {"skuId": E3, "skuPartNumber": "SPE_E3", "consumedUnits": 3, "prepaidUnits": {"enabled": 5}}
    skus = Skus(lambda: [{**row, "servicePlans": [{"servicePlanId": KEPT.upper()}]}])
    desired = user_desired.from_snapshot(Desired(), record(licences=[{"skuId": E3, "disabledPlans": [LOST, KEPT]}]), ())
    known = context()
    known.skus = skus
    found = decide("1", "u@a.example", state(), desired, known)
    assert found.change.after == {"licences": {"SPE_E3": [KEPT]}, "left_out": ["plan_gone"]}
    assert LOST in found.notes["plan_gone"] and "SPE_E3" in found.notes["plan_gone"]
    assert user_requests.licence_body(found.change, skus)["addLicenses"] == [{"skuId": E3, "disabledPlans": [KEPT]}]
    for there in ([KEPT], [LOST, KEPT]):
        again = decide("1", "u@a.example", state(licences={E3: sorted(there)}), desired, known)
        assert (again.change, again.skip) == (None, None), "a second run changes nothing"


def test_a_licence_that_the_tenant_has_no_longer_can_be_removed():
    change = decide("1", "u@a.example", state(licences={UNKNOWN: [], E3: []}), Desired(**ADD_E3, exact=True), context()).change
    assert user_requests.licence_body(change, SKUS) == {"addLicenses": [], "removeLicenses": [UNKNOWN]}


def test_synced_users_can_be_asked_for_and_a_set_password_is_not_set_again():
    known = context(synced_password="set")
    assert decide("1", "u@a.example", state(onPremisesSyncEnabled=True), Desired(password=True), known).change is not None
    known = context(password_was_set=lambda user_id, last: user_id == "1")
    assert decide("1", "u@a.example", state(), Desired(password=True), known).change is None
    assert decide("2", "u@a.example", state(), Desired(password=True), known).change is not None
    known = context(password_changed_elsewhere=lambda user_id, last: user_id == "1")
    assert decide("1", "u@a.example", state(), Desired(password=True), known).skip.code == "password_changed_elsewhere"
    assert decide("2", "u@a.example", state(), Desired(password=True), known).change is not None


@pytest.mark.parametrize(
    ("upn", "current", "roles", "given", "code"),
    [
        ("u@a.example", state(), {}, False, None),
        ("u@a.example", state(), {}, True, "unchanged"),
        ("u@a.example", state(temporaryAccessPass=user_plan.NEW_PASS), {}, False, "unchanged"),
        ("u_b.example#EXT#@a.example", state(userType="Guest"), {}, False, "is_guest"),
        ("u@a.example", state(userType="Guest"), {}, False, None),  # an internal guest: an account of this tenant
        ("u@a.example", state(onPremisesSyncEnabled=True), {}, False, "password_is_synced"),
        ("u@a.example", state(accountEnabled=False), {}, False, "is_blocked"),
        ("u@fed.example", state(), {}, False, "domain_is_federated"),
        ("u@a.example", state(), {"1": {ADMINISTRATOR}}, False, "needs_higher_role"),
    ],
)
def test_who_gets_a_pass(upn, current, roles, given, code):
    known = context(roles=lambda: roles, pass_was_given=lambda user_id: given)
    decision = decide("1", upn, current, Desired(access_pass=True), known)
    assert (decision.skip.code if decision.skip else None if decision.change else "unchanged") == code


@pytest.mark.parametrize(
    ("upn", "current", "desired", "after"),
    [
        ("u@a.example", state(), Desired(revoke_sessions=True), {"signInSessions": user_plan.REVOKED}),
        ("u@a.example", state(signInSessions=user_plan.REVOKED), Desired(revoke_sessions=True), None),
        ("u@a.example", state(), Desired(), None),
        (
            "u@fed.example",
            state(),
            Desired(password=True, revoke_sessions=True),
            {"signInSessions": user_plan.REVOKED, "left_out": ["domain_is_federated"]},
        ),
    ],
    ids=["made up for", "planned already", "not asked for", "also where something else cannot be done"],
)
def test_sessions_that_an_earlier_run_has_left(upn, current, desired, after):
    known = context(sessions_owed=lambda user_id, state: user_id == "1")
    decision = decide("1", upn, current, desired, known)
    assert (decision.change and decision.change.after) == after
    assert decide("2", upn, current, desired, known).change is None


def test_sessions_that_an_earlier_run_has_left_are_revoked_without_the_pass_that_cannot_be_made():
    known = context(sessions_owed=lambda user_id, state: True)
    decision = user_plan.without_pass(decide("1", "u@a.example", state(), Desired(access_pass=True, revoke_sessions=True), known), "has_pass", "m")
    assert decision.change.after == {"signInSessions": user_plan.REVOKED, "left_out": ["has_pass"]}


def test_all_reasons_are_told_and_that_of_the_licence_last():
    licences = [{"skuId": UNKNOWN, "disabledPlans": []}]
    desired = user_desired.from_snapshot(Desired(password=True), record(licences=licences), ())
    skip = decide("1", "u@a.example", state(onPremisesSyncEnabled=True), desired, context()).skip
    assert skip.code == "password_is_synced" and UNKNOWN in skip.msg


def test_a_pass_that_cannot_be_made_is_left_out():
    both = decide("1", "u@a.example", state(accountEnabled=False), Desired(enabled=True, access_pass=True, revoke_sessions=True), context())
    left = user_plan.without_pass(both, "has_pass", "m").change
    assert (left.before.keys(), left.after) == (left.after.keys(), {"accountEnabled": True, "signInSessions": user_plan.REVOKED, "left_out": ["has_pass"]})
    alone = decide("1", "u@a.example", state(), Desired(access_pass=True, revoke_sessions=True), context())
    assert user_plan.without_pass(alone, "has_pass", "m").skip.code == "has_pass"
    assert user_plan.with_old_pass(alone, "p").change.before["temporaryAccessPass"] == "p"
    assert user_requests.expectation(alone.change) == ()


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        (None, {}),
        ({"add": ["spe_e3"]}, {"add": {E3: None}, "remove": frozenset(), "exact": False}),
        ({"add": [E3.upper()]}, {"add": {E3: None}, "remove": frozenset(), "exact": False}),
        ({"set": []}, {"add": {}, "remove": frozenset(), "exact": True}),
    ],
)
def test_licence_options(option, wanted):
    assert user_desired.desired_licences(option, SKUS) == wanted


@pytest.mark.parametrize(
    "option", [{"add": ["X"]}, {"add": ["COMPANY"]}, {"remove": [UNKNOWN]}, {"set": ["SPE_E3"], "add": ["EXCHANGE"]}, {"add": ["SPE_E3"], "remove": ["SPE_E3"]}]
)
def test_bad_licence_options(option):
    with pytest.raises(OffboardError):
        user_desired.desired_licences(option, SKUS)


def test_seats_are_counted_without_negative_ones():
    assert SKUS.find("SPE_E3").free == 2
    assert SKUS.find("EXCHANGE").free == -4
    assert SKUS.name("unknown-sku") == "unknown-sku"


@pytest.mark.parametrize("typed", [" SPE_E3", "spe_e3\n", "ＳＰＥ_Ｅ３", f"{{{E3.upper()}}}", f" {E3.replace('-', '')} "])
def test_a_licence_is_the_same_however_it_was_typed(typed):
    assert SKUS.id(typed) == E3 and SKUS.find(typed).part_number == "SPE_E3" and typed in SKUS
    assert user_desired.desired_licences({"add": [typed]}, SKUS)["add"] == {E3: None}


def test_the_requests_of_a_change():
    current = state(accountEnabled=False, usageLocation=None, licences={EXCHANGE: []})
    desired = Desired(enabled=True, usage_location="JP", password=True, add={E3: ["plan"]}, remove=frozenset([EXCHANGE]))
    change = decide("1", "u@a.example", current, desired, context()).change
    assert user_requests.patch_body(change, "secret", "next_sign_in_with_mfa") == {
        "accountEnabled": True,
        "usageLocation": "JP",
        "passwordProfile": {"password": "secret", "forceChangePasswordNextSignIn": True, "forceChangePasswordNextSignInWithMfa": True},
    }
    assert user_requests.licence_body(change, SKUS) == {
        "addLicenses": [{"skuId": E3, "disabledPlans": ["plan"]}],
        "removeLicenses": [EXCHANGE],
    }
    assert user_requests.new_seats(change) == ["SPE_E3"]
    assert "secret" not in str(change)
    with pytest.raises(ValueError, match="hand-over"):
        user_requests.patch_body(change, None, "none")


@pytest.mark.parametrize(("enabled", "password_changed", "seen"), [(True, True, True), (True, False, False), (False, True, False)])
def test_what_must_be_seen(enabled, password_changed, seen):
    change = decide("1", "u@a.example", state(accountEnabled=False), Desired(enabled=True, password=True), context()).change
    item = {"accountEnabled": enabled}
    assert user_requests.meets(item, user_requests.expectation(change), SKUS, password_changed=password_changed) is seen
    only = user_requests.expectation(change, ["accountEnabled"])
    assert user_requests.meets(item, only, SKUS, password_changed=False) is enabled


def record(enabled=True, **more):
    licences = [{"skuId": E3, "disabledPlans": ["p"]}]
    return {"id": "1", "userPrincipalName": "U@a.example", "accountEnabled": enabled, "usageLocation": "JP", "licences": licences, **more}


def test_from_a_snapshot():
    wanted = user_desired.from_snapshot(Desired(password=True), record(), ())
    assert (wanted.enabled, wanted.add, wanted.exact, wanted.usage_location, wanted.password) == (True, {E3: ["p"]}, False, "JP", True)
    assert user_desired.from_snapshot(Desired(), record(enabled=False), ()).blocked
    assert user_desired.from_snapshot(Desired(), record(enabled=False), {"u@a.example"}).enabled is True
    assert user_desired.from_snapshot(Desired(), record(enabled=False), {"1"}).enabled is True


def test_a_line_of_src_wins():
    said = user_desired.said_in({"id": "1", "enabled": False, "password": "generate", "licences": {"add": ["SPE_E3"]}}, SKUS)
    wanted = user_desired.otherwise(Desired(enabled=True, add={UNKNOWN: None}), said)
    assert (wanted.enabled, wanted.password, wanted.add) == (False, True, {E3: None})
    with pytest.raises(OffboardError, match="unknown nonsense"):
        user_desired.said_in({"id": "1", "nonsense": 1}, SKUS)


@pytest.mark.parametrize(
    ("licences", "there", "after"),
    [
        # beside those of the snapshot, with its plans
        ({"add": [EXCHANGE]}, {}, {"SPE_E3": ["p"], "EXCHANGE": []}),
        ({"add": [E3]}, {}, {"SPE_E3": ["p"]}),
        # one run, not one that gives and one that takes
        ({"set": [EXCHANGE]}, {}, {"EXCHANGE": []}),
        ({"set": [EXCHANGE]}, {EXCHANGE: []}, None),
        ({"set": [E3]}, {EXCHANGE: []}, {"SPE_E3": ["p"]}),
        ({"remove": [E3]}, {}, None),
        ({"remove": [E3]}, {E3: ["p"]}, {}),
        ({}, {}, {"SPE_E3": ["p"]}),
    ],
)
def test_what_is_said_of_a_user_of_the_snapshot(licences, there, after):
    desired = user_desired.otherwise(user_desired.from_snapshot(Desired(), record(), ()), user_desired.said_in({"licences": licences}, SKUS))
    change = decide("1", "u@a.example", state(licences=there), desired, context()).change
    assert (change and change.after) == (after if after is None else {"licences": after})


def test_a_leaver_of_after_the_snapshot_is_not_enabled_for_a_moment():
    desired = user_desired.otherwise(user_desired.from_snapshot(Desired(), record(), ()), {"enabled": False})
    assert decide("1", "u@a.example", state(accountEnabled=False, licences={E3: ["p"]}), desired, context()).change is None
    back = decide("1", "u@a.example", state(accountEnabled=False), desired, context()).change
    assert back is not None and back.after == {"licences": {"SPE_E3": ["p"]}}  # a mailbox may hang on it
    said = {"enabled": False, **user_desired.said_in({"licences": {"set": []}}, SKUS)}
    none = user_desired.otherwise(user_desired.from_snapshot(Desired(), record(), ()), said)
    assert decide("1", "u@a.example", state(accountEnabled=False), none, context()).change is None


def test_a_licence_that_is_said_and_unknown_is_none_that_is_gone_since_the_snapshot():
    desired = user_desired.otherwise(user_desired.from_snapshot(Desired(), record(), ()), user_desired.said_in({"licences": {"add": [UNKNOWN]}}, SKUS))
    with pytest.raises(OffboardError, match="shall get"):
        decide("1", "u@a.example", state(), desired, context())


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ({"enabled": "false"}, 'enabled is "false", but must be true or false'),
        ({"enabled": None}, "enabled is null"),
        ({"enabled": 0}, "enabled is 0"),
        ({"password": "Generate"}, '"keep" or "generate"'),
        ({"password": ["generate"]}, '"keep" or "generate"'),
        ({"licences": ["SPE_E3"]}, "an object of add, remove or set"),
        ({"licences": {"add": "SPE_E3"}}, "an object of add, remove or set"),
        ({"licences": {"ad": ["SPE_E3"]}}, "an object of add, remove or set"),
        ({"licences": {"add": [1]}}, "an object of add, remove or set"),
        ({"usage_location": "Japan"}, 'usage_location is "Japan"'),
        ({"usage_location": 81}, "two letters"),
        ({"usage_location": "ja"}, 'usage_location is "ja"'),
    ],
    ids=str,
)
def test_a_line_of_src_is_checked(line, rule):
    with pytest.raises(OffboardError) as caught:
        user_desired.said_in({"id": "1", **line}, SKUS)
    assert caught.value.code == "bad_src" and rule in caught.value.msg
    assert "Generate" not in caught.value.msg, "it could be a password"


@pytest.mark.parametrize(
    ("status", "message", "step", "code"),
    [
        (400, "Subscription with SKU x does not have any available licenses.", "licences", "no_seat"),
        (400, "License assignment cannot be done for user with invalid usage location.", "licences", "no_usage_location"),
        (400, "something new", "licences", "licence_refused"),
        (400, "The specified password does not comply with password complexity requirements.", "patch", "password_refused"),
        (400, "something new", "patch", "refused"),
        (403, "", "patch", "needs_higher_role"),
        (403, "", "licences", "permission_missing"),
        (404, "", "patch", "user_deleted"),
        (429, "", "patch", "throttled"),
    ],
)
def test_refusal_codes(status, message, step, code):
    assert user_requests.refusal_code(status, message, step) == code


@pytest.mark.parametrize(("graph_says", "held"), [("Active", [E3]), ("ActiveWithError", [E3]), ("Error", []), ("Disabled", []), (None, [])])
def test_which_of_a_groups_licences_count_as_held(graph_says, held):
    """One that has an error beside it is there: nobody needs a direct one."""
    states = [{"skuId": E3, "assignedByGroup": "g", "state": graph_says, "disabledPlans": []}]
    assert user_plan.user_state({"licenseAssignmentStates": states})["group_licences"] == held
    assert snapshot_plan.works(states[0]) is bool(held)


@pytest.mark.parametrize(
    ("text", "country"),
    [("JP", "JP"), ("jp", "JP"), (" jP ", "JP"), ("JPN", None), ("", None), ("日本", None), ("J1", None), ("JA", None), ("uk", None), ("gb", "GB")],
)
def test_a_usage_location_is_two_capital_letters(text, country):
    if country is None:
        with pytest.raises(OffboardError) as caught:
            user_desired.country(text)
        assert caught.value.code == "bad_option"
    else:
        assert user_desired.country(text) == country


def test_a_licence_whose_numbers_graph_does_not_tell():
    """Both are nullable; Graph decides whether it can be assigned."""
    sku = Sku.of({"skuId": E3, "skuPartNumber": "SPE_E3", "prepaidUnits": None, "consumedUnits": None, "servicePlans": None})
    assert (sku.free, sku.plans, sku.ended) == (0, None, False)
