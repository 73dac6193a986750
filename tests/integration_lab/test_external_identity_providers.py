# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option external_identity_providers alone: the app in the tenant that IIJ ID signs people in with is found, saved, removed and brought back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lab import company
from lab.testing import RunningTenant

from .test_people import Operator, blockers

APP = "0b1f3e8a-57a1-4f0c-8a10-aa11d0000077"
CALLBACK = "https://reiji.auth.iij.jp/rp/callback"


def add(tenant: RunningTenant, place: str) -> tuple[str, str]:
    """IIJ ID's app, with its redirect address where a web application, a single-page one or a SAML service has it; the ids of its two objects."""
    application, principal = company.make_id("application", "external"), company.make_id("service_principal", "external")
    made = company.application(APP, "社員ポータル連携", id=application)
    if place == "replyUrls":
        tenant.arrange("service_principals", principal, **company.service_principal(APP, "社員ポータル連携", id=principal, replyUrls=[CALLBACK]))
    else:
        made[place] = {**made[place], "redirectUris": [CALLBACK]}
        tenant.arrange("service_principals", principal, **company.service_principal(APP, "社員ポータル連携", id=principal))
    tenant.arrange("applications", application, **made)
    return application, principal


def there(tenant: RunningTenant, objects: tuple[str, str]) -> list[bool]:
    return [key in tenant.store.tables[table].objects for table, key in zip(("applications", "service_principals"), objects, strict=True)]


@pytest.mark.long
@pytest.mark.parametrize("place", ["web", "spa", "replyUrls"])
def test_the_app_goes_and_comes_back(tenant: RunningTenant, tmp_path: Path, place: str) -> None:
    objects = add(tenant, place)
    options = {
        "offboard_options": ["external_identity_providers"],
        "microsoft_365_domains": [],
        "offboard_iij_client_id": "",
        "microsoft_365_old_client_ids": [],
    }
    operator = Operator(tenant, tmp_path, **options)
    operator.must("preflight")
    found = json.loads((operator.run_dir / "results" / "preflight.json").read_text())["findings"]
    (told,) = [item for item in found if item["code"] == "app_candidate" and item["objects"] == [APP]]
    assert told["severity"] == "warning" and "auth.iij.jp" in told["en"]
    assert f"#   - '{APP}'" in (operator.run_dir / "decisions.draft.yml").read_text()
    assert not {item["code"] for item in found} & {"domain_not_confirmed", "points_at_iij", "not_looked_at"}

    operator = Operator(tenant, tmp_path, **{**options, "microsoft_365_old_client_ids": [APP]})
    code, output = operator.play("app")
    assert code and "snapshot" in output and tenant.writes() == [], output[-2000:]
    operator.must("snapshot")
    assert "app_present" in blockers(operator.findings())
    operator.must("app", "--check")
    assert tenant.writes() == [] and there(tenant, objects) == [True, True]
    operator.must("app")
    assert there(tenant, objects) == [False, False]
    assert "app_present" not in operator.findings()
    tenant.clear_requests()
    operator.must("app")
    assert tenant.writes() == []
    operator.must("restore", offboard_restore=["app"])
    assert there(tenant, objects) == [True, True] and tenant.violations() == []
