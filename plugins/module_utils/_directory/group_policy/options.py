# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of group policies: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.browser_hosts import checked
from . import policy


@dataclass(frozen=True)
class EditOptions:
    """What both modules take that edit."""

    #: GUIDs, each once
    policies: Sequence[str]
    #: guards that are switched off
    allow: Collection[str]
    backup_dir: str
    journal: str | None
    #: seconds while somebody may have the file open
    in_use_timeout: int
    #: seconds
    verify_timeout: float

    @classmethod
    def _edit(cls, params: Mapping[str, Any]) -> dict[str, Any]:
        """Raises OffboardError `bad_option`."""
        return {
            "policies": list(dict.fromkeys(policy.guid_of(text) for text in params["policies"])),
            "allow": params["allow"],
            "backup_dir": params["backup_dir"],
            "journal": params["journal"] or None,
            "in_use_timeout": params["in_use_timeout"],
            "verify_timeout": params["verify_timeout"],
        }


@dataclass(frozen=True)
class InfoOptions:
    """Of group_policy_info: what is looked for."""

    #: as they are compared
    hosts: Sequence[str]
    #: GUIDs; none: all
    policies: frozenset[str]
    #: as they were typed
    accounts: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        return cls(
            hosts=checked(params["hosts"]),
            policies=frozenset(policy.guid_of(text) for text in params["policies"]),
            accounts=params["accounts"],
        )
