# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

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
