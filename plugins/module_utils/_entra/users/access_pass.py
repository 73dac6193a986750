# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary Access Passes, the alternative to a password: what the tenant's policy allows, and what becomes of a pass that is there.

https://learn.microsoft.com/entra/identity/authentication/howto-authentication-temporary-access-pass: Graph makes the value, and tells it once,
in the answer to the request that made it.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core.errors import OffboardError

POLICY = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"

#: A pass is made within this time of being announced; the clocks of the controller and of Graph may differ by some of it.
_NEAR = datetime.timedelta(minutes=10)


def passes_of(user_id: str) -> str:
    """The path of a user's passes; there is one at most."""
    return f"/users/{user_id}/authentication/temporaryAccessPassMethods"


def moment(text: str) -> datetime.datetime:
    """A time as Graph writes it. Raises OffboardError `time_unreadable`."""
    try:
        made = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise OffboardError("Graph gave something as a time that is none", code="time_unreadable") from None
    return made if made.tzinfo else made.replace(tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Terms:
    """What kind of pass is wanted; the option `temporary_access_pass`. None leaves it to the tenant's policy."""

    lifetime_minutes: int | None = None
    usable_once: bool | None = None
    start: str | None = None
    replace: bool = False

    @classmethod
    def from_option(cls, option: Mapping[str, Any] | None) -> Terms:
        """Raises OffboardError `bad_option`."""
        made = cls(**{name: value for name, value in (option or {}).items() if value is not None})
        try:
            if made.start is not None:
                moment(made.start)
        except OffboardError as exc:
            raise OffboardError(
                f"temporary_access_pass.start is {made.start!r}, but must be a time such as 2026-12-01T08:00:00+09:00", code="bad_option"
            ) from exc
        return made

    def body(self) -> dict[str, Any]:
        """The request that makes a pass."""
        start = moment(self.start).astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if self.start else None
        found = {"startDateTime": start, "lifetimeInMinutes": self.lifetime_minutes, "isUsableOnce": self.usable_once}
        return {name: value for name, value in found.items() if value is not None}

    def check(self, policy: Mapping[str, Any]) -> None:
        """Raises OffboardError `pass_not_allowed` or `bad_option` where the tenant's policy forbids such passes."""
        if policy.get("state") != "enabled":
            raise OffboardError(
                "The tenant's authentication methods policy does not allow Temporary Access Passes. Enable the method there "
                "(Entra ID, Authentication methods, Policies), or use password=generate.",
                code="pass_not_allowed",
            )
        low, high = policy.get("minimumLifetimeInMinutes") or 10, policy.get("maximumLifetimeInMinutes") or 43200
        if self.lifetime_minutes is not None and not low <= self.lifetime_minutes <= high:
            raise OffboardError(
                f"temporary_access_pass.lifetime_minutes is {self.lifetime_minutes}, but the tenant's policy allows {low} to {high}", code="bad_option"
            )
        if policy.get("isUsableOnce") and self.usable_once is False:
            raise OffboardError("temporary_access_pass.usable_once is false, but the tenant's policy allows one-time passes only", code="bad_option")


def valid_until(made: Mapping[str, Any]) -> str:
    """When the pass ends that Graph has made."""
    end = moment(made["startDateTime"]) + datetime.timedelta(minutes=made["lifetimeInMinutes"])
    return end.astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def standing(passes: Iterable[Mapping[str, Any]], asked_for: Collection[str]) -> tuple[str | None, bool]:
    """Of a user's passes: (the id of one that can be used now or later, whether we asked for it and never got to know its value).

    Ours was made near one of the times `asked_for`. Somebody may have made another one since, and handed it over.
    """
    for item in passes:
        if item.get("isUsable") or item.get("methodUsabilityReason") == "NotYetValid":
            made = moment(item["createdDateTime"])
            return item["id"], any(abs(made - moment(asked)) <= _NEAR for asked in asked_for)
    return None, False
