# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages, $select, $filter and the advanced query rule."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from lab.testing import GraphClient, RunningTenant

DEFAULT = {
    "businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage",
    "surname", "userPrincipalName",
}  # fmt: skip
ADVANCED = {"ConsistencyLevel": "eventual"}


def _quoted(text: str) -> str:
    return f"/users?$select=id&$filter={quote(text)}"


def follow(client: GraphClient, path: str, headers: dict[str, str] | None = None) -> tuple[list[dict[str, Any]], int]:
    """All objects of a collection, and in how many pages they came."""
    rows: list[dict[str, Any]] = []
    pages = 0
    while path:
        reply = client.call("GET", path, headers=headers)
        assert reply.status == 200, reply.data
        rows += reply.data["value"]
        pages += 1
        path = reply.data.get("@odata.nextLink", "").partition("/v1.0")[2]
    return rows, pages


def test_the_default_properties_of_a_user(tenant: RunningTenant) -> None:
    assert set(tenant.client().get("/users?$top=1").data["value"][0]) == DEFAULT


def test_select_shows_what_was_asked_and_nothing_else(tenant: RunningTenant) -> None:
    reply = tenant.client().get("/users?$top=1&$select=accountEnabled,assignedPlans,employeeId")
    assert reply.data["value"] == [{"accountEnabled": True, "assignedPlans": [], "employeeId": None}]


def test_select_of_an_unknown_property(tenant: RunningTenant) -> None:
    reply = tenant.client().get("/users?$select=accountEnabeld")
    assert (reply.status, reply.data["error"]["message"]) == (400, "Could not find a property named 'accountEnabeld' on type 'microsoft.graph.user'.")


@pytest.mark.parametrize(("top", "pages"), [("", 3), ("$top=999", 1), ("$top=7", 37)])
def test_paging_shows_everybody_once(tenant: RunningTenant, top: str, pages: int) -> None:
    rows, seen = follow(tenant.client(), f"/users?$select=id{'&' + top if top else ''}")
    assert seen == pages
    assert len({row["id"] for row in rows}) == len(rows) == 256


@pytest.mark.parametrize("top", ["0", "1000", "many"])
def test_page_size_is_limited(tenant: RunningTenant, top: str) -> None:
    assert tenant.client().get(f"/users?$top={top}").status == 400


def test_a_page_holds_its_place_while_users_are_deleted(tenant: RunningTenant) -> None:
    client = tenant.client()
    first = client.get("/users?$select=id&$top=100").data
    for row in first["value"][10:20]:
        assert client.call("DELETE", f"/users/{row['id']}").status == 204
    rest, _ = follow(client, first["@odata.nextLink"].partition("/v1.0")[2])
    assert len(first["value"]) + len(rest) == 256


def test_next_link_is_opaque_and_a_broken_one_is_refused(tenant: RunningTenant) -> None:
    client = tenant.client()
    link = client.get("/users?$top=5&$select=id").data["@odata.nextLink"]
    assert link.startswith(tenant.graph_url)
    assert "$select=id" in link
    assert client.get("/users?$top=5&$skiptoken=broken").status == 400


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("accountEnabled eq false", 25),
        ("accountEnabled eq false and startsWith(displayName,'佐藤')", 1),
        ("userPrincipalName eq 'SATO.TARO@reiji.example'", 1),
        ("userType eq 'Guest'", 1),
        ("userType eq 'Guest' or displayName eq '受付'", 2),
        ("onPremisesSyncEnabled eq true", 40),
        ("displayName in ('受付','実験室1')", 2),
        ("assignedLicenses/any(x:x/skuId eq 4b9405b0-7788-4568-add1-99614e613b69)", 20),
        ("(usageLocation eq null) and userType eq 'Member'", 6),
    ],
)
def test_plain_filters(tenant: RunningTenant, text: str, count: int) -> None:
    rows, _ = follow(tenant.client(), _quoted(text))
    assert len(rows) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("endsWith(userPrincipalName,'@sales.reiji.example')", 10),
        ("accountEnabled ne true", 25),
        ("not startsWith(userPrincipalName,'sato')", 246),
        ("assignedLicenses/$count eq 0 and userType eq 'Member'", 36),
    ],
)
def test_advanced_filters_need_header_and_count_on_every_page(tenant: RunningTenant, text: str, count: int) -> None:
    client, path = tenant.client(), f"{_quoted(text)}&$count=true&$top=999"
    refused = client.get(path)
    assert (refused.status, refused.data["error"]["code"]) == (400, "Request_UnsupportedQuery")
    assert client.call("GET", _quoted(text), headers=ADVANCED).status == 400
    reply = client.call("GET", path, headers=ADVANCED)
    assert (reply.data["@odata.count"], len(reply.data["value"])) == (count, count)


def test_next_link_does_not_carry_headers_and_counts_once(tenant: RunningTenant) -> None:
    client = tenant.client()
    reply = client.call("GET", f"{_quoted('accountEnabled ne false')}&$count=true", headers=ADVANCED)
    link = reply.data["@odata.nextLink"].partition("/v1.0")[2]
    assert client.get(link).status == 400
    second = client.call("GET", link, headers=ADVANCED)
    assert (second.status, "@odata.count" in second.data) == (200, False)


def test_count_needs_the_header(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert client.get("/users/$count").data["error"]["message"] == "$count is not currently supported."
    assert client.call("GET", "/users/$count", headers=ADVANCED).data == 256


@pytest.mark.parametrize(
    "text", ["jobTitle endsWith 'x'", "endsWith(displayName,'x')", "aboutMe eq 'x'", "displayName eq", "displayName eq 'x", "eq", "(id eq 'x'"]
)
def test_filters_that_graph_refuses(tenant: RunningTenant, text: str) -> None:
    assert tenant.client().call("GET", f"{_quoted(text)}&$count=true", headers=ADVANCED).status == 400


def test_order_by_and_filter_together_are_advanced(tenant: RunningTenant) -> None:
    client = tenant.client()
    rows = client.get("/users?$orderby=userPrincipalName%20desc&$top=3").data["value"]
    names = [row["userPrincipalName"] for row in rows]
    assert names == sorted(names, reverse=True)
    assert client.get("/users?$orderby=displayName&$filter=accountEnabled%20eq%20true").status == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 400), ("/users/nobody@reiji.example", 404), ("/users/x/y/z", 400), ("/domains/unknown.example", 404), ("/users?$search=x", 400)],
)
def test_unknown_paths_and_objects(tenant: RunningTenant, path: str, status: int) -> None:
    assert tenant.client().get(path).status == status


def test_every_resource_answers_within_the_contract(tenant: RunningTenant) -> None:
    """The fixture `tenant` fails this test when an answer does not fit Microsoft's description."""
    client = tenant.client()
    principal = client.get("/servicePrincipals?$filter=appId%20eq%20'0b1f3e8a-57a1-4f0c-8a10-aa11d0000001'").data["value"][0]["id"]
    group = client.get("/groups").data["value"][0]["id"]
    for path in (
        "/subscribedSkus", "/groups", f"/groups/{group}/members", "/applications", f"/servicePrincipals/{principal}/appRoleAssignments",
        f"/servicePrincipals/{principal}/oauth2PermissionGrants", f"/servicePrincipals/{principal}/owners", "/oauth2PermissionGrants",
        "/directory/deletedItems/microsoft.graph.user", "/directory/deletedItems/graph.application", "/directoryRoles", "/organization",
        "/roleManagement/directory/roleAssignments", "/roleManagement/directory/roleDefinitions", "/auditLogs/directoryAudits",
        "/policies/homeRealmDiscoveryPolicies", "/domains/reiji.example/domainNameReferences", "/domains/reiji.example/rootDomain",
        "/directory/federationConfigurations/graph.samlOrWsFedExternalDomainFederation", "/users/sato.taro@reiji.example/memberOf",
        "/users/sato.taro@reiji.example/licenseDetails", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')",
    ):  # fmt: skip
        assert client.get(path).status == 200, path


# -- types, times and how many clauses


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("accountEnabled eq 'true'", "'Edm.Boolean' and 'Edm.String' for operator kind 'Equal'"),
        ("displayName eq true", "'Edm.String' and 'Edm.Boolean' for operator kind 'Equal'"),
        ("createdDateTime ge '2020-01-01T00:00:00Z'", "'Edm.DateTimeOffset' and 'Edm.String' for operator kind 'GreaterThanOrEqual'"),
        ("displayName in ('x',1)", "'Edm.String' and 'Edm.Int32' for operator kind 'Equal'"),
        ("assignedLicenses/any(x:x/skuId eq '4b9405b0-7788-4568-add1-99614e613b69')", "'Edm.Guid' and 'Edm.String' for operator kind 'Equal'"),
        ("otherMails/any(x:x eq false)", "'Edm.String' and 'Edm.Boolean' for operator kind 'Equal'"),
    ],
)
def test_a_filter_compares_like_with_like(tenant: RunningTenant, text: str, types: str) -> None:
    reply = tenant.client().get(_quoted(text))
    assert (reply.status, reply.data["error"]["code"]) == (400, "BadRequest")
    assert reply.data["error"]["message"].endswith(f"A binary operator with incompatible types was detected. Found operand types {types}.")


@pytest.mark.parametrize("text", ["createdDateTime ge 2020-13-45T00:00:00Z", "createdDateTime ge word", "startsWith(displayName,true)"])
def test_a_filter_with_no_such_value(tenant: RunningTenant, text: str) -> None:
    assert tenant.client().get(_quoted(text)).status == 400


def test_times_are_compared_as_times(tenant: RunningTenant) -> None:
    client = tenant.client()
    one, *others = client.get("/users?$select=id&$top=999").data["value"]
    for other in others:
        tenant.arrange("users", other["id"], createdDateTime="2000-01-01T00:00:00Z")
    tenant.arrange("users", one["id"], createdDateTime="2026-04-01T03:00:00Z")
    for text, found in [
        ("ge 2026-04-01T12:00:00+09:00", 1),
        ("ge 2026-04-01T12:00:01+09:00", 0),
        ("eq 2026-04-01T03:00:00.0000000Z", 1),
        ("ge 2026-04-01", 1),
        ("ge 2026-04-02", 0),
        ("in (2026-04-01T05:00:00+02:00)", 1),
    ]:
        assert len(client.get(_quoted(f"createdDateTime {text}")).data["value"]) == found, text


def test_a_filter_has_15_clauses_at_most(tenant: RunningTenant) -> None:
    """Source: learn.microsoft.com/graph/known-issues; the text is that of microsoft-graph-docs-contrib#1238, which also tells the way around."""
    client = tenant.client()
    names = [row["displayName"].replace("'", "''") for row in client.get("/users?$top=20&$select=displayName").data["value"]]
    listed = "displayName in ({})".format(",".join(f"'{name}'" for name in names))
    either = " or ".join(f"displayName eq '{name}'" for name in names)
    for text in (listed, either, f"userType eq 'Member' and ({either})"):
        reply = client.get(_quoted(text))
        assert reply.status == 400
        assert reply.data["error"]["message"] == "Too many child clauses specified in search filter expression containing 'OR' operators: 20. Max allowed: 15."
        assert client.call("GET", f"{_quoted(text)}&$count=true", headers=ADVANCED).status == 200
    assert client.get(_quoted(" or ".join(f"displayName eq '{name}'" for name in names[:15]))).status == 200
    assert client.get(_quoted(" and ".join(["accountEnabled eq true"] * 20))).status == 200


# -- names of options


def test_an_option_counts_without_its_dollar_sign(tenant: RunningTenant) -> None:
    """Source: learn.microsoft.com/graph/query-parameters, its first tip."""
    client = tenant.client()
    text = quote("userType eq 'Guest'")
    reply = client.get(f"/users?filter={text}&select=id&top=999")
    assert (reply.status, len(reply.data["value"])) == (200, 1)
    assert set(reply.data["value"][0]) == {"id"}
    assert client.get(f"/users/{reply.data['value'][0]['id']}?top=3").status == 400


@pytest.mark.parametrize("options", ["$top=1&$top=2", "$top=1&top=2", "$Top=1"])
def test_an_option_is_there_once_and_by_its_name(tenant: RunningTenant, options: str) -> None:
    assert tenant.client().get(f"/users?{options}").status == 400
