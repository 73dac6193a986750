# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""handover_letters: letters and lists in a folder of the operator's, one or one for each department or manager; their removal; who has theirs."""

from __future__ import annotations

import contextlib
import datetime
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..._core import names, phrases, times, vault
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome, Skip
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.clock import now, time_zone
from ..._module.files import append_records, read_journal, read_records, write_atomically
from ..._module.runner import Resource
from ..._module.vault_password import decrypt_file
from ..users.history import History, passwords_set
from ..users.passwords import from_bytes, generate, to_bytes
from . import plan as letters
from . import sealed
from .options import Options
from .plan import GIVEN, KIND, MADE, Letterhead, PlaceInCompany, Recipient

_MEANS_NOTHING = (
    "The files were overwritten and removed. Where the folder lies on an SSD, on a file system that copies on write or keeps snapshots, or on a "
    "network share, and for backups, print queues and copies, overwriting means nothing: whoever has not signed in yet should get another password."
)
_OF_THAT_DAY = (
    "What people are called today was not read from Entra: letters show the user principal names of the day when the passwords were set. Whoever was renamed "
    "since cannot sign in with theirs."
)


#: of the passwords of encrypted pages: some 120 bits
_LENGTH = 20


@dataclass(frozen=True)
class _Given:
    """A letter that a user was given: when (empty where a clock was wrong), and the secret in it: since when they have it by the hand-over file, and when it
    was set by the journal (empty: not known). By these, and not by the order of times, whose clock may have been put right, another one is told apart."""

    at: str
    since: str | None
    set_at: str

    def is_of(self, since: str, set_at: str) -> bool:
        """Whether it was of that secret."""
        if self.since is not None and (since != self.since or (set_at and self.set_at)):
            return since == self.since and set_at == self.set_at
        return not (times.is_later(set_at, self.at) or (self.since is None and times.is_later(since, self.at)))


class HandoverLetters(Resource):
    """One object for each file, or for each user who has been given their letter."""

    noun: ClassVar[str] = "files"
    in_run_folder = True
    kinds: ClassVar[tuple[str, ...]] = (KIND, GIVEN)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        #: what the last letter was of that users were given, and since when they have the newest secret, by id in lower case
        self._given, self._secrets = self._read_given(), dict[str, tuple[str, str]]()
        #: what the files shall hold, and what opens those of them that are encrypted
        self._wanted: dict[str, bytes] = {}
        self._opened_by: dict[str, str] = {}
        self._recipients: _Recipients | None = None
        self._places: dict[str, PlaceInCompany] = {}
        self._removed = False

    # -- what is there

    def read(self) -> Iterable[Object]:
        """The files in the folder, or the users who were given theirs. Raises OffboardError `folder_not_private`."""
        if self._options.state == "given":
            return [Object(GIVEN, key, key, {"given": True}) for key in self._given]
        self._check_folder()
        return [Object(KIND, path, os.path.basename(path), {"exists": True}) for path in self._paths() if os.path.lexists(path)]

    def _paths(self) -> list[str]:
        """The files of this and earlier runs, and what a killed one may have left of them."""
        try:
            there = os.listdir(self._options.folder)
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise OffboardError(f"cannot read {self._options.folder}: {exc.strerror or exc}", code="file_read_failed") from exc
        made = [name for name in there if MADE.fullmatch(name) or (name.startswith(".") and MADE.match(name[1:]))]
        return [os.path.join(self._options.folder, name) for name in sorted(made)]

    def _check_folder(self) -> None:
        self._check((self._options.folder,))
        self._check(self._paths())

    def _check(self, places: Iterable[str]) -> None:
        for place in places:
            try:
                found = os.lstat(place)
            except FileNotFoundError:
                continue
            except OSError as exc:
                raise OffboardError(f"cannot read {place}: {exc.strerror or exc}", code="file_read_failed") from exc
            kind = stat.S_ISDIR if place == self._options.folder else stat.S_ISREG
            if not kind(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                what, mode = ("folder", "0700") if place == self._options.folder else ("file", "0600")
                raise OffboardError(
                    f"{place} must be a {what} of the account that runs this and of nobody else (mode {mode}), and no link: passwords in clear are in it. "
                    "Name another folder, or one that is not there yet.",
                    code="folder_not_private",
                    details={"path": place},
                )

    # -- what is meant

    def _entries(self) -> Iterator[dict[str, Any]]:
        path = self._options.handover_file
        password = self._options.vault_password()
        stem, extension = os.path.splitext(path)
        number = 1
        while (content := decrypt_file(path if number == 1 else f"{stem}-{number}{extension}", password)) is not None:
            yield from from_bytes(content)
            number += 1
        if number == 1:
            msg = (
                f"There is no hand-over file {path}. The stage passwords makes it; of passwords that were set already it makes no second one. If it was lost, "
                "restore it from a backup."
            )
            raise OffboardError(msg, code="file_missing", details={"path": path})

    def _persons(self) -> list[Recipient]:
        """Who gets a letter. Raises OffboardError `not_found` for users who are in no hand-over file."""
        people = letters.people(self._entries())
        if self._options.people_file is not None:
            if not os.path.exists(self._options.people_file):
                raise OffboardError(f"There is no {self._options.people_file}. entra_managers_info writes it (results_file).", code="file_missing")
            lines = (item for item in read_records(self._options.people_file) if names.uuid(str(item.get("id", ""))) in people)
            self._places = letters.places(lines)
        found, missing = letters.chosen(people.values(), self._options.wanted, self._places)
        if missing:
            raise OffboardError(f"no hand-over file has {', '.join(missing)}", code="not_found", details={"users": missing})
        asked = [person for person in found if self._options.state == "given" or names.uuid(person.id) in self._given]
        self._secrets = {names.uuid(person.id): (person.since, "") for person in asked}
        if asked and self._options.journal:
            passwords = {names.uuid(person.id) for person in asked if not person.until}
            for key, at in passwords_set(read_journal(self._options.journal), passwords):
                self._secrets[key] = (self._secrets[key][0], at)
        return found

    def _read_given(self) -> dict[str, _Given]:
        found: dict[str, _Given] = {}
        for item in read_records(self._options.given_file) if self._options.given_file else ():
            since, set_at = item.get("since"), item.get("setAt")
            try:
                at = str(item.get("at", ""))
                times.past(at, datetime.datetime.now(datetime.UTC))
            except ValueError:  # nobody knows whether a newer secret came after it
                at = ""
            if at or isinstance(since, str):
                found[names.uuid(str(item.get("id", "")))] = _Given(at, since if isinstance(since, str) else None, set_at if isinstance(set_at, str) else "")
        return found

    def _has_theirs(self, user_id: str) -> bool:
        """Whether the user was given a letter, and no newer secret since."""
        key = names.uuid(user_id)
        return key in self._given and (key not in self._secrets or self._given[key].is_of(*self._secrets[key]))

    def plan(self, current: Iterable[Object]) -> Plan:
        there = {item.id for item in current}
        if self._options.state == "absent":
            changes = [Change(KIND, path, os.path.basename(path), "remove", {"exists": True}, None) for path in sorted(there)]
            return Plan(Spool(changes), unchanged=0 if changes else 1, facts=self._facts(0))
        persons = self._persons()
        if self._options.state == "given":
            # a record of an earlier check run has the id as it is
            known = {names.uuid(key) for key in there} - {key for key in self._given if not self._has_theirs(key)}
            new = [person for person in persons if names.uuid(person.id) not in known]
            plan = Plan(unchanged=len(persons) - len(new), facts=self._facts(0))
            after = {"given": True, "by": self._options.by}
            for person in self._with_a_secret(new, plan.skipped):
                plan.changes.append(Change(GIVEN, person.id, person.upn, "give", None, after))
            return plan
        plan = Plan()
        kept = list(self._worth_a_letter(persons, plan.skipped))
        by = self._options.split_by
        for recipient, group in letters.split(kept, by, self._places).items():
            for kind in self._options.formats:
                name = letters.file_name(kind, by, recipient)
                path = os.path.join(self._options.folder, name)
                self._wanted[path] = self._render(kind, group)
                if kind == "encrypted":
                    self._opened_by[path] = self._kept_passwords().of(name, recipient)
                if path in there and self._is_there(path):
                    plan.unchanged += 1
                else:
                    before = {"exists": True} if path in there else None
                    after = {"exists": True, "people": len(group), "content": "(encrypted)" if kind == "encrypted" else "(passwords in clear)"}
                    plan.changes.append(Change(KIND, path, name, "write", before, after, undo=phrases.english("undo_same_absent")))
        plan.facts = self._facts(len(kept))
        return plan

    def _facts(self, people: int) -> dict[str, Any]:
        found = {"people": people, "files": [path for path in self._wanted if path not in self._opened_by], "encrypted_files": list(self._opened_by)}
        return {**found, "recipients_file": self._recipients.path if self._recipients else None}

    def _kept_passwords(self) -> _Recipients:
        if self._recipients is None:
            self._recipients = _Recipients(self._options.handover_file, self._options.vault_password())
        return self._recipients

    def _is_there(self, path: str) -> bool:
        """Whether the file holds what it shall."""
        content, password = _content(path), self._opened_by.get(path)
        if content is not None and password is not None:
            content = sealed.unseal(content, password)
        return content == self._wanted[path]

    def _worth_a_letter(self, persons: Iterable[Recipient], skipped: list[Skip]) -> Iterator[Recipient]:
        """Not whoever has got theirs already, nor whose password was never set or whose pass has ended: a letter would lock them out."""
        moment = datetime.datetime.now(datetime.UTC)
        left = []
        for person in persons:
            if self._has_theirs(person.id) and not self._options.again:
                skipped.append(Skip(GIVEN, person.id, person.upn, "handed_over", "was given the letter already; the option again makes another one"))
            elif letters.has_ended(person, moment):
                end = letters.valid_until(person.until, time_zone(self._options.timezone))
                why = f"the Temporary Access Pass ended at {end}; run passwords again for another one"
                skipped.append(Skip(GIVEN, person.id, person.upn, "pass_ended", why))
            else:
                left.append(person)
        yield from self._with_a_secret(left, skipped)

    def _with_a_secret(self, persons: Iterable[Recipient], skipped: list[Skip]) -> Iterator[Recipient]:
        """Not whose password was never set: of them there is no letter that could have been given. A journal that is lost shows of nobody that it was."""
        history = History(read_journal(journal)) if (journal := self._options.journal) else None
        for person in persons:
            if history is not None and not person.until and not history.password_was_set(person.id):
                skipped.append(
                    Skip(GIVEN, person.id, person.upn, "password_not_set", "the journal does not show that this password was set; run passwords again")
                )
            else:
                yield person

    def _render(self, kind: str, persons: Sequence[Recipient]) -> bytes:
        options, zone = self._options, time_zone(self._options.timezone)
        if kind == "csv":
            return letters.merge_list(persons, zone)
        # the same for the encrypted page, which holds it
        return letters.letters(persons, Letterhead(options.language, options.company, options.sign_in_address, options.help_desk, zone))

    # -- what is done

    def apply(self, change: Change) -> dict[str, Any] | None:
        if change.kind == GIVEN:
            since, set_at = self._secrets.get(names.uuid(change.id), ("", ""))
            who = {"id": change.id, "userPrincipalName": change.name, "at": now(), "by": self._options.by}
            append_records(self._options.given_file, [{**who, "since": since, "setAt": set_at}])
        elif change.action == "remove":
            _overwrite_and_remove(change.id)
            self._removed = True
            with contextlib.suppress(OSError):  # other files of the operator's may be in it
                os.rmdir(self._options.folder)
        else:
            if os.path.lexists(change.id):  # what was in it is not left behind on the disk
                _overwrite_and_remove(change.id)
            content = self._wanted[change.id]
            if (password := self._opened_by.get(change.id)) is not None:
                self._kept_passwords().save()  # first: a page that nobody can open would be lost
                content = sealed.seal(content, password, os.urandom(sealed.SALT), os.urandom(sealed.NONCE), self._options.language)
            write_atomically(change.id, content)
        return None

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        for change in begun:
            if change.kind == GIVEN:
                done = self._has_theirs(change.id)
            elif change.action == "remove":
                done = not os.path.lexists(change.id)
            else:
                done = change.id in self._wanted and self._is_there(change.id)
            if done:
                yield change

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        if self._options.state == "given":
            self._given = self._read_given()
        for change in applied:
            if change.kind == GIVEN:
                seen = self._has_theirs(change.id)
            elif change.action == "remove":
                seen = not os.path.lexists(change.id)
            else:
                seen = self._is_there(change.id)
            if not seen:
                yield Outcome(change, "failed", "not_seen", f"{change.name} is not as it was written")

    def warnings(self) -> Iterable[str]:
        if self._options.state == "present" and self._options.people_file is None:
            return [_OF_THAT_DAY]
        return [_MEANS_NOTHING] if self._removed else []


class _Recipients:
    """What opens the encrypted pages, in an encrypted file beside the hand-over file: whoever hands them out tells each recipient theirs by another way."""

    def __init__(self, handover_file: str, password: bytes) -> None:
        stem, extension = os.path.splitext(handover_file)
        self.path = f"{stem}-recipients{extension}"
        self._password = password
        content = decrypt_file(self.path, password)
        self._kept = {str(entry["id"]): entry for entry in from_bytes(content)} if content is not None else {}
        self._new = False

    def of(self, file: str, recipient: str) -> str:
        """The password of a page, the same in every run; a new one counts once it is saved."""
        if file not in self._kept:
            self._kept[file] = {"id": file, "recipient": recipient, "password": generate(_LENGTH)}
            self._new = True
        return str(self._kept[file]["password"])

    def save(self) -> None:
        """Raises OffboardError `file_write_failed`."""
        if self._new:
            write_atomically(self.path, vault.encrypt(to_bytes(self._kept.values()), self._password, os.urandom(32)))
            self._new = False


def _content(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def _overwrite_and_remove(path: str) -> None:
    """Raises OffboardError `file_write_failed`."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "wb") as stream:
            left = os.fstat(stream.fileno()).st_size
            while left > 0:
                left -= stream.write(os.urandom(min(left, 1 << 20)))
            stream.flush()
            os.fsync(stream.fileno())
        os.unlink(path)
    except OSError as exc:
        raise OffboardError(f"cannot remove {path}: {exc.strerror or exc}", code="file_write_failed") from exc
