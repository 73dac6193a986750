# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_sign_in_readiness_info and entra_arrivals_info with many users: memory stays flat, and the requests to Microsoft's reports decide how long it takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev.say import Failure, say

from benchmarks._harness import Tenant, environment, main, options, run_play, tenant
from benchmarks._table import Row, report, text

FIGURES = ("{module}, {users:,} users: CPU · memory · requests · of them to reports", "{module}、{users:,} 人: CPU・メモリー・リクエスト数・うち reports")
MEMORY = ("{module}: memory, {many:,} / {few:,} users", "{module}: メモリー、{many:,} 人 / {few:,} 人")
DETAILS = (
    "Microsoft Graph allows 5 requests to reports in 10 seconds, which this tenant does not enforce: twice their number is the time in seconds",
    "Microsoft Graph の reports へのリクエストは 10 秒あたり 5 回まで（この測定では制限なし）。リクエスト数の 2 倍がおよその秒数",
)
MODULES: dict[str, dict[str, Any]] = {
    "entra_sign_in_readiness_info": {"domains": ["reiji.example"]},
    "entra_arrivals_info": {"domains": ["reiji.example"], "since": "2026-01-01T00:00:00Z"},
}


def is_report(request: dict[str, Any]) -> bool:
    """Whether it counts against the quota of identity reports (learn.microsoft.com/graph/throttling-limits)."""
    return "/auditLogs/" in request["path"] or "/reports/" in request["path"] or "signInActivity" in request["path"]


def measure(running: Tenant, module: str, venv: Path) -> tuple[int, float, int, int, int]:
    """How many users were judged, CPU in seconds, memory in bytes, requests, and those of them to reports."""
    running.forget()
    look = {f"offboard.iij_id.{module}": {**running.options(), **MODULES[module]}, "register": "answer"}
    shown = "judged:{{ answer.counts.values() | sum }}:{{ answer.not_looked_at | length }}:"
    usage = run_play([look, {"ansible.builtin.debug": {"msg": shown}}], venv)
    if not (judged := re.search(r"judged:(\d+):0:", usage.output)):
        raise Failure(f"not everything was looked at:\n{usage.output[-2000:]}")
    requests = running.requests()
    return int(judged[1]), usage.cpu, usage.peak, len(requests), sum(map(is_report, requests))


def run(users: Sequence[int], write: bool, venv: Path) -> list[Row]:
    """The rows of the table."""
    rows, found, judged = [], {}, {}
    with tenant() as running:
        for number in users:
            running.fill(number, "done", throttling=False)
            for module in MODULES:
                judged[module, number], cpu, peak, requests, reports = measure(running, module, venv)
                found[module, number] = peak
                rows.append(Row(text(*FIGURES, module=module, users=number), cpu, shown=f"{cpu:.1f} s · {peak / 1e6:.0f} MB · {requests:,} · {reports:,}"))
                say(f"    {module}, {number} users: {rows[-1].shown}")
    few, many = users[0], users[-1]
    for module in MODULES:  # of the fixture's own people, some are of other domains
        if judged[module, many] - judged[module, few] != many - few or not judged[module, few]:
            raise Failure(f"{module} has judged {judged[module, few]} of {few} users, and {judged[module, many]} of {many}")
    rows += [Row(text(*MEMORY, module=module, few=few, many=many), found[module, many] / found[module, few], 2, at_most=1.4) for module in MODULES]
    report("sign_in", rows, venv, text(*DETAILS), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[1_000, 100_000], help="numbers of users (default: 1000 100000)")
    given = parser.parse_args()
    main(lambda: run(given.users, given.write, environment()) and None)
