# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies that may still point at an identity provider.

Feature rollout policies have no application permission at all (learn.microsoft.com/graph/api/list-featurerolloutpolicies: delegated only), so an
application is always refused; `Settings.delegated` makes the tokens those of a person.
"""

from __future__ import annotations

from ..answers import Answer
from ..operation import Call, operation


@operation("GET", "/policies/homeRealmDiscoveryPolicies", permissions="Policy.Read.All Policy.ReadWrite.ApplicationConfiguration")
def home_realm_discovery(call: Call) -> Answer:
    return call.page("homeRealmDiscoveryPolicy", call.table("home_realm_policies"))


@operation("GET", "/policies/authorizationPolicy", permissions="Policy.Read.All Policy.ReadWrite.Authorization")
def authorization(call: Call) -> Answer:
    """Entra's defaults: learn.microsoft.com/graph/api/authorizationpolicy-get."""
    return call.one(
        "authorizationPolicy",
        {
            "id": "authorizationPolicy",
            "displayName": "Authorization Policy",
            "description": "Used to manage authorization related settings across the company.",
            "allowInvitesFrom": "everyone",
            "allowedToSignUpEmailBasedSubscriptions": True,
            "allowedToUseSSPR": True,
            "allowEmailVerifiedUsersToJoinOrganization": False,
            "blockMsolPowerShell": False,
            "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
            "defaultUserRolePermissions": {
                "allowedToCreateApps": True,
                "allowedToCreateSecurityGroups": True,
                "allowedToReadOtherUsers": True,
                "permissionGrantPoliciesAssigned": [],
            },
        },
    )


@operation("GET", "/policies/identitySecurityDefaultsEnforcementPolicy", permissions="Policy.Read.All Policy.ReadWrite.SecurityDefaults")
def security_defaults(call: Call) -> Answer:
    """Off, since the fixture has policies of Conditional Access: learn.microsoft.com/graph/api/identitysecuritydefaultsenforcementpolicy-get."""
    return call.one(
        "identitySecurityDefaultsEnforcementPolicy",
        {
            "id": "00000000-0000-0000-0000-000000000005",
            "displayName": "Security Defaults",
            "description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft.",
            "isEnabled": call.graph.settings.security_defaults,
        },
    )


@operation("GET", "/policies/featureRolloutPolicies", permissions="", delegated=True)
def feature_rollout(call: Call) -> Answer:
    return call.page("featureRolloutPolicy", call.table("feature_rollout_policies"))
