# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -I -S _meter.py REPORT COMMAND…`: runs the command and tells what its whole tree of processes took.

A program of its own, because a process hands its peak memory on to whatever it starts: this one is smaller than all that
it measures. Orphans are adopted, so that no descendant's time is lost.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>


def main() -> int:
    report, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.execvp(command[0], command)
    code, wall = 1, 0.0
    with contextlib.suppress(ChildProcessError):
        while True:
            ended, status = os.wait()
            if ended == child:
                code, wall = os.waitstatus_to_exitcode(status), time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(report, "w", encoding="utf-8") as stream:
        json.dump({"cpu": used.ru_utime + used.ru_stime, "wall": wall, "peak": used.ru_maxrss * 1024}, stream)
    return code


if __name__ == "__main__":
    sys.exit(main())
