# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`./dev demo`: the whole exit from IIJ ID against the lab, with this program as the person who reads, decides and confirms."""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lab import paths

from . import lab
from .places import tree
from .say import Failure, say, step

#: Beside the lab's own state: two labs at once have two demos.
FOLDER = paths.STATE / "demo"
RUN_DIR = FOLDER / "offboard-run"
#: The lab's parts that the exit from IIJ ID touches.
PARTS = ("tenant", "directory", "windows")
#: Who confirms the steps, in the report.
PERSON = "Hanako Reiji (./dev demo)"
#: The step that a person does in IIJ ID's console; the lab has one.
CONSOLE_STEP = "provisioning_stopped"
#: The order that blocks nobody: IIJ ID's service principal is switched off before the stop. A token that IIJ ID has already stays good to its end; a
#: company waits 90 minutes for that. In the demo such tokens live shorter, and so it waits shorter, in both places by these.
TOKEN_SECONDS, TOKEN_MINUTES = 50, 1
#: What the demo decides beyond the lab's inventory.
DECISIONS = {"microsoft_365_disable_app": True, "microsoft_365_token_minutes": TOKEN_MINUTES}
#: A stage that waits for a person ends the run, so there are several real runs; more than these and something is wrong.
MOST_RUNS = 4
#: What can be shown when a part of the lab does not run on this machine.
WITHOUT = {
    "windows": '{"offboard_options": ["microsoft_365", "custom_applications", "multi_factor_authentication", '
    '"external_identity_providers", "integrated_windows_authentication"]}',
    "directory": '{"offboard_directory_host": "", "directory_sync_accounts": [], "integrated_windows_authentication_accounts": []}',
}


class Demo:
    """The lab at its start, an empty run folder, and the steps of the story."""

    def __init__(self) -> None:
        if any(lab.main([command, *PARTS]) not in (0, lab.PART_LEFT_OUT) for command in ("up", "reset")):
            raise Failure("the lab did not come up")
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        self._log = FOLDER / "output.log"
        status = lab.status()
        self.left_out = {part: str(state.get("why_not") or "it does not run") for part, state in status.items() if part in PARTS and not state["running"]}
        if "tenant" in self.left_out:
            raise Failure(f"without the tenant there is nothing to show: {self.left_out['tenant']}")
        self._parts = [part for part in PARTS if part not in self.left_out]
        self._common = ["-i", str(Path(os.environ["OFFBOARD_LAB"], "inventory")), "-e", f"offboard_run_dir={RUN_DIR}"]
        self._common += ["-e", json.dumps(DECISIONS)]
        self._shorten_tokens()
        for part in self.left_out:
            self._common += ["-e", WITHOUT[part]]

    @staticmethod
    def _shorten_tokens() -> None:
        from lab.iij import console
        from lab.tenant.part import TenantPart, control

        if control().call("PATCH", "/_lab/settings", {"iij_token_lifetime": TOKEN_SECONDS}).status != 200:
            raise Failure("the tenant did not take its setting")
        console.stop()  # and with it the token that IIJ ID's side holds
        TenantPart().start()
        say(f"    access tokens of IIJ ID's app live {TOKEN_SECONDS} seconds here; in the real world up to 90 minutes (microsoft_365_token_minutes)")

    @staticmethod
    def enabled() -> set[str]:
        """Who can work."""
        from lab.tenant.part import control

        return {user["userPrincipalName"] for user in control().call("GET", "/_lab/objects/users").data if user["accountEnabled"]}

    def wait_for_the_token(self) -> None:
        """The gate has told until when to wait with the stop."""
        told = re.findall(r"Stop the provisioning in the console of IIJ ID at (\S+Z) or later", self._log.read_text(encoding="utf-8"))
        if not told:
            raise Failure("the gate did not say until when to wait with the stop")
        rest = (datetime.datetime.fromisoformat(told[-1]) - datetime.datetime.now(datetime.UTC)).total_seconds()
        say(f"\n=== The person waits until {told[-1]}, when no token of IIJ ID is good any more")
        time.sleep(max(0.0, rest) + 1)

    def playbook(self, name: str, *words: str) -> tuple[int, int]:
        """Run a playbook and show it as it goes (all of it is in the log). Exit code, and how many tasks changed something."""
        argv = ["ansible-playbook", *self._common, f"offboard.iij_id.{name}", *words]
        say(f"\n$ export PATH={Path(sys.executable).parent}:$PATH ANSIBLE_COLLECTIONS_PATH={tree()}\n$ {shlex.join(argv)}")
        began = time.monotonic()
        changed = 0
        with (
            open(self._log, "a", encoding="utf-8") as log,
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process,
        ):
            log.write(f"\n$ {shlex.join(argv)}\n")
            for line in process.stdout or ():
                log.write(line)
                if line.strip() and line[0] not in " +-@":  # differences and continued lines are in the log
                    say(f"    {line.rstrip()[:230]}")
                if recap := re.match(r"\S+ +: ok=\d+ +changed=(\d+) ", line):
                    changed += int(recap[1])
        say(f"    ended with {process.returncode} after {time.monotonic() - began:.0f} s, {changed} tasks changed something")
        return process.returncode, changed

    def check(self) -> None:
        """Check mode from the untouched start; the servers' logs must show no write."""
        say("\n=== 1. What would be done: check mode over all stages, from the untouched start")
        from lab.evidence import Watch

        watch = Watch(self._parts)
        code, _changed = self.playbook("decommission", "--check", "--diff")
        writes = {world: lines for world, lines in watch.new().items() if lines}
        if code:
            raise Failure(f"the check run ended with {code}; all of its output: {self._log}")
        if writes:
            raise Failure(f"the check run wrote: {json.dumps(writes, ensure_ascii=False, indent=1)[:3000]}")
        if kept := [path.name for path in RUN_DIR.glob("*") if path.name != "plans"]:
            raise Failure(f"the check run wrote more than its plan into {RUN_DIR}: {', '.join(kept)}")
        (plan,) = RUN_DIR.glob("plans/*.jsonl")
        say(f"    the plan, {len(plan.read_bytes().splitlines())} changes, is kept for approval: {plan}")
        say(f"    the servers' own logs show no write: {', '.join(f'0 in {part}' for part in self._parts)}")

    def open_steps(self) -> dict[str, str]:
        """Id → stage of the steps that wait for a person."""
        records = json.loads((RUN_DIR / "steps.json").read_text(encoding="utf-8"))["steps"]
        return {record["id"]: record["stage"] for record in records if not record["done"]}

    def confirm(self) -> None:
        """What the person does when a stage waits: first the steps of the gate, then of the domains, later everything else that is open."""
        steps = self.open_steps()
        if CONSOLE_STEP in steps:
            self.wait_for_the_token()
            before = self.enabled()
            say("\n=== The person stops the provisioning in IIJ ID's console, which shows an error, as it should\n\n$ ./dev lab iij stop-provisioning")
            lab.main(["iij", "stop-provisioning"])
            from lab.iij import console

            state = console.status()
            if state["provisioning"] or "is disabled" not in str(state["last"]["error"]):
                raise Failure(f"IIJ ID's side did not stop its provisioning, or could still reach the tenant: {state}")
            if blocked := before - self.enabled():
                raise Failure(f"the stop has blocked {len(blocked)} users")
            say(f"    {len(before)} users can work, as before the stop")
        for stage in ("gate", "domains"):  # who says of passwords that they are handed over before they are made, has said nothing
            if stage in steps.values():
                steps = {identity: of for identity, of in steps.items() if of == stage}
                break
        say(f"\n=== The person has done what was asked, and says so: {', '.join(steps)}")
        if not steps or self.playbook("confirm", "-e", f"step={','.join(steps)}", "-e", json.dumps({"by": PERSON}))[0]:
            raise Failure("nothing is left to confirm, or it cannot be confirmed")

    def real(self) -> None:
        """The real run. It stops where a person is needed, and goes on from there."""
        for number in range(1, MOST_RUNS + 1):
            say(f"\n=== 2.{number} For real" + (", from where it stopped" if number > 1 else ", until a person is needed"))
            code, _changed = self.playbook("decommission")
            if code == 0:
                if number == 1:
                    raise Failure("the gate did not stop the first run")
                return
            self.confirm()
        raise Failure(f"the exit is not finished after {MOST_RUNS} runs; all of the output: {self._log}")

    def again(self) -> None:
        """Once more: nothing may change."""
        say("\n=== 3. Once more: everything is done, so nothing changes")
        code, changed = self.playbook("decommission")
        if code or changed:
            raise Failure(f"the last run ended with {code} and changed {changed} tasks; all of its output: {self._log}")


def main() -> int:
    """Returns the exit code; the lab stays up, so that one can look around in it."""
    with step("the lab: an Entra tenant, Active Directory, Windows machines, IIJ ID's side"):
        demo = Demo()
    demo.check()
    demo.real()
    demo.again()
    say("\n=== Done: the company has left IIJ ID")
    for part, reason in demo.left_out.items():
        say(f"    LEFT OUT: everything in the lab's part {part}: {reason}")
    say(f"    report: {RUN_DIR / 'report.html'}\n    all output: {FOLDER / 'output.log'}\n    the lab still runs; end it with: ./dev lab down")
    return 0
