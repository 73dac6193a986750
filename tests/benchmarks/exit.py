# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole exit once more, with nothing left to do: its CPU, in calls of one module on one machine, and how much of it a person has to read."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from dev import demo, lab
from dev import environment as dev_environment
from dev.places import ROOT
from dev.say import Failure, logged, say
from lab import paths

from benchmarks._harness import Missing, Usage, environment, main, measure, options
from benchmarks._table import Row, report, text

#: on the machine that is looked at by the bare call
MACHINE = "sync01"
BARE = {"offboard.iij_id.win_software_info": {"name_patterns": ["IIJ ID"]}}
_LONGEST_SECONDS = 3600.0

CALL = ("one module call on one machine (win_software_info), CPU", "1 台に対する 1 回のモジュール呼び出し（win_software_info）、CPU")
RERUN = (
    "decommission with nothing to do, 3 Windows machines, a Linux machine, OpenLDAP: CPU · memory",
    "変更するものがない decommission、Windows 3 台・Linux 1 台・OpenLDAP: CPU・メモリー",
)
RATIO = ("the same, CPU in module calls", "同上、CPU をモジュール呼び出しの回数に換算")
BANNERS = (
    "the same: banners of tasks (at most 90, by a test)",
    "同上: タスクの見出し（90 以下、テストで確認）",
)
DETAILS = ("lowest CPU of {runs} runs (median), in turns", "CPU は交互に {runs} 回実行した最小値（中央値）")


def changed(output: str) -> int:
    """How many tasks changed something, by the recap of a playbook's output."""
    return sum(int(number) for number in re.findall(r"^\S+ +: ok=\d+ +changed=(\d+) ", output, re.MULTILINE))


def banners(output: str) -> int:
    """How many tasks the output of a playbook names."""
    return len(re.findall(r"^TASK \[", output, re.MULTILINE))


def _cpu(found: Sequence[Usage]) -> str:
    return f"{min(one.cpu for one in found):.1f} s ({median(one.cpu for one in found):.1f} s)"


def run(runs: int, write: bool, venv: Path) -> list[Row]:
    """The rows of the table. Needs all parts of the lab, in which the exit is carried out first; that is not measured."""
    with ExitStack() as stack:
        private = stack.enter_context(lab.private("bench-exit"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="offboard-bench-exit-")))

        log = folder / "log"

        def ours(*words: str, inside: tuple[str, ...] = private.inside) -> None:
            """Not measured: what stays up, as the lab does, would be waited for."""
            if code := logged([*inside, ROOT / "dev", *words], log, words[0], seconds=_LONGEST_SECONDS, cwd=ROOT, env=private.env):
                raise Failure(f"./dev {' '.join(words)} ended with {code}:\n{log.read_text(errors='replace')[-3000:]}")

        lab.packages()
        ours("lab", "down")
        ours("lab", "prepare", *demo.PARTS, inside=())  # in the private network nothing can be fetched
        stack.callback(ours, "lab", "down")
        say("    the exit is carried out first (./dev demo)")
        ours("demo")
        if "LEFT OUT" in log.read_text(errors="replace"):
            raise Missing("a part of the lab does not run on this machine")
        bare = folder / "bare.yml"
        bare.write_text(json.dumps([{"hosts": MACHINE, "gather_facts": False, "tasks": [BARE]}]))
        env = {**private.env, **dev_environment.variables(venv), **private.own, "ANSIBLE_NOCOLOR": "1"}
        state = Path(private.own["OFFBOARD_LAB"])
        run_dir = state / demo.RUN_DIR.relative_to(paths.STATE)
        play = [*private.inside, "ansible-playbook", "-i", state / "inventory", "-e", f"offboard_run_dir={run_dir}"]
        calls, reruns = [], []
        for _unused in range(runs):
            calls.append(measure([*play, bare], env))
            reruns.append(measure([*play, "-e", json.dumps(demo.DECISIONS), "offboard.iij_id.decommission"], env))
            say(f"    {reruns[-1].cpu:.1f} s, one module call {calls[-1].cpu:.1f} s")
            if changed(reruns[-1].output):
                raise Failure(f"there was something to do:\n{reruns[-1].output[-3000:]}")
    call, rerun = min(calls, key=lambda usage: usage.cpu), min(reruns, key=lambda usage: usage.cpu)
    rows = [
        Row(text(*CALL), call.cpu, shown=_cpu(calls)),
        Row(text(*RERUN), rerun.cpu, shown=f"{_cpu(reruns)} · {rerun.peak / 1e6:.0f} MB"),
        Row(text(*RATIO), rerun.cpu / call.cpu, 1),
        Row(text(*BANNERS), banners(rerun.output), 0, at_most=90),
    ]
    report("exit", rows, venv, text(*DETAILS, runs=runs), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    given = parser.parse_args()
    main(lambda: run(given.runs, given.write, environment()) and None)
