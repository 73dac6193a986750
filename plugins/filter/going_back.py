# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook `restore` plays for the words that a person gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.offboard.iij_id.plugins.filter.listed import listed
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.going_back import entries
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import BROUGHT_BACK


def going_back(given: Any) -> dict[str, Any]:
    """`words` and those of them that are `unknown`, all that are `known`, and the `entries` of roles that are played on the controller, in their order."""
    words = listed(given)
    played = [entry._asdict() for entry in entries(BROUGHT_BACK, words)]
    return {"words": words, "unknown": [word for word in words if word not in BROUGHT_BACK], "known": list(BROUGHT_BACK), "entries": played}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"going_back": going_back}
