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

from lab import company, names, paths

from . import lab
from .places import tree
from .say import Failure, say, step

#: Beside the lab's own state: two labs at once have two demos.
FOLDER = paths.STATE / "demo"
RUN_DIR = FOLDER / "offboard-run"
#: The lab's parts that the exit from IIJ ID touches.
PARTS = ("tenant", "directory", "windows", "linux")
SECOND_CONTROLLER = "second_controller"
#: Who confirms the steps, in the report.
PERSON = names.called("Hanako Reiji (./dev demo)")
#: The step that a person does in IIJ ID's console; the lab has one.
CONSOLE_STEP = "provisioning_stopped"
#: The order that blocks nobody: IIJ ID's service principal is switched off before the stop. A token that IIJ ID has already stays good to its end; a
#: company waits 90 minutes for that. In the demo such tokens live shorter, and so it waits shorter, in both places by these.
TOKEN_SECONDS, TOKEN_MINUTES = 50, 1
#: The issuers of the certificates on a user's machine: IIJ ID's, and the company's own, which stays.
DEVICE_CA, OTHER_CA = names.called(["CN=Reiji Device CA,O=Internet Initiative Japan Inc.,C=JP", "CN=Reiji Device CA,O=Reiji Corporation,C=JP"])
#: What Password Sync loads into the domain controllers' security authority.
FILTER_FILE = r"C:\windows\system32\iidpwfilter.dll"
#: What a group policy of the lab's company tells Chrome to sign in to.
IIJ_HOST = "auth.iij.jp"
#: What the demo decides beyond the lab's inventory.
DECISIONS = {
    "microsoft_365_disable_app": True,
    "microsoft_365_token_minutes": TOKEN_MINUTES,
    "multi_factor_authentication_certificates": [DEVICE_CA],
    # the iPhones' list of hosts that are signed in to; no device gets it any more, and it stays
    "multi_factor_authentication_intune_assignments": [
        {
            "kind": "device_configuration",
            "object": company.make_id("device_configurations", "iPhoneのシングルサインオン"),
            "target": "allDevices",
        },
    ],
}
#: With two domain controllers in the directory; one alone is never restarted.
RESTART = {"directory_sync_restart_domain_controllers": True}
#: A stage that waits for a person ends the run, so there are several real runs; more than these and something is wrong.
MOST_RUNS = 4
#: What can be brought back at the end; the agents' tasks are gone with the agents.
BACK = ["accounts", "app", "domains", "policies", "intune", "users"]
#: Steps that the tool records as done by what it saw itself, and the part of the lab that it takes.
SEEN_BY_THE_TOOL = {"domain_controllers_restarted": SECOND_CONTROLLER, "other_directory_servers_clean": "linux"}
#: What can be shown when a part of the lab does not run on this machine.
WITHOUT = {
    "windows": '{"offboard_options": ["microsoft_365", "custom_applications", "multi_factor_authentication", '
    '"external_identity_providers", "integrated_windows_authentication"]}',
    "directory": '{"offboard_directory_host": "", "directory_sync_accounts": [], "integrated_windows_authentication_accounts": []}',
}


class Demo:
    """The lab at its start, an empty run folder, and the steps of the story."""

    def __init__(self) -> None:
        words = [["up", *PARTS], ["reset", *PARTS], ["reset", SECOND_CONTROLLER], ["up", SECOND_CONTROLLER]]
        if any(lab.main(command) not in (0, lab.PART_LEFT_OUT) for command in words):
            raise Failure("the lab did not come up")
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        self._log = FOLDER / "output.log"
        self._reached = ""
        status = lab.status()
        wanted = (*PARTS, SECOND_CONTROLLER)
        self.left_out = {part: str(status[part].get("why_not") or "it does not run") for part in wanted if not status[part]["running"]}
        if "tenant" in self.left_out:
            raise Failure(f"without the tenant there is nothing to show: {self.left_out['tenant']}")
        self._parts = [part for part in PARTS if part not in self.left_out]
        self._common = ["-i", str(Path(os.environ["OFFBOARD_LAB"], "inventory")), "-e", f"offboard_run_dir={RUN_DIR}"]
        self.restarts = not {"directory", "windows", SECOND_CONTROLLER} & set(self.left_out)
        self._common += ["-e", json.dumps(DECISIONS | (RESTART if self.restarts else {}))]
        self._inside = self._names() if self.restarts else []
        self._shorten_tokens()
        if "windows" not in self.left_out:
            self._give_certificates()
        for part in set(WITHOUT) & set(self.left_out):
            self._common += ["-e", WITHOUT[part]]

    @staticmethod
    def _names() -> list[str]:
        """What a command line begins with where the domain controllers' names mean the lab's."""
        from lab.directory.second import SecondControllerPart

        script = f'mount --bind {shlex.quote(str(SecondControllerPart().hosts()))} /etc/hosts && exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]

    @staticmethod
    def _give_certificates() -> None:
        from lab.windows import certificates, server
        from lab.windows.part import WindowsPart

        prefix = server.machine_prefix("sync01")
        certificates.install_certutil(prefix)
        certificates.install_tar(prefix)
        for authority, container in ((DEVICE_CA, "iij-device"), (OTHER_CA, "reiji-device")):
            key = certificates.MachineKey(container).make(windows := WindowsPart(), "sync01")
            certificates.into_registry(windows, "sync01", certificates.MY_STORE, certificates.Authority(authority).issue("sync01"), key)

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
        """Run a playbook and show it as it goes (all of it is in the log). Exit code, and how many tasks changed something; `banners` has the tasks shown."""
        argv = [*self._inside, "ansible-playbook", *self._common, f"offboard.iij_id.{name}", *words]
        say(f"\n$ export PATH={Path(sys.executable).parent}:$PATH ANSIBLE_COLLECTIONS_PATH={tree()}\n$ {shlex.join(argv)}")
        began = time.monotonic()
        changed = self.banners = 0
        with (
            open(self._log, "a", encoding="utf-8") as log,
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process,
        ):
            log.write(f"\n$ {shlex.join(argv)}\n")
            for line in process.stdout or ():
                log.write(line)
                if line.strip() and line[0] not in " +-@":  # differences and continued lines are in the log
                    say(f"    {line.rstrip()[:230]}")
                self.banners += line.startswith("TASK [")
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
        """Id → stage of the steps that wait for a person: also those whose confirmation does not count any more."""
        records = json.loads((RUN_DIR / "report.json").read_text(encoding="utf-8"))["steps"]
        return {record["id"]: record["stage"] for record in records if not record["done"]}

    def confirm(self) -> None:
        """What the person does when a stage waits: first the steps of the gate, then of the domains, later everything else that is open."""
        # the contract, of the stage report, ends after the final gate has opened
        persons = (None, *self.left_out)
        steps = {name: stage for name, stage in self.open_steps().items() if stage != "report" and SEEN_BY_THE_TOOL.get(name) in persons}
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

    @staticmethod
    def filters_are_gone() -> None:
        """The proof that no domain controller holds a filter any more: Windows has let its file go."""
        say("\n=== 3. The domain controllers were restarted one after the other, so the files of the password filters could go")
        from lab.windows.part import WindowsPart

        windows = WindowsPart()
        for name in ("dcwin1", "dcwin2"):
            if windows.run(name, rf"cmd.exe /c if exist {FILTER_FILE} exit 1")[0]:
                raise Failure(f"{name} still has {FILTER_FILE}")
        say(f"    {FILTER_FILE} is gone from both")

    def policies_reach(self) -> str:
        """Whom Chrome signs in to by itself on a computer of the domain, as Samba's group policy client has it after an update."""
        from lab.directory.policy_client import policy_client

        with policy_client(self._log) as update:
            return str(update().get("AuthServerAllowlist", ""))

    def clients_before(self) -> None:
        """Before anything is edited."""
        if "directory" in self.left_out:
            return
        self._reached = self.policies_reach()
        if IIJ_HOST not in self._reached:
            raise Failure(f"the group policy does not name {IIJ_HOST}: {self._reached}")
        say(f"\n=== 0. A computer of the domain applies its group policies. Chrome signs in by itself to: {self._reached}")

    def clients_after(self) -> None:
        """Not what is in SYSVOL counts, but what a computer makes of it."""
        if "directory" in self.left_out:
            return
        left = ",".join(host for host in self._reached.split(",") if IIJ_HOST not in host)
        if (now := self.policies_reach()) != left:
            raise Failure(f"Chrome signs in to {now!r}, where it should to {left!r}")
        say(f"\n=== A computer of the domain applies its group policies again. Chrome signs in by itself to: {now}")

    def back(self) -> None:
        """All the way back, as far as there is one, and IIJ ID works again."""
        say("\n=== The company changes its mind: what can be brought back is brought back, once and once more")
        for expected in (True, False):
            code, changed = self.playbook("restore", "-e", json.dumps({"offboard_restore": BACK}))
            if code or bool(changed) is not expected:
                raise Failure(f"the way back ended with {code} and changed {changed} tasks; all of its output: {self._log}")
        from lab.iij import console

        lab.main(["iij", "start-provisioning"])  # it is refused until an administrator has consented again, as the manual says
        if not console.status()["provisioning"]:
            raise Failure("IIJ ID's side does not provision again")
        if "directory" not in self.left_out and (now := self.policies_reach()) != self._reached:
            raise Failure(f"Chrome signs in to {now!r}, where it should to {self._reached!r} again")

    def again(self) -> None:
        """Once more: nothing may change."""
        say("\n=== 4. Once more: everything is done, so nothing changes")
        code, changed = self.playbook("decommission")
        if code or changed:
            raise Failure(f"the last run ended with {code} and changed {changed} tasks; all of its output: {self._log}")
        say(f"    {self.banners} tasks were shown")


def main(back: bool = False) -> int:
    """Returns the exit code; the lab stays up, so that one can look around in it. back: also all the way back, and forward once more."""
    with step("the lab: an Entra tenant, Active Directory, Windows machines, IIJ ID's side"):
        demo = Demo()
    demo.clients_before()
    demo.check()
    demo.real()
    demo.clients_after()
    if demo.restarts:
        demo.filters_are_gone()
    demo.again()
    if back:
        demo.back()
        demo.real()
        demo.clients_after()
        demo.again()
    say("\n=== Done: the company has left IIJ ID")
    for part, reason in demo.left_out.items():
        say(f"    LEFT OUT: everything in the lab's part {part}: {reason}")
    say(f"    report: {RUN_DIR / 'report.html'}\n    all output: {FOLDER / 'output.log'}\n    the lab still runs; end it with: ./dev lab down")
    return 0
