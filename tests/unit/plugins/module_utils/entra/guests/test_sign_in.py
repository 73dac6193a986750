# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How guests sign in, now and after another redemption: tables over issuers, order and realms."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Object
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federations.realm import Realm
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guest import Guest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests import info as guest_sign_in

ISSUER = "http://sts.fabrikam.example/adfs/services/trust"
FEDERATIONS = [Object("external_federation", "1", "Fabrikam", {"issuerUri": ISSUER, "domains": ["fabrikam.example"]})]
DEFAULT = ("azureActiveDirectory", "externalFederation", "socialIdentityProviders")
FEDERATION_FIRST = ("externalFederation", "azureActiveDirectory", "socialIdentityProviders")


@pytest.mark.parametrize(
    ("issuers", "state", "expected"),
    [
        ((ISSUER,), "Accepted", "direct_federation"),
        (("Fabrikam.example",), "Accepted", "direct_federation"),
        (("ExternalAzureAD",), "Accepted", "entra"),
        (("mail",), "Accepted", "one_time_passcode"),
        (("MicrosoftAccount",), "Accepted", "microsoft_account"),
        (("google.com",), "Accepted", "google"),
        (("facebook.com",), "Accepted", "facebook"),
        (("https://removed.example/",), "Accepted", "other"),
        ((), "Accepted", "unknown"),
        (("ExternalAzureAD",), "PendingAcceptance", "not_redeemed"),
    ],
)
def test_signs_in_by(issuers, state, expected):
    guest = Guest("1", "a#EXT#", "A", "a@fabrikam.example", True, state, issuers)
    assert guest_sign_in.signs_in_by(guest, FEDERATIONS) == expected


@pytest.mark.parametrize(
    ("domain", "order", "fallback", "found", "expected"),
    [
        ("fabrikam.example", DEFAULT, "defaultConfiguredIdp", Realm("Unknown"), "direct_federation"),
        ("fabrikam.example", DEFAULT, "defaultConfiguredIdp", Realm("Managed"), "entra"),
        ("fabrikam.example", DEFAULT, "defaultConfiguredIdp", Realm("Managed", unmanaged=True), "direct_federation"),
        ("fabrikam.example", DEFAULT, "defaultConfiguredIdp", None, "unknown"),
        ("fabrikam.example", FEDERATION_FIRST, "defaultConfiguredIdp", Realm("Managed"), "direct_federation"),
        ("fabrikam.example", FEDERATION_FIRST, "defaultConfiguredIdp", None, "direct_federation"),
        ("other.example", FEDERATION_FIRST, "defaultConfiguredIdp", Realm("Unknown"), "one_time_passcode"),
        ("other.example", FEDERATION_FIRST, "emailOneTimePasscode", Realm("Unknown"), "one_time_passcode"),
        ("other.example", FEDERATION_FIRST, "microsoftAccount", Realm("Unknown"), "microsoft_account"),
        ("other.example", FEDERATION_FIRST, "somethingNew", Realm("Unknown"), "unknown"),
        ("gmail.com", DEFAULT, "defaultConfiguredIdp", Realm("Unknown"), "unknown"),
    ],
)
def test_next_redemption(domain, order, fallback, found, expected):
    policy = {"primaryIdentityProviderPrecedenceOrder": list(order), "fallbackIdentityProvider": fallback}
    assert guest_sign_in.next_redemption(domain, FEDERATIONS, policy, {domain: found}) == expected
