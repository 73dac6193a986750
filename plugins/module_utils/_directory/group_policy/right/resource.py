# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""group_policy_right: reading, writing and verifying what plan.py decides."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...._core.errors import OffboardError
from ...._core.model import Change, Object, Outcome, Refusal
from ...._core.plan import Plan
from ...._core.spool import Spool
from ...._module.runner import Resource
from ...._module.waiting import ONE_READ, is_shown
from ...client import Client
from ...sysvol import Sysvol
from .. import gpt_tmpl, policy
from ..edit import Edit, Editor, begun, details, digest
from ..read import Reader, elsewhere
from . import plan as rights


class GroupPolicyRights(Resource):
    """The policies of one task."""

    noun = "group policies"
    kinds = (rights.KIND,)

    def __init__(self, client: Client, sysvol: Sysvol, options: Mapping[str, Any]) -> None:
        self._client = client
        self._sysvol = sysvol
        self._options = options
        self._policies: dict[str, policy.Policy] = {}
        self._content = rights.Content({}, {}, digest)
        self._old: dict[str, bytes] = {}
        self._begun: dict[str, Change] = {}
        self._resumed: set[str] = set()
        self._saved: dict[str, str] = {}
        self._base = ""

    @property
    def _reader(self) -> Reader:
        return Reader(self._client, self._sysvol)

    @property
    def _editor(self) -> Editor:
        return Editor(self._client, self._sysvol, self._reader, self._options["in_use_timeout"])

    def read(self) -> Iterator[Object]:
        """The named policies that have a file with rights."""
        reader = self._reader
        self._base = reader.base
        for guid in dict.fromkeys(policy.guid_of(text) for text in self._options["policies"]):
            one = reader.get(guid)
            try:
                data = self._sysvol.read(f"{one.folder}\\{rights.FILE}")
            except OffboardError as exc:
                if exc.code != "not_found":
                    raise
                if self._options["state"] == "present":
                    raise OffboardError(f"the policy {one.name} ({guid}) has no user rights, and this module makes no new files", code="not_found") from exc
                reader.ini_version(one)  # its folder is there: else nothing is known of it
                continue
            self._policies[guid], self._old[guid] = one, data
            yield rights.describe(guid, one.name, gpt_tmpl.rights(data), one.version, reader.ini_version(one), digest(data))

    def plan(self, current: Iterable[Object]) -> Plan:
        """See `rights.plan`."""
        found, unusable = self._reader.resolve(self._options["accounts"])
        if unusable:
            raise OffboardError("accounts: " + "; ".join(f"{item['name']}: {item['msg']}" for item in unusable), code="not_found")
        names = ("rights", "state", "when_empty", "when_undefined")
        wanted = rights.Wanted(accounts=found, **{name: self._options[name] for name in names})
        self._begun = begun(self._options["journal"], rights.KIND)
        self._content = rights.Content(self._old, {}, digest)
        result = rights.plan(current, wanted, self._content, self._begun)
        self._resumed = {change.id for change in result.changes if change == self._begun.get(change.id)}
        if len(result.changes):
            result.warnings += self._replication([change.id for change in result.changes])
        return result

    def _replication(self, guids: Sequence[str]) -> Iterator[str]:
        for name, there in elsewhere(self._options, self._reader.other_controllers(), guids):
            if isinstance(there, OffboardError):
                yield f"the versions on the domain controller {name} could not be compared: {there.msg}"
            else:
                for guid in guids:
                    if there.get(guid) != self._policies[guid].version:
                        yield f"the policy {self._policies[guid].name} ({guid}) has another version on {name}; it is not replicated yet (replication_pending)"

    def guard(self, plan: Plan) -> list[Refusal]:
        """What planning found, whether this is the domain controller to edit on, and, by asking, whether the account may."""
        result = list(plan.refusals)
        if len(plan.changes):
            pdc, here = self._reader.pdc_emulator()
            if not here and "other_domain_controller" not in self._options["allow"]:
                result.append(rights.other_controller(pdc))
            for change in plan.changes:
                self._editor.check_rights(self._policies[change.id], rights.FILE)
        return result

    def apply(self, change: Change) -> dict[str, Any]:
        """Save the policy, then edit it."""
        path, left_out = self._editor.save(change.id, self._options["backup_dir"], datetime.datetime.now(datetime.UTC))
        self._saved[change.id] = path
        resumes = change.id in self._resumed
        edit = Edit(change.id, rights.FILE, *rights.edit_numbers(change), resumes)
        self._editor.carry_out(edit, self._content.new[change.id])
        return details(path, left_out)

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Versions and file, once more, with connections that have seen nothing of the edit but its end."""
        for change in applied:
            if not is_shown(lambda change=change: self._is_there(change), self._options["verify_timeout"], agreeing=ONE_READ):  # type: ignore[misc]
                yield Outcome(change, "failed", "not_seen", f"the policy {change.name} does not show the change")

    def _is_there(self, change: Change) -> bool:
        _unused, version, _unused2, content = rights.edit_numbers(change)
        return self._editor.state(change.id, rights.FILE) == (version, version, content)

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Those of which all three parts are there."""
        for change in begun:
            if change.id in self._policies and change.before and change.after and self._is_there(change):
                yield change

    def owner(self) -> Mapping[str, str]:
        return {"directory": self._base}

    def facts(self, plan: Plan) -> dict[str, Any]:
        """Where the copies of this run lie."""
        return {"saved_copies": dict(self._saved)}

    def close(self) -> None:
        """End both connections."""
        self._sysvol.close()
        self._client.close()
