# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an encrypted file is written, and under which name: tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Object
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.vault_file import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.vault_file.options import Options
from dev.options import given


def paths() -> Iterator[str]:
    return itertools.chain(["/a"], (f"/a-{number}" for number in itertools.count(2)))


def file(path: str, objects: Sequence[str] | None = None) -> Object:
    return Object(plan.KIND, path, path[1:], {"exists": True, "objects": objects})


@pytest.mark.parametrize(
    ("there", "holds", "written"),
    [
        ([], None, "/a"),
        ([file("/a")], None, None),
        ([file("/other")], None, "/a"),  # that of an earlier task of a check run
        ([], ["x"], "/a"),
        ([file("/a", ["X"])], ["x"], None),
        ([file("/a", ["y"])], ["x"], "/a-2"),
        ([file("/a", ["y"]), file("/a-2", ["x"])], ["x", "y"], None),
        ([file("/a", ["y"]), file("/a-2", ["x"])], ["z"], "/a-3"),
        ([file("/a")], [], "/a-2"),  # nobody knows what it holds
    ],
)
def test_a_file_is_never_overwritten(there: list[Object], holds: list[str] | None, written: str | None) -> None:
    made = plan.plan_file(there, paths, None if holds is None else {"objects": holds}, 3)
    assert [change.id for change in made.changes] == ([written] if written else [])
    assert made.unchanged == (written is None)
    assert all(change.after == {"exists": True, "content": "(encrypted, 3 bytes)"} for change in made.changes)


def test_what_is_made_of_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    asked: dict[str, Any] = {"path": "run/a.yml", "content": "ひみつ", "vault_password": "pw"}
    made = Options.of(given("vault_file", **asked))
    assert (made.path, made.content, made.holds) == ("/run/a.yml", "ひみつ".encode(), None)
    assert made.vault_password() == b"pw" and "ひみつ" not in repr(made) and made.content not in repr(made).encode()
