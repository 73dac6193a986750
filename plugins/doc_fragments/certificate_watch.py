# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of CERTIFICATE_WATCH in plugins/module_utils/_entra/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Which federations to look at, and how to read their metadata."""

    DOCUMENTATION = r"""
options:
  domains:
    description: Only the federations that serve one of these domains. Without it, all. A domain that no federation serves is an error.
    type: list
    elements: str
  metadata_urls:
    description:
      - The https address of the federation metadata, by domain, where Entra holds none, or that of a WS-Trust metadata exchange.
      - For the tenant's own domains with AD FS the well-known address of its metadata is used without being given.
    type: dict
    default: {}
  metadata_ca_file:
    description: A PEM file with the authorities to trust for metadata addresses, instead of the system's.
    type: path
  metadata_timeout:
    description: Seconds for the whole transfer from one address.
    type: int
    default: 30
  warning_days:
    description: Whole days before the end of a certificate from which on that is a warning.
    type: int
    default: 30
  critical_days:
    description: Whole days before the end of a certificate from which on that is critical.
    type: int
    default: 7
  announced_in:
    description:
      - A file with a former answer of one of the two modules as JSON (C(tenant_id) and C(announced)), which need not be there. Certificates that were
        announced then, in metadata signed with the key of a certificate that Entra held and still holds, are vouched for. So a partner's AD FS, which
        signs its metadata with the new key from the day of the switch on, is renewed by itself.
      - It must be a file that no other account can write to.
    type: path
"""
