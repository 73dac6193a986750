# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before the steps file, or a file of evidence, is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.status.options import InfoOptions as StatusOptions
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "give it with confirm, and without withdraw"),
        ({"confirm": ["a"], "withdraw": ["b"]}, "give it with confirm, and without withdraw"),
        ({"confirm": ["a"], "evidence_max_mb": 0}, "evidence_max_mb must be 1 at least"),
    ],
)
def test_evidence_belongs_to_what_is_confirmed(options: dict[str, Any], told: str) -> None:
    with pytest.raises(OffboardError, match=told) as refused:
        Options.of(given("manual_steps", path="/run/steps.json", evidence=["/scan.pdf"], **options))
    assert refused.value.code == "bad_option"


def test_what_is_made_of_them() -> None:
    made = Options.of(given("manual_steps", path="/run/steps.json", confirm=["a"], evidence=["/scan.pdf"], evidence_max_mb=2))
    assert (made.folder, made.max_bytes, made.by, made.note) == ("/run", 2_000_000, "", "")
    assert InfoOptions.of(given("manual_steps_info", path="/run/steps.json")).folder == "/run"
    assert StatusOptions.of(given("run_status_info", run_dir="/run")).left_out == {}
