# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IIJ ID's side: what it undoes before provisioning is stopped, what the stop does, what it cannot do without its app."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab import company
from lab.iij.actor import Actor
from lab.testing import RunningTenant

PEOPLE = {person.number: person for person in company.people()}
E3 = company.sku_id("SPE_E3")
PRINCIPAL = company.make_id("servicePrincipal", "iij")


@pytest.fixture
def actor(tenant: RunningTenant) -> Actor:
    return Actor(tenant.url, tenant.ca_file)


@pytest.fixture
def repair(tenant: RunningTenant) -> Callable[[], None]:
    """Unblock and license person 11, as an administrator would."""

    def work() -> None:
        client, path = tenant.client(), f"/users/{PEOPLE[11].upn}"
        assert client.call("PATCH", path, {"accountEnabled": True}).status == 204
        body = {"addLicenses": [{"skuId": E3}], "removeLicenses": []}
        assert client.call("POST", f"{path}/assignLicense", body).status == 200

    return work


def state(tenant: RunningTenant, number: int) -> tuple[bool, list[str]]:
    user = tenant.user(PEOPLE[number].upn)
    return user["accountEnabled"], [item["skuId"] for item in user["assignedLicenses"]]


def test_a_cycle_writes_nothing_where_nothing_differs(tenant: RunningTenant, actor: Actor) -> None:
    outcome = actor.apply()
    assert (outcome.wrote, outcome.refused, outcome.error) == (0, {}, None)
    assert tenant.writes() == []


def test_a_repair_before_the_stop_is_undone(tenant: RunningTenant, actor: Actor, repair: Callable[[], None]) -> None:
    repair()
    assert state(tenant, 11) == (True, [E3])
    assert actor.apply().wrote == 2
    assert state(tenant, 11) == (False, [])


def test_attributes_are_applied_again(tenant: RunningTenant, actor: Actor) -> None:
    tenant.client().call("PATCH", f"/users/{PEOPLE[7].upn}", {"displayName": "手で直した名前"})
    assert actor.apply().wrote == 1
    assert tenant.user(PEOPLE[7].upn)["displayName"] == PEOPLE[7].name


def test_the_stop_blocks_everybody_it_may_and_takes_licences(tenant: RunningTenant, actor: Actor) -> None:
    outcome = actor.withdraw()
    assert outcome.refused == {403: 2}  # two administrators need a higher role than the app has
    enabled = [number for number in PEOPLE if state(tenant, number)[0]]
    assert enabled == [1, 3]
    licensed = [number for number in PEOPLE if state(tenant, number)[1]]
    assert licensed == [61, 62, 63, 64, 65]  # inherited from a group, not IIJ ID's to take
    assert state(tenant, 231) == (False, [])
    assert tenant.user("reception@reiji-shop.example")["accountEnabled"]  # not one of IIJ ID's


def test_a_repair_after_the_stop_holds(tenant: RunningTenant, actor: Actor, repair: Callable[[], None]) -> None:
    actor.withdraw()
    repair()
    assert state(tenant, 11) == (True, [E3])


def test_without_its_service_principal_it_can_do_neither(tenant: RunningTenant, actor: Actor, repair: Callable[[], None]) -> None:
    repair()
    assert tenant.client().call("PATCH", f"/servicePrincipals/{PRINCIPAL}", {"accountEnabled": False}).status == 204
    tenant.clear_requests()
    # Without a token from before: it holds one to its end otherwise.
    for outcome in (actor.apply(), actor.withdraw()):
        assert "AADSTS7000112" in str(outcome.error)
        assert outcome.wrote == 0
    assert tenant.writes() == []
    assert state(tenant, 11) == (True, [E3])


def test_a_token_from_before_stays_good_to_its_end(tenant: RunningTenant, actor: Actor) -> None:
    """Why one waits between switching the app off and the stop."""
    assert actor.apply().error is None
    assert tenant.client().call("PATCH", f"/servicePrincipals/{PRINCIPAL}", {"accountEnabled": False}).status == 204
    assert actor.apply().error is None
    actor.forget_token()
    assert "AADSTS7000112" in str(actor.withdraw().error)
    assert state(tenant, 5)[0]


def test_its_writes_are_in_the_directory_audit(tenant: RunningTenant, actor: Actor, repair: Callable[[], None]) -> None:
    repair()
    actor.apply()
    entries = tenant.client().get("/auditLogs/directoryAudits?$top=2").data["value"]
    principal = company.make_id("servicePrincipal", "iij")
    assert {item["initiatedBy"]["app"]["servicePrincipalId"] for item in entries} == {principal}
    # Microsoft leaves the client id out of many entries
    assert {item["initiatedBy"]["app"]["appId"] for item in entries} == {company.app("iij")["client_id"], None}
    assert {item["activityDisplayName"] for item in entries} == {"Update user", "Change user license"}


def test_with_an_expired_secret_it_only_fails(tenant: RunningTenant) -> None:
    assert "AADSTS7000222" in str(Actor(tenant.url, tenant.ca_file, app="iij_old").apply().error)
