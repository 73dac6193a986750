# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_guests and entra_guests_info against the lab's tenant."""

from __future__ import annotations

import datetime
import json
import os
import signal
import stat
import subprocess
import sys
import time
from typing import Any

import pytest
from ansible.module_utils.common import warnings as ansible_warnings
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests import plan as guest_plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests import reinvitation as guest_reinvitation
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests import resource as guest_accounts
from ansible_collections.offboard.iij_id.plugins.module_utils._module.files import append_records
from lab import company
from lab.testing import RunningTenant

from .entra import connection, lines, run_module
from .test_entra_external_federation import DOMAIN, ROOM, by_hand, guest, rules, warnings

ORDER = {"order": ["externalFederation", "azureActiveDirectory", "socialIdentityProviders"]}


@pytest.fixture
def run(tenant: RunningTenant, capsys: pytest.CaptureFixture[str]):
    def call(module: str = "entra_guests_info", check: bool = False, diff: bool = False, app: str = "offboard", **options: Any) -> dict[str, Any]:
        return run_module(capsys, module, {**connection(tenant, app), **options}, check=check, diff=diff)

    return call


def test_how_guests_sign_in_now_and_after_another_redemption(run, tenant):
    early = guest(tenant, f"early@{DOMAIN}")
    assert run("entra_external_federation", **by_hand())["changed"] is True
    assert run("entra_redemption_order", **ORDER)["changed"] is True
    late = guest(tenant, f"late@{DOMAIN}")
    invited = {"invitedUserEmailAddress": f"pending@{DOMAIN}", "inviteRedirectUrl": "https://myapps.microsoft.com"}
    assert tenant.client().call("POST", "/invitations", invited).status == 201
    tenant.clear_requests()
    found = run(domains=[DOMAIN])
    assert not found.get("failed"), found
    ways = {entry["mail"]: (entry["signs_in_by"], entry["next_redemption"]) for entry in found["guests"]}
    assert ways[f"late@{DOMAIN}"] == ("direct_federation", "direct_federation")
    assert ways[f"pending@{DOMAIN}"] == ("not_redeemed", "direct_federation")
    assert ways[f"early@{DOMAIN}"][0] not in ("direct_federation", "not_redeemed"), "who redeemed before keeps the old way"
    assert ways[f"early@{DOMAIN}"][1] == "direct_federation"
    assert found["count"] == 3
    assert sum(found["by_sign_in"].values()) == 3
    assert found["redemption_order"]["order"] == ORDER["order"]
    assert [entry["mail"] for entry in run(domains=[DOMAIN], states=["PendingAcceptance"])["guests"]] == [f"pending@{DOMAIN}"]
    issuers = next(entry["issuers"] for entry in found["guests"] if entry["id"] == late["id"])
    assert [entry["id"] for entry in run(issuers=issuers)["guests"]] == [late["id"]]
    assert early["id"] in {entry["id"] for entry in run()["guests"]}
    assert run(domains=["nobody.example"])["count"] == 0
    assert tenant.writes() == []


def test_what_is_not_looked_up_is_unknown(run, tenant):
    guest(tenant, f"early@{DOMAIN}")
    (entry,) = run(domains=[DOMAIN], look_up_domains=False)["guests"]
    assert entry["next_redemption"] == "unknown"


def test_a_domain_that_is_none(run):
    assert run(domains=["not a domain"])["failure"]["code"] == "domain_invalid"


def test_a_refused_read_is_a_failure(run, tenant):
    tenant.faults.add(method="GET", path=".*/users", status=403, code="Authorization_RequestDenied", times=99)
    assert run()["failure"]["code"] == "permission_missing"


# -- entra_guests: invited

ADELE, TARO = f"adele@{DOMAIN}", f"taro@{DOMAIN}"
TWO = [{"mail": ADELE, "display_name": "Adele Vance"}, {"mail": TARO, "language": "ja-JP"}]


@pytest.fixture
def guests(run):
    def call(**options: Any) -> dict[str, Any]:
        ansible_warnings._global_warnings.clear()  # those of an earlier module in this process
        return run("entra_guests", **options)

    return call


def account(tenant: RunningTenant, address: str) -> dict[str, Any]:
    (found,) = [item for item in tenant.store.tables["users"].objects.values() if item["mail"] == address]
    return found


def sent(tenant: RunningTenant) -> list[dict[str, Any]]:
    return list(tenant.store.tables["invitations"].objects.values())


def test_check_mode_invites_nobody_and_plans_the_same(guests, tenant):
    checked = guests(guests=TWO, check=True, diff=True)
    assert (checked["changed"], tenant.writes()) == (True, [])
    assert checked["diff"][0]["after"]["mail"] == ADELE
    assert [item["id"] for item in checked["guests"]] == ["", ""]
    assert guests(guests=TWO)["plan"] == checked["plan"]


def test_many_are_invited_once(guests, tenant, tmp_path):
    journal = tmp_path / "journal.jsonl"
    options = {"guests": TWO, "message_body": "Welcome", "language": "en-GB", "cc": ["helpdesk@reiji.example"], "journal": str(journal)}
    result = guests(**options)
    assert (result["changed"], result["counts"]["done"]) == (True, 2), result
    assert {item["mail"]: item["id"] for item in result["guests"]} == {ADELE: account(tenant, ADELE)["id"], TARO: account(tenant, TARO)["id"]}
    assert (account(tenant, ADELE)["displayName"], account(tenant, ADELE)["externalUserState"]) == ("Adele Vance", "PendingAcceptance")
    first, second = sorted(sent(tenant), key=lambda item: item["invitedUserEmailAddress"])
    assert first["inviteRedirectUrl"] == f"https://myapps.microsoft.com/?tenantid={tenant.tenant_id}"
    assert first["sendInvitationMessage"] is True
    assert first["invitedUserMessageInfo"] == {
        "messageLanguage": "en-GB",
        "customizedMessageBody": "Welcome",
        "ccRecipients": [{"emailAddress": {"address": "helpdesk@reiji.example"}}],
    }
    assert second["invitedUserMessageInfo"]["messageLanguage"] == "ja-JP"
    assert {line["details"]["id"] for line in lines(journal) if line["record"] == "outcome"} == {item["id"] for item in result["guests"]}
    tenant.clear_requests()
    again = guests(**options)
    assert (again["changed"], again["counts"]) == (False, {"planned": 0, "unchanged": 2, "skipped": 0})
    assert tenant.writes() == []
    assert again["guests"][0]["id"]


@pytest.mark.parametrize(
    "options", [{"guests": []}, {"state": "absent", "ids": []}, {"state": "redemption_reset", "guests": []}, {"guests": TWO, "exclude": [ADELE, TARO]}]
)
def test_nobody_is_asked_for(guests, tenant, options):
    guest(tenant, f"another@{DOMAIN}")
    result = guests(**options)
    assert (result["changed"], result["counts"]["unchanged"], tenant.writes()) == (False, 0, [])


def test_without_a_mail(guests, tenant):
    guests(guests=TWO, send_message=False, message_body="not used")
    assert all(item["sendInvitationMessage"] is False for item in sent(tenant))


def test_forty_and_who_is_there_already(guests, tenant):
    early = guest(tenant, ADELE)
    many = [{"mail": f"p{number}@{DOMAIN}"} for number in range(40)]
    result = guests(guests=[{"mail": ADELE.upper()}, *many], max_changes=40)
    assert (result["counts"]["done"], result["counts"]["unchanged"]) == (40, 1), result
    assert account(tenant, ADELE) == early
    assert guests(guests=[{"mail": "one.more@fabrikam.example"}, {"mail": "two@fabrikam.example"}], max_changes=1)["failure"]["details"]["refusals"][0][
        "rule"
    ] == ("max_changes")


def test_all_accounts_are_read_for_very_many(guests, tenant, monkeypatch):
    monkeypatch.setattr(f"{ROOM}.guests.read.MANY", 1)
    assert guests(guests=TWO)["counts"]["done"] == 2
    assert guests(guests=TWO)["changed"] is False


@pytest.mark.parametrize(("address", "rule"), [("reception@reiji-shop.example", "member_exists"), ("new@reiji-shop.example", "domain_verified_here")])
def test_who_is_no_guest(guests, tenant, address, rule):
    tenant.clear_requests()
    assert rules(guests(guests=[{"mail": address}, *TWO])) == [rule]
    assert tenant.writes() == []


@pytest.mark.parametrize("address", ["https://myapps.microsoft.com", "https://portal.azure.com/#home", "https://teams.microsoft.com/"])
def test_a_redirect_that_names_no_tenant(guests, tenant, address):
    refused = guests(guests=TWO, redirect_url=address)
    assert rules(refused) == ["redirect_without_tenant"]
    assert "accept_redirect_without_tenant" in refused["msg"]
    accepted = guests(guests=TWO, redirect_url=address, accept_redirect_without_tenant=True)
    assert any("does not name the tenant" in text for text in warnings(accepted))
    assert guests(guests=[{"mail": f"x@{DOMAIN}", "redirect_url": f"{address.split('#')[0].rstrip('/')}/{tenant.tenant_id}"}])["changed"] is True


def test_a_partner_that_is_synced(guests, run, tenant):
    tenant.outside.tenants[DOMAIN] = "synced"
    refused = guests(guests=TWO)
    assert rules(refused) == ["synced_tenant"]
    assert "one-time passcode" in refused["msg"]
    assert guests(guests=TWO[:1], accept_synced_tenant=True)["changed"] is True
    tenant.outside.tenants[DOMAIN] = "verified"
    assert guests(guests=[{"mail": f"b@{DOMAIN}"}])["changed"] is True, "an Entra tenant whose accounts are in the cloud"
    assert run("entra_external_federation", **by_hand())["changed"] is True
    assert "redemption order" in guests(guests=TWO[1:])["msg"]
    assert run("entra_redemption_order", **ORDER)["changed"] is True
    assert guests(guests=TWO[1:])["changed"] is True


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"guests": [{"mail": "nobody"}]}, "mail_invalid"),
        ({"guests": [{"mail": "a@no domain"}]}, "domain_invalid"),
        ({"guests": [{"mail": ADELE}, {"mail": ADELE.upper()}]}, "bad_option"),
        ({"guests": TWO, "cc": ["a@b.example", "c@d.example"]}, "bad_option"),
        ({"guests": TWO, "language": "Japanese!"}, "bad_option"),
        ({"guests": TWO, "redirect_url": "http://myapps.microsoft.com/?tenantid=1"}, "bad_option"),
        ({"guests": TWO, "redirect_url": "https://[bad"}, "bad_option"),
        ({"guests": [{"mail": ADELE, "redirect_url": "https://[bad"}]}, "bad_option"),
        ({"guests": TWO, "graph_url": "https://[bad"}, "bad_option"),
        ({"guests": TWO, "authority": "https://[bad"}, "bad_option"),
        ({"guests": TWO, "cloud": "china"}, "bad_option"),
        ({"guests": TWO, "settle_seconds": 600}, "bad_option"),
        ({"guests": TWO, "settle_seconds": -1, "journal": "journal.jsonl"}, "bad_option"),
        ({"ids": ["1"]}, "bad_option"),
        ({}, "bad_option"),
        ({"state": "absent", "domains": [DOMAIN]}, "bad_option"),
        ({"state": "redemption_reset"}, "bad_option"),
    ],
)
def test_options_that_are_wrong(guests, tenant, tmp_path, monkeypatch, options, code):
    monkeypatch.chdir(tmp_path)
    tenant.clear_requests()
    assert guests(**options)["failure"]["code"] == code
    assert tenant.requests() == []


# -- answers that fail to come


@pytest.mark.parametrize("status", [500, 503])
def test_an_invitation_whose_answer_is_lost_is_read_back(guests, tenant, status):
    tenant.faults.add(method="POST", path=".*/invitations", applied=True, status=status)
    result = guests(guests=TWO)
    assert (result.get("failed"), result["counts"]["done"], len(sent(tenant))) == (None, 2, 2), result


def test_a_connection_that_breaks_in_the_middle(guests, tenant):
    """Of a batch of two the first was carried out, the second not."""
    tenant.faults.add(method="POST", path=".*/invitations", applied=True, drop=True)
    result = guests(guests=TWO, verify_timeout=1)
    assert (result["failure"]["code"], result["counts"]["done"], len(sent(tenant))) == ("answer_lost", 1, 1)
    assert [item["name"] for item in result["failed_objects"]] == [TARO]
    assert guests(guests=TWO)["counts"]["done"] == 1


def test_a_whole_batch_whose_answer_is_lost_is_read_back(guests, tenant):
    tenant.faults.add(method="POST", path=r".*/\$batch", applied=True, drop=True, skip=1)
    result = guests(guests=TWO)
    assert (result.get("failed"), result["counts"]["done"], len(sent(tenant))) == (None, 2, 2), result


def test_one_that_was_not_carried_out_is_not_sent_again(guests, tenant):
    tenant.faults.add(method="POST", path=".*/invitations", status=500)
    result = guests(guests=TWO, verify_timeout=1)
    assert (result["failure"]["code"], result["counts"]["done"], len(sent(tenant))) == ("answer_lost", 1, 1)
    assert guests(guests=TWO)["counts"]["done"] == 1
    assert len(sent(tenant)) == 2


@pytest.mark.parametrize(("status", "code"), [(403, "permission_missing"), (409, "conflict"), (400, "bad_request")])
def test_a_refusal_hides_no_other(guests, tenant, status, code):
    tenant.faults.add(method="POST", path=".*/invitations", status=status)
    result = guests(guests=TWO)
    assert (result["failure"]["code"], result["counts"]["done"], len(result["failed_objects"])) == (code, 1, 1)
    assert guests(guests=TWO)["counts"] == {"planned": 1, "unchanged": 1, "skipped": 0, "done": 1}


def test_throttled_invitations_are_sent_again(guests, tenant):
    tenant.faults.add(method="POST", path=".*/invitations", status=429, retry_after=1, times=2)
    assert guests(guests=TWO)["counts"]["done"] == 2
    assert len(sent(tenant)) == 2


def test_a_missing_permission_is_named(guests, tenant):
    result = guests(guests=TWO, app="readonly", look_up_domains=False)
    assert (result["failure"]["code"], "User.Invite.All" in result["msg"]) == ("permission_missing", True)


def test_reads_that_lag(guests, tenant, tmp_path):
    tenant.settings.visibility_delay = 1.5
    journal = str(tmp_path / "journal.jsonl")
    assert guests(guests=TWO, verify_timeout=1, journal=journal)["failure"]["code"] == "not_seen"
    assert len(sent(tenant)) == 2
    assert guests(guests=TWO, journal=journal)["changed"] is False
    assert guests(guests=[{"mail": f"late@{DOMAIN}"}])["counts"]["done"] == 1
    assert len(sent(tenant)) == 3


def test_after_a_kill_the_guest_is_waited_for(guests, tenant, tmp_path):
    """The invitation was sent and the process died before it wrote so; and reads lag."""
    journal = tmp_path / "journal.jsonl"
    change = guests(guests=TWO[:1], check=True)["plan"][0]
    append_records(str(journal), [{"record": "intent", "run": "killed", "at": "2026-01-01T00:00:00Z", **change}])
    tenant.settings.visibility_delay = 1.0
    invited = {"invitedUserEmailAddress": ADELE, "inviteRedirectUrl": "https://myapps.microsoft.com"}
    assert tenant.client().call("POST", "/invitations", invited).status == 201
    assert guests(guests=TWO[:1], journal=str(journal))["changed"] is False
    assert len(sent(tenant)) == 1


# -- entra_guests: redemption_reset


@pytest.fixture
def early(run, tenant) -> dict[str, Any]:
    """A guest who redeemed by one-time passcode, before the federation was made."""
    found = guest(tenant, ADELE)
    assert run("entra_external_federation", **by_hand())["changed"] is True
    tenant.clear_requests()
    return found


ROLE = {"id": "r", "roleDefinitionId": "fe930be7-5e62-47db-91af-98c3a49a38b1", "directoryScopeId": "/"}
RESET_DOMAIN = {"state": "redemption_reset", "domains": [DOMAIN]}


def test_those_who_would_sign_in_another_way_are_reset(guests, run, tenant, early):
    late = guest(tenant, TARO)
    pending = guests(guests=[{"mail": f"pending@{DOMAIN}"}])["guests"][0]["id"]
    tenant.clear_requests()
    checked = guests(**RESET_DOMAIN, check=True)
    assert tenant.writes() == []
    real = guests(**RESET_DOMAIN, language="ja-JP")
    assert [change["id"] for change in real["plan"]] == [early["id"]]
    assert (real["counts"]["done"], real["counts"]["unchanged"]) == (1, 2), real
    assert (checked["plan"][0]["before"], checked["plan"][0]["after"]["next_redemption"]) == (real["plan"][0]["before"], "direct_federation")
    assert account(tenant, ADELE)["id"] == early["id"]
    assert account(tenant, ADELE)["externalUserState"] == "PendingAcceptance"
    assert account(tenant, TARO) == late
    assert sent(tenant)[-1]["resetRedemption"] is True
    assert sent(tenant)[-1]["invitedUserMessageInfo"]["messageLanguage"] == "ja-JP"
    tenant.clear_requests()
    again = guests(**RESET_DOMAIN)
    assert (again["changed"], tenant.writes()) == (False, [])
    tenant.redeem(ADELE)
    assert run(domains=[DOMAIN], states=["Accepted"])["by_sign_in"] == {"direct_federation": 2}
    assert pending in {entry["id"] for entry in run(states=["PendingAcceptance"])["guests"]}


def test_by_force_and_not_twice_with_one_journal(guests, tenant, early, tmp_path):
    guest(tenant, TARO)
    options = {"state": "redemption_reset", "ids": [account(tenant, TARO)["id"]], "force": True, "journal": str(tmp_path / "j.jsonl")}
    assert guests(state="redemption_reset", ids=options["ids"])["changed"] is False
    assert guests(**options)["changed"] is True
    assert guests(**options)["changed"] is False
    tenant.redeem(TARO)
    again = guests(**options)
    assert (again["changed"], [item["code"] for item in again["skipped_objects"]]) == (False, ["already_reset"])
    assert guests(**{**options, "journal": None})["changed"] is True


@pytest.mark.parametrize("verified", [True, False], ids=["verified", "killed before the verification"])
def test_a_reset_that_was_accepted_and_forgotten_is_done_by_the_next_run(guests, tenant, early, tmp_path, monkeypatch, verified):
    options = {**RESET_DOMAIN, "journal": str(tmp_path / "j.jsonl")}
    tenant.faults.add(method="POST", path="/v1.0/invitations", forgotten=True)
    if not verified:
        monkeypatch.setattr(guest_accounts.Guests, "verify", lambda self, applied: ())
    first = guests(**options, verify_timeout=2)
    assert first.get("failed", False) is verified, first
    assert account(tenant, ADELE)["externalUserState"] == "Accepted"
    monkeypatch.undo()
    if not verified:  # a replica may lag for a while
        assert [item["code"] for item in guests(**options)["skipped_objects"]] == ["already_reset"]
        monkeypatch.setattr(guest_plan, "_REPLICAS_LAG", 0.0)
    assert guests(**options)["counts"]["done"] == 1
    assert account(tenant, ADELE)["externalUserState"] == "PendingAcceptance"
    assert guests(**options)["changed"] is False


def test_an_invitation_that_was_accepted_and_forgotten_is_sent_by_the_next_run(guests, tenant, tmp_path):
    options = {"guests": TWO[:1], "journal": str(tmp_path / "j.jsonl")}
    tenant.faults.add(method="POST", path="/v1.0/invitations", forgotten=True)
    assert guests(**options, verify_timeout=2)["failure"]["code"] == "not_seen"
    assert guests(**options)["counts"]["done"] == 1
    assert account(tenant, ADELE)["externalUserState"] == "PendingAcceptance"
    assert guests(**options)["changed"] is False


def test_a_check_run_sees_what_a_federation_will_change(guests, run, tenant, tmp_path):
    guest(tenant, ADELE)
    predictions = str(tmp_path / "predictions.jsonl")
    assert guests(**RESET_DOMAIN, check=True)["changed"] is False
    assert run("entra_external_federation", check=True, **by_hand(), predictions=predictions)["changed"] is True
    found = guests(**RESET_DOMAIN, check=True, predictions=predictions)
    assert (found["predicted"], found["plan"][0]["after"]["next_redemption"]) == (True, "direct_federation")
    assert guests(**RESET_DOMAIN, check=True, predictions=predictions)["changed"] is False
    assert guests(guests=TWO, check=True, predictions=predictions)["counts"]["planned"] == 1
    assert guests(guests=TWO, check=True, predictions=predictions)["counts"]["planned"] == 0


def test_a_reset_that_cannot_be_known_to_help_is_left_out(guests, tenant, early):
    found = guests(**RESET_DOMAIN, look_up_domains=False)
    assert (found["changed"], [item["code"] for item in found["skipped_objects"]]) == (False, ["sign_in_unknown"])


@pytest.mark.parametrize("applied", [True, False])
def test_a_reset_whose_answer_is_lost(guests, tenant, early, applied):
    tenant.faults.add(method="POST", path=".*/invitations", applied=applied, drop=True)
    result = guests(**RESET_DOMAIN, verify_timeout=1)
    assert (result.get("failed", False), len(sent(tenant))) == (not applied, 1 + applied)
    if not applied:
        assert result["failure"]["code"] == "answer_lost"
        assert guests(**RESET_DOMAIN)["changed"] is True


def test_guests_with_a_role(guests, tenant, early):
    tenant.store.put("role_assignments", "r", {**ROLE, "principalId": early["id"]})
    for options in ({"state": "redemption_reset", "guests": TWO[:1]}, RESET_DOMAIN):
        refused = guests(**options, accept_losses=True)
        assert rules(refused) == ["role_holder"]
        assert "take the role away" in refused["msg"]
    assert guests(**RESET_DOMAIN, exclude=[ADELE])["changed"] is False
    assert rules(guests(state="absent", guests=TWO[:1])) == ["role_holder"]
    assert tenant.writes() == []
    # Graph itself wants a higher role of the application for an administrator's account
    assert guests(state="absent", guests=TWO[:1], accept_losses=True)["counts"]["planned"] == 1


@pytest.mark.parametrize(("values", "rule"), [({"onPremisesSyncEnabled": True}, "synced_guest"), ({"userType": "Member"}, "not_a_guest")])
@pytest.mark.parametrize("state", ["redemption_reset", "absent"])
def test_accounts_that_are_no_cloud_guests(guests, tenant, early, values, rule, state):
    tenant.arrange("users", early["id"], **values)
    assert rules(guests(state=state, ids=[early["id"]])) == [rule]
    assert tenant.writes() == []


def test_who_is_not_there(guests, tenant, early):
    result = guests(state="redemption_reset", guests=TWO)
    assert (result["failure"]["code"], result["failure"]["details"]["missing"]) == ("not_found", [TARO])
    unknown = guests(state="absent", guests=TWO[1:])
    assert unknown["changed"] is False and TARO in json.dumps(unknown["warnings"])


def test_nobody_there_and_nobody_known_is_a_failure(guests, tenant, early, tmp_path):
    journal = {"journal": str(tmp_path / "journal.jsonl")}
    for check in (True, False):
        assert rules(guests(state="absent", guests=TWO[1:], check=check, **journal)) == ["nothing_found"]
    assert guests(state="absent", guests=TWO, **journal)["counts"]["done"] == 1
    # among the deleted ones, and when they are gone for good too, in the journal
    again = guests(state="absent", guests=TWO[:1], **journal)
    assert again["changed"] is False and ADELE not in json.dumps(again.get("warnings", []))
    tenant.store.remove("deleted_users", early["id"])
    assert guests(state="absent", guests=TWO[:1], **journal)["changed"] is False
    assert guests(state="absent", ids=[early["id"].upper()], **journal)["changed"] is False


def test_one_guest_by_two_names(guests, tenant, early):
    assert guests(state="absent", guests=TWO[:1], ids=[early["id"]])["failure"]["code"] == "bad_option"


def test_an_address_of_two_accounts(guests, tenant, early):
    other = guest(tenant, TARO)
    tenant.arrange("users", other["id"], otherMails=[ADELE])
    result = guests(state="absent", guests=TWO[:1])
    assert (result["failure"]["code"], {item["id"] for item in result["failure"]["details"]["candidates"]}) == ("ambiguous_match", {early["id"], other["id"]})


# -- entra_guests: absent and restored


def test_removed_and_brought_back(guests, tenant, early):
    group = next(iter(tenant.store.tables["groups"].objects.values()))
    tenant.arrange("groups", group["id"], _members=[*group["_members"], early["id"]])
    options = {"state": "absent", "ids": [early["userPrincipalName"]]}
    assert guests(**options, check=True)["changed"] is True
    assert tenant.writes() == []
    removed = guests(**options)
    assert (removed["counts"]["done"], early["id"] in tenant.store.tables["users"].objects) == (1, False), removed
    assert any("30 days" in text for text in warnings(removed))
    assert guests(**options)["changed"] is False
    assert "state=restored" in guests(state="redemption_reset", guests=TWO[:1])["msg"]
    back = {"state": "restored", "ids": [early["id"]]}
    assert guests(**back, check=True)["changed"] is True
    assert guests(**back)["changed"] is True
    assert tenant.store.tables["users"].objects[early["id"]]["mail"] == ADELE
    assert guests(**back)["changed"] is False
    assert guests(state="restored", guests=TWO[1:])["failure"]["code"] == "not_found"


def test_a_successor_is_in_the_way(guests, tenant, early):
    assert guests(state="absent", guests=TWO[:1])["changed"] is True
    assert guests(guests=TWO[:1])["changed"] is True
    assert rules(guests(state="restored", ids=[early["id"]])) == ["successor_in_the_way"]
    assert rules(guests(state="restored", guests=TWO[:1])) == ["successor_in_the_way"]


@pytest.mark.parametrize("applied", [True, False])
def test_a_removal_whose_answer_is_lost(guests, tenant, early, applied):
    tenant.faults.add(method="DELETE", path=".*/users/.*", applied=applied, drop=True)
    result = guests(state="absent", guests=TWO[:1], verify_timeout=1)
    assert (result.get("failed", False), early["id"] in tenant.store.tables["users"].objects) == (not applied, not applied)


def test_the_task_is_signed_in_as_the_guest(guests, tenant, early, monkeypatch):
    monkeypatch.setattr(
        f"{ROOM.replace('_entra', '_graph')}.client.Client.identity", lambda _self: {"app_id": "", "upn": early["userPrincipalName"], "object_id": ""}
    )
    assert rules(guests(state="absent", guests=TWO[:1])) == ["own_identity"]


# -- entra_guests: reinvited

DEFAULT_ROLE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def held(tenant, early) -> dict[str, Any]:
    """What the early guest holds: groups of several kinds, an application, a manager, attributes, a licence."""
    key = early["id"]
    plain = next(iter(tenant.store.tables["groups"].objects.values()))
    for name, values in {
        "dynamic": {"groupTypes": ["DynamicMembership"], "membershipRule": "user.department -eq 'Sales'"},
        "team": {"groupTypes": ["Unified"], "mailEnabled": True},
    }.items():
        tenant.arrange("groups", name, **{**plain, "id": name, "displayName": name, "_members": [key], "assignedLicenses": [], **values})
    tenant.arrange("groups", plain["id"], _members=[*plain["_members"], key])
    app = next(item for item in tenant.store.tables["service_principals"].objects.values() if not item["appRoles"])
    assignment = {"id": "assigned", "appRoleId": DEFAULT_ROLE, "principalId": key, "resourceId": app["id"], "principalType": "User"}
    names = {"createdDateTime": None, "deletedDateTime": None, "principalDisplayName": "Adele", "resourceDisplayName": app["displayName"]}
    tenant.arrange("app_role_assignments", "assigned", **assignment, **names)
    boss = tenant.user("reception@reiji-shop.example")["id"]
    sku = next(item for item in tenant.store.tables["skus"].objects.values() if item["appliesTo"] == "User")["skuId"]
    state = {"skuId": sku, "disabledPlans": [], "assignedByGroup": None, "state": "Active", "error": "None", "lastUpdatedDateTime": early["createdDateTime"]}
    attributes = {"department": "Sales", "jobTitle": "部長", "companyName": "Fabrikam", "usageLocation": "JP", "otherMails": [ADELE, "adele@home.example"]}
    licences = {"assignedLicenses": [{"skuId": sku, "disabledPlans": []}], "licenseAssignmentStates": [state]}
    tenant.arrange("users", key, **attributes, **licences, _manager=boss)
    tenant.clear_requests()
    return {"groups": {plain["id"], "team"}, "app": app["id"], "manager": boss, "attributes": attributes, "sku": sku}


def assert_put_back(tenant: RunningTenant, held: dict[str, Any]) -> dict[str, Any]:
    """The guest has everything again, under another id; who that is."""
    now = account(tenant, ADELE)
    assert {item["id"] for item in tenant.store.tables["groups"].objects.values() if now["id"] in item["_members"]} >= held["groups"]
    assignments = [item for item in tenant.store.tables["app_role_assignments"].objects.values() if item["principalId"] == now["id"]]
    assert [(item["resourceId"], item["appRoleId"]) for item in assignments] == [(held["app"], DEFAULT_ROLE)]
    assert now["_manager"] == held["manager"]
    assert {name: now[name] for name in held["attributes"]} == held["attributes"]
    assert [item["skuId"] for item in now["licenseAssignmentStates"] if item["assignedByGroup"] is None] == [held["sku"]]
    return now


def test_deleted_invited_again_and_everything_put_back(guests, run, tenant, early, held, tmp_path):
    options = {"state": "reinvited", "guests": TWO[:1], "backup_dir": str(tmp_path / "copies"), "journal": str(tmp_path / "journal.jsonl")}
    checked = guests(**options, check=True, diff=True)
    assert (checked["changed"], tenant.writes(), (tmp_path / "copies").exists()) == (True, [], False), checked
    assert set(checked["plan"][0]["before"]["groups"]) >= {"team"}
    result = guests(**options)
    assert not result.get("failed"), result
    assert (result["plan"], result["counts"]["done"]) == (checked["plan"], 1)
    assert any("30 days" in text for text in warnings(result))
    now = assert_put_back(tenant, held)
    assert now["id"] != early["id"]
    assert now["id"] not in tenant.store.tables["groups"].objects["dynamic"]["_members"], "its members follow from its rule"
    assert now["externalUserState"] == "PendingAcceptance"
    assert early["id"] in tenant.store.tables["deleted_users"].objects
    (copy,) = (tmp_path / "copies").iterdir()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    saved = json.loads(copy.read_text())
    assert (saved["old_id"], saved["new_id"], bool(saved["completed_at"])) == (early["id"], now["id"], True)
    assert result["applied"][0]["details"]["copy"] == str(copy)
    tenant.clear_requests()
    for again in (options, {**options, "guests": None, "ids": [early["id"]]}, {**options, "force": True}):
        assert guests(**again)["changed"] is False
    tenant.redeem(ADELE)
    assert guests(**options)["changed"] is False
    assert tenant.writes() == []
    assert run(domains=[DOMAIN])["by_sign_in"] == {"direct_federation": 1}


def test_the_way_back(guests, tenant, early, held, tmp_path):
    guests(state="reinvited", guests=TWO[:1], backup_dir=str(tmp_path))
    assert guests(state="absent", guests=TWO[:1])["changed"] is True
    assert guests(state="restored", ids=[early["id"]])["changed"] is True
    assert assert_put_back(tenant, held)["id"] == early["id"]


def test_a_blocked_guest_stays_blocked(guests, tenant, early, tmp_path):
    tenant.arrange("users", early["id"], accountEnabled=False)
    options = {"state": "reinvited", "ids": [early["id"]], "backup_dir": str(tmp_path)}
    assert [item["code"] for item in guests(**options)["skipped_objects"]] == ["is_blocked"]
    assert guests(**options, force=True)["changed"] is True
    assert account(tenant, ADELE)["accountEnabled"] is False


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"mailEnabled": True, "groupTypes": []}, "not_put_back"),
        ({"onPremisesSyncEnabled": True}, "not_put_back"),
        ({"_members": [], "_owners": True}, "not_put_back"),
        ({"isAssignableToRole": True}, "role_holder"),
    ],
)
def test_what_would_be_lost(guests, tenant, early, tmp_path, values, rule):
    plain = next(iter(tenant.store.tables["groups"].objects.values()))
    own = {"_owners": [early["id"]]} if values.get("_owners") else {}
    tenant.arrange("groups", "g", **{**plain, "id": "g", "displayName": "g", "assignedLicenses": [], "_members": [early["id"]], **values, **own})
    options = {"state": "reinvited", "guests": TWO[:1], "backup_dir": str(tmp_path)}
    refused = guests(**options)
    assert (rules(refused), tenant.writes(), list(tmp_path.iterdir())) == ([rule], [], [])
    if rule == "role_holder":  # to delete a member of such a group, a User Administrator is not enough
        ours = {"principalId": company.make_id("servicePrincipal", "offboard"), "directoryScopeId": "/"}
        role = company.ROLE_TEMPLATES["Privileged Authentication Administrator"]
        tenant.arrange("role_assignments", "higher", id="higher", roleDefinitionId=role, **ours)
    accepted = guests(**options, accept_losses=True)
    assert accepted["counts"]["done"] == 1, accepted
    (copy,) = tmp_path.iterdir()
    assert [item["name"] for item in json.loads(copy.read_text())["lost"]] == ["g"]


@pytest.mark.parametrize("state", ["absent", "redemption_reset"])
def test_a_guest_in_a_group_that_roles_can_be_given_to_is_told_before(guests, tenant, early, state):
    """Graph would refuse it in the real run: learn.microsoft.com/entra/identity/role-based-access-control/groups-concept."""
    plain = next(iter(tenant.store.tables["groups"].objects.values()))
    tenant.arrange("groups", "g", **{**plain, "id": "g", "displayName": "g", "_members": [early["id"]], "isAssignableToRole": True})
    for check in (True, False):
        assert (rules(guests(check=check, state=state, guests=TWO[:1])), tenant.writes()) == (["role_holder"], [])


def test_a_manager_of_others(guests, tenant, early, tmp_path):
    tenant.arrange("users", tenant.user("reception@reiji-shop.example")["id"], _manager=early["id"])
    assert rules(guests(state="reinvited", guests=TWO[:1], backup_dir=str(tmp_path))) == ["not_put_back"]


@pytest.mark.parametrize(
    ("arrange", "rule"),
    [({"onPremisesSyncEnabled": True}, "synced_guest"), ({"userType": "Member"}, "not_a_guest"), ({}, "role_holder")],
)
def test_who_is_not_reinvited(guests, tenant, early, tmp_path, arrange, rule):
    tenant.arrange("users", early["id"], **arrange)
    if not arrange:
        tenant.store.put("role_assignments", "r", {**ROLE, "principalId": early["id"]})
    assert rules(guests(state="reinvited", guests=TWO[:1], backup_dir=str(tmp_path))) == [rule]
    assert tenant.writes() == []


def test_a_copy_that_cannot_be_written_stops_everything(guests, tenant, early, tmp_path):
    (tmp_path / "file").write_text("")
    result = guests(state="reinvited", guests=TWO[:1], backup_dir=str(tmp_path / "file" / "x"))
    assert (result["failure"]["code"], tenant.writes()) == ("file_write_failed", [])
    assert guests(state="reinvited", guests=TWO[:1])["failure"]["code"] == "bad_option"
    (tmp_path / "guest_x.json").write_text("{")
    assert guests(state="reinvited", guests=TWO[:1], backup_dir=str(tmp_path))["failure"]["code"] == "copy_unreadable"


#: fault, and whether the first run ends well
TROUBLE = {
    "the deletion's answer is lost": ({"method": "DELETE", "applied": True, "drop": True}, True),
    "the deletion is throttled": ({"method": "DELETE", "status": 429, "retry_after": 1}, True),
    "the invitation's answer is lost": ({"method": "POST", "path": ".*/invitations", "applied": True, "drop": True}, True),
    "the invitation is lost": ({"method": "POST", "path": ".*/invitations", "drop": True}, False),
    "the invitation is refused": ({"method": "POST", "path": ".*/invitations", "status": 403}, False),
    "a group is not yet known": ({"method": "POST", "path": ".*/members/.*", "status": 404, "times": 2}, True),
    "a group's answer is lost": ({"method": "POST", "path": ".*/members/.*", "applied": True, "status": 500}, True),
    "a group is refused": ({"method": "POST", "path": ".*/members/.*", "status": 403}, False),
    "an application's answer is lost": ({"method": "POST", "path": ".*/appRoleAssignments", "applied": True, "status": 503}, True),
    "attributes are refused": ({"method": "PATCH", "path": ".*/users/.*", "status": 403}, False),
    "the manager is refused": ({"method": "PUT", "status": 403}, False),
    "the new account is not shown": ({"method": "GET", "path": ".*/users/[0-9a-f-]+/memberOf", "status": 404, "skip": 1, "times": 2}, True),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_on_the_way(guests, tenant, early, held, tmp_path, trouble):
    fault, ends_well = TROUBLE[trouble]
    options = {"state": "reinvited", "ids": [early["id"]], "backup_dir": str(tmp_path), "verify_timeout": 10}
    invited = len(sent(tenant))
    tenant.faults.add(**fault)
    result = guests(**{**options, "verify_timeout": 2 if not ends_well else 10})
    assert result.get("failed", False) is not ends_well, result
    if not ends_well:
        assert result["changed"] is True
        assert result["failed_objects"][0]["details"]["steps_done"][0] == "deleted"
        again = guests(**options)
        assert again["counts"].get("done") == 1, again
    assert_put_back(tenant, held)
    assert len(sent(tenant)) == invited + 1, "nobody gets two invitations"
    assert guests(**options)["changed"] is False


def test_a_group_that_is_gone(guests, tenant, early, held, tmp_path):
    options = {"state": "reinvited", "ids": [early["id"]], "backup_dir": str(tmp_path)}
    tenant.faults.add(method="POST", path=".*/invitations", status=403)
    assert guests(**options)["failed"] is True
    tenant.store.remove("groups", "team")
    result = guests(**options)
    assert (result["failure"]["code"], "team" in result["msg"]) == ("not_found", True), result
    assert guests(**options, accept_losses=True)["counts"]["done"] == 1
    assert guests(**options)["changed"] is False


def test_reads_that_lag_behind_a_reinvitation(guests, tenant, early, held, tmp_path):
    tenant.settings.visibility_delay = 1.0
    progress = tmp_path / "progress.jsonl"
    assert guests(state="reinvited", guests=TWO[:1], backup_dir=str(tmp_path), progress_file=str(progress))["counts"]["done"] == 1
    assert {"waiting until the old account is gone everywhere", "waiting for the new account"} <= {
        line.get("doing", "").partition(": ")[2] for line in lines(progress)
    }
    assert_put_back(tenant, held)
    assert len(sent(tenant)) == 2


MOMENTS = {
    "before the deletion": {"method": "DELETE"},
    "after the deletion": {"method": "DELETE", "applied": True},
    "before the invitation": {"method": "POST", "path": ".*/invitations"},
    "before a group": {"method": "POST", "path": ".*/members/.*"},
    "before the attributes": {"method": "PATCH", "path": ".*/users/.*"},
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_on_the_way(guests, tenant, early, held, tmp_path, moment):
    """SIGKILL while a request is on its way; the same task again ends the work."""
    options = {"state": "reinvited", "guests": TWO[:1], "backup_dir": str(tmp_path / "copies"), "journal": str(tmp_path / "journal.jsonl")}
    fault = tenant.faults.add(delay=20.0, **MOMENTS[moment])
    if MOMENTS[moment].get("applied"):
        fault.delay = 0.0
        fault.drop = True  # the answer never comes, and the client is killed while it tries again
        tenant.faults.add(method="DELETE", delay=20.0)
    script = (
        "import json,sys\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.offboard.iij_id.plugins.modules import entra_guests\n"
        "with patch_module_args(json.load(sys.stdin)): entra_guests.main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    assert process.stdin is not None
    process.stdin.write(json.dumps({**connection(tenant), **options}).encode())
    process.stdin.close()
    waited = tenant.faults.rules[-1]
    deadline = time.monotonic() + 60
    while not waited.hits and time.monotonic() < deadline:
        time.sleep(0.05)
    assert waited.hits
    process.send_signal(signal.SIGKILL)
    process.wait()
    tenant.faults.clear()
    time.sleep(0.2)
    result = guests(**options)
    assert result.get("failed") is None, result
    now = assert_put_back(tenant, held)
    assert now["id"] != early["id"]
    tenant.clear_requests()
    assert (guests(**options)["changed"], tenant.writes()) == (False, [])


@pytest.mark.parametrize("second", ["id", "domain"])
def test_the_tenant_by_either_name(guests, tenant, early, held, tmp_path, second):
    """Unfinished work is found again, whether the tenant is given by its id or by a domain."""
    names = {"id": {"tenant_id": tenant.tenant_id}, "domain": {"tenant_id": "reiji.onmicrosoft.com"}}
    options = {"state": "reinvited", "ids": [early["id"]], "backup_dir": str(tmp_path)}
    tenant.faults.add(method="POST", path=".*/invitations", status=403)
    assert guests(**options, **names["domain" if second == "id" else "id"])["failed"] is True
    assert guests(**options, **names[second])["counts"]["done"] == 1
    assert_put_back(tenant, held)


@pytest.mark.parametrize("refused", ["DELETE", "POST"])
def test_the_first_failure_keeps_the_other_guests(guests, tenant, early, held, tmp_path, refused):
    """Whatever refuses one invitation may refuse all; a rerun meets it again before it deletes another guest."""
    others = [guest(tenant, address)["id"] for address in (TARO, f"yuki@{DOMAIN}")]
    options = {"state": "reinvited", "ids": [early["id"], *others], "backup_dir": str(tmp_path / "copies"), "force": True}
    journal = tmp_path / "journal.jsonl"
    path = ".*/invitations" if refused == "POST" else ".*/users/.*"
    tenant.faults.add(method=refused, path=path, status=403, times=99)
    for _attempt in range(2):
        result = guests(**options, journal=str(journal))
        assert (result["failure"]["code"], result["counts"]["failed"], result["counts"]["skipped"]) == ("permission_missing", 1, 2), result
        assert [item["name"] for item in result["failed_objects"]] == [ADELE]
        assert {item["code"] for item in result["skipped_objects"]} == {"earlier_failure"}
        there = tenant.store.tables["users"].objects.keys()
        assert ((early["id"] in there), set(others) <= there) == (refused == "DELETE", True)
        # in any order: who is deleted already comes first
        options["ids"] = options["ids"][::-1] if refused == "POST" else options["ids"]
    tenant.faults.clear()
    assert guests(**options)["counts"]["done"] == 3
    assert_put_back(tenant, held)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("values", [{"otherMails": [ADELE]}, {"proxyAddresses": [f"smtp:{ADELE}"]}])
def test_an_address_that_a_member_has_too(guests, tenant, early, held, tmp_path, monkeypatch, values, many):
    """By mail it is ambiguous; by id the member would be taken for the new guest, and be changed and blocked."""
    if many:
        monkeypatch.setattr(f"{ROOM}.guests.read.MANY", 0)
    member = tenant.user("reception@reiji-shop.example")["id"]
    tenant.arrange("users", member, **values)
    options = {"state": "reinvited", "ids": [early["id"]], "backup_dir": str(tmp_path)}
    assert guests(**{**options, "ids": None}, guests=TWO[:1])["failure"]["code"] == "ambiguous_match"
    for check in (True, False):
        refused = guests(**options, check=check)
        assert (rules(refused), member in refused["msg"], tenant.writes()) == (["address_taken"], True, []), refused
    tenant.arrange("users", member, otherMails=[], proxyAddresses=[])
    assert guests(**options)["counts"]["done"] == 1


@pytest.mark.parametrize("deleted", [False, True])
def test_an_address_that_a_member_gets_on_the_way(guests, tenant, early, held, tmp_path, monkeypatch, deleted):
    """After the plan, or after the deletion: nobody but a guest whom an invitation made is taken for the new one."""
    member = tenant.user("reception@reiji-shop.example")["id"]
    before = dict(tenant.store.tables["users"].objects[member])
    moment = "_delete" if deleted else "run"
    work = getattr(guest_reinvitation.Reinvitation, moment)

    def late(self: Any, *given: Any) -> Any:
        result = work(self, *given) if deleted else None
        tenant.arrange("users", member, otherMails=[ADELE])
        return result if deleted else work(self, *given)

    monkeypatch.setattr(guest_reinvitation.Reinvitation, moment, late)
    options = {"state": "reinvited", "ids": [early["id"]], "backup_dir": str(tmp_path)}
    result = guests(**options)
    assert (result["failure"]["code"], member in result["msg"]) == ("address_taken", True), result
    assert (early["id"] in tenant.store.tables["users"].objects) is not deleted
    assert [item["method"] for item in tenant.writes()] == ["DELETE"] * deleted
    monkeypatch.setattr(guest_reinvitation.Reinvitation, moment, work)
    tenant.arrange("users", member, otherMails=before["otherMails"])
    assert guests(**options)["counts"]["done"] == 1
    assert_put_back(tenant, held)
    assert tenant.store.tables["users"].objects[member] == before


def test_a_rerun_keeps_the_copy_of_an_account_that_is_still_shown(guests, tenant, early, held, tmp_path):
    """The deletion is accepted, a replica still shows the account, and what it held is gone: the copy of the first run is the only one."""
    options = {"state": "reinvited", "ids": [early["id"]], "backup_dir": str(tmp_path)}
    tenant.faults.add(method="DELETE", status=204)  # accepted, and not carried out yet
    result = guests(**options, verify_timeout=1)
    assert (result["failure"]["code"], early["id"] in tenant.store.tables["users"].objects) == ("not_seen", True), result
    (path,) = tmp_path.iterdir()
    first = json.loads(path.read_text())
    for group in list(tenant.store.tables["groups"].objects.values()):
        tenant.arrange("groups", group["id"], _members=[key for key in group["_members"] if key != early["id"]])
    tenant.store.remove("app_role_assignments", "assigned")
    tenant.arrange("users", early["id"], department=None, licenseAssignmentStates=[], assignedLicenses=[], _manager=None)
    assert guests(**options)["counts"]["done"] == 1
    now = assert_put_back(tenant, held)
    (path,) = tmp_path.iterdir()
    last = json.loads(path.read_text())
    assert {**last, "new_id": None, "invited_at": None, "completed_at": None} == first
    assert (last["new_id"], bool(last["completed_at"])) == (now["id"], True)


@pytest.mark.parametrize("change", ["entra_external_federation", "entra_redemption_order"])
def test_nobody_is_invited_before_a_change_is_in_effect(guests, run, tenant, tmp_path, change):
    """Whichever run made the change: the journal tells."""
    journal = tmp_path / "journal.jsonl"
    progress = tmp_path / "progress.jsonl"
    options = {"guests": TWO, "journal": str(journal), "settle_seconds": 4, "progress_file": str(progress)}
    made_now = by_hand() if change == "entra_external_federation" else ORDER
    assert run(change, **made_now, journal=str(journal))["changed"] is True
    assert guests(**options, check=True)["changed"] is True
    assert guests(**options)["counts"]["done"] == 2
    at = {item["kind"]: datetime.datetime.fromisoformat(item["at"]) for item in lines(journal) if item["record"] == "intent"}
    (kind,) = at.keys() - {"guest"}
    assert (at["guest"] - at[kind]).total_seconds() >= 4
    assert any("in effect" in line.get("doing", "") for line in lines(progress))
    begun = time.monotonic()
    assert guests(**{**options, "settle_seconds": 3600})["changed"] is False, "nobody is to be invited: nothing to wait for"
    assert time.monotonic() - begun < 60
