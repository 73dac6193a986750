# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many users to change, against the tenant's write quota: how close to the time that the quota alone asks for, and at what waste."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from dev.say import Failure, say

from benchmarks._harness import Tenant, environment, main, options, run_module, tenant
from benchmarks._table import Row, report, text

# learn.microsoft.com/graph/throttling-limits, "Identity and access service limits", as in lab.tenant.throttle
APP_WRITES, APP_SECONDS = 3000, 150
TENANT_WRITES, TENANT_SECONDS = 18_000, 300
LATENCY = 0.05
#: how fast the quotas' time may pass: the module's option takes whole seconds
CLOCKS = [clock for clock in range(1, APP_SECONDS) if APP_SECONDS % clock == 0]
#: the fixture's own people in other domains, synchronized ones, and administrators: no password for them
LEFT_ALONE = 92
#: app registrations of the fixture company with the same rights
APPS = ("offboard", "offboard2", "offboard3")

PASSWORD = ("unblock + password", "ブロック解除とパスワード")
SEVERAL = ("unblock + password, licence, {apps} app registrations", "ブロック解除とパスワード、ライセンス、アプリ登録 {apps} 件")
LICENCE = ("unblock + password, licence", "ブロック解除とパスワード、ライセンス")
TIME = ("{work}, {users:,.0f} users: first to last write / bound of {bound:.0f} s", "{work_ja}、{users:,.0f} 人: 最初から最後の書き込み / 下限 {bound:.0f} 秒")
WHOLE = (
    "the same: with the whole ansible-playbook / bound of {bound:.0f} s, at the quotas' real pace",
    "同上: ansible-playbook 全体 / 下限 {bound:.0f} 秒、現実の速さのクォータで",
)
REFUSED = ("the same: writes refused with 429", "同上: 429 で拒否された書き込み")
REQUESTS = ("the same: HTTP requests per 1,000 users", "同上: 1,000 人あたりの HTTP リクエスト数")
DETAILS = ("quotas refilled {clock} times as fast as in reality, median of {runs}", "クォータの回復は現実の {clock} 倍の速さ、{runs} 回の中央値")


def bound(writes: int, apps: int, clock: int) -> float:
    """Seconds that the quotas alone ask for: their buckets are full at the start."""
    by_app = (writes - apps * APP_WRITES) * APP_SECONDS / APP_WRITES / apps
    by_tenant = (writes - TENANT_WRITES) * TENANT_SECONDS / TENANT_WRITES
    return max(by_app, by_tenant, 0.0) / clock


def _seconds(requests: Sequence[dict[str, Any]]) -> float:
    times = [datetime.datetime.fromisoformat(item["time"]) for item in requests]
    return (max(times) - min(times)).total_seconds()


def everybody(users: int, folder: str, clock: int) -> dict[str, Any]:
    """The options of a real run that unblocks all of them and sets their passwords; its files go into `folder`."""
    return {
        "domain": "reiji.example",
        "enabled": True,
        "password": "generate",
        "handover_file": f"{folder}/handover.yml",
        "vault_password": "bench",
        "journal": f"{folder}/journal.jsonl",
        "results_file": f"{folder}/results.jsonl",
        "max_changes": users,
        "write_quota": {"requests": APP_WRITES, "seconds": APP_SECONDS // clock},
        "tenant_write_quota": {"requests": TENANT_WRITES, "seconds": TENANT_SECONDS // clock},
    }


def measure(running: Tenant, users: int, clock: int, venv: Path, licences: bool, apps: Sequence[str]) -> dict[str, float]:
    """One run over a fresh tenant."""
    running.fill(users + LEFT_ALONE, "blocked", latency=LATENCY, clock_scale=clock)
    with tempfile.TemporaryDirectory(prefix="offboard-bench-") as folder:
        wanted = {
            **running.options(apps[0]),
            "applications": [{name: running.options(app)[name] for name in ("client_id", "client_secret")} for app in apps[1:]],
            **everybody(users, folder, clock),
            **({"licences": {"add": ["SPE_E3"]}, "usage_location": "JP"} if licences else {}),
        }
        usage, answer = run_module("entra_users", wanted, venv)
    requests = running.requests()
    writes = [item for item in requests if item["write"]]
    accepted = [item for item in writes if item["status"] < 400]
    changed = answer["counts"]["done"]
    if changed != answer["counts"]["planned"]:
        raise Failure(f"not everybody was changed: {answer}")
    least = bound(len(accepted), len(apps), clock)
    figures = {
        "bound": least,
        "writing": _seconds(accepted) / least if least else 0.0,
        "around": usage.wall - _seconds(accepted),
        "refused": 100 * sum(item["status"] == 429 for item in requests) / len(writes),
        "requests": 1000 * sum(item["batch"] is None for item in requests) / changed,
        "changed": changed,
        "cpu": usage.cpu,
    }
    say("    " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
    return figures


def run(users: int, clock: int, runs: int, write: bool, venv: Path) -> list[Row]:
    """The rows of the table."""
    rows: list[Row] = []
    works = [(PASSWORD, False, 1, 1.02), (LICENCE, True, 1, 1.02), (SEVERAL, True, 2, 1.05), (SEVERAL, True, 3, 1.05)]
    with tenant() as running:
        for titles, licences, count, limit in works:
            work, apps = text(*titles, apps=count), APPS[:count]
            say(f"    {users} users: {work['en']}")
            all_runs = [measure(running, users, clock, venv, licences, apps) for _unused in range(runs)]
            middle = {name: median(figures[name] for figures in all_runs) for name in all_runs[0]}
            title = text(*TIME, work=work["en"], work_ja=work["ja"], users=middle["changed"], bound=middle["bound"])
            rows.append(Row(title, middle["writing"], 3, at_most=limit))
            real = middle["bound"] * clock
            whole = middle["writing"] + (middle["around"] / real if real else 0.0)
            rows.append(Row(text(*WHOLE, bound=real), whole, shown=f"{whole:.3f} (+ {middle['around']:.0f} s)"))
            rows.append(Row(text(*REFUSED), middle["refused"], 3, "%", at_most=0.1))
            if work == text(*LICENCE):
                rows.append(Row(text(*REQUESTS), middle["requests"], 1, at_most=105))
    report("at_the_limit", rows, venv, text(*DETAILS, clock=clock, runs=runs), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--users", type=int, default=10_000, help="users to change (default: 10000)")
    parser.add_argument("--clock", type=int, default=5, choices=CLOCKS, help="how many times faster than real time the quotas refill (default: 5)")
    given = parser.parse_args()
    main(lambda: run(given.users, given.clock, given.runs, given.write, environment()) and None)
