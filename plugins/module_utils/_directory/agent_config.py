# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which directory accounts and groups an agent's config.yml names. Pure.

The key path of the bind account is `ad.ldap.server` … `user`, the groups are in LDAP filters under `filter`
(IIJ ID manual, Directory Sync for Active Directory, page 11240713 "config.yml").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from .._core import foreign_yaml, phrases
from .._core.errors import OffboardError

# (memberOf=…) and (memberOf:1.2.840.113556.1.4.1941:=…); a parenthesis inside a value is escaped as \28, \29
_MEMBER_OF = re.compile(r"\(\s*memberOf\s*(?::[\d.]+:)?=\s*([^()]+?)\s*\)", re.IGNORECASE)


#: More than any agent has; an alias of aliases would give endless ones.
_MOST_VALUES = 10_000


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _walk(value, (*path, str(key)))
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value, path)
    else:
        yield path, node


def _unescape(value: str) -> str:
    """The value of a filter (RFC 4515) as text."""
    octets = re.sub(rb"\\([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), value.encode())
    return octets.decode("utf-8", "replace")


def accounts(text: str) -> list[tuple[str, str]]:
    """(DN or user name, why) of each account and group that the file names, in its order, without repetition.

    Raises OffboardError `config_unreadable` when it is not YAML. The message never quotes the file: it may hold a password.
    """
    try:
        values = list(islice(_walk(foreign_yaml.load(text), ()), _MOST_VALUES + 1))
        if len(values) > _MOST_VALUES:
            raise ValueError("no configuration: it has too many values")
    except (ValueError, RecursionError) as exc:
        why = str(exc) if isinstance(exc, ValueError) else "nested too deeply"
        raise OffboardError(f"the agent's configuration is {why}; pass the text of its config.yml", code="config_unreadable") from None
    found: dict[str, str] = {}
    for path, value in values:
        if value in foreign_yaml.NULL:
            continue
        where = ".".join(path)
        if "filter" in path:
            for dn in _MEMBER_OF.findall(value):
                found.setdefault(_unescape(dn), phrases.english("group_in_filter", where=where))
        elif path[:2] == ("ad", "ldap") and path[-1] == "user":
            found.setdefault(value, phrases.english("bind_user", where=where))
    return list(found.items())
