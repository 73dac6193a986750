# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "code"), [
    ({"action_paths": ["C:\\"]}, "action_path_too_broad"),
    ({"action_paths": ["*"]}, "action_path_too_broad"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        Options.of(given("win_scheduled_task", **{"tasks": [], **options}))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    asked = {"tasks": [], "action_paths": [r"C:\Program Files\IIJ"], "except_names": [r"\IIJ\Sync"], "vault_password": "hush"}
    assert Options.of(given("win_scheduled_task", **asked)).vault_password is None, "nothing is saved"
    made = Options.of(given("win_scheduled_task", **asked, backup_dir="/b"))
    assert made.vault_password is not None and made.vault_password() == b"hush"
    assert made.except_names == InfoOptions.of(given("win_scheduled_task_info", except_names=[r"iij\sync"])).except_names
