# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a guest signs in, and how one would redeem an invitation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.model import Object
from ..._federation.url_rule import comparable
from ..federations.realm import Realm
from ..guest import Guest

DIRECT_FEDERATION, ENTRA, ONE_TIME_PASSCODE, MICROSOFT_ACCOUNT = "direct_federation", "entra", "one_time_passcode", "microsoft_account"


GOOGLE, FACEBOOK, OTHER, NOT_REDEEMED, UNKNOWN = "google", "facebook", "other", "not_redeemed", "unknown"


#: https://learn.microsoft.com/entra/external-id/user-properties
_ISSUERS = {
    "externalazuread": ENTRA,
    "mail": ONE_TIME_PASSCODE,
    "microsoftaccount": MICROSOFT_ACCOUNT,
    "google.com": GOOGLE,
    "facebook.com": FACEBOOK,
}


#: What a guest gets whom none of the primary identity providers takes. The default is the one-time passcode, which a tenant may have switched off.
_FALLBACKS = {"defaultConfiguredIdp": ONE_TIME_PASSCODE, "emailOneTimePasscode": ONE_TIME_PASSCODE, "microsoftAccount": MICROSOFT_ACCOUNT}


#: Google federation takes these; https://learn.microsoft.com/entra/external-id/google-federation
_GOOGLE_DOMAINS = ("gmail.com", "googlemail.com")


def signs_in_by(guest: Guest, federations: Iterable[Object]) -> str:
    """How the guest signs in now. `other`: the account points at an issuer that no federation of the tenant has."""
    if guest.state == "PendingAcceptance":
        return NOT_REDEEMED
    issuers = {comparable(issuer) for issuer in guest.issuers}
    for item in federations:
        if issuers & {comparable(item.state["issuerUri"] or ""), *item.state["domains"]}:
            return DIRECT_FEDERATION
    return next((_ISSUERS[issuer] for issuer in sorted(issuers) if issuer in _ISSUERS), OTHER if issuers else UNKNOWN)


def next_redemption(domain: str, federations: Iterable[Object], order: Mapping[str, Any], realms: Mapping[str, Realm | None]) -> str:
    """How somebody of `domain` would sign in after redeeming now. `unknown` when it depends on something that could not be looked up.

    order: as redemption_order reads it. realms: by domain, None where the sign-in service did not tell.
    """
    for provider in order["primaryIdentityProviderPrecedenceOrder"]:
        if provider == "azureActiveDirectory":
            found = realms.get(domain)
            if found is None:
                return UNKNOWN
            if found.verified:
                return ENTRA
        elif provider == "externalFederation" and any(domain in item.state["domains"] for item in federations):
            return DIRECT_FEDERATION
        elif provider == "socialIdentityProviders" and domain in _GOOGLE_DOMAINS:
            return UNKNOWN  # whether the tenant federates with Google cannot be read here
    return _FALLBACKS.get(order["fallbackIdentityProvider"], UNKNOWN)
