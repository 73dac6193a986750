# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IIJ ID's console, as far as the exit needs it: provisioning on or off. The actor is a process that obeys two small files.

`console.json` says what the person at the console wants, `status.json` what the actor did about it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from .. import paths, process
from .actor import Actor, Outcome

CYCLE_SECONDS = 2.0
_POLL_SECONDS = 0.1
_NAME = "iij"


def _folder() -> Path:
    return paths.part_state(_NAME)


def _read(name: str, default: dict[str, Any]) -> dict[str, Any]:
    file = _folder() / name
    return json.loads(file.read_text()) if file.exists() else default


def _write(name: str, data: dict[str, Any]) -> None:
    temporary = _folder() / f"{name}.new"
    temporary.write_text(json.dumps(data, indent=1))
    temporary.replace(_folder() / name)


def start(environment: dict[str, str]) -> None:
    """Start the actor with the console's last word: provisioning on, unless somebody stopped it."""
    if not process.running(_folder(), _NAME):
        process.start([sys.executable, "-m", "lab.iij.console"], _folder(), _NAME, environment)


def stop() -> None:
    process.stop(_folder(), _NAME)


def forget() -> None:
    """The console as it was before anybody touched it. The actor must not run."""
    for name in ("console.json", "status.json"):
        (_folder() / name).unlink(missing_ok=True)


def status() -> dict[str, Any]:
    """What the console shows: `running`, `provisioning`, and the last run."""
    state = _read("status.json", {"provisioning": True, "serial": 0, "runs": 0, "last": None})
    return {"running": process.running(_folder(), _NAME) is not None} | state


def command(provisioning: bool | None, seconds: float = 60.0) -> dict[str, Any]:
    """Switch provisioning, or (None) just run a cycle now, and wait until the actor has done it. Returns its status.

    Raises RuntimeError when the actor does not run or does not finish in time.
    """
    if not process.running(_folder(), _NAME):
        raise RuntimeError("IIJ ID's side does not run; start it with: lab up tenant")
    wanted = _read("console.json", {"provisioning": True, "serial": 0})
    wanted = {"provisioning": wanted["provisioning"] if provisioning is None else provisioning, "serial": wanted["serial"] + 1}
    _write("console.json", wanted)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = status()
        if now["serial"] == wanted["serial"]:
            return now
        time.sleep(_POLL_SECONDS / 2)
    raise RuntimeError(f"IIJ ID's side did not finish within {seconds:.0f} s; see {_folder() / 'iij.log'}")


def run(actor: Actor, cycle_seconds: float) -> None:
    """The actor's process: a cycle every `cycle_seconds` while provisioning is on, and one withdrawal when it is switched off."""
    state = _read("status.json", {"provisioning": True, "serial": 0, "runs": 0, "last": None})
    due = 0.0
    while True:
        wanted = _read("console.json", {"provisioning": True, "serial": 0})
        asked = wanted["serial"] != state["serial"]
        outcome: Outcome | None = None
        if not wanted["provisioning"] and state["provisioning"]:
            outcome = actor.withdraw()
        elif wanted["provisioning"] and (asked or time.monotonic() >= due):
            outcome = actor.apply()
            due = time.monotonic() + cycle_seconds
        if outcome is not None or asked:
            last = outcome.as_dict() if outcome is not None else state["last"]
            state = wanted | {"runs": state["runs"] + (outcome is not None), "last": last}
            _write("status.json", state)
        time.sleep(_POLL_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="lab.iij.console", description=__doc__)
    parser.add_argument("--url", default=paths.TENANT_URL)
    parser.add_argument("--cycle", type=float, default=CYCLE_SECONDS, metavar="SECONDS")
    options = parser.parse_args()
    run(Actor(options.url, paths.ca_file()), options.cycle)


if __name__ == "__main__":
    main()
