# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of change to files of group policies has in common: the one sequence, its guards, copies, and what stopped runs left behind."""

from __future__ import annotations

import abc
import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import phrases
from ..._core.errors import OffboardError
from ..._core.guard import nothing_known
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.files import read_journal
from ..._module.runner import Resource
from ..._module.waiting import ONE_READ, is_shown
from ..client import Client
from ..sysvol import Sysvol
from . import changes, history, policy
from .edit import Edit, Editor, begun, details
from .options import EditOptions
from .read import Reader, elsewhere


class PolicyEdits(Resource):
    """The policies of one task. A change's id begins with the policy's GUID."""

    noun = "group policies"

    def __init__(self, client: Client, sysvol: Sysvol, options: EditOptions) -> None:
        self._client = client
        self._sysvol = sysvol
        self._edit = options
        self._policies: dict[str, policy.Policy] = {}
        self._new: dict[str, bytes] = {}
        self._begun: dict[str, Change] = {}
        self._saved: dict[str, tuple[str, list[str]]] = {}
        self._failed: set[str] = set()

    @property
    def _reader(self) -> Reader:
        return Reader(self._client, self._sysvol)

    @property
    def _editor(self) -> Editor:
        return Editor(self._client, self._sysvol, self._reader, self._edit.in_use_timeout)

    @abc.abstractmethod
    def file_of(self, change: Change) -> str:
        """The file that a change is to, relative to the policy's folder."""

    @abc.abstractmethod
    def describe(self, one: policy.Policy, in_ini: int) -> Iterable[Object]:
        """What is there of this policy."""

    @abc.abstractmethod
    def decide(self, current: Iterable[Object]) -> tuple[Plan, dict[str, bytes]]:
        """The plan, and what the files are to hold, by the changes' ids. `self._begun` is there."""

    @abc.abstractmethod
    def taken_out(self) -> Sequence[str]:
        """What is to go out of the policies; nothing where something is to come back."""

    def done(self) -> list[Change]:
        """What runs with this journal have changed. Raises OffboardError `run_folder_unsafe`, `file_read_failed`."""
        journal = self._edit.journal
        return history.edits(read_journal(journal), self.kinds[0]) if journal else []

    def read(self) -> Iterator[Object]:
        """The named policies."""
        reader = self._reader
        for guid in self._edit.policies:
            self._policies[guid] = one = reader.get(guid)
            with changes.named(one.name, guid, "GPT.INI"):
                in_ini = reader.ini_version(one)
            yield from self.describe(one, in_ini)

    def plan(self, current: Iterable[Object]) -> Plan:
        """See `decide`; and warnings of domain controllers that are behind."""
        self._begun = begun(self._edit.journal, self.kinds[0])
        result, self._new = self.decide(current)
        if len(result.changes):
            result.warnings += self._replication(changes.policies(result.changes))
        return result

    def _replication(self, guids: Sequence[str]) -> Iterator[str]:
        for name, there in elsewhere(self._client.connection, self._reader.other_controllers(), guids):
            if isinstance(there, OffboardError):
                yield phrases.english("versions_not_compared", name=name, msg=there.msg)
            else:
                for guid in guids:
                    if there.get(guid) != self._policies[guid].version:
                        yield phrases.english("replication_pending", name=self._policies[guid].name, guid=guid, controller=name)

    def guard(self, plan: Plan) -> list[Refusal]:
        """What planning found, whether anything was, whether this is the domain controller to edit on, and, by asking, whether the account may."""
        result = list(plan.refusals)
        sought = self.taken_out() if self._edit.journal and not plan.refusals and not plan.facts.get("mentioned") else ()
        if sought and not any(change.id[:38] in self._edit.policies for change in (*self.done(), *self._begun.values())):
            result.append(nothing_known(sought, f"The list of group policies ({', '.join(self._edit.policies)})"))
        if len(plan.changes):
            pdc, here = self._reader.pdc_emulator()
            if not here and "other_domain_controller" not in self._edit.allow:
                result.append(changes.other_controller(pdc))
            for change in plan.changes:
                self._editor.check_rights(self._policies[change.id[:38]], self.file_of(change))
        return result

    def apply(self, change: Change) -> dict[str, Any]:
        """Save the policy, once, then edit the file."""
        guid = change.id[:38]
        if guid in self._failed:
            raise OffboardError("an earlier change of the same policy failed, so this was not tried", code="earlier_failure")
        self._failed.add(guid)
        if guid not in self._saved:
            self._saved[guid] = self._editor.save(guid, self._edit.backup_dir, datetime.datetime.now(datetime.UTC))
        edit = Edit(guid, self.file_of(change), *changes.numbers(change), resumes=change == self._begun.get(change.id))
        self._editor.carry_out(edit, self._new[change.id])
        self._failed.discard(guid)
        return details(*self._saved[guid])

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Versions and files, once more: of a policy with several changes the last one's version."""
        last = {change.id[:38]: changes.numbers(change)[1] for change in applied}
        for change in applied:

            def shown(change: Change = change) -> bool:
                return self._is_there(change, last[change.id[:38]])

            if not is_shown(shown, self._edit.verify_timeout, agreeing=ONE_READ):
                yield Outcome(change, "failed", "not_seen", f"the policy {change.name} does not show the change")

    def _is_there(self, change: Change, version: int) -> bool:
        return self._editor.state(change.id[:38], self.file_of(change)) == (version, version, changes.numbers(change)[3])

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Those of which all three parts are there."""
        for change in begun:
            if change.id[:38] in self._policies and change.before and change.after and self._is_there(change, changes.numbers(change)[1]):
                yield change

    def owner(self) -> Mapping[str, str]:
        return {"directory": self._reader.base}

    def facts(self, plan: Plan) -> dict[str, Any]:
        """Where the copies of this run lie."""
        return {"saved_copies": {guid: path for guid, (path, _left_out) in self._saved.items()}}

    def close(self) -> None:
        self._sysvol.close()
        self._client.close()
