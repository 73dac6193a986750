# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage `clients` by itself, with a real domain controller and a Windows machine at once: the policy first, then what it has left on the machine.

"Changes nothing" is what SYSVOL, the directory's audit log, the machine's fingerprint and the WinRM service's own log say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import inventory, paths
from lab.directory import group_policies as fixture
from lab.directory import settings
from lab.directory.testing import RunningDirectory
from lab.windows import server
from lab.windows.part import WindowsPart

from . import played

pytestmark = [pytest.mark.lab, pytest.mark.long]

MACHINE = "sync01"
DOMAIN = paths.DC_HOST.partition(".")[2]
#: as the machine has them: a value that the policy sets too, and a site that no policy knows
LIST, SITE = r"HKLM\SOFTWARE\Policies\Microsoft\Edge", r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap\Domains"


@pytest.fixture(scope="module")
def windows() -> Iterator[WindowsPart]:
    part = WindowsPart()
    if reason := part.why_not():
        pytest.skip(reason)
    part.prepare()
    was_running = part.status()["running"]
    part.start()
    yield part
    part.reset()
    if not was_running:
        part.stop()


class Company:
    """Both parts, and an operator with a run folder."""

    def __init__(self, folder: Path, directory: RunningDirectory, windows: WindowsPart) -> None:
        self.folder, self.directory, self.windows = folder, directory, windows
        self.variables: dict[str, Any] = {
            **inventory.directory_vars(),
            "offboard_run_dir": str(folder / "run"), "offboard_options": ["integrated_windows_authentication"], "offboard_language": "en",
            "offboard_vault_password": "Vault-Pass-31", "integrated_windows_authentication_browser_settings": "absent",
        }  # fmt: skip

    def play(self, playbook: str, *words: str, fails: bool = False, **variables: Any) -> str:
        machine = {**inventory.windows_vars(), "ansible_host": paths.WINDOWS[MACHINE]}
        groups = {"iij_id_browser_machines": {"hosts": {MACHINE: machine}}}
        return played.play(self.folder, groups, {**self.variables, **variables}, playbook, *words, fails=fails, secrets=[paths.PASSWORD])

    def forget(self) -> None:
        """What was asked of both up to now."""
        self.directory.clear()
        server.REQUESTS.unlink(missing_ok=True)

    def writes(self) -> tuple[list[Any], list[Any]]:
        return self.directory.writes(), [one["command"] for one in self.windows.requests() if one["write"]]

    def sysvol(self) -> dict[str, bytes]:
        folder = settings.sysvol(self.directory.part.state) / DOMAIN / "Policies"
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    def state(self) -> tuple[Any, ...]:
        return self.sysvol(), self.windows.fingerprint(MACHINE)

    def on_machine(self) -> str:
        return "".join(self.windows.run(MACHINE, f'reg.exe query "{key}" /s')[1] for key in (LIST, SITE))


@pytest.fixture
def company(tmp_path: Path, directory: RunningDirectory, windows: WindowsPart) -> Iterator[Company]:
    made = Company(tmp_path, directory, windows)
    windows.reset()
    before = made.sysvol()
    yield made
    if made.sysvol() != before:
        directory.part.reset()
        directory.clear()


def test_a_policy_and_a_machine_at_once(company: Company) -> None:
    untouched, machine = company.state(), company.on_machine()
    assert "*.auth.iij.jp" in machine and r"iij.jp\www1.auth" in machine
    company.forget()
    output = company.play("preflight", fails=True)
    assert fixture.BROWSERS in output and company.writes() == ([], [])
    company.variables["integrated_windows_authentication_policies"] = [fixture.BROWSERS]
    assert "iwa_unlinked" in company.play("clients", fails=True)
    company.play("confirm", "-e", "step=iwa_unlinked", "-e", "{by: Hanako}")
    company.forget()
    checked = company.play("clients", "--check", "--diff")
    assert "https://reiji.iwa.auth.iij.jp" in checked and "*.auth.iij.jp" in checked
    assert company.writes() == ([], [])
    assert company.state() == untouched

    # the policy is edited only where what is done on the machine was approved, too
    (plan,) = (company.folder / "run" / "plans").iterdir()
    policies = b"".join(line for line in plan.read_bytes().splitlines(keepends=True) if json.loads(line)["kind"].startswith("group_policy"))
    part = plan.with_name(f"{hashlib.sha256(policies).hexdigest()}.jsonl")
    part.write_bytes(policies)
    part.chmod(0o600)
    company.forget()
    refused = company.play("clients", "-e", f"offboard_plan_hash={part.stem}", fails=True)
    assert policies and "No machine was changed. Machines on which something would be done that was not approved: 1." in refused, refused
    assert company.writes() == ([], []) and company.state() == untouched

    company.forget()
    company.play("clients", "-e", f"offboard_plan_hash={plan.stem}")
    sysvol, changed = company.sysvol(), company.on_machine()
    assert {name.partition("/")[0] for name, content in sysvol.items() if content != untouched[0][name]} == {fixture.BROWSERS}
    assert "iij.jp" not in changed and "*.ad.reiji.example" in changed and "intranet" in changed
    own = b"".join(sysvol[name] for name in sysvol if name.startswith(fixture.BROWSERS) and name.endswith("Registry.pol")).decode("utf-16-le", "replace")
    assert "auth.iij.jp" not in own and "*.ad.reiji.example" in own

    done = company.state()
    company.forget()
    again = company.play("clients")
    assert company.writes() == ([], []) and company.state() == done, again
    company.play("clients", "--check")
    assert company.writes() == ([], []) and company.state() == done


def test_a_machine_whose_values_come_from_a_policy_that_stays(company: Company) -> None:
    """What the policy would set again is named, with the policy, and nothing is taken for done."""
    company.play("preflight", fails=True)
    company.play("confirm", "-e", "step=iwa_unlinked", "-e", "{by: Hanako}")
    before = company.sysvol()
    output = company.play("clients")
    assert company.sysvol() == before
    assert "Browser settings" in output, output
