# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tenant was kinder than Microsoft Graph, or answered in another form. Each source is in the tenant's own code."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from lab import company
from lab.testing import GraphClient, RunningTenant

PEOPLE = {person.number: person for person in company.people()}
EVENTUAL = {"ConsistencyLevel": "eventual"}
ALL_STAFF = company.make_id("group", "all-staff")
PRINCIPAL = company.make_id("servicePrincipal", "offboard")
PASSWORD = "Correct-Horse-7"


def permit(tenant: RunningTenant, *names: str) -> GraphClient:
    """A client of `offboard` that was given further permissions; its token is new."""
    key = company.make_id("servicePrincipal", "Microsoft Graph")
    graph = tenant.store.tables["service_principals"].objects[key]
    principal = tenant.store.tables["service_principals"].objects[PRINCIPAL]
    known = {role["value"] for role in graph["appRoles"]}
    tenant.arrange("service_principals", key, appRoles=[
        *graph["appRoles"], *({"id": company.make_id("appRole", name), "value": name} for name in names if name not in known),
    ])  # fmt: skip
    for name in names:
        assignment = company.app_role_assignment(principal, graph, name)
        tenant.arrange("app_role_assignments", assignment["id"], **assignment)
    return tenant.client()


def group(tenant: RunningTenant, **values: Any) -> str:
    key = str(uuid.uuid4())
    tenant.arrange("groups", key, **company.group("administrators", id=key, **values))
    return key


# -- the form of answers


@pytest.mark.parametrize(
    ("path", "context"),
    [
        ("/users?$top=1", "users"),
        ("/users?$top=1&$select=displayName,id", "users(displayName,id)"),
        ("/users/{user}", "users/$entity"),
        ("/users/{user}?$select=id,displayName", "users(id,displayName)/$entity"),
        ("/domains", "domains"),
        ("/domains/reiji.example", "domains/$entity"),
        ("/domains/reiji.example/federationConfiguration", "domains('reiji.example')/federationConfiguration"),
        ("/domains/reiji.example/federationConfiguration/{federation}", "domains('reiji.example')/federationConfiguration/$entity"),
        ("/groups/{group}/members?$top=1", "directoryObjects"),
        ("/groups/{group}/members?$top=1&$select=id,displayName", "directoryObjects(id,displayName)"),
        ("/groups/{group}/members/microsoft.graph.user?$top=1", "users"),
        ("/subscribedSkus", "subscribedSkus"),
        ("/organization", "organization"),
        ("/servicePrincipals/{principal}/appRoleAssignments", "appRoleAssignments"),
        ("/servicePrincipals/{principal}/appRoleAssignedTo", "servicePrincipals('{principal}')/appRoleAssignedTo"),
        ("/directory/deletedItems/graph.user?$select=id,displayName", "users(id,displayName)"),
        ("/policies/authorizationPolicy", "policies/authorizationPolicy/$entity"),
        ("/auditLogs/directoryAudits", "auditLogs/directoryAudits"),
    ],
)
def test_the_context_of_an_answer(tenant: RunningTenant, path: str, context: str) -> None:
    values = {
        "user": PEOPLE[5].id,
        "group": ALL_STAFF,
        "principal": PRINCIPAL,
        "federation": company.make_id("federation", "reiji.example"),
    }
    reply = tenant.client().get(path.format(**values))
    assert reply.status == 200, reply.data
    assert reply.data["@odata.context"] == f"{tenant.graph_url}/$metadata#{context.format(**values)}"


def test_headers_of_a_success(tenant: RunningTenant) -> None:
    client = tenant.client()
    reply = client.get("/domains")
    assert reply.headers["content-type"] == "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
    assert reply.headers["odata-version"] == "4.0"
    assert reply.headers["client-request-id"] == reply.headers["request-id"]
    assert json.loads(reply.headers["x-ms-ags-diagnostic"])["ServerInfo"]["DataCenter"]
    assert client.get("/domains", **{"client-request-id": "mine"}).headers["client-request-id"] == "mine"


def test_headers_of_an_error(tenant: RunningTenant) -> None:
    reply = tenant.client().get("/users/nobody@reiji.example")
    assert (reply.status, reply.headers["content-type"], reply.headers.get("odata-version")) == (404, "application/json", None)
    assert reply.headers["request-id"] == reply.data["error"]["innerError"]["request-id"]


def test_no_annotations_when_none_are_wanted(tenant: RunningTenant) -> None:
    reply = tenant.client().get("/users?$top=1", Accept="application/json;odata.metadata=none")
    assert "odata.metadata=none" in reply.headers["content-type"]
    assert set(reply.data) == {"value", "@odata.nextLink"}


def test_a_token_that_is_missing_is_asked_for(tenant: RunningTenant) -> None:
    reply = tenant.client().rest.call("GET", "/v1.0/users")
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith('Bearer realm="", authorization_uri="')


def test_what_was_made_can_be_found_by_its_location(tenant: RunningTenant) -> None:
    client = tenant.client()
    body = {"accountEnabled": True, "displayName": "新人", "mailNickname": "new", "userPrincipalName": "new@reiji-shop.example"}
    made = client.call("POST", "/users", body | {"passwordProfile": {"password": PASSWORD}})
    assert made.status == 201
    assert client.get(made.headers["location"].removeprefix(tenant.graph_url)).data["id"] == made.data["id"]


def test_answers_inside_a_batch_have_the_same_form(tenant: RunningTenant) -> None:
    count = {"id": "1", "method": "GET", "url": f"/groups/{ALL_STAFF}/members/$count", "headers": EVENTUAL}
    requests = [count, {"id": "2", "method": "GET", "url": "/domains"}]
    answers = {item["id"]: item for item in tenant.client().call("POST", "/$batch", {"requests": requests}).data["responses"]}
    assert answers["2"]["headers"]["OData-Version"] == "4.0"
    assert answers["2"]["body"]["@odata.context"].endswith("#domains")
    assert answers["1"]["body"] == "MjUw"  # what is no JSON comes in base64


# -- addresses


def test_a_token_of_an_application_has_no_me(tenant: RunningTenant) -> None:
    client = tenant.client()
    for path in ("/me", "/Me/memberOf", "/me?$select=id"):
        reply = client.get(path)
        assert (reply.status, reply.data["error"]["message"]) == (400, "/me request is only valid with delegated authentication flow.")


@pytest.mark.parametrize("path", ["/Users/{name}", "/USERS/{id}", "/users/{ID}", "/users('{name}')", "/users('{id}')", "/users/{id}/MemberOf"])
def test_paths_without_case_and_keys_in_parentheses(tenant: RunningTenant, path: str) -> None:
    person = PEOPLE[5]
    assert tenant.client().get(path.format(name=person.upn, id=person.id, ID=person.id.upper())).status == 200


def test_a_name_that_begins_with_a_dollar_sign(tenant: RunningTenant) -> None:
    tenant.arrange("users", PEOPLE[5].id, userPrincipalName="$o'hara@reiji.example")
    client = tenant.client()
    for path in ("/users/$o'hara@reiji.example", "/users/%24o'hara%40reiji.example?$select=id"):
        assert client.get(path).status == 400
    assert client.get("/users('$o''hara@reiji.example')").data["id"] == PEOPLE[5].id
    assert client.get(f"/users('{quote('$o')}%27%27hara%40reiji.example')").data["id"] == PEOPLE[5].id


def test_beta_is_served_and_shows_everything(tenant: RunningTenant) -> None:
    client = tenant.client()
    reply = client.rest.call("GET", f"/beta/users/{PEOPLE[5].upn}", headers=client._headers)
    assert (reply.status, reply.data["accountEnabled"]) == (200, True)
    assert reply.data["@odata.context"] == f"{tenant.url}/beta/$metadata#users/$entity"
    page = client.rest.call("GET", "/beta/users?$top=1", headers=client._headers)
    assert page.data["@odata.nextLink"].startswith(f"{tenant.url}/beta/users?")
    assert tenant.requests()[-1]["path"] == "/beta/users?$top=1"
    assert client.get("/users?$top=1").data["value"][0].get("accountEnabled") is None


# -- queries


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ('"displayName:太郎"', {person.name for person in PEOPLE.values() if person.given == "太郎"} | {"協力 太郎"}),
        ('"userPrincipalName:SATO.TARO"', {"佐藤 太郎"}),
        ('"displayName:佐藤" AND "userPrincipalName:sato.taro"', {"佐藤 太郎"}),
        ('"userPrincipalName:sato.taro" OR "userPrincipalName:breakglass1"', {"佐藤 太郎", "非常用管理者1"}),
        ('("userPrincipalName:sato.taro" OR "mail:nobody")', {"佐藤 太郎"}),
        ('"displayName:nobody"', set()),
    ],
)
def test_search(tenant: RunningTenant, search: str, names: set[str]) -> None:
    reply = tenant.client().get(f"/users?$search={quote(search)}&$select=displayName&$top=999", **EVENTUAL)
    assert reply.status == 200, reply.data
    assert {item["displayName"] for item in reply.data["value"]} == names


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ('$search="displayName:a"', {}),  # without ConsistencyLevel
        ('$search="jobTitle:a"', EVENTUAL),
        ("$search=displayName:a", EVENTUAL),
        ('$search="displayName:a" OR', EVENTUAL),
    ],
)
def test_search_that_graph_refuses(tenant: RunningTenant, query: str, headers: dict[str, str]) -> None:
    assert tenant.client().get(f"/users?{quote(query, safe='$=')}", **headers).status == 400


@pytest.mark.parametrize("place", ["members", "transitiveMembers"])
def test_members_by_select_cast_and_count(tenant: RunningTenant, place: str) -> None:
    client, base = tenant.client(), f"/groups/{ALL_STAFF}/{place}"
    some = client.get(f"{base}?$select=displayName,accountEnabled&$top=1").data["value"][0]
    assert some == {"@odata.type": "#microsoft.graph.user", "displayName": PEOPLE[1].name, "accountEnabled": True}
    users = client.get(f"{base}/microsoft.graph.user?$filter=userPrincipalName eq '{PEOPLE[5].upn}'&$count=true".replace(" ", "%20"), **EVENTUAL).data
    assert [item["userPrincipalName"] for item in users["value"]] == [PEOPLE[5].upn]
    assert "@odata.type" not in users["value"][0]
    assert client.get(f"{base}/microsoft.graph.group").data["value"] == []
    assert client.get(f"{base}/microsoft.graph.nothing").status == 400
    assert client.get(f"{base}/$count").status == 400
    for path in (f"{base}/$count", f"{base}/microsoft.graph.user/$count"):
        reply = client.rest._connection, client._headers | EVENTUAL
        reply[0].request("GET", f"/v1.0{path}", headers=reply[1])
        answer = reply[0].getresponse()
        assert (answer.status, answer.headers["Content-Type"], answer.read()) == (200, "text/plain", b"250")


@pytest.mark.parametrize("call", ["delta", "delta()", "microsoft.graph.delta()"])
def test_delta_tells_what_changed(tenant: RunningTenant, call: str) -> None:
    client = tenant.client()

    def follow(path: str) -> tuple[list[dict[str, Any]], str]:
        rows: list[dict[str, Any]] = []
        while True:
            reply = client.get(path)
            assert reply.status == 200, reply.data
            rows += reply.data["value"]
            if "@odata.deltaLink" in reply.data:
                return rows, reply.data["@odata.deltaLink"].removeprefix(tenant.graph_url)
            path = reply.data["@odata.nextLink"].removeprefix(tenant.graph_url)

    rows, link = follow(f"/users/{call}?$select=displayName")
    assert len(rows) == len({row["id"] for row in rows}) == 256
    assert set(rows[0]) == {"id", "displayName"}
    assert follow(link)[0] == []
    assert client.call("PATCH", f"/users/{PEOPLE[5].upn}", {"displayName": "別名"}).status == 204
    assert client.call("DELETE", f"/users/{PEOPLE[6].upn}").status == 204
    rows, link = follow(link)
    assert sorted(rows, key=str) == sorted([{"id": PEOPLE[5].id, "displayName": "別名"}, {"id": PEOPLE[6].id, "@removed": {"reason": "changed"}}], key=str)
    assert follow("/users/delta?$deltatoken=latest")[0] == []
    tenant.reset()
    assert tenant.client().get(link).status == 410


# -- what is refused


def test_an_assignment_that_is_gone_is_400(tenant: RunningTenant) -> None:
    client = tenant.client()
    reply = client.call("DELETE", f"/servicePrincipals/{PRINCIPAL}/appRoleAssignments/gone")
    assert (reply.status, reply.data["error"]["message"]) == (400, "EntitlementGrant being updated or deleted is not found.")
    assert client.call("DELETE", f"/users/{PEOPLE[5].id}/appRoleAssignments/gone").status == 400


@pytest.mark.parametrize("place", ["_members", "_owners"])
@pytest.mark.parametrize("change", [{"accountEnabled": False}, {"passwordProfile": {"password": PASSWORD}}, {"otherMails": []}, None])
def test_a_role_assignable_group_protects_its_people(tenant: RunningTenant, place: str, change: dict[str, Any] | None) -> None:
    group(tenant, isAssignableToRole=True, **{place: [PEOPLE[5].id]})
    client = tenant.client()
    assert client.call("PATCH", "/domains/reiji.example", {"authenticationType": "Managed"}).status == 204

    def answer(number: int) -> int:
        path = f"/users/{PEOPLE[number].id}"
        return client.call("DELETE", path).status if change is None else client.call("PATCH", path, change).status

    assert answer(5) == 403
    assert answer(6) == 204
    assert client.call("PATCH", f"/users/{PEOPLE[5].id}", {"jobTitle": "顧問"}).status == 204
    role = company.ROLE_TEMPLATES["Privileged Authentication Administrator"]
    tenant.arrange("role_assignments", "higher", id="higher", roleDefinitionId=role, principalId=PRINCIPAL, directoryScopeId="/")
    assert answer(5) == 204


def test_membership_of_a_role_assignable_group_is_guarded_both_ways(tenant: RunningTenant) -> None:
    key = group(tenant, isAssignableToRole=True, _members=[PEOPLE[5].id])
    client = tenant.client()
    assert client.call("DELETE", f"/groups/{key}/members/{PEOPLE[5].id}/$ref").status == 403
    assert client.call("POST", f"/groups/{key}/members/$ref", {"@odata.id": f"{tenant.graph_url}/directoryObjects/{PEOPLE[6].id}"}).status == 403


@pytest.mark.parametrize("value", [None, "SAML", ""])
def test_a_federation_has_a_protocol(tenant: RunningTenant, value: str | None) -> None:
    client, path = tenant.client(), "/domains/reiji.example/federationConfiguration"
    key = client.get(path).data["value"][0]["id"]
    reply = client.call("PATCH", f"{path}/{key}", {"preferredAuthenticationProtocol": value})
    tenant.violations().clear()  # what is no member of the enumeration is against the description too
    assert (reply.status, reply.data["error"]["message"]) == (
        400,
        "Invalid value specified for property 'preferredAuthenticationProtocol' of resource 'InternalDomainFederation'.",
    )
    assert client.call("PATCH", f"{path}/{key}", {"promptLoginBehavior": None}).status == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [
        *((f"a{character}b@partner.example", 400) for character in '~!#$%^&*()+=[]{}\\/|;:"<>?,'),
        (".ab@partner.example", 400),
        ("ab.@partner.example", 400),
        ("-ab@partner.example", 400),
        ("ab-@partner.example", 400),
        ("_a.b-c_@partner.example", 201),
        ("o'brien@partner.example", 201),
    ],
)
def test_characters_of_an_invitation(tenant: RunningTenant, address: str, status: int) -> None:
    reply = tenant.client().call("POST", "/invitations", {"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://myapps.microsoft.com"})
    assert reply.status == status, reply.data


def test_seats_in_grace_can_be_assigned(tenant: RunningTenant) -> None:
    sku = next(key for key, item in tenant.store.tables["skus"].objects.items() if item["skuPartNumber"] == "SPE_E3")
    used = tenant.store.consumed[company.sku_id("SPE_E3")]
    tenant.arrange("skus", sku, prepaidUnits={"enabled": 0, "suspended": 0, "warning": used + 1, "lockedOut": 0}, capabilityStatus="Warning")
    body = {"addLicenses": [{"skuId": company.sku_id("SPE_E3"), "disabledPlans": []}], "removeLicenses": []}
    client = tenant.client()
    assert client.call("POST", f"/users/{PEOPLE[11].id}/assignLicense", body).status == 200
    refused = client.call("POST", f"/users/{PEOPLE[12].id}/assignLicense", body)
    assert (refused.status, "does not have any available licenses" in refused.data["error"]["message"]) == (400, True)


def test_the_answer_to_assign_license_is_the_whole_user(tenant: RunningTenant) -> None:
    body = {"addLicenses": [{"disabledPlans": [], "skuId": company.sku_id("EXCHANGESTANDARD")}], "removeLicenses": []}
    answer = tenant.client().call("POST", f"/users/{PEOPLE[11].id}/assignLicense", body).data
    assert answer["@odata.context"].endswith("#users/$entity")
    assert (answer["accountEnabled"], [item["skuId"] for item in answer["assignedLicenses"]]) == (False, [company.sku_id("EXCHANGESTANDARD")])


@pytest.mark.parametrize("contract", [True, False])
@pytest.mark.parametrize("path", ["/users/{id}", "/applications/{app}", "/domains/reiji.example"])
def test_a_property_that_the_type_does_not_have(tenant: RunningTenant, path: str, contract: bool) -> None:
    tenant.settings.contract = contract
    reply = tenant.client().call("PATCH", path.format(id=PEOPLE[5].id, app=company.make_id("application", "iij")), {"noSuchThing": 1})
    tenant.violations().clear()
    assert (reply.status, reply.data["error"]["message"]) == (400, "Property 'noSuchThing' does not exist as a declared property or extension property.")


# -- objects that were missing


def test_web_of_an_application_keeps_what_is_not_named(tenant: RunningTenant) -> None:
    client, path = tenant.client(), f"/applications/{company.make_id('application', 'iij')}"
    assert client.call("PATCH", path, {"web": {"redirectUris": ["https://app.reiji.example/"]}}).status == 204
    web = client.get(f"{path}?$select=web").data["web"]
    assert web["redirectUris"] == ["https://app.reiji.example/"]
    assert web["implicitGrantSettings"] == {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False}


def test_an_application_and_its_service_principal_are_made(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert client.call("POST", "/applications", {}).status == 400
    made = client.call("POST", "/applications", {"displayName": "新しいアプリ", "web": {"homePageUrl": "https://app.reiji.example"}})
    assert (made.status, made.data["web"]["homePageUrl"]) == (201, "https://app.reiji.example")
    app_id = made.data["appId"]
    assert client.call("POST", "/servicePrincipals", {"appId": str(uuid.uuid4())}).status == 400
    assert client.call("POST", "/servicePrincipals", {"appId": app_id}).status == 201
    assert client.call("POST", "/servicePrincipals", {"appId": app_id}).status == 409
    assert client.get(f"/servicePrincipals(appId='{app_id}')").data["displayName"] == "新しいアプリ"
    assert client.call("DELETE", f"/applications/{made.data['id']}").status == 204
    assert client.get(f"/directory/deletedItems/{made.data['id']}").status == 200


def test_a_group_is_made_with_owners_and_members(tenant: RunningTenant) -> None:
    client = permit(tenant, "Group.ReadWrite.All")

    def reference(number: int) -> str:
        return f"{tenant.graph_url}/users/{PEOPLE[number].id}"

    body = {"displayName": "移行", "mailEnabled": False, "mailNickname": "move", "securityEnabled": True}
    for wrong in ({"mailNickname": None}, {"mailNickname": "a b"}, {"mailEnabled": True}, {"createdDateTime": "2022-04-01T00:00:00Z"}):
        assert client.call("POST", "/groups", {name: value for name, value in (body | wrong).items() if value is not None}).status == 400
    assert client.call("POST", "/groups", body | {"isAssignableToRole": True}).status == 403
    too_many = {"owners@odata.bind": [reference(5)], "members@odata.bind": [reference(number) for number in range(21, 41)]}
    assert "link changes" in client.call("POST", "/groups", body | too_many).data["error"]["message"]
    made = client.call("POST", "/groups", body | {"owners@odata.bind": [reference(5)], "members@odata.bind": [reference(6)]})
    assert made.status == 201, made.data
    path = f"/groups/{made.data['id']}"
    assert [item["id"] for item in client.get(f"{path}/members").data["value"]] == [PEOPLE[6].id]
    assert client.call("POST", f"{path}/owners/$ref", {"@odata.id": reference(7)}).status == 204
    assert client.call("POST", f"{path}/owners/$ref", {"@odata.id": reference(7)}).status == 400
    assert [item["id"] for item in client.get(f"{path}/owners?$select=id").data["value"]] == [PEOPLE[5].id, PEOPLE[7].id]
    assert client.call("DELETE", f"{path}/owners/{PEOPLE[5].id}/$ref").status == 204
    last = client.call("DELETE", f"{path}/owners/{PEOPLE[7].id}/$ref")
    assert (last.status, "at least one owner" in last.data["error"]["message"]) == (400, True)


def test_objects_whose_type_is_not_known(tenant: RunningTenant) -> None:
    client = tenant.client()
    found = client.get(f"/directoryObjects/{PEOPLE[5].id}").data
    assert (found["@odata.type"], found["displayName"]) == ("#microsoft.graph.user", PEOPLE[5].name)
    assert found["@odata.context"].endswith("#directoryObjects/$entity")
    ids = [PEOPLE[5].id, ALL_STAFF, str(uuid.uuid4())]
    many = client.call("POST", "/directoryObjects/getByIds", {"ids": ids, "types": ["user", "group"]}).data["value"]
    assert [(item["@odata.type"], item["id"]) for item in many] == [("#microsoft.graph.user", ids[0]), ("#microsoft.graph.group", ids[1])]
    assert client.call("POST", "/directoryObjects/getByIds", {"ids": []}).status == 400
    assert client.call("DELETE", f"/directoryObjects/{ALL_STAFF}").status == 403  # as DELETE /groups/{id}: no permission for groups
    assert client.call("DELETE", f"/directoryObjects/{PEOPLE[5].id}").status == 204
    assert client.get(f"/directoryObjects/{PEOPLE[5].id}").status == 404


def test_sign_ins(tenant: RunningTenant) -> None:
    tenant.arrange("users", PEOPLE[5].id, signInActivity={"lastSignInDateTime": "2026-01-02T03:04:05Z"})
    client = tenant.client()
    assert [item["userId"] for item in client.get("/auditLogs/signIns").data["value"]] == [PEOPLE[5].id]
    condition = quote(f"userId eq '{PEOPLE[6].id}'")
    assert client.get(f"/auditLogs/signIns?$filter={condition}").data["value"] == []
    assert tenant.client("readonly").get("/auditLogs/signIns").status == 403


def test_the_authentication_methods_policy(tenant: RunningTenant) -> None:
    client = permit(tenant, "Policy.ReadWrite.AuthenticationMethod", "UserAuthenticationMethod.Read.All")
    policy = client.get("/policies/authenticationMethodsPolicy").data
    assert {"TemporaryAccessPass", "Fido2", "Sms"} <= {item["id"] for item in policy["authenticationMethodConfigurations"]}
    path = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
    body = {"@odata.type": "#microsoft.graph.fido2AuthenticationMethodConfiguration", "state": "enabled"}
    assert client.get(f"{path}/fido2").data["state"] == "disabled"
    assert client.call("PATCH", f"{path}/fido2", body).status == 204
    assert client.get(f"{path}/Fido2").data["state"] == "enabled"
    assert client.get(f"{path}/nothing").status == 404
    methods = client.get(f"/users/{PEOPLE[5].id}/authentication/methods").data["value"]
    assert [item["@odata.type"] for item in methods] == ["#microsoft.graph.passwordAuthenticationMethod"]


def test_identity_providers_and_other_tenants(tenant: RunningTenant) -> None:
    client = permit(tenant, "CrossTenantInformation.ReadBasic.All", "DelegatedAdminRelationship.Read.All")
    providers = client.get("/identity/identityProviders").data["value"]
    assert "MicrosoftAccount" in [item["identityProviderType"] for item in providers]
    tenant.outside.change({"tenants": {"partner.example": "verified"}})
    path = "/tenantRelationships/findTenantInformationBy"
    own = client.get(f"{path}DomainName(domainName='reiji.example')").data
    other = client.get(f"{path}DomainName(domainName='partner.example')").data
    assert own["tenantId"] == tenant.tenant_id != other["tenantId"]
    assert client.get(f"{path}TenantId(tenantId='{other['tenantId']}')").data == other
    assert client.get(f"{path}DomainName(domainName='nobody.example')").status == 404
    assert client.get("/tenantRelationships/delegatedAdminRelationships").data["value"] == []


# -- query options of single objects


@pytest.mark.parametrize(
    "path",
    [
        "/users/{user}?$top=3",
        "/users/{user}?$filter=accountEnabled eq true",
        "/users/{user}?$count=true",
        "/users/{user}?$foo=3",
        "/users/{user}?$expand=photo",
        "/users/{user}?$expand=manager($select=id)",
        "/users/{user}?$expand=manager,memberOf",
        "/domains/reiji.example?$expand=federationConfiguration",
        "/domains/reiji.example/federationConfiguration/{federation}?$orderby=id",
    ],
)
def test_a_single_object_takes_no_options_of_collections(tenant: RunningTenant, path: str) -> None:
    """Source: learn.microsoft.com/graph/api/user-get, domain-get; learn.microsoft.com/graph/known-issues for what $expand may hold."""
    path = path.format(user=PEOPLE[5].id, federation=company.make_id("federation", "reiji.example"))
    reply = tenant.client().get(quote(path, safe="/?$&=,()'"))
    assert (reply.status, reply.data["error"]["code"]) == (400, "BadRequest")


def test_a_relationship_comes_with_its_object(tenant: RunningTenant) -> None:
    """Source: learn.microsoft.com/graph/query-parameters, "expand parameter"."""
    client, (low, high) = tenant.client(), (PEOPLE[5].id, PEOPLE[6].id)
    assert "manager" not in client.get(f"/users/{low}?$expand=manager").data
    tenant.arrange("users", low, _manager=high)
    alone = client.get(f"/users/{low}?$select=id&$expand=manager")
    assert alone.data["manager"]["id"] == high
    assert alone.data["@odata.context"].endswith("#users(id,manager())/$entity")
    assert set(alone.data) == {"@odata.context", "id", "manager"}
    assert [item["id"] for item in client.get(f"/users/{high}?$expand=directReports").data["directReports"]] == [low]
    assert ALL_STAFF in {item["id"] for item in client.get(f"/users/{low}?$expand=memberOf").data["memberOf"]}
    assert len(client.get(f"/groups/{ALL_STAFF}?$expand=members").data["members"]) == 20
    key = group(tenant, _owners=[low])
    assert [item["id"] for item in client.get(f"/groups/{key}?$expand=owners").data["owners"]] == [low]


# -- what has no case


def test_a_media_type_has_no_case(tenant: RunningTenant) -> None:
    reply = tenant.client().call("PATCH", f"/users/{PEOPLE[5].id}", {"jobTitle": "x"}, {"Content-Type": "application/JSON; charset=utf-8"})
    assert reply.status == 204, reply.data


@pytest.mark.parametrize("name", ["microsoft.graph.User", "Microsoft.Graph.user", "graph.USER"])
def test_a_cast_has_no_case(tenant: RunningTenant, name: str) -> None:
    """As the other segments of a path, which public clients write in both ways."""
    client = tenant.client()
    assert client.get(f"/groups/{ALL_STAFF}/members/{name}?$top=1").data["@odata.context"].endswith("#users")
    assert client.call("DELETE", f"/users/{PEOPLE[5].id}").status == 204
    assert PEOPLE[5].id in {item["id"] for item in client.get(f"/directory/deletedItems/{name}").data["value"]}
    assert client.get("/directory/deletedItems/Microsoft.Graph.Usr").status == 400


# -- what the pages of single resources show


def test_without_ref_a_member_is_deleted(tenant: RunningTenant) -> None:
    person = PEOPLE[7]
    place = f"/groups/{ALL_STAFF}/members/{person.id}"
    assert permit(tenant, "User.ReadWrite.All").call("DELETE", place).status == 204
    assert tenant.client().get(f"/users/{person.id}").status == 404
    assert tenant.client().get(f"/directory/deletedItems/{person.id}").status == 200
    assert tenant.client().call("DELETE", place).status == 404


def test_deleted_objects_by_the_time(tenant: RunningTenant) -> None:
    client = permit(tenant, "User.ReadWrite.All")
    for number in (8, 9):
        assert client.call("DELETE", f"/users/{PEOPLE[number].id}").status == 204
    path = "/directory/deletedItems/microsoft.graph.user?$count=true&$orderby=deletedDateTime%20desc&$select=id,deletedDateTime"
    assert client.get(path).status == 400  # an advanced query
    answer = client.call("GET", path, headers=EVENTUAL)
    times = [item["deletedDateTime"] for item in answer.data["value"]]
    assert (answer.status, answer.data["@odata.count"]) == (200, len(times)) and times == sorted(times, reverse=True)
    assert client.call("GET", "/users?$count=true&$orderby=deletedDateTime", headers=EVENTUAL).status == 400


@pytest.mark.parametrize(
    ("path", "name", "shown"),
    [
        ("/roleManagement/directory/roleAssignments?$filter=roleDefinitionId%20eq%20'62e90394-69f5-4237-9190-012177145e10'&$expand=principal",
         "principal", "displayName"),
        ("/roleManagement/directory/roleAssignments?$expand=roleDefinition", "roleDefinition", "displayName"),
        ("/groups?$select=id,displayName&$expand=owners", "owners", None),
    ],
)  # fmt: skip
def test_a_relationship_comes_with_each_of_a_list(tenant: RunningTenant, path: str, name: str, shown: str | None) -> None:
    answer = permit(tenant, "RoleManagement.Read.Directory", "Group.Read.All").get(path)
    assert answer.status == 200 and answer.data["value"], answer.data
    assert f"{name}()" in answer.data["@odata.context"]
    assert all(name in item and (shown is None or item[name][shown]) for item in answer.data["value"])


def test_managers_come_with_users(tenant: RunningTenant) -> None:
    client = permit(tenant, "User.ReadWrite.All")
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{PEOPLE[6].id}"}
    assert client.call("PUT", f"/users/{PEOPLE[5].id}/manager/$ref", reference).status == 204
    found = {item["id"]: item for item in client.get("/users?$expand=manager&$top=999").data["value"]}
    assert found[PEOPLE[5].id]["manager"]["id"] == PEOPLE[6].id
    assert "manager" not in found[PEOPLE[6].id]
    assert client.get("/users?$expand=nonsense").status == 400


def test_what_else_is_shown_of_one(tenant: RunningTenant) -> None:
    iij = company.make_id("servicePrincipal", "iij")
    assert permit(tenant, "Application.Read.All").get(f"/servicePrincipals/{iij}/memberOf").data["value"] == []
    client, place = permit(tenant, "UserAuthenticationMethod.Read.All"), f"/users/{PEOPLE[5].id}/authentication"
    (password,) = client.get(f"{place}/passwordMethods").data["value"]
    assert password["password"] is None and password["id"] in [item["id"] for item in client.get(f"{place}/methods").data["value"]]


def test_a_grant_is_there_once(tenant: RunningTenant) -> None:
    client = permit(tenant, "DelegatedPermissionGrant.ReadWrite.All")
    principal = company.make_id("servicePrincipal", "iij")
    grant = next(item for item in tenant.store.tables["oauth2_permission_grants"].objects.values() if item["clientId"] == principal)
    again = {name: grant[name] for name in ("clientId", "resourceId", "consentType")} | {"scope": "User.Read"}
    refused = client.call("POST", "/oauth2PermissionGrants", again)
    assert (refused.status, refused.data["error"]["code"]) == (409, "Request_MultipleObjectsWithSameKeyValue")
    for wrong in ({"consentType": "Principal"}, {"principalId": PEOPLE[5].id}, {"consentType": "Everybody"}, {"consentType": None}):
        assert client.call("POST", "/oauth2PermissionGrants", again | wrong).status == 400
    assert client.call("POST", "/oauth2PermissionGrants", again | {"consentType": "Principal", "principalId": PEOPLE[5].id}).status == 201
    assert client.call("PATCH", f"/oauth2PermissionGrants/{grant['id']}", {"scope": "User.Read"}).status == 204
    assert client.get(f"/oauth2PermissionGrants/{grant['id']}").data["scope"] == "User.Read"
    assert client.call("PATCH", f"/oauth2PermissionGrants/{grant['id']}", {"principalId": PEOPLE[5].id}).status == 400


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword"}, 204),
        ({"passwordPolicies": "None"}, 204),
        ({"passwordPolicies": None}, 204),
        ({"passwordPolicies": "NeverExpires"}, 400),
        ({"userType": "Guest"}, 204),
        ({"userType": "External"}, 400),
        ({"businessPhones": ["1"]}, 204),
        ({"businessPhones": []}, 204),
        ({"businessPhones": ["1", "2"]}, 400),
    ],
)
def test_values_that_a_property_of_a_user_has(tenant: RunningTenant, values: dict[str, Any], status: int) -> None:
    assert tenant.client().call("PATCH", f"/users/{PEOPLE[5].id}", values).status == status


@pytest.mark.parametrize(("kind", "status"), [(None, 201), ("Guest", 201), ("Member", 201), ("Partner", 400)])
def test_what_somebody_can_be_invited_as(tenant: RunningTenant, kind: str | None, status: int) -> None:
    values = {"invitedUserEmailAddress": "adele@contoso.example", "inviteRedirectUrl": "https://myapps.microsoft.com", "invitedUserType": kind}
    assert permit(tenant, "User.Invite.All").call("POST", "/invitations", {name: value for name, value in values.items() if value}).status == status


@pytest.mark.parametrize(("form", "status"), [("json", 200), ("application/json;odata.metadata=minimal", 200), ("xml", 400)])
@pytest.mark.parametrize("path", ["/users", f"/users/{PEOPLE[5].id}"])
def test_the_form_of_an_answer_by_its_option(tenant: RunningTenant, path: str, form: str, status: int) -> None:
    assert tenant.client().get(f"{path}?$format={quote(form)}").status == status


def test_users_by_their_last_sign_in(tenant: RunningTenant) -> None:
    tenant.arrange("users", PEOPLE[5].id, signInActivity={"lastSignInDateTime": "2020-01-01T00:00:00Z"})
    path = f"/users?$filter={quote('signInActivity/lastSignInDateTime le 2020-06-01T00:00:00Z')}"
    client = permit(tenant, "AuditLog.Read.All")
    assert [item["id"] for item in client.get(path).data["value"]] == [PEOPLE[5].id]
    assert client.get(path + quote(" and accountEnabled eq true")).data["error"]["code"] == "Request_UnsupportedQuery"


@pytest.mark.parametrize("name", ["signingCertificate", "nextSigningCertificate"])
def test_a_certificate_of_a_domain_is_one(tenant: RunningTenant, name: str) -> None:
    client, path = tenant.client(), "/domains/reiji.example/federationConfiguration"
    (federation,) = client.get(path).data["value"]
    for value, status in ((federation["signingCertificate"], 200), ("MIIB", 400), (f"-----BEGIN CERTIFICATE-----{federation['signingCertificate']}", 400)):
        assert client.call("PATCH", f"{path}/{federation['id']}", {name: value}).status == status


# -- groups: what is shown, and what can be filtered by


def test_a_groups_licences_are_shown_only_where_they_are_asked_for(tenant: RunningTenant) -> None:
    client = tenant.client()
    for path in ("/groups?$top=1", f"/groups/{ALL_STAFF}"):
        shown = client.get(path).data
        assert "assignedLicenses" not in (shown["value"][0] if "value" in shown else shown)
    assert "assignedLicenses" in client.get(f"/groups/{ALL_STAFF}?$select=assignedLicenses").data


def test_groups_whose_members_have_license_errors(tenant: RunningTenant) -> None:
    """microsoft-graph-docs-contrib#9437: with the header of the advanced query parameters it is refused."""
    state = company.licence_state(company.sku_id("SPE_E3"), ALL_STAFF, "2026-01-01T00:00:00Z") | {"state": "Error", "error": "CountViolation"}
    member = tenant.store.tables["groups"].objects[ALL_STAFF]["_members"][0]
    tenant.arrange("users", member, licenseAssignmentStates=[state])
    client, path = tenant.client(), "/groups?$count=true&$filter=hasMembersWithLicenseErrors%20eq%20true"
    answer = client.get(f"{path}&$select=id,displayName").data
    assert [item["id"] for item in answer["value"]] == [ALL_STAFF]
    assert all("hasMembersWithLicenseErrors" not in item for item in client.get(path).data["value"])
    assert "hasMembersWithLicenseErrors" not in client.get("/groups?$top=1&$select=id,hasMembersWithLicenseErrors").data["value"][0]
    without = client.get("/groups?$filter=hasMembersWithLicenseErrors%20eq%20false").data["value"]
    assert without and ALL_STAFF not in [item["id"] for item in without]
    refused = client.call("GET", path, headers=EVENTUAL)
    assert (refused.status, refused.data["error"]["code"]) == (400, "Request_UnsupportedQuery")
    assert client.call("GET", "/groups?$filter=hasMembersWithLicenseErrors%20ne%20true").status == 400


@pytest.mark.parametrize("test", ["mailEnabled in (true)", "isAssignableToRole in (true)", "description in ('a')"])
def test_groups_are_not_filtered_by_what_the_page_does_not_have(tenant: RunningTenant, test: str) -> None:
    assert tenant.client().call("GET", f"/groups?$filter={quote(test)}").status == 400


# -- values of users


@pytest.mark.parametrize(
    "values",
    [
        *({"usageLocation": text} for text in ("JPN", "ZZ", "XX", "QZ", "JA", "UK", "jp", "", None)),
        *({"mail": text} for text in ("no", "a@b", "a b@c.example", "t\u00e1ro@c.example", "a@c.example.")),
        {"otherMails": ["no"]},
        {"otherMails": [f"a{number}@c.example" for number in range(251)]},
        {"otherMails": ["a" * 241 + "@c.example"]},
    ],
)
def test_values_that_a_user_cannot_have(tenant: RunningTenant, values: dict[str, Any]) -> None:
    client = tenant.client()
    assert client.call("PATCH", f"/users/{PEOPLE[5].id}", values).status == 400
    new = {"accountEnabled": True, "displayName": "A", "mailNickname": "anew", "userPrincipalName": "anew@reiji.onmicrosoft.com"}
    assert client.call("POST", "/users", {**new, "passwordProfile": {"password": PASSWORD}, **values}).status == 400
    assert client.call("PATCH", f"/users/{PEOPLE[5].id}", {"usageLocation": "XK", "mail": "a.b@c.example"}).status == 204


# -- domains


@pytest.mark.parametrize("name", ["a_b.example", "\u65e5\u672c.example", "-a.example", "a..example", f"{'a' * 64}.example", "a.example."])
def test_names_that_no_domain_can_have(tenant: RunningTenant, name: str) -> None:
    assert tenant.client().call("POST", "/domains", {"id": name}).status == 400
    assert tenant.client().call("POST", "/domains", {"id": "xn--wgv71a.example"}).status == 201


def test_there_is_always_a_default_domain(tenant: RunningTenant) -> None:
    client = tenant.client()
    default = next(item["id"] for item in client.get("/domains").data["value"] if item["isDefault"])
    assert client.call("PATCH", f"/domains/{default}", {"isDefault": False}).status == 400


def test_a_domain_with_subdomains_stays(tenant: RunningTenant) -> None:
    for method, path, body in (("DELETE", "", None), ("POST", "/forceDelete", {})):
        assert tenant.client().call(method, f"/domains/reiji.example{path}", body).status == 400


@pytest.mark.parametrize(("body", "enabled"), [({}, False), ({"disableUserAccounts": True}, False), ({"disableUserAccounts": False}, True)])
def test_a_domain_that_is_deleted_by_force(tenant: RunningTenant, body: dict[str, bool], enabled: bool) -> None:
    """It goes some time after the answer; who was in it is in the initial domain by then."""
    name, client = "sales.reiji.example", tenant.client()
    upns = [upn for upn in tenant.store.upns if upn.endswith(f"@{name}")]
    tenant.arrange("domains", name, supportedServices=["Email"])
    assert upns and client.call("POST", f"/domains/{name}/forceDelete", body).status == 400  # Exchange still has it
    tenant.arrange("domains", name, supportedServices=[])
    other = f"{upns[0].partition('@')[0]}@reiji.onmicrosoft.com"
    tenant.arrange("users", PEOPLE[5].id, userPrincipalName=other)
    key = tenant.store.upns[upns[0]]
    tenant.settings.deletion_delay = 0.3
    assert client.call("POST", f"/domains/{name}/forceDelete", body).status == 204
    assert client.call("GET", f"/domains/{name}").status == 200
    deadline = time.monotonic() + 10
    while client.call("GET", f"/domains/{name}").status != 404 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert client.call("GET", f"/domains/{name}").status == 404
    user = client.get(f"/users/{key}?$select=userPrincipalName,accountEnabled,mail,proxyAddresses").data
    assert user["userPrincipalName"] == other.replace("@", "2@") and user["accountEnabled"] == enabled
    assert name not in json.dumps(user)
    assert not [upn for upn in tenant.store.upns if upn.endswith(f"@{name}")]


def test_a_domain_whose_deletion_would_rename_too_much_stays(tenant: RunningTenant) -> None:
    name, client = "sales.reiji.example", tenant.client()
    tenant.arrange("domains", name, supportedServices=[])
    application = next(iter(tenant.store.tables["applications"].objects))
    tenant.arrange("applications", application, identifierUris=[f"https://{name}/app"])
    assert client.call("DELETE", f"/domains/{name}").status == 400
    tenant.arrange("applications", application, signInAudience="AzureADMultipleOrgs")
    assert client.call("POST", f"/domains/{name}/forceDelete", {}).status == 400


def test_a_page_of_users_with_their_sign_ins_has_500_at_most(tenant: RunningTenant) -> None:
    tenant.reset(users=600)
    client = tenant.client()
    assert len(client.get("/users?$select=id&$top=999").data["value"]) > 500
    assert len(client.get("/users?$select=id,signInActivity&$top=999").data["value"]) == 500
