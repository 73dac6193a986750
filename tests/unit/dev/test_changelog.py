# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lint that wants a changelog fragment, on clones as people and machines have them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dev import changelog


def git(root: Path, *words: str) -> None:
    name = ["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *name, *words], cwd=root, check=True, capture_output=True)


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("new")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout whose branch `work` has just left `main`."""
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    write(root, "plugins/old.py", "changelogs/fragments/old.yml")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    (root / "plugins/old.py").write_text("second")
    git(root, "commit", "-qam", "second")
    git(root, "checkout", "-qb", "work")
    return root


@pytest.mark.parametrize(
    ("paths", "lacking"),
    [
        ([], []),
        (["docs/en/index.md", "tests/unit/test_x.py"], []),
        (["plugins/modules/x.py", "roles/a/tasks/main.yml"], ["plugins/modules/x.py", "roles/a/tasks/main.yml"]),
        (["plugins/modules/x.py", "changelogs/fragments/x.yml"], []),
    ],
)
@pytest.mark.parametrize("committed", [False, True])
def test_a_branch(clone: Path, paths: list[str], lacking: list[str], committed: bool, capsys: pytest.CaptureFixture[str]) -> None:
    write(clone, *paths)
    if committed and paths:
        git(clone, "add", "-A")
        git(clone, "commit", "-qm", "work")
    assert changelog.main(clone) == (1 if lacking else 0)
    told = capsys.readouterr().out
    assert all(path in told for path in lacking)


def test_a_fragment_of_an_earlier_commit_of_the_branch_counts(clone: Path) -> None:
    for path in ("changelogs/fragments/x.yml", "plugins/x.py"):
        write(clone, path)
        git(clone, "add", "-A")
        git(clone, "commit", "-qm", path)
    assert changelog.main(clone) == 0


def test_a_shallow_clone_passes_as_it_is_and_its_own_changes_are_seen(clone: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", "--branch", "main", f"file://{clone}", "shallow")
    assert changelog.main(tmp_path / "shallow") == 0
    write(tmp_path / "shallow", "plugins/x.py")
    assert changelog.main(tmp_path / "shallow") == 1


def test_what_is_no_checkout_passes(tmp_path: Path) -> None:
    write(tmp_path, "plugins/x.py")
    assert changelog.main(tmp_path) == 0
