# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federation with partners' identity providers, invitations, and how guests come to sign in."""

from __future__ import annotations

import urllib.parse
from typing import Any

import pytest
from lab.identity_providers import made
from lab.testing import GraphClient, RunningTenant

KIND = "samlOrWsFedExternalDomainFederation"
BASE = "/directory/federationConfigurations"
CASTS = [f"{BASE}/graph.{KIND}", f"{BASE}/microsoft.graph.{KIND}"]
ADDRESS = "https://idp.example.net/sso?id=7"


def body(*domains: str, **more: Any) -> dict[str, Any]:
    return {
        "@odata.type": f"microsoft.graph.{KIND}",
        "displayName": "Fabrikam",
        "issuerUri": made.ISSUER,
        "passiveSignInUri": made.SIGN_IN,
        "metadataExchangeUri": None,
        "preferredAuthenticationProtocol": "wsFed",
        "signingCertificate": made.key().base64,
        "domains": [{"@odata.type": "microsoft.graph.externalDomainName", "id": name} for name in domains or ("fabrikam.example",)],
        **more,
    }


def create(client: GraphClient, *domains: str, **more: Any) -> str:
    reply = client.call("POST", CASTS[1], body(*domains, **more))
    assert reply.status == 201, reply.data
    return reply.data["id"]


def text(reply: Any) -> tuple[int, str]:
    return reply.status, reply.data["error"]["message"]


@pytest.mark.parametrize("path", CASTS)
def test_made_found_by_domain_changed_and_deleted(tenant: RunningTenant, path: str) -> None:
    client = tenant.client()
    reply = client.call("POST", path, body())
    assert set(reply.data) - {"@odata.context"} == {"id", "displayName"}, "the documented answer carries no more"
    by_domain = urllib.parse.quote("domains/any(x: x/id eq 'fabrikam.example')")
    found = client.get(f"{path}?$filter={by_domain}").data["value"]
    assert [(item["id"], item["domains"]) for item in found] == [(reply.data["id"], [{"id": "fabrikam.example"}])]
    changed = client.call("PATCH", f"{path}/{found[0]['id']}", {"displayName": "Fabrikam 2"})
    assert (changed.status, changed.data["displayName"], changed.data["issuerUri"]) == (200, "Fabrikam 2", made.ISSUER)
    assert client.call("DELETE", f"{BASE}/{found[0]['id']}").status == 204
    assert client.get(path).data["value"] == []


def test_the_base_path(tenant: RunningTenant) -> None:
    client = tenant.client()
    reply = client.call("POST", BASE, body() | {"@odata.type": f"#microsoft.graph.{KIND}"})
    assert reply.status == 201, reply.data
    item = client.get(BASE).data["value"][0]
    assert item["@odata.type"] == f"#microsoft.graph.{KIND}"
    assert "domains" not in item
    path = f"{BASE}/{item['id']}"
    assert client.call("PATCH", path, {"@odata.type": f"#microsoft.graph.{KIND}", "displayName": "B"}).data["displayName"] == "B"
    assert client.get(path).data["displayName"] == "B"


def test_domains_are_added_and_removed_one_by_one(tenant: RunningTenant) -> None:
    client = tenant.client()
    key = create(client, "fabrikam.example", passiveSignInUri="https://login.fabrikam.example/")
    tenant.outside.txt["fabrikam-japan.example"] = ["v=spf1 -all", "DirectFedAuthUrl=https://login.fabrikam.example/"]
    domains = f"{BASE}/{key}/microsoft.graph.{KIND}/domains"
    added = client.call("POST", domains, {"@odata.type": "microsoft.graph.externalDomainName", "id": "fabrikam-japan.example"})
    assert (added.status, added.data["id"]) == (201, "fabrikam-japan.example")
    assert [item["id"] for item in client.get(f"{CASTS[1]}/{key}/domains").data["value"]] == ["fabrikam.example", "fabrikam-japan.example"]
    assert client.call("DELETE", f"{BASE}/{key}").status == 400, "as the admin centre says, the other domains go first"
    assert client.call("DELETE", f"{domains}/fabrikam-japan.example").status == 204
    assert client.call("DELETE", f"{domains}/fabrikam-japan.example").status == 404
    assert client.call("DELETE", f"{domains}/fabrikam.example").status == 400
    assert client.call("DELETE", f"{BASE}/{key}").status == 204


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"passiveSignInUri": ADDRESS}, 400, f"Invalid domain fabrikam.example. Domain should match the passiveSignInUri. Otherwise, please add the "
         f"passiveSignInUri in the domain DNS TXT record like this DirectFedAuthUrl={ADDRESS}"),
        ({"passiveSignInUri": "http://sts.fabrikam.example/"}, 400, "https"),
        ({"signingCertificate": "MIIC"}, 400, "not a certificate"),
        ({"signingCertificate": None}, 400, "signingCertificate is missing"),
        ({"preferredAuthenticationProtocol": "saml", "issuerUri": "http://sts.reiji-lab.example/adfs/services/trust"}, 409, "issuerUri"),
        ({"domains": [{"id": "reiji-shop.example"}], "passiveSignInUri": "https://sts.reiji-shop.example/"}, 400, "verified in this tenant"),
        ({"domains": []}, 400, "at least one domain"),
    ],
)  # fmt: skip
def test_refusals(tenant: RunningTenant, change: dict[str, Any], status: int, word: str) -> None:
    reply = tenant.client().call("POST", CASTS[0], body(**change))
    assert reply.status == status
    assert word in reply.data["error"]["message"]
    assert tenant.store.tables["external_federations"].objects == {}


def test_a_certificate_in_lines_is_refused(tenant: RunningTenant) -> None:
    lined = "\n".join(made.key().base64[at : at + 64] for at in range(0, len(made.key().base64), 64))
    assert text(tenant.client().call("POST", CASTS[0], body(signingCertificate=lined)))[0] == 400


def test_a_domain_and_an_issuer_belong_to_one_federation(tenant: RunningTenant) -> None:
    client = tenant.client()
    create(client)
    assert client.call("POST", CASTS[0], body(issuerUri="https://other.example/")).status == 409
    assert client.call("POST", CASTS[0], body("woodgrove.example", passiveSignInUri="https://sts.woodgrove.example/")).status == 409


def test_internal_federations_count_for_the_limit(tenant: RunningTenant) -> None:
    table = tenant.store.tables["external_federations"]
    for number in range(997):  # the fixture has three federated root domains
        table.replace(str(number), {"id": str(number), "issuerUri": f"urn:{number}", "domains": [{"id": f"p{number}.example"}]}, 0)
    assert "limit of 1000" in text(tenant.client().call("POST", CASTS[0], body()))[1]
    table.replace("996", None, 0)
    create(tenant.client())


def test_permissions(tenant: RunningTenant) -> None:
    reader = tenant.client("readonly")
    assert reader.get(CASTS[0]).status == 200
    assert reader.get(BASE).status == 403
    assert reader.call("POST", CASTS[0], body()).status == 403
    assert reader.call("POST", "/invitations", {"invitedUserEmailAddress": "a@b.example", "inviteRedirectUrl": "https://x.example"}).status == 403
    assert reader.call("PATCH", "/policies/crossTenantAccessPolicy/default", {}).status == 403
    assert reader.get("/users?$select=id,signInActivity").status == 403
    assert tenant.client().get("/users?$select=id,signInActivity&$top=1").status == 200


# -- guests


def invite(client: GraphClient, address: str, **more: Any) -> Any:
    return client.call("POST", "/invitations", {"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://myapps.microsoft.com", **more})


@pytest.mark.parametrize(
    ("order", "other_tenant", "federated", "address", "issuer"),
    [
        (None, None, True, "a@fabrikam.example", made.ISSUER),
        (None, None, False, "a@fabrikam.example", "mail"),
        (None, "verified", True, "a@fabrikam.example", "ExternalAzureAD"),
        (None, "synced", True, "a@fabrikam.example", "ExternalAzureAD"),
        (None, "unmanaged", True, "a@fabrikam.example", made.ISSUER),
        (["externalFederation", "azureActiveDirectory"], "verified", True, "a@fabrikam.example", made.ISSUER),
        (None, None, False, "a@gmail.com", "google.com"),
    ],
)
def test_redeemed_by_precedence(tenant: RunningTenant, order: list[str] | None, other_tenant: str | None, federated: bool, address: str, issuer: str) -> None:
    client = tenant.client()
    if federated:
        create(client)
    if other_tenant:
        tenant.outside.tenants["fabrikam.example"] = other_tenant
    if order:
        value = {"primaryIdentityProviderPrecedenceOrder": order, "fallbackIdentityProvider": "defaultConfiguredIdp"}
        body = {"invitationRedemptionIdentityProviderConfiguration": value}
        assert client.call("PATCH", "/policies/crossTenantAccessPolicy/default", body).status == 204
    reply = invite(client, address)
    assert (reply.status, reply.data["status"]) == (201, "PendingAcceptance")
    guest = f"/users/{reply.data['invitedUser']['id']}?$select=externalUserState,identities,userType,creationType"
    assert client.get(guest).data["identities"][0]["signInType"] == "userPrincipalName"
    tenant.redeem(address)
    after = client.get(guest).data
    assert (after["externalUserState"], after["userType"], after["creationType"]) == ("Accepted", "Guest", "Invitation")
    assert after["identities"][0] == {"signInType": "federated", "issuer": issuer, "issuerAssignedId": None}
    with pytest.raises(ValueError, match="no invitation"):
        tenant.redeem(address)


def test_reset_keeps_the_account(tenant: RunningTenant) -> None:
    client = tenant.client()
    create(client)
    key = invite(client, "a@fabrikam.example").data["invitedUser"]["id"]
    tenant.redeem("a@fabrikam.example")
    assert invite(client, "a@fabrikam.example").data["status"] == "Completed", "a second invitation changes nothing"
    again = invite(client, "a@fabrikam.example", resetRedemption=True, invitedUser={"id": key})
    assert (again.status, again.data["invitedUser"]["id"], again.data["status"]) == (201, key, "PendingAcceptance")
    assert invite(client, "b@fabrikam.example", resetRedemption=True, invitedUser={"id": key}).status == 400
    assert invite(client, "a@fabrikam.example", resetRedemption=True, invitedUser={"id": "nobody"}).status == 404


def test_a_guest_with_a_role_is_not_reset(tenant: RunningTenant) -> None:
    client = tenant.client()
    key = invite(client, "a@fabrikam.example").data["invitedUser"]["id"]
    tenant.store.put(
        "role_assignments", "r", {"id": "r", "roleDefinitionId": "fe930be7-5e62-47db-91af-98c3a49a38b1", "principalId": key, "directoryScopeId": "/"}
    )
    assert invite(client, "a@fabrikam.example", resetRedemption=True, invitedUser={"id": key}).status == 403


@pytest.mark.parametrize(
    "more",
    [
        {"inviteRedirectUrl": "myapps"},
        {"invitedUserMessageInfo": {"ccRecipients": [{"emailAddress": {"address": "a@b.example"}}, {"emailAddress": {"address": "c@d.example"}}]}},
    ],
)
def test_invitations_that_are_refused(tenant: RunningTenant, more: dict[str, Any]) -> None:
    assert invite(tenant.client(), "a@fabrikam.example", **more).status == 400


@pytest.mark.parametrize("address", ["nobody", "new@reiji-shop.example", "reception@reiji-shop.example"])
def test_who_cannot_be_invited(tenant: RunningTenant, address: str) -> None:
    assert invite(tenant.client(), address).status == 400


def test_the_reset_of_all_cross_tenant_settings(tenant: RunningTenant) -> None:
    client = tenant.client()
    path = "/policies/crossTenantAccessPolicy/default"
    assert client.get(path).data["isServiceDefault"] is True
    client.call("PATCH", path, {"inboundTrust": {"isMfaAccepted": True}})
    assert (client.get(path).data["isServiceDefault"], client.get(path).data["inboundTrust"]["isMfaAccepted"]) == (False, True)
    assert client.call("POST", f"{path}/resetToSystemDefault").status == 204
    assert (client.get(path).data["isServiceDefault"], client.get(path).data["inboundTrust"]["isMfaAccepted"]) == (True, False)
    twice = {"primaryIdentityProviderPrecedenceOrder": ["externalFederation"] * 2, "fallbackIdentityProvider": "defaultConfiguredIdp"}
    assert client.call("PATCH", path, {"invitationRedemptionIdentityProviderConfiguration": twice}).status == 400


# -- the lab's own controls


def test_controls(tenant: RunningTenant) -> None:
    rest = tenant.client().rest
    assert rest.call("PATCH", "/_lab/outside", {"tenants": {"fabrikam.example": "unmanaged"}}).status == 200
    realm = rest.call("GET", "/common/userrealm/user@fabrikam.example?api-version=2.1").data
    assert (realm["NameSpaceType"], realm["IsViral"]) == ("Managed", True)
    assert rest.call("PATCH", "/_lab/outside", {"tenants": {"fabrikam.example": "synced"}}).status == 200
    assert rest.call("GET", "/common/userrealm/user@fabrikam.example?api-version=2.1").data["NameSpaceType"] == "Federated"
    assert rest.call("GET", "/common/userrealm/user@nowhere.example?api-version=2.1").data["NameSpaceType"] == "Unknown"
    assert rest.call("GET", "/common/userrealm/user@reiji.example?api-version=2.1").data["NameSpaceType"] == "Federated"
    assert rest.call("PATCH", "/_lab/outside", {"tenants": {"x.example": "odd"}}).status == 400
    assert rest.call("PATCH", "/_lab/outside", {"weather": 1}).status == 400
    assert rest.call("POST", "/_lab/redeem", {"guest": "nobody@x.example"}).status == 400
    invite(tenant.client(), "a@fabrikam.example")
    assert rest.call("POST", "/_lab/redeem", {"guest": "a@fabrikam.example"}).data["externalUserState"] == "Accepted"
    tenant.reset()
    assert rest.call("GET", "/_lab/outside").data["tenants"] == {}
