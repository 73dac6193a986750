# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/en/performance.md and docs/ja/performance.md: each benchmark shows its own, and with --write puts it there."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.places import ROOT
from dev.say import Failure, say

#: What is said in the manual's languages, by language.
Text = dict[str, str]


def text(en: str, ja: str, **values: object) -> Text:
    """Both languages, with the same values filled in."""
    return {"en": en.format(**values), "ja": ja.format(**values)}


_HEADS = {"en": ("what", "goal", "measured", "met"), "ja": ("項目", "目標", "実測", "達成")}
_MET = {"en": {True: "yes", False: "**no**", None: ""}, "ja": {True: "はい", False: "**いいえ**", None: ""}}


@dataclass(frozen=True)
class Row:
    """One figure. Without a limit it only tells. `shown` replaces the plain number in the table."""

    what: Text
    value: float
    digits: int = 2
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    shown: str = ""

    @property
    def met(self) -> bool | None:
        """Judged by the figure as it is shown; None without a goal."""
        value = round(self.value, self.digits)
        if self.at_most is not None:
            return value <= self.at_most
        return None if self.at_least is None else value >= self.at_least

    def _number(self, value: float, digits: int) -> str:
        return f"{value:,.{digits}f}{f' {self.unit}' if self.unit else ''}"

    def cells(self, language: str) -> list[str]:
        """The row of the table."""
        limit, sign = (self.at_most, "≤") if self.at_most is not None else (self.at_least, "≥")
        goal = "" if limit is None else f"{sign} {self._number(limit, 0 if limit == int(limit) else max(1, len(str(limit).partition('.')[2])))}"
        return [self.what[language], goal, self.shown or self._number(self.value, self.digits), _MET[language][self.met]]


def _machine(python: Path) -> Text:
    """When and on what kind of machine: nothing that names it. `python` is that of the environment that was measured."""
    ask = "import ansible.release, platform; print(platform.python_version(), ansible.release.__version__)"
    version, core = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return text(
        "{day}: {system}, {cores} cores, {memory:.0f} GiB, Python {version}, ansible-core {core}; load {load} (last 1, 5, 15 minutes)",
        "{day}: {system}、{cores} コア、{memory:.0f} GiB、Python {version}、ansible-core {core}、負荷 {load}（直近 1、5、15 分）",
        day=time.strftime("%Y-%m-%d"),
        system=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count(),
        memory=memory,
        version=version,
        core=core,
        load=", ".join(f"{value:.1f}" for value in os.getloadavg()),
    )


def _lines(rows: Sequence[Row], where: str, language: str) -> list[str]:
    cells = [_HEADS[language], ["---", "---:", "---:", "---"], *(row.cells(language) for row in rows)]
    return [where, "", *(f"| {' | '.join(row)} |" for row in cells)]


def report(name: str, rows: Sequence[Row], venv: Path, details: Text, write: bool = False) -> None:
    """Print the table, and with `write` put it into the manual, between the marks that carry the benchmark's name.

    `venv` is the environment that was measured; `details` says what else belongs to the figures (runs, versions).
    """
    where = _machine(venv / "bin" / "python")
    for language in ("en", "ja"):
        lines = _lines(rows, f"{where[language]}; {details[language]}", language)
        if language == "en":
            say("\n" + "\n".join(lines) + "\n")
        if write:
            _put(ROOT / "docs" / language / "performance.md", name, "\n".join(lines))


def _put(page: Path, name: str, table: str) -> None:
    begin, end = f"<!-- made by ./dev bench {name} --write -->", f"<!-- end of {name} -->"
    before, begun, rest = page.read_text(encoding="utf-8").partition(begin)
    _old, ended, after = rest.partition(end)
    if not (begun and ended):
        raise Failure(f"{page} has no place for the table of {name}")
    page.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")
    say(f"    written to {page.relative_to(ROOT)}")
