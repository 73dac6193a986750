# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of all users: entra_users_info, and CLI for Microsoft 365."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev.say import Failure, say

from benchmarks._harness import Tenant, Usage, environment, main, measure, options, run_module
from benchmarks._peers import m365, microsoft
from benchmarks._table import Row, report, text

FIGURES = ("{name}, {users:,} users: CPU · memory · requests", "{name}、{users:,} 人: CPU・メモリー・リクエスト数")
REQUESTS = ("requests, m365 / entra_users_info", "リクエスト数、m365 / entra_users_info")
MEMORY = ("memory, m365 / entra_users_info", "メモリー、m365 / entra_users_info")
DETAILS = ("CLI for Microsoft 365 {version}; lowest of {runs} runs, of both", "CLI for Microsoft 365 {version}、どちらも {runs} 回の最小値")


def _ours(running: Tenant, venv: Path) -> tuple[Usage, int]:
    with tempfile.TemporaryDirectory(prefix="offboard-bench-") as folder:
        results = Path(folder, "results.jsonl")
        running.forget()
        usage, _answer = run_module("entra_users_info", {**running.options(), "domain": "reiji.example", "results_file": str(results)}, venv)
        with open(results, encoding="utf-8") as lines:
            _check(sum(1 for _line in lines), running)
    return usage, len(running.requests())


def _check(listed: int, running: Tenant) -> None:
    if listed < running.users - 100:  # the fixture has some people in other domains
        raise Failure(f"only {listed} of {running.users} users were listed")


def _theirs(running: Tenant, program: Path, inside: Sequence[str], variables: dict[str, str]) -> tuple[Usage, int]:
    env = {**os.environ, **variables}
    output = Path(variables["HOME"], "users.json")
    who = running.options()
    login = ["login", "--authType", "secret", "--appId", who["client_id"], "--tenant", who["tenant_id"], "--secret", who["client_secret"]]
    # it would report its use to its makers, and wait long where it cannot
    measure([*inside, program, "cli", "config", "set", "--key", "disableTelemetry", "--value", "true"], env)
    measure([*inside, program, *login], env)
    running.forget()
    listing = [program, "entra", "user", "list", "--properties", "id,userPrincipalName,accountEnabled,usageLocation", "--output", "json"]
    usage = measure([*inside, "sh", "-c", 'exec "$@" > "$0"', output, *listing], env)
    _check(len(json.loads(output.read_text())), running)
    return usage, len(running.requests())


def run(users: int, runs: int, write: bool, venv: Path) -> list[Row]:
    """The rows of the table."""
    program = m365()
    with microsoft() as (running, inside, variables):
        running.fill(users, "done")
        found = {}
        for name, listed in (("entra_users_info", lambda: _ours(running, venv)), ("m365", lambda: _theirs(running, program, inside, variables))):
            both = [listed() for _unused in range(runs)]
            usage = [usage for usage, _requests in both]
            found[name] = (min(u.cpu for u in usage), min(u.peak for u in usage), both[0][1])
            say(f"    {name}: {found[name][0]:.2f} s CPU, {found[name][1] / 1e6:.0f} MB, {found[name][2]} requests")
        version = measure([*inside, program, "version"], {**os.environ, **variables}).output.strip('" v\n')
    rows = []
    for name, (cpu, peak, requests) in found.items():
        rows.append(Row(text(*FIGURES, name=name, users=users), cpu, shown=f"{cpu:.1f} s · {peak / 1e6:.0f} MB · {requests:,}"))
    (_cpu, peak, requests), (_cpu, their_peak, their_requests) = found.values()
    rows += [Row(text(*REQUESTS), their_requests / requests, 1, at_least=9), Row(text(*MEMORY), their_peak / peak, 1, at_least=6)]
    report("listing", rows, venv, text(*DETAILS, version=version, runs=runs), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--users", type=int, default=100_000, help="users to list (default: 100000)")
    given = parser.parse_args()
    main(lambda: run(given.users, given.runs, given.write, environment()) and None)
