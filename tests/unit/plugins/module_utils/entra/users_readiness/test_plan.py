# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.desired import Desired, desired_licences
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.licences import Skus
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users_readiness.plan import CHANGED, UNSET, Judged, Meant, SignInEvidence, judge, judge_all

E3, P1 = "00000000-0000-0000-0000-0000000000e3", "00000000-0000-0000-0000-0000000000b1"
GLOBAL = "62e90394-69f5-4237-9190-012177145e10"
SKUS = Skus(lambda: [{"skuId": E3, "skuPartNumber": "SPE_E3", "prepaidUnits": {"enabled": 9}, "consumedUnits": 0}])
#: the time of the conversion, a time before and a time after it
BEFORE, CONVERTED, AFTER = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-01T00:00:09Z"

WORKS = Desired(enabled=True, add={E3: []}, restored=(E3,))
BLOCKED = Desired(blocked=True)
BY_GROUP = Desired(enabled=True)
#: what the operator says of one user, as `said_in` reads it
AND_E3, NO_E3, NONE = (desired_licences(said, SKUS) for said in ({"add": ["SPE_E3"]}, {"remove": ["SPE_E3"]}, {"set": []}))


def user(**other):
    return {
        "accountEnabled": True, "userType": "Member", "onPremisesSyncEnabled": False, "lastPasswordChangeDateTime": AFTER,
        "licences": {E3: []}, "group_licences": [], **other,
    }  # fmt: skip


def evidence(**other):
    domains = {"a.example": {"isRoot": True, "authenticationType": "Managed"}, "fed.example": {"isRoot": True, "authenticationType": "Federated"}}
    return SignInEvidence(**{"skus": SKUS, "domains": domains, "roots": domains.keys(), "converted": {"a.example": CONVERTED}, **other})


@pytest.mark.parametrize(
    ("state", "meant", "expected"),
    [
        ({}, Meant(WORKS), []),
        ({"accountEnabled": False}, Meant(WORKS), ["user_blocked"]),
        # blocked before the exit, and named by nobody
        ({"accountEnabled": False, "licences": {}}, Meant(BLOCKED), ["blocked_before_snapshot"]),
        ({}, Meant(BLOCKED), ["user_enabled_not_meant"]),
        # the operator's word of one user comes before the snapshot's
        ({"accountEnabled": False}, Meant(WORKS, {"enabled": False}), []),
        ({"accountEnabled": False}, Meant(BLOCKED, {"enabled": True}), ["user_blocked"]),
        ({}, Meant(BLOCKED, {"enabled": True}), []),
        # made since the snapshot: nobody has said anything, but who is enabled needs a way to sign in
        ({"accountEnabled": False, "lastPasswordChangeDateTime": BEFORE}, Meant(), []),
        ({}, Meant(), []),
        ({"lastPasswordChangeDateTime": BEFORE}, Meant(), ["no_way_in"]),
        ({"lastPasswordChangeDateTime": None}, Meant(), ["no_way_in"]),
        # licences
        ({"licences": {}}, Meant(WORKS), ["licence_missing"]),
        ({"licences": {}, "group_licences": [E3]}, Meant(WORKS), []),
        ({"licences": {E3: ["plan"]}}, Meant(WORKS), ["licence_not_as_meant"]),
        ({"licences": {}}, Meant(Desired(enabled=True, add={P1: []}, restored=(P1,))), ["licence_gone"]),
        ({"licences": {}}, Meant(WORKS, NO_E3), []),
        ({}, Meant(WORKS, NO_E3), ["licence_not_as_meant"]),
        ({"licences": {}}, Meant(BLOCKED, {"enabled": True, **AND_E3}), ["licence_missing"]),
        # given by a group then, and lost with the membership; the operator's word of one user comes before it
        ({"licences": {}}, Meant(BY_GROUP, by_group=(E3,)), ["group_licence_missing"]),
        ({"licences": {}, "group_licences": [E3]}, Meant(BY_GROUP, by_group=(E3,)), []),
        ({}, Meant(BY_GROUP, by_group=(E3,)), []),
        ({"licences": {}}, Meant(BY_GROUP, NO_E3, by_group=(E3,)), []),
        ({"licences": {}}, Meant(BY_GROUP, by_group=(P1,)), []),
        ({"licences": {}, "accountEnabled": False}, Meant(BLOCKED, by_group=(E3,)), ["blocked_before_snapshot"]),
        # the operator's word of licences holds for whoever it is about: made later, or blocked as a shared mailbox is
        ({"licences": {}}, Meant(said=AND_E3), ["licence_missing"]),
        ({"licences": {}, "accountEnabled": False}, Meant(BLOCKED, AND_E3), ["blocked_before_snapshot", "licence_missing"]),
        ({"accountEnabled": False}, Meant(WORKS, {"enabled": False, **NONE}), ["licence_not_as_meant"]),
        ({"licences": {}, "accountEnabled": False}, Meant(WORKS, {"enabled": False}), []),
        # what it adds or takes is beside what the snapshot says
        ({}, Meant(Desired(enabled=True, add={P1: []}, restored=(P1,)), AND_E3), ["licence_gone"]),
        ({"licences": {}}, Meant(WORKS, desired_licences({"add": [P1]}, SKUS)), ["licence_missing"]),
        ({}, Meant(BY_GROUP, AND_E3, by_group=(E3,)), []),
    ],
)
def test_as_meant(state, meant, expected) -> None:
    assert list(judge("u1", "one@a.example", user(**state), meant, evidence())) == expected


@pytest.mark.parametrize(
    ("state", "meant", "given", "expected"),
    [
        ({}, Meant(), {}, []),
        ({"licences": {}, "group_licences": [P1]}, Meant(), {}, []),
        ({"licences": {}}, Meant(), {}, ["new_user_unlicensed"]),
        ({"accountEnabled": False, "licences": {}}, Meant(), {}, ["new_user_blocked"]),
        # a person has said so
        ({"licences": {}}, Meant(said=NONE), {}, []),
        ({"accountEnabled": False, "licences": {}}, Meant(said={"enabled": False}), {}, []),
        ({"accountEnabled": False, "licences": {}}, Meant(said={"enabled": True}), {}, ["user_blocked"]),
        # nobody there has one; who is in the snapshot is compared with it; without one nobody knows who was made later
        ({"licences": {}}, Meant(), {"licensed": ()}, []),
        ({"licences": {}}, Meant(BY_GROUP), {}, []),
        ({"accountEnabled": False, "licences": {}}, Meant(BLOCKED), {}, ["blocked_before_snapshot"]),
        ({"accountEnabled": False, "licences": {}}, Meant(), {"taken": ""}, []),
        ({"licences": {}}, Meant(), {"roots": ["b.example"]}, []),
    ],
)
def test_who_was_made_since_the_snapshot(state, meant, given, expected) -> None:
    proof = evidence(**{"taken": BEFORE, "licensed": ["a.example"], **given})
    assert list(judge("u1", "one@sub.A.example", user(**state), meant, proof)) == expected


def test_an_invited_guest_needs_no_licence() -> None:
    proof = evidence(taken=BEFORE, licensed=["a.example"])
    assert judge("u1", "one_b.example#EXT#@a.example", user(userType="Guest", licences={}), Meant(), proof) == {}


OLD = {"lastPasswordChangeDateTime": BEFORE}


@pytest.mark.parametrize(
    ("state", "given", "expected"),
    [
        # set since the conversion, by whomever, in its very second too
        ({}, {}, []),
        ({"lastPasswordChangeDateTime": CONVERTED}, {}, []),
        (OLD, {}, ["no_way_in"]),
        # an entry alone proves nothing; what the tenant shows overrules the journal
        (OLD, {"handed_over": lambda *_: UNSET, "password_was_set": lambda _: True}, ["no_way_in"]),
        (OLD, {"handed_over": lambda *_: CHANGED}, ["no_way_in"]),
        # set at an earlier conversion of the domain, and nobody has set another one
        (OLD, {"handed_over": lambda *_: CHANGED, "password_was_set": lambda _: True}, []),
        # converted without this journal
        ({}, {"converted": {}}, ["no_way_in"]),
        ({}, {"converted": {}, "handed_over": lambda *_: CHANGED}, []),
        # passes
        (OLD, {"access_pass": lambda _: True}, []),
        (OLD, {"access_pass": lambda _: False}, ["access_pass_ended"]),
        ({}, {"access_pass": lambda _: False}, []),
        # synchronized
        (OLD | {"onPremisesSyncEnabled": True}, {}, ["password_is_synced"]),
        (OLD | {"onPremisesSyncEnabled": True}, {"synced_password": "set"}, ["no_way_in"]),
        # administrators
        (OLD, {"roles": lambda: {"u1": {GLOBAL}}}, ["administrator_without_password"]),
        (OLD, {"roles": lambda: {"u1": {GLOBAL}}, "may_reset_every_administrator": lambda: True}, ["no_way_in"]),
        # a person knows
        (OLD, {"otherwise": {"one@a.example"}}, []),
        (OLD, {"otherwise": {"u1"}}, []),
        (OLD, {"otherwise": {"@a.example"}}, []),
        (OLD, {"otherwise": {"@b.example"}}, ["no_way_in"]),
        # an internal guest signs in here, as members do
        (OLD | {"userType": "Guest"}, {}, ["no_way_in"]),
        # nobody needs one
        (OLD, {"roots": ["b.example"]}, []),
    ],
)
def test_a_way_to_sign_in(state, given, expected) -> None:
    assert list(judge("u1", "One@A.example", user(**state), Meant(WORKS), evidence(**given))) == expected


@pytest.mark.parametrize("kind", ["Guest", "Member"])
def test_whom_another_organization_signs_in_needs_no_way_here(kind) -> None:
    assert list(judge("u1", "one_b.example#EXT#@a.example", user(**OLD, userType=kind), Meant(WORKS), evidence())) == []


TAKEN = "2026-01-15T00:00:00Z"
SINCE = {"lastPasswordChangeDateTime": "2026-01-20T00:00:00Z"}


@pytest.mark.parametrize(
    ("upn", "state", "given", "expected"),
    [
        # IIJ ID had signed them in; nobody has given them a password, and the new domain is managed
        ("one@t.onmicrosoft.com", OLD, {}, ["moved_without_password"]),
        ("one@t.onmicrosoft.com", {"lastPasswordChangeDateTime": None}, {"converted": {}}, ["moved_without_password"]),
        ("one@t.onmicrosoft.com", OLD, {"taken": ""}, ["moved_without_password"]),
        ("one@t.onmicrosoft.com", SINCE, {}, []),
        ("one@t.onmicrosoft.com", OLD, {"handed_over": lambda *_: CHANGED, "password_was_set": lambda _: True}, []),
        ("one@t.onmicrosoft.com", OLD, {"access_pass": lambda _: True}, []),
        ("one@t.onmicrosoft.com", OLD | {"onPremisesSyncEnabled": True}, {}, ["password_is_synced"]),
        ("one@t.onmicrosoft.com", OLD, {"otherwise": {"@t.onmicrosoft.com"}}, []),
        ("one@t.onmicrosoft.com", OLD, {"otherwise": {"@a.example"}}, []),
        ("one@t.onmicrosoft.com", OLD | {"accountEnabled": False}, {}, ["user_blocked"]),
        # another provider signs them in there
        ("one@fed.example", OLD, {"roots": ["a.example"]}, []),
        # from one domain of the exit into another
        ("one@b.example", OLD, {"roots": ["a.example", "b.example"], "converted": {"a.example": BEFORE, "b.example": CONVERTED}}, ["no_way_in"]),
    ],
)
def test_who_was_renamed_out_of_the_exit_needs_a_way_too(upn, state, given, expected) -> None:
    proof = evidence(**{"roots": ["a.example"], "taken": TAKEN, **given})
    assert list(judge("u1", upn, user(**state), Meant(WORKS, domain="sub.a.example"), proof)) == expected


@pytest.mark.parametrize("given", [{}, {"otherwise": {"@a.example"}, "converted": {}}])
def test_a_subdomain_that_is_named_too_follows_its_root(given) -> None:
    """The role names the domains with their subdomains; the journal has when the root was converted."""
    assert list(judge("u1", "one@sub.a.example", user(), Meant(), evidence(**{"roots": ["a.example", "sub.a.example"], **given}))) == []


def test_a_subdomain_follows_its_root() -> None:
    assert list(judge("u1", "one@sub.a.example", user(**OLD), Meant(), evidence())) == ["no_way_in"]
    assert list(judge("u1", "one@fed.example", user(), Meant(), evidence())) == ["domain_is_federated"]


def test_passes_are_looked_for_of_many_people_at_once() -> None:
    """One request for each of 100,000 would take hours."""
    people = [Judged(f"u{number}", f"{number}@a.example", user(**(OLD if number else {})), Meant()) for number in range(4)]
    asked: list[list[str]] = []
    passes = {"u1": True, "u2": False}
    found = judge_all(people, evidence(access_pass=lambda user_id: passes[user_id] if asked and user_id in passes else None), lambda who: asked.append([*who]))
    assert asked == [["u1", "u2", "u3"]]
    assert [[*one] for one in found] == [[], [], ["access_pass_ended"], ["no_way_in"]]
    assert judge_all(people[:1], evidence(), lambda who: asked.append([*who])) == [{}] and len(asked) == 1
