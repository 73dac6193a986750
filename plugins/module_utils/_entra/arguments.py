# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument fragments of the Entra modules; each has its twin in plugins/doc_fragments/."""

from __future__ import annotations

from typing import Any

from .intune_assignments.plan import CHANGEABLE

#: Which users a task is about; the twin is plugins/doc_fragments/users.py.
USER_SELECTION: dict[str, Any] = {
    "users": {"type": "list", "elements": "str"},
    "domain": {"type": "str"},
    "group": {"type": "str"},
    "src": {"type": "path"},
    "snapshot": {"type": "path"},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "provisioned_only": {"type": "bool", "default": False},
    "shard": {"type": "str"},
    "results_file": {"type": "path"},
}

#: Which federations' certificates to look at, and how to read their metadata; the twin is plugins/doc_fragments/certificate_watch.py.
CERTIFICATE_WATCH: dict[str, Any] = {
    "domains": {"type": "list", "elements": "str"},
    "metadata_urls": {"type": "dict", "default": {}},
    "metadata_ca_file": {"type": "path"},
    "metadata_timeout": {"type": "int", "default": 30},
    "warning_days": {"type": "int", "default": 30},
    "critical_days": {"type": "int", "default": 7},
    "announced_in": {"type": "path"},
}

#: Which assignments in Intune are meant; the twin is plugins/doc_fragments/intune.py.
INTUNE: dict[str, Any] = {
    "assignments": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "kind": {"type": "str", "default": CHANGEABLE[0], "choices": list(CHANGEABLE)},
            "object": {"type": "str", "required": True},
            "target": {"type": "str", "required": True},
        },
    },
    "beta": {"type": "bool", "default": False},
}

#: Whom a count of blocked users, and of those without licence, leaves out; the twin is plugins/doc_fragments/census.py.
CENSUS: dict[str, Any] = {
    "also_enable": {"type": "list", "elements": "str", "default": []},
    "src": {"type": "path"},
    "exclude": {"type": "list", "elements": "str", "default": []},
}
