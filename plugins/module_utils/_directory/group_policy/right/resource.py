# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""group_policy_right: reading what plan.py decides about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...._core.errors import OffboardError
from ...._core.model import Change, Object
from ...._core.plan import Plan
from ...client import Client
from ...connection import Connection
from ...known import remembered
from ...sysvol import Sysvol
from .. import changes, gpt_tmpl, history, policy
from ..accounts import as_known
from ..edit import digest
from ..resource import PolicyEdits
from . import plan as rights
from .options import Options


class GroupPolicyRights(PolicyEdits):
    """The user rights of one task."""

    kinds = (rights.KIND,)

    def __init__(self, client: Client, sysvol: Sysvol, options: Options) -> None:
        super().__init__(client, sysvol, options)
        self._options = options
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
            if self._options.state == "present" and not self._options.only_removed:
                raise OffboardError(f"the policy {one.name} ({one.guid}) has no user rights, and this module makes no new files", code="not_found") from exc
            return
        self._old[one.guid] = data
        with changes.named(one.name, one.guid, rights.FILE):
            found = gpt_tmpl.rights(data)
        yield rights.describe(one.guid, one.name, found, one.version, in_ini, digest(data))

    def taken_out(self) -> Sequence[str]:
        return self._options.accounts if self._options.state == "absent" else ()

    def decide(self, current: Iterable[Object]) -> tuple[Plan, dict[str, bytes]]:
        """See `rights.plan`. Raises OffboardError `not_found` for a name that is nobody's."""
        options, items = self._options, list(current)
        found, unusable = self._reader.resolve(as_known(options.accounts, remembered(options.known)))
        if unusable:
            raise OffboardError("accounts: " + "; ".join(f"{item['name']}: {item['msg']}" for item in unusable), code="not_found")
        removed = history.taken_out(self.done()) if options.only_removed else None
        wanted = rights.WantedRight(options.rights, found, options.state, options.when_empty, options.when_undefined, removed)
        return rights.plan(items, wanted, self._old, digest, self._begun)


def make(params: Mapping[str, Any], check_mode: bool) -> GroupPolicyRights:
    options, connection = Options.of(params), Connection.from_params(params)
    return GroupPolicyRights(Client(connection, read_only=check_mode), Sysvol(connection), options)
