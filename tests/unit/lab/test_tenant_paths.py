# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a path may end with besides an object or a list (/$ref, a property, /$value), what stands inside of $expand, and the DNS records of a domain.
The sources are in the tenant's own code."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from lab import company
from lab.testing import RunningTenant

from .test_tenant_strict import ALL_STAFF, EVENTUAL, PEOPLE, group, permit

LOW, MIDDLE, HIGH = (PEOPLE[number] for number in (5, 6, 7))


def chain(tenant: RunningTenant) -> None:
    """LOW is below MIDDLE, who is below HIGH."""
    tenant.arrange("users", LOW.id, _manager=MIDDLE.id)
    tenant.arrange("users", MIDDLE.id, _manager=HIGH.id)


# -- references


def address(tenant: RunningTenant, key: str, kind: str = "User") -> dict[str, str]:
    service = tenant.graph_url.removesuffix("v1.0")
    return {"@odata.id": f"{service}v2/{company.tenant_id()}/directoryObjects/{key}/Microsoft.DirectoryServices.{kind}"}


@pytest.mark.parametrize("relationship", ["members", "owners"])
def test_a_list_of_references(tenant: RunningTenant, relationship: str) -> None:
    key = group(tenant, **{f"_{relationship}": [LOW.id, HIGH.id]})
    answer = tenant.client().get(f"/groups/{key}/{relationship}/$ref")
    assert answer.status == 200, answer.data
    assert answer.data == {
        "@odata.context": f"{tenant.graph_url}/$metadata#Collection($ref)",
        "value": [address(tenant, LOW.id), address(tenant, HIGH.id)],
    }


def test_references_come_in_pages(tenant: RunningTenant) -> None:
    client = tenant.client()
    first = client.get(f"/groups/{ALL_STAFF}/members/$ref?$top=2")
    assert len(first.data["value"]) == 2
    second = client.get(first.data["@odata.nextLink"].removeprefix(tenant.graph_url))
    assert second.status == 200 and second.data["value"][0] not in first.data["value"]


def test_the_reference_of_one(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert client.get(f"/users/{LOW.id}/manager/$ref").status == 404
    chain(tenant)
    answer = client.get(f"/users/{LOW.id}/manager/$ref")
    assert answer.data == {"@odata.context": f"{tenant.graph_url}/$metadata#$ref"} | address(tenant, MIDDLE.id)
    groups = client.get(f"/users/{LOW.id}/memberOf/$ref").data["value"]
    assert address(tenant, ALL_STAFF, "Group") in groups


@pytest.mark.parametrize(
    "path",
    [
        "/users/$ref",
        "/users/{user}/$ref",
        "/domains/reiji.example/federationConfiguration/$ref",
        "/groups/{group}/members/$ref/$count",
        "/groups/{group}/members/$ref?$select=id",
    ],
)
def test_what_has_no_references(tenant: RunningTenant, path: str) -> None:
    assert tenant.client().get(path.format(user=LOW.id, group=ALL_STAFF)).status == 400


# -- single properties


@pytest.mark.parametrize(
    ("path", "place", "value"),
    [
        ("/users/{user}/displayName", "users('{user}')/displayName", LOW.name),
        ("/users('{user}')/DISPLAYNAME", "users('{user}')/displayName", LOW.name),
        ("/users/{upn}/userPrincipalName", "users('{user}')/userPrincipalName", LOW.upn),
        ("/users/{user}/accountEnabled", "users('{user}')/accountEnabled", True),
        ("/groups/{group}/groupTypes", "groups('{group}')/groupTypes", []),
        ("/users/{user}/assignedPlans", "users('{user}')/assignedPlans", []),
        ("/domains/reiji.example/isVerified", "domains('reiji.example')/isVerified", True),
        ("/groups/{group}/securityEnabled", "groups('{group}')/securityEnabled", True),
    ],
)
def test_a_property_by_its_path(tenant: RunningTenant, path: str, place: str, value: Any) -> None:
    values = {"user": LOW.id, "upn": LOW.upn, "group": ALL_STAFF}
    answer = tenant.client().get(path.format(**values))
    assert answer.status == 200, answer.data
    assert answer.data == {"@odata.context": f"{tenant.graph_url}/$metadata#{place.format(**values)}", "value": value}


def test_a_property_without_a_value(tenant: RunningTenant) -> None:
    client = tenant.client()
    tenant.arrange("users", LOW.id, officeLocation=None)
    assert client.get(f"/users/{LOW.id}/officeLocation").status == 204
    assert client.get(f"/users/{LOW.id}/officeLocation/$value").status == 204


def test_the_bare_value_of_a_property(tenant: RunningTenant) -> None:
    batch = {"requests": [{"id": "1", "method": "GET", "url": f"/users/{LOW.id}/userPrincipalName/$value"}]}
    client = tenant.client()
    (answer,) = client.call("POST", "/$batch", batch).data["responses"]
    assert (answer["status"], answer["headers"]["Content-Type"]) == (200, "text/plain")
    assert client.get(f"/users/{LOW.id}/accountEnabled/$value").status == 200
    assert client.get(f"/users/{LOW.id}/businessPhones/$value").status == 400
    assert client.get(f"/users/{LOW.id}/$value").status == 400


@pytest.mark.parametrize("path", ["/nonsense", "/mailFolders", "/displayName/length", "/displayName?$select=id", "/displayName/$count", "/displayName/$ref"])
def test_what_is_no_property(tenant: RunningTenant, path: str) -> None:
    assert tenant.client().get(f"/users/{LOW.id}{path}").status == 400


def test_a_property_is_only_read_by_its_path_and_with_its_own_permission(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert client.call("PATCH", f"/users/{LOW.id}/displayName", {"value": "x"}).status == 405
    assert client.get("/users/nobody@reiji.example/displayName").status == 404


# -- inside of $expand


def expanded(tenant: RunningTenant, path: str, headers: dict[str, str] | None = None) -> Any:
    return permit(tenant, "Group.Read.All").call("GET", quote(path, safe="/?$&=,()';"), headers=headers)


@pytest.mark.parametrize("relationship", ["members", "owners"])
def test_select_inside_of_expand(tenant: RunningTenant, relationship: str) -> None:
    key = group(tenant, **{f"_{relationship}": [LOW.id]})
    answer = expanded(tenant, f"/groups/{key}?$select=id&$expand={relationship}($select=id,DisplayName)")
    assert answer.status == 200, answer.data
    assert answer.data["@odata.context"].endswith(f"#groups(id,{relationship}(id,displayName))/$entity")
    assert answer.data[relationship] == [{"@odata.type": "#microsoft.graph.user", "id": LOW.id, "displayName": LOW.name}]
    (listed,) = expanded(tenant, f"/groups?$filter=id eq '{key}'&$expand={relationship}($select=id)").data["value"]
    assert listed[relationship] == [{"@odata.type": "#microsoft.graph.user", "id": LOW.id}]


def test_the_managers_above_a_user(tenant: RunningTenant) -> None:
    chain(tenant)
    path = f"/users/{LOW.id}?$expand=manager($levels=max;$select=id)&$select=id&$count=true"
    answer = expanded(tenant, path, EVENTUAL)
    assert answer.status == 200, answer.data
    above = answer.data["manager"]
    assert (above["id"], above["manager"]["id"], "manager" in above["manager"]) == (MIDDLE.id, HIGH.id, False)
    assert "manager" not in expanded(tenant, f"/users/{LOW.id}?$expand=manager($levels=1)").data["manager"]
    tenant.arrange("users", HIGH.id, _manager=LOW.id)  # a circle has an end
    assert expanded(tenant, path, EVENTUAL).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/users/{user}?$expand=manager($select=id)",
        "/users/{user}?$expand=manager($levels=0)",
        "/users/{user}?$expand=manager($levels=many)",
        "/users/{user}?$expand=memberOf($select=id)",
        "/users/{user}?$expand=manager()",
        "/groups/{group}?$expand=members($filter=startswith(displayName,'a'))",
        "/groups/{group}?$expand=members($top=3)",
        "/groups/{group}?$expand=members($expand=manager)",
        "/groups/{group}?$expand=members($select=id;$select=mail)",
        "/groups/{group}?$expand=members($select=nonsense)",
        "/groups/{group}?$expand=members($select=id),owners",
        "/groups/{group}?$expand=members($select=id",
        "/groups?$expand=members($orderby=displayName)",
    ],
)
def test_what_may_not_stand_inside_of_expand(tenant: RunningTenant, path: str) -> None:
    assert expanded(tenant, path.format(user=LOW.id, group=ALL_STAFF)).status == 400


# -- what the zone of a domain has to hold


def test_the_records_that_prove_a_domain(tenant: RunningTenant) -> None:
    client = tenant.client()
    assert client.call("POST", "/domains", {"id": "new.example"}).status == 201
    answer = client.get("/domains/new.example/verificationDnsRecords")
    assert answer.data["@odata.context"].endswith("#domains('new.example')/verificationDnsRecords")
    text, mail = answer.data["value"]
    assert (text["recordType"], mail["recordType"], mail["preference"]) == ("Txt", "Mx", 32767)
    assert mail["mailExchange"] == f"{text['text'].removeprefix('MS=')}.msv1.invalid"
    assert client.get(f"/domains/new.example/verificationDnsRecords/{mail['id']}").data["mailExchange"] == mail["mailExchange"]
    (none,) = client.get("/domains/new.example/serviceConfigurationRecords").data["value"]
    assert none["@odata.type"] == "#microsoft.graph.domainDnsUnavailableRecord"


def test_the_records_of_the_services_of_a_domain(tenant: RunningTenant) -> None:
    client, place = tenant.client(), "/domains/reiji.example/serviceConfigurationRecords"
    answer = client.get(place)
    assert answer.data["@odata.context"].endswith("#domains('reiji.example')/serviceConfigurationRecords")
    mail = next(item for item in answer.data["value"] if item["recordType"] == "Mx")
    assert (mail["mailExchange"], mail["preference"], mail["supportedService"]) == ("reiji-example.mail.protection.outlook.com", 0, "Email")
    kinds = {item["@odata.type"].removeprefix("#microsoft.graph.domainDns") for item in answer.data["value"]}
    assert kinds == {"MxRecord", "TxtRecord", "CnameRecord", "SrvRecord"}
    assert len({item["id"] for item in answer.data["value"]}) == len(answer.data["value"])
    assert client.get(f"{place}/{mail['id']}").data["label"] == "reiji.example"
    assert client.get(f"{place}/{company.make_id('user', 'nobody')}").status == 404
    assert client.get("/domains/nowhere.example/serviceConfigurationRecords").status == 404
    tenant.arrange("domains", "reiji.example", supportedServices=["Email"])
    assert {item["supportedService"] for item in client.get(place).data["value"]} == {"Email"}
