# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What entra_sign_in_readiness_info leaves behind for the conversion: how many would have no way to sign in. How it is kept and believed. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from .._core import plain
from .._core.errors import OffboardError
from .._core.names import domain
from .._core.times import moment
from . import evidence, phrases

#: in the run folder
NAME = "sign_in.json"
_NAMED = 10


def verdict(tenant_id: str, domains: Iterable[str], at: str, open_count: int, users: Iterable[str]) -> dict[str, Any]:
    """What is kept. open_count: users without a way in who are not accepted by name; users: names of the first of them."""
    return {
        "tenant_id": tenant_id,
        "domains": sorted(set(map(domain, domains)) - {""}),
        "at": at,
        "no_way_in_open": open_count,
        "users": list(users)[:_NAMED],
    }


def parse(content: Any) -> dict[str, Any]:
    """A verdict as it lies in the run folder. Raises ValueError, which quotes nothing."""
    if not isinstance(content, Mapping):
        raise ValueError("it is no verdict on who can sign in")
    count, tenant = content.get("no_way_in_open"), content.get("tenant_id")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ValueError("its number of users is none")
    if not isinstance(tenant, str) or not tenant.strip() or tenant != plain.line(tenant):
        raise ValueError("its tenant is none")
    for name in ("domains", "users"):
        values = content.get(name)
        if not isinstance(values, list) or not all(isinstance(item, str) and item == plain.line(item) for item in values):
            raise ValueError("its domains or users are none")
    moment(content.get("at"))
    return dict(content)


def objection(
    found: Mapping[str, Any] | None, owner: Mapping[str, str], domains: Iterable[str], max_age_hours: int, accepted_count: int, now: datetime.datetime
) -> OffboardError | None:
    """Why no domain may be converted on this verdict; None when it may.

    owner: the `tenant_id` of the change, where it is known. domains: those that change. accepted_count: how many may be left without a way in, besides those
    whom the verdict does not count because they are accepted by name.
    """
    if found is None:
        return OffboardError(phrases.english("sign_in_not_judged"), code="sign_in_not_judged")
    count = found["no_way_in_open"]
    if doubt := evidence.doubt(found, owner, domains, max_age_hours, now):
        code = {"tenant": "other_run_folder", "age": "sign_in_outdated"}.get(doubt.about, "sign_in_not_judged")
        why = doubt.why
    elif count > accepted_count:
        names = ", ".join(found["users"]) + (f" (+{count - len(found['users'])})" if count > len(found["users"]) else "")
        why = phrases.english("sign_in_no_way", at=found["at"], number=count, names=names)
        code = "no_way_in"
    else:
        return None
    details = {"at": found["at"], "no_way_in_open": count, "users": found["users"]}
    return OffboardError(phrases.english("sign_in_doubted", why=why), code=code, details=details)
