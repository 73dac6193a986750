# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of user rights: which account an entry of a right means. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import dn

SID = re.compile(r"(?:\*\s*)?(S-1-\d+(?:-\d+)+)", re.IGNORECASE)
#: INF files may have quotes around a value. Where they are around several, what is between two commas is no value of its own
_QUOTED = re.compile(r'[ \t]*(?:"([^"]*)"|([^"]*))[ \t]*', re.DOTALL)


def _plain(member: str) -> str:
    """An entry of a right without its quotes; nothing of one with half of them."""
    found = _QUOTED.fullmatch(member)
    return (found[1] or found[2] or "").strip() if found else ""


@dataclass(frozen=True)
class Account:
    """An account by its SID, and by the names that a right may have it under; `shown` is for people."""

    sid: str
    shown: str
    names: frozenset[str] = frozenset()

    def is_meant_by(self, member: str) -> bool:
        """Whether an entry of a right, `*S-1-…` or a name, is this account."""
        found = SID.fullmatch(_plain(member))
        return found[1].upper() == self.sid.upper() if found else _plain(member).casefold() in self.names


def account(sid: str, shown: str, logon_name: str = "", domain: str = "", netbios: str = "") -> Account:
    """With the forms that a name is written in: alone, and with the domain before or behind it."""
    name = logon_name.casefold()
    names = {name, f"{netbios.casefold()}\\{name}", f"{domain.casefold()}\\{name}", f"{name}@{domain.casefold()}"} if name else set()
    return Account(sid, shown, frozenset(names))


def meant(member: str, accounts: Iterable[Account]) -> Account | None:
    """The one of the accounts that an entry of a right means."""
    return next((one for one in accounts if one.is_meant_by(member)), None)


def as_known(names: Iterable[str], known: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names, by the SIDs that those had which they meant when `known` was read: the account may be gone by now, or another one may bear its name."""
    found = []
    for name in names:
        sids = [str(item["objectSid"]) for item in known if item.get("objectSid") and item.get("dn") and dn.means(name, item)]
        found += sids[:1] or [name]
    return found


def of_domain(member: str, domain_sid: str) -> str | None:
    """The SID in an entry of a right, when it is one that this domain gave."""
    found = SID.fullmatch(_plain(member))
    return found[1].upper() if found and found[1].upper().rpartition("-")[0] == domain_sid.upper() else None
