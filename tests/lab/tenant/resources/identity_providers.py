# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity providers that guests may sign up and sign in with besides federations: the built-in ones, which every tenant has.
Source: learn.microsoft.com/graph/api/identitycontainer-list-identityproviders."""

from __future__ import annotations

from ..answers import Answer, not_found
from ..operation import Call, operation
from ..store import Object

_READ = "IdentityProvider.Read.All IdentityProvider.ReadWrite.All"
_BUILT_IN: list[Object] = [
    {"@odata.type": "#microsoft.graph.builtInIdentityProvider", "id": key, "identityProviderType": kind, "displayName": name}
    for key, kind, name in (
        ("MSASignup-OAUTH", "MicrosoftAccount", "Microsoft Account"),
        ("EmailOtpSignup-OAUTH", "EmailOTP", "Email One Time Passcode"),
        ("AADSignup-OAUTH", "AADSignup", "Azure Active Directory Sign up"),
    )
]


@operation("GET", "/identity/identityProviders", permissions=_READ)
def list_providers(call: Call) -> Answer:
    return call.page("identityProviderBase", [*_BUILT_IN, *call.table("identity_providers")])


@operation("GET", "/identity/identityProviders/{id}", permissions=_READ)
def get_provider(call: Call) -> Answer:
    found = next((item for item in _BUILT_IN if item["id"].casefold() == call.params["id"].casefold()), None)
    return call.one("identityProviderBase", found or not_found(call.params["id"]))


@operation("GET", "/identity/identityProviders/availableProviderTypes", permissions=_READ)
def available(call: Call) -> Answer:
    return call.value(["Google", "Facebook", *(str(item["identityProviderType"]) for item in _BUILT_IN)], "Collection(Edm.String)")
