# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.arrivals.options import InfoOptions
from dev.options import given

NOW = 1_800_000_000


@pytest.mark.parametrize(("options", "said"), [
    ({}, "domains: name the domains, or the journal"),
    ({"domains": [" "]}, "names no domain"),
    ({"domains": ["a.example"], "since": "monday"}, "since: 'monday' is no time"),
    ({"domains": ["a.example"], "since": "2100-01-01T00:00:00Z"}, "yet to come"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        InfoOptions.of(given("entra_arrivals_info", **options), NOW)
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them() -> None:
    made = InfoOptions.of(given("entra_arrivals_info", domains=["A.example"], since="2026-02-01T09:00:00+09:00"), NOW)
    assert (made.domains, made.since, made.grace_hours) == ({"a.example"}, 1769904000, 24)
    assert InfoOptions.of(given("entra_arrivals_info", journal="/run/journal.jsonl"), NOW).since == 0


@pytest.mark.parametrize("since", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_time_before_all_times_is_given_nevertheless(since: str) -> None:
    assert InfoOptions.of(given("entra_arrivals_info", domains=["a.example"], since=since), NOW).since == 1
