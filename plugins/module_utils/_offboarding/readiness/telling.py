# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as people read them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..._core import heads, plain
from ..._core.text import Text
from ..finding import SEVERITY_NAMES, Finding


def lines(findings: Iterable[Finding], language: str) -> list[str]:
    """What people read of the findings, one line a point and language: how grave it is, and the point with its way out."""
    told = [(SEVERITY_NAMES[item.severity], item.text) for item in findings]
    return [
        plain.line(f"[{name}] {text}") for names, texts in told for name, text in zip(names.in_language(language), texts.in_language(language), strict=True)
    ]


#: What a task's event has room for: it holds the lines twice. All findings are in the report, and those of preflight and the final gate in results/ too.
_EVENT_BYTES = 30_000

#: What is told when nothing stands in the way.
_NOTHING = {
    False: Text("Nothing stands in the way.", "妨げになるものはありません。"),
    True: Text("Nothing points at IIJ ID any more, and everybody has a way to sign in.", "IIJ IDを参照するものはなく、全員にサインインの手段があります。"),
}


def verdict(findings: Iterable[Finding], language: str, final: bool = False) -> str:
    """How much stands in the way, in one line; the findings are told elsewhere."""
    number = sum(item.severity == "blocker" for item in findings)
    things = "1 thing stands in the way." if number == 1 else f"{number} things stand in the way."
    told = Text(things, f"{number}件の要対応の項目があります。") if number else _NOTHING[final]
    return told.told(language)


def message(findings: Iterable[Finding], language: str) -> str:
    """The blockers on one line, for people; empty when there is none."""
    blockers = [item for item in findings if item.severity == "blocker"]
    numbered = (f"{number}. {' / '.join(item.text.in_language(language))}" for number, item in enumerate(blockers, 1))
    return f"{verdict(blockers, language)} {' | '.join(heads.sentences(numbered))}" if blockers else ""


def summary(findings: Sequence[Finding], language: str, *, final: bool) -> dict[str, Any]:
    """The findings counted and told, of very many the gravest."""
    count = [item.severity for item in findings].count
    gravest_first = sorted(findings, key=lambda item: [*SEVERITY_NAMES].index(item.severity))
    return {
        "blockers": count("blocker"),
        "warnings_found": count("warning"),
        "lines": heads.sentences(lines(gravest_first, language), _EVENT_BYTES),
        "verdict": verdict(findings, language, final),
    }
