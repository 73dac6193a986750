# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier, not yet applied plans would have left behind: the reason check mode works over a whole playbook."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from .model import Change, Object


class Predictions:
    """The outcome that a list of planned changes predicts, to be laid over what is really there."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._after: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._created: set[tuple[str, str]] = set()
        #: objects that somebody has asked for, and of which something is predicted
        self._met: set[tuple[str, str]] = set()
        for change in changes:
            self._names[change.key] = change.name
            if change.before is None:
                self._created.add(change.key)
            if change.after is None:
                self._after[change.key] = None
            else:
                self._after[change.key] = {**(self._after.get(change.key) or {}), **change.after}

    def __len__(self) -> int:
        return len(self._after)

    @property
    def met(self) -> int:
        """Of how many objects a prediction took the place of what is there, so far. A task that met none plans for today's state alone."""
        return len(self._met)

    def of(self, kind: str) -> dict[str, Mapping[str, Any] | None]:
        """By id, what is predicted of the objects of one kind: what changes in their state, None when they will not exist."""
        found: dict[str, Mapping[str, Any] | None] = {identity: after for (other, identity), after in self._after.items() if other == kind}
        self._met |= {(kind, identity) for identity in found}
        return found

    def state(self, kind: str, identity: str, current: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The predicted state of one object; None when it will not exist."""
        if (kind, identity) not in self._after:
            return current
        self._met.add((kind, identity))
        after = self._after[kind, identity]
        return None if after is None else {**(current or {}), **after}

    def overlay(self, kinds: Collection[str], objects: Iterable[Object]) -> Iterator[Object]:
        """`objects` as they will be: deleted ones are left out, those of `kinds` that a plan creates come last."""
        seen = set()
        for item in objects:
            seen.add((item.kind, item.id))
            state = self.state(item.kind, item.id, item.state)
            if state is not None:
                yield item if state is item.state else Object(item.kind, item.id, item.name, state)
        for key in self._created - seen:
            after = self._after[key]
            if key[0] in kinds and after is not None:
                self._met.add(key)
                yield Object(key[0], key[1], self._names[key], after)
