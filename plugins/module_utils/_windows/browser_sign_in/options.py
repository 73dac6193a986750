# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of browsers' settings: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.browser_hosts import checked
from ..._core.errors import OffboardError
from ..._core.policy_values import Value, written


def _values(policies: Sequence[Mapping[str, Any]]) -> list[Value]:
    try:
        return list(written(policies))
    except (KeyError, TypeError, AttributeError):
        raise OffboardError("policies: this is not what group_policy_info returned as policies", code="bad_option") from None


@dataclass(frozen=True)
class Options:
    """Of win_browser_sign_in."""

    #: whether settings come back; else they go
    is_return: bool
    #: as they are compared; none needed for the way back
    hosts: Sequence[str]
    #: what group policies write
    policies: Sequence[Value]
    backup_dir: str
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        return cls(
            is_return=params["state"] == "present",
            hosts=checked(params["hosts"] or []),
            policies=_values(params["policies"]),
            backup_dir=params["backup_dir"],
            verify_timeout=params["verify_timeout"],
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of win_browser_sign_in_info."""

    #: as they are compared
    hosts: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        return cls(hosts=checked(params["hosts"]))
