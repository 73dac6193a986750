# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of a snapshot."""

from __future__ import annotations

import json
from pathlib import Path
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


def test_whom_the_operator_names_and_nobody_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A mistyped name left the one who was meant as they were, and the final gate said nothing of it."""
    ids = [f"0000000{number}-0000-4000-8000-000000000000" for number in range(4)]
    records = [{**record(number, "a.example", number != 1, True), "id": user_id} for number, user_id in enumerate(ids)]
    monkeypatch.setattr(users_info, "read_manifest", lambda _path: {"taken": "2026-11-01T00:00:00Z"})
    monkeypatch.setattr(users_info, "read_snapshot_users", lambda *_: iter(records))
    monkeypatch.setattr(users_info, "tenant_of", lambda _client: "t")
    lines = [{"id": ids[0].upper(), "enabled": True}, {"userPrincipalName": "New@A.example", "enabled": True}, {"userPrincipalName": "u3@a.example"}]
    lines += [{"userPrincipalName": "tyop@a.example", "enabled": True}, {"id": "0000000a-0000-4000-8000-00000000000F", "enabled": False}]
    (tmp_path / "src.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    also = frozenset({"u1@a.example", ids[2], "u01@a.example"})
    options: Any = SimpleNamespace(snapshot="s", src=str(tmp_path / "src.jsonl"), also_enable=also, exclude=frozenset(), vault_password=bytes)
    meant = users_info._Meant(None, options, Skus(list), ROOTS)  # type: ignore[arg-type]
    for user_id, upn in [*zip(ids[:3], ("u0@a.example", "u1@a.example", "u2@a.example"), strict=True), ("x", "new@a.example")]:
        meant.of({"id": user_id, "userPrincipalName": upn})
    assert [meant.was_enabled(user_id) for user_id in ids] == [True, True, True, True]  # also_enable names the second
    told = [(name, *found) for _id, name, found in meant.not_seen()]
    assert told == [
        ("u3@a.example", "user_gone"),  # which is told already, whatever was said of them
        ("0000000a-0000-4000-8000-00000000000f", "named_nobody"), ("tyop@a.example", "named_nobody"), ("u01@a.example", "named_nobody"),
    ]  # fmt: skip
