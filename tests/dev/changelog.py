# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a change that users may notice has a fragment of the changelog."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

#: what users run; tests and manual need no fragment
NOTICED = ("plugins/", "roles/", "playbooks/", "meta/", "requirements.txt")
FRAGMENTS = "changelogs/fragments/"
#: the branch that a change will go into, by the first of these names that the clone knows
_TRUNKS = ("origin/main", "main", "origin/master", "master")


def lacks_fragment(paths: Iterable[str]) -> list[str]:
    """Those of the changed paths that want a fragment, when none of them is one."""
    paths = sorted(set(paths))
    return [] if any(path.startswith(FRAGMENTS) for path in paths) else [path for path in paths if path.startswith(NOTICED)]


def _git(root: Path, *words: str) -> list[str] | None:
    """The lines that git prints; None when it fails, say since a shallow clone does not know the commit."""
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else None


def changed(root: Path) -> list[str]:
    """What differs from where the branch left the trunk, committed or not; on the trunk, or where that place is not known, from the last commit.

    Nothing outside of a git checkout.
    """
    bases = (_git(root, "merge-base", trunk, "HEAD") for trunk in _TRUNKS)
    base = next((found[0] for found in bases if found), "HEAD")
    return [*(_git(root, "diff", "--name-only", base) or ()), *(_git(root, "ls-files", "--others", "--exclude-standard") or ())]


def main(root: Path) -> int:
    """Print what lacks a fragment; returns the exit code."""
    lacking = lacks_fragment(changed(root))
    if lacking:
        print(f"Describe the change for users in a file of {FRAGMENTS} (under `trivial:` where they notice nothing); changed, without one:")
        print(*(f"  {path}" for path in lacking), sep="\n")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parents[2]))
