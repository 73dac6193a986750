# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Background processes of the lab: one pid file each, ended by process group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import surroundings


def start(argv: Sequence[str], state: Path, name: str, env: Mapping[str, str] | None = None) -> int:
    """Start `argv` in a session of its own, its output in `state/name.log`, its pid in `state/name.pid`. `env`: default this process's, cleaned."""
    with open(state / f"{name}.log", "ab") as log:
        process = subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(env or surroundings.clean(os.environ)), start_new_session=True
        )
    (state / f"{name}.pid").write_text(str(process.pid))
    return process.pid


def running(state: Path, name: str) -> int | None:
    """The pid when the process runs, else None."""
    try:
        pid = int((state / f"{name}.pid").read_text())
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return None
    return None if stat.rsplit(")", 1)[1].split()[0] == "Z" else pid


def stop(state: Path, name: str, seconds: float = 10.0) -> None:
    """Ask the process group to end, then end it. Returns when it is gone."""
    pid = running(state, name)
    if pid is not None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)
            end = time.monotonic() + seconds
            while time.monotonic() < end and running(state, name):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
                time.sleep(0.02)
            if not running(state, name):
                break
    (state / f"{name}.pid").unlink(missing_ok=True)
