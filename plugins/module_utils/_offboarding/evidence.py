# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found once counts for its tenant and its domains only, and not for ever. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._core.names import domain, uuid
from .._core.times import SKEW, moment
from . import phrases


class Doubt(NamedTuple):
    """Why a verdict does not count: another `tenant`, its `age`, a `clock` that is wrong, other `domains`; and `why` in words, after "The verdict"."""

    about: str
    why: str


def doubt(found: Mapping[str, Any], owner: Mapping[str, str], domains: Iterable[str], max_age_hours: int, now: datetime.datetime) -> Doubt | None:
    """Why a verdict (`tenant_id`, `domains`, `at`) does not count for a change.

    owner: the `tenant_id` of the change, where it is known. domains: those that change.
    """
    tenant = owner.get("tenant_id", found["tenant_id"])
    age = now - moment(found["at"])
    missing = sorted(set(map(domain, domains)) - set(map(domain, found["domains"])))
    if uuid(found["tenant_id"]) != uuid(tenant):
        return Doubt("tenant", phrases.english("is_of_other_tenant", found=found["tenant_id"], tenant=tenant))
    if age < -SKEW:
        return Doubt("clock", phrases.english("is_yet_to_come", at=found["at"]))
    if age.total_seconds() > max_age_hours * 3600:
        return Doubt("age", phrases.english("is_too_old", at=found["at"], hours=max_age_hours))
    if missing:
        return Doubt("domains", phrases.english("is_of_other_domains", found=", ".join(found["domains"]) or "no domain", missing=", ".join(missing)))
    return None
