# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is registered with LSA."""

from __future__ import annotations

from ..._core.errors import OffboardError
from .. import registry
from . import plan as filters


def packages(machine: registry.RegistryConnection) -> list[str]:
    """The registered notification packages, in their order. Raises OffboardError `registry_unreadable`."""
    found = registry.read(machine, filters.LSA)[0].strings(filters.VALUE)
    if not found:
        raise OffboardError(f"{machine.host}: {filters.LSA}, {filters.VALUE} is missing or empty, which no Windows is", code="registry_unreadable")
    return found
