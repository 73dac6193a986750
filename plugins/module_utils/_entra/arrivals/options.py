# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of arrivals: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._core.errors import OffboardError
from ..domains.read import named_domains
from . import plan


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_arrivals_info. None: not given."""

    #: none: those of the journal
    domains: frozenset[str]
    #: from when on sign-ins count, in seconds since 1970; 0: from the conversion on, by the journal
    since: int
    journal: str | None
    grace_hours: int
    max_log_pages: int
    results_file: str | None
    progress_file: str | None

    @classmethod
    def of(cls, params: Mapping[str, Any], now: int) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        domains, given = named_domains("domains", params["domains"]), params["since"]
        if not domains and not params["journal"]:
            raise OffboardError("domains: name the domains, or the journal of the run that converted them", code="bad_option")
        try:
            since = max(plan.moment(given), 1) if given else 0
        except ValueError as exc:
            raise OffboardError(f"since: {given!r} is no time such as 2026-02-01T09:00:00+09:00", code="bad_option") from exc
        if since > now:
            raise OffboardError("since: the time is yet to come", code="bad_option")
        return cls(
            domains=domains,
            since=since,
            journal=params["journal"] or None,
            grace_hours=params["grace_hours"],
            max_log_pages=params["max_log_pages"],
            results_file=params["results_file"],
            progress_file=params["progress_file"],
        )
