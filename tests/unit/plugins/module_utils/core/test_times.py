# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import zoneinfo

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal_lines, times


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("good until 2026-11-28T15:00:00Z: run", "good until 2026-11-29 00:00:00 JST: run"),
        ("有効な可能性は 2026-11-28T15:00:00Z まで", "有効な可能性は 2026-11-29 00:00:00 JST まで"),
        ("最後は2026-11-28T15:00:00.1234567Zで", "最後は2026-11-29 00:00:00 JSTで"),
        ("(2026-11-28T15:00:00+00:00). The", "(2026-11-29 00:00:00 JST). The"),
        ("the last one at 2026-11-28T15:00:00Z.", "the last one at 2026-11-29 00:00:00 JST."),
        ("9999-12-31T23:00:00Z", "9999-12-31T23:00:00Z"),
        ("2026-13-28T15:00:00Z", "2026-13-28T15:00:00Z"),
        ("saved in backups/2026-11-28T15:00:00Z/a and backups/a-2026-11-28T15:00:00Z.xml", None),
        ('<time datetime="2026-11-28T15:00:00Z">', None),
        ("2026-11-28T15:00:00+09:00", None),
    ],
)
def test_a_time_in_a_sentence_is_told_in_the_zone_of_its_readers(text, shown):
    assert times.local(text, zoneinfo.ZoneInfo("Asia/Tokyo")) == (text if shown is None else shown)
    assert times.told(text) == (shown is not None)


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00"])
def test_a_time_beyond_the_calendar_in_utc_is_none(edge):
    """In steps.json it ended every task with a fault of the module."""
    assert times.as_time(edge) == times.NEVER
    assert list(journal_lines.recent([b'{"at":"2026-11-21T00:00:00Z"}\n'], edge)) == [b'{"at":"2026-11-21T00:00:00Z"}\n']
