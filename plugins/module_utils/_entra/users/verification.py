# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether changed users are read as they shall be."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..._core.marks import Marks, mark
from ..._core.model import Change
from ..._core.spool import Spool
from . import plan as user_plan
from . import requests as user_requests
from .licences import Skus


class Late:
    """The changed users who have not been seen as they shall be. Equal expectations share one object, so a user costs some 20 bytes."""

    def __init__(self, applied: Spool) -> None:
        self._applied = applied
        self._users = Marks(mark(change.id) for change in applied)
        self._expected: list[user_requests.Expectation] = []
        self._which = array("L", bytes(array("L").itemsize * len(self._users)))
        #: the last change of the password that must no longer be read
        self._before = array("Q", bytes(8 * len(self._users)))
        #: the same of the time from which sessions are good; 0 where none were revoked, or nobody knows it
        self._sessions = array("Q", bytes(8 * len(self._users)))
        self._seen = bytearray(len(self._users))
        #: by user id, what Graph says about a group's licence that the user does not get
        self.errors: dict[str, str] = {}
        self.count = len(self._users)
        shared: dict[str, int] = {}
        for change in applied:
            place = self._users.place_of(mark(change.id))
            self._before[place] = mark((change.before or {}).get(user_plan.PASSWORD))
            if sessions := (change.before or {}).get("signInSessions"):
                self._sessions[place] = mark(sessions)
            expected = user_requests.expectation(change)
            number = shared.setdefault(repr(expected), len(self._expected))
            if number == len(self._expected):
                self._expected.append(expected)
            self._which[place] = number

    def look(self, item: Mapping[str, Any], skus: Skus) -> None:
        """Take Graph's user off when it shows what it shall."""
        place = self._users.place(mark(item["id"]))
        if place is None or self._seen[place]:
            return
        changed = mark(item.get("lastPasswordChangeDateTime")) != self._before[place]
        revoked = not self._sessions[place] or mark(item.get(user_plan.SESSIONS)) != self._sessions[place]
        if revoked and user_requests.meets(item, self._expected[self._which[place]], skus, password_changed=changed):
            self._seen[place] = 1
            self.count -= 1
            self.errors.pop(item["id"], None)
            return
        group = dict(self._expected[self._which[place]]).get("licenceGroup")
        if group is not None and (errors := {name: text for name, text in user_requests.group_errors(item, group, skus).items() if text}):
            self.errors[item["id"]] = ", ".join(f"{name} ({text})" for name, text in errors.items())

    def __iter__(self) -> Iterator[Change]:
        return self.of(())

    def of(self, others: Collection[str]) -> Iterator[Change]:
        """The changes of those who have not been seen, and of `others` (ids)."""
        for change in self._applied:
            place = self._users.place(mark(change.id))
            if change.id in others or (place is not None and not self._seen[place]):
                yield change
