# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal tells of earlier runs, and reading the tenant does not."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ..._core import names
from ..._core.marks import Marks, mark
from ..._core.times import as_time
from ..domains.plan import CONVERT, GO_BACK
from ..domains.plan import KIND as DOMAIN
from .plan import KIND, PASSWORD

#: A property of the user, a value, and whether it must be equal to that or another one.
_Proof = tuple[str, Any, bool]


class History:
    """Whose password was set (8 bytes for each), whose sessions are still to be revoked, and when each domain was converted."""

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()) -> None:
        #: when domains were converted (RFC 3339), by name in lower case
        self.converted: dict[str, str] = {}
        self._converted_by: dict[str, str] = {}
        self._new_passwords = array("Q")
        #: by which run a password may have been set: an intent without a word of whether it came to that
        self._maybe: dict[str, str] = {}
        #: when the last password was recorded as set (RFC 3339, UTC)
        self.last_password_at = ""
        self._owed: set[str] = set()
        #: what runs recorded as done (user and run), and whose change the same run then did not see in the tenant: its verification takes it back
        self._passwords_of, self._revoked_of = array("Q"), array("Q")
        self._unseen_passwords: dict[str, str] = {}
        self._unseen_sessions: dict[str, str] = {}
        #: for runs that meant to revoke a user's sessions, and of which the journal does not say how far they came: what would prove the change
        self._begun: dict[str, dict[str, _Proof]] = {}
        for record in records:
            if record.get("kind") == KIND:
                if record.get("code") == "not_seen" or (record.get("details") or {}).get("seen") is False:
                    self._unseen_passwords[record["id"]] = self._unseen_sessions[record["id"]] = record.get("run", "")
                    continue
                self._note_password(record)
                self._note_sessions(record)
            elif record.get("kind") == DOMAIN and record.get("record") == "outcome":
                self._note_domain(record)
        self._has_new_password = Marks(self._new_passwords)
        self._take_back()

    def _take_back(self) -> None:
        """What was recorded as done and then not seen: a password may be set or not, and sessions may have begun anew before the change took hold."""
        set_by, revoked_by = Marks(self._passwords_of), Marks(self._revoked_of)
        self._unseen_passwords = {user_id: run for user_id, run in self._unseen_passwords.items() if mark(user_id, run) in set_by}
        self._maybe = self._unseen_passwords | self._maybe
        self._owed |= {user_id for user_id, run in self._unseen_sessions.items() if mark(user_id, run) in revoked_by}

    def _note_domain(self, record: Mapping[str, Any]) -> None:
        name, run, action = names.domain(record["id"]), record.get("run", ""), record.get("action")
        if record.get("status") == "done" and action == CONVERT:
            self.converted[name] = (record.get("details") or {}).get("begun_at") or record["at"]
            self._converted_by[name] = run
        elif (record.get("status") == "done" and action == GO_BACK) or (
            record.get("code") == "not_seen" and action == CONVERT and self._converted_by.get(name) == run
        ):
            self.converted.pop(name, None)

    def _note_password(self, record: Mapping[str, Any]) -> None:
        user_id, run, told = record["id"], record.get("run", ""), (record.get("details") or {}).get("password_set")
        if record.get("record") == "intent":
            if PASSWORD in (record.get("after") or {}):
                self._maybe.setdefault(user_id, run)
        elif told:
            self._new_passwords.append(mark(user_id))
            self._passwords_of.append(mark(user_id, run))
            self._maybe.pop(user_id, None)
            self._unseen_passwords.pop(user_id, None)
            self.last_password_at = max(self.last_password_at, record.get("at", ""), key=as_time)
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
            self._unseen_sessions.pop(user_id, None)
            self._revoked_of.append(mark(user_id, run))
        elif steps:
            if self._begun.get(user_id, {}).pop(run, None):
                self._owed.add(user_id)
        elif details.get("password_set") is False:  # nothing was changed
            self._begun.get(user_id, {}).pop(run, None)

    def password_was_set(self, user_id: str) -> bool:
        """Recorded, and not taken back by the verification."""
        return user_id not in self._unseen_passwords and mark(user_id) in self._has_new_password

    def password_may_be_set(self, user_id: str) -> bool:
        """A run was stopped while it did so, or did not see it afterwards. The time of the password's last change tells."""
        return user_id in self._maybe

    def sessions_owed(self, user_id: str, state: Mapping[str, Any]) -> bool:
        """Whether a run has changed the user, meant to revoke their sessions, and did not come to that. Of one that was stopped, the user's state tells."""
        begun = self._begun.get(user_id, {}).values()
        return user_id in self._owed or any((state[name] == value) is equal for name, value, equal in begun)


def passwords_set(records: Iterable[Mapping[str, Any]], users: Collection[str]) -> Iterator[tuple[str, str]]:
    """When passwords of these users (ids in lower case) were set: id and time (RFC 3339)."""
    for record in records:
        was_set = record.get("kind") == KIND and record.get("record") == "outcome" and (record.get("details") or {}).get("password_set") is True
        if was_set and (key := names.uuid(record["id"])) in users:
            yield key, record["at"]


def _proof(intent: Mapping[str, Any]) -> _Proof | None:
    """All these change together, so the weightiest is enough. Licences are no proof, for they come after the sessions."""
    after = intent["after"]
    if "accountEnabled" in after:
        return "accountEnabled", after["accountEnabled"], True
    if PASSWORD in after:
        return "lastPasswordChangeDateTime", (intent.get("before") or {}).get(PASSWORD), False
    return ("usageLocation", after["usageLocation"], True) if "usageLocation" in after else None
