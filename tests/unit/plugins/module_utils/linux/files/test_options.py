# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.files.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "code"), [
    ({"paths": ["a.yml"]}, "path_invalid"),
    ({"allowed_roots": ["/etc"]}, "allowed_root_refused"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        Options.of(given("linux_file", **{"paths": ["/a/b"], **options}))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    assert Options.of(given("linux_file", paths=["/srv/iij/a", "/srv/iij/a/"])).paths == ["/srv/iij/a"]
    assert InfoOptions.of(given("linux_file_info", paths=["/srv/iij/"])).paths == ["/srv/iij"]
