# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "code"), [
    ({"dn": ""}, "invalid_dn"),
    ({"objects": ["CN=a,DC=x", ""]}, "invalid_dn"),
    ({"allowed_spns": ["(x"]}, "pattern_invalid"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        Options.of(given("directory_object", **{"state": "disabled", "dn": "CN=a,DC=x", **options}))
    assert caught.value.code == code


@pytest.mark.parametrize(("options", "code"), [
    ({"spn_patterns": ["(x"]}, "pattern_invalid"),
    ({"allowed_spns": ["(x"]}, "pattern_invalid"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        InfoOptions.of(given("directory_object_info", **options))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    made = Options.of(given("directory_object", state="absent", objects=["CN=a,DC=x"], known=[{"dn": "CN=a,DC=x"}], allow=["members"]))
    assert [name.dn for name in made.names] == ["CN=a,DC=x"] and made.known.objects == [{"dn": "CN=a,DC=x"}] and made.known.file == ""
    assert made.rules.allow == ["members"]
    assert InfoOptions.of(given("directory_object_info", objects=["no name"])).objects == ["no name"], "one that cannot be used hides no other"
