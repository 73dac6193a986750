# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains and their federation."""

from __future__ import annotations

import time

import pytest
from lab.testing import GraphClient, RunningTenant

MANAGED = {"authenticationType": "Managed"}


def kinds(client: GraphClient) -> dict[str, str]:
    return {item["id"]: item["authenticationType"] for item in client.get("/domains").data["value"]}


def configuration(client: GraphClient, domain: str) -> dict:
    return client.get(f"/domains/{domain}/federationConfiguration").data["value"][0]


def test_the_fixture(tenant: RunningTenant) -> None:
    assert kinds(tenant.client()) == {
        "reiji.onmicrosoft.com": "Managed",
        "reiji.example": "Federated",
        "reiji-group.example": "Federated",
        "sales.reiji.example": "Federated",
        "reiji-lab.example": "Federated",
        "reiji-shop.example": "Managed",
    }
    assert configuration(tenant.client(), "reiji.example")["passiveSignInUri"].startswith("https://www.auth.iij.jp/")


def test_conversion_takes_children_along_and_the_configuration_away(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert client.call("PATCH", "/domains/reiji.example", MANAGED).status == 204
    after = kinds(client)
    assert (after["reiji.example"], after["sales.reiji.example"], after["reiji-group.example"]) == ("Managed", "Managed", "Federated")
    assert client.get("/domains/reiji.example/federationConfiguration").status == 404


def test_conversion_takes_effect_after_a_while(tenant: RunningTenant) -> None:
    client = tenant.client()
    tenant.settings.conversion_delay = 0.4
    assert client.call("PATCH", "/domains/reiji.example", MANAGED).status == 204
    assert kinds(client)["sales.reiji.example"] == "Federated"
    assert configuration(client, "reiji.example")["displayName"] == "IIJ ID"
    time.sleep(0.5)
    assert kinds(client)["sales.reiji.example"] == "Managed"


def test_restored_from_a_saved_configuration(tenant: RunningTenant) -> None:
    client = tenant.client()
    saved = configuration(client, "reiji.example")
    client.call("PATCH", "/domains/reiji.example", MANAGED)
    body = {name: value for name, value in saved.items() if name != "id" and value is not None}
    assert client.call("POST", "/domains/reiji.example/federationConfiguration", body).status == 201
    assert kinds(client)["sales.reiji.example"] == "Federated"
    assert {**configuration(client, "reiji.example"), "id": saved["id"]} == saved


def test_deleting_the_configuration_makes_the_domain_managed(tenant: RunningTenant) -> None:
    client = tenant.client()
    key = configuration(client, "reiji.example")["id"]
    assert client.call("DELETE", f"/domains/reiji.example/federationConfiguration/{key}").status == 204
    assert kinds(client)["reiji.example"] == "Managed"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("PATCH", "/domains/reiji-shop.example", {"authenticationType": "Federated"}, 400, "Changing authenticationType from Managed to Federated"),
        ("PATCH", "/domains/sales.reiji.example", MANAGED, 400, "inherited from its root domain"),
        ("PATCH", "/domains/reiji.example", {"isDefault": True}, 400, "Only a managed domain"),
        ("POST", "/domains", {"id": "new.example", "authenticationType": "Federated"}, 400, "Creation of federated domain is not allowed."),
        ("POST", "/domains/sales.reiji.example/promote", None, 400, "Promoting a subdomain with user references"),
        ("DELETE", "/domains/reiji.onmicrosoft.com", None, 400, "cannot be deleted"),
        ("DELETE", "/domains/reiji.example", None, 400, "still referenced"),
    ],
)
def test_refusals(tenant: RunningTenant, method: str, path: str, body: dict | None, status: int, message: str) -> None:
    reply = tenant.client().call(method, path, body)
    assert reply.status == status
    assert message in reply.data["error"]["message"]


def test_an_issuer_is_used_once(tenant: RunningTenant) -> None:
    client = tenant.client()
    issuer = configuration(client, "reiji-group.example")["issuerUri"]
    body = {"issuerUri": issuer, "signingCertificate": "MII", "passiveSignInUri": "https://x.example/"}
    reply = client.call("POST", "/domains/reiji-shop.example/federationConfiguration", body)
    assert (reply.status, reply.data["error"]["code"]) == (409, "Request_MultipleObjectsWithSameKeyValue")


def test_without_certificate_the_domain_ends_federated_and_unreadable(tenant: RunningTenant) -> None:
    """A documented trap: the answer is 500, and only PATCH Managed leads out."""
    client = tenant.client()
    body = {"issuerUri": "https://i.example/", "passiveSignInUri": "https://i.example/sso"}
    assert client.call("POST", "/domains/reiji-shop.example/federationConfiguration", body).status == 500
    assert kinds(client)["reiji-shop.example"] == "Federated"
    assert client.get("/domains/reiji-shop.example/federationConfiguration").status == 404
    assert client.call("PATCH", "/domains/reiji-shop.example", MANAGED).status == 204
    assert kinds(client)["reiji-shop.example"] == "Managed"
