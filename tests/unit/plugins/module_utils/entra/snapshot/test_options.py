# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.snapshot.options import Options
from dev.options import given


@pytest.mark.parametrize(("options", "said"), [
    ({"also_enable": ["Taro"]}, "also_enable: 'Taro' is neither"),
    ({"exclude": ["Taro"]}, "exclude: "),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("entra_snapshot", **{"path": "/run/snapshot", **options}))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    made = Options.of(given("entra_snapshot", path="run/snapshot"))
    assert (made.path, made.domains, made.max_blocked_percent) == ("/run/snapshot", (), None)
    with pytest.raises(OffboardError) as caught:
        made.vault_password()
    assert caught.value.code == "vault_password_missing"
