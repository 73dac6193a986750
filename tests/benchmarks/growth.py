# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody is unblocked and gets a password, then the same task again: CPU, memory and requests, and how they grow with the tenant."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev.say import Failure, say

from benchmarks._harness import Tenant, Usage, environment, main, options, run_module, tenant
from benchmarks._table import Row, report, text
from benchmarks.at_the_limit import LEFT_ALONE, everybody

FIRST = ("{users:,} users changed: CPU · memory · requests", "{users:,} 人を変更: CPU・メモリー・リクエスト数")
AGAIN = ("the same task again: CPU · memory · requests", "同じタスクの再実行: CPU・メモリー・リクエスト数")
MEMORY = ("{users:,} users changed: memory", "{users:,} 人を変更: メモリー")
AGAIN_MEMORY = ("the same task again: memory", "同じタスクの再実行: メモリー")
DETAILS = ("quotas refilled {clock} times as fast as in reality, one run each", "クォータの回復は現実の {clock} 倍の速さ、各 1 回")

#: MB. The task runs in a fork of Ansible's process, some 70 MB of which count.
MOST_MEMORY = 100

#: so fast that the machine is slower than the quotas
CLOCK = 150


def _figures(running: Tenant, wanted: dict[str, Any], venv: Path) -> tuple[Usage, int, int]:
    """What it took, how many HTTP requests (those in a batch are one), and how many users were changed."""
    running.forget()
    usage, answer = run_module("entra_users", wanted, venv)
    requests = sum(item["batch"] is None for item in running.requests())
    say(f"    {usage.cpu:.2f} s CPU, {usage.peak / 1e6:.1f} MB, {requests} requests, {answer['counts']}")
    return usage, requests, answer["counts"].get("done", 0)


def measure(running: Tenant, users: int, venv: Path) -> tuple[tuple[Usage, int, int], tuple[Usage, int, int]]:
    """A first run over a fresh tenant, and the rerun, with journal, hand-over file and results."""
    running.fill(users + LEFT_ALONE, "blocked", clock_scale=CLOCK)
    with tempfile.TemporaryDirectory(prefix="offboard-bench-") as folder:
        wanted = {**running.options(), **everybody(users, folder, CLOCK)}
        first, again = _figures(running, wanted, venv), _figures(running, wanted, venv)
    if (first[2], again[2]) != (users, 0):
        raise Failure(f"{first[2]} users were changed by the first run, {again[2]} by the second")
    return first, again


def run(sizes: Sequence[int], write: bool, venv: Path) -> list[Row]:
    """The rows of the table; the largest of `sizes` is judged."""
    rows: list[Row] = []
    with tenant() as running:
        for users in sizes:
            say(f"    {users} users")
            both = measure(running, users, venv)
            for title, (usage, requests, _changed) in zip((FIRST, AGAIN), both, strict=True):
                shown = f"{usage.cpu:.1f} s · {usage.peak / 1e6:.0f} MB · {requests:,}"
                rows.append(Row(text(*title, users=users), usage.cpu, shown=shown))
    for title, (usage, _requests, _changed) in zip((MEMORY, AGAIN_MEMORY), both, strict=True):
        rows.append(Row(text(*title, users=users), usage.peak / 1e6, 0, "MB", at_most=MOST_MEMORY))
    report("growth", rows, venv, text(*DETAILS, clock=CLOCK), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="sizes of the tenant (default: 1000 10000 100000)")
    given = parser.parse_args()
    main(lambda: run(given.users, given.write, environment()) and None)
