# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""group_policy_registry: reading what plan.py decides about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...._core.model import Change, Object
from ...._core.plan import Plan
from .. import hosts, policy
from ..edit import digest
from ..resource import PolicyEdits
from . import plan as registry


class GroupPolicyRegistry(PolicyEdits):
    """The registry settings of one task."""

    kinds = (registry.KIND,)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._old: dict[str, bytes] = {}
        self._hosts = hosts.checked(self._options["hosts"])

    def file_of(self, change: Change) -> str:
        return registry.file_of(change.id)

    def describe(self, one: policy.Policy, in_ini: int) -> Iterator[Object]:
        """The files of the policy that have registry settings."""
        for relative in self._sysvol.files(one.folder):
            if registry.scope(relative):
                data = self._sysvol.read(f"{one.folder}\\{relative}")
                item = registry.describe(one.guid, relative, one.name, one.version, in_ini, digest(data))
                self._old[item.id] = data
                yield item

    def decide(self, current: Iterable[Object]) -> tuple[Plan, dict[str, bytes]]:
        """See `registry.plan`."""
        return registry.plan(current, self._hosts, self._old, digest, self._begun)
