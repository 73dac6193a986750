# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Windows machine: a Wine prefix, its programs running, and the commands started in it.

Must run inside `tree.namespace`.
"""

from __future__ import annotations

import contextlib
import enum
import shutil
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import part
from . import tree

# A Japanese Windows whose console programs write UTF-8, as they do in a WinRM shell that asks for code page 65001:
# Wine takes the language of messages from LC_MESSAGES and the code page from LC_CTYPE, where no Japanese locale gives
# 65001 but Hindi does.
#: below System32: Wine's are stubs that answer 0 and do nothing, which nobody may take for done; `programs/absent.c` is there instead
ABSENT = ("WindowsPowerShell/v1.0/powershell", "wbem/mofcomp",
          "cacls", "certutil", "dism", "icacls", "klist", "netsh", "pnputil", "secedit", "wevtutil", "wusa")  # fmt: skip
#: n: our program of that name in place of Wine's
_OURS = ("schtasks", "shutdown", "fsutil", *(name.rpartition("/")[2] for name in ABSENT))
ENVIRONMENT = {
    "HOME": "/root",
    "PATH": "/usr/lib/wine:/usr/bin:/bin",
    "LC_CTYPE": "hi_IN.UTF-8",
    "LC_MESSAGES": "ja_JP.UTF-8",
    "TZ": "Asia/Tokyo",
    "XDG_RUNTIME_DIR": "/tmp",
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": ";".join(["mscoree=", "mshtml=", "winemenubuilder.exe=", *(f"{name}.exe=n" for name in _OURS)]),
}

SYSTEM32 = "drive_c/windows/system32"
SHUTDOWN_REQUEST = "drive_c/windows/temp/lab-shutdown-request"


class Frame(enum.IntEnum):
    """Kinds of frames to and from `programs/winrshost.c`."""

    START, INPUT, EOF, KILL, FORGET = 1, 2, 3, 4, 5
    STDOUT, STDERR, EXIT, REFUSED, STARTED = 10, 11, 12, 13, 14


_KILLED = 0xC000013A  # STATUS_CONTROL_C_EXIT
_SHUTTING_DOWN = 1115  # ERROR_SHUTDOWN_IN_PROGRESS
_BOOT_SECONDS = 60


class MachineError(Exception):
    """The machine cannot do what was asked: it is off, or a program cannot be started (`code`, a Win32 error)."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


class Command:
    """A command that runs, or ran, on a machine."""

    def __init__(self, machine: Machine, number: int, line: str) -> None:
        self.line = line
        self.begun = time.time()
        self.ended = 0.0
        self.exit_code: int | None = None
        self._machine = machine
        self._number = number
        self._started: bool | None = None
        self._refusal = 0
        self._output: deque[tuple[str, bytes]] = deque()
        self._changed = threading.Condition()

    def event(self, kind: int, payload: bytes) -> None:
        """What the machine tells about the command."""
        with self._changed:
            match kind:
                case Frame.STDOUT | Frame.STDERR:
                    self._output.append(("stdout" if kind == Frame.STDOUT else "stderr", payload))
                case Frame.EXIT:
                    self.exit_code, self.ended = struct.unpack("<I", payload)[0], time.time()
                case Frame.REFUSED:
                    self._refusal, self._started = struct.unpack("<I", payload)[0], False
                case Frame.STARTED:
                    self._started = True
            self._changed.notify_all()

    def machine_down(self) -> None:
        """The machine went off under the command."""
        if self._started is None:
            self.event(Frame.REFUSED, struct.pack("<I", _SHUTTING_DOWN))
        elif self.exit_code is None:
            self.event(Frame.EXIT, struct.pack("<I", _KILLED))

    def await_start(self) -> None:
        """MachineError when Windows refuses to start it."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._started is not None, _BOOT_SECONDS):
                raise MachineError("the machine does not answer")
        if self._started is False:
            raise MachineError(f"CreateProcess refused with {self._refusal}", self._refusal)

    def receive(self, seconds: float, limit: int = 100_000) -> tuple[list[tuple[str, bytes]], int | None] | None:
        """Output so far and the exit code when that was all; None when nothing happened for `seconds`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._output or self.exit_code is not None, seconds):
                return None
            chunks, size = [], 0
            while self._output and size < limit:
                chunks.append(self._output.popleft())
                size += len(chunks[-1][1])
            return chunks, None if self._output else self.exit_code

    def send(self, data: bytes, end: bool) -> None:
        if data:
            self._machine.frame(Frame.INPUT, self._number, data)
        if end:
            self._machine.frame(Frame.EOF, self._number)

    def kill(self) -> None:
        """End it and everything it started."""
        self._machine.frame(Frame.KILL, self._number)

    def forget(self) -> None:
        """End whatever it left running, and free it."""
        self._machine.frame(Frame.FORGET, self._number)
        self._machine.commands.pop(self._number, None)


class Machine:
    """A machine whose disk is the folder `prefix`."""

    def __init__(self, name: str, prefix: Path) -> None:
        self.name, self.prefix = name, prefix
        self.commands: dict[int, Command] = {}
        self._host: subprocess.Popen[bytes] | None = None
        self._power = threading.RLock()
        self._writing = threading.Lock()
        self._last = 0

    def _argv(self, *argv: str) -> list[str]:
        variables = [f"{name}={value}" for name, value in (ENVIRONMENT | {"WINEPREFIX": tree.inside(self.prefix)}).items()]
        # a host name of its own, which becomes COMPUTERNAME
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"', self.name]
        return [*named, "chroot", str(tree.TREE), "/usr/bin/env", "-i", *variables, *argv]

    def wine(self, *argv: str, seconds: float = 300) -> None:
        """Run a program of the tree on this prefix and wait. For making machines only: it re-quotes arguments."""
        with open(tree.LOG, "ab") as log:
            subprocess.run(self._argv(*argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=seconds, check=True)

    @property
    def on(self) -> bool:
        return self._host is not None and self._host.poll() is None

    def boot(self) -> None:
        """Switch on and wait until commands can be started; nothing when it is on."""
        with self._power:
            if self.on:
                return
            (self.prefix / SHUTDOWN_REQUEST).unlink(missing_ok=True)
            self._wineserver("-p")
            # wine64: the 32-bit loader would send it to SysWOW64. A session of its own: not to be hit by signals for the server.
            host = self._argv("wine64", r"C:\windows\system32\winrshost.exe")
            pipe = subprocess.PIPE
            self._host = subprocess.Popen(host, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0, start_new_session=True)
            threading.Thread(target=self._pump, args=(self._host,), name=f"{self.name} host", daemon=True).start()
            self.start("lsass.exe")

    def _wineserver(self, option: str) -> None:
        # no pipes: the server stays and would hold them open for ever
        null = subprocess.DEVNULL
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(self._argv("wineserver", option), check=False, timeout=15, stdin=null, stdout=null, stderr=null, start_new_session=True)

    def power_off(self) -> None:
        """As pulling the plug, except that the registry is written."""
        with self._power:
            host, self._host = self._host, None
            self._wineserver("-k")
            self._wineserver("-w")
            if host:
                host.kill()
                host.wait()

    def reboot(self, off_seconds: float) -> None:
        r"""A clean restart. Windows notes each clean shutdown in `Control\Windows\ShutdownTime`; Wine does not, so the lab does."""
        with self._power:
            ticks = int((time.time() + 11_644_473_600) * 10_000_000)
            value = struct.pack("<Q", ticks).hex()
            self.run(rf"reg.exe add HKLM\SYSTEM\CurrentControlSet\Control\Windows /v ShutdownTime /t REG_BINARY /d {value} /f")
            self.power_off()
            time.sleep(off_seconds)
            self.boot()

    def _pump(self, host: subprocess.Popen[bytes]) -> None:
        assert host.stdout is not None

        def exactly(count: int) -> bytes:
            data = b""
            while len(data) < count:
                chunk = host.stdout.read(count - len(data))  # type: ignore[union-attr]
                if not chunk:
                    raise EOFError
                data += chunk
            return data

        with contextlib.suppress(EOFError, OSError):
            while True:
                kind, number, size = struct.unpack("<BII", exactly(9))
                payload = exactly(size)
                command = self.commands.get(number)
                if command:
                    command.event(kind, payload)
        for command in list(self.commands.values()):
            command.machine_down()
        self.commands.clear()

    def frame(self, kind: int, number: int, payload: bytes = b"") -> None:
        """Tell the machine's host process. MachineError when the machine is off."""
        host = self._host
        if host is None or host.stdin is None:
            raise MachineError("the machine is off")
        data = struct.pack("<BII", kind, number, len(payload)) + payload
        with self._writing:
            try:
                while data:
                    data = data[host.stdin.write(data) :]
            except OSError as error:
                raise MachineError("the machine is off") from error

    def start(self, line: str, directory: str = "", environment: Mapping[str, str] | None = None) -> Command:
        """Start a command line, unquoted and unparsed. MachineError when Windows cannot."""
        with self._writing:
            self._last += 1
            command = Command(self, self._last, line)
        self.commands[command._number] = command
        texts = [directory, line, *(f"{name}={value}" for name, value in (environment or {}).items()), ""]
        try:
            self.frame(Frame.START, command._number, b"".join(text.encode("utf-16-le") + b"\0\0" for text in texts))
            command.await_start()
        except MachineError:
            self.commands.pop(command._number, None)
            raise
        return command

    def run(self, line: str, seconds: float = 300) -> tuple[int, str]:
        """Run a command line; its exit code and what it wrote. TimeoutError when it takes longer."""
        command, output, end = self.start(line), b"", time.monotonic() + seconds
        command.send(b"", end=True)
        while True:
            answer = command.receive(max(0.0, end - time.monotonic()))
            if answer is None:
                command.forget()
                raise TimeoutError(f"{self.name}: {line}: no end after {seconds} s")
            output += b"".join(data for _stream, data in answer[0])
            if answer[1] is not None:
                return answer[1], output.decode(errors="replace")

    def must(self, line: str, allowed: Sequence[int] = (0,)) -> str:
        """`run` for the lab's own commands: RuntimeError when the exit code is not allowed."""
        code, output = self.run(line)
        if code not in allowed:
            raise RuntimeError(f"{self.name}: {line}: exit code {code}: {output.strip()}")
        return output


def clone(golden: Path, target: Path) -> None:
    """A machine like `golden`, which must be off: Windows' own files as hard links, everything else copied.

    Programs replace system files rather than write into them, so the links are safe; folders of `windows` that are
    written to are copied as well.
    """
    building = target.with_name(target.name + ".building")
    shutil.rmtree(building, ignore_errors=True)
    part.remove_at_once(target)
    building.parent.mkdir(parents=True, exist_ok=True)
    written = {"temp", "Tasks", "Installer", "inf", "logs"}

    def link(source: str, destination: str) -> None:
        if written.isdisjoint(Path(source).relative_to(golden).parts):
            try:
                Path(destination).hardlink_to(source)
                return
            except OSError:  # another file system
                pass
        shutil.copy2(source, destination)

    shutil.copytree(golden, building, symlinks=True, ignore=lambda folder, names: {"windows"} if folder.endswith("/drive_c") else set())
    shutil.copytree(golden / "drive_c/windows", building / "drive_c/windows", symlinks=True, copy_function=link)
    building.rename(target)
