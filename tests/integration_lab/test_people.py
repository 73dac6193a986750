# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exit's stages as playbooks, judged by what becomes of the people: who can work without IIJ ID, and who is told that they cannot."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab import inventory
from lab.iij.actor import Actor
from lab.testing import RunningTenant

from .entra import PEOPLE, lines


class Operator:
    """Somebody who has only the tenant's part of the exit, and confirms what is asked."""

    def __init__(self, tenant: RunningTenant, folder: Path, **variables: Any) -> None:
        self.run_dir = folder / "run"
        decisions = {name: value for name, value in inventory.decisions().items() if name.startswith(("offboard_", "microsoft_365_"))}
        connection = {f"offboard_{name}": value for name, value in tenant.credentials().items()}
        addresses = {"offboard_graph_url": tenant.url, "offboard_authority": tenant.url, "offboard_ca_file": str(tenant.ca_file)}
        own = {"offboard_run_dir": str(self.run_dir), "offboard_options": ["microsoft_365"], "offboard_vault_password": inventory.VAULT_PASSWORD}
        localhost = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        self._inventory = folder / "inventory.json"
        everything = {**decisions, **connection, **addresses, **own, **variables}
        self._inventory.write_text(json.dumps({"all": {"hosts": {"localhost": localhost}, "vars": everything}}))

    def play(self, name: str, *flags: str, **variables: Any) -> tuple[int, str]:
        """Exit code and output of a playbook."""
        argv = ["ansible-playbook", "-i", str(self._inventory), "-e", json.dumps(variables), f"offboard.iij_id.{name}", *flags]
        env = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false"}
        done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def must(self, name: str, *flags: str, **variables: Any) -> str:
        """Its output; it must end well."""
        code, output = self.play(name, *flags, **variables)
        assert code == 0, output[-4000:]
        return output

    def confirm(self, *steps: str) -> None:
        """The person has done them."""
        self.must("confirm", step=",".join(steps), by="Hanako Reiji")

    def confirm_all(self) -> None:
        """Every step that is open, by what the run folder says; the contract ends after the final gate."""
        steps = json.loads((self.run_dir / "steps.json").read_text())["steps"]
        self.confirm(*(step["id"] for step in steps if step["id"] != "contract_terminated"))

    def converted(self, tenant: RunningTenant) -> set[str]:
        """The domains that were converted, by the journal, and as the tenant has it."""
        records = map(json.loads, (self.run_dir / "journal.jsonl").read_text().splitlines())
        done = {record["id"] for record in records if (record["record"], record.get("kind"), record.get("status")) == ("outcome", "domain", "done")}
        return {name for name in done if tenant.client().get(f"/domains/{name}").data["authenticationType"] == "Managed"}

    def findings(self) -> dict[str, dict[str, Any]]:
        """What the final gate has found, by code; of several the gravest."""
        file = self.run_dir / "results" / "final_gate.json"
        file.unlink(missing_ok=True)
        code, output = self.play("final_gate")
        assert file.exists(), output[-4000:]
        found = json.loads(file.read_text())["findings"]
        assert (code == 0) == (not [item for item in found if item["severity"] == "blocker"]), output[-3000:]
        return {item["code"]: item for item in reversed(found)}


def blockers(found: dict[str, dict[str, Any]]) -> set[str]:
    return {code for code, item in found.items() if item["severity"] == "blocker"}


@pytest.fixture
def operator(tenant: RunningTenant, tmp_path: Path) -> Operator:
    """Snapshot, stop, open gate."""
    operator = Operator(tenant, tmp_path)
    operator.must("snapshot")
    operator.play("gate")
    operator.confirm("provisioning_stopped", "break_glass_tested", "sign_in_methods_ready", "password_hash_sync_verified")
    return operator


@pytest.mark.long
def test_the_final_gate_looks_at_people(tenant: RunningTenant, operator: Operator) -> None:
    """The stages are done for one domain; a later one is converted, and its stage passwords forgotten."""
    Actor(tenant.url, tenant.ca_file).withdraw()
    operator.must("gate", microsoft_365_evidence_hours=0)  # the stages after it demand its verdict
    # what `-e microsoft_365_domains=…` gives is one text, here as people type it; the stages after it take it as well as the list of the inventory
    operator.must("domains", "-e", "microsoft_365_domains=ＲＥＩＪＩ.Example,Reiji-Group.example")
    assert operator.converted(tenant) == {"reiji.example", "reiji-group.example"}
    operator.must("passwords", "-e", "microsoft_365_domains=Reiji.EXAMPLE.")
    operator.must("app")
    operator.confirm_all()
    found = operator.findings()
    # nobody was repaired, and whoever is enabled (administrators, whom IIJ ID may not block) has no password
    assert {"user_blocked", "licence_missing"} <= blockers(found)
    # the answer has room for some; the finding says how many, and where all are
    told = [json.loads(line) for line in (operator.run_dir / "results" / "users_readiness.jsonl").read_text().splitlines()]
    assert len([line for line in told if line.get("code") == "user_blocked"]) == 250 - 25 - 2
    assert found["user_blocked"]["en"].startswith("223 users are blocked") and "results/users_readiness.jsonl" in found["user_blocked"]["en"]
    assert 10 < len(found["user_blocked"]["objects"]) < 223

    # an approval means what was approved: one user more is not done, and nothing else either
    without = {"microsoft_365_exclude": [PEOPLE[5].upn]}
    approved = re.findall(r"-e offboard_plan_hash=([0-9a-f]{64})", operator.must("users", "--check", **without))
    assert approved and len(list((operator.run_dir / "plans").iterdir())) == 1
    tenant.clear_requests()
    code, output = operator.play("users", offboard_plan_hash=approved[-1])
    assert code and f"{PEOPLE[5].upn} ({PEOPLE[5].id}), updated: not in the plan" in output and tenant.writes() == [], output[-3000:]
    operator.must("users", offboard_plan_hash=approved[-1], **without)
    operator.must("users")
    # of two domains one is approved: the whole stage is compared before its first change
    first = {"microsoft_365_domains": ["reiji.example"]}
    approved = re.findall(r"-e offboard_plan_hash=([0-9a-f]{64})", operator.must("passwords", "--check", **first))
    tenant.clear_requests()
    code, output = operator.play("passwords", offboard_plan_hash=approved[-1])
    assert code and re.search(r"@reiji-group\.example \(\S+\), updated: not in the plan", output) and tenant.writes() == [], output[-3000:]
    done = operator.must("passwords", offboard_plan_hash=approved[-1], **first)
    assert re.search(r"^localhost +: ok=\d+ +changed=1 ", done, re.MULTILINE), done[-3000:]
    operator.confirm_all()
    found = operator.findings()
    assert blockers(found) == {"no_way_in"}
    there = [person for person in PEOPLE.values() if person.upn.endswith("@reiji-group.example") and person.enabled]
    told = [json.loads(line) for line in (operator.run_dir / "results" / "users_readiness.jsonl").read_text().splitlines()]
    assert (
        {line["userPrincipalName"] for line in told if line.get("code") == "no_way_in"}
        == {person.upn for person in there}
        >= set(found["no_way_in"]["objects"])
    )
    assert len(found["administrator_without_password"]["objects"]) == 2 and found["administrator_without_password"]["severity"] == "warning"

    # the hand-over was confirmed before the last passwords were set
    operator.must("passwords")
    state = json.loads((operator.run_dir / "steps.json").read_text())
    for step in state["steps"]:
        if step["id"] == "passwords_handed_over":
            step["at"] = "2026-01-01T00:00:00Z"
    (operator.run_dir / "steps.json").write_text(json.dumps(state))
    found = operator.findings()
    assert blockers(found) == {"step_not_done"} and found["step_not_done"]["objects"] == ["passwords_handed_over"]
    operator.confirm("passwords_handed_over")
    assert blockers(operator.findings()) == set()

    # somebody is blocked again, somebody was made without a password, somebody who had left was enabled: all are told
    one, left, made = PEOPLE[5], PEOPLE[231], PEOPLE[50]
    tenant.arrange("users", one.id, accountEnabled=False)
    tenant.arrange("users", left.id, accountEnabled=True)
    tenant.arrange("users", made.id, lastPasswordChangeDateTime="2022-04-01T00:00:00Z")
    found = operator.findings()
    assert blockers(found) == {"user_blocked", "user_enabled_not_meant", "no_way_in"}
    assert found["user_blocked"]["objects"] == [one.upn]
    assert found["user_enabled_not_meant"]["objects"] == [left.upn]
    assert set(found["no_way_in"]["objects"]) == {made.upn, left.upn}
    # the operator's word: one is left out, another is named, and of the third a person knows that they can sign in
    code, output = operator.play(
        "final_gate",
        microsoft_365_exclude=[one.upn],
        microsoft_365_also_enable=[left.upn],
        microsoft_365_signs_in_otherwise=[made.upn.upper(), left.id],
    )
    found = {item["code"]: item for item in json.loads((operator.run_dir / "results" / "final_gate.json").read_text())["findings"]}
    assert "licence_missing" not in blockers(found) and blockers(found) == set(), output[-3000:]
    assert code == 0


@pytest.mark.long
def test_a_stop_before_the_first_snapshot(tenant: RunningTenant, tmp_path: Path) -> None:
    """The vendor's page names the stop first. What it did must not become what a snapshot keeps as normal."""
    operator = Operator(tenant, tmp_path)
    before = {person.upn: tenant.user(person.upn)["accountEnabled"] for person in PEOPLE.values()}
    licensed = {person.upn for person in PEOPLE.values() if tenant.user(person.upn)["assignedLicenses"]}
    Actor(tenant.url, tenant.ca_file).withdraw()
    tenant.clear_requests()
    code, output = operator.play("preflight", "--check")
    assert code != 0 and "reiji-group.example: of 40 users 40 are blocked and 40 have no licence" in output
    assert not operator.run_dir.exists()
    code, output = operator.play("preflight")
    list_file = operator.run_dir / "results" / "blocked_by_iij_id.yml"
    assert code != 0 and f"-e @{list_file}" in output and "blocked 223 users" in output
    # who is blocked is named, and proposed; everybody is in a file
    everybody = yaml.safe_load((operator.run_dir / "results" / "blocked_users.yml").read_text().replace("\n#  -", "\n  -"))["microsoft_365_also_enable"]
    inside = [person.upn for person in PEOPLE.values() if not tenant.user(person.upn)["accountEnabled"]]
    assert sorted(everybody) == sorted(inside) and "results/blocked_users.yml (written by" in output
    draft = (operator.run_dir / "decisions.draft.yml").read_text()
    stop, proposed = "## Blocked by IIJ ID's stop, as the audit log shows.", [upn for upn in everybody if f"#   - '{upn}'" in draft]
    assert "# microsoft_365_also_enable:" in draft and stop in draft and 20 <= len(proposed) < len(everybody)
    assert f"{len(everybody) - len(proposed)} more are not listed here; all are in results/blocked_users.yml." in draft
    # neither does the snapshot alone take it
    code, output = operator.play("snapshot")
    assert code != 0 and "No snapshot was taken" in output
    assert not (operator.run_dir / "snapshot" / "manifest.json").exists()
    # without the log, or with an app that it does not know: a person has to say it
    code, output = operator.play("preflight", offboard_iij_client_id="", microsoft_365_old_client_ids=[])
    assert code != 0 and "The audit log was not read: offboard_iij_client_id is empty" in output
    assert tenant.writes() == []

    named = f"@{list_file}"
    listed = yaml.safe_load(list_file.read_text())
    assert set(listed["microsoft_365_also_enable"]) == {upn for upn in before if before[upn] and not tenant.user(upn)["accountEnabled"]}
    for playbook in ("preflight", "snapshot"):
        operator.must(playbook, "-e", named)
    operator.play("gate", "-e", named)  # names the step
    operator.confirm("provisioning_stopped", "break_glass_tested")
    operator.must("gate", "-e", named)
    operator.must("users", "-e", named)
    assert {person.upn: tenant.user(person.upn)["accountEnabled"] for person in PEOPLE.values()} == before
    assert {person.upn for person in PEOPLE.values() if tenant.user(person.upn)["assignedLicenses"]} == licensed
    # preflight runs again with every run of decommission; once there is a snapshot, a stop is what is expected
    Actor(tenant.url, tenant.ca_file).withdraw()
    operator.must("preflight", "-e", named)


def shift(operator: Operator, identity: str, seconds: int) -> None:
    """As if the step had been confirmed so many seconds earlier."""
    file = operator.run_dir / "steps.json"
    recorded = json.loads(file.read_text())
    for step in recorded["steps"]:
        if step["id"] == identity:
            before = datetime.datetime.fromisoformat(step["at"]) - datetime.timedelta(seconds=seconds)
            step["at"] = f"{before:%Y-%m-%dT%H:%M:%SZ}"
    file.write_text(json.dumps(recorded))


@pytest.mark.long
def test_the_stop_itself_is_no_evidence_against_it(tenant: RunningTenant, tmp_path: Path) -> None:
    """With the user's defaults: what came before the confirmed stop does not count, what comes after does."""
    operator, actor = Operator(tenant, tmp_path), Actor(tenant.url, tenant.ca_file)
    operator.must("snapshot")
    code, output = operator.play("gate")
    assert code != 0 and "provisioning_stopped" in output
    actor.withdraw()
    operator.confirm("provisioning_stopped", "break_glass_tested")
    operator.must("gate")
    operator.must("users")
    # a word too early: its own changes come after it, also those that the log names without a client id
    shift(operator, "provisioning_stopped", 3600)
    code, output = operator.play("gate")
    assert code != 0 and "IIJ ID still changes the tenant" in output and "withdraw the step provisioning_stopped and confirm it again" in output
    operator.must("confirm", step="provisioning_stopped", withdraw=True)
    operator.confirm("provisioning_stopped")
    operator.must("gate")


@pytest.mark.long  # the demo goes this way
def test_switched_off_first_nobody_is_blocked(tenant: RunningTenant, tmp_path: Path) -> None:
    operator, actor = Operator(tenant, tmp_path, microsoft_365_disable_app=True), Actor(tenant.url, tenant.ca_file)
    before = {person.upn: tenant.user(person.upn)["accountEnabled"] for person in PEOPLE.values()}
    assert actor.apply().error is None  # it holds a token from now on
    operator.must("snapshot")
    code, output = operator.play("gate")
    assert code != 0 and "an access token that it got before stays good for up to 90 minutes" in output
    assert actor.apply().error is None, "its token is still good"
    # after that time
    actor.forget_token()
    code, output = operator.play("gate", microsoft_365_token_minutes=0)
    assert code != 0 and "IIJ ID offers no API for this" in output
    assert "AADSTS7000112" in str(actor.withdraw().error)
    operator.confirm("provisioning_stopped", "break_glass_tested")
    operator.must("gate")
    assert {person.upn: tenant.user(person.upn)["accountEnabled"] for person in PEOPLE.values()} == before


def test_the_domains_are_not_converted_while_somebody_has_no_way_in(operator: Operator, tenant: RunningTenant) -> None:
    """Preflight counts; the stage stops, until whoever has none is named, or so many are accepted."""
    operator.must("gate", microsoft_365_evidence_hours=0)
    left = PEOPLE[71]
    exclude = {"microsoft_365_exclude": [left.upn]}
    output = operator.must("preflight", **exclude)
    assert "1 user will have no way to sign in" in output and "must_register_mfa" in output
    assert len(lines(operator.run_dir / "results" / "sign_in_readiness.jsonl")) == 250
    tenant.clear_requests()
    code, output = operator.play("domains", **exclude)
    assert code != 0 and left.upn in output and "microsoft_365_accepted_no_way_in" in output and tenant.writes() == []
    code, output = operator.play("domains", "--start-at-task", "Convert the domains to managed, one after the other", **exclude)
    assert code != 0 and "no_way_in" in output and left.upn in output and tenant.writes() == [], "the module itself demands it"
    code, output = operator.play("domains", "--check", **exclude)
    assert code == 0 and "a real run would stop here. 1 thing stands in the way." in " ".join(output.split()) and tenant.writes() == []
    assert "1 user will have no way to sign in" in output and "The verdict on who can sign in" not in output, "told once, by what looked"
    operator.must("domains", **exclude, microsoft_365_accepted_no_way_in=[left.upn])
    assert tenant.writes()
    # managed now: everybody signs in with what they have
    operator.must("domains", **exclude)


def test_a_line_about_nobody(tenant: RunningTenant, tmp_path: Path) -> None:
    """The final gate names whom the operator has named and nobody is: whoever was meant was left as they were."""
    src = tmp_path / "users.jsonl"
    src.write_text('{"userPrincipalName": "tyop@reiji.example", "enabled": true}\n')
    operator = Operator(tenant, tmp_path, microsoft_365_users_src=str(src))
    operator.must("snapshot")
    found = operator.findings()["named_nobody"]
    assert found["severity"] == "blocker" and "tyop@reiji.example" in found["en"] and "tyop@reiji.example" in found["ja"]
