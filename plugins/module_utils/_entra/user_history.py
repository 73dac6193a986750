# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal tells of earlier runs, and reading the tenant does not."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

from .domains import CONVERT
from .domains import KIND as DOMAIN
from .marks import Marks, mark
from .user_plan import KIND

_PASSWORD = "lastPasswordChangeDateTime"


class History:
    """Whose password was set, whose sessions are still to be revoked, and when each domain was converted. Of 100,000 users it holds some bytes each."""

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()) -> None:
        #: when domains were converted (RFC 3339), by name in lower case
        self.converted: dict[str, str] = {}
        self._new_passwords = array("Q")
        #: by which run a password may have been set: an intent without a word of whether it came to that
        self._maybe: dict[str, str] = {}
        self._owed: set[str] = set()
        #: intents to revoke sessions of which the journal does not say how far they came
        self._begun: dict[str, Mapping[str, Any]] = {}
        for record in records:
            if record.get("kind") == KIND:
                self._note_password(record)
                self._note_sessions(record)
            elif (record.get("kind"), record.get("action"), record.get("status")) == (DOMAIN, CONVERT, "done"):
                self.converted[record["id"].casefold()] = (record.get("details") or {}).get("begun_at") or record["at"]
        self._has_new_password = Marks(self._new_passwords)

    def _note_password(self, record: Mapping[str, Any]) -> None:
        user_id, run, told = record["id"], record.get("run", ""), (record.get("details") or {}).get("password_set")
        if record.get("record") == "intent":
            if _PASSWORD in (record.get("after") or {}):
                self._maybe.setdefault(user_id, run)
        elif told:
            self._new_passwords.append(mark(user_id))
            self._maybe.pop(user_id, None)
        elif (told is False or record.get("status") == "skipped") and self._maybe.get(user_id) == run:
            del self._maybe[user_id]

    def _note_sessions(self, record: Mapping[str, Any]) -> None:
        user_id, steps = record["id"], (record.get("details") or {}).get("steps_done", ())
        if record.get("record") == "intent":
            if "signInSessions" in (record.get("after") or {}):
                self._begun[user_id] = record
        elif "revoke" in steps:
            self._owed.discard(user_id)
            self._begun.pop(user_id, None)
        elif steps and user_id in self._begun and self._begun[user_id].get("run") == record.get("run"):
            del self._begun[user_id]
            self._owed.add(user_id)

    def password_was_set(self, user_id: str) -> bool:
        """Known for certain; a replica that lags cannot belie it."""
        return mark(user_id) in self._has_new_password

    def password_may_be_set(self, user_id: str) -> bool:
        """A run was stopped while it did so. The time of the password's last change tells."""
        return user_id in self._maybe

    def sessions_owed(self, user_id: str, state: Mapping[str, Any]) -> bool:
        """Whether a run has changed the user, meant to revoke his sessions, and did not come to that.

        Of one that was stopped, the user's state tells how far it came; licences do not, for they come after the sessions.
        """
        if user_id in self._owed:
            return True
        if (intent := self._begun.get(user_id)) is None:
            return False
        after = intent["after"]
        if _PASSWORD in after and state[_PASSWORD] == (intent.get("before") or {}).get(_PASSWORD):
            return False
        return all(state[name] == after[name] for name in ("accountEnabled", "usageLocation") if name in after)
