# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door to the lab (the package `lab`, tests/lab/README.md) for `./dev lab`, the tests and the demo."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from . import environment
from .places import ROOT
from .say import Failure, say

#: `lab up`: a part cannot run on this machine; the others do.
PART_LEFT_OUT = 3
COMMAND = [sys.executable, "-m", "lab"]


def variables() -> dict[str, str]:
    """Environment variables with the package `lab` on Python's path."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "tests")}


def main(words: list[str]) -> int:
    """`./dev lab …`: the lab's own command line; before `up`, the Debian packages of its parts."""
    if words[:1] == ["up"]:
        packages()
    return subprocess.run([*COMMAND, *words], env=variables(), check=False).returncode


def packages() -> None:
    """Install the Debian packages of the lab's parts, or say how. A part that then cannot run says so itself."""
    import lab.directory.part
    import lab.identity_providers.part
    import lab.windows.tree

    missing = environment.debian_packages({**lab.directory.part.PACKAGES, **lab.windows.tree.PACKAGES, **lab.identity_providers.part.PACKAGES})
    if missing:
        say(f"The lab needs Debian packages: sudo apt-get install --no-install-recommends {' '.join(missing)}")


def status() -> dict[str, dict[str, object]]:
    """Part → `running`, and `why_not` when it cannot run here."""
    result = subprocess.run([*COMMAND, "status", "--json"], env=variables(), capture_output=True, text=True, check=False)
    if result.returncode:
        raise Failure(f"the lab's status cannot be read: {result.stderr.strip()[-500:]}")
    return json.loads(result.stdout)
