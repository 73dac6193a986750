# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New passwords, and the encrypted hand-over files that hold each of them before it is set."""

from __future__ import annotations

import json
import os
import secrets
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..._core import vault
from ..._core.errors import OffboardError
from ..._module.files import folder_locked, write_atomically
from ..._module.vault_password import decrypt_file, yaml_item
from .marks import Marks, mark

# Without characters that people mix up when they read or dictate them (0 O o, 1 l I, quotes, and the like).
_LOWER = "abcdefghijkmnpqrstuvwxyz"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "23456789"
_SYMBOLS = "!#%+-=?@"

#: Entra ID's rule: 8 to 256 characters, three of the four classes.
#: https://learn.microsoft.com/entra/identity/authentication/concept-sspr-policy
SHORTEST, LONGEST = 12, 256

#: Users in one hand-over file. A file is written again whenever users are added to it, so this bounds time and memory.
USERS_PER_FILE = 2000

_HEADER = b"---\nusers:\n"

_RANDOM = secrets.SystemRandom()  # the operating system's generator, as all of `secrets`


def generate(length: int) -> str:
    """A random password with all four classes, from the operating system's generator.

    Raises OffboardError `bad_option` for a length below 12, which could be guessed, or above 256, which Entra ID refuses.
    """
    if not SHORTEST <= length <= LONGEST:
        raise OffboardError(f"password_length is {length}, but must be {SHORTEST} to {LONGEST}", code="bad_option")
    alphabet = _LOWER + _UPPER + _DIGITS + _SYMBOLS
    while True:
        password = "".join(_RANDOM.choices(alphabet, k=length))
        if all(any(character in group for character in password) for group in (_LOWER, _UPPER, _DIGITS, _SYMBOLS)):
            return password


def to_bytes(entries: Iterable[Mapping[str, str]]) -> bytes:
    """A hand-over file's plain content."""
    return _HEADER + b"".join(yaml_item(entry) for entry in entries)


def from_bytes(content: bytes) -> list[dict[str, str]]:
    """The entries. Raises OffboardError `bad_handover_file`."""
    try:
        if not content.startswith(_HEADER):
            raise ValueError("it does not begin as one")
        return [json.loads(line[2:]) for line in content[len(_HEADER) :].split(b"\n") if line]
    except ValueError as exc:
        raise OffboardError(f"this is not a hand-over file of entra_users: {exc}", code="bad_handover_file") from exc


class _Files:
    """The hand-over file, and its continuations (`handover-2.yml`, …) where there are more than USERS_PER_FILE users."""

    def __init__(self, path: str, vault_password: bytes) -> None:
        self._path, self._password = path, vault_password
        self._files = 0

    def file(self, number: int) -> str:
        """The path of the file with this number, from 1."""
        stem, extension = os.path.splitext(self._path)
        return self._path if number == 1 else f"{stem}-{number}{extension}"

    def _read(self) -> Iterator[list[dict[str, str]]]:
        number = 1
        while (content := decrypt_file(self.file(number), self._password)) is not None:
            try:
                yield from_bytes(content)
            except OffboardError as exc:
                raise OffboardError(f"{self.file(number)}: {exc.msg}. Name another handover_file.", code=exc.code) from exc
            number += 1

    @property
    def files(self) -> list[str]:
        """The paths of all files."""
        return [self.file(number) for number in range(1, self._files + 1)]

    def _add(self, new: list[dict[str, Any]]) -> None:
        if not new:
            return
        with folder_locked(self._path):  # another shard on this machine may add to the same file
            while new:
                self._files = 0  # counted anew: they may have been moved away meanwhile
                while os.path.exists(self.file(self._files + 1)):
                    self._files += 1
                there = from_bytes(decrypt_file(self.file(self._files), self._password) or _HEADER) if self._files else []
                if self._files == 0 or len(there) >= USERS_PER_FILE:
                    self._files, there = self._files + 1, []
                room = USERS_PER_FILE - len(there)
                part, new = new[:room], new[room:]
                write_atomically(self.file(self._files), vault.encrypt(to_bytes([*there, *part]), self._password, os.urandom(32)))


class HandOver(_Files):
    """New passwords.

    An entry is written before its password is set and never changed afterwards. It remembers when the password had last been
    changed, so that a later run can tell whether this one may have been set: nothing else about a password can be read.
    """

    def __init__(self, path: str, vault_password: bytes, length: int) -> None:
        super().__init__(path, vault_password)
        self._length = length
        users, changes = array("Q"), array("Q")
        for entries in self._read():
            self._files += 1
            entries = [entry for entry in entries if "password" in entry]
            users.extend(mark(entry["id"]) for entry in entries)
            changes.extend(mark(entry["id"], entry["passwordChangedBefore"]) for entry in entries)
        #: who has an entry from an earlier run, and with which last change of the password
        self._users, self._changes = Marks(users), Marks(changes)

    def changed_since(self, user_id: str, last_change: str | None) -> bool:
        """Whether the user has an entry and his password was changed after it was written: to that one, or by somebody else."""
        return mark(user_id) in self._users and mark(user_id, last_change) not in self._changes

    def unchanged_since(self, user_id: str, last_change: str | None) -> bool:
        """Whether the user has an entry and the password is still the one from before it was written."""
        return mark(user_id, last_change) in self._changes

    def provide(self, users: Iterable[tuple[str, str, str | None]]) -> dict[str, str]:
        """Passwords by id for users given as (id, userPrincipalName, last change). On the disk when this returns.

        Whoever has an entry keeps that password. Raises OffboardError `file_write_failed` when the disk refuses; then none of
        the new passwords may be set.
        """
        users = list(users)
        wanted = {user_id for user_id, _unused, _unused in users}
        known: dict[str, str] = {}
        if any(mark(user_id) in self._users for user_id in wanted):
            for entries in self._read():
                known.update((entry["id"], entry["password"]) for entry in entries if entry["id"] in wanted and "password" in entry)
        new = [
            {"id": user_id, "userPrincipalName": upn, "password": generate(self._length), "passwordChangedBefore": last_change}
            for user_id, upn, last_change in users
            if user_id not in known
        ]
        self._add(new)
        return known | {entry["id"]: entry["password"] for entry in new}


class PassBook(_Files):
    """Temporary Access Passes, whose values Graph makes.

    An entry without a value is written before a pass is asked for, and gets the value as soon as Graph has told it. So a pass that was made
    and whose answer was lost is known as such, and is done away with: it can never be handed over.
    """

    def __init__(self, path: str, vault_password: bytes) -> None:
        super().__init__(path, vault_password)
        #: by user id: when the handed-over pass ends; when passes were asked for that are not known
        self._until: dict[str, str] = {}
        self._asked: dict[str, tuple[str, ...]] = {}
        for entries in self._read():
            self._files += 1
            for entry in entries:
                if entry.get("temporaryAccessPass"):
                    self._until[entry["id"]] = entry["validUntil"]
                    self._asked.pop(entry["id"], None)
                elif "temporaryAccessPass" in entry:
                    self._asked[entry["id"]] = (*self.asked_for(entry["id"]), entry["askedFor"])

    def was_given(self, user_id: str, now: str) -> bool:
        """Whether the user was given a pass that has not ended by `now` (RFC 3339, UTC, as in the file)."""
        return self._until.get(user_id, "") > now

    def ever_given(self, user_id: str) -> bool:
        """Whether the user was given a pass at all."""
        return user_id in self._until

    def asked_for(self, user_id: str) -> tuple[str, ...]:
        """When passes were asked for whose values are not known."""
        return self._asked.get(user_id, ())

    def begin(self, users: Iterable[tuple[str, str]], now: str) -> None:
        """Passes will be asked for at once, for users given as (id, userPrincipalName). On the disk when this returns."""
        new = list(users)
        self._add([{"id": user_id, "userPrincipalName": upn, "temporaryAccessPass": None, "askedFor": now} for user_id, upn in new])
        self._asked.update((user_id, (*self.asked_for(user_id), now)) for user_id, _unused in new)

    def keep(self, made: Mapping[str, Mapping[str, Any]]) -> None:
        """The values that Graph has told, by user id, each with its userPrincipalName. On the disk when this returns.

        A user's newest entry takes it. Where none waits (the file was moved away, or another run has filled it), it is added as an entry of its own.
        """
        left = dict(made)
        with folder_locked(self._path):
            for number in range(self._files, 0, -1):
                if not left:
                    break
                entries = from_bytes(decrypt_file(self.file(number), self._password) or _HEADER)
                waiting = {entry["id"]: entry for entry in entries if entry["id"] in left and entry.get("temporaryAccessPass", "") is None}
                for user_id, entry in waiting.items():
                    entry.update(left.pop(user_id))
                if waiting:
                    write_atomically(self.file(number), vault.encrypt(to_bytes(entries), self._password, os.urandom(32)))
        self._add([{"id": user_id, **item} for user_id, item in left.items()])
        for user_id, item in made.items():
            self._until[user_id] = item["validUntil"]
            self._asked.pop(user_id, None)
