# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a part of the lab is."""

from __future__ import annotations

import abc
import contextlib
import shutil
from pathlib import Path


def remove_at_once(folder: Path) -> None:
    """Remove a folder of which half would be taken for the whole: a kill on the way leaves it whole or not at all."""
    doomed = folder.with_name(f"{folder.name}.doomed")
    shutil.rmtree(doomed, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


class Part(abc.ABC):
    """One world of the lab: the tenant, the directory, the Windows machines."""

    #: name on the command line, and of the part's state folder
    name: str

    @abc.abstractmethod
    def why_not(self) -> str | None:
        """One sentence why this machine cannot run the part, or None."""

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make what is slow, once, in the cache. Says what it does and how long it takes."""

    @abc.abstractmethod
    def start(self) -> None:
        """Start the part from its present state (from the fixture when there is none) and wait until it answers."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End every process of the part. Safe when nothing runs."""

    @abc.abstractmethod
    def reset(self) -> None:
        """Back to the fixture company; afterwards the part runs if it ran before."""

    @abc.abstractmethod
    def status(self) -> dict[str, object]:
        """`running` (bool) and what else a person wants to know (address, since, pids)."""
