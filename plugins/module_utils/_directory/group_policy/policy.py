# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the directory says of a group policy object ([MS-GPOL] 2.2.4), as values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..._core.errors import OffboardError
from ..values import Entry, guid
from . import versions

ATTRIBUTES = (
    "cn", "objectGUID", "displayName", "gPCFileSysPath", "versionNumber", "flags", "gPCMachineExtensionNames", "gPCUserExtensionNames",
    "gPCFunctionalityVersion", "gPCWQLFilter", "whenChanged", "allowedAttributesEffective",
)  # fmt: skip
_GUID = re.compile(r"\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?")
_LINK = re.compile(r"\[LDAP://([^;\]]*);(\d+)\]", re.IGNORECASE)
#: `flags`, [MS-GPOD]: which of the two halves is switched off
_STATUS = ("enabled", "user_disabled", "machine_disabled", "disabled")
_DISABLED_LINK, _ENFORCED = 1, 2


@dataclass(frozen=True)
class Policy:
    r"""One policy. `guid` is its name in braces, `object_guid` that of the object in the directory, `folder` its template, as `sysvol\…`."""

    guid: str
    dn: str
    object_guid: str
    name: str
    version: int
    status: str
    folder: str
    may_write: bool

    @property
    def ini(self) -> str:
        return self.folder + r"\GPT.INI"


def guid_of(text: str) -> str:
    """The GUID in a text such as `{31b2f340-…}`, in braces and capitals. Raises OffboardError `bad_option`."""
    found = _GUID.fullmatch(text.strip())
    if not found:
        raise OffboardError(f"{text!r} is no GUID of a group policy; group_policy_info tells each policy's", code="bad_option")
    return "{" + found[1].upper() + "}"


def name_of(dn: str) -> str:
    """The GUID in braces and capitals that a policy's DN begins with; "" where it begins otherwise."""
    found = re.match(r"cn=(\{[^},]*\}),", dn, re.IGNORECASE)
    return found[1].upper() if found else ""


def of_entry(entry: Entry, domain: str) -> Policy:
    """Raises OffboardError `policy_unreadable` where its template lies elsewhere than in this domain's SYSVOL, `insufficient_rights` where the account may
    not read it, and `value_unreadable`.
    """
    if not entry.text("cn"):  # the Group Policy Management Console calls such a one "Inaccessible"
        raise OffboardError(f"the account may not read the policy {entry.dn}: grant it Read on it, or use another account", code="insufficient_rights")
    own = guid_of(entry.text("cn") or "")
    path = entry.text("gPCFileSysPath") or ""
    expected = rf"sysvol\{domain}\Policies" + "\\" + own
    if path.lstrip("\\").partition("\\")[2].casefold() != expected.casefold():
        raise OffboardError(f"the files of the policy {own} are not where this domain has them ({expected})", code="policy_unreadable")
    return Policy(
        guid=own,
        dn=entry.dn,
        object_guid=guid(entry.raw("objectGUID")[0]),
        name=entry.text("displayName") or own,
        version=versions.unsigned(entry.number("versionNumber") or 0),
        status=_STATUS[(entry.number("flags") or 0) & 3],
        folder=expected,
        may_write="versionnumber" in (name.casefold() for name in entry.texts("allowedAttributesEffective")),
    )


def links(entries: Iterable[Entry]) -> dict[str, list[Mapping[str, object]]]:
    """Where each policy is linked, by its GUID: the object with the link, whether the link works, and whether it is enforced."""
    found: dict[str, list[Mapping[str, object]]] = {}
    for entry in entries:
        for dn, options in _LINK.findall(entry.text("gPLink") or ""):
            if named := name_of(dn.strip()):
                number = int(options)
                link = {"dn": entry.dn, "enabled": not number & _DISABLED_LINK, "enforced": bool(number & _ENFORCED)}
                found.setdefault(named, []).append(link)
    return found


def dns_name(base: str) -> str:
    """`ad.reiji.example` of `DC=ad,DC=reiji,DC=example`."""
    return ".".join(part.partition("=")[2].strip() for part in base.split(","))
