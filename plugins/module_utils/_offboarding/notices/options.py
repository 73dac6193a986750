# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of notices: parsed, and checked before anything is written."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import names, plain
from ..._core.errors import OffboardError
from .plan import Company, day_of


@dataclass(frozen=True)
class InfoOptions:
    """Of user_notices_info."""

    company: Company
    topics: Sequence[str]
    languages: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        languages = ("ja", "en") if params["language"] == "both" else (params["language"],)
        return cls(company=_company(params), topics=params["topics"], languages=languages)


def _company(params: Mapping[str, Any]) -> Company:
    """Out of the module's options. Raises OffboardError `bad_option`."""
    try:
        day = datetime.date.fromisoformat(str(params["day"]).strip())
    except ValueError as exc:
        raise OffboardError(f"day: {plain.line(str(params['day']))!r} is no date such as 2026-12-05", code="bad_option") from exc
    for option in ("sign_in_address", "links"):
        given = params[option] if isinstance(params[option], list) else [params[option]]
        if wrong := [address for address in given if not str(address).casefold().startswith("https://")]:
            raise OffboardError(
                f"{option}: {plain.line(str(wrong[0]))!r} is no address that begins with https://, which people could follow", code="bad_option"
            )
    domains = tuple(dict.fromkeys(name for name in map(names.domain, params["domains"]) if name))
    if not domains:
        raise OffboardError("domains: without a domain nobody knows whether the notice is for them", code="bad_option")
    at = plain.line(params["time"].strip())
    return Company(
        name=plain.line(params["company"]),
        domains=domains,
        day=day_of(day, at),
        sign_in_address=params["sign_in_address"],
        help_desk=plain.line(params["help_desk"]),
        passwords=params["passwords"],
        windows_password=bool(params["windows_password"]),
        hosts=tuple(params["hosts"]),
        certificate_issuer=plain.line(params["certificate_issuer"]),
        links=tuple(params["links"]),
    )
