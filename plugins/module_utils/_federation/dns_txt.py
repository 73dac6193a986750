# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TXT records by dnspython, for the URL rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._core.errors import OffboardError

try:
    import dns.exception
    import dns.resolver
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
    dns = None  # type: ignore[assignment]
else:
    IMPORT_ERROR = None


def txt_lookup(servers: Sequence[str] = (), *, port: int = 53, timeout: float = 10.0) -> Callable[[str], list[str]]:
    """A function that gives the texts of the TXT records at a name, in full; none when the name or the record does not exist.

    servers: IP addresses of the resolvers to ask; none given: the system's. timeout: seconds for the whole question, retries included.
    The function raises OffboardError dns_failed when there is no answer, or only a failure: that is never "no record".
    """
    try:
        resolver = dns.resolver.Resolver(configure=not servers)
        if servers:
            resolver.nameservers = list(servers)
    except (dns.exception.DNSException, ValueError) as exc:
        raise OffboardError(f"The DNS resolver cannot be used: {exc}. Give IP addresses of resolvers.", code="dns_failed") from exc
    resolver.port = port
    resolver.lifetime = timeout

    def lookup(name: str) -> list[str]:
        try:
            # search=False: the name is complete, the machine's own search domains have nothing to do with it
            answer = resolver.resolve(f"{name}.", "TXT", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as exc:
            asked = ", ".join(map(str, resolver.nameservers)) or "no resolver"
            msg = f"The TXT records of {name} could not be looked up ({type(exc).__name__}, asked {asked}); whether one is there is not known."
            raise OffboardError(msg, code="dns_failed", details={"name": name}) from exc
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]

    return lookup
