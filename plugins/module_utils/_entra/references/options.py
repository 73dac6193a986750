# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of references: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError
from .plan import Accepted, Matcher
from .read import TOP, LookedFor


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_references_info."""

    matcher: Matcher
    known: LookedFor
    accepted: Accepted
    beta: bool
    results_file: str | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        if not params["hosts"]:
            raise OffboardError("hosts: without a host nothing can point at one", code="bad_option")
        if unknown := sorted(set(params["kinds"]) - set(TOP)):
            raise OffboardError(f"kinds: {', '.join(unknown)} is none of {', '.join(TOP)}", code="bad_option")
        return cls(
            matcher=Matcher(params["hosts"], params["identifiers"]),
            known=LookedFor(params["named_locations"], frozenset(map(names.domain, params["domains"])) - {""}, frozenset(params["kinds"])),
            accepted=Accepted.of(params["accepted_references"], params["accepted_not_looked_at"]),
            beta=params["beta"],
            results_file=params["results_file"],
        )
