# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests: who they are, and which identity provider their accounts point at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._federation.url_rule import a_label, comparable


@dataclass(frozen=True)
class Guest:
    """A guest's account.

    issuers: of the identities that somebody else signs in: an issuer URI for direct federation, else names such as
    ExternalAzureAD or mail (https://learn.microsoft.com/entra/external-id/user-properties).
    last_sign_in: RFC 3339, None when never or not readable.
    """

    id: str
    upn: str
    name: str
    mail: str
    enabled: bool
    state: str
    issuers: tuple[str, ...]
    last_sign_in: str | None = None

    @property
    def domain(self) -> str:
        """The mail domain, in lower-case A-labels, as federations have theirs."""
        return a_label(self.mail.rpartition("@")[2])

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return {**asdict(self), "issuers": list(self.issuers)}


def guest(user: Mapping[str, Any]) -> Guest:
    others = user.get("otherMails") or [""]
    activity = user.get("signInActivity") or {}
    return Guest(
        id=user["id"],
        upn=user.get("userPrincipalName") or "",
        name=user.get("displayName") or "",
        mail=user.get("mail") or others[0],
        enabled=bool(user.get("accountEnabled")),
        state=user.get("externalUserState") or "",
        issuers=tuple(item["issuer"] for item in user.get("identities") or () if item.get("signInType") == "federated" and item.get("issuer")),
        last_sign_in=activity.get("lastSuccessfulSignInDateTime") or activity.get("lastSignInDateTime"),
    )


def behind(guests: Iterable[Guest], issuer: str, domains: Collection[str]) -> list[Guest]:
    """Those whose accounts point at the federation with this issuer, or at one of its domains (lower case)."""
    names = {comparable(issuer), *domains} - {""}
    return [item for item in guests if any(comparable(one) in names for one in item.issuers)]
