# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.offboard.iij_id.plugins.filter.listed import listed


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ("", []),
        (" , \n", []),
        ("a.example", ["a.example"]),
        ("a.example, b.example\nc.example,", ["a.example", "b.example", "c.example"]),
        ("a.example、b.example，c.example", ["a.example", "b.example", "c.example"]),
        (["a.example", " b.example,c.example ", ""], ["a.example", "b.example", "c.example"]),
        (("a",), ["a"]),
    ],
)
def test_however_several_are_given(given: Any, expected: list[str]) -> None:
    assert listed(given) == expected


@pytest.mark.parametrize("given", [5, True, {"a": 1}, [["a"]], [1]])
def test_what_is_no_text_is_refused(given: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="listed"):
        listed(given)
