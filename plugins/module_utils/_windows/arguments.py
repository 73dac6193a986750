# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a Windows machine by WinRM; its twin is the fragment `windows` in plugins/doc_fragments/."""

from __future__ import annotations

from typing import Any

#: How to reach a Windows machine by WinRM. The action plugins fill what is missing from the host's connection variables.
WINDOWS: dict[str, Any] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "scheme": {"type": "str", "default": "https", "choices": ["http", "https"]},
    "transport": {"type": "str", "default": "ntlm", "choices": ["basic", "ntlm", "kerberos"]},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ca_file": {"type": "path"},
    "server_cert_validation": {"type": "str", "default": "validate", "choices": ["validate", "ignore"]},
    "timeout": {"type": "int", "default": 30},
    "verify_timeout": {"type": "int", "default": 120},
}
