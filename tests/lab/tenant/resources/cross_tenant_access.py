# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default cross-tenant access settings, of which only the redemption order has an effect here.

Sources: learn.microsoft.com/graph/api/crosstenantaccesspolicyconfigurationdefault-get, -update, -resettosystemdefault;
learn.microsoft.com/graph/api/resources/defaultinvitationredemptionidentityproviderconfiguration for the defaults.
"""

from __future__ import annotations

from ..answers import Answer, bad_request
from ..operation import NO_CONTENT, Call, operation
from ..store import Object, Store

_PATH = "/policies/crossTenantAccessPolicy/default"
_KIND = "crossTenantAccessPolicyConfigurationDefault"
_ORDER = "invitationRedemptionIdentityProviderConfiguration"
_PRIMARY = ("azureActiveDirectory", "externalFederation", "socialIdentityProviders")
_FALLBACK = ("defaultConfiguredIdp", "emailOneTimePasscode", "microsoftAccount")
_ALL: Object = {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]}
_APPS: Object = {"accessType": "allowed", "targets": [{"target": "AllApplications", "targetType": "application"}]}
_SYSTEM_DEFAULT: Object = {
    "isServiceDefault": True,
    "inboundTrust": {"isMfaAccepted": False, "isCompliantDeviceAccepted": False, "isHybridAzureADJoinedDeviceAccepted": False},
    "b2bCollaborationInbound": {"usersAndGroups": _ALL, "applications": _APPS},
    "b2bCollaborationOutbound": {"usersAndGroups": _ALL, "applications": _APPS},
    _ORDER: {"primaryIdentityProviderPrecedenceOrder": list(_PRIMARY), "fallbackIdentityProvider": "defaultConfiguredIdp"},
}


def _current(store: Store) -> Object:
    return _SYSTEM_DEFAULT | store.tables["cross_tenant_access"].objects.get("default", {})


def redemption_order(store: Store) -> Object:
    """The redemption order in force."""
    return _current(store)[_ORDER]


@operation("GET", _PATH, permissions="Policy.Read.All Policy.ReadWrite.CrossTenantAccess")
def get(call: Call) -> Answer:
    return call.one(_KIND, _SYSTEM_DEFAULT | (call.find("cross_tenant_access", "default") or {}))


@operation("PATCH", _PATH, permissions="Policy.ReadWrite.CrossTenantAccess", body=_KIND)
def update(call: Call) -> Answer:
    order = call.body.get(_ORDER)
    if order is not None:
        primary = order.get("primaryIdentityProviderPrecedenceOrder") or []
        if not primary or len(set(primary)) != len(primary) or not set(primary) <= set(_PRIMARY) or order.get("fallbackIdentityProvider") not in _FALLBACK:
            bad_request(f"lab: {_ORDER} names an identity provider twice, or one that is not possible there.", "BadRequest")
    values = {name: {key: item for key, item in value.items() if "@" not in key} if isinstance(value, dict) else value for name, value in call.body.items()}
    call.store.put("cross_tenant_access", "default", {**values, "id": "default", "isServiceDefault": False})
    call.audit("Update the company default cross-tenant access setting", "Policy", {"id": "default"})
    return NO_CONTENT


@operation("POST", f"{_PATH}/resetToSystemDefault", permissions="Policy.ReadWrite.CrossTenantAccess")
def reset(call: Call) -> Answer:
    """All of the settings, not the redemption order alone."""
    call.store.put("cross_tenant_access", "default", {"id": "default", **_SYSTEM_DEFAULT})
    call.audit("Reset the company default cross-tenant access setting", "Policy", {"id": "default"})
    return NO_CONTENT
