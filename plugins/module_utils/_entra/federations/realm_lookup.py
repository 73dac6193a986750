# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a partner's domain belongs to an Entra tenant, as far as one can tell from outside.

The sign-in service tells it to everybody; Microsoft's guides to data subject requests in Power Platform name the address, and tell an
unmanaged tenant (one whose users only showed that they get mail there) by `IsViral`.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable

from ..._core import strict_json
from ..._core.errors import OffboardError
from ..._federation.fetch import fetch
from ..._graph.connection import CLOUDS, Connection
from . import realm_lookup as realm
from .realm import Realm

_TIMEOUT = 30.0
_MAX_BYTES = 256 * 1024


def look_up(connection: Connection, domain: str) -> Realm:
    """The realm of `domain` (A-labels). Raises OffboardError `realm_unknown` when the sign-in service does not tell."""
    authority = (connection.authority or CLOUDS[connection.cloud][1]).rstrip("/")
    url = f"{authority}/common/userrealm/user%40{urllib.parse.quote(domain)}?api-version=2.1"
    try:
        answer = strict_json.loads(fetch(url, ca_file=connection.ca_file, timeout=_TIMEOUT, max_bytes=_MAX_BYTES))
        namespace = answer["NameSpaceType"]
    except (OffboardError, ValueError, KeyError, TypeError) as exc:
        raise OffboardError(f"Whether {domain} belongs to an Entra tenant is not known: {authority} did not tell ({exc}).", code="realm_unknown") from exc
    return Realm(str(namespace), bool(answer.get("IsViral")))


def look_up_realms(connection: Connection, domains: Iterable[str]) -> dict[str, realm.Realm | None]:
    """The realms of the domains; None where the sign-in service did not tell."""
    return {domain: _realm(connection, domain) for domain in sorted(domains)}


def _realm(connection: Connection, domain: str) -> realm.Realm | None:
    try:
        return realm.look_up(connection, domain)
    except OffboardError:
        return None
