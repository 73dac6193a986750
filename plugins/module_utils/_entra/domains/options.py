# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of domains: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import names


@dataclass(frozen=True)
class Options:
    """Of entra_domain."""

    #: as they are compared
    domains: Sequence[str]
    #: `managed` or `federated`
    authentication: str
    #: by domain, as Graph gave them
    federation_configurations: Mapping[str, Any]
    expected_idp_hosts: Sequence[str]
    break_glass: Sequence[str]
    min_break_glass: int
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        names.idp_hosts(params["expected_idp_hosts"])
        return cls(
            domains=[names.domain(name) for name in params["domains"]],
            authentication=params["authentication"],
            federation_configurations=params["federation_configurations"] or {},
            expected_idp_hosts=params["expected_idp_hosts"],
            break_glass=params["break_glass"],
            min_break_glass=params["min_break_glass"],
            verify_timeout=params["verify_timeout"],
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_domain_info."""

    #: as they are compared; none: all of the tenant
    domains: frozenset[str]
    expected_idp_hosts: Sequence[str]
    to_convert: Sequence[str]
    predictions: str | None
    require_managed: bool
    language: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        names.idp_hosts(params["expected_idp_hosts"])
        return cls(
            domains=frozenset(map(names.domain, params["domains"] or ())),
            expected_idp_hosts=params["expected_idp_hosts"],
            to_convert=params["to_convert"],
            predictions=params["predictions"],
            require_managed=params["require_managed"],
            language=params["language"],
        )
