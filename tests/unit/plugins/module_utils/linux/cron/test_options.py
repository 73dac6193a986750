# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "code"), [
    ({"command_paths": ["/"]}, "action_path_too_broad"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        Options.of(given("linux_cron_job", **{"jobs": [], **options}))
    assert caught.value.code == code


@pytest.mark.parametrize(("options", "code"), [
    ({"command_paths": ["*"]}, "action_path_too_broad"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        InfoOptions.of(given("linux_cron_job_info", **options))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    made = Options.of(given("linux_cron_job", jobs=[], vault_password="hush"))
    assert (made.state, made.backup_dir, made.vault_password) == ("disabled", "", None)
