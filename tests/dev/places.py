# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie: the checkout, and everything that is made outside of it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("OFFBOARD_CACHE") or Path.home() / ".cache" / "offboard-iij-id").absolute()
COLLECTION = Path("ansible_collections", "offboard", "iij_id")


def tree() -> Path:
    """A folder for ANSIBLE_COLLECTIONS_PATH and sys.path, in which the collection is this checkout (a symbolic link).

    One folder for each checkout, so that no two of them ever test each other's files.
    """
    folder = CACHE / "trees" / hashlib.sha256(bytes(ROOT)).hexdigest()[:12]
    link = folder / COLLECTION
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(ROOT)
    return folder


def copy(folder: Path) -> Path:
    """The files of the checkout (uncommitted ones too, ignored ones not) as `folder`/ansible_collections/…; returns that path.

    For the tools that pack or test a collection: they want real files, and would take caches and environments along.
    """
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    target = folder / COLLECTION
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        if (ROOT / name).exists():  # else deleted, but not committed yet
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return target
