# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host an entry of a browser's list, or of a zone, means, and where hosts stand in any text. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..._core import names
from ..._core.errors import OffboardError

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def checked(hosts: Sequence[str]) -> list[str]:
    """Host names in one spelling. Raises OffboardError `bad_option` for what is none, such as a pattern or a top-level domain."""
    result = []
    for host in hosts:
        name = names.host(host)
        if "*" in host or not _HOST.fullmatch(name):
            raise OffboardError(f"hosts: {host!r} is no host name such as auth.iij.jp; the names below it are meant, too", code="bad_option")
        result.append(name)
    return result


def is_within(entry: str, hosts: Sequence[str]) -> bool:
    """Whether all that the entry means is one of the hosts, or lies below one. `*auth.iij.jp` counts as what is below auth.iij.jp."""
    return names.is_under(names.host(entry), hosts)


def is_broader(entry: str, hosts: Sequence[str]) -> bool:
    """Whether the entry means one of the hosts and others: `*`, `*.iij.jp`, `iij.jp` where that is meant with all below it. A person decides."""
    name = names.host(entry)
    return bool(name) and not is_within(entry, hosts) and (name == "*" or any(names.is_under(host, [name]) for host in hosts))


def mentioned(text: str, hosts: Sequence[str]) -> list[str]:
    """The names in a text that are one of the hosts or lie below one, in lower case, in their order, without repetition."""
    if not hosts:
        return []
    any_of = "|".join(re.escape(host) for host in hosts)
    found = re.finditer(rf"(?<![a-z0-9.-])(?:[a-z0-9*_-]+\.)*\*?(?:{any_of})(?![a-z0-9-]|\.[a-z0-9])", text.lower())
    return list(dict.fromkeys(match[0] for match in found))
