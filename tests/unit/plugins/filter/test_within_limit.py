# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.offboard.iij_id.plugins.filter.within_limit import within_limit

GROUPS = {"all": ["sync01", "sync02", "dc1"], "iij_id_agents": ["sync01", "sync02", "dc1"], "iij_id_domain_controllers": ["dc1"], "ungrouped": []}


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("sync01", {"sync01"}),
        ("sync01,localhost", {"sync01", "localhost"}),
        ("!dc1", {"sync01", "sync02"}),
        # without `all` nothing but localhost is left
        ("!dc1,localhost", {"localhost"}),
        ("all:localhost:!dc1", {"sync01", "sync02", "localhost"}),
        ("all:!sync01", {"sync02", "dc1"}),
        # with a comma, colons part nothing
        ("all:!sync01,localhost", {"localhost"}),
        ("~sync.*", {"sync01", "sync02"}),
        ("~sync.*,localhost", {"sync01", "sync02", "localhost"}),
        ("iij_id_agents:&iij_id_domain_controllers", {"dc1"}),
        ("@FILE", {"sync01"}),
        ("@FILE,localhost", {"sync01", "localhost"}),
    ],
)
def test_as_ansible_limits(tmp_path: Path, limit: str, expected: set[str]) -> None:
    (tmp_path / "run.retry").write_text("sync01\n")
    assert set(within_limit(GROUPS, limit.replace("FILE", str(tmp_path / "run.retry")))) == expected


def test_a_file_with_the_controller(tmp_path: Path) -> None:
    (tmp_path / "run.retry").write_text("localhost\nsync01\n")
    assert set(within_limit(GROUPS, f"@{tmp_path / 'run.retry'}")) == {"sync01", "localhost"}
    with pytest.raises(AnsibleError, match="limit file"):
        within_limit(GROUPS, f"@{tmp_path / 'none'}")
