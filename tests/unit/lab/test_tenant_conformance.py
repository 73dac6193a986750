# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of Microsoft's documentation, sent to the tenant: same status, same error, same `@odata.context`, no property missing.

The examples are read where they lie beside a checkout (`../shared/graph/examples`) and are not part of this repository.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lab import company
from lab.testing import RunningTenant

from .test_tenant_strict import permit

EXAMPLES = Path(__file__).resolve().parents[4] / "shared" / "graph" / "examples"
NAMES = sorted(file.stem for file in EXAMPLES.glob("*.json"))
PEOPLE = {person.number: person for person in company.people()}
PLAIN, BLOCKED, INHERITS = PEOPLE[5], PEOPLE[11], PEOPLE[61]
E3, EXCHANGE = company.sku_id("SPE_E3"), company.sku_id("EXCHANGESTANDARD")
IIJ, GRAPH = company.make_id("servicePrincipal", "iij"), company.make_id("servicePrincipal", "Microsoft Graph")
FEDERATION = company.make_id("federation", "reiji.example")
EXTERNAL = "f1e11a04-0244-4592-99df-b01cfaadce15"
CAST = "samlOrWsFedExternalDomainFederation"
FORMER = company.make_id("user", "former@reiji.example")

#: examples of services that nothing in this collection calls
NOT_SERVED = {
    "mobile-app-assign": "it puts all assignments of an app in the place of those that are there",
    "certificate-based-auth-delete": "certificates of sign-in are only read",
    **{f"synchronization-job-{what}": "provisioning out of Entra: the fixture has no job" for what in ("delete", "get", "pause", "restart")},
    "feature-rollout-policy-update": "delegated only",
    "fido2-method-delete": "the fixture has no key",
    "home-realm-discovery-policy-delete": "the fixture has no policy",
}
#: properties of old examples that Microsoft shows no more, or shows in the place of a value: source in the comment
OLD = {
    "service-principal-get": {"endpoints"},  # a navigation property in today's CSDL: only with $expand
    "user-list": {"mailNickname", "otherMails", "proxyAddresses"},  # beta's example; v1.0's default properties are those of user-get
}


@dataclass
class Case:
    """How an example becomes a request to the fixture company."""

    #: in the place of the example's
    path: str = ""
    #: what stands for the ids of the example's body; the body itself where the example shows none
    body: dict[str, Any] = field(default_factory=dict)
    #: what has to be there first
    before: Callable[[RunningTenant], Any] | None = None
    permissions: tuple[str, ...] = ()


def certificate(tenant: RunningTenant) -> str:
    return tenant.store.tables["federations"].objects["reiji.example"]["signingCertificate"]


def external(tenant: RunningTenant) -> None:
    values = {
        "id": EXTERNAL, "displayName": "contoso", "issuerUri": "https://contoso.com/issuerUri", "metadataExchangeUri": None,
        "passiveSignInUri": "https://contoso.com/signin", "preferredAuthenticationProtocol": "wsFed", "signingCertificate": certificate(tenant),
        "domains": [{"id": "contoso.com"}],
    }  # fmt: skip
    tenant.arrange("external_federations", EXTERNAL, **values)
    tenant.outside.change({"txt": {"contoso.com": ["DirectFedAuthUrl=https://contoso-test.com/adfs/ls/"],
                                   "contososuites.com": ["DirectFedAuthUrl=https://contoso.com/signin"]}})  # fmt: skip


def managed(tenant: RunningTenant) -> None:
    assert tenant.client().call("PATCH", "/domains/reiji.example", {"authenticationType": "Managed"}).status == 204


def unverified(name: str) -> Callable[[RunningTenant], None]:
    def arrange(tenant: RunningTenant) -> None:
        tenant.client().call("POST", "/domains", {"id": name})
        record = tenant.client().get(f"/domains/{name}/verificationDnsRecords").data["value"][0]
        tenant.outside.change({"txt": {name: [record["text"]]}})

    return arrange


def assignment(resource: bool) -> str:
    principals = {"id": IIJ}
    key = company.app_role_assignment(principals | {"displayName": ""}, {"displayName": "", "id": GRAPH}, "Directory.ReadWrite.All")["id"]
    return f"/servicePrincipals/{GRAPH}/appRoleAssignedTo/{key}" if resource else f"/servicePrincipals/{IIJ}/appRoleAssignments/{key}"


def plans(sku: str) -> list[str]:
    return [company.make_id("servicePlan", f"{next(item['part'] for item in company.data()['tenant']['licences'] if item['sku'] == sku)}:PLAN1")]


def throttled(tenant: RunningTenant) -> None:
    tenant.faults.add(path="/v1.0/users", status=429, message="Please retry again later.")


def deleted_group(tenant: RunningTenant) -> None:
    assert permit(tenant, "Group.ReadWrite.All").call("DELETE", f"/groups/{company.make_id('group', 'm365-e3')}").status == 204


USER = f"/users/{PLAIN.id}"


def authority(tenant: RunningTenant) -> None:
    values = {"certificate": "MIIB", "issuer": "CN=x", "issuerSki": "1", "isRootAuthority": True}
    addresses = {"certificateRevocationListUrl": "https://x.example/a", "deltaCertificateRevocationListUrl": "https://x.example/b"}
    tenant.arrange("certificate_based_authentication", EXTERNAL, id=EXTERNAL, certificateAuthorities=[values | addresses])


_DOMAIN, _SHOP, _SALES = "/domains/reiji.example", "/domains/reiji-shop.example", "/domains/sales.reiji.example"
_FEDERATION = f"{_DOMAIN}/federationConfiguration"
_BASE = "/directory/federationConfigurations"
_GROUP = f"/groups/{company.make_id('group', 'all-staff')}"
CASES: dict[str, Case] = {
    "authentication-method-list": Case(f"{USER}/authentication/methods", permissions=("UserAuthenticationMethod.Read.All",)),
    "batch": Case(body={"11111111-1111-1111-1111-111111111111": PLAIN.id}),
    "deleted-items-delete": Case(f"/directory/deletedItems/{FORMER}"),
    "deleted-items-restore": Case(f"/directory/deletedItems/{company.make_id('group', 'm365-e3')}/restore", before=deleted_group),
    "certificate-based-auth-list": Case(f"/organization/{company.tenant_id()}/certificateBasedAuthConfiguration", before=authority),
    "mobile-app-assignment-list": Case(
        f"/deviceAppManagement/mobileApps/{company.make_id('mobile_apps', 'IIJ SmartKey')}/assignments", permissions=("DeviceManagementApps.Read.All",)
    ),
    "mobile-app-list": Case("/deviceAppManagement/mobileApps", permissions=("DeviceManagementApps.Read.All",)),
    "domain-convert-to-managed": Case(_DOMAIN),
    "domain-delete": Case("/domains/contoso.com", before=unverified("contoso.com")),
    "domain-federation-create": Case(f"{_SHOP}/federationConfiguration"),
    "domain-federation-delete": Case(f"{_FEDERATION}/{FEDERATION}"),
    "domain-federation-list": Case(_FEDERATION),
    "domain-federation-update": Case(f"{_FEDERATION}/{FEDERATION}"),
    "domain-get": Case(_DOMAIN),
    "domain-promote": Case(f"{_SALES}/promote", before=managed),
    "domain-update": Case(_SHOP),
    "domain-verify": Case("/domains/contoso.com/verify", before=unverified("contoso.com")),
    "error-create-federated-domain": Case(),
    "error-external-federation-auth-url": Case(body={
        "displayName": "Contoso", "issuerUri": "https://contoso.com/i", "passiveSignInUri": "https://idp.example.com/sso",
        "preferredAuthenticationProtocol": "saml", "signingCertificate": "CERTIFICATE", "domains": [{"id": "contoso.com"}],
    }),
    "error-forbidden": Case(f"/users/{PEOPLE[1].id}", before=managed, body={"x": "xWwvJ]6NMw+bWH-d"}),
    "error-issuer-uri-not-unique": Case(
        f"{_FEDERATION}/{FEDERATION}", before=lambda tenant: tenant.arrange("federations", "reiji-lab.example", issuerUri="https://idp.example.com/shared-issuer")
    ),
    "error-license-usage-location": Case(f"/users/{PEOPLE[41].id}/assignLicense", body={"84a661c4-e949-4bd2-a560-ed7766fcaf2b": E3}),
    "error-managed-to-federated": Case(_SHOP),
    "error-promote-unverified": Case("/domains/foo.contoso.com/promote", before=unverified("foo.contoso.com")),
    "error-promote-user-references": Case(f"{_SALES}/promote"),
    "error-throttled": Case(before=throttled),
    "external-federation-create": Case(),
    "external-federation-delete": Case(f"{_BASE}/{EXTERNAL}", before=external),
    "external-federation-domains-add": Case(f"{_BASE}/{EXTERNAL}/microsoft.graph.{CAST}/domains", before=external),
    "external-federation-domains-list": Case(before=external),
    "external-federation-get-by-domain": Case(before=external),
    "external-federation-list": Case(before=external),
    "external-federation-update": Case(f"{_BASE}/graph.{CAST}/{EXTERNAL}", before=external),
    "fido2-method-list": Case(f"{USER}/authentication/fido2Methods", permissions=("UserAuthMethod-Passkey.Read.All",)),
    "group-add-member": Case(f"{_GROUP}/members/$ref", body={"{id}": company.make_id("user", "reception@reiji-shop.example")}),
    "group-assign-license": Case(f"{_GROUP}/assignLicense", body={
        "11b0131d-43c8-4bbb-b2c8-e80f9a50834a": plans(E3)[0], "a571ebcc-fqe0-4ca2-8c8c-7a284fd6c235": plans(EXCHANGE)[0],
        "skuId-value-1": E3, "skuId-value-2": EXCHANGE,
    }),
    "group-remove-member": Case(f"{_GROUP}/members/{PLAIN.id}/$ref"),
    "invitation-reset-redemption": Case(
        before=lambda tenant: tenant.arrange("users", company.make_id("user", "taro_partner.example#EXT#@reiji.onmicrosoft.com"), mail="AdeleV@fabrikam.com"),
        body={"264e6d50-eaec-461e-b187-873b1bcf855f": company.make_id("user", "taro_partner.example#EXT#@reiji.onmicrosoft.com")},
    ),
    "oauth2-permission-grant-delete": Case(f"/oauth2PermissionGrants/{company.make_id('grant', 'iij')}"),
    "service-principal-app-role-assigned-to-delete": Case(assignment(True)),
    "service-principal-app-role-assigned-to-list": Case(f"/servicePrincipals/{GRAPH}/appRoleAssignedTo"),
    "service-principal-app-role-assignment-delete": Case(assignment(False)),
    "service-principal-app-role-assignment-list": Case(f"/servicePrincipals/{IIJ}/appRoleAssignments"),
    "service-principal-delete": Case(f"/servicePrincipals/{IIJ}"),
    "service-principal-get": Case(f"/servicePrincipals/{IIJ}"),
    "subdomain-get-federated": Case(_SALES),
    "subscribed-sku-get": Case(f"/subscribedSkus/{company.tenant_id()}_{E3}"),
    "synchronization-job-list": Case(f"/servicePrincipals/{IIJ}/synchronization/jobs", permissions=("Synchronization.Read.All",)),
    "user-assign-license": Case(f"/users/{PEOPLE[51].id}/assignLicense", body={
        "11b0131d-43c8-4bbb-b2c8-e80f9a50834a": plans(E3)[0], "guid": E3, "bea13e0c-3828-4daa-a392-28af7ff61a0f": EXCHANGE,
    }),
    "user-clear-immutable-id": Case(USER, before=managed),
    "user-create": Case(body={"AdeleV@contoso.onmicrosoft.com": "AdeleV@reiji.onmicrosoft.com"}),
    "user-delete": Case(USER),
    "user-enable": Case(f"/users/{BLOCKED.id}"),
    "user-get": Case(USER),
    "user-license-details": Case(f"{USER}/licenseDetails"),
    "user-reprocess-license": Case(f"/users/{INHERITS.id}/reprocessLicenseAssignment"),
    "user-revoke-sign-in-sessions": Case(f"{USER}/revokeSignInSessions"),
    "user-set-password": Case(USER, before=managed),
    "user-update": Case(USER),
}  # fmt: skip


def read(name: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def request(tenant: RunningTenant, name: str, example: dict[str, Any]) -> tuple[str, Any]:
    """The path and the body: the documentation's own, with the fixture's ids in the place of its own."""
    case = CASES.get(name, Case())
    path = case.path or example["request"]["url"].partition("/v1.0")[2]
    body = example["request"].get("body")
    if body is None:
        body = case.body or None
    elif case.body:
        text = json.dumps(body)
        for theirs, ours in case.body.items():
            text = text.replace(theirs, ours)
        body = json.loads(text)
    if body is not None:  # certificates of examples are cut off
        text = re.sub(r'("signingCertificate": )"[^"]*"', rf'\1"{certificate(tenant)}"', json.dumps(body))
        body = json.loads(re.sub(r'("nextSigningCertificate": )"[^"]*"', r"\1null", text))
    return path.replace(" ", "%20"), body


def first(body: Any, kind: str | None = None) -> dict[str, Any]:
    """The object, or the first one of a list, of that type where its items tell theirs; nothing when there is none."""
    value = body.get("value") if isinstance(body, dict) else None
    if not isinstance(value, list):
        return body
    return next((item for item in value if item.get("@odata.type", kind) == kind), {})


pytestmark = pytest.mark.skipif(not NAMES, reason="Microsoft's examples do not lie beside this checkout (../shared/graph/examples)")


def test_what_is_not_served_is_refused(tenant: RunningTenant) -> None:
    client = tenant.client()
    for name, why in NOT_SERVED.items():
        asked = read(name)["request"]
        reply = client.call(asked["method"], asked["url"].partition("/v1.0")[2].replace("{", "").replace("}", ""), asked.get("body"))
        assert reply.status >= 400, f"{name} is served by now, so its example can be tested ({why})"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_SERVED] or ["none"])
def test_an_example_of_the_documentation(tenant: RunningTenant, name: str) -> None:
    example, case = read(name), CASES.get(name, Case())
    if case.before:
        case.before(tenant)
    path, body = request(tenant, name, example)
    client = permit(tenant, *case.permissions)
    reply = client.call(example["request"]["method"], path, body)
    wanted = example["response"]
    assert reply.status == wanted["status"], (path, reply.data)
    theirs = wanted.get("body")
    if theirs is None:
        return
    if reply.status >= 400:
        assert reply.data["error"]["code"] == theirs["error"]["code"]
        assert set(theirs["error"]) - {"innerError"} <= set(reply.data["error"])
        return
    shown = first(theirs)
    ours = first(reply.data, shown.get("@odata.type"))
    assert not ours or set(shown) - set(ours) - OLD.get(name, set()) - {"@odata.type", "@odata.context"} == set()
    if "@odata.context" in theirs:
        places = [re.sub(r"\('[^']*'\)", "('')", answer["@odata.context"].partition("$metadata#")[2]) for answer in (theirs, reply.data)]
        assert places[0] == places[1]
