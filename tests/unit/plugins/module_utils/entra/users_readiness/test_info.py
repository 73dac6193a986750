# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of a snapshot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.licences import Skus
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users_readiness import info as users_info

ROOTS = frozenset({"a.example", "b.example"})
ENABLED, BLOCKED, NOT_SAID = True, False, None


def record(number: int, domain: str, enabled: bool | None, licensed: bool) -> dict[str, Any]:
    licences = [{"skuId": "e3", "disabledPlans": []}] if licensed else []
    return {"id": f"{number}", "userPrincipalName": f"u{number}@{domain}", "accountEnabled": enabled, "licences": licences, "groupLicences": []}


@pytest.mark.parametrize(
    ("people", "licensed"),
    [
        ([("a.example", ENABLED, True), ("x.a.example", ENABLED, True), ("a.example", ENABLED, False), ("b.example", ENABLED, False)], {"a.example"}),
        ([("a.example", ENABLED, True), ("a.example", ENABLED, False)], set()),
        ([("a.example", ENABLED, True), ("a.example", BLOCKED, False), ("a.example", NOT_SAID, False)], {"a.example"}),
        ([("c.example", ENABLED, True)], set()),
        ([], set()),
    ],
)
def test_domains_of_whose_enabled_users_most_had_a_licence(monkeypatch: pytest.MonkeyPatch, people: list[Any], licensed: set[str]) -> None:
    records = [record(number, *one) for number, one in enumerate(people)]
    monkeypatch.setattr(users_info, "read_manifest", lambda _path: {"taken": "2026-11-01T00:00:00Z"})
    monkeypatch.setattr(users_info, "read_snapshot_users", lambda *_: iter(records))
    monkeypatch.setattr(users_info, "tenant_of", lambda _client: "t")
    options: Any = SimpleNamespace(snapshot="run/snapshot", src=None, also_enable=(), exclude=frozenset(), vault_password=bytes)
    meant = users_info._Meant(None, options, Skus(list), ROOTS)  # type: ignore[arg-type]
    assert meant.licensed == licensed
