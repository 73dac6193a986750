# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' machines may be thousands: what one of them more costs a stage that looks at all, in calls of one module, and whether memory grows."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from dev import environment as dev_environment
from dev import lab
from dev.places import ROOT
from dev.say import Failure, logged, say

from benchmarks._harness import Missing, Usage, environment, main, measure, options
from benchmarks._table import Row, report, text

_LONGEST_SECONDS = 3600.0
GROUP = "iij_id_browser_machines"
PARTS = ("tenant", "windows")
FEW = 2
#: one kind of what the stage reads
BARE = {"offboard.iij_id.win_browser_sign_in_info": {"hosts": ["auth.iij.jp"]}}
#: the options with something on users' machines, and whatever is found there decided, so that the stage ends well
DECIDED: dict[str, Any] = {
    "offboard_options": ["integrated_windows_authentication", "multi_factor_authentication"],
    "offboard_directory_host": "",
    "integrated_windows_authentication_accounts": [],
    "integrated_windows_authentication_browser_settings": "keep",
}

CALL = ("one machine more, one module call (win_browser_sign_in_info): CPU", "マシン 1 台の追加、モジュール呼び出し 1 回（win_browser_sign_in_info）: CPU")
STAGE = ("one machine more, stage preflight: CPU", "マシン 1 台の追加、preflight 段階: CPU")
RATIO = ("the same, CPU in module calls", "同上、CPU をモジュール呼び出しの回数に換算")
MEMORY = ("memory of preflight with {many} machines / with {few}", "preflight のメモリー、{many} 台 / {few} 台")
DETAILS = ("lowest CPU of {runs} runs with {few} and with {many} machines, in turns", "{few} 台と {many} 台で交互に {runs} 回実行した最小値")


@contextlib.contextmanager
def _inventory(whole: Path, machines: int) -> Iterator[Path]:
    """The lab's inventory with so many users' machines, and nothing else to look at."""
    hosts = yaml.safe_load((whole / "hosts.yml").read_text(encoding="utf-8"))["all"]
    fleet = {name: host for name, host in hosts["children"][GROUP]["hosts"].items() if host}
    with tempfile.TemporaryDirectory(prefix="offboard-bench-fleet-") as name:
        folder = Path(name)
        (folder / "group_vars").symlink_to(whole / "group_vars")
        some = dict(list(fleet.items())[:machines])
        if len(some) < machines:
            raise Failure(f"the lab has only {len(some)} machines of users")
        (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts["hosts"], "children": {GROUP: {"hosts": some}}}}))
        yield folder


def run(many: int, runs: int, write: bool, venv: Path) -> list[Row]:
    """The rows of the table. `many` is how many machines are looked at in the larger runs."""
    with ExitStack() as stack:
        private = stack.enter_context(lab.private("bench-fleet"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="offboard-bench-fleet-")))
        env = {**private.env, "OFFBOARD_LAB_FLEET": str(many)}
        log = folder / "log"

        def ours(*words: str, inside: tuple[str, ...] = private.inside) -> None:
            code = logged([*inside, ROOT / "dev", "lab", *words], log, words[0], seconds=_LONGEST_SECONDS, cwd=ROOT, env=env)
            if code == lab.PART_LEFT_OUT:
                raise Missing("a part of the lab does not run on this machine")
            if code:
                raise Failure(f"./dev lab {words[0]} ended with {code}:\n{log.read_text(errors='replace')[-3000:]}")

        lab.packages()
        ours("down")
        ours("prepare", *PARTS, inside=())  # in the private network nothing can be fetched
        stack.callback(ours, "down")
        ours("up", *PARTS)
        bare = folder / "bare.yml"
        bare.write_text(json.dumps([{"hosts": GROUP, "gather_facts": False, "tasks": [BARE]}]))
        used: dict[tuple[str, int], list[Usage]] = {}
        plain = {**env, **dev_environment.variables(venv), **private.own, "ANSIBLE_NOCOLOR": "1"}
        for turn in range(runs):
            for machines in (FEW, many):
                with _inventory(Path(private.own["OFFBOARD_LAB"]) / "inventory", machines) as inventory:
                    play = [*private.inside, "ansible-playbook", "-i", inventory]
                    used.setdefault(("call", machines), []).append(measure([*play, bare], plain))
                    stage = [*play, "-e", f"offboard_run_dir={folder / f'run-{turn}-{machines}'}", "-e", json.dumps(DECIDED), "offboard.iij_id.preflight"]
                    used.setdefault(("stage", machines), []).append(measure(stage, plain))
                say(f"    {machines} machines: one call {used['call', machines][-1].cpu:.1f} s, preflight {used['stage', machines][-1].cpu:.1f} s")

    def more(what: str) -> float:
        """CPU for one machine more."""
        return (min(one.cpu for one in used[what, many]) - min(one.cpu for one in used[what, FEW])) / (many - FEW)

    call, stage_cpu = more("call"), more("stage")
    peaks = {machines: min(one.peak for one in used["stage", machines]) for machines in (FEW, many)}
    rows = [
        Row(text(*CALL), call, unit="s"),
        Row(text(*STAGE), stage_cpu, unit="s"),
        Row(text(*RATIO), stage_cpu / call, 1, at_most=1.5),
        Row(text(*MEMORY, many=many, few=FEW), peaks[many] / peaks[FEW], at_most=1.1),
    ]
    report("fleet", rows, venv, text(*DETAILS, runs=runs, few=FEW, many=many), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--machines", type=int, default=20, help="how many machines of users there are at most (default: 20)")
    given = parser.parse_args()
    main(lambda: run(given.machines, given.runs, given.write, environment()) and None)
