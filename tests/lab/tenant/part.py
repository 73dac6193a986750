# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part `tenant`: the Entra tenant and, with it, IIJ ID's side."""

from __future__ import annotations

import datetime
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from .. import part, paths, process, surroundings, tls
from ..iij import console
from ..rest import Rest

#: The lab's tenant shows a little of what the real one does: reads lag behind writes, a conversion takes a while.
SETTINGS = {"visibility_delay": 0.3, "conversion_delay": 2.0}
_LIBRARIES = ("aiohttp", "dns", "jsonschema", "jwt", "msgraph", "yaml")
_START_SECONDS = 60.0


class TenantPart(part.Part):
    name = "tenant"

    def why_not(self) -> str | None:
        missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
        if missing:
            return f"Python packages are missing ({', '.join(missing)}): pip install -r requirements-dev.txt"
        return None

    def prepare(self) -> None:
        tls.authority()

    def start(self) -> None:
        folder = paths.part_state(self.name)
        if not process.running(folder, self.name):
            settings = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={json.dumps(value)}")]
            process.start([sys.executable, "-m", "lab.tenant.server", *settings], folder, self.name, _environment())
        end = time.monotonic() + _START_SECONDS
        while not self._answers():
            if not process.running(folder, self.name):
                raise RuntimeError(f"the tenant ended at once; {_last_line(folder / 'tenant.log')}")
            if time.monotonic() > end:
                raise RuntimeError(f"the tenant does not answer on {paths.TENANT_URL}; see {folder / 'tenant.log'}")
            time.sleep(0.1)
        console.start(_environment())

    def stop(self) -> None:
        console.stop()
        process.stop(paths.part_state(self.name), self.name)

    def reset(self) -> None:
        folder = paths.part_state(self.name)
        if process.running(folder, self.name):
            console.stop()
            console.forget()
            reply = control().call("POST", "/_lab/reset", {})
            if reply.status != 200:
                raise RuntimeError(f"the tenant refused the reset: {reply.data}")
            console.start(_environment())
        else:
            console.forget()
            for name in ("fixture.json", "journal.jsonl", "requests.jsonl"):
                (folder / name).unlink(missing_ok=True)

    def status(self) -> dict[str, object]:
        folder = paths.part_state(self.name)
        pid = process.running(folder, self.name)
        result: dict[str, object] = {"running": pid is not None and self._answers()}
        if result["running"]:
            started = datetime.datetime.fromtimestamp((folder / "tenant.pid").stat().st_mtime).astimezone()
            result |= {"address": paths.TENANT_URL, "since": started.isoformat(timespec="seconds"), "pid": pid}
            result |= control().call("GET", "/_lab/status").data
        result["iij"] = console.status()
        return result

    @staticmethod
    def _answers() -> bool:
        try:
            return control(timeout=5).call("GET", "/_lab/status").status == 200
        except OSError:
            return False


def control(timeout: float = 60.0) -> Rest:
    """A connection to the running tenant's controls."""
    return Rest(paths.TENANT_URL, paths.ca_file(), timeout)


def _environment() -> dict[str, str]:
    tests = str(Path(__file__).resolve().parents[2])
    return {**surroundings.clean(os.environ), "PYTHONPATH": os.pathsep.join(filter(None, [tests, os.environ.get("PYTHONPATH")]))}


def _last_line(log: Path) -> str:
    lines: list[Any] = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "its log is empty"
