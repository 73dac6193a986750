# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""App registrations, service principals, grants, and the audit that shows who wrote."""

from __future__ import annotations

from urllib.parse import quote

from lab import company
from lab.testing import RunningTenant

IIJ = company.app("iij")["client_id"]
PRINCIPAL = company.make_id("servicePrincipal", "iij")
APPLICATION = company.make_id("application", "iij")


def test_the_name_matches_two_and_the_client_id_one(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert len(client.get("/applications?$filter=displayName%20eq%20'iid_graph_api'").data["value"]) == 2
    assert client.get(f"/applications(appId='{IIJ}')").data["id"] == APPLICATION
    assert client.get("/applications(appId='11111111-2222-3333-4444-555555555555')").status == 404


def test_secrets_are_never_shown(tenant: RunningTenant) -> None:
    found = tenant.client().get(f"/applications/{APPLICATION}").data
    assert found["passwordCredentials"][0]["secretText"] is None
    assert company.app("iij")["secret"] not in str(found)


def test_what_it_holds_is_listed_and_removed(tenant: RunningTenant) -> None:
    client = tenant.client()
    held = client.get(f"/servicePrincipals/{PRINCIPAL}/appRoleAssignments").data["value"]
    assert len(held) == len(company.app("iij")["permissions"])
    for item in held:
        assert client.call("DELETE", f"/servicePrincipals/{PRINCIPAL}/appRoleAssignments/{item['id']}").status == 204
    assert tenant.client("iij").get("/users").status == 403  # a new token without any permission
    grant = client.get(f"/oauth2PermissionGrants?$filter=clientId%20eq%20'{PRINCIPAL}'").data["value"][0]
    assert client.call("DELETE", f"/oauth2PermissionGrants/{grant['id']}").status == 204
    assert client.get("/oauth2PermissionGrants").data["value"] == []


def test_deleting_the_application_takes_its_service_principal_along_and_restoring_does_not_bring_it_back(tenant: RunningTenant) -> None:
    client, theirs = tenant.client(), tenant.client("iij")
    assert client.call("DELETE", f"/applications/{APPLICATION}").status == 204
    assert theirs.get("/users").data["error"]["code"] == "Authorization_IdentityNotFound"
    assert client.get(f"/servicePrincipals/{PRINCIPAL}").status == 404
    assert [item["id"] for item in client.get("/directory/deletedItems/graph.application").data["value"]] == [APPLICATION]
    assert client.call("POST", f"/directory/deletedItems/{APPLICATION}/restore").status == 200
    assert client.get(f"/servicePrincipals/{PRINCIPAL}").status == 404
    assert client.call("POST", f"/directory/deletedItems/{PRINCIPAL}/restore").status == 200
    assert tenant.client("iij").get("/users").status == 200


def test_restoring_needs_the_permission_for_that_kind(tenant: RunningTenant) -> None:
    tenant.client().call("DELETE", f"/applications/{APPLICATION}")
    assert tenant.client("readonly").call("POST", f"/directory/deletedItems/{APPLICATION}/restore").status == 403


def test_the_audit_names_the_app_that_wrote(tenant: RunningTenant) -> None:
    client, theirs = tenant.client(), tenant.client("iij")
    path = f"/auditLogs/directoryAudits?$filter=initiatedBy/app/appId%20eq%20'{IIJ}'"
    before = client.get(path).data["value"]
    assert before  # IIJ ID was active before the fixture begins
    assert theirs.call("PATCH", "/users/sato.taro@reiji.example", {"jobTitle": "顧問"}).status == 204
    after = client.get(path).data["value"]
    assert len(after) == len(before) + 1
    assert after[0]["targetResources"][0]["userPrincipalName"] == "sato.taro@reiji.example"
    since = quote(f"activityDateTime gt {before[0]['activityDateTime'][:19]}Z and initiatedBy/app/appId eq '{IIJ}'")
    assert len(client.get(f"/auditLogs/directoryAudits?$filter={since}").data["value"]) == 1


def test_a_new_secret_works_and_a_removed_one_does_not(tenant: RunningTenant) -> None:
    client = tenant.client()
    added = client.call("POST", f"/applications/{APPLICATION}/addPassword", {"passwordCredential": {"displayName": "second"}}).data
    assert added["secretText"]
    assert client.call("POST", f"/applications/{APPLICATION}/removePassword", {"keyId": added["keyId"]}).status == 204
    assert client.call("POST", f"/applications/{APPLICATION}/removePassword", {"keyId": added["keyId"]}).status == 404
