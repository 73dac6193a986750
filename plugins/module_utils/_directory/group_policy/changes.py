# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what files are to hold to changes with versions, and what a stopped run had begun of them. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.errors import OffboardError
from ..._core.model import Change, Refusal
from . import versions

#: Keys of an object's state, and of a change's before and after, besides what the kind itself has there
VERSION, INI, DIGEST = "versionNumber", "GPT.INI", "sha256"


@dataclass(frozen=True)
class FileEdit:
    """One file of a policy: what shows before and after (empty where nothing is to change), the digests, and whether it is for `machine` or `user`."""

    id: str
    scope: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    old_digest: str
    new_digest: str

    @property
    def is_needed(self) -> bool:
        """Whether something is to change, and no earlier task of this check run has planned the same."""
        return self.before != self.after and self.old_digest != self.new_digest


@dataclass(frozen=True)
class PolicyWork:
    """A policy and what the kind says of its changes."""

    kind: str
    guid: str
    name: str
    action: str
    undo: str
    version: int
    in_ini: int


def of_policy(work: PolicyWork, edits: Sequence[FileEdit], begun: Mapping[str, Change]) -> tuple[list[Change], list[Refusal]]:
    """One change for each file, each with the next version; first that which a stopped run had begun. `begun` is by the changes' ids.

    Two versions that differ, which nothing begun explains, refuse all of it.
    """
    found: list[Change] = []
    resumed = ""
    if work.version != work.in_ini:
        first = next((change for edit in edits if (change := begun.get(edit.id)) is not None and _explains(work, edit, change)), None)
        if first is None:
            return [], [_differ(work)]
        found, resumed = [first], first.id
    version = work.version
    for edit in edits:
        if not edit.is_needed or edit.id == resumed:
            continue
        new = versions.bumped(version, edit.scope)
        before = {**edit.before, VERSION: version, INI: version, DIGEST: edit.old_digest}
        after = {**edit.after, VERSION: new, INI: new, DIGEST: edit.new_digest}
        found.append(Change(work.kind, edit.id, work.name, work.action, before, after, risk="medium", undo=work.undo))
        version = new
    return found, []


def _explains(work: PolicyWork, edit: FileEdit, begun: Change) -> bool:
    """Whether it is this that was begun, and what the task wants, too: the file is as before, or as it shall be with nothing left to change."""
    before, after = begun.before or {}, begun.after or {}
    as_before = edit.old_digest == before.get(DIGEST) and edit.new_digest == after.get(DIGEST) and edit.is_needed
    as_after = edit.old_digest == after.get(DIGEST) and not edit.is_needed
    return (after.get(VERSION), before.get(INI)) == (work.version, work.in_ini) and (as_before or as_after)


def _differ(work: PolicyWork) -> Refusal:
    return Refusal(
        "versions_differ",
        f"the policy {work.name} has the version {work.version} in the directory and {work.in_ini} in SYSVOL. Either it is being replicated or edited: wait, "
        "and run the task again. Or an edit was not finished: run the task that was stopped again, with its journal; if it was another program's, save any "
        "setting of the policy in the Group Policy Management Editor.",
        (work.guid,),
    )


def other_controller(pdc: str) -> Refusal:
    """The connections are to a domain controller that does not hold the role of the PDC emulator."""
    return Refusal(
        "not_pdc_emulator",
        f"host is not the PDC emulator, on which policies are edited ({pdc}): the last writer wins when SYSVOL is replicated. Set host to it.",
        (pdc,),
        "allow: other_domain_controller",
    )


def numbers(change: Change) -> tuple[int, int, str, str]:
    """Old and new version, old and new digest of a change."""
    before, after = change.before or {}, change.after or {}
    return before[VERSION], after[VERSION], before[DIGEST], after[DIGEST]


@contextlib.contextmanager
def named(name: str, guid: str, file: str) -> Iterator[None]:
    """An error of a parser, which knows nothing but the file's bytes, says in which file of which policy it was."""
    try:
        yield
    except OffboardError as exc:
        if exc.code != "policy_unreadable":
            raise
        raise OffboardError(f"{file} of the policy {name} ({guid}): {exc.msg}", code=exc.code) from exc


def policies(changes: Iterable[Change]) -> list[str]:
    """The GUIDs of the policies that change, once each."""
    return list(dict.fromkeys(change.id[:38] for change in changes))
