# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate is told: the options of readiness_info."""

from __future__ import annotations

from typing import Any

from ..._module.arguments import LANGUAGE
from .described import argument_spec
from .judged import Confirmed, Facts
from .plan import GATES

CONFIRMED = argument_spec(Confirmed)
FACTS = argument_spec(Facts)
JUDGEMENT: dict[str, Any] = {
    "answers": {"type": "dict", "default": {}},
    "gate": {"type": "str", "required": True, "choices": [*GATES]},
    **FACTS,
    "found": {"type": "list", "elements": "dict", "default": []},
    "variables": {"type": "dict"},
    **LANGUAGE,
    **{name: {"type": "path"} for name in ("journal", "export_folder", "vault_tried")},
    "client_id": {"type": "str", "default": ""},
    "filter_files": {"type": "bool", "default": False},
    "required": {"type": "bool", "default": False},
    "brief": {"type": "bool", "default": False},
    "run_dir": {"type": "path"},
    "run_tenant_id": {"type": "str"},
    "contract_options": {"type": "list", "elements": "str", "default": []},
    "confirmed": {"type": "dict", "default": {}, "apply_defaults": True, "options": CONFIRMED},
}
