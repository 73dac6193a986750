# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an object of Active Directory is named by people: a distinguished name, the objectGUID, or both.

A name may pass to another object, an objectGUID never does. The form with both is the directory's own
([MS-ADTS] 3.1.1.3.4.1.5 LDAP_SERVER_EXTENDED_DN_OID): `<GUID=0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11>;CN=a,DC=b`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import OffboardError

_EXTENDED = re.compile(r"<GUID=(?P<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})>(?:\s*;\s*<SID=[^>]*>)?(?:\s*;\s*(?P<dn>.*))?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Name:
    """What a person gave: `dn` or `guid` may be empty, not both."""

    dn: str
    guid: str = ""

    def __str__(self) -> str:
        return extended(self.guid, self.dn) if self.guid else self.dn


def extended(guid: str, dn: str = "") -> str:
    """The form with the objectGUID."""
    return f"<GUID={guid}>" + (f";{dn}" if dn else "")


def parse(text: str) -> Name:
    """Raises OffboardError `invalid_dn`; whether a DN is one, the directory says."""
    text = text.strip()
    if not text:
        raise OffboardError("an empty string is no distinguished name", code="invalid_dn")
    if not text.startswith("<"):
        return Name(text)
    found = _EXTENDED.fullmatch(text)
    if not found:
        raise OffboardError(f"{text!r} is neither a distinguished name nor of the form <GUID=00000000-0000-0000-0000-000000000000>;CN=...", code="invalid_dn")
    return Name((found["dn"] or "").strip(), found["guid"].lower())


def means(text: str, item: Mapping[str, Any]) -> bool:
    """Whether a confirmation means an object that directory_object_info returned: by its objectGUID where the confirmation has one."""
    try:
        name = parse(text)
    except OffboardError:  # who reads or changes it, says so
        return False
    if name.guid:
        return name.guid == str(item.get("objectGUID", "")).lower()
    return key(name.dn) == key(item["dn"])


def key(dn: str) -> str:
    """For comparing DNs: without the case, and without spaces around separators."""
    return re.sub(r"\s*(?<!\\)([,=])\s*", r"\1", dn.strip()).casefold()
