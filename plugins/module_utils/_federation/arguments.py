# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked for the TXT records of partners; the twin is plugins/doc_fragments/dns.py."""

from __future__ import annotations

from typing import Any

DNS: dict[str, Any] = {
    "dns_servers": {"type": "list", "elements": "str", "default": []},
    "dns_port": {"type": "int", "default": 53},
    "dns_timeout": {"type": "int", "default": 10},
}
