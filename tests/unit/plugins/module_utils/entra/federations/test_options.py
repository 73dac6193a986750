# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federations.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "said"), [
    ({"domains": {"remove": ["Fabrikam.example"]}}, "names the federation, so it cannot"),
    ({"domains": {"set": ["other.example"]}}, "names the federation, so it cannot"),
    ({"configuration": {"domains": [{"name": "fabrikam.example"}]}}, "domains is not as a copy has it"),
    ({"configuration": {"domains": "fabrikam.example"}}, "domains is not as a copy has it"),
    ({"configuration": {"domains": ["fabrikam.example", None]}}, "domains is not as a copy has it"),
    ({"configuration": {"issuerUri": 5, "displayName": ["x"]}}, "displayName, issuerUri is not as a copy has it"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("entra_external_federation", **{"domain": "fabrikam.example", **options}))
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize(("options", "code"), [
    ({"domain": "jp"}, "domain_invalid"),
    ({"domains": {"add": ["a b"]}}, "domain_invalid"),
    ({"protocol": "oidc"}, "protocol_unknown"),
    ({"signing_certificate": "MIIB"}, "certificate_invalid"),
    ({"signing_certificate": "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"}, "private_key"),
])  # fmt: skip
def test_what_no_federation_can_have(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        Options.of(given("entra_external_federation", **{"domain": "fabrikam.example", **options}))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    saved = {"domains": [{"id": "fabrikam.example"}, "b.example"], "issuerUri": "urn:saved", "preferredAuthenticationProtocol": "samlp"}
    made = Options.of(given("entra_external_federation", domain="Fabrikam.example", configuration=saved, issuer_uri=" urn:given "))
    assert made.set_to == ("fabrikam.example", "b.example")
    assert made.settings == {"issuerUri": "urn:given", "preferredAuthenticationProtocol": "saml"}, "what is given by hand overrules what was saved"
    assert made.metadata is None and made.wanted(None).entity is None
    assert InfoOptions.of(given("entra_external_federation_info")).domains == frozenset()


@pytest.mark.parametrize(
    ("written", "meant"), [("Samlp", "saml"), ("SAML 2.0", "saml"), ("WsFed", "wsFed"), ("WS-FED", "wsFed"), ("WS-Federation", "wsFed"), (" saml ", "saml")]
)
def test_a_protocol_as_the_admin_centre_and_its_command_write_it(written: str, meant: str) -> None:
    made = Options.of(given("entra_external_federation", domain="fabrikam.example", protocol=written))
    assert made.settings == {"preferredAuthenticationProtocol": meant}
