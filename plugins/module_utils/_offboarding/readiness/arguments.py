# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate is told: the options of readiness_info."""

from __future__ import annotations

from typing import Any

from ..._module.arguments import LANGUAGE
from .plan import GATES

_TEXTS: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
CONFIRMED: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("domains", "client_ids", "accounts", "not_iij_client_ids", "leftovers", "also_enable"), _TEXTS),
    **dict.fromkeys(("accepted_references", "accepted_not_looked_at"), _TEXTS),
    **dict.fromkeys(("right_policies", "registry_policies", "kept_policies"), _TEXTS),
    **dict.fromkeys(("certificate_issuers", "certificates", "kept_certificates"), _TEXTS),
    "browser_settings": {"type": "str", "choices": ["", "absent", "keep"], "default": ""},
    **dict.fromkeys(("linux_files", "not_iij_linux_files", "not_iij_linux_accounts", "openldap_access", "openldap_entries"), _TEXTS),
    "password_filters": _TEXTS | {"no_log": False},  # names of programs
    "accepted_no_way_in_count": {"type": "int", "default": 0},
    "without_machines": {"type": "bool", "default": False},
    "passwords": {"type": "str", "choices": ["generate", "temporary_access_pass", "keep"], "default": "generate", "no_log": False},
    "synced_password": {"type": "str", "choices": ["skip", "set"], "default": "skip", "no_log": False},
    "max_users": {"type": "int"},
    "usage_location": {"type": "str", "default": ""},
    "token_minutes": {"type": "int", "default": 90, "no_log": False},
    "disable_app": {"type": "bool"},
    "max_blocked_percent": {"type": "int", "default": 50},
    "own_client_id": {"type": "str", "default": ""},
    "products": {"type": "list", "elements": "dict", "default": []},
    "tasks": {"type": "list", "elements": "dict", "default": []},
    "cron_jobs": {"type": "list", "elements": "dict", "default": []},
    "linux_accounts": {"type": "list", "elements": "dict", "default": []},
    "intune_assignments": {"type": "list", "elements": "dict", "default": []},
}

_LISTS = ("domains", "users", "apps", "directory_objects", "steps")
_DICTS = (
    *("machines", "linux_machines", "openldap", "export", "provisioning", "people", "permissions", "references", "intune", "sign_in", "group_policies"),
    *("clients", "variables"),
)
JUDGEMENT: dict[str, Any] = {
    "answers": {"type": "dict", "default": {}},
    "gate": {"type": "str", "required": True, "choices": [*GATES]},
    **{name: {"type": "list", "elements": "dict"} for name in _LISTS},
    **{name: {"type": "list", "elements": "dict", "default": []} for name in ("directory_unusable", "dry_runs", "found")},
    **LANGUAGE,
    **{name: {"type": "dict"} for name in _DICTS},
    **{name: {"type": "path"} for name in ("journal", "export_folder", "vault_tried")},
    "client_id": {"type": "str", "default": ""},
    "filter_files": {"type": "bool", "default": False},
    "needs_directory": _TEXTS,
    "required": {"type": "bool", "default": False},
    "brief": {"type": "bool", "default": False},
    "run_dir": {"type": "path"},
    "run_tenant_id": {"type": "str"},
    "contract_options": _TEXTS,
    "confirmed": {"type": "dict", "default": {}, "apply_defaults": True, "options": CONFIRMED},
}
