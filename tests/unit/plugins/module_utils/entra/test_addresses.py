# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of users by name."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.addresses import user_address


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("0b1f3e8a-57a1-4f0c-8a10-aa11d0000001", "/users/0b1f3e8a-57a1-4f0c-8a10-aa11d0000001"),
        ("sato.taro@reiji.example", "/users/sato.taro%40reiji.example"),
        ("taro_partner.example#EXT#@reiji.onmicrosoft.com", "/users/taro_partner.example%23EXT%23%40reiji.onmicrosoft.com"),
        ("o'brien@reiji.example", "/users/o%27brien%40reiji.example"),
        ("$price@reiji.example", "/users('%24price%40reiji.example')"),
        ("$o'brien@reiji.example", "/users('%24o%27%27brien%40reiji.example')"),
    ],
)
def test_the_path_of_a_user(key: str, path: str) -> None:
    assert user_address(key) == path
