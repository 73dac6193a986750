# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.filter.in_language import in_language


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "Yes."), ("ja", "はい。"), ("both", "Yes. / はい。"), ("xx", "Yes. / はい。"), (None, "Yes. / はい。"), ("count", "Yes. / はい。")],
)
def test_who_reads_one_language_is_told_in_it(language: object, told: str) -> None:
    assert in_language({"en": "Yes.", "ja": "はい。"}, language) == told
