# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU for each user who is unblocked and gets a password: one task of entra_users, and a loop of azure.azcollection.azure_rm_aduser."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev.say import Failure, say
from lab import company

from benchmarks._harness import Tenant, Usage, environment, main, options, run_module, run_play
from benchmarks._peers import azure_collection, microsoft
from benchmarks._table import Row, report, text

#: users whom the other tool is measured with; more are extrapolated, at several seconds each
LOOP = 10

PEER = ("azure_rm_aduser in a loop: CPU for a user · memory", "azure_rm_aduser のループ: 1 人あたりの CPU・メモリー")
OURS = ("entra_users, {users:,} users: CPU for a user", "entra_users、{users:,} 人: 1 人あたりの CPU")
RATIO = ("the loop / entra_users, {users:,} users", "ループ / entra_users、{users:,} 人")
DETAILS = ("azure.azcollection {version}; lowest CPU of {runs} runs, of both", "azure.azcollection {version}、CPU はどちらも {runs} 回の最小値")


def _names(users: int) -> list[str]:
    """People who are blocked, beyond the fixture's own."""
    own = company.data()["tenant"]["users"]["provisioned"]
    return [person.upn for person in company.people(own + users, "blocked") if person.number > own]


def _check(running: Tenant, names: Sequence[str]) -> None:
    enabled = {item["userPrincipalName"] for item in running.control("GET", "objects/users") if item["accountEnabled"] and item["_password_count"]}
    if left := set(names) - enabled:
        raise Failure(f"{len(left)} users were not unblocked or have no password")


def _fill(running: Tenant, users: int) -> list[str]:
    running.fill(company.data()["tenant"]["users"]["provisioned"] + users, "blocked")
    return _names(users)


def ours(running: Tenant, users: int, venv: Path) -> Usage:
    """entra_users, with everything that a real run writes: journal, hand-over file, results."""
    names = _fill(running, users)
    with tempfile.TemporaryDirectory(prefix="offboard-bench-") as folder:
        source = Path(folder, "users.jsonl")
        source.write_text("".join(json.dumps({"userPrincipalName": name}) + "\n" for name in names))
        files = {"journal": f"{folder}/journal.jsonl", "handover_file": f"{folder}/handover.yml", "results_file": f"{folder}/results.jsonl"}
        wanted = {**running.options(), **files, "src": str(source), "enabled": True, "password": "generate", "vault_password": "bench", "max_changes": users}
        usage, _answer = run_module("entra_users", wanted, venv)
    _check(running, names)
    return usage


def theirs(running: Tenant, inside: Sequence[str], variables: dict[str, str], venv: Path) -> tuple[float, Usage]:
    """CPU for one user, without that of an empty play; and what the loop took."""
    names, who = _fill(running, LOOP), running.options()
    task = {
        "azure.azcollection.azure_rm_aduser": {
            "user_principal_name": "{{ item }}",
            "account_enabled": True,
            "password_profile": "Bench-Passw0rd!",
            "tenant": who["tenant_id"],
            "subscription_id": who["tenant_id"],
            "client_id": who["client_id"],
            "secret": who["client_secret"],
        },
        "loop": names,
        "no_log": True,
    }
    # the collections that the package `ansible` brings, not this checkout
    variables = {**variables, "ANSIBLE_COLLECTIONS_PATH": variables["HOME"]}
    empty = run_play([], venv, inside, variables)
    usage = run_play([task], venv, inside, variables)
    _check(running, names)
    return (usage.cpu - empty.cpu) / LOOP, usage


def run(sizes: Sequence[int], runs: int, write: bool, venv: Path) -> list[Row]:
    """The rows of the table."""
    peer = azure_collection()
    goals = {10: 20.0, 1_000: 1_500.0}
    rows: list[Row] = []
    with microsoft() as (running, inside, variables):
        say(f"    azure_rm_aduser, {LOOP} users, {runs} runs")
        loops = sorted((theirs(running, inside, variables, peer) for _unused in range(runs)), key=lambda found: found[0])
        each, usage = loops[0]
        say(f"    {each:.2f} s CPU a user, {usage.cpu:.1f} s CPU and {usage.wall:.1f} s for all, {usage.peak / 1e6:.0f} MB")
        rows.append(Row(text(*PEER), each, unit="s", shown=f"{each:.2f} s · {usage.peak / 1e6:.0f} MB"))
        for users in sizes:
            cpu = min(ours(running, users, venv).cpu for _unused in range(runs))
            say(f"    entra_users, {users} users: {cpu:.2f} s CPU")
            rows.append(Row(text(*OURS, users=users), cpu / users, 4, "s"))
            rows.append(Row(text(*RATIO, users=users), each * users / cpu, 0, at_least=goals.get(users)))
    manifest = next(peer.glob("lib/*/site-packages/ansible_collections/azure/azcollection/MANIFEST.json"))
    version = json.loads(manifest.read_text())["collection_info"]["version"]
    report("per_user", rows, venv, text(*DETAILS, version=version, runs=runs), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    given = parser.parse_args()
    main(lambda: run([10, 1_000], given.runs, given.write, environment()) and None)
