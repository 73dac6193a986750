# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards that more than one kind of object needs. A guard is a pure function that returns refusals."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from . import names
from .model import Refusal


def too_many(changes: int, max_changes: int, noun: str) -> list[Refusal]:
    """More objects would change than the operator expects. `max_changes` 0 means: none at all."""
    if changes <= max_changes:
        return []
    return [
        Refusal(
            rule="max_changes",
            msg=f"{changes} {noun} would change, but max_changes is {max_changes}. Look at the plan; if it is what you want, raise max_changes.",
            allow_with=f"max_changes: {changes}",
        )
    ]


def nothing_known(named: Collection[str], where: str) -> Refusal:
    """Nothing is there of all that was named, and nothing tells that it ever was: "ok" would be said of another directory's list, or of a typing error."""
    some = ", ".join(list(named)[:3]) + (" and others" if len(named) > 3 else "")
    return Refusal(
        "nothing_found",
        f"{where} has nothing of all that was named ({some}), and neither the snapshot nor the journal tells that it ever had. Is it the one that is meant? "
        "Correct the names, or take them off the list.",
        tuple(named),
    )


def never_touch(touched: Iterable[tuple[str, str]], protected: Collection[str], rule: str, why: str) -> list[Refusal]:
    """`touched` are (id, name) pairs of users; those in `protected`, by id or name, may not be among them."""
    known = names.users(protected)
    hits = tuple(name for identity, name in touched if not names.of_user(identity, name).isdisjoint(known))
    return [Refusal(rule=rule, msg=f"{why}: {', '.join(hits)}", objects=hits)] if hits else []
