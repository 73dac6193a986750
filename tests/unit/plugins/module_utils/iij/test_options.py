# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.options import InfoOptions, Options
from dev.options import given


def test_a_page_has_something_on_it() -> None:
    with pytest.raises(OffboardError, match="page_size must be 1 at least") as caught:
        Options.of(given("iij_id_export", path="/e", access_token="hush", page_size=0))
    for name in ("max_resources", "attempts", "timeout"):
        with pytest.raises(OffboardError, match=f"{name} must be 1 at least"):
            Options.of(given("iij_id_export", path="/e", access_token="hush", **{name: 0}))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    made = Options.of(given("iij_id_export", path="e", access_token="hush"))
    assert (made.path, made.attempts) == ("/e", 3) and "hush" not in repr(made)
    assert InfoOptions.of(given("iij_id_export_info", path="e")).path == "/e"
