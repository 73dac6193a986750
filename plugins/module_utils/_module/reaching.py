# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One time for all addresses of a name: libraries wait as long for each of them, and nothing ends the system's resolver."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

#: the clock of all deadlines here
now = time.monotonic


def create_connection(address: tuple[str, int], timeout: float, source_address: tuple[str, int] | None = None, **_options: object) -> socket.socket:
    """As socket.create_connection, but all addresses and the resolver share the time: a dead one takes none from those behind it."""
    end = now() + timeout
    found = resolved(*address, timeout)
    failed: OSError = OSError(f"{address[0]} has no address")
    for number, (family, kind, protocol, _name, where) in enumerate(found):
        left = end - now()
        if left <= 0:
            raise TimeoutError
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as exc:  # a machine without IPv6
            failed = exc
            continue
        try:
            connection.settimeout(left / (len(found) - number))
            if source_address:
                connection.bind(source_address)
            connection.connect(where)
            connection.settimeout(timeout)
        except OSError as exc:
            connection.close()
            failed = exc
            continue
        return connection
    raise failed


def for_each(host: str, port: int, timeout: float) -> float:
    """The seconds to wait for each address, for a library that lets nobody connect in its stead. Raises OSError as `resolved`."""
    end = now() + timeout
    number = len(resolved(host, port, timeout))
    return max(end - now(), 0.001) / number


def resolved(host: str, port: int, timeout: float) -> list[Any]:
    """As socket.getaddrinfo, at least one. In a thread of its own: the resolver may wait for one dead server after the other. Raises TimeoutError and
    socket.gaierror."""
    found: list[Any] = []

    def resolve() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as exc:
            found.append(exc)

    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(max(timeout, 0))
    if not found:
        raise TimeoutError
    if isinstance(found[0], UnicodeError):
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is no host name") from found[0]
    if isinstance(found[0], OSError):
        raise found[0]
    return list(found)
