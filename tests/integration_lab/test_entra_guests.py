# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_guests_info against the lab's tenant."""

from __future__ import annotations

from typing import Any

import pytest
from lab.testing import RunningTenant

from .entra import connection, run_module
from .test_entra_external_federation import DOMAIN, by_hand, guest

ORDER = {"order": ["externalFederation", "azureActiveDirectory", "socialIdentityProviders"]}


@pytest.fixture
def run(tenant: RunningTenant, capsys: pytest.CaptureFixture[str]):
    def call(module: str = "entra_guests_info", **options: Any) -> dict[str, Any]:
        return run_module(capsys, module, {**connection(tenant), **options})

    return call


def test_how_guests_sign_in_now_and_after_another_redemption(run, tenant):
    early = guest(tenant, f"early@{DOMAIN}")
    assert run("entra_external_federation", **by_hand())["changed"] is True
    assert run("entra_redemption_order", **ORDER)["changed"] is True
    late = guest(tenant, f"late@{DOMAIN}")
    invited = {"invitedUserEmailAddress": f"pending@{DOMAIN}", "inviteRedirectUrl": "https://myapps.microsoft.com"}
    assert tenant.client().call("POST", "/invitations", invited).status == 201
    tenant.clear_requests()
    found = run(domains=[DOMAIN])
    assert not found.get("failed"), found
    ways = {entry["mail"]: (entry["signs_in_by"], entry["next_redemption"]) for entry in found["guests"]}
    assert ways[f"late@{DOMAIN}"] == ("direct_federation", "direct_federation")
    assert ways[f"pending@{DOMAIN}"] == ("not_redeemed", "direct_federation")
    assert ways[f"early@{DOMAIN}"][0] not in ("direct_federation", "not_redeemed"), "who redeemed before keeps the old way"
    assert ways[f"early@{DOMAIN}"][1] == "direct_federation"
    assert found["count"] == 3
    assert sum(found["by_sign_in"].values()) == 3
    assert found["redemption_order"]["order"] == ORDER["order"]
    assert [entry["mail"] for entry in run(domains=[DOMAIN], states=["PendingAcceptance"])["guests"]] == [f"pending@{DOMAIN}"]
    issuers = next(entry["issuers"] for entry in found["guests"] if entry["id"] == late["id"])
    assert [entry["id"] for entry in run(issuers=issuers)["guests"]] == [late["id"]]
    assert early["id"] in {entry["id"] for entry in run()["guests"]}
    assert run(domains=["nobody.example"])["count"] == 0
    assert tenant.writes() == []


def test_what_is_not_looked_up_is_unknown(run, tenant):
    guest(tenant, f"early@{DOMAIN}")
    (entry,) = run(domains=[DOMAIN], look_up_domains=False)["guests"]
    assert entry["next_redemption"] == "unknown"


def test_a_domain_that_is_none(run):
    assert run(domains=["not a domain"])["failure"]["code"] == "domain_invalid"


def test_a_refused_read_is_a_failure(run, tenant):
    tenant.faults.add(method="GET", path=".*/users", status=403, code="Authorization_RequestDenied", times=99)
    assert run()["failure"]["code"] == "permission_missing"
