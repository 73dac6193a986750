# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.sign_in_readiness import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.sign_in_readiness.plan import Means, Person, Registration, judge, password_of

GLOBAL, HELP_DESK = "62e90394-69f5-4237-9190-012177145e10", "729827e3-9c14-49f7-bb1b-9608f156bbb8"
HAS, HAS_NOT, KEY = Registration(True, False), Registration(False, False), Registration(True, True)


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (Person(), [("ready", "")]),
        (Person(demanded=True, registration=HAS), [("ready", "")]),
        # who has a second factor needs no answer to who asks for it
        (Person(demanded=None, registration=HAS), [("ready", "")]),
        (Person(demanded=True, registration=HAS_NOT), [("must_register_mfa", "")]),
        (Person(demanded=None, registration=HAS_NOT), [("not_known", "policies_not_read")]),
        # nobody asks for one, so it does not matter that the report could not be read
        (Person(demanded=False, registration=None), [("ready", "")]),
        # "no second factor" is never said of somebody whom the report leaves out, or of all where it could not be read
        (Person(demanded=True, registration=None), [("not_known", "not_in_report")]),
        (Person(demanded=True, registration=None, no_registration="registration_not_read"), [("not_known", "registration_not_read")]),
        (Person(enabled=False), [("blocked", "")]),
        (Person(enabled=False, password="none", legacy=("POP3",)), [("blocked", "")]),
        (Person(enabled=False, to_be_enabled=True, demanded=True, registration=HAS_NOT), [("not_known", "blocked_now")]),
        (Person(enabled=False, to_be_enabled=True), [("ready", "")]),
        (Person(password="none"), [("no_way_in", "")]),
        (Person(password="none", demanded=True, registration=HAS_NOT, licensed=False), [("no_way_in", ""), ("must_register_mfa", ""), ("no_licence", "")]),
        (Person(password="by_hand"), [("not_known", "by_hand")]),
        (Person(password="roles_not_read"), [("not_known", "roles_not_read")]),
        (Person(password="hash_sync_not_verified", legacy=("IMAP4",)), [("legacy_client", ""), ("not_known", "hash_sync_not_verified")]),
        (Person(legacy=("Authenticated SMTP",), service=True), [("looks_like_a_service", ""), ("legacy_client", "")]),
        (Person(legacy=None), [("not_known", "sign_ins_not_read")]),
        (Person(service=None, legacy=("POP3",)), [("legacy_client", ""), ("not_known", "sign_ins_not_read")]),
        (Person(licensed=False), [("no_licence", "")]),
    ],
)
def test_verdicts(person: Person, expected: list[tuple[str, str]]) -> None:
    assert judge(person) == expected
    assert plan.words(expected)


@pytest.mark.parametrize(
    ("means", "about", "expected"),
    [
        (Means(), {}, "new"),
        (Means(passwords="temporary_access_pass"), {}, "pass"),
        (Means(passwords="keep"), {}, "none"),
        (Means(passwords="keep"), {"otherwise": True}, "otherwise"),
        # a key that they have registered with Entra does
        (Means(passwords="keep"), {"registration": KEY}, "registered_method"),
        (Means(passwords="keep"), {"registration": HAS}, "none"),
        # the tool leaves them alone: nobody gives them a password
        (Means(), {"left_alone": True}, "none"),
        (Means(), {"left_alone": True, "federated": False}, "own"),
        (Means(hash_sync=True), {"synced": True}, "hash_sync"),
        (Means(hash_sync=True), {"synced": True, "left_alone": True}, "hash_sync"),
        (Means(), {"synced": True}, "hash_sync_not_verified"),
        (Means(), {"synced": True, "registration": KEY}, "registered_method"),
        # they carry the mark of a synchronization that is no more
        (Means(hash_sync=True, synchronized=False), {"synced": True}, "none"),
        (Means(synced_password="set"), {"synced": True}, "new"),
        (Means(), {"roles": {GLOBAL}}, "by_hand"),
        (Means(), {"roles": {HELP_DESK}}, "new"),
        # whoever may be an administrator may get none
        (Means(), {"roles": None}, "roles_not_read"),
        (Means(hash_sync=True), {"roles": None, "synced": True}, "hash_sync"),
        (Means(may_reset_every_administrator=True), {"roles": {GLOBAL}}, "new"),
    ],
)
def test_how_a_password_comes(means: Means, about: dict, expected: str) -> None:
    given = {"federated": True, "left_alone": False, "otherwise": False, "synced": False, "roles": (), "registration": None, **about}
    assert password_of(means, **given) == expected


def policy(state: str = "enabled", controls: dict | None = None, actions: tuple[str, ...] = (), **users: list[str]) -> dict:
    grant = {"operator": "OR", "builtInControls": ["mfa"]} if controls is None else controls
    return {"displayName": "p", "state": state, "conditions": {"users": users, "applications": {"includeUserActions": list(actions)}}, "grantControls": grant}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (policy(), True),
        (policy("disabled"), False),
        (policy("enabledForReportingButNotEnforced"), False),
        (policy(controls={"operator": "OR", "builtInControls": ["block"]}), False),
        # another way is enough, but not everybody has it
        (policy(controls={"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}), True),
        (policy(controls={"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]}), True),
        (policy(controls={"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": "x"}}), True),
        (policy(controls={}), False),
        ({"displayName": "p", "state": "enabled", "conditions": None, "grantControls": None}, False),
    ],
)
def test_what_asks_for_a_second_factor(item: dict, expected: bool) -> None:
    assert bool(plan.demanding([item])) is expected


MEMBERS = {"staff": True, "leavers": False, "unreadable": None}


@pytest.mark.parametrize(
    ("users", "roles", "expected"),
    [
        ({"includeUsers": ["All"]}, (), (True, ("p",), ())),
        ({"includeUsers": ["U1"]}, (), (True, ("p",), ())),
        ({"includeUsers": ["u2"]}, (), (False, (), ())),
        ({"includeUsers": ["All"], "excludeUsers": ["u1"]}, (), (False, (), ("p",))),
        ({"includeUsers": ["All"], "excludeGroups": ["staff"]}, (), (False, (), ("p",))),
        ({"includeUsers": ["All"], "excludeGroups": ["leavers"]}, (), (True, ("p",), ())),
        ({"includeUsers": ["All"], "excludeGroups": ["unreadable"]}, (), (None, (), ())),
        ({"includeGroups": ["staff", "unreadable"]}, (), (True, ("p",), ())),
        ({"includeGroups": ["unreadable"]}, (), (None, (), ())),
        ({"includeRoles": [GLOBAL]}, {GLOBAL}, (True, ("p",), ())),
        ({"includeRoles": [GLOBAL]}, (), (False, (), ())),
        ({"includeRoles": [GLOBAL]}, None, (None, (), ())),
        ({"includeUsers": ["All"], "excludeRoles": [GLOBAL]}, None, (None, (), ())),
        ({"includeUsers": ["None"]}, (), (False, (), ())),
    ],
)
def test_who_is_asked(users: dict, roles, expected) -> None:
    assert plan.asked(plan.demanding([policy(**users)]), False, "u1", roles, MEMBERS.__getitem__) == expected


INTERNAL = {"guestOrExternalUserTypes": "b2bCollaborationGuest,internalGuest", "externalTenants": None}
INVITED = {"guestOrExternalUserTypes": "b2bCollaborationGuest", "externalTenants": None}


@pytest.mark.parametrize(
    ("users", "guest", "expected"),
    [
        ({"includeUsers": ["GuestsOrExternalUsers"]}, True, (True, ("p",), ())),
        ({"includeUsers": ["GuestsOrExternalUsers"]}, False, (False, (), ())),
        ({"includeGuestsOrExternalUsers": INTERNAL}, True, (True, ("p",), ())),
        ({"includeGuestsOrExternalUsers": INTERNAL}, False, (False, (), ())),
        ({"includeGuestsOrExternalUsers": INVITED}, True, (False, (), ())),
        ({"includeGuestsOrExternalUsers": None}, True, (False, (), ())),
        ({"includeUsers": ["All"], "excludeGuestsOrExternalUsers": INTERNAL}, True, (False, (), ("p",))),
        ({"includeUsers": ["All"], "excludeGuestsOrExternalUsers": INTERNAL}, False, (True, ("p",), ())),
    ],
)
def test_an_internal_guest_is_asked_as_a_guest(users: dict, guest: bool, expected) -> None:
    assert plan.asked(plan.demanding([policy(**users)]), False, "u1", (), MEMBERS.__getitem__, guest=guest) == expected


def test_what_could_not_be_read_is_not_no() -> None:
    assert plan.asked(None, False, "u1", (), MEMBERS.__getitem__).demanded is None
    assert plan.asked([], None, "u1", (), MEMBERS.__getitem__).demanded is None
    assert plan.asked(None, True, "u1", (), MEMBERS.__getitem__) == (True, ("security defaults",), ())
    assert plan.asked([], False, "u1", (), MEMBERS.__getitem__).demanded is False


def test_registering_may_be_forbidden_where_people_are() -> None:
    assert plan.limiting_registration([policy(), policy(actions=("urn:user:registersecurityinfo",), controls={"builtInControls": ["block"]})]) == ["p"]


@pytest.mark.parametrize(
    ("by_hand", "by_program", "expected"),
    [
        (None, None, False),
        ("2026-02-02T00:00:00Z", None, False),
        (None, "2026-02-02T00:00:00Z", True),
        ("2026-01-02T00:00:00Z", "2026-02-02T00:00:00Z", True),
        ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", False),
        ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", False),
    ],
)
def test_by_programs_only(by_hand, by_program, expected) -> None:
    activity = {"lastSignInDateTime": by_hand, "lastNonInteractiveSignInDateTime": by_program}
    assert plan.by_programs(activity, "2026-02-01T00:00:00Z") is expected
