# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._core.spool import Spool
from ansible_collections.offboard.iij_id.plugins.module_utils._module import files
from ansible_collections.offboard.iij_id.plugins.module_utils._module.progress import Progress


def changes(count):
    return [Change(kind="user", id=str(n), name=f"人{n}", action="x", before={"a": n}, after=None) for n in range(count)]


def test_a_spool_gives_back_everything_in_order_each_time():
    spool = Spool(changes(7), in_memory=3)
    assert len(spool) == 7 and spool.head == changes(3)
    assert list(spool) == changes(7) == list(spool)
    spool.append(changes(8)[7])
    assert list(spool) == changes(8)


def test_progress_reports_at_most_once_an_interval_and_at_the_end(tmp_path):
    now = [0.0]
    path = str(tmp_path / "progress")
    progress = Progress(path, "users", 4, interval=2, clock=lambda: now[0])
    for seconds in (1, 1, 1, 1):
        now[0] += seconds
        progress.add()
    assert list(files.read_records(path)) == [
        {"noun": "users", "done": 2, "total": 4, "per_second": 1.0, "seconds_left": 2},
        {"noun": "users", "done": 4, "total": 4, "per_second": 1.0, "seconds_left": 0},
    ]


def test_progress_says_what_it_waits_for(tmp_path):
    path = str(tmp_path / "progress")
    Progress(path, "domains", 1, clock=lambda: 0.0).report("waiting for a.example")
    assert list(files.read_records(path)) == [
        {"noun": "domains", "done": 0, "total": 1, "per_second": 0.0, "seconds_left": None, "doing": "waiting for a.example"}
    ]


def test_the_time_left_follows_the_present_rate_and_not_the_first_burst(tmp_path):
    """Microsoft's limit: 3,000 writes at once, then 20 a second. 7,000 more take 350 s, whatever the burst had promised."""
    now, path = [0.0], str(tmp_path / "progress")
    progress = Progress(path, "users", 10_000, clock=lambda: now[0])
    for _batch in range(150):
        now[0] += 0.1
        progress.add(20)
    in_the_burst = list(files.read_records(path))[-1]
    for _batch in range(90):
        now[0] += 1
        progress.add(20)
    later = list(files.read_records(path))[-1]

    assert in_the_burst["per_second"] == pytest.approx(200, rel=0.1)
    assert later["done"] == 4800
    assert (later["per_second"], later["seconds_left"]) == (20.0, 260)


def test_a_pause_longer_than_the_window_slows_the_rate_down_and_the_end_is_not_lost(tmp_path):
    now, path = [0.0], str(tmp_path / "progress")
    progress = Progress(path, "users", 100, clock=lambda: now[0])
    for _second in range(10):
        now[0] += 1
        progress.add()
    now[0] += 300
    progress.report("waiting")
    waiting = list(files.read_records(path))[-1]
    now[0] += 1
    progress.add(90)

    assert waiting["seconds_left"] > 1000
    assert list(files.read_records(path))[-1]["seconds_left"] == 0
