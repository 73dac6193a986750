# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft's sign-in page says of a domain."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Realm:
    """namespace: Unknown (no tenant has the domain), Managed, Federated. unmanaged: its tenant is not verified by DNS."""

    namespace: str
    unmanaged: bool = False

    @property
    def verified(self) -> bool:
        """Whether a tenant has verified the domain by DNS."""
        return self.namespace in ("Managed", "Federated") and not self.unmanaged
