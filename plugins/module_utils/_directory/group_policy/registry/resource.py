# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""group_policy_registry: reading what plan.py decides about."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...._core.errors import OffboardError
from ...._core.model import Change, Object
from ...._core.plan import Plan
from ...._module.files import read_lines
from ...client import Client
from ...connection import Connection
from ...sysvol import Sysvol
from .. import policy
from ..edit import digest
from ..resource import PolicyEdits
from . import plan as registry
from .options import Options


class GroupPolicyRegistry(PolicyEdits):
    """The registry settings of one task."""

    kinds = (registry.KIND,)

    def __init__(self, client: Client, sysvol: Sysvol, options: Options) -> None:
        super().__init__(client, sysvol, options)
        self._options = options
        self._old: dict[str, bytes] = {}

    def file_of(self, change: Change) -> str:
        return registry.file_of(change.id)

    def describe(self, one: policy.Policy, in_ini: int) -> Iterator[Object]:
        """The files of the policy that have registry settings. Raises OffboardError `policy_unreadable` where links could hide some."""
        listing = self._sysvol.listing(one.folder)
        if listing.links:
            raise OffboardError(
                f"{listing.links[0]} of the policy {one.name} ({one.guid}) is a link, which is not followed, so that what the policy sets is not known",
                code="policy_unreadable",
            )
        for relative in listing.files:
            if registry.scope(relative):
                data = self._sysvol.read(f"{one.folder}\\{relative}")
                item = registry.describe(one.guid, relative, one.name, one.version, in_ini, digest(data))
                self._old[item.id] = data
                yield item

    def _saved_file(self, identity: str, content: str) -> bytes:
        """The file as some task has saved it, known by its digest: folders may have been moved, and a killed run has written down none."""
        guid, relative = identity[:38], registry.file_of(identity).replace("\\", os.sep)
        for path in sorted(glob.glob(os.path.join(glob.escape(self._options.backup_dir), f"{glob.escape(guid)}_*", glob.escape(relative)))):
            data = b"".join(read_lines(path))
            if digest(data) == content:
                return data
        raise OffboardError(
            f"{self._options.backup_dir} has no copy of {registry.file_of(identity)} of the policy {guid} as it was before this exit changed it "
            f"(SHA-256 {content}). Nothing was done. Name the folder that has it",
            code="backup_unreadable",
        )

    def taken_out(self) -> Sequence[str]:
        return () if self._options.is_return else self._options.hosts

    def decide(self, current: Iterable[Object]) -> tuple[Plan, dict[str, bytes]]:
        """See `registry.plan` and `registry.plan_return`. Raises OffboardError `backup_unreadable`."""
        if self._options.is_return:
            return registry.plan_return(current, self.done(), self._old, self._saved_file, self._begun)
        return registry.plan(current, self._options.hosts, self._old, digest, self._begun)


def make(params: Mapping[str, Any], check_mode: bool) -> GroupPolicyRegistry:
    options, connection = Options.of(params), Connection.from_params(params)
    return GroupPolicyRegistry(Client(connection, read_only=check_mode), Sysvol(connection), options)
