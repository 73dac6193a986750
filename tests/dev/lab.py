# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door to the lab (the package `lab`, tests/lab/README.md) for `./dev lab`, the tests and the demo."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import environment
from .places import CACHE, ROOT
from .say import Failure, say

#: `lab up`: a part cannot run on this machine; the others do.
PART_LEFT_OUT = 3
#: Where the parts that need Debian packages name them.
PACKAGES = {"directory": "lab.directory.part", "windows": "lab.windows.tree", "identity_providers": "lab.identity_providers.part"}
#: Loopback up in a new network namespace, which lives until the standard input ends.
NETWORK = """
import fcntl, socket, struct, sys
IFF_UP, SIOCSIFFLAGS = 1, 0x8914
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
print("up", flush=True)
sys.stdin.read()
"""
COMMAND = [sys.executable, "-m", "lab"]


def variables() -> dict[str, str]:
    """Environment variables with the package `lab` on Python's path."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "tests")}


def main(words: list[str]) -> int:
    """`./dev lab …`: the lab's own command line; before `up`, the Debian packages of the parts."""
    if words[:1] in (["up"], ["prepare"]):
        packages(words[1:])
    return subprocess.run([*COMMAND, *words], env=variables(), check=False).returncode


def packages(parts: Sequence[str] = ()) -> None:
    """Install the Debian packages of the lab's parts (default: all), or say how. A part that then cannot run says so itself."""
    modules = [importlib.import_module(module) for part, module in PACKAGES.items() if part in parts or not parts]
    missing = environment.debian_packages({package: sign for module in modules for package, sign in module.PACKAGES.items()})
    if missing:
        say(f"The lab needs Debian packages: sudo apt-get install --no-install-recommends {' '.join(missing)}")


def status(where: Private | None = None) -> dict[str, dict[str, object]]:
    """Part → `running`, and `why_not` when it cannot run here."""
    inside, env = (where.inside, where.env) if where else ((), variables())
    result = subprocess.run([*inside, *COMMAND, "status", "--json"], env=env, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Failure(f"the lab's status cannot be read: {result.stderr.strip()[-500:]}")
    return json.loads(result.stdout)


@dataclass(frozen=True)
class Private:
    """A lab that disturbs no other one: state of its own and, where this machine allows it, a loopback network of its own."""

    inside: tuple[str, ...]  # what a command line begins with to run in that network
    own: dict[str, str]  # environment variables that lead to its state

    @property
    def env(self) -> dict[str, str]:
        """All environment variables of a program that uses it."""
        return {**variables(), **self.own}


@contextlib.contextmanager
def private(name: str, **more: str) -> Iterator[Private]:
    """Where a lab of the tests runs; of those with one `name` only one at a time,
    and without networks of their own only one of all. `more` are environment variables besides.

    Raises Failure when it would have to share its addresses with a lab that runs.
    """
    own = {"OFFBOARD_LAB": str(CACHE / f"{name}-lab"), **more}
    holder = subprocess.Popen(
        ["unshare", "--net", sys.executable, "-c", NETWORK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # an interrupt must leave it until the lab has ended in it
    )
    try:
        alone = bool(holder.stdout and holder.stdout.readline())
        with environment.lock(f"{name}-lab" if alone else "shared-lab"):
            if not alone and any(state["running"] for state in status().values()):
                raise Failure("Your lab runs, and the tests need its addresses. End it first: ./dev lab down (as root both can run)")
            yield Private(("nsenter", "--net", f"--target={holder.pid}") if alone else (), own)
    finally:
        holder.communicate()
