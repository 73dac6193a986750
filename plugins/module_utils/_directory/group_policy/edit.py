# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to change a file of a group policy, so that clients apply all of it or nothing ([MS-GPOL] 3.3.5).

    lock GPT.INI, read again, put the new content beside the file, swap the version in the directory, rename, GPT.INI, unlock, read again

The directory comes before the file: what a kill leaves behind then is a GPT.INI that is older than the directory, which the next run sees, and goes on
from. The other way round the file would be new and no version moved: no client would ever apply it, and the next run would find nothing to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..._core.errors import NotSeen, OffboardError
from ..._core.model import Change
from ..._module.files import read_lines, write_atomically
from .. import ldif
from ..client import Client
from ..sysvol import Sysvol
from . import versions
from .policy import Policy
from .read import Reader

_OURS, _END = ".offboard-", ".tmp"
#: After these a request may have been carried out or not: the next run looks.
_NOBODY_KNOWS = ("connection_lost", "timeout")


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits: how plans and the journal name a content."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Edit:
    """One file of one policy: versions and digests before and after. `resumes` when a stopped run has begun it."""

    guid: str
    relative: str
    old_version: int
    new_version: int
    old_digest: str
    new_digest: str
    resumes: bool


class Editor:
    """Carries edits out. `patience`: seconds to wait for clients that read the file."""

    def __init__(self, client: Client, sysvol: Sysvol, reader: Reader, patience: float) -> None:
        self._client = client
        self._sysvol = sysvol
        self._reader = reader
        self._patience = patience

    def check_rights(self, policy: Policy, relative: str) -> None:
        """Whether an edit would be allowed, by asking only. Raises OffboardError `insufficient_rights`."""
        if not policy.may_write:
            raise OffboardError(
                f'{self._client.user} may not change versionNumber of the policy {policy.name} ({policy.guid}). Delegate "Edit settings" on it, '
                "or use another account",
                code="insufficient_rights",
            )
        folder, _unused, name = f"{policy.folder}\\{relative}".rpartition("\\")
        self._sysvol.may_replace(folder, name, policy.ini)

    def state(self, guid: str, relative: str) -> tuple[int, int, str]:
        """The version in the directory, that in GPT.INI, and the digest of the file."""
        policy = self._reader.get(guid)
        return policy.version, self._reader.ini_version(policy), digest(self._sysvol.read(f"{policy.folder}\\{relative}"))

    def carry_out(self, edit: Edit, content: bytes) -> None:
        """Raises OffboardError `changed_since_read`, `file_in_use` (all is as before), `not_seen`, and what client and SYSVOL raise."""
        policy = self._reader.get(edit.guid)
        path = f"{policy.folder}\\{edit.relative}"
        with self._sysvol.locked(policy.ini) as ini:
            text = ini.read()
            policy = self._reader.get(edit.guid)
            rights = self._sysvol.descriptor(path)
            match self._stage(edit, policy.version, versions.of_ini(text), digest(self._sysvol.read(path))):
                case "all":
                    temporary, given = self._put_beside(path, content, rights)
                    try:
                        self._swap(policy, edit.old_version, edit.new_version)
                    except OffboardError as exc:
                        self._withdraw(temporary, exc)
                        raise
                    self._rename(policy, edit, temporary, path, given)
                case "file":
                    temporary, given = self._put_beside(path, content, rights)
                    self._rename(policy, edit, temporary, path, given)
            ini.write(versions.in_ini(text, edit.new_version))
        if self.state(edit.guid, edit.relative) != (edit.new_version, edit.new_version, edit.new_digest):
            raise NotSeen(f"the policy {policy.name} ({policy.guid}) was changed, but reading it again shows something else")

    @staticmethod
    def _stage(edit: Edit, version: int, in_ini: int, content: str) -> str:
        """What is left to do: all, the file and GPT.INI, or GPT.INI."""
        if (version, in_ini, content) == (edit.old_version, edit.old_version, edit.old_digest):
            return "all"
        if edit.resumes and (version, in_ini) == (edit.new_version, edit.old_version) and content in (edit.old_digest, edit.new_digest):
            return "file" if content == edit.old_digest else "version"
        raise OffboardError(
            f"{edit.relative} of the policy {edit.guid} or its version changed since the plan was made; somebody else edits it. "
            "Nothing was done; run the task again",
            code="changed_since_read",
        )

    def _put_beside(self, path: str, content: bytes, rights: bytes) -> tuple[str, bytes]:
        """A new file in the same folder, with the rights of the one that it will replace, as far as they could be given: the file, and its rights.

        What a killed run has left there goes: GPT.INI is locked by us.
        """
        folder, _unused, name = path.rpartition("\\")
        for other in self._sysvol.listing(folder).files:
            if other.casefold().startswith((name + _OURS).casefold()) and other.endswith(_END):
                self._sysvol.remove(f"{folder}\\{other}")
        temporary = f"{path}{_OURS}{digest(content)[:16]}{_END}"
        try:
            self._sysvol.create(temporary, content)
            given = self._sysvol.descriptor(temporary)
            if given != rights:
                self._sysvol.set_descriptor(temporary, rights)
                given = self._sysvol.descriptor(temporary)
        except OffboardError as exc:
            self._withdraw(temporary, exc)
            raise
        return temporary, given

    def _withdraw(self, temporary: str, why: OffboardError) -> None:
        """Take the new file away, of which a full disk has perhaps only the beginning. Where that fails, `why` is what people are told."""
        if why.code not in _NOBODY_KNOWS:
            with contextlib.suppress(OffboardError):  # the next edit does it
                self._sysvol.remove(temporary)

    def _swap(self, policy: Policy, old: int, new: int) -> None:
        """Compare and swap: the directory refuses it where the version is another one by now (`changed_since_read`)."""
        values = [str(versions.signed(number)).encode() for number in (old, new)]
        changes = [("delete", "versionNumber", values[:1]), ("add", "versionNumber", values[1:])]
        self._client.modify(policy.dn, policy.object_guid, changes, "Write versionNumber")

    def _rename(self, policy: Policy, edit: Edit, temporary: str, path: str, rights: bytes) -> None:
        try:
            self._sysvol.rename(temporary, path, self._patience)
        except OffboardError as exc:
            try:
                if exc.code not in _NOBODY_KNOWS:
                    self._swap(policy, edit.new_version, edit.old_version)
            finally:
                self._withdraw(temporary, exc)
            raise
        if self._sysvol.descriptor(path) != rights:
            self._sysvol.set_descriptor(path, rights)

    # --- the copy -------------------------------------------------------------------------------

    def save(self, guid: str, folder: str, now: datetime) -> tuple[str, list[str]]:
        """Copy the whole policy to a folder of its own below `folder` (mode 0600); its path, and what is not copied: files with a password, and links.

        Raises OffboardError `file_write_failed`, `policy_unreadable`, and what client and SYSVOL raise.
        """
        policy = self._reader.get(guid)
        target = os.path.join(folder, f"{guid}_{now:%Y%m%dT%H%M%S.%fZ}")
        entry = self._client.read(policy.dn, guid=policy.object_guid)
        attributes: Mapping[str, list[bytes]] = entry.attributes if entry else {}
        head = ldif.comment("Saved by offboard.iij_id before the policy was changed: its object in the directory, and its files beside this one.")
        write_atomically(os.path.join(target, "policy.ldif"), f"version: 1\n{head}\n{ldif.add(policy.dn, attributes)}".encode())
        listing = self._sysvol.listing(policy.folder)
        left_out = listing.links
        for relative in listing.files:
            parts = relative.split("\\")
            if any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts):
                raise OffboardError(f"a file of the policy {guid} has a name that no file can have", code="policy_unreadable")
            data = self._sysvol.read(f"{policy.folder}\\{relative}")
            if b"cpassword" in data.replace(b"\0", b"").lower():
                left_out.append(relative)
            else:
                write_atomically(os.path.join(target, *parts), data)
        return target, left_out


def begun(journal: str | None, kind: str) -> dict[str, Change]:
    """The last change of each policy that a run with this journal began, however it ended: an answer that was lost ends as a failure.

    Whether it explains what is there, its versions and digests tell.
    """
    found: dict[str, Change] = {}
    for line in read_lines(journal) if journal else ():
        if line.startswith(b'{"record":"intent"') and f'"kind":"{kind}"'.encode() in line:
            with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):  # cut off by a kill, or no line of ours
                change = Change.from_dict(json.loads(line))
                if change.kind == kind and isinstance(change.before, Mapping) and isinstance(change.after, Mapping):
                    found[change.id] = change
    return found


def details(saved: str, left_out: list[str]) -> dict[str, Any]:
    return {"saved_copy": saved, **({"not_saved": left_out} if left_out else {})}
