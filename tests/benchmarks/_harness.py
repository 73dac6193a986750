# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every benchmark does: start a tenant of its own, run a command and see what it took, and what the tenant saw of it."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev import environment as dev_environment
from dev.say import Failure, end, say
from lab import company
from lab.rest import Rest

_TESTS = Path(__file__).resolve().parents[1]
#: No single run may take longer.
_LONGEST_SECONDS = 3600.0


class Missing(Exception):
    """Something that a benchmark needs is not there, and cannot be made."""


@dataclass(frozen=True)
class Usage:
    """What a command took: CPU (user and system) of its whole tree of processes, memory of the largest of them."""

    cpu: float  # s
    wall: float  # s
    peak: int  # bytes
    output: str


def measure(argv: Sequence[str | Path], env: Mapping[str, str]) -> Usage:
    """Run a command. Raises Failure with its output when it fails."""
    with tempfile.TemporaryDirectory(prefix="offboard-bench-") as folder:
        report, meter = Path(folder, "report"), Path(__file__).with_name("_meter.py")
        words = [sys.executable, "-I", "-S", str(meter), str(report), *(str(word) for word in argv)]
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(env), start_new_session=True
        )
        try:
            output, _unused = process.communicate(timeout=_LONGEST_SECONDS)
        finally:
            if process.poll() is None:
                end(process)
        if process.returncode:
            raise Failure(f"{argv[0]} ended with {process.returncode}:\n{output[-3000:]}")
        return Usage(**json.loads(report.read_text()), output=output)


class Tenant:
    """A tenant in a process of its own. See `tenant`."""

    def __init__(self, url: str, folder: Path, pid: int) -> None:
        self.url, self.folder, self._pid = url, folder, pid
        self.ca_file = folder / "tls" / "ca.pem"
        self._control = Rest(url, self.ca_file, 600.0)

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        reply = self._control.call(method, f"/_lab/{path}", body)
        if reply.status >= 400:
            raise Failure(f"the tenant's {method} {path}: {reply.data}")
        return reply.data

    def fill(self, users: int, seeded: str, **settings: Any) -> None:
        """`users` provisioned people, those above the fixture's own as `seeded` says; all domains managed, seats for everybody."""
        self.control("POST", "reset", {"users": users, "seeded": seeded})
        for sku in self.control("GET", "objects/skus"):
            self.control("PATCH", f"objects/skus/{sku['id']}", {"prepaidUnits": {**sku["prepaidUnits"], "enabled": 10 * (users + 1000)}})
        for domain in self.control("GET", "objects/domains"):
            self.control("PATCH", f"objects/domains/{domain['id']}", {"authenticationType": "Managed"})
        # Holding each body to Microsoft's description costs the tenant more than all the rest, and the tests do it.
        self.control("PATCH", "settings", {"contract": False, **settings})
        self.forget()

    def forget(self) -> None:
        """From here on requests are counted."""
        self.control("DELETE", "requests")

    def requests(self) -> list[dict[str, Any]]:
        """What the tenant's own log says since `forget`: an entry for each request, and for each one inside a batch."""
        with open(self.folder / "tenant" / "requests.jsonl", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def cpu(self) -> float:
        """Seconds of CPU that the tenant has used. It shares the machine with what is measured."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def users(self) -> int:
        """How many users it has."""
        return self.control("GET", "status")["users"]

    def options(self, app: str = "offboard") -> dict[str, Any]:
        """The connection options of an Entra module."""
        entry = company.app(app)
        return {
            "tenant_id": company.tenant_id(),
            "client_id": entry["client_id"],
            "client_secret": entry["secret"],
            "graph_url": self.url,
            "authority": self.url,
            "ca_file": str(self.ca_file),
        }


@contextlib.contextmanager
def tenant(address: str = "127.0.0.1", port: int = 0, names: Sequence[str] = ()) -> Iterator[Tenant]:
    """A tenant that holds the fixture company, with TLS, on a free port; `names` are further host names for its certificate."""
    with tempfile.TemporaryDirectory(prefix="offboard-bench-tenant-") as state:
        folder = Path(state)
        env = {**os.environ, "PYTHONPATH": str(_TESTS), "OFFBOARD_LAB": state}
        argv = [sys.executable, "-m", "lab.tenant.server", "--address", address, "--port", str(port)]
        argv += [word for name in names for word in ("--name", name)]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env, start_new_session=True)
        try:
            assert process.stdout is not None
            found = re.match(r"listening on (\S+)", process.stdout.readline())
            if not found:
                raise Failure("the tenant did not start")
            yield Tenant(found[1].removesuffix(":443"), folder, process.pid)
        finally:
            end(process)


def environment() -> Path:
    """The environment that users have: one ansible-core and requirements.txt, without the tools of the tests."""
    return dev_environment.venv("users", dev_environment.PYTHON, ["requirements.txt"], "ansible-core>=2.18")


def run_play(tasks: Sequence[Mapping[str, Any]], venv: Path, inside: Sequence[str] = (), env: Mapping[str, str] | None = None) -> Usage:
    """A play on localhost by ansible-playbook of the environment `venv`; the words `inside` come before the command."""
    with tempfile.TemporaryDirectory(prefix="offboard-bench-") as name:
        file = Path(name, "play.yml")
        file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]))
        quiet = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOLOR": "1"}
        variables = {name: value for name, value in dev_environment.variables(venv).items() if name != "PYTHONPATH"}
        return measure([*inside, "ansible-playbook", file], {**variables, **quiet, **(env or {})})


def run_module(module: str, options: Mapping[str, Any], venv: Path) -> tuple[Usage, dict[str, Any]]:
    """One task by ansible-playbook: what the whole command took; `changed` and `counts` of the task's answer."""
    shown = "{{ {'changed': answer.changed, 'counts': answer.counts} | to_json }}"
    name = f"offboard.iij_id.{module}"
    usage = run_play([{name: dict(options), "register": "answer"}, {"ansible.builtin.debug": {"msg": f"answer:{shown}:answer"}}], venv)
    found = re.search(r'"answer:(.*):answer"', usage.output)
    if not found:
        raise Failure(f"ansible-playbook gave no answer:\n{usage.output[-3000:]}")
    return usage, json.loads(json.loads(f'"{found[1]}"'))


def options(description: str) -> argparse.ArgumentParser:
    """The command line that all benchmarks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--write", action="store_true", help="put the table into the manual")
    parser.add_argument("--runs", type=int, default=3, help="repeat each measurement so often (default: 3)")
    return parser


def main(run: Callable[[], None]) -> None:
    """Run a benchmark as a program. What this machine lacks is a skip with its reason, not a failure."""
    try:
        run()
    except Missing as missing:
        say(f"    skipped: {missing}")
    except Failure as failure:
        sys.exit(str(failure))
