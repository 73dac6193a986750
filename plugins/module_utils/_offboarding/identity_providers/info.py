# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""identity_provider_sheet_info: the sheet as the module returns it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.sheet import LANGUAGES, html, markdown
from . import plan
from .options import InfoOptions


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of identity_provider_sheet_info. Raises OffboardError `bad_option`."""
    options = InfoOptions.of(params)
    blocks = plan.blocks(options.hosts, options.products, options.company)
    return {"html": html(blocks, plan.TITLE.ja), "markdown": {language: markdown(blocks, language) for language in LANGUAGES}}
