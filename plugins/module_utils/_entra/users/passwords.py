# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New passwords, and the encrypted hand-over files that hold each of them before it is set."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from ..._core import times, vault
from ..._core.errors import OffboardError
from ..._core.marks import Marks, mark
from ..._module.files import file_locked, write_atomically
from ..._module.vault_password import decrypt_file, yaml_item

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

#: When a file was written, its size and its inode.
_Signature = tuple[int, int, int]

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


_TEXTS, _TIMES = ("userPrincipalName", "displayName", "password", "temporaryAccessPass", "passwordChangedBefore"), ("validUntil", "askedFor", "seenAt")


def _is_whole(entry: Mapping[str, Any]) -> bool:
    """Whether everything on which is relied is a text, or null, and what is a time is one."""
    if not all(isinstance(entry.get(name), str | None) for name in (*_TEXTS, *_TIMES)):
        return False
    return all(not entry.get(name) or times.is_later(entry[name], "") for name in _TIMES)


def from_bytes(content: bytes) -> list[dict[str, str]]:
    """The entries. Raises OffboardError `bad_handover_file`."""
    try:
        if not content.startswith(_HEADER):
            raise ValueError("it does not begin as one")
        entries = [json.loads(line[2:]) for line in content[len(_HEADER) :].split(b"\n") if line]
        if not all(isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in entries):
            raise ValueError("an entry names no user")
        if not all(_is_whole(entry) for entry in entries):
            raise ValueError("a name, a secret or a time of an entry is none")
        return entries
    except (ValueError, RecursionError) as exc:
        why = "a line of it is no JSON" if isinstance(exc, (json.JSONDecodeError, UnicodeDecodeError, RecursionError)) else str(exc)
        raise OffboardError(f"this is not a hand-over file of entra_users: {why}", code="bad_handover_file") from None


def _signature(path: str) -> _Signature | None:
    """None where there is no file. Raises OffboardError `file_read_failed`."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
    return found.st_mtime_ns, found.st_size, found.st_ino


class _Growing:
    """Marks to which more are added: put in order when one is asked for again."""

    def __init__(self) -> None:
        self._marks, self._new = Marks(), array("Q")

    def add(self, marks: Iterable[int]) -> None:
        self._new.extend(marks)

    def __contains__(self, one: int) -> bool:
        if self._new:
            self._marks, self._new = Marks(chain(self._marks, self._new)), array("Q")
        return one in self._marks


class _Files:
    """The hand-over file, and its continuations (`handover-2.yml`, …) where there are more than USERS_PER_FILE users.

    Another process may add to them at any time. So what shall be written is decided under a lock, by what is in the files then; a file
    that nobody else has written since is not read again.
    """

    def __init__(self, path: str, vault_password: bytes) -> None:
        self._path, self._password = path, vault_password
        #: each file as it was when it was last read or written here
        self._signatures: list[_Signature] = []
        for number, entries in self._written_since():
            self._note(number, entries)

    def file(self, number: int) -> str:
        """The path of the file with this number, from 1."""
        stem, extension = os.path.splitext(self._path)
        return self._path if number == 1 else f"{stem}-{number}{extension}"

    @property
    def files(self) -> list[str]:
        """The paths of all files."""
        return [self.file(number) for number in range(1, len(self._signatures) + 1)]

    def _note(self, number: int, entries: list[dict[str, Any]]) -> None:
        """Remember what a file holds that others have written."""
        raise NotImplementedError

    def _wrote(self, number: int, entries: list[dict[str, Any]]) -> None:
        """Remember what was written here."""

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else writes the files meanwhile, and what others have written before is known."""
        with file_locked(self._path):
            for number, entries in self._written_since():
                self._note(number, entries)
            yield

    def _written_since(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Numbers and entries of those files that others have written."""
        number = 1
        while (signature := _signature(self.file(number))) is not None:
            if signature != self._signature(number):
                entries = self._read(number)
                self._signatures[number - 1 :] = [signature, *self._signatures[number:]]
                yield number, entries
            number += 1
        del self._signatures[number - 1 :]  # they may have been moved away meanwhile

    def _signature(self, number: int) -> _Signature | None:
        return self._signatures[number - 1] if number <= len(self._signatures) else None

    def _read(self, number: int) -> list[dict[str, Any]]:
        try:
            return from_bytes(decrypt_file(self.file(number), self._password) or _HEADER)
        except OffboardError as exc:
            if exc.code != "bad_handover_file":
                raise
            raise OffboardError(f"{self.file(number)}: {exc.msg}. Name another handover_file.", code=exc.code) from exc

    def _write(self, number: int, entries: list[dict[str, Any]]) -> None:
        write_atomically(self.file(number), vault.encrypt(to_bytes(entries), self._password, os.urandom(32)))
        if (signature := _signature(self.file(number))) is not None:
            self._signatures[number - 1 :] = [signature, *self._signatures[number:]]
        self._wrote(number, entries)

    def _add(self, new: list[dict[str, Any]]) -> None:
        """At the end of the last file, or into further ones. Within `_locked`."""
        while new:
            number = max(1, len(self._signatures))
            there = self._read(number) if self._signatures else []
            if len(there) >= USERS_PER_FILE:
                number, there = number + 1, []
            room = USERS_PER_FILE - len(there)
            part, new = new[:room], new[room:]
            self._write(number, [*there, *part])


class HandOver(_Files):
    """New passwords.

    An entry is written before its password is set and never changed afterwards, unless Graph has refused that password. It remembers when
    the password had last been changed, so that a later run can tell whether this one may have been set: nothing else about a password can be read.
    """

    def __init__(self, path: str, vault_password: bytes, length: int) -> None:
        self._length = length
        #: who has an entry of another run, and with which last change of the password
        self._users, self._changes = _Growing(), _Growing()
        super().__init__(path, vault_password)

    def _note(self, number: int, entries: list[dict[str, Any]]) -> None:
        entries = [entry for entry in entries if "password" in entry]
        if not all("passwordChangedBefore" in entry for entry in entries):
            raise OffboardError(
                f"{self.file(number)} does not say of each password when the one before it had been changed. Name another handover_file.",
                code="bad_handover_file",
            )
        self._users.add(mark(entry["id"]) for entry in entries)
        self._changes.add(mark(entry["id"], entry["passwordChangedBefore"]) for entry in entries)

    def __contains__(self, user_id: str) -> bool:
        """Whether the user has an entry of an earlier run."""
        return mark(user_id) in self._users

    def changed_since(self, user_id: str, last_change: str | None) -> bool:
        """Whether the user has an entry and their password was changed after it was written: to that one, or by somebody else."""
        return user_id in self and mark(user_id, last_change) not in self._changes

    def unchanged_since(self, user_id: str, last_change: str | None) -> bool:
        """Whether the user has an entry and the password is still the one from before it was written."""
        return mark(user_id, last_change) in self._changes

    def provide(self, users: Iterable[tuple[str, str, str | None, str | None]]) -> dict[str, str]:
        """Passwords by id for users given as (id, userPrincipalName, display name, last change). On the disk when this returns.

        Whoever has an entry keeps that password. Raises OffboardError `file_write_failed` when the disk refuses; then none of
        the new passwords may be set.
        """
        users = list(users)
        wanted = {user_id for user_id, *_others in users}
        known: dict[str, str] = {}
        with self._locked():
            if any(user_id in self for user_id in wanted):
                for number in range(1, len(self._signatures) + 1):
                    known.update((entry["id"], entry["password"]) for entry in self._read(number) if entry["id"] in wanted and "password" in entry)
            new: list[dict[str, Any]] = [
                {"id": user_id, "userPrincipalName": upn, "displayName": name, "password": generate(self._length), "passwordChangedBefore": last_change}
                for user_id, upn, name, last_change in users
                if user_id not in known
            ]
            self._add(new)
        return known | {entry["id"]: entry["password"] for entry in new}

    def renew(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Other passwords for users whose own was refused, so that it can be nobody's: they take its place in the file. On the disk when this returns."""
        made = {user_id: generate(self._length) for user_id in user_ids}
        with file_locked(self._path):
            number = 1
            while (content := decrypt_file(self.file(number), self._password)) is not None:
                entries = from_bytes(content)
                mine = [entry for entry in entries if entry["id"] in made and "password" in entry]
                for entry in mine:
                    entry["password"] = made[entry["id"]]
                if mine:
                    write_atomically(self.file(number), vault.encrypt(to_bytes(entries), self._password, os.urandom(32)))
                number += 1
        return made


@dataclass(frozen=True)
class _Pass:
    """What the files say of a user's passes.

    until: when the one ends that was handed over; seen: when it was last seen in the tenant; asked: when passes were asked for whose values are
    not known.
    """

    until: str = ""
    seen: str = ""
    asked: tuple[str, ...] = ()


class PassBook(_Files):
    """Temporary Access Passes, whose values Graph makes.

    An entry without a value is written before a pass is asked for, and gets the value as soon as Graph has told it. So a pass that was made
    and whose answer was lost is known as such, and is done away with: it can never be handed over. A value whose pass is then not seen in the
    tenant is taken out again.
    """

    def __init__(self, path: str, vault_password: bytes) -> None:
        #: what counts of each file's entries, by the file's number: id, when it ends, when it was seen, when it was asked for
        self._noted: dict[int, list[tuple[str, str, str, str]]] = {}
        self._passes: dict[str, _Pass] | None = None
        #: passes that are not in the tenant although they were handed over, by user id: when they would have ended
        self._gone: dict[str, str] = {}
        #: the ids of the passes that this run has made, by user id
        self._made: dict[str, str] = {}
        super().__init__(path, vault_password)

    def _note(self, number: int, entries: list[dict[str, Any]]) -> None:
        self._noted[number] = [
            (entry["id"], (entry.get("validUntil") or "") if entry["temporaryAccessPass"] else "", entry.get("seenAt") or "", entry.get("askedFor") or "")
            for entry in entries
            if "temporaryAccessPass" in entry
        ]
        self._passes = None

    _wrote = _note

    def _of(self, user_id: str) -> _Pass:
        if self._passes is None:
            self._passes = {}
            for number in range(1, len(self._signatures) + 1):
                for key, until, seen, asked in self._noted.get(number, ()):
                    before = self._passes.get(key, _Pass())
                    self._passes[key] = _Pass(until, seen) if until else replace(before, asked=(*before.asked, asked))
        return self._passes.get(user_id, _Pass())

    def was_given(self, user_id: str, now: str) -> bool:
        """Whether the user was given a pass that has not ended by `now` (RFC 3339, UTC, as in the file)."""
        until = self._of(user_id).until
        return times.as_time(until) > times.as_time(now) and self._gone.get(user_id) != until

    def seen_at(self, user_id: str) -> str:
        """When the pass that the user was given was seen in the tenant; empty when it never was."""
        return self._of(user_id).seen

    def ever_given(self, user_id: str) -> bool:
        """Whether the user was given a pass at all."""
        return bool(self._of(user_id).until)

    def asked_for(self, user_id: str) -> tuple[str, ...]:
        """When passes were asked for whose values are not known."""
        return self._of(user_id).asked

    def is_gone(self, user_id: str) -> None:
        """The pass that the user was given is not in the tenant. It is taken out of the file when another one is asked for."""
        self._gone[user_id] = self._of(user_id).until

    def is_there(self, user_id: str, passes: Iterable[Mapping[str, Any]]) -> bool:
        """Whether the pass that this run has made is among those of the tenant."""
        return any(item["id"] == self._made.get(user_id) for item in passes)

    def begin(self, users: Iterable[tuple[str, str, str | None]], now: str) -> set[str]:
        """Passes will be asked for at once, for users given as (id, userPrincipalName, display name). On the disk when this returns.

        Gives the ids of those who shall not be asked for, because another run has given them a pass meanwhile.
        """
        users = list(users)
        with self._locked():
            given = {user_id for user_id, *_others in users if self.was_given(user_id, now)}
            asked = [
                {"id": user_id, "userPrincipalName": upn, "displayName": name, "temporaryAccessPass": None, "askedFor": now}
                for user_id, upn, name in users
                if user_id not in given
            ]
            self._settle((), {str(entry["id"]) for entry in asked if entry["id"] in self._gone}, now)
            self._add(asked)
        return given

    def keep(self, made: Mapping[str, Mapping[str, Any]], methods: Mapping[str, str]) -> None:
        """The values that Graph has told, by user id, each with its userPrincipalName; the passes' ids. On the disk when this returns.

        A user's newest entry takes it. Where none waits (the file was moved away, or another run has filled it), it is added as an entry of its own.
        """
        left = dict(made)
        self._made.update(methods)
        with self._locked():
            for number, entries in self._newest_first(left):
                waiting = {entry["id"]: entry for entry in entries if entry["id"] in left and entry.get("temporaryAccessPass", "") is None}
                for user_id, entry in waiting.items():
                    entry.update(left.pop(user_id))
                if waiting:
                    self._write(number, entries)
            self._add([{"id": user_id, **item} for user_id, item in left.items()])

    def settle(self, seen: Collection[str], not_seen: Collection[str], now: str) -> None:
        """What became of passes that were handed over, by user id: they are in the tenant, or they are not. On the disk when this returns."""
        with self._locked():
            self._settle(seen, not_seen, now)

    def _settle(self, seen: Collection[str], not_seen: Collection[str], now: str) -> None:
        left = {*seen, *not_seen}
        for number, entries in self._newest_first(left):
            given = {entry["id"]: entry for entry in entries if entry["id"] in left and entry.get("temporaryAccessPass")}
            for user_id, entry in given.items():
                if user_id in not_seen:
                    names = ("id", "userPrincipalName", "displayName", "temporaryAccessPass", "askedFor")
                    told = {"displayName": None, **entry, "temporaryAccessPass": None, "askedFor": entry.get("askedFor", now)}
                    entry.clear()
                    entry.update((name, told[name]) for name in names)
                else:
                    entry["seenAt"] = now
                left.discard(user_id)
            if given:
                self._write(number, entries)

    def _newest_first(self, left: Collection[str]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Numbers and entries of the files, the newest first, as long as somebody is `left`."""
        for number in range(len(self._signatures), 0, -1):
            if not left:
                return
            yield number, self._read(number)
