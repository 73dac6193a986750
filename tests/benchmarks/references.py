# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_references_info with many applications: CPU and memory must not grow with what is read faster than the reading itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dev.say import Failure, say

from benchmarks._harness import Tenant, environment, main, options, run_play, tenant
from benchmarks._table import Row, report, text

FIGURES = ("{apps:,} applications: CPU · memory · requests", "アプリ {apps:,} 個: CPU・メモリー・リクエスト数")
MEMORY = ("memory, {many:,} / {few:,} applications", "メモリー、アプリ {many:,} 個 / {few:,} 個")
CPU = ("CPU for each 1,000 further applications (s)", "アプリ 1,000 個あたりの CPU（秒）")
DETAILS = (
    "with as many service principals, of which each is asked for its provisioning jobs",
    "同数のサービスプリンシパルと、それぞれのプロビジョニングジョブの照会を含む",
)
_TASK = {"hosts": ["auth.iij.jp"], "identifiers": ["jp.ad.iij.smartkey2", "id974476420"], "beta": True}


def _fill(running: Tenant, apps: int) -> None:
    running.fill(0, "done")
    there = len(running.control("GET", "objects/applications"))
    running.control("POST", "applications", {"count": max(0, apps - there)})


def measure(running: Tenant, apps: int, venv: Path) -> tuple[float, int, int]:
    """CPU in seconds, memory in bytes, requests."""
    _fill(running, apps)
    running.forget()
    look = {"offboard.iij_id.entra_references_info": {**running.options(), **_TASK}, "register": "answer"}
    shown = "looked:{{ answer.looked_at.application }}:{{ answer.looked_at.synchronization_job }}:{{ answer.not_looked_at_count }}:"
    usage = run_play([look, {"ansible.builtin.debug": {"msg": shown}}], venv)
    if f"looked:{apps}:0:1:" not in usage.output:  # staged rollouts are the one: Microsoft shows them to no application
        raise Failure(f"not all of {apps} applications were looked at:\n{usage.output[-2000:]}")
    return usage.cpu, usage.peak, len(running.requests())


def run(apps: Sequence[int], write: bool, venv: Path) -> list[Row]:
    """The rows of the table."""
    found, rows = [], []
    with tenant() as running:
        for number in apps:
            found.append(measure(running, number, venv))
            cpu, peak, requests = found[-1]
            rows.append(Row(text(*FIGURES, apps=number), cpu, shown=f"{cpu:.1f} s · {peak / 1e6:.0f} MB · {requests:,}"))
            say(f"    {number} applications: {rows[-1].shown}")
    few, many = apps[0], apps[-1]
    rows.append(Row(text(*MEMORY, few=few, many=many), found[-1][1] / found[0][1], 2, at_most=1.25))
    rows.append(Row(text(*CPU), (found[-1][0] - found[0][0]) / (many - few) * 1000, 2, at_most=6.0))
    report("references", rows, venv, text(*DETAILS), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--apps", type=int, nargs="+", default=[1_000, 10_000], help="numbers of applications (default: 1000 10000)")
    given = parser.parse_args()
    main(lambda: run(given.apps, given.write, environment()) and None)
