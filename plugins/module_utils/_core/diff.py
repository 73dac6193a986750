# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences: which properties change, lists with add/remove/set, and Ansible's --diff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .model import Change


def changed_properties(current: Mapping[str, Any], desired: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(before, after) of the properties in `desired` that differ from `current`; both empty when nothing differs."""
    after = {name: value for name, value in desired.items() if current.get(name) != value}
    return {name: current.get(name) for name in after}, after


def list_change(
    current: Sequence[str], add: Iterable[str] = (), remove: Iterable[str] = (), set_to: Sequence[str] | None = None, fold_case: bool = True
) -> list[str]:
    """The list after `set_to` (when not None), then `add` and `remove`, in the present order; microsoft.ad's vocabulary."""

    def fold(value: str) -> str:
        return value.casefold() if fold_case else value

    wanted = list(current if set_to is None else set_to)
    gone = {fold(value) for value in remove}
    have = {fold(value) for value in wanted}
    for value in add:
        if fold(value) not in have:
            have.add(fold(value))
            wanted.append(value)
    return [value for value in wanted if fold(value) not in gone]


def ansible_diff(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """One entry per changed object, in the form that `--diff` prints."""
    return [
        {
            "before_header": f"{change.kind} {change.name}",
            "after_header": f"{change.kind} {change.name} ({change.action})",
            "before": dict(change.before) if change.before is not None else {},
            "after": dict(change.after) if change.after is not None else {},
        }
        for change in changes
    ]
