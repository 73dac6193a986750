# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what is being done and how long it takes; run commands with their output in a log."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

#: A watcher sees a sign of life at least this often.
HEARTBEAT_SECONDS = 15.0
#: Commands of `logged` that run now, in whichever thread.
_running: set[subprocess.Popen[bytes]] = set()


class Failure(Exception):
    """Ends `./dev` with a message for people instead of a traceback."""


def say(text: str) -> None:
    """One line, at once, even when the output is a file or a pipe."""
    print(text, flush=True)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(f"==> {text}")
    started = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - started:.0f} s")


def last_line(log: Path) -> str:
    """The last line of a growing log that is not empty, cut to the width of a terminal."""
    with open(log, "rb") as stream:
        stream.seek(max(0, log.stat().st_size - 2000))
        lines = stream.read().decode(errors="replace").split("\n")
    return next((line.strip()[:110] for line in reversed(lines) if line.strip()), "")


def logged(argv: Sequence[str | Path], log: Path, label: str, *, seconds: float, cwd: Path, env: Mapping[str, str]) -> int:
    """Run a command, its output appended to `log`, with a heartbeat. Returns its exit code; 124 when it took longer than `seconds`."""
    words = [str(word) for word in argv]
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as stream:
        stream.write(f"\n$ cd {cwd} && {shlex.join(words)}\n".encode())
        stream.flush()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, cwd=cwd, env=dict(env), start_new_session=True)
        _running.add(process)
        started = beat = time.monotonic()
        try:
            while process.poll() is None:
                time.sleep(0.1)
                now = time.monotonic()
                if now - started > seconds:
                    stream.write(f"\n{label}: ended after {seconds:.0f} s without a result\n".encode())
                    return 124
                if now - beat >= HEARTBEAT_SECONDS:
                    beat = now
                    say(f"    {label}: {now - started:.0f} s … {last_line(log)}")
            return process.returncode
        finally:
            _running.discard(process)
            if process.poll() is None:  # too long, or this program was interrupted
                end(process)


def end_all() -> None:
    """End what `logged` runs in other threads, which then go on with an exit code that says so."""
    for process in list(_running):
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own group, and the whole group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
            return


def tail(log: Path, lines: int = 40) -> None:
    """Show the end of a log."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]:
        say(f"    | {line}")


def warn(text: str) -> None:
    """One line on standard error."""
    print(text, file=sys.stderr, flush=True)
