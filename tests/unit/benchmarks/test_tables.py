# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks' tables and their arithmetic. That they run at all is tested beside the Entra modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import _harness, _table
from benchmarks._table import Row, text
from benchmarks.at_the_limit import bound
from benchmarks.exit import banners, changed
from dev import places
from dev.say import Failure

NAME = text("what {n}", "項目 {n}", n=1)
BENCHMARKS = sorted(file.stem for file in Path(_table.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (Row(NAME, 1.0249, 3, at_most=1.02), ["what 1", "≤ 1.02", "1.025", "**no**"]),
        (Row(NAME, 1.0204, 3, at_most=1.02), ["what 1", "≤ 1.02", "1.020", "yes"]),
        (Row(NAME, 0, 0, at_most=0), ["what 1", "≤ 0", "0", "yes"]),
        (Row(NAME, 1, 0, at_most=0), ["what 1", "≤ 0", "1", "**no**"]),
        (Row(NAME, 2008.3, 0, at_least=1500.0), ["what 1", "≥ 1,500", "2,008", "yes"]),
        (Row(NAME, 8.96, 1, at_least=9), ["what 1", "≥ 9", "9.0", "yes"]),
        (Row(NAME, 3.51, 2, "s", at_most=3.5), ["what 1", "≤ 3.5 s", "3.51 s", "**no**"]),
        (Row(NAME, 3.5, shown="3.5 s · 70 MB"), ["what 1", "", "3.5 s · 70 MB", ""]),
    ],
)
def test_a_row_is_judged_as_it_is_shown(row: Row, cells: list[str]) -> None:
    assert row.cells("en") == cells
    assert row.cells("ja")[0] == "項目 1"


@pytest.mark.parametrize(
    ("writes", "apps", "clock", "seconds"),
    [
        (3000, 1, 1, 0),
        (10_000, 1, 1, 350),
        (20_000, 1, 1, 850),
        (20_000, 1, 5, 170),
        (20_000, 2, 1, 350),
        (20_000, 3, 1, 11_000 / 60),
        (100_000, 3, 1, 91_000 / 60),
        (100_000, 6, 1, 82_000 / 60),  # the tenant's quota
    ],
)
def test_the_bound_is_what_the_quotas_ask_for(writes: int, apps: int, clock: int, seconds: float) -> None:
    assert bound(writes, apps, clock) == pytest.approx(seconds)


PLAYED = """
TASK [offboard.iij_id.preflight : Judge what was found] ***
ok: [localhost] => {"msg": "TASK [no banner"}
TASK [Tell] ***
PLAY RECAP ***
localhost                  : ok=31   changed=3    unreachable=0    failed=0
sync01                     : ok=2    changed=1    unreachable=0    failed=0
"""


def test_the_output_of_a_rerun_is_counted() -> None:
    assert (banners(PLAYED), changed(PLAYED)) == (2, 4)
    assert (banners(""), changed("")) == (0, 0)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_manual_has_a_place_for_each_table(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text((places.ROOT / "docs" / language / "performance.md").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(_table, "ROOT", tmp_path)
    for _twice in range(2):
        for name in BENCHMARKS:
            _table._put(page, name, f"| the table of {name} |")
    content = page.read_text(encoding="utf-8")
    assert [content.count(f"| the table of {name} |") for name in BENCHMARKS] == [1] * len(BENCHMARKS)
    with pytest.raises(Failure, match="no place"):
        _table._put(page, "another", "")


def test_a_whole_tree_of_processes_is_measured() -> None:
    """CPU and memory of a grandchild that outlives its parent count, and this process's own memory does not."""
    burn = "import time; kept = bytearray(60_000_000); end = time.process_time() + 0.4\nwhile time.process_time() < end: pass"
    ballast = bytearray(150_000_000)
    usage = _harness.measure(["sh", "-c", f"{sys.executable} -c '{burn}' & echo started"], {"PATH": "/usr/bin:/bin"})
    assert usage.output == "started\n"
    assert usage.cpu >= 0.4
    assert 60e6 < usage.peak < 60e6 + 40e6
    assert len(ballast) > usage.peak


def test_a_command_that_fails_says_so() -> None:
    with pytest.raises(Failure, match=r"ended with 3:\nbecause"):
        _harness.measure(["sh", "-c", "echo because; exit 3"], {"PATH": "/usr/bin:/bin"})


def test_each_benchmark_explains_itself() -> None:
    for name in BENCHMARKS:
        argv = [sys.executable, str(Path(_table.__file__).with_name(f"{name}.py")), "--help"]
        done = subprocess.run(argv, env={"PYTHONPATH": str(places.ROOT / "tests")}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "--write" in done.stdout
