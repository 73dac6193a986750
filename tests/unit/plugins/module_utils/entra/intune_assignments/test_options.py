# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.intune_assignments.options import InfoOptions, Options
from dev.options import given

ID = "aaaaaaaa-0000-4000-8000-000000000001"


@pytest.mark.parametrize(("options", "said"), [
    ({"assignments": []}, "name those that shall go"),
    ({"assignments": [{"object": "SmartKey", "target": "x"}]}, "'smartkey' is not the id"),
    ({"assignments": [{"object": ID, "target": " "}]}, "has no target"),
    ({"state": "present"}, "journal: "),
    ({"hosts": ["https://auth.iij.jp/x"]}, "is no host name"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("intune_assignment", **{"state": "absent", "assignments": [{"object": ID, "target": "allDevices"}], **options}))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them() -> None:
    made = Options.of(given("intune_assignment", state="present", journal="/j", expected_objects=[ID.upper()]))
    assert not made.absent and made.wanted == [] and made.expected_objects == {ID}
    (one,) = InfoOptions.of(given("intune_assignment_info", assignments=[{"object": f"{{{ID.upper()}}}", "target": "x"}])).wanted
    assert one.object == ID
