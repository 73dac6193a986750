# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""user_notices_info: the notices as the module returns them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.sheet import html, plain_text
from . import plan
from .options import InfoOptions


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of user_notices_info. Raises OffboardError `bad_option`."""
    options = InfoOptions.of(params)
    return {
        "notices": [
            {
                "topic": notice.topic,
                "file": notice.file,
                "steps": list(notice.steps),
                "title": notice.title._asdict(),
                "html": html(notice.blocks, " / ".join(getattr(notice.title, language) for language in options.languages), options.languages),
                "plain": {language: plain_text(notice.blocks, language) for language in options.languages},
            }
            for notice in plan.notices(options.company, options.topics)
        ]
    }
