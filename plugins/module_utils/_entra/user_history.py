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

#: A property of the user, a value, and whether it must be equal to that or another one.
_Proof = tuple[str, Any, bool]

_PASSWORD = "lastPasswordChangeDateTime"


class History:
    """Whose password was set (8 bytes for each), whose sessions are still to be revoked, and when each domain was converted."""

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()) -> None:
        #: when domains were converted (RFC 3339), by name in lower case
        self.converted: dict[str, str] = {}
        self._new_passwords = array("Q")
        #: by which run a password may have been set: an intent without a word of whether it came to that
        self._maybe: dict[str, str] = {}
        self._owed: set[str] = set()
        #: for runs that meant to revoke a user's sessions, and of which the journal does not say how far they came: what would prove the change
        self._begun: dict[str, dict[str, _Proof]] = {}
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
        user_id, run, details = record["id"], record.get("run", ""), record.get("details") or {}
        if record.get("record") == "intent":
            if "signInSessions" in (record.get("after") or {}) and (proof := _proof(record)):
                self._begun.setdefault(user_id, {})[run] = proof
        elif "revoke" in (steps := details.get("steps_done", ())):
            self._owed.discard(user_id)
            self._begun.pop(user_id, None)
        elif steps:
            if self._begun.get(user_id, {}).pop(run, None):
                self._owed.add(user_id)
        elif details.get("password_set") is False:  # nothing was changed
            self._begun.get(user_id, {}).pop(run, None)

    def password_was_set(self, user_id: str) -> bool:
        """Known for certain; a replica that lags cannot belie it."""
        return mark(user_id) in self._has_new_password

    def password_may_be_set(self, user_id: str) -> bool:
        """A run was stopped while it did so. The time of the password's last change tells."""
        return user_id in self._maybe

    def sessions_owed(self, user_id: str, state: Mapping[str, Any]) -> bool:
        """Whether a run has changed the user, meant to revoke his sessions, and did not come to that. Of one that was stopped, the user's state tells."""
        begun = self._begun.get(user_id, {}).values()
        return user_id in self._owed or any((state[name] == value) is equal for name, value, equal in begun)


def _proof(intent: Mapping[str, Any]) -> _Proof | None:
    """All these change together, so the weightiest is enough. Licences are no proof, for they come after the sessions."""
    after = intent["after"]
    if "accountEnabled" in after:
        return "accountEnabled", after["accountEnabled"], True
    if _PASSWORD in after:
        return _PASSWORD, (intent.get("before") or {}).get(_PASSWORD), False
    return ("usageLocation", after["usageLocation"], True) if "usageLocation" in after else None
