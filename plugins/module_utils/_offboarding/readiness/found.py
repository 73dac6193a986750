# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles hand over, put together: each one dictionary of what it found, and under `confirmed` what the operator confirmed for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: What a role may have found for the judgement; other keys of its dictionary are for other tasks. The objects in Active Directory are not
#: among them: an empty list says that there are none, and only the playbook knows whether the directory was asked.
KEYS = (
    *("domains", "users", "apps", "provisioning", "permissions", "people", "references", "intune", "sign_in"),
    *("group_policies", "clients", "directory_unusable", "dry_runs", "confirmed"),
)


def merged(handed_over: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Lists one after the other, dictionaries by key; of anything else the last one that is not None. A role that did not run hands over {}."""
    made: dict[str, Any] = {}
    for found in handed_over:
        for key in KEYS:
            if key in found:
                made[key] = _joined(made.get(key), found[key])
    return made


def _joined(before: Any, after: Any) -> Any:
    if before is None or after is None:
        return after if before is None else before
    if isinstance(before, list) and isinstance(after, list):
        return [*before, *after]
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return {**before, **{key: _joined(before.get(key), value) for key, value in after.items()}}
    return after
