# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""group_policy_right: reading what plan.py decides about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...._core.errors import OffboardError
from ...._core.model import Change, Object
from ...._core.plan import Plan
from ...known import remembered
from .. import gpt_tmpl, history, policy
from ..accounts import as_known
from ..edit import digest
from ..resource import PolicyEdits
from . import plan as rights


class GroupPolicyRights(PolicyEdits):
    """The user rights of one task."""

    kinds = (rights.KIND,)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._old: dict[str, bytes] = {}

    def file_of(self, change: Change) -> str:
        """The one file that has rights."""
        return rights.FILE

    def describe(self, one: policy.Policy, in_ini: int) -> Iterator[Object]:
        """Nothing of a policy that defines no rights. Raises OffboardError `not_found` where one is to be defined in it."""
        try:
            data = self._sysvol.read(f"{one.folder}\\{rights.FILE}")
        except OffboardError as exc:
            if exc.code != "not_found":
                raise
            if self._options["state"] == "present" and not self._options["only_removed"]:
                raise OffboardError(f"the policy {one.name} ({one.guid}) has no user rights, and this module makes no new files", code="not_found") from exc
            return
        self._old[one.guid] = data
        yield rights.describe(one.guid, one.name, gpt_tmpl.rights(data), one.version, in_ini, digest(data))

    def decide(self, current: Iterable[Object]) -> tuple[Plan, dict[str, bytes]]:
        """See `rights.plan`. Raises OffboardError `not_found` for a name that is nobody's, `bad_option` where no right is named that is to be given."""
        if self._options["state"] == "present" and not self._options["rights"] and not self._options["only_removed"]:
            raise OffboardError("rights: name the rights that the accounts shall have, or set only_removed", code="bad_option")
        items = list(current)
        found, unusable = self._reader.resolve(as_known(self._options["accounts"], remembered(self._options)))
        if unusable:
            raise OffboardError("accounts: " + "; ".join(f"{item['name']}: {item['msg']}" for item in unusable), code="not_found")
        names = ("rights", "state", "when_empty", "when_undefined")
        removed = history.taken_out(self.done()) if self._options["only_removed"] else None
        wanted = rights.WantedRight(accounts=found, removed=removed, **{name: self._options[name] for name in names})
        return rights.plan(items, wanted, self._old, digest, self._begun)
