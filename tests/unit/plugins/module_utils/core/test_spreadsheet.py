# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No text of strangers is a formula in a spreadsheet."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.spreadsheet import cell


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫"])
@pytest.mark.parametrize("before", ["", " ", "\t", "\u00a0", "\u3000", "\u2003 "])
def test_what_begins_as_a_formula_does_is_a_text(sign: str, before: str) -> None:
    assert cell(f"{before}{sign}1+cmd|'/C calc'!A0").startswith("'")


@pytest.mark.parametrize("text", ["", "髙橋 一", "a=b", "\u3000山田", "\u200b=1", "'=1"])
def test_any_other_begins_as_it_is(text: str) -> None:
    assert not cell(text).startswith("'") or text.startswith("'")
    assert "\n" not in cell(f"{text}\n=1")
