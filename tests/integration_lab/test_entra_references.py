# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_references_info against the lab's tenant: what points at IIJ ID is found wherever it stands, and what was not looked at is told."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from lab import company
from lab.testing import RunningTenant

from .entra import connection, lines, run_module
from .test_people import Operator, blockers

SMARTKEY = ["jp.ad.iij.smartkey2", "id974476420"]
#: what the fixture company has: two federations, SmartKey, and the iPhones' list
FIXTURE = {"internal_federation": 2, "mobile_app": 1, "device_configuration": 1}


@pytest.fixture
def look(tenant: RunningTenant, capsys: pytest.CaptureFixture[str]):
    def run(app: str = "offboard", check: bool = False, **options: Any) -> dict[str, Any]:
        given = {"hosts": ["auth.iij.jp"], "identifiers": SMARTKEY, "beta": True, **options}
        return run_module(capsys, "entra_references_info", {**connection(tenant, app), **given}, check=check)

    return run


#: what no application may read: https://learn.microsoft.com/graph/api/list-featurerolloutpolicies
ROLLOUT = ("feature_rollout_policy", "delegated_only")


def open_kinds(found: dict[str, Any]) -> set[tuple[str, str]]:
    """Besides what no application may read, which is always told."""
    told = {(item["kind"], item["reason"]) for item in found["not_looked_at"]}
    assert ROLLOUT in told
    return told - {ROLLOUT}


def test_the_fixture_and_its_decoys(look, tenant):
    found = look()
    assert found["counts"] == FIXTURE and open_kinds(found) == set(), found
    assert {item["name"] for item in found["references"]} == {"IIJ ID", "IIJ SmartKey", "iPhoneのシングルサインオン"}
    (profile,) = (item for item in found["references"] if item["kind"] == "device_configuration")
    assert profile["places"] == [{"path": "payload⇒", "match": "*.auth.iij.jp", "opened": True}]
    assert {item["of"] for item in found["references"] if item["kind"] == "internal_federation"} == {"reiji.example", "reiji-group.example"}
    assert found["looked_at"]["mobile_app"] == 2 and found["looked_at"]["conditional_access_policy"] == 1
    assert found["changed"] is False and tenant.writes() == []
    assert look(check=True)["references"] == found["references"]
    assert tenant.writes() == []


def test_a_page_that_comes_twice_gives_nothing_two_lines(look, tenant):
    """A list that changes while it is read repeats what was on the page before."""
    key = company.make_id("app", "x")
    tenant.arrange("applications", key, id=key, web={"redirectUris": ["https://reiji.auth.iij.jp/x"]})
    clean = look()
    for path in ("/servicePrincipals?$top=999", "/domains", "/applications?$top=999"):
        tenant.faults.add(method="GET", path=f"/v1.0{path.partition('?')[0]}", next_link=f"{tenant.url}/v1.0{path}")
    found = look()
    assert {**found, "references": None} == {**clean, "references": None}, found
    assert sorted(found["references"], key=str) == sorted(clean["references"], key=str)


def test_what_intune_gives_is_told_with_whom_and_how_many(look, tenant):
    group = company.make_id("group", "m365-e3")
    found = {item["kind"]: item for item in look()["references"]}
    assert found["mobile_app"]["devices"] == 41 + 120 and "devices_reason" not in found["mobile_app"]  # two versions that were detected
    assert [(one["target"], one["group"], one["intent"]) for one in found["mobile_app"]["assignments"]] == [
        ("allLicensedUsers", "", "available"), (group, "m365-e3", "required"),
    ]  # fmt: skip
    profile = found["device_configuration"]
    assert profile["devices"] == 36 and [(one["target"], one["intent"]) for one in profile["assignments"]] == [("allDevices", "")]
    assert "assignments" not in found["internal_federation"]
    # what could not be read is not nobody, and a group whose name cannot be read has its id
    app, one = found["mobile_app"]["id"], f"/v1.0/groups/{group}"
    tenant.faults.add(times=None, path=f"/beta/deviceAppManagement/mobileApps/{app}/assignments", status=403, code="Forbidden")
    tenant.faults.add(times=None, path="/beta/deviceManagement/deviceConfigurations/.*/deviceStatusOverview", status=500, code="x")
    tenant.faults.add(times=None, path="/v1.0/deviceManagement/detectedApps", status=403, code="Forbidden")
    found = look()
    assert open_kinds(found) == {("mobile_app", "permission_missing")} and found["not_looked_at"][-1]["path"] == "assignments"
    rows = {item["kind"]: item for item in found["references"]}
    assert (rows["mobile_app"]["devices"], rows["mobile_app"]["devices_reason"]) == ("not_known", "permission_missing")
    assert rows["mobile_app"]["assignments"] is None and rows["device_configuration"]["devices"] == "not_known"
    tenant.faults.clear()
    # a device may show it under another name: not detected is not on no device
    tenant.arrange("mobile_apps", app, displayName="IIJ's SmartKey & 認証")
    (row,) = (item for item in look()["references"] if item["kind"] == "mobile_app")
    assert (row["devices"], row["devices_reason"]) == ("not_known", "not_detected")
    tenant.faults.add(times=None, path=one, status=404, code="Request_ResourceNotFound")
    found = look(beta=False)
    (row,) = (item for item in found["references"] if item["kind"] == "mobile_app")
    assert [(item["target"], item["group"]) for item in row["assignments"]] == [("allLicensedUsers", ""), (group, "")] and tenant.writes() == []


def test_whom_profiles_of_beta_are_for(look, tenant):
    settings = [{"id": str(number), "settingInstance": {"simpleSettingValue": {"value": "*.auth.iij.jp"}}} for number in range(2)]
    tenant.arrange("configuration_policies", "cp", id="cp", name="Edge", _settings=settings, _assignments=[company.assignment("all-staff", excluded=True)])
    tenant.clear_requests()
    rows = look(kinds=["configuration_policy"])["references"]
    assert [(item["of"], item["devices"], [one["target"] for one in item["assignments"]]) for item in rows] == [
        ("cp", "not_known", [f"not {company.make_id('group', 'all-staff')}"])
    ] * 2  # fmt: skip
    assert len([item for item in tenant.requests() if item["path"] == "/beta/deviceManagement/configurationPolicies/cp/assignments"]) == 1


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


IIJ = "https://www.auth.iij.jp/x"
CUSTOM = "#microsoft.graph.windows10CustomConfiguration"
OMA = {"@odata.type": "#microsoft.graph.omaSettingString", "displayName": "o", "omaUri": "./Device/x", "value": f'<data value="{IIJ}"/>'}
AUTHORITY = {"isRootAuthority": True, "certificateRevocationListUrl": IIJ, "certificate": "MIIB", "issuer": "CN=x", "issuerSki": "1"}
#: what is arranged, by table: an object, and the kind under which it is found
EVERYWHERE: list[tuple[str, str, dict[str, Any]]] = [
    ("claims_mapping_policy", "claims_mapping_policies", {"displayName": "c", "definition": [json.dumps({"ClaimsMappingPolicy": {"Value": IIJ}})]}),
    ("home_realm_discovery_policy", "home_realm_policies", {"displayName": "h", "definition": [json.dumps({"AlternateIdLogin": IIJ})]}),
    ("token_issuance_policy", "token_issuance_policies", {"displayName": "t", "definition": [IIJ]}),
    ("token_lifetime_policy", "token_lifetime_policies", {"displayName": "t", "definition": [IIJ]}),
    (
        "custom_authentication_extension",
        "authentication_extensions",
        {
            "@odata.type": "#microsoft.graph.onTokenIssuanceStartCustomExtension",
            "displayName": "e",
            "endpointConfiguration": {"@odata.type": "#microsoft.graph.httpRequestEndpoint", "targetUrl": IIJ},
        },
    ),
    ("cross_tenant_access_partner", "cross_tenant_partners", {"tenantId": "3d0f5dec-5d3d-455c-8016-e2af1ae4d31a", "tenantRestrictions": None}),
    (
        "identity_provider",
        "identity_providers",
        {
            "@odata.type": "#microsoft.graph.socialIdentityProvider",
            "displayName": "i",
            "identityProviderType": "Google",
            "clientId": "x.auth.iij.jp",
            "clientSecret": "****",
        },
    ),
    ("certificate_based_authentication", "certificate_based_authentication", {"certificateAuthorities": [AUTHORITY]}),
    (
        "mobile_app_configuration",
        "mobile_app_configurations",
        {
            "@odata.type": "#microsoft.graph.iosMobileAppConfiguration",
            "displayName": "m",
            "encodedSettingXml": b64(f"<string>{IIJ}</string>"),
            "settings": [],
        },
    ),
    ("targeted_managed_app_configuration", "managed_app_configurations", {"displayName": "m", "customSettings": [{"name": "allow", "value": IIJ}]}),
    ("device_configuration", "device_configurations", {"@odata.type": CUSTOM, "displayName": "w", "omaSettings": [OMA]}),
]


@pytest.mark.parametrize(("kind", "table", "values"), EVERYWHERE, ids=[kind for kind, _table, _values in EVERYWHERE])
def test_it_is_found_wherever_it_stands(look, tenant, kind, table, values):
    key = values.get("tenantId") or company.make_id(table, "arranged")
    tenant.arrange(table, key, **({} if "tenantId" in values else {"id": key}), **values)
    found = look(identifiers=[*SMARTKEY, "3d0f5dec-5d3d-455c-8016-e2af1ae4d31a"])
    assert key in {item["id"] for item in found["references"] if item["kind"] == kind}, found
    assert found["counts"][kind] == FIXTURE.get(kind, 0) + 1 and open_kinds(found) == set()


def test_the_links_of_the_sign_in_page_are_looked_at_in_each_language(look, tenant):
    """Where a company had "forgot my password" lead to IIJ ID, nobody could set a new one there any more."""
    kinds = ["organization", "feature_rollout_policy"]
    assert look(kinds=kinds)["looked_at"]["organizational_branding"] == 0  # there is none: 404
    tenant.arrange("branding", "0", id="0", signInPageText="Welcome", customAccountResetCredentialsUrl=None)
    tenant.arrange("branding", "ja-JP", id="ja-JP", signInPageText="ようこそ", customAccountResetCredentialsUrl=f"{IIJ}/password")
    found = look(kinds=kinds)
    assert found["looked_at"]["organizational_branding"] == 2 and open_kinds(found) == set()
    (row,) = found["references"]
    assert (row["kind"], row["id"], row["places"][0]["path"]) == (
        "organizational_branding", f"{company.tenant_id()}/ja-JP", "customAccountResetCredentialsUrl",
    )  # fmt: skip
    assert look(kinds=kinds, accepted_references=[row["id"].upper()])["references_accepted_count"] == 1
    tenant.faults.add(times=None, path="/v1.0/organization/.*/branding/localizations", status=403, code="Authorization_RequestDenied")
    assert open_kinds(look(kinds=kinds)) == {("organizational_branding", "permission_missing")}


def test_an_external_authentication_method_is_found(look, tenant):
    key = company.make_id("authentication_method", "external")
    method = {
        "@odata.type": "#microsoft.graph.externalAuthenticationMethodConfiguration",
        "displayName": "IIJ ID",
        "state": "enabled",
        "appId": company.make_id("app", "external"),
        "openIdConnectSetting": {"clientId": "x", "discoveryUrl": f"{IIJ}/.well-known/openid-configuration"},
        "includeTargets": [],
        "excludeTargets": [],
    }
    tenant.arrange("authentication_method_configurations", key, id=key, **method)
    found = look(kinds=["authentication_methods_policy"])
    ((place,),) = [item["places"] for item in found["references"]]
    assert place["path"].endswith(".openIdConnectSetting.discoveryUrl") and place["match"] == "www.auth.iij.jp" and found["not_looked_at"] == []


def test_apps_and_domains_and_what_lies_below(look, tenant):
    decoy = company.make_id("application", "decoy")
    web = tenant.store.tables["applications"].objects[decoy]["web"]
    tenant.arrange("applications", decoy, web={**web, "redirectUris": ["https://www.auth.iij.jp./rp/cb"]})
    tenant.arrange("federations", "reiji-lab.example", passwordResetUri="https://id.auth.iij.jp/reset")
    principal = company.make_id("servicePrincipal", "decoy")
    job = {"id": "scim.1", "templateId": "scim", "schedule": {"state": "Active", "interval": "PT40M"}, "_principal": principal}
    tenant.arrange("synchronization_jobs", "scim.1", **job)
    found = look()
    places = {(item["kind"], place["path"]): place["match"] for item in found["references"] for place in item["places"]}
    assert places["application", "web.redirectUris[0]"] == "www.auth.iij.jp"
    assert places["internal_federation", "passwordResetUri"] == "id.auth.iij.jp"
    assert found["counts"]["internal_federation"] == 3
    (app,) = (item for item in found["references"] if item["kind"] == "application")
    assert app["client_id"] == company.app("decoy")["client_id"]
    # where a job provisions to lies among its secrets
    assert open_kinds(found) == {("synchronization_job", "target_not_shown")}


def test_who_uses_what_points_there_points_there(look, tenant):
    location = company.make_id("named_locations", "本社")
    policy = tenant.store.tables["access_policies"].objects[company.make_id("access_policies", "MFAを必須にする（社外から）")]
    conditions = {**policy["conditions"], "locations": {"includeLocations": ["All"], "excludeLocations": [location]}}
    tenant.arrange("access_policies", policy["id"], conditions=conditions)
    assert "conditional_access_policy" not in look()["counts"]
    found = look(named_locations=["192.0.2.1"])
    assert found["counts"] == {**FIXTURE, "named_location": 1, "conditional_access_policy": 1}
    tenant.arrange("access_policies", policy["id"], grantControls={**policy["grantControls"], "customAuthenticationFactors": ["IIJ MFA"]})
    found = look()
    assert open_kinds(found) == {("conditional_access_policy", "custom_control")} and any("IIJ MFA" in item["msg"] for item in found["not_looked_at"])
    assert "conditional_access_policy" in look(identifiers=["IIJ MFA"])["counts"]


def test_a_configuration_of_an_app_that_points_there_points_there(look, tenant):
    """One for iOS names its app by nothing but the app's id in Intune."""
    smartkey = next(item["id"] for item in look()["references"] if item["kind"] == "mobile_app")
    other = next(key for key in tenant.store.tables["mobile_apps"].objects if key != smartkey)
    for name, app in (("ours", smartkey), ("theirs", other)):
        key = company.make_id("mobile_app_configurations", name)
        values = {"@odata.type": "#microsoft.graph.iosMobileAppConfiguration", "id": key, "displayName": name, "settings": [], "targetedMobileApps": [app]}
        tenant.arrange("mobile_app_configurations", key, **values)
    found = [item for item in look()["references"] if item["kind"] == "mobile_app_configuration"]
    assert [(item["name"], item["places"][0]["path"]) for item in found] == [("ours", "targetedMobileApps[0]")]


def test_beta_when_it_is_allowed(look, tenant):
    settings = [{"id": "0", "settingInstance": {"settingDefinitionId": "edge~authserverallowlist", "simpleSettingValue": {"value": "*.auth.iij.jp"}}}]
    tenant.arrange("configuration_policies", "cp", id="cp", name="Edge", _settings=settings)
    definitions, values = [{"id": "d1"}], [{"id": "v1", "value": "auth.iij.jp", "_of": "d1"}]
    tenant.arrange("group_policies", "gp", id="gp", displayName="Chrome", _definitions=definitions, _presentations=values)
    found = look()
    names = {(item["kind"], item["name"]) for item in found["references"]}
    assert {("configuration_policy_settings", "Edge"), ("group_policy_value", "Chrome")} <= names and open_kinds(found) == set()
    tenant.clear_requests()
    found = look(beta=False)
    assert open_kinds(found) == {
        (kind, "beta_not_allowed") for kind in ("mobile_app", "device_configuration", "configuration_policy", "group_policy_configuration")
    }
    assert [item for item in tenant.requests() if item["path"].startswith("/beta/")] == []


def test_what_is_refused_is_not_looked_at(look, tenant):
    refused = open_kinds(look(app="readonly"))
    assert {
        ("synchronization_job", "permission_missing"),
        ("claims_mapping_policy", "permission_missing"),
        ("conditional_access_policy", "permission_missing"),
        ("internal_federation", "permission_missing"),
        ("mobile_app", "permission_missing"),
        ("configuration_policy", "permission_missing"),
    } <= refused
    assert not {kind for kind, _reason in refused} & {"application", "service_principal", "domain", "organization"}
    # one refusal is enough to know it of all of them
    assert len([item for item in tenant.requests() if item["path"].endswith("/synchronization/jobs")]) < 20 * 8


def test_no_licence_no_intune_and_secrets(look, tenant):
    key = company.make_id("device_configurations", "arranged")
    secret = {**OMA, "value": "****", "isEncrypted": True, "secretReferenceValueId": "s"}
    tenant.arrange("device_configurations", key, **{"@odata.type": CUSTOM}, id=key, displayName="w", omaSettings=[secret])
    tenant.settings.contract = False  # the SDK's models of v1.0 lack isEncrypted
    found = look()
    assert open_kinds(found) == {("device_configuration", "encrypted")} and found["not_looked_at"][-1]["path"] == "omaSettings[0]"
    tenant.settings.change({"premium": False, "intune": False})
    found = look()
    assert {("conditional_access_policy", "no_licence"), ("named_location", "no_licence"), ("mobile_app", "no_intune")} <= open_kinds(found)
    assert ("configuration_policy", "no_intune") in open_kinds(found)


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ({"path": "/v1.0/policies/claimsMappingPolicies", "status": 404, "code": "ResourceNotFound"}, "claims_mapping_policy", "not_found"),
        ({"path": "/v1.0/identity/identityProviders", "status": 401, "code": "Unauthorized"}, "identity_provider", "unauthorized"),
        ({"path": "/v1.0/domains/reiji.example/federationConfiguration", "status": 404, "code": "x"}, "internal_federation", "not_found"),
        # a proxy's page
        ({"path": "/v1.0/policies/tokenLifetimePolicies", "status": 200, "code": "x"}, "token_lifetime_policy", "no_list"),
        ({"path": "/v1.0/organization/.*/certificateBasedAuthConfiguration", "status": 200, "code": "x"}, "certificate_based_authentication", "no_list"),
        ({"path": "/v1.0/policies/tokenIssuancePolicies", "next_link": "https://elsewhere.example/v1.0/x"}, "token_issuance_policy", "foreign_next_link"),
    ],
)
def test_an_error_is_never_nothing_found(look, tenant, fault, kind, reason):
    tenant.faults.add(times=None, **fault)
    assert open_kinds(look()) == {(kind, reason)}


def test_nothing_is_told_when_the_tenant_cannot_be_asked(look, tenant, tmp_path):
    file = tmp_path / "references.jsonl"
    file.write_text("older\n")
    tenant.faults.add(times=None, path="/v1.0/applications", status=401, code="InvalidAuthenticationToken")
    found = look(results_file=str(file))
    assert found["failed"] and found["failure"]["code"] == "unauthorized" and "references" not in found
    assert file.read_text() == "older\n" and [path.name for path in tmp_path.iterdir()] == [file.name]


def test_policies_on_where_people_sign_in(look, tenant):
    definition = json.dumps({"HomeRealmDiscoveryPolicy": {"AccelerateToFederatedDomain": True, "PreferredDomain": "reiji.example"}})
    tenant.arrange("home_realm_policies", "h", id="h", displayName="Portal", definition=[definition])
    tenant.arrange("feature_rollout_policies", "r", id="r", displayName="PHS", feature="passwordHashSync", isEnabled=True, isAppliedToOrganization=False)
    kinds = ["home_realm_discovery_policy", "feature_rollout_policy"]
    tenant.clear_requests()
    found = look(domains=["Reiji.example"], kinds=kinds)
    assert [item["id"] for item in found["references"]] == ["h"] and open_kinds(found) == set() and set(found["looked_at"]) == {kinds[0]}
    assert len([item for item in tenant.requests() if item["path"].startswith("/v1.0/")]) <= 3
    assert look(domains=["reiji-lab.example"], kinds=kinds)["references"] == [] == look(kinds=kinds)["references"]
    tenant.settings.delegated = True
    found = look(domains=["reiji.example"], kinds=kinds)
    assert [(item["id"], item["why"]) for item in found["references"]][1:] == [("r", "the staged rollout of passwordHashSync is on (isEnabled)")]
    assert found["not_looked_at"] == []
    tenant.arrange("feature_rollout_policies", "r", isEnabled=False)
    assert [item["id"] for item in look(domains=["reiji.example"], kinds=kinds)["references"]] == ["h"]
    assert tenant.writes() == []


@pytest.mark.parametrize(("options"), [{"hosts": []}, {"kinds": ["internal_federation"]}, {"hosts": ["https://auth.iij.jp/"]}, {"identifiers": [""]}])
def test_bad_options(look, options):
    assert look(**options)["failure"]["code"] == "bad_option"


def test_a_strangers_text_and_the_results_file(look, tenant, tmp_path: Path):
    decoy = company.make_id("application", "decoy")
    tenant.arrange("applications", decoy, displayName="\x1b[2J\u202eX", notes="auth.iij.jp")
    file = tmp_path / "results" / "references.jsonl"
    found = look(app="readonly", results_file=str(file))
    (app,) = (item for item in found["references"] if item["kind"] == "application")
    assert app["name"] == "\\x1b[2J\\u202eX" and "\x1b" not in json.dumps(found, ensure_ascii=False)
    written = lines(file)
    assert [item for item in written if item["record"] == "references"] == [{"record": "references", **item} for item in found["references"]]
    assert len([item for item in written if item["record"] == "not_looked_at"]) == found["not_looked_at_count"]
    assert file.stat().st_mode & 0o077 == 0
    look(app="readonly", results_file=str(file))
    assert len(lines(file)) == len(written)


def test_the_stages_tell_and_the_final_gate_waits(tenant, tmp_path: Path):
    """Preflight warns; at the final gate what points there, or was not looked at, is open until a person says so, object by object."""
    decoy = company.make_id("application", "decoy")
    tenant.arrange("applications", decoy, notes="\x1b]0;https://www.auth.iij.jp/")
    tenant.faults.add(times=None, path="/v1.0/policies/claimsMappingPolicies", status=403, code="Authorization_RequestDenied")
    operator = Operator(tenant, tmp_path)
    code, output = operator.play("preflight", "--check")
    assert code == 0 and "Of the app registrations 1 points at IIJ ID" in output and not operator.run_dir.exists()
    operator.must("preflight")
    told = json.loads((operator.run_dir / "results" / "preflight.json").read_text())["findings"]
    before = {item["code"]: item for item in reversed(told)}  # of several the gravest: staged rollouts are a fact
    assert before["points_at_iij"]["severity"] == before["not_looked_at"]["severity"] == "warning"
    assert before["points_at_iij"]["objects"] == [decoy] and before["reference_accepted"]["severity"] == "info"
    assert len(lines(operator.run_dir / "results" / "references_before.jsonl")) == 7
    found = operator.findings()
    assert {"points_at_iij", "not_looked_at"} <= blockers(found) and found["not_looked_at"]["objects"] == ["claims_mapping_policy"]
    assert "Policy.Read.All" in found["not_looked_at"]["en"] and "\x1b" not in json.dumps(found)
    operator.play("final_gate", microsoft_365_accepted_references=[decoy], microsoft_365_accepted_not_looked_at=["claims_mapping_policy"])
    after = json.loads((operator.run_dir / "results" / "final_gate.json").read_text())["findings"]
    # what the lab's decisions had accepted is open now, since the variable was given anew
    assert [item["objects"] for item in after if item["code"] == "points_at_iij"] == [
        [company.make_id("mobile_apps", "IIJ SmartKey")],
        [company.make_id("device_configurations", "iPhoneのシングルサインオン")],
    ]
    assert [(item["severity"], item["objects"]) for item in after if item["code"] == "not_looked_at"] == [("blocker", ["feature_rollout_policy"])]
    report = (operator.run_dir / "report.html").read_text()
    assert "IIJ SmartKey" in report and "claims_mapping_policy" in report and "\x1b" not in report
    assert tenant.writes() == []
