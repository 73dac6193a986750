# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument fragments; each has its twin in plugins/doc_fragments/. `spec(...)` joins them."""

from __future__ import annotations

import copy
from typing import Any

#: What a change of the exit demands of the run folder.
REQUIRES: dict[str, Any] = {
    "type": "dict",
    "options": {
        "run_dir": {"type": "path", "required": True},
        "steps": {"type": "list", "elements": "str", "default": []},
        "gate_max_age_hours": {"type": "int"},
        "snapshot": {"type": "bool", "default": False},
        "snapshot_files": {"type": "list", "elements": "str", "default": []},
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
}


def spec(*fragments: dict[str, Any], **options: dict[str, Any]) -> dict[str, Any]:
    """An argument_spec of its own from fragments and further options."""
    joined: dict[str, Any] = {}
    for fragment in (*fragments, options):
        joined.update(copy.deepcopy(fragment))
    return joined
