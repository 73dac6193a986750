# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sentence of a role or a playbook, in the language of its reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.offboard.iij_id.plugins.module_utils._core.text import Text


def in_language(text: Mapping[str, Any], language: Any) -> str:
    """Of a text with `en` and `ja`. Both for a language that is none, which may be what the sentence is about."""
    return Text.of(text).told(language)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"in_language": in_language}
