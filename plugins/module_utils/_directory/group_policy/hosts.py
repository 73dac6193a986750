# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host an entry of a browser's list, or of a zone, means, and where hosts stand in any text. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..._core.errors import OffboardError

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def checked(hosts: Sequence[str]) -> list[str]:
    """Host names in one spelling. Raises OffboardError `bad_option` for what is none, such as a pattern or a top-level domain."""
    result = []
    for host in hosts:
        name = host.strip().rstrip(".").lower()
        if not _HOST.fullmatch(name):
            raise OffboardError(f"hosts: {host!r} is no host name such as auth.iij.jp; the names below it are meant, too", code="bad_option")
        result.append(name)
    return result


def _pattern(entry: str) -> str:
    """The host part of an entry such as `https://*.auth.iij.jp:443/path`, in lower case."""
    text = entry.strip().lower()
    text = text.partition("://")[2] if "://" in text else text
    text = text.partition("/")[0].rpartition("@")[2]
    return re.sub(r":(\d+|\*)$", "", text).rstrip(".")


def is_within(entry: str, hosts: Sequence[str]) -> bool:
    """Whether all that the entry means is one of the hosts, or lies below one."""
    name = _pattern(entry)
    # Chrome and Edge read `*x.example` as what ends so; with a dot or the whole host behind the star nothing else does that is not below it, or nearly
    bare = name[1:].removeprefix(".") if name.startswith("*") else name
    return any(bare == host or bare.endswith("." + host) for host in hosts)


def is_broader(entry: str, hosts: Sequence[str]) -> bool:
    """Whether the entry means one of the hosts and others: `*`, `*.iij.jp`, `iij.jp` where that is meant with all below it. A person decides."""
    name = _pattern(entry)
    if not name or is_within(entry, hosts):
        return False
    bare = name[1:].removeprefix(".") if name.startswith("*") else name
    return not bare or any(host.endswith("." + bare) for host in hosts)


def mentioned(text: str, hosts: Sequence[str]) -> list[str]:
    """The names in a text that are one of the hosts or lie below one, in lower case, in their order, without repetition."""
    if not hosts:
        return []
    any_of = "|".join(re.escape(host) for host in hosts)
    found = re.finditer(rf"(?<![a-z0-9.-])(?:[a-z0-9*_-]+\.)*\*?(?:{any_of})(?![a-z0-9-]|\.[a-z0-9])", text.lower())
    return list(dict.fromkeys(match[0] for match in found))
