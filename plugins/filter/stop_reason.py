# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a stage stopped, for the role offboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import stopped


def stop_reason(failed: Mapping[str, Any], language: str) -> str:
    """The last words of a stage, in `en`, `ja` or `both`."""
    return stopped.reason(failed, language)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"stop_reason": stop_reason}
