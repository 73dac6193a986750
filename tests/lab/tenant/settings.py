# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be turned while the tenant runs."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class Settings:
    """Times are real seconds; a `clock_scale` of 60 lets the quotas of a minute refill in one second."""

    #: how long reads of an object still show its state before a write
    visibility_delay: float = 0.0
    #: how long a domain stays federated after it was converted (Microsoft says up to 60 minutes)
    conversion_delay: float = 0.0
    #: how long a domain is still there after `forceDelete`
    deletion_delay: float = 0.0
    #: added to every request
    latency: float = 0.0
    #: life of an access token
    token_lifetime: float = 3600.0
    #: the same for IIJ ID's app: the longest that Entra gives, as a company has to reckon with
    #: (learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime; tenants can set it by app: configurable-token-lifetimes)
    iij_token_lifetime: float = 5400.0
    #: answer 429 when a published quota is used up
    throttling: bool = True
    #: how many times faster than real time the quotas refill; Retry-After is in real seconds
    clock_scale: float = 1.0
    #: the tenant has Entra ID P1, Intune
    premium: bool = True
    intune: bool = True
    #: Entra's security defaults are on
    security_defaults: bool = False
    #: the tokens are those of a person, who may read what Microsoft lets no application read
    delegated: bool = False
    #: hold every request body and answer to Microsoft's description
    contract: bool = True

    def change(self, values: dict[str, Any]) -> None:
        """Set several at once. Raises ValueError for an unknown name or a value of another type."""
        fields = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        for name, value in values.items():
            if name not in fields:
                raise ValueError(f"unknown setting {name!r}; settings are {', '.join(fields)}")
            wanted = bool if isinstance(fields[name], bool) else (int, float)
            if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
                raise ValueError(f"setting {name!r}: {value!r} is not a {'boolean' if wanted is bool else 'number'}")
        for name, value in values.items():
            setattr(self, name, value)
