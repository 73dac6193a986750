# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.provisioning.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "said"), [
    ({"app_id": "IIJ ID"}, "app_id 'IIJ ID' is not a client id"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("entra_provisioning_gate", **{"path": "/run/gate.json", **options}))
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize(("options", "said"), [
    ({"domains": [" "]}, "domains: what is given names no domain"),
    ({"client_ids": ["IIJ"]}, "not a client id"),
    ({"also_enable": ["Taro"]}, "also_enable: 'Taro' is neither"),
    ({"exclude": ["@a.example"]}, "exclude: "),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        InfoOptions.of(given("entra_provisioning_info", **{"domains": ["a.example"], **options}))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them() -> None:
    assert Options.of(given("entra_provisioning_gate", path="/run/gate.json")).client_id == ""
    made = InfoOptions.of(
        given("entra_provisioning_info", domains=["A.example"], client_ids=["", "AAAAAAAA-0000-4000-8000-000000000001"], also_enable=["T@A.example"])
    )
    assert (made.domains, made.client_ids, made.census.also_enable) == ({"a.example"}, ["aaaaaaaa-0000-4000-8000-000000000001"], {"t@a.example"})
