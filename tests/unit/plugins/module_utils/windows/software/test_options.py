# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.software.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "code"), [
    ({"name_patterns": ["(iij"]}, "pattern_invalid"),
    ({"folders": ["IIJ"]}, "path_invalid"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        InfoOptions.of(given("win_software_info", **options))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    assert Options.of(given("win_software", products=[{"name": "Agent"}])).timeout_minutes == 15
    made = InfoOptions.of(given("win_software_info", folders=["c:/Program Files/IIJ/"]))
    assert (made.name_patterns, made.folders) == ([], [r"C:\Program Files\IIJ"])
