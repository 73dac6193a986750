# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rerun that finds everybody as desired: requests, CPU and memory of the whole ansible-playbook, and how they grow with the tenant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from dev.say import Failure, say
from lab import company

from benchmarks._harness import Tenant, Usage, environment, main, options, run_module, run_play, tenant
from benchmarks._table import Row, report, text

PAGE = 999

EMPTY = ("an empty play, CPU", "空のプレイ、CPU")
SIZE = ("{users:,} users, enabled and licensed: CPU · memory · requests", "{users:,} 人、有効化とライセンス: CPU・メモリー・リクエスト数")
REQUESTS = ("{users:,} users, {what}: requests besides sign-in ({sign_in})", "{users:,} 人、{what_ja}: サインイン（{sign_in} 回）以外のリクエスト数")
BY_NAME = ("the same, the licence given by part number", "同上、ライセンスを品番で指定")
WRITES = ("the same: writes", "同上: 書き込み")
CPU = ("the same: CPU, whole ansible-playbook", "同上: CPU、ansible-playbook 全体")
RATIO = ("the same / an empty play between its runs: CPU", "同上 / その合間に実行した空のプレイ: CPU")
MEMORY = ("the same: memory", "同上: メモリー")
GROWTH = ("memory at {most:,} / at {least:,} users", "メモリー、{most:,} 人 / {least:,} 人")
#: CPU seconds differ by a factor of two from machine to machine; how often they hold an empty play hardly does. See `run`.
MOST_EMPTY_PLAYS = 5.3
DETAILS = ("lowest CPU of {runs} runs (median)", "CPU は {runs} 回の最小値（中央値）")
WHAT = {"enabled": "有効化", "enabled and licensed": "有効化とライセンス"}


def _count(requests: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Requests of the sign-in, and writes."""
    return sum(not item["path"].startswith("/v1.0/") for item in requests), sum(item["write"] for item in requests)


def _cpu(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.2f} s ({median(seconds):.2f} s)"


def _measure(running: Tenant, wanted: dict[str, Any], runs: int, venv: Path, empty: list[float]) -> tuple[list[Usage], list[dict[str, Any]]]:
    """All runs, that with the least CPU first; the requests of the last one. Before each, the CPU of an empty play goes into `empty`."""
    found = []
    for _unused in range(runs):
        empty.append(run_play([], venv).cpu)
        running.forget()
        usage, answer = run_module("entra_users", wanted, venv)
        if answer["changed"]:
            raise Failure(f"there was something to do: {answer}")
        found.append(usage)
    return sorted(found, key=lambda usage: usage.cpu), running.requests()


def run(sizes: Sequence[int], runs: int, write: bool, venv: Path) -> list[Row]:
    """The rows of the table; the largest of `sizes` is judged, and its memory compared with that of the smallest.

    Its CPU is judged as a ratio to empty plays between its runs, so that neither the machine nor what else it does decides.
    """
    rows: list[Row] = []
    peaks: dict[int, int] = {}
    with tenant() as running:
        for users in sizes:
            running.fill(users, "done")
            enabled = {"domain": "reiji.example", "enabled": True, "max_changes": users, **running.options()}
            licensed = {**enabled, "licences": {"add": [company.sku_id("SPE_E3")]}, "usage_location": "JP"}
            run_module("entra_users", licensed, venv)  # puts the fixture's blocked ones right
            pages = math.ceil(running.users / PAGE)
            for what, wanted in (("enabled", enabled), ("enabled and licensed", licensed)):
                empty: list[float] = []
                all_runs, requests = _measure(running, wanted, runs, venv, empty)
                usage, peak = all_runs[0], max(one.peak for one in all_runs)
                sign_in, writes = _count(requests)
                shown = f"{usage.cpu:.2f} s · {peak / 1e6:.0f} MB · {len(requests)}"
                say(f"    {users} users, {what}: {shown}")
                if wanted is licensed:
                    peaks[users] = peak
                    rows.append(Row(text(*SIZE, users=users), usage.cpu, shown=shown))
                if users == sizes[-1]:
                    title = text(*REQUESTS, users=users, what=what, what_ja=WHAT[what], sign_in=sign_in)
                    rows.append(Row(title, len(requests) - sign_in, 0, at_most=pages))
        _usage, by_name = _measure(running, {**licensed, "licences": {"add": ["SPE_E3"]}}, 1, venv, [])
        rows = [
            Row(text(*EMPTY), min(empty), shown=_cpu(empty)),
            *rows,
            Row(text(*BY_NAME), len(by_name) - _count(by_name)[0], 0),
            Row(text(*WRITES), writes, 0, at_most=0),
            Row(text(*CPU), usage.cpu, unit="s", shown=_cpu([one.cpu for one in all_runs])),
            Row(text(*RATIO), usage.cpu / min(empty), at_most=MOST_EMPTY_PLAYS),
            Row(text(*MEMORY), peak / 1e6, 0, "MB", at_most=80),
            Row(text(*GROWTH, most=sizes[-1], least=sizes[0]), peaks[sizes[-1]] / peaks[sizes[0]], at_most=1.1),
        ]
    report("nothing_to_do", rows, venv, text(*DETAILS, runs=runs), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="sizes of the tenant (default: 1000 10000 100000)")
    given = parser.parse_args()
    main(lambda: run(given.users, given.runs, given.write, environment()) and None)
