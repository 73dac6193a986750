# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.licences import Skus
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.plan import Desired
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users_readiness.plan import CHANGED, UNSET, Meant, SignInEvidence, judge

E3, P1 = "00000000-0000-0000-0000-0000000000e3", "00000000-0000-0000-0000-0000000000b1"
GLOBAL = "62e90394-69f5-4237-9190-012177145e10"
SKUS = Skus(lambda: [{"skuId": E3, "skuPartNumber": "SPE_E3", "prepaidUnits": {"enabled": 9}, "consumedUnits": 0}])
#: the time of the conversion, a time before and a time after it
BEFORE, CONVERTED, AFTER = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-01T00:00:09Z"

WORKS = Desired(enabled=True, add={E3: []}, restored=True)
BLOCKED = Desired(blocked=True)


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
        ({"accountEnabled": False, "licences": {}}, Meant(BLOCKED), []),
        ({}, Meant(BLOCKED), ["user_enabled_not_meant"]),
        # the operator's word of one user comes before the snapshot's
        ({"accountEnabled": False}, Meant(WORKS, Desired(enabled=False)), []),
        ({"accountEnabled": False}, Meant(BLOCKED, Desired(enabled=True)), ["user_blocked"]),
        ({}, Meant(BLOCKED, Desired(enabled=True)), []),
        # made since the snapshot: nobody has said anything, but who is enabled needs a way to sign in
        ({"accountEnabled": False, "lastPasswordChangeDateTime": BEFORE}, Meant(), []),
        ({}, Meant(), []),
        ({"lastPasswordChangeDateTime": BEFORE}, Meant(), ["no_way_in"]),
        ({"lastPasswordChangeDateTime": None}, Meant(), ["no_way_in"]),
        # licences
        ({"licences": {}}, Meant(WORKS), ["licence_missing"]),
        ({"licences": {}, "group_licences": [E3]}, Meant(WORKS), []),
        ({"licences": {E3: ["plan"]}}, Meant(WORKS), ["licence_not_as_meant"]),
        ({"licences": {}}, Meant(Desired(enabled=True, add={P1: []}, restored=True)), ["licence_gone"]),
        ({"licences": {}}, Meant(WORKS, Desired(remove=frozenset({E3}))), []),
        ({}, Meant(WORKS, Desired(remove=frozenset({E3}))), ["licence_not_as_meant"]),
        ({"licences": {}}, Meant(BLOCKED, Desired(enabled=True, add={E3: None})), ["licence_missing"]),
    ],
)
def test_as_meant(state, meant, expected) -> None:
    assert list(judge("u1", "one@a.example", user(**state), meant, evidence())) == expected


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
        # nobody needs one
        (OLD | {"userType": "Guest"}, {}, []),
        (OLD, {"roots": ["b.example"]}, []),
    ],
)
def test_a_way_to_sign_in(state, given, expected) -> None:
    assert list(judge("u1", "One@A.example", user(**state), Meant(WORKS), evidence(**given))) == expected


def test_a_subdomain_follows_its_root() -> None:
    assert list(judge("u1", "one@sub.a.example", user(**OLD), Meant(), evidence())) == ["no_way_in"]
    assert list(judge("u1", "one@fed.example", user(), Meant(), evidence())) == ["domain_is_federated"]
