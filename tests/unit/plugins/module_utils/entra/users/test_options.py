# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of users is checked before anything is opened: neither a tenant nor a file is needed to be told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.options import Options
from dev.options import given


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "exactly one of"),
        ({"users": [], "group": "g"}, "exactly one of"),
        ({"domain": " "}, "every user of the tenant"),
        ({"group": "sales"}, "object id of a group"),
        ({"users": ["Taro"]}, "users: 'Taro' is neither"),
        ({"users": [], "exclude": ["Taro"]}, "exclude: 'Taro' is neither"),
        ({"users": [], "also_enable": ["a@b.example"]}, "needs snapshot"),
        ({"users": [], "licence_group": {"id": "sales"}}, "object id of a group"),
        ({"snapshot": "/s", "enabled": True}, "come from the snapshot"),
        ({"snapshot": "/s", "licences": {"add": ["E3"]}}, "come from the snapshot"),
        ({"users": [], "usage_location": "Japan"}, "two letters"),
        ({"users": [], "password": "generate"}, "needs handover_file"),
        ({"users": [], "password": "temporary_access_pass"}, "needs handover_file"),
        ({"users": [], "password": "generate", "handover_file": "/h", "password_length": 3}, "length"),
        ({"users": [], "temporary_access_pass": {"start": "tomorrow"}}, "start"),
        ({"users": [], "shard": "3/2"}, "shard"),
    ],
)
def test_what_is_refused(params: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("entra_users", **params), False)
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them(tmp_path) -> None:
    made = Options.of(given("entra_users", snapshot=str(tmp_path / "none"), usage_location=" jp", also_enable=[" A@B.example "], results_file="/r"), True)
    assert made.usage_location == "JP"
    assert made.also_enable == {"a@b.example"}
    assert made.results_file is None, "check mode writes none"
    assert made.snapshot_is_now
    assert made.reads_licences
    assert not Options.of(given("entra_users", snapshot=str(tmp_path)), True).snapshot_is_now
    assert not Options.of(given("entra_users", snapshot=str(tmp_path / "none")), False).snapshot_is_now


def test_the_vault_password_is_asked_for_only_when_it_is_needed() -> None:
    made = Options.of(given("entra_users", users=[]), False)
    with pytest.raises(OffboardError):
        made.vault_password()
