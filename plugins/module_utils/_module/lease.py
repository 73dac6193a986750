# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's files belong to one changing run at a time. What a run is: one ansible-playbook, with all its tasks on all its hosts.

The lock is the kernel's, on a file beside the one that it is for, and goes with the process that holds it, however that ends. A task holds it while
it works; so that nobody comes in between two tasks, from another machine or container neither, a `keeper` holds it as long as the ansible-playbook
lives that they come from. What the lock file says names the holder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import hashlib
import inspect
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._core.errors import OffboardError
from . import keeper
from .clock import now
from .waiting import ONE_READ, is_shown

_ANSIBLE = {"ansible", "ansible-playbook", "ansible-console"}

#: Bytes of the lock file as locks: a task at work, the decision who may come in, the run, and from there on what the task works on.
_AT_WORK, _DOOR, _RUN, _WORKS_ON = 0, 1, 2, 16
#: how long the keeper of a run that has just ended may take to see that, in seconds
_KEEPER_ENDS = 2.0


@contextlib.contextmanager
def held(paths: Iterable[str], module: str, works_on: str) -> Iterator[None]:
    """The files at `paths` are this run's while the `with` block runs.

    `works_on`: tasks of the same run that work on different things (a Windows machine, a shard) go on side by side; those on the same one wait.
    Raises OffboardError `held_by_another_run`, or `file_write_failed`.
    """
    with contextlib.ExitStack() as stack:
        for path in sorted({os.path.realpath(path) for path in paths}):  # in one order, so that no two tasks wait for each other
            stack.enter_context(_held(path, module, works_on))
        yield


@contextlib.contextmanager
def _held(path: str, module: str, works_on: str) -> Iterator[None]:
    lock = f"{path}.lock"
    try:
        os.makedirs(os.path.dirname(lock), mode=0o700, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise OffboardError(f"cannot write {lock}: {exc.strerror or exc}", code="file_write_failed") from exc
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, _DOOR)
            holder = _enter(descriptor, lock, module)
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, _DOOR)
            if holder is None:
                fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, _WORKS_ON + int.from_bytes(hashlib.blake2b(works_on.encode(), digest_size=6).digest(), "big"))
        except OSError as exc:
            raise OffboardError(f"cannot lock {lock}: {exc.strerror or exc}", code="file_write_failed") from exc
        if holder is not None:
            raise _refusal(path, holder)
        yield
    finally:
        os.close(descriptor)  # and with it all locks


def _enter(descriptor: int, lock: str, module: str) -> Mapping[str, Any] | None:
    """None when this task may begin; else who holds the file."""
    holder, mine = _read(descriptor), _Processes()
    if not mine.are_of(holder):
        if not _take(descriptor, _AT_WORK) or mine.can_see(holder) or not is_shown(lambda: _take(descriptor, _RUN), _KEEPER_ENDS, agreeing=ONE_READ):
            return holder
        holder = {}
    if (run := mine.run()["run"]) is not None and _take(descriptor, _RUN):  # nobody keeps it
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, _RUN)
        _keep(lock, run[0])
    fcntl.lockf(descriptor, fcntl.LOCK_SH, 1, _AT_WORK)
    _write(descriptor, {"since": now(), **mine.run(), **holder, "module": module, "pid": os.getpid(), "user": _user(), "host": socket.gethostname()})
    return None


def _take(descriptor: int, byte: int) -> bool:
    """Whether that lock could be had."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except OSError as exc:
        if exc.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def _keep(lock: str, run: int) -> None:
    """Start the keeper, and wait until it holds the lock."""
    command = [sys.executable, "-I", "-", lock, str(_RUN), str(run)]
    answer, says = os.pipe()
    with open(answer, "rb") as said, tempfile.TemporaryFile() as text:
        text.write(inspect.getsource(keeper).encode())
        text.seek(0)
        try:
            subprocess.Popen(command, stdin=text, stdout=says, stderr=subprocess.DEVNULL, start_new_session=True)
        finally:
            os.close(says)
        if said.readline() != b"held\n":
            msg = f"cannot lock {lock}: the process that would hold it between the tasks has ended: {' '.join(command)}"
            raise OffboardError(msg, code="file_write_failed")


class _Processes:
    """This process and its ancestors, as far as the system shows them."""

    def __init__(self) -> None:
        #: (pid, when it started), nearest first
        self._all: list[tuple[int, str]] = []
        commands: list[list[str]] = []
        self._world = _world()
        pid = os.getpid()
        while pid and (found := _process(pid)) is not None:
            self._all.append((pid, found[1]))
            commands.append(found[2])
            pid = found[0]
        self._run: tuple[int, str] | None = None
        for number, command in enumerate(commands):
            if _is_ansible(command) and commands[number + 1 : number + 2] != [command]:  # a worker is a fork of the process that is meant
                self._run = self._all[number]
                break

    def run(self) -> dict[str, Any]:
        """What names this process's ansible-playbook."""
        return {"world": self._world, "run": self._run}

    def are_of(self, holder: Mapping[str, Any]) -> bool:
        """Whether the holder's ansible-playbook has started this process."""
        return holder.get("world") == self._world and holder.get("run") in [list(one) for one in self._all]

    def can_see(self, holder: Mapping[str, Any]) -> bool:
        """Whether the holder's ansible-playbook is there. In another container or on another machine it cannot be seen."""
        run = holder.get("run")
        if holder.get("world") != self._world or not isinstance(run, list) or len(run) != 2 or not isinstance(run[0], int):
            return False
        found = _process(run[0])
        return found is not None and found[1] == run[1]


def _process(pid: int) -> tuple[int, str, list[str]] | None:
    """(the parent, when it started, how its command line begins); none when there is no such process, or it has ended and nobody has asked how."""
    return _in_proc(pid) if os.path.exists("/proc/self/stat") else _by_ps(pid)


def _in_proc(pid: int) -> tuple[int, str, list[str]] | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().decode(errors="replace").rpartition(")")[2].split()
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            command = stream.read().decode(errors="replace").split("\0")
    except OSError:
        return None
    return None if fields[0] in "ZX" else (int(fields[1]), fields[19], command)


def _by_ps(pid: int) -> tuple[int, str, list[str]] | None:
    """Where there is no /proc: macOS and the BSDs."""
    command = ["ps", "-ww", "-o", "ppid=,state=,lstart=,command=", "-p", str(pid)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env={**os.environ, "LC_ALL": "C"}, check=False)
        parent, state, *rest = done.stdout.split()
        return None if state.startswith("Z") else (int(parent), " ".join(rest[:5]), rest[5:])
    except (OSError, ValueError):
        return None


def _world() -> str:
    """Where a process number means the same process: this boot and this container."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
            return f"{stream.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _is_ansible(command: list[str]) -> bool:
    return any(os.path.basename(word) in _ANSIBLE for word in command)  # wherever it stands: the interpreter may be given switches


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def _read(descriptor: int) -> dict[str, Any]:
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(descriptor: int, holder: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):  # it tells; it does not lock
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, (json.dumps(holder) + "\n").encode(), 0)


def _refusal(path: str, holder: Mapping[str, Any]) -> OffboardError:
    known = {name: str(holder.get(name, "?")) for name in ("module", "pid", "user", "host", "since")}
    run = holder.get("run")
    whose = f", of ansible-playbook {run[0]}" if isinstance(run, list) and run else ""
    return OffboardError(
        f"{path} belongs to another run that has not ended: {known['module']} (process {known['pid']}{whose}) of {known['user']} on {known['host']}, "
        f"since {known['since']}. Nothing was changed. Run this again when that one has ended. Parts of the work (shard) go on side by side when "
        "each has a journal and a handover_file of its own.",
        code="held_by_another_run",
        details={"path": path, **known},
    )
