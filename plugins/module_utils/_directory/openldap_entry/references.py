# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of OpenLDAP that name an account: groups, and whatever holds its DN. slapd keeps such values when the account goes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..._core import dn as names
from ..values import Entry

#: posixGroup holds no DN, but the account's uid
MEMBER_UID = "memberUid"
#: Syntaxes whose values are DNs (RFC 4517): DN, and Name and Optional UID.
_SYNTAXES = ("1.3.6.1.4.1.1466.115.121.1.12", "1.3.6.1.4.1.1466.115.121.1.34")
#: What the server writes by itself (who has made an entry), and what its own log of changes holds (slapo-accesslog).
_OF_THE_SERVER = re.compile(r"\bUSAGE\s+(?:directory|distributed|dSA)\w*Operation\b|'req[A-Z]\w*'", re.IGNORECASE)
_TEXT = re.compile(r"\bDESC\s+(?:'[^']*'|\([^)]*\))")
_NAMES = re.compile(r"\bNAME\s+(?:'([^']+)'|\(([^)]+)\))")
_SUP = re.compile(r"\bSUP\s+([\w.;-]+)")
_SYNTAX = re.compile(r"\bSYNTAX\s+'?([\d.]+)")
_FIRST = re.compile(r"(?:[^,\\]|\\.)*", re.DOTALL)
_UID = re.compile(r"(?:\A|(?<!\\)\+)uid=((?:[^+\\]|\\.)+)", re.IGNORECASE | re.DOTALL)
_OPTIONAL_UID = re.compile(r"#'[01]*'B\Z")


def attributes(definitions: Iterable[str]) -> list[str]:
    """Which attributes of a schema (attributeTypes, RFC 4512) hold DNs, one name of each."""
    syntaxes: dict[str, str] = {}
    above: dict[str, str] = {}
    own: dict[str, bool] = {}  # whether it may name somebody; of several names the first
    for definition in definitions:
        text = _TEXT.sub("", definition)
        found = _NAMES.search(text)
        oid = text.strip("( ").partition(" ")[0]
        called = (found and re.findall(r"[\w.;-]+", found[1] or found[2])) or [oid]
        for name in (oid.casefold(), *(one.casefold() for one in called)):
            syntaxes[name] = found[1] if (found := _SYNTAX.search(text)) else ""
            above[name] = found[1].casefold() if (found := _SUP.search(text)) else ""
        own[called[0]] = not _OF_THE_SERVER.search(text)

    def syntax(name: str) -> str:
        seen: set[str] = set()
        while name and not syntaxes.get(name) and name not in seen:
            seen.add(name)
            name = above.get(name, "")
        return syntaxes.get(name, "")

    return [name for name, may_name in own.items() if may_name and syntax(name.casefold()) in _SYNTAXES]


def uids(dn: str, entry: Entry | None) -> list[str]:
    """By what memberUid names the account; of one that is gone what its name tells."""
    if entry is not None:
        return entry.texts("uid")
    own = _FIRST.match(names.canonical(dn))
    return [re.sub(r"\\(.)", r"\1", found[1]) for found in _UID.finditer(own[0] if own else "")]


def told(found: Iterable[Entry], holding: Sequence[str], dn: str, account: Sequence[str]) -> Iterator[dict[str, str]]:
    """Each entry with the attribute by which it names the account; not the account itself."""
    key = names.key(dn)
    for entry in found:
        if names.key(entry.dn) == key:
            continue
        for name in (*holding, MEMBER_UID):
            values = entry.texts(name)
            if any(value in account for value in values) if name == MEMBER_UID else any(names.key(_OPTIONAL_UID.sub("", value)) == key for value in values):
                yield {"dn": entry.dn, "attribute": name}
