# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users: permissions, passwords, licences, deletion."""

from __future__ import annotations

from typing import Any

import pytest
from lab import company
from lab.testing import GraphClient, RunningTenant

E3 = company.sku_id("SPE_E3")
EXCHANGE = company.sku_id("EXCHANGESTANDARD")
PASSWORD = "Correct-Horse-7"
PEOPLE = {person.number: person.upn for person in company.people()}


def patch(client: GraphClient, upn: str, **body: Any) -> tuple[int, str]:
    reply = client.call("PATCH", f"/users/{upn}", body)
    return reply.status, reply.data["error"]["message"] if reply.data else ""


def licence(client: GraphClient, upn: str, add: list[str] = [], remove: list[str] = []) -> tuple[int, str]:  # noqa: B006 - read only
    reply = client.call("POST", f"/users/{upn}/assignLicense", {"addLicenses": [{"skuId": sku} for sku in add], "removeLicenses": remove})
    return reply.status, reply.data["error"]["message"] if reply.status >= 400 else ""


def consumed(client: GraphClient) -> dict[str, int]:
    return {item["skuPartNumber"]: item["consumedUnits"] for item in client.get("/subscribedSkus").data["value"]}


def managed(tenant: RunningTenant) -> GraphClient:
    client = tenant.client()
    assert client.call("PATCH", "/domains/reiji.example", {"authenticationType": "Managed"}).status == 204
    return client


def test_permissions_are_enforced(tenant: RunningTenant) -> None:
    readonly, decoy = tenant.client("readonly"), tenant.client("decoy")
    assert readonly.get("/users").status == 200
    assert patch(readonly, PEOPLE[5], accountEnabled=False) == (403, "Insufficient privileges to complete the operation.")
    assert readonly.get("/domains/reiji.example/federationConfiguration").status == 403
    assert decoy.get("/domains").status == 403
    assert tenant.client().get("/policies/featureRolloutPolicies").status == 403  # delegated only, for everybody


def test_a_password_is_set_once_the_domain_is_managed(tenant: RunningTenant) -> None:
    profile = {"password": PASSWORD, "forceChangePasswordNextSignIn": True}
    assert patch(tenant.client(), PEOPLE[5], passwordProfile=profile)[0] == 400
    assert patch(managed(tenant), PEOPLE[5], passwordProfile=profile) == (204, "")
    assert tenant.password_is(PEOPLE[5], PASSWORD)
    assert not tenant.password_is(PEOPLE[5], PASSWORD + "x")
    assert tenant.user(PEOPLE[5])["_password_count"] == 1
    assert PASSWORD not in str(tenant.user(PEOPLE[5])) + str(tenant.requests())


@pytest.mark.parametrize("password", ["short1A", "alllowercase", "NoDigitsHere", "x" * 257, ""])
def test_a_weak_password_is_refused(tenant: RunningTenant, password: str) -> None:
    status, message = patch(managed(tenant), PEOPLE[5], passwordProfile={"password": password})
    assert status == 400
    assert "password complexity" in message


def test_a_password_needs_permission_and_directory_role(tenant: RunningTenant) -> None:
    managed(tenant)
    assert patch(tenant.client("iij"), PEOPLE[5], passwordProfile={"password": PASSWORD})[0] == 403  # role, but not the permission
    for key, item in list(tenant.store.tables["role_assignments"].objects.items()):
        if item["principalId"] == company.make_id("servicePrincipal", "offboard"):
            tenant.store.remove("role_assignments", key)
    assert patch(tenant.client(), PEOPLE[5], passwordProfile={"password": PASSWORD})[0] == 403  # permission, but no role


@pytest.mark.parametrize(("number", "status"), [(1, 403), (2, 204), (3, 403)])
def test_administrators_need_a_higher_role(tenant: RunningTenant, number: int, status: int) -> None:
    """1 is Global, 3 Exchange Administrator; a User Administrator may act on 2, another User Administrator."""
    client = managed(tenant)
    assert patch(client, PEOPLE[number], passwordProfile={"password": PASSWORD})[0] == status
    assert patch(client, PEOPLE[number], accountEnabled=False)[0] == status
    assert patch(client, PEOPLE[number], jobTitle="顧問")[0] == 204


def test_a_synced_user_is_mastered_on_premises(tenant: RunningTenant) -> None:
    client = managed(tenant)
    assert patch(client, PEOPLE[101], displayName="別名")[0] == 400
    assert patch(client, PEOPLE[101], passwordProfile={"password": PASSWORD})[0] == 400
    assert patch(client, PEOPLE[101], accountEnabled=False)[0] == 204


@pytest.mark.parametrize(
    "body", [{"id": "x"}, {"usageLocation": "jp"}, {"usageLocation": None}, {"onPremisesImmutableId": None}, {"userPrincipalName": "a@unknown.example"}]
)
def test_values_that_graph_refuses(tenant: RunningTenant, body: dict[str, Any]) -> None:
    assert patch(tenant.client(), PEOPLE[5], **body)[0] == 400


def test_licences_and_their_seats(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert consumed(client) == {"SPE_E3": 219, "EXCHANGESTANDARD": 20, "FLOW_FREE": 0}
    assert licence(client, PEOPLE[11], add=[E3]) == (200, "")
    assert licence(client, PEOPLE[11], add=[E3]) == (200, "")  # the same again takes no second seat
    assert consumed(client)["SPE_E3"] == 220
    assert licence(client, PEOPLE[11], add=[EXCHANGE], remove=[E3]) == (200, "")
    assert (consumed(client)["SPE_E3"], consumed(client)["EXCHANGESTANDARD"]) == (219, 21)
    assert [item["skuId"] for item in tenant.user(PEOPLE[11])["assignedLicenses"]] == [EXCHANGE]


def test_no_seat_left(tenant: RunningTenant) -> None:
    client = tenant.client()
    numbers = [*range(11, 31), *range(231, 236)]
    answers = [licence(client, PEOPLE[number], add=[E3]) for number in numbers]
    assert [status for status, _ in answers] == [200] * 25
    assert consumed(client)["SPE_E3"] == 244
    assert licence(client, "reception@reiji-shop.example", add=[E3])[0] == 200
    assert licence(client, "lab01@reiji-lab.example", add=[E3]) == (400, f"Subscription with SKU {E3} does not have any available licenses.")


def test_a_licence_needs_a_usage_location(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert licence(client, PEOPLE[41], add=[E3]) == (400, "License assignment cannot be done for user with invalid usage location.")
    assert patch(client, PEOPLE[41], usageLocation="JP")[0] == 204
    assert licence(client, PEOPLE[41], add=[E3])[0] == 200


@pytest.mark.parametrize(
    ("number", "add", "remove", "message"),
    [
        (61, [], [E3], "inherited from a group membership"),
        (11, [], [E3], "does not have a corresponding license"),
        (11, ["11111111-2222-3333-4444-555555555555"], [], "does not correspond to a valid company License"),
    ],
)
def test_licence_refusals(tenant: RunningTenant, number: int, add: list[str], remove: list[str], message: str) -> None:
    status, text = licence(tenant.client(), PEOPLE[number], add, remove)
    assert status == 400
    assert message in text


def test_licences_from_a_group(tenant: RunningTenant) -> None:
    client = tenant.client("iij")
    group = company.make_id("group", "m365-e3")
    states = {state["assignedByGroup"] for state in tenant.user(PEOPLE[61])["licenseAssignmentStates"] if state["skuId"] == E3}
    assert states == {group}
    new = tenant.user(PEOPLE[11])["id"]
    assert client.call("PATCH", f"/groups/{group}", {"members@odata.bind": [f"{tenant.graph_url}/directoryObjects/{new}"]}).status == 204
    assert [item["skuId"] for item in tenant.user(PEOPLE[11])["assignedLicenses"]] == [E3]
    assert client.call("DELETE", f"/groups/{group}/members/{new}/$ref").status == 204
    assert tenant.user(PEOPLE[11])["assignedLicenses"] == []
    body = {"addLicenses": [], "removeLicenses": [E3]}
    assert client.call("POST", f"/groups/{group}/assignLicense", body).status == 202
    assert [item["skuId"] for item in tenant.user(PEOPLE[61])["assignedLicenses"]] == [EXCHANGE]


def test_delete_and_restore_bring_licences_and_groups_back(tenant: RunningTenant) -> None:
    client, upn = tenant.client(), PEOPLE[61]
    before = client.get(f"/users/{upn}?$select=id,assignedLicenses").data
    groups = client.get(f"/users/{upn}/memberOf").data["value"]
    assert client.call("DELETE", f"/users/{upn}").status == 204
    assert client.get(f"/users/{upn}").status == 404
    assert consumed(client)["SPE_E3"] == 218
    deleted = client.get("/directory/deletedItems/microsoft.graph.user").data["value"]
    assert {item["userPrincipalName"] for item in deleted} == {upn, "former@reiji.example"}
    assert client.call("POST", f"/directory/deletedItems/{before['id']}/restore").status == 200
    assert client.get(f"/users/{upn}?$select=id,assignedLicenses").data == before
    assert client.get(f"/users/{upn}/memberOf").data["value"] == groups
    assert consumed(client)["SPE_E3"] == 219


def test_create_a_user(tenant: RunningTenant) -> None:
    client = tenant.client()
    body = {
        "accountEnabled": True, "displayName": "新入 社員", "mailNickname": "new", "userPrincipalName": "new@reiji-shop.example",
        "passwordProfile": {"password": PASSWORD},
    }  # fmt: skip
    created = client.call("POST", "/users", body)
    assert created.status == 201
    assert client.get(f"/users/{created.data['id']}").data["displayName"] == "新入 社員"
    assert client.call("POST", "/users", body).status == 400
    assert client.call("POST", "/users", body | {"userPrincipalName": "new@reiji.example"}).status == 400  # federated: needs an immutable id


def test_sessions_are_revoked(tenant: RunningTenant) -> None:
    before = tenant.user(PEOPLE[5])["signInSessionsValidFromDateTime"]
    assert tenant.client().call("POST", f"/users/{PEOPLE[5]}/revokeSignInSessions").data["value"] is True
    assert tenant.user(PEOPLE[5])["signInSessionsValidFromDateTime"] > before


# -- what a user holds


def test_a_manager(tenant: RunningTenant) -> None:
    client, above, below = tenant.client(), tenant.user(PEOPLE[31]), tenant.user(PEOPLE[32])
    path = f"/users/{below['id']}/manager"
    assert client.get(path).status == 404
    assert client.call("PUT", f"{path}/$ref", {"@odata.id": f"{tenant.graph_url}/directoryObjects/{above['id']}"}).status == 204
    assert client.get(f"{path}?$select=id").data["id"] == above["id"]
    assert [item["id"] for item in client.get(f"/users/{above['id']}/directReports").data["value"]] == [below["id"]]
    assert client.call("PUT", f"{path}/$ref", {"@odata.id": f"{tenant.graph_url}/directoryObjects/nobody"}).status == 404
    assert client.call("PUT", f"{path}/$ref", {}).status == 400
    assert tenant.client("readonly").call("PUT", f"{path}/$ref", {}).status == 403


def test_applications_of_a_user_and_of_his_groups(tenant: RunningTenant) -> None:
    client, user = tenant.client(), tenant.user(PEOPLE[31])
    app = next(item for item in tenant.store.tables["service_principals"].objects.values() if not item["appRoles"])
    graph = next(item for item in tenant.store.tables["service_principals"].objects.values() if item["appRoles"])
    path, zeros = f"/users/{user['id']}/appRoleAssignments", "00000000-0000-0000-0000-000000000000"
    body = {"principalId": user["id"], "resourceId": app["id"], "appRoleId": zeros}
    assert client.get(path).data["value"] == []
    made = client.call("POST", path, body)
    assert (made.status, made.data["principalType"]) == (201, "User")
    assert client.call("POST", path, body).status == 400, "twice"
    assert client.call("POST", path, {**body, "principalId": app["id"]}).status == 400
    assert client.call("POST", path, {**body, "resourceId": graph["id"]}).status == 400, "an application with roles has no default role"
    group = next(item for item in tenant.store.tables["groups"].objects.values())
    tenant.arrange("groups", group["id"], _members=[user["id"]])
    tenant.arrange("app_role_assignments", "g", **{**made.data, "id": "g", "principalId": group["id"], "principalType": "Group"})
    assert {item["principalType"] for item in client.get(path).data["value"]} == {"User", "Group"}


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, 204),
        ({"groupTypes": ["Unified"], "mailEnabled": True}, 204),
        ({"groupTypes": ["DynamicMembership"]}, 400),
        ({"onPremisesSyncEnabled": True}, 400),
        ({"mailEnabled": True}, 400),
        ({"isAssignableToRole": True}, 403),
    ],
)
def test_groups_whose_members_come_from_elsewhere(tenant: RunningTenant, values: dict[str, Any], status: int) -> None:
    group, user = next(iter(tenant.store.tables["groups"].objects.values())), tenant.user(PEOPLE[31])
    tenant.arrange("groups", group["id"], **{**values, "_members": [], "_owners": [user["id"]]})
    reference = {"@odata.id": f"{tenant.graph_url}/directoryObjects/{user['id']}"}
    assert tenant.client().call("POST", f"/groups/{group['id']}/members/$ref", reference).status == status
    assert [item["id"] for item in tenant.client().get(f"/users/{user['id']}/ownedObjects").data["value"]] == [group["id"]]


# -- what a user can be made of


def made(tenant: RunningTenant, **values: Any) -> tuple[int, str]:
    body = {"accountEnabled": True, "displayName": "新人", "mailNickname": "new", "userPrincipalName": "new@reiji-shop.example"}
    reply = tenant.client().call("POST", "/users", body | {"passwordProfile": {"password": PASSWORD}} | values)
    return reply.status, reply.data["error"]["message"] if reply.status >= 400 else ""


BAD_NAMES = ["a b@", "日本@", "ä@", f"{'n' * 65}@", "n..x@", ".n@", "n.@", "@", "a&b@"]


@pytest.mark.parametrize("local", BAD_NAMES)
def test_a_name_that_nobody_can_have(tenant: RunningTenant, local: str) -> None:
    """Source: learn.microsoft.com/entra/identity/authentication/concept-sspr-policy, "Username policies"."""
    assert made(tenant, userPrincipalName=f"{local}reiji-shop.example") == (400, "Property userPrincipalName is invalid.")
    tenant.arrange("users", tenant.user(PEOPLE[5])["id"], onPremisesSyncEnabled=None)
    assert patch(tenant.client(), PEOPLE[5], userPrincipalName=f"{local}reiji-shop.example") == (400, "Property userPrincipalName is invalid.")


@pytest.mark.parametrize("local", [f"{'n' * 64}@", "o'neil-x_y.z!#^~1@", "$n@"])
def test_a_name_that_somebody_can_have(tenant: RunningTenant, local: str) -> None:
    assert made(tenant, userPrincipalName=f"{local}reiji-shop.example") == (201, "")


def test_a_domain_has_no_case(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert made(tenant, userPrincipalName="N1@REIJI-shop.EXAMPLE") == (201, "")
    assert patch(client, "n1@reiji-shop.example", userPrincipalName="n1@reiji-shop.example") == (204, "")  # its own, in another case
    assert patch(client, PEOPLE[7], userPrincipalName="N1@reiji-shop.example")[0] == 400
    assert patch(client, "n1@reiji-shop.example", userPrincipalName="N1@Reiji-Shop.Example") == (204, "")
    names = [item["userPrincipalName"] for item in client.get("/domains/reiji-shop.example/domainNameReferences?$top=999").data["value"]]
    assert "N1@Reiji-Shop.Example" in names


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": "x"}, "Property 'id' is read-only and cannot be set."),
        ({"displayName": "n" * 257}, "Invalid value specified for property 'displayName' of resource 'User'."),
        ({"displayName": ""}, None),
        ({"jobTitle": "n" * 129}, "Invalid value specified for property 'jobTitle' of resource 'User'."),
        ({"mailNickname": "a b"}, "Invalid value specified for property 'mailNickname' of resource 'User'."),
        ({"mailNickname": "a b@c"}, "Invalid value specified for property 'mailNickname' of resource 'User'."),
        ({"mailNickname": "n" * 65}, "Invalid value specified for property 'mailNickname' of resource 'User'."),
    ],
)
def test_a_value_that_no_user_has(tenant: RunningTenant, values: dict[str, Any], message: str | None) -> None:
    """Source: learn.microsoft.com/graph/api/resources/user, "Properties"."""
    assert made(tenant, **values) == (400, message or "A value is required for property 'displayName' of resource 'User'.")
    expected = message or "Invalid value specified for property 'displayName' of resource 'User'."
    assert patch(tenant.client(), PEOPLE[7], **values) == (400, expected)


def test_a_display_name_stays(tenant: RunningTenant) -> None:
    assert patch(tenant.client(), PEOPLE[7], displayName=None)[0] == 400
    assert patch(tenant.client(), PEOPLE[7], jobTitle=None) == (204, "")


def test_who_is_above_can_be_taken_away(tenant: RunningTenant) -> None:
    """Source: learn.microsoft.com/graph/api/user-delete-manager."""
    client, key = tenant.client(), tenant.user(PEOPLE[5])["id"]
    assert client.call("DELETE", f"/users/{key}/manager/$ref").status == 404
    assert client.call("PUT", f"/users/{key}/manager/$ref", {"@odata.id": f"{tenant.graph_url}/users/{tenant.user(PEOPLE[6])['id']}"}).status == 204
    assert client.call("DELETE", f"/users/{key}/manager/$ref").status == 204
    assert client.get(f"/users/{key}/manager").status == 404


def test_memberships_by_id_alone(tenant: RunningTenant) -> None:
    """Source: learn.microsoft.com/graph/api/directoryobject-getmembergroups and its neighbours."""
    client, staff = tenant.client(), company.make_id("group", "all-staff")
    groups = client.call("POST", f"/users/{PEOPLE[5]}/getMemberGroups", {"securityEnabledOnly": False})
    assert staff in groups.data["value"]
    assert groups.data["@odata.context"].endswith("#Collection(Edm.String)")
    assert staff in client.call("POST", f"/users/{PEOPLE[5]}/getMemberObjects", {"securityEnabledOnly": True}).data["value"]
    assert client.call("POST", f"/users/{PEOPLE[5]}/getMemberGroups", {}).status == 400
    wanted = [company.make_id("group", "no such"), staff]
    assert client.call("POST", f"/users/{PEOPLE[5]}/checkMemberGroups", {"groupIds": wanted}).data["value"] == [staff]
    assert client.call("POST", f"/users/{PEOPLE[5]}/checkMemberGroups", {"groupIds": wanted * 11}).status == 400
    assert client.get(f"/groups/{staff}/memberOf").data["value"] == []


def test_roles_by_template(tenant: RunningTenant) -> None:
    """Source: learn.microsoft.com/graph/api/directoryrole-get, directoryroletemplate-list."""
    client, template = tenant.client(), company.ROLE_TEMPLATES["Global Administrator"]
    role = client.get(f"/directoryRoles(roleTemplateId='{template}')")
    assert (role.status, role.data["displayName"]) == (200, "Global Administrator")
    assert client.get(f"/directoryRoles/{role.data['id']}").data["roleTemplateId"] == template
    assert client.get(f"/directoryRoles(roleTemplateId='{template}')/members").status == 200
    assert client.get(f"/directoryRoles(roleTemplateId='{role.data['id']}')").status == 404
    assert template in {item["id"] for item in client.get("/directoryRoleTemplates").data["value"]}
    assert client.get(f"/directoryRoleTemplates/{template}").data["displayName"] == "Global Administrator"


@pytest.mark.parametrize("path", ["?$top=1", "?$count=true", "?$filter=appliesTo%20eq%20'User'", "/$count"])
def test_skus_come_whole(tenant: RunningTenant, path: str) -> None:
    """Source: learn.microsoft.com/graph/api/subscribedsku-list: $select alone."""
    client = tenant.client()
    assert client.get(f"/subscribedSkus{path}").status == 400
    assert client.get("/subscribedSkus?$select=skuId").status == 200
