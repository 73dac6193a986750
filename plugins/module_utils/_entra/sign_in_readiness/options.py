# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of the readiness to sign in: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError
from ..domains.read import named_domains

#: The log keeps 30 days: learn.microsoft.com/entra/identity/monitoring-health/reference-reports-data-retention
MOST_DAYS = 30


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_sign_in_readiness_info. Users as they are compared. None: not given."""

    domains: frozenset[str]
    #: so many days back the log is read
    days: int
    max_log_pages: int
    exclude: frozenset[str]
    also_enable: frozenset[str]
    #: those of whom a person has accepted that they have no way in
    accepted: frozenset[str]
    #: users, or whole domains as `@domain`
    signs_in_otherwise: frozenset[str]
    #: `generate`, `temporary_access_pass` or `keep`
    passwords: str
    synced_password: str
    password_hash_sync: bool
    steps_file: str | None
    results_file: str | None
    progress_file: str | None
    verdict_file: str | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        domains = named_domains("domains", params["domains"])
        if not domains:
            raise OffboardError("domains: without a domain there is nobody to judge", code="bad_option")
        if not 1 <= params["days"] <= MOST_DAYS:
            raise OffboardError(f"days: the sign-in log keeps {MOST_DAYS} days, so this must be a number from 1 to {MOST_DAYS}", code="bad_option")
        return cls(
            domains=domains,
            days=params["days"],
            max_log_pages=params["max_log_pages"],
            exclude=frozenset(names.check_users("exclude", params["exclude"])),
            also_enable=frozenset(names.check_users("also_enable", params["also_enable"])),
            accepted=frozenset(names.check_users("accepted", params["accepted"])),
            signs_in_otherwise=frozenset(names.check_users("signs_in_otherwise", params["signs_in_otherwise"], whole_domains=True)),
            passwords=params["passwords"],
            synced_password=params["synced_password"],
            password_hash_sync=params["password_hash_sync"],
            steps_file=params["steps_file"],
            results_file=params["results_file"],
            progress_file=params["progress_file"],
            verdict_file=params["verdict_file"] or None,
        )
