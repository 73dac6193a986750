# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs with this journal have changed in group policies, for the way back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core.model import Change
from .changes import DIGEST


def edits(records: Iterable[Mapping[str, Any]], kind: str) -> list[Change]:
    """The changes of this kind that are known to be done, oldest first. `records` are whole ones (see `journal.known`)."""
    begun: dict[str, Change] = {}
    found: list[Change] = []
    for record in records:
        if record.get("kind") != kind:
            continue
        if record["record"] == "intent" and _has_digests(record):
            begun[record["id"]] = Change.from_dict(record)
        elif record["record"] == "outcome" and record["status"] == "done" and record["id"] in begun:
            found.append(begun.pop(record["id"]))
    return found


def _has_digests(record: Mapping[str, Any]) -> bool:
    return all(isinstance((record.get(side) or {}).get(DIGEST), str) for side in ("before", "after"))


def original(done: Sequence[Change], identity: str, content: str) -> str:
    """The digest of the file before the edits that lead to `content`; `content` itself where none does, since somebody else has edited it or nobody has."""
    for change in reversed(done):
        if change.id == identity and change.after and change.before and change.after[DIGEST] == content:
            content = change.before[DIGEST]
    return content


def edited_since(done: Sequence[Change], identity: str, content: str) -> bool:
    """Whether the file was edited by these runs, and holds neither what it held before one of the edits nor what it held after one."""
    ours = [change for change in done if change.id == identity]
    return bool(ours) and all(content != (side or {})[DIGEST] for change in ours for side in (change.before, change.after))


def taken_out(done: Iterable[Change]) -> dict[tuple[str, str], list[str]]:
    """The members that were taken out of rights and not put back since, as they were spelled, by policy and right."""
    gone: dict[tuple[str, str], list[str]] = {}
    for change in done:
        for right, before, after in _rights(change):
            place = gone.setdefault((change.id, right), [])
            place += [member for member in before if member not in after]
            gone[change.id, right] = [member for member in place if member not in after]
    return gone


def _rights(change: Change) -> Iterator[tuple[str, list[str], list[str]]]:
    before, after = change.before or {}, change.after or {}
    for right in {**before, **after}:
        was, will_be = before.get(right), after.get(right)
        if isinstance(was, list) or isinstance(will_be, list):
            yield right, _members(was), _members(will_be)


def _members(value: Any) -> list[str]:
    return [str(member) for member in value] if isinstance(value, list) else []
