# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument fragments of what takes part in the exit; each has its twin in plugins/doc_fragments/."""

from __future__ import annotations

from typing import Any

#: What a change of the exit demands of the run folder.
REQUIRES: dict[str, Any] = {
    "type": "dict",
    "options": {
        "run_dir": {"type": "path", "required": True},
        "steps": {"type": "list", "elements": "str", "default": []},
        "gate_max_age_hours": {"type": "int"},
        "sign_in_max_age_hours": {"type": "int"},
        "accepted_no_way_in_count": {"type": "int", "default": 0},
        "snapshot": {"type": "bool", "default": False},
        "snapshot_files": {"type": "list", "elements": "str", "default": []},
        "managed_domains": {"type": "list", "elements": "str", "default": []},
    },
}

#: What every changing module takes: the guard on the number of changes, and the run's files on the controller.
RUN: dict[str, Any] = {
    "max_changes": {"type": "int", "default": 20},
    "journal": {"type": "path"},
    "run_tenant_id": {"type": "str"},
    "predictions": {"type": "path"},
    "progress_file": {"type": "path"},
    "requires": REQUIRES,
    "approved_plan": {"type": "dict", "options": {"path": {"type": "path", "required": True}, "sha256": {"type": "str", "required": True}}},
}
