# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests.options import InfoOptions, Options, default_redirect_url
from ansible_collections.offboard.iij_id.plugins.module_utils._federation.values import mail_address
from dev.options import given

TENANT = "4a2d3f6e-0b1c-4d5e-8f90-123456789abc"
GUESTS = [{"mail": "a@fabrikam.example"}]


@pytest.mark.parametrize(("options", "said"), [
    ({}, "state=invited needs guests or ids"),
    ({"state": "redemption_reset"}, "select guests by"),
    ({"domains": ["a.example"], "state": "absent"}, "select guests for state=redemption_reset only"),
    ({"ids": ["x"]}, "state=invited takes guests, not ids"),
    ({"state": "reinvited", "ids": ["x"]}, "needs backup_dir"),
    ({"guests": GUESTS * 2}, "is named twice"),
    ({"guests": GUESTS, "settle_seconds": 5}, "it needs journal"),
    ({"guests": GUESTS, "redirect_url": "http://a.example"}, "not an https address"),
    ({"guests": GUESTS, "language": "Japanese!"}, "language is 'Japanese!'"),
    ({"guests": GUESTS, "cc": ["a@b.example", "c@d.example"]}, "cc names 2 addresses"),
    ({"guests": GUESTS, "cloud": "china"}, "give redirect_url"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("entra_guests", **{"tenant_id": TENANT, **options}))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them() -> None:
    made = Options.of(given("entra_guests", tenant_id=TENANT, guests=[*GUESTS, {"mail": "b@fabrikam.example"}], exclude=["A@FABRIKAM.example"]))
    assert [who.mail for who in made.wanted] == ["b@fabrikam.example"]
    assert made.wanted[0].invitation["inviteRedirectUrl"] == f"https://myapps.microsoft.com/?tenantid={TENANT}"
    assert made.invites and made.by_name
    assert not Options.of(given("entra_guests", tenant_id=TENANT, state="redemption_reset", domains=["fabrikam.example"])).by_name
    assert InfoOptions.of(given("entra_guests_info", domains=["Fabrikam.example"])).domains == {"fabrikam.example"}


@pytest.mark.parametrize(
    ("text", "address"),
    [(" Adele@Fabrikam.Example ", "Adele@fabrikam.example"), ("o'neil+x@b.example", "o'neil+x@b.example"), ("a@ü.example", "a@xn--tda.example")],
)
def test_mail_addresses(text, address):
    assert mail_address(text) == address


@pytest.mark.parametrize("text", ["", "a", "@b.example", "a b@c.example", "a@b@c.example", "<a>@b.example", "a@", "a@b"])
def test_what_is_no_mail_address(text):
    with pytest.raises(OffboardError):
        mail_address(text)


@pytest.mark.parametrize(("tenant", "address"), [
    ("4a2d3f6e-0b1c-4d5e-8f90-123456789abc", "https://myapps.microsoft.com/?tenantid=4a2d3f6e-0b1c-4d5e-8f90-123456789abc"),
    ("reiji.onmicrosoft.com", "https://myapps.microsoft.com/reiji.onmicrosoft.com"),
])  # fmt: skip
def test_the_default_redirect(tenant, address):
    assert default_redirect_url(tenant, "global") == address
