# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies outside of the tenant and what Entra looks at there: partners' DNS, and whose Entra tenant a domain belongs to."""

from __future__ import annotations

import dataclasses
from typing import Any

import dns.resolver

VERIFIED, SYNCED, UNMANAGED = "verified", "synced", "unmanaged"


@dataclasses.dataclass
class Outside:
    """Nothing is there until it is arranged."""

    #: TXT records by name
    txt: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    #: a DNS server, [address, port], that is asked instead of `txt`
    dns: list[Any] | None = None
    #: domains of other tenants: "verified" by DNS, "synced" (verified, its users come from a directory on premises and sign in at the
    #: company's own identity provider), or "unmanaged" (its users only showed that they get mail there)
    tenants: dict[str, str] = dataclasses.field(default_factory=dict)

    def change(self, values: dict[str, Any]) -> None:
        """Replace some of it. Raises ValueError for an unknown name or kind of tenant."""
        if unknown := set(values) - {item.name for item in dataclasses.fields(self)}:
            raise ValueError(f"unknown outside of the tenant: {', '.join(sorted(unknown))}")
        if wrong := set(values.get("tenants", {}).values()) - {VERIFIED, SYNCED, UNMANAGED}:
            raise ValueError(f"a domain of another tenant is {VERIFIED}, {SYNCED} or {UNMANAGED}, not {', '.join(sorted(wrong))}")
        for name, value in values.items():
            setattr(self, name, value)

    def txt_at(self, name: str) -> list[str]:
        """The texts of the TXT records at a name; none when it does not exist."""
        if self.dns is None:
            return self.txt.get(name, [])
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [self.dns[0]], self.dns[1], 5.0
        try:
            return [b"".join(record.strings).decode() for record in resolver.resolve(f"{name}.", "TXT", search=False)]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []

    def realm(self, domain: str) -> str | None:
        """The kind of the other tenant that has the domain; None when none has it."""
        return self.tenants.get(domain.lower())
