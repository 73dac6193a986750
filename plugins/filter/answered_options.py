# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which options of a role are checked, for the role offboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import variables


def answered_options(options: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an argument specification without those whose empty value means their default."""
    return {name: option for name, option in options.items() if not variables.unanswered(option, given[name])}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"answered_options": answered_options}
