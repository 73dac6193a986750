# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._restart.options import Options
from dev.options import given


@pytest.mark.parametrize(("options", "code"), [
    ({"machines": [{"name": "a"}]}, "bad_option"),
    ({"machines": [{"host": "h"}, {"host": "h"}]}, "bad_option"),
    ({"only_unregistered": True}, "bad_option"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        Options.of(given("win_restart", **{"machines": [{"host": "h"}], **options}))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    made = Options.of(given("win_restart", host="h", machines=[], directory={"host": "dc"}))
    assert [(one.name, one.host, one.reached["timeout"]) for one in made.machines] == [("", "h", 30)]
    assert made.directory is not None and made.directory.tls == "ldaps"
    assert made.directory.to("dc2").host == "dc2"
