# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook `restore` plays for the words that a person gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.offboard.iij_id.plugins.filter.listed import listed
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import going_back as table


def going_back(given: Any) -> dict[str, Any]:
    """`words` and those of them that are `unknown`, all that are `known`, and the `entries` of roles that are played on the controller, in their order."""
    words = listed(given)
    entries = [entry._asdict() for entry in table.entries(words)]
    return {"words": words, "unknown": [word for word in words if word not in table.ON_CONTROLLER], "known": list(table.ON_CONTROLLER), "entries": entries}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"going_back": going_back}
