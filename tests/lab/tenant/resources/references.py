# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else in a tenant can point at an identity provider, and only has to be listed here: policies, extensions, Conditional Access, partners, certificate
authorities, Intune. The objects are those of `others` in company.yml, and what a test arranges.

Sources: learn.microsoft.com/graph/api, the list operation of each; permissions: Microsoft's permissions.json, state 2026-08-07. Refusals: Conditional
Access and authentication events need Entra ID P1, Intune its own licence (`Settings.premium`, `Settings.intune`); the texts are those of public reports.
"""

from __future__ import annotations

from ... import company
from ..answers import Answer, GraphError, bad_request, encode, not_found
from ..operation import Call, operation

_POLICY = "Policy.Read.All Policy.ReadWrite.ApplicationConfiguration"
_ACCESS = "Policy.Read.All"
APPS = "DeviceManagementApps.Read.All DeviceManagementApps.ReadWrite.All"
CONFIGURATION = "DeviceManagementConfiguration.Read.All DeviceManagementConfiguration.ReadWrite.All"

#: path: (Graph type, table, permissions)
_LISTS = {
    "/policies/claimsMappingPolicies": ("claimsMappingPolicy", "claims_mapping_policies", _POLICY),
    "/policies/tokenIssuancePolicies": ("tokenIssuancePolicy", "token_issuance_policies", _POLICY),
    "/policies/tokenLifetimePolicies": ("tokenLifetimePolicy", "token_lifetime_policies", _POLICY),
    "/policies/crossTenantAccessPolicy/partners": (
        "crossTenantAccessPolicyConfigurationPartner",
        "cross_tenant_partners",
        "Policy.Read.All Policy.ReadWrite.CrossTenantAccess",
    ),
    "/identity/customAuthenticationExtensions": (
        "customAuthenticationExtension",
        "authentication_extensions",
        "CustomAuthenticationExtension.Read.All CustomAuthenticationExtension.ReadWrite.All",
    ),
    "/identity/authenticationEventListeners": (
        "authenticationEventListener",
        "event_listeners",
        "EventListener.Read.All EventListener.ReadWrite.All",
    ),
    "/identity/conditionalAccess/policies": ("conditionalAccessPolicy", "access_policies", f"{_ACCESS} Policy.ReadWrite.ConditionalAccess"),
    "/identity/conditionalAccess/namedLocations": ("namedLocation", "named_locations", f"{_ACCESS} Policy.ReadWrite.ConditionalAccess"),
    "/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations": (
        "certificateBasedAuthPki",
        "certificate_stores",
        "PublicKeyInfrastructure.Read.All",
    ),
    "/deviceAppManagement/mobileApps": ("mobileApp", "mobile_apps", APPS),
    "/deviceAppManagement/mobileAppConfigurations": ("managedDeviceMobileAppConfiguration", "mobile_app_configurations", APPS),
    "/deviceAppManagement/targetedManagedAppConfigurations": ("targetedManagedAppConfiguration", "managed_app_configurations", APPS),
    "/deviceManagement/deviceConfigurations": ("deviceConfiguration", "device_configurations", CONFIGURATION),
    # learn.microsoft.com/graph/api/intune-devices-detectedapp-list
    "/deviceManagement/detectedApps": (
        "detectedApp",
        "detected_apps",
        f"DeviceManagementManagedDevices.Read.All DeviceManagementManagedDevices.ReadWrite.All {CONFIGURATION}",
    ),
}


def licensed(call: Call) -> None:
    """Refuse what the tenant has no licence for."""
    path = call.operation.path
    if path.startswith("/device") and not call.graph.settings.intune:
        bad_request("Request not applicable to target tenant.", "BadRequest")
    if path.startswith("/identity/conditionalAccess") and not call.graph.settings.premium:
        raise GraphError(403, "AccessDenied", "Your tenant is not licensed for this feature.")


def _declare(path: str, kind: str, table: str, permissions: str) -> None:
    @operation("GET", path, permissions=permissions)
    def listed(call: Call) -> Answer:
        licensed(call)
        return call.page(kind, call.table(table))


for _path, _values in _LISTS.items():
    _declare(_path, *_values)


@operation(
    "GET",
    "/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/{store}/certificateAuthorities",
    permissions="PublicKeyInfrastructure.Read.All",
)
def certificate_authorities(call: Call) -> Answer:
    call.get("certificate_stores", call.params["store"])
    return call.page("certificateAuthorityDetail", [item for item in call.table("certificate_authorities") if item["_store"] == call.params["store"]])


@operation("GET", "/organization/{id}/certificateBasedAuthConfiguration", permissions="Organization.Read.All Organization.ReadWrite.All")
def certificate_based_authentication(call: Call) -> Answer:
    if call.params["id"] != company.tenant_id():
        not_found(call.params["id"])
    return call.page("certificateBasedAuthConfiguration", call.table("certificate_based_authentication"))


@operation(
    "GET",
    "/organization/{id}/branding/localizations",
    permissions="OrganizationalBranding.Read.All Organization.Read.All Organization.ReadWrite.All OrganizationalBranding.ReadWrite.All",
)
def branding_localizations(call: Call) -> Answer:
    """learn.microsoft.com/graph/api/organizationalbranding-list-localizations. Without any branding the default one is answered with 404
    (organizationalbranding-get); that the list is too is not documented."""
    if call.params["id"] != company.tenant_id() or not list(call.table("branding")):
        not_found(call.params["id"])
    return call.page("organizationalBrandingLocalization", call.table("branding"))


#: Only in beta, for which msgraph-sdk has no models and the strict schema no description: learn.microsoft.com/graph/api/resources/
#: intune-deviceconfigv2-devicemanagementconfigurationpolicy, intune-grouppolicy-grouppolicyconfiguration (view=graph-rest-beta).
_BETA = {
    "/deviceManagement/configurationPolicies": ("configuration_policies", ""),
    "/deviceManagement/configurationPolicies/{policy}/settings": ("configuration_policies", "_settings"),
    "/deviceManagement/groupPolicyConfigurations": ("group_policies", ""),
    "/deviceManagement/groupPolicyConfigurations/{policy}/definitionValues": ("group_policies", "_definitions"),
    "/deviceManagement/groupPolicyConfigurations/{policy}/definitionValues/{definition}/presentationValues": ("group_policies", "_presentations"),
}


def _declare_beta(path: str, table: str, below: str) -> None:
    @operation("GET", path, permissions=CONFIGURATION)
    def listed(call: Call) -> Answer:
        licensed(call)
        if not call.beta:
            bad_request(f"Resource not found for the segment '{path.split('/')[2]}'.", "BadRequest")
        rows = call.get(table, call.params["policy"]).get(below, []) if below else list(call.table(table))
        shown = [
            {name: value for name, value in item.items() if not name.startswith("_")}
            for item in rows
            if item.get("_of") in (None, call.params.get("definition"))
        ]
        return Answer(200, encode({"@odata.context": f"{call.url}/$metadata#{path.strip('/')}", "value": shown}))


for _path, (_table, _below) in _BETA.items():
    _declare_beta(_path, _table, _below)
