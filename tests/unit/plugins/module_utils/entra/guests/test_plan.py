# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with guests: tables over the plans and what stands against them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import AmbiguousMatch, OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Object
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federations.realm import Realm
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests import plan as guest_plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests.plan import GuestContext, Tenant, WantedGuest, account
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.redemption_order.plan import DEFAULT

ISSUER = "http://sts.fabrikam.example/adfs/services/trust"
FEDERATION = Object("external_federation", "f", "Fabrikam", {"issuerUri": ISSUER, "domains": ["fabrikam.example"]})
ORDER = Object("redemption_order", "default", "redemption order", DEFAULT)
FEDERATION_FIRST = Object(
    "redemption_order", "default", "order", {**DEFAULT, "primaryIdentityProviderPrecedenceOrder": ["externalFederation", "azureActiveDirectory"]}
)
OWN = Object("domain", "reiji.example", "reiji.example", {"isVerified": True})
NONE, MANAGED, FEDERATED = Realm("Unknown"), Realm("Managed"), Realm("Federated")
SELECTION: dict[str, Any] = {"domains": (), "issuers": (), "states": (), "exclude": ()}


def user(mail: str = "adele@fabrikam.example", **more: Any) -> Object:
    return account(
        {
            "id": f"id-{mail}",
            "userPrincipalName": f"{mail.replace('@', '_')}#EXT#@reiji.onmicrosoft.com",
            "mail": mail,
            "otherMails": [mail],
            "accountEnabled": True,
            "userType": "Guest",
            "creationType": "Invitation",
            "externalUserState": "Accepted",
            "externalUserStateChangeDateTime": "2026-04-01T00:00:00Z",
            "identities": [{"signInType": "federated", "issuer": "mail"}],
            **more,
        }
    )


def invited(*objects: Object, mail: str = "adele@fabrikam.example") -> tuple[Any, list[str]]:
    plan, refusals = guest_plan.plan_invited(Tenant(objects), [WantedGuest(mail, invitation={"inviteRedirectUrl": "https://x"})])
    return plan, [item.rule for item in refusals]


@pytest.mark.parametrize(
    ("found", "changes", "rules"),
    [
        ([], 1, []),
        ([user()], 0, []),
        ([user(mail="ADELE@fabrikam.example")], 0, []),
        ([user(mail="other@x.example", otherMails=["adele@fabrikam.example"])], 0, []),
        ([user(mail="other@x.example", otherMails=[], proxyAddresses=["SMTP:Adele@fabrikam.example"])], 0, []),
        ([user(mail="other@x.example", otherMails=[], proxyAddresses=["x500:adele@fabrikam.example"])], 1, []),
        ([user(userType="Member")], 0, []),  # invited once, and made a member since
        ([user(userType="Member", creationType=None)], 0, ["member_exists"]),
        ([user(mail="", otherMails=[], userPrincipalName="adele@fabrikam.example", userType="Member", creationType=None)], 0, ["member_exists"]),
        ([OWN], 1, []),
    ],
)
def test_invited(found, changes, rules):
    plan, refused = invited(*found)
    assert (len(plan.changes), refused) == (changes, rules)


def test_invited_at_a_domain_of_the_tenant():
    assert invited(OWN, mail="a@reiji.example")[1] == ["domain_verified_here"]
    assert invited(Object("domain", "reiji.example", "", {"isVerified": False}), mail="a@reiji.example")[1] == []


def test_an_address_of_two_accounts():
    with pytest.raises(AmbiguousMatch, match="2 accounts"):
        invited(user(), user("b@x.example", otherMails=["adele@fabrikam.example"]))


def test_a_blocked_guest_is_told():
    plan, _unused = invited(user(accountEnabled=False))
    assert "blocked" in plan.warnings[0]


def test_what_is_posted():
    (change,) = invited()[0].changes
    assert guest_plan.invitation_body(change) == {
        "invitedUserEmailAddress": "adele@fabrikam.example",
        "inviteRedirectUrl": "https://x",
        "invitedUserDisplayName": "adele",
    }


def reset(item: Object, *, order: Object = ORDER, realm: Realm | None = NONE, federation: bool = True, **more: Any) -> tuple[list[Any], list[str], list[str]]:
    tenant = Tenant([item, order, *([FEDERATION] if federation else [])])
    realms = {} if realm is None else {"fabrikam.example": realm}
    plan, refusals = guest_plan.plan_reset(tenant, [(WantedGuest(), item)], GuestContext(realms=realms, **more))
    return list(plan.changes), [skip.code for skip in plan.skipped], [one.rule for one in refusals]


FEDERATED_GUEST = {"identities": [{"signInType": "federated", "issuer": ISSUER}]}


@pytest.mark.parametrize(
    ("item", "options", "changes", "skips", "refused"),
    [
        (user(), {}, 1, [], []),
        (user(**FEDERATED_GUEST), {}, 0, [], []),
        (user(**FEDERATED_GUEST), {"force": True}, 1, [], []),
        (user(**FEDERATED_GUEST), {"federation": False}, 1, [], []),  # the federation was removed: a passcode next
        (user(externalUserState="PendingAcceptance"), {"force": True}, 0, [], []),
        (user(), {"realm": MANAGED}, 1, [], []),  # Entra next
        (user(identities=[{"signInType": "federated", "issuer": "ExternalAzureAD"}]), {"realm": MANAGED}, 0, [], []),
        (user(identities=[{"signInType": "federated", "issuer": "ExternalAzureAD"}]), {"realm": MANAGED, "order": FEDERATION_FIRST}, 1, [], []),
        (user(), {"realm": None}, 0, ["sign_in_unknown"], []),
        (user(), {"realm": None, "force": True}, 1, [], []),
        (user(identities=[]), {}, 0, ["sign_in_unknown"], []),
        (user(accountEnabled=False), {}, 0, ["is_blocked"], []),
        (user(accountEnabled=False), {"force": True}, 1, [], []),
        (user(accountEnabled=False, **FEDERATED_GUEST), {}, 0, [], []),
        (user(), {"realm": None, "order": FEDERATION_FIRST}, 1, [], []),
        (user(), {"reset_at": {"id-adele@fabrikam.example": "2026-11-25"}, "force": True}, 0, ["already_reset"], []),
        (user(), {"roles": {"id-adele@fabrikam.example"}}, 1, [], ["role_holder"]),
        (user(**FEDERATED_GUEST), {"roles": {"id-adele@fabrikam.example"}}, 0, [], []),
        (user(onPremisesSyncEnabled=True), {}, 1, [], ["synced_guest"]),
        (user(userType="Member"), {}, 1, [], ["not_a_guest"]),
        (account({"id": "1", "userPrincipalName": "x", "userType": "Guest", "externalUserState": "Accepted"}), {}, 0, ["no_mail"], []),
    ],
)
def test_reset(item, options, changes, skips, refused):
    found = reset(item, **options)
    assert (len(found[0]), found[1], found[2]) == (changes, skips, refused)


def test_a_reset_names_the_account():
    (change,) = reset(user())[0]
    change = type(change).from_dict({**change.to_dict(), "after": {**change.after, "invitation": {"inviteRedirectUrl": "https://x"}}})
    assert guest_plan.invitation_body(change) == {
        "invitedUserEmailAddress": "adele@fabrikam.example",
        "inviteRedirectUrl": "https://x",
        "invitedUser": {"id": "id-adele@fabrikam.example"},
        "resetRedemption": True,
    }


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        ({}, True),
        ({"domains": {"fabrikam.example"}}, True),
        ({"domains": {"x.example"}}, False),
        ({"issuers": {"mail"}}, True),
        ({"issuers": {"externalazuread"}}, False),
        ({"states": {"Accepted"}, "domains": {"fabrikam.example"}}, True),
        ({"states": {"PendingAcceptance"}, "domains": {"fabrikam.example"}}, False),
        ({"exclude": {"adele@fabrikam.example"}}, False),
        ({"exclude": {"id-adele@fabrikam.example"}}, False),
    ],
)
def test_selection(selection, taken):
    assert guest_plan.selects({**SELECTION, **selection}, user()) is taken


@pytest.mark.parametrize(
    ("context", "refused"), [(GuestContext(), []), (GuestContext(roles={"id-adele@fabrikam.example"}), ["role_holder"]),
                           (GuestContext(roles={"id-adele@fabrikam.example"}, accept_losses=True), [])]
)  # fmt: skip
def test_absent(context, refused):
    plan, refusals = guest_plan.plan_absent([(WantedGuest(), user()), (WantedGuest(), None)], context)
    assert (len(plan.changes), plan.unchanged, [item.rule for item in refusals]) == (1, 1, refused)
    assert "restored" in plan.changes.head[0].undo


def test_restored():
    gone = user()
    who = [WantedGuest(key="id-adele@fabrikam.example")]
    assert len(guest_plan.plan_restored(Tenant([]), who, [gone])[0].changes) == 1
    assert guest_plan.plan_restored(Tenant([gone]), who, [])[0].unchanged == 1
    successor = user(id="new")
    assert [item.rule for item in guest_plan.plan_restored(Tenant([successor]), who, [gone])[1]] == ["successor_in_the_way"]
    with pytest.raises(OffboardError, match="no account"):
        guest_plan.plan_restored(Tenant([]), who, [])


GUID = "4a2d3f6e-0b1c-4d5e-8f90-123456789abc"


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        ("https://myapps.microsoft.com/?tenantid=T-1", ""),
        ("https://myapps.microsoft.com/reiji.example", ""),
        ("https://portal.azure.com/t-1", ""),
        ("https://portal.azure.com/@reiji.example", ""),
        ("https://reiji.example/start", ""),
        ("https://myapps.microsoft.com", "refused"),
        ("https://MyApps.microsoft.com/?tenantid=", "refused"),
        ("https://portal.azure.com/#t-1", "refused"),  # a browser keeps the fragment to itself
        ("https://teams.microsoft.com/", "refused"),
        ("https://myapps.microsoft.com/signin/Wiki/9d2?tenantId=t-1", ""),
        (f"https://teams.microsoft.com/l/x?context=%7B%22Tid%22%3A%22{GUID.upper()}%22%7D", ""),
        ("https://myapps.microsoft.com/notreiji.example", "refused"),  # another tenant, or none
        ("https://portal.azure.com/?login_hint=adele@reiji.example", "refused"),
        ("https://myapps.microsoft.com/?tenantid=t-12", "refused"),
        ("https://intranet.example/", "warned"),
        ("https://intranet.reiji.example/", "warned"),
    ],
)
def test_redirects(address, outcome):
    plan, _unused = guest_plan.plan_invited(Tenant([]), [WantedGuest("a@fabrikam.example", invitation={"inviteRedirectUrl": address})])
    tenants = {"t-1", GUID, "reiji.example"}
    found = guest_plan.check_redirects(plan.changes, tenants, False)
    assert (len(found.refusals), len(found.warnings)) == {"": (0, 0), "refused": (1, 0), "warned": (0, 1)}[outcome]
    accepted = guest_plan.check_redirects(plan.changes, tenants, True)
    assert (len(accepted.refusals), len(accepted.warnings)) == (0, 0 if outcome == "" else 1)


@pytest.mark.parametrize(
    ("realm", "order", "federated", "outcome"),
    [
        (NONE, ORDER, True, ""),
        (NONE, ORDER, False, ""),
        (MANAGED, ORDER, False, ""),
        (MANAGED, ORDER, True, "Entra comes first"),
        (MANAGED, FEDERATION_FIRST, True, ""),
        (FEDERATED, ORDER, False, "one-time passcode"),
        (FEDERATED, ORDER, True, "Entra comes first"),
        (FEDERATED, FEDERATION_FIRST, True, ""),
        (FEDERATED, FEDERATION_FIRST, False, "one-time passcode"),
        (Realm("Managed", unmanaged=True), ORDER, True, ""),
    ],
)
def test_partners(realm, order, federated, outcome):
    tenant = Tenant([order, *([FEDERATION] if federated else [])])
    found = guest_plan.check_partners(tenant, ["fabrikam.example"], {"fabrikam.example": realm}, False)
    assert bool(found.refusals) is bool(outcome)
    if outcome:
        assert outcome in found.refusals[0].msg
        assert len(guest_plan.check_partners(tenant, ["fabrikam.example"], {"fabrikam.example": realm}, True).warnings) == 1


def test_a_partner_who_could_not_be_looked_up():
    assert "could not be looked up" in guest_plan.check_partners(Tenant([ORDER]), ["x.example"], {"x.example": None}, False).warnings[0]


def changed(kind: str, at: str, record: str = "outcome", **more: Any) -> dict[str, Any]:
    return {"record": record, "kind": kind, "at": f"2026-11-25T12:{at}Z", "id": "x", "action": "update", **more}


@pytest.mark.parametrize(
    ("records", "left"),
    [
        ([], 0.0),
        ([changed("external_federation", "00:00", status="done")], 0.0),
        ([changed("external_federation", "09:00", status="done")], 540.0),
        ([changed("redemption_order", "09:00", status="done")], 540.0),
        ([changed("redemption_order", "09:00", status="done"), changed("external_federation", "05:00", status="done")], 540.0),
        ([changed("external_federation", "09:00", "intent")], 540.0),  # killed: it may be carried out
        ([changed("external_federation", "09:00", status="failed")], 540.0),
        ([changed("external_federation", "09:00", status="skipped")], 0.0),
        ([changed("guest", "09:00", status="done")], 0.0),
        ([{"record": "refusal", "at": "2026-11-25T12:09:00Z", "noun": "federations"}], 0.0),
        ([changed("external_federation", "59:00", status="done")], 600.0),  # the clock was put back
    ],
)
def test_how_long_a_change_is_not_yet_in_effect(records, left):
    assert guest_plan.settling(records, 600, datetime.datetime(2026, 11, 25, 12, 10, tzinfo=datetime.UTC)) == left


@pytest.mark.parametrize(
    ("at", "now", "counts"),
    [
        ("2026-11-27T09:00:00Z", "2026-11-27T09:10:00Z", True),  # a replica may lag
        ("2026-11-27T09:00:00Z", "2026-11-27T09:15:00Z", False),
        ("2026-11-27T09:04:00Z", "2026-11-27T09:00:00Z", True),
        ("2027-11-27T09:00:00Z", "2026-11-27T09:00:00Z", False),  # a wrong clock would make the record stronger than the tenant for a year
    ],
)
def test_what_the_tenant_shows_overrules_a_recorded_reset(at, now, counts):
    item = user(externalUserStateChangeDateTime="2026-01-01T00:00:00Z")
    record = {"kind": guest_plan.KIND, "action": guest_plan.RESET, "id": item.id, "name": "x", "run": "r", "at": at}
    before = {"externalUserStateChangeDateTime": "2026-01-01T00:00:00Z"}
    records = [{**record, "record": "intent", "before": before}, {**record, "record": "outcome", "status": "done"}]
    assert bool(guest_plan.resets(records, [item], datetime.datetime.fromisoformat(now))) is counts


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("adele@faceboo\u212a.example", "adele@facebook.example", False),  # the Kelvin sign, whose small letter is k
        ("strau\u00df@fabrikam.example", "strauss@fabrikam.example", False),  # casefold makes ss of it
        ("adele@stra\u00dfe.example", "adele@strasse.example", False),
        ("Adele@M\u00dcLLER.example", "adele@xn--mller-kva.example", True),
        ("ADELE@Fabrikam.example", "adele@fabrikam.EXAMPLE", True),
    ],
)
def test_an_address_is_no_other_that_looks_alike(one, other, same):
    there = account({"id": "1", "mail": one, "userPrincipalName": "x@reiji.example", "userType": "Guest"})
    tenant = Tenant([there])
    assert (tenant.find(WantedGuest(mail=other)) is there) is same
    assert bool(tenant.others(other, "2")) is same


@pytest.mark.parametrize(
    ("mail", "domain"),
    [
        ("adele@faceboo\u212a.example", "faceboo\u212a.example"),  # no domain at all, and certainly not facebook.example
        ("adele@M\u00dcLLER.example", "xn--mller-kva.example"),
        ("adele@stra\u00dfe.example", "xn--strae-oqa.example"),
        ("adele@Fabrikam.example", "fabrikam.example"),
    ],
)
def test_the_domain_of_a_guest_is_as_federations_have_theirs(mail, domain):
    assert guest_plan.as_guest(account({"id": "1", "mail": mail, "userPrincipalName": "x@reiji.example", "userType": "Guest"})).domain == domain
