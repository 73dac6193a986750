# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Very many findings in one event of AWX."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.text import Text
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.finding import Finding
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import telling

WARNINGS = [Finding("warning", f"warn{number}", Text(f"Service {number} " * 9, f"サービス {number} " * 9)) for number in range(500)]
BLOCKERS = [Finding("blocker", f"stop{number}", Text(f"Step {number} " * 9, f"手順 {number} " * 9)) for number in range(500)]


@pytest.mark.parametrize("language", ["en", "ja", "both"])
def test_the_gravest_of_very_many_are_told(language: str) -> None:
    """A company with 500 services has a step for each."""
    told = telling.summary([*WARNINGS, *BLOCKERS], language, final=True)
    assert (told["blockers"], told["warnings_found"]) == (500, 500)
    assert len(json.dumps(told["lines"])) < 35_000 and re.search(r" \(\+\d{3,4}\)$", told["lines"][-1])
    assert not [line for line in told["lines"] if "警告" in line or "Warning" in line]
    message = telling.message(BLOCKERS, language)
    assert "500" in message and len(json.dumps(message)) < 15_000 and re.search(r" \(\+\d\d\d\)$", message)


def test_a_few_are_all_told() -> None:
    told = telling.summary([WARNINGS[0], BLOCKERS[0]], "en", final=True)["lines"]
    assert [line.split(" Se")[0].split(" St")[0] for line in told] == ["[Blocker]", "[Warning]"]
