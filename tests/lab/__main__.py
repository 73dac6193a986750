# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line: `python -m lab` with `tests` on PYTHONPATH, or `./dev lab`."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import inventory, paths, surroundings, tls
from .part import Part

#: part → module and class; loaded only when the part is wanted, since each needs libraries of its own
PARTS = {
    "tenant": ("lab.tenant.part", "TenantPart"),
    "directory": ("lab.directory.part", "DirectoryPart"),
    "windows": ("lab.windows.part", "WindowsPart"),
    "identity_providers": ("lab.identity_providers.part", "IdentityProvidersPart"),
    "linux": ("lab.linux.part", "LinuxPart"),
    "second_controller": ("lab.directory.second", "SecondControllerPart"),
}
#: only when named: a company of another kind than most tests are about
OPTIONAL = ("linux", "second_controller")
CANNOT_RUN = 3


def load(name: str) -> Part | str:
    """The part, or one sentence why it cannot be had here."""
    module, cls = PARTS[name]
    try:
        return getattr(importlib.import_module(module), cls)()
    except ImportError as error:
        return f"{error.name or module} cannot be imported ({error}): pip install -r requirements-dev.txt"


def _each(names: list[str], work: Callable[[Part], Any]) -> int:
    """Do `work` for the parts, side by side: none depends on another. Says what each took; one that fails stops no other."""
    results: dict[str, int] = {}

    def run(name: str) -> None:
        part, begin = load(name), time.monotonic()
        reason = part if isinstance(part, str) else part.why_not()
        if isinstance(part, str) or reason:
            print(f"{name}: cannot run here: {reason}", flush=True)
            results[name] = CANNOT_RUN
            return
        try:
            work(part)
        except Exception as error:  # whatever a part fails with, the person gets one sentence and the others go on
            print(f"{name}: failed after {time.monotonic() - begin:.1f} s: {error}", file=sys.stderr, flush=True)
            results[name] = 1
        else:
            print(f"{name}: done in {time.monotonic() - begin:.1f} s", flush=True)
            results[name] = 0

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(run, names))
    return 1 if 1 in results.values() else max(results.values())


def up(names: list[str]) -> int:
    tls.authority()

    def start(part: Part) -> None:
        print(f"{part.name}: preparing (slow the first time, then cached)", flush=True)
        part.prepare()
        part.start()

    code = _each(names, start)
    print(f"inventory: {inventory.write()}")
    return code


def prepare(names: list[str]) -> int:
    """What is slow, and needs the network, is made; nothing is started."""
    tls.authority()
    return _each(names, lambda part: part.prepare())


def down() -> int:
    return max(_stop(name) for name in PARTS)


def _stop(name: str) -> int:
    part = load(name)
    if not isinstance(part, str):
        try:
            part.stop()
        except Exception as error:  # the other parts still have to end
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    return 0


def status(as_json: bool) -> int:
    found: dict[str, dict[str, Any]] = {}
    for name in PARTS:
        part = load(name)
        reason = part if isinstance(part, str) else part.why_not()
        found[name] = {"running": False, "why_not": reason} if isinstance(part, str) or reason else part.status()
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=str))
    else:
        for name, state in found.items():
            details = ", ".join(f"{key} {value}" for key, value in state.items() if key != "running" and not isinstance(value, dict))
            print(f"{name}: {'runs' if state['running'] else 'does not run'}{'; ' + details if details else ''}")
            if "iij" in state:
                print(f"  iij: provisioning {'on' if state['iij']['provisioning'] else 'stopped'}, {'runs' if state['iij']['running'] else 'does not run'}")
    return 0


def iij(action: str) -> int:
    from .iij import console

    wanted = {"stop-provisioning": False, "start-provisioning": True, "cycle": None}
    state = console.status() if action == "status" else console.command(wanted[action])
    print(json.dumps(state, ensure_ascii=False, indent=1))
    return 1 if action != "status" and (state["last"] or {}).get("error") else 0


def tenant(action: str, rule: str | None) -> int:
    from .tenant.part import control

    rest = control()
    if action == "clear":
        rest.call("DELETE", "/_lab/faults")
        rest.call("DELETE", "/_lab/requests")
        return 0
    if action == "writes":
        for line in rest.call("GET", "/_lab/requests?write=1").data:
            print(json.dumps(line, ensure_ascii=False))
        return 0
    reply = rest.call("POST", "/_lab/faults", json.loads(rule)) if rule else rest.call("GET", "/_lab/faults")
    if reply.status >= 400:
        raise ValueError(reply.data["error"])
    print(json.dumps(reply.data, ensure_ascii=False, indent=1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description=f"Real parts on loopback. State: {paths.STATE}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "start parts and write the inventory"),
        ("prepare", "only make what is slow and then cached"),
        ("reset", "everything back to the fixture company"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("parts", nargs="*", metavar="PART", help=f"{' '.join(PARTS)} (default: all but {' and '.join(OPTIONAL)})")
    commands.add_parser("down", help="end everything")
    command = commands.add_parser("status", help="what runs, since when, where")
    command.add_argument("--json", action="store_true")
    command = commands.add_parser("iij", help="IIJ ID's console")
    command.add_argument("action", choices=["status", "stop-provisioning", "start-provisioning", "cycle"])
    command = commands.add_parser("tenant", help="the tenant's faults and its log of writes")
    command.add_argument("action", choices=["faults", "writes", "clear"])
    command.add_argument("rule", nargs="?", help='with "faults": a rule to add, as JSON, e.g. \'{"path": "/v1.0/users.*", "status": 503}\'')
    return parser


def main() -> int:
    """Exit code: 0 done, 1 failed, 2 wrong usage, 3 a part cannot run on this machine."""
    parser = _parser()
    options = parser.parse_args()
    surroundings.apply()
    names = getattr(options, "parts", None) or [name for name in PARTS if name not in OPTIONAL]
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"unknown part {unknown[0]!r}; parts are {', '.join(PARTS)}")
    try:
        match options.command:
            case "up":
                return up(names)
            case "prepare":
                return prepare(names)
            case "down":
                return down()
            case "reset":
                code = _each(names, lambda part: part.reset())
                inventory.write()
                return code
            case "status":
                return status(options.json)
            case "iij":
                return iij(options.action)
            case _:
                return tenant(options.action, options.rule)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
