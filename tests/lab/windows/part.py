# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows part of the lab."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .. import paths, process, surroundings
from ..part import Part
from . import golden, server, tree
from .machine import SYSTEM32, clone

_START_SECONDS = 90 + 10 * len(paths.FLEET)
_PRODUCT_FAULTS = ("fail", "hang", "reboot", "leave")
_FAULT_KEY = r"HKLM\SOFTWARE\OffboardLab\Faults"

#: registry keys whose content a fingerprint covers, each with everything below it
_WATCHED_KEYS = (
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall", "/reg:64"),
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall", "/reg:32"),
    (r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa", "/reg:64"),
    (r"HKLM\SYSTEM\CurrentControlSet\Services", "/reg:64"),
    (r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager", "/reg:64"),
    (r"HKLM\SYSTEM\CurrentControlSet\Control\Windows", "/reg:64"),
    (r"HKLM\SOFTWARE\IIJ", "/reg:64"),
    (r"HKLM\SOFTWARE\Policies", "/reg:64"),
    (r"HKLM\SOFTWARE\Microsoft\SystemCertificates\MY", "/reg:64"),
)
#: folders of drive C that it covers; of system32 only what is not Windows' own (see `fingerprint`)
_WATCHED_FOLDERS = ("Program Files", "Program Files (x86)", "ProgramData", "users")
_VOLATILE_FOLDERS = {"Temp", "temp"}


def _environment() -> dict[str, str]:
    return surroundings.clean(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class WindowsPart(Part):
    """Windows machines: `paths.WINDOWS`, with what `company.yml` says is installed on them."""

    name = "windows"

    def __init__(self) -> None:
        self._state = paths.part_state("windows")

    def why_not(self) -> str | None:
        if tree.namespaces_refused():
            return "Windows machines need mount and process namespaces: run as root (in a container: with CAP_SYS_ADMIN)"
        absent = tree.missing_packages()
        if absent and golden.missing():
            return f"Windows machines need Debian packages that are not installed: apt-get install --no-install-recommends {' '.join(absent)}"
        return None

    def prepare(self) -> None:
        with tree.locked():
            tree.prepare()
            if golden.missing():
                argv = tree.namespace([sys.executable, "-m", "lab.windows.golden"])
                if subprocess.run(argv, env=_environment(), stdin=subprocess.DEVNULL, check=False, pass_fds=tree.held_locks).returncode:
                    raise RuntimeError(f"the Windows machines could not be made; see {tree.LOG}")

    def _clone_machines(self, only_missing: bool) -> None:
        if golden.missing():
            self.prepare()
        for name in paths.WINDOWS:
            disk = server.machine_prefix(name)
            if not (only_missing and disk.exists()):
                clone(golden.of(name), disk)

    def start(self) -> None:
        if process.running(self._state, "server"):
            return
        self._clone_machines(only_missing=True)
        server.CONTROL.unlink(missing_ok=True)
        process.start(tree.namespace([sys.executable, "-m", "lab.windows.server"]), self._state, "server", _environment())
        end = time.monotonic() + _START_SECONDS
        while not self._ready():
            if not process.running(self._state, "server") or time.monotonic() > end:
                self.stop()
                log = self._state / "server.log"
                raise RuntimeError(f"the Windows machines did not start; the end of {log}:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)

    def _ready(self) -> bool:
        with contextlib.suppress(OSError, RuntimeError):
            answer = server.ask("ready")
            return isinstance(answer, dict) and all(answer.values())
        return False

    def stop(self) -> None:
        # generous: the machines are switched off properly, so that their registries are on disk
        process.stop(self._state, "server", seconds=30)
        server.CONTROL.unlink(missing_ok=True)

    def reset(self) -> None:
        was_running = process.running(self._state, "server") is not None
        self.stop()
        self._clone_machines(only_missing=False)
        server.REQUESTS.unlink(missing_ok=True)
        if was_running:
            self.start()

    def status(self) -> dict[str, object]:
        pid = process.running(self._state, "server")
        if pid is None:
            return {"running": False}
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime((self._state / "server.pid").stat().st_mtime))
        ready: Any = {}
        with contextlib.suppress(OSError, RuntimeError):
            ready = server.ask("ready")
        return {"running": True, "since": since, "pid": pid, "machines": {name: address for name, address in paths.WINDOWS.items() if ready.get(name)}}

    # What tests use.

    def run(self, machine: str, line: str, seconds: float = 120) -> tuple[int, str]:
        """Run a command line on the machine, past WinRM and past the request log: exit code and output."""
        answer: Any = server.ask("run", seconds + 10, machine=machine, line=line, seconds=seconds)
        return answer[0], answer[1]

    def requests(self) -> list[dict]:
        """The command lines that came by WinRM, oldest first: `machine`, `user`, `command`, `write` (False only when it
        certainly changes nothing), `time` (start), `ended` and `exit_code` (None while it runs)."""
        found: dict[str, dict] = {}
        lines = server.REQUESTS.read_text(encoding="utf-8").splitlines() if server.REQUESTS.exists() else []
        for entry in map(json.loads, lines):
            if entry.pop("event") == "start":
                found[entry["id"]] = entry | {"ended": None, "exit_code": None}
            elif entry["id"] in found:
                found[entry["id"]] |= {"ended": entry["time"], "exit_code": entry["exit_code"]}
        return list(found.values())

    def rules(self, rules: list[dict]) -> None:
        """Faults of the WinRM service from now on, in place of those set before; see `winrm.Rule`. Gone after a restart."""
        server.ask("rules", rules=rules)

    def limits(self, **values: float) -> None:
        """What the WinRM service of every machine allows from now on (`winrm.Limits`); without any, what a fresh Windows does. Gone after a restart."""
        server.ask("limits", **values)

    def fault(self, machine: str, product: str, kind: str | None) -> None:
        """Let the product's uninstaller misbehave from now on: `fail` (exit code 1; Windows Installer 1603), `hang` (for ever),
        `reboot` (wants a restart: 3010), `leave` (Password Sync: forgets its filter's registration and file), or None for no fault. Gone after a reset."""
        if product not in golden.company().get(machine, ()):
            raise ValueError(f"{product} is not installed on {machine} by company.yml")
        if kind is None:
            self.run(machine, rf"reg.exe delete {_FAULT_KEY} /v {product} /f")
            return
        if kind not in _PRODUCT_FAULTS:
            raise ValueError(f"no such fault of a product: {kind}; there are {', '.join(_PRODUCT_FAULTS)}")
        code, output = self.run(machine, rf"reg.exe add {_FAULT_KEY} /v {product} /d {kind} /f")
        if code:
            raise RuntimeError(f"{machine}: {output}")

    def power(self, machine: str, state: str) -> None:
        """`off` (its ports refuse), `on`, or `reboot`; returns when it is so."""
        server.ask({"off": "power_off", "on": "power_on", "reboot": "reboot"}[state], machine=machine)

    def fingerprint(self, machine: str) -> dict[str, str]:
        """A hash per registry key, scheduled task, file and folder that matters; two that are equal prove that nothing was changed.

        The registry is asked on the running machine, as Wine writes it to disk late. Windows' own files are hard links
        into the cache, so in System32 only files with one link are looked at, and their number is part of it.
        """
        found: dict[str, str] = {}

        def note(name: str, content: bytes) -> None:
            found[name] = hashlib.sha256(content).hexdigest()[:16]

        for key, view in _WATCHED_KEYS:
            _code, output = self.run(machine, f'reg.exe query "{key}" /s {view}')
            for block in re.split(r"\r?\n(?=HKEY_)", output.strip()):
                note(f"registry{view} {block.splitlines()[0] if block else key}", block.encode())
        c = server.machine_prefix(machine) / "drive_c"
        roots = [c / folder for folder in _WATCHED_FOLDERS]
        for path in [path for root in roots for path in root.rglob("*")] + list((c / "windows/system32/Tasks").rglob("*")):
            relative = path.relative_to(c)
            if _VOLATILE_FOLDERS.isdisjoint(relative.parts) and not path.is_symlink():
                attributes = os.getxattr(path, "user.DOSATTRIB") if "user.DOSATTRIB" in os.listxattr(path) else b""
                note(str(relative), attributes + (path.read_bytes() if path.is_file() else b"folder"))
        system = [path for path in (c.parent / SYSTEM32).iterdir() if path.is_file()]
        note("system32", str(len(system)).encode())
        for path in system:
            if path.stat().st_nlink == 1:
                note(f"windows/system32/{path.name}", path.read_bytes())
        return found
