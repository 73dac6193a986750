# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found once counts for its tenant and its domains only, and not for ever. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from .._core.names import domain
from .._core.times import SKEW, moment


def doubt(found: Mapping[str, Any], owner: Mapping[str, str], domains: Iterable[str], max_age_hours: int, now: datetime.datetime) -> tuple[str, str] | None:
    """Why a verdict (`tenant_id`, `domains`, `at`) does not count for a change: `other_run_folder`, `outdated` or `not_for_this`, and why in words.

    owner: the `tenant_id` of the change, where it is known. domains: those that change.
    """
    tenant = owner.get("tenant_id", found["tenant_id"])
    age = now - moment(found["at"])
    missing = sorted(set(map(domain, domains)) - set(map(domain, found["domains"])))
    if found["tenant_id"].casefold() != tenant.casefold():
        return "other_run_folder", f"is for the tenant {found['tenant_id']}, and this task works on {tenant}"
    if age < -SKEW:
        return "not_for_this", f"is of {found['at']}, which is yet to come; is a clock wrong?"
    if age.total_seconds() > max_age_hours * 3600:
        return "outdated", f"is of {found['at']}, older than the {max_age_hours} hours for which it is believed (offboard_gate_max_age_hours)"
    if missing:
        return "not_for_this", f"was reached for {', '.join(found['domains']) or 'no domain'}, not for {', '.join(missing)}"
    return None
