# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.apps.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "said"), [
    ({"app_id": "IIJ ID"}, "app_id 'IIJ ID' is not a client id"),
    ({"app_id": ""}, "not a client id"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("entra_app", **options))
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize(("options", "said"), [
    ({"name_patterns": ["(iij"]}, "name_patterns: .* is not a regular expression"),
    ({"hosts": []}, "names no host"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        InfoOptions.of(given("entra_app_info", **options))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them() -> None:
    made = Options.of(given("entra_app", app_id="{AAAAAAAA-0000-4000-8000-000000000001}", grants="remove"))
    assert (made.client_id, made.state, made.remove_grants) == ("aaaaaaaa-0000-4000-8000-000000000001", "present", True)
    assert InfoOptions.of(given("entra_app_info")).hosts == ("auth.iij.jp",)
