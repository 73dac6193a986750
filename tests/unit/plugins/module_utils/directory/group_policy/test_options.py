# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.options import InfoOptions
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.registry.options import Options as RegistryOptions
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.right.options import Options as RightOptions
from dev.options import given

GUID = "{31B2F340-016D-11D2-945F-00C04FB984F9}"


@pytest.mark.parametrize(("options", "code"), [
    ({"policies": ["Default"]}, "bad_option"),
    ({"hosts": ["https://"]}, "bad_option"),
])  # fmt: skip
def test_what_is_of_registry_settings_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        RegistryOptions.of(given("group_policy_registry", **{"policies": [GUID], "state": "absent", "backup_dir": "/b", "hosts": ["a.example"], **options}))
    assert caught.value.code == code


@pytest.mark.parametrize(("options", "code"), [
    ({}, "bad_option"),
    ({"only_removed": True, "policies": ["x"]}, "bad_option"),
    *(({"rights": [right]}, "bad_option") for right in ("SeBatchLogonRigth", " SeBatchLogonRight", "Log on as a batch job", "SeX = y\r\n[Registry Keys]", "")),
])  # fmt: skip
def test_what_is_of_rights_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        RightOptions.of(given("group_policy_right", **{"policies": [GUID], "state": "present", "backup_dir": "/b", "accounts": [], **options}))
    assert caught.value.code == code


@pytest.mark.parametrize(("options", "code"), [
    ({"policies": ["Default"]}, "bad_option"),
    ({"hosts": ["https://"]}, "bad_option"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        InfoOptions.of(given("group_policy_info", **options))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    made = RegistryOptions.of(given("group_policy_registry", policies=[GUID, GUID.lower().strip("{}")], state="present", backup_dir="/b"))
    assert made.policies == [GUID] and made.is_return and made.hosts == []
