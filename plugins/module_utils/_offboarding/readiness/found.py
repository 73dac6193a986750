# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of the roles have found, put together for a judgement. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .judged import ANSWERS

#: What a role may have found for the judgement; other keys of its dictionary are for other tasks.
KEYS = (*dict.fromkeys(one.fact for one in ANSWERS), "clients", "confirmed")


def merged(handed_over: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Lists one after the other, dictionaries by key; of anything else the last one that is not None. A role that did not run hands over {}."""
    made: dict[str, Any] = {}
    for found in handed_over:
        for key in KEYS:
            if key in found:
                made[key] = _joined(made.get(key), found[key])
    return made


def _joined(before: Any, after: Any) -> Any:
    if before is None or after is None:
        return after if before is None else before
    if isinstance(before, list) and isinstance(after, list):
        return [*before, *after]
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return {**before, **{key: _joined(before.get(key), value) for key, value in after.items()}}
    return after


def of_answers(answers: Mapping[str, Any], gate: str) -> dict[str, Any]:
    """The facts for a judgement. What was not asked (no answer, or that of a task that was skipped) is no fact, which is never "nothing there"."""
    made: dict[str, Any] = {}
    for one in ANSWERS:
        answer = answers.get(one.registered)
        if gate not in one.gates or not answer or answer.get("skipped"):
            continue
        rows = answer.get("results") or [answer]
        if one.fact == "dry_runs":
            fact: Any = [{"stage": one.stage, "msg": row["msg"], "failure": row["failure"]} for row in rows if "failure" in row]
        elif one.fact == "users":
            fact = [{"domain": row["item"], "counts": row["counts"]} for row in rows]
        else:
            fact = answer[one.part] if one.part else answer
        made[one.fact] = [*made[one.fact], *fact] if one.fact in made else fact
    return made
