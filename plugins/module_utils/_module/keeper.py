# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a run's lock between its tasks: a process of its own, since a lock goes with the process that took it, and a task lives for seconds.

`lease` gives this text to an interpreter, so it imports nothing of this collection.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import sys
import time


def main(lock: str, byte: int, run: int) -> None:
    """Lock the byte of the file, say so on the standard output, and hold it until the process `run` has ended."""
    ended = _ended(run)
    descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    os.write(1, b"held\n")
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):  # whoever reads the task's output waits until nobody can write to it
        os.dup2(nothing, stream)
    if ended is not None:
        select.select([ended], [], [])
        return
    with contextlib.suppress(ProcessLookupError):
        while True:
            with contextlib.suppress(PermissionError):  # there, and another user's
                os.kill(run, 0)
            time.sleep(1)


def _ended(pid: int) -> int | None:
    """What can be read from as soon as the process has ended; none where the system has no such thing (macOS, the BSDs, Linux before 5.3)."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # OSError also where a container does not allow it
        return None


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
