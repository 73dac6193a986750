# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of DNS in plugins/module_utils/_federation/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Who is asked for TXT records."""

    DOCUMENTATION = r"""
options:
  dns_servers:
    description: IP addresses of the DNS resolvers for the TXT record. Without it, the system's.
    type: list
    elements: str
    default: []
  dns_port:
    description: UDP and TCP port of O(dns_servers).
    type: int
    default: 53
  dns_timeout:
    description: Seconds for one look-up, retries included.
    type: int
    default: 10
"""
