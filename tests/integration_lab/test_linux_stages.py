# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages on a Linux machine with Directory Sync, and on the OpenLDAP that it reads: there, back, and to the end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab.linux import host as linux
from lab.linux import slapd
from lab.linux.host import SCRIPT, TOKEN, TREE, UID, USER, Host
from lab.linux.part import COPY, CRONTAB, LINE, OTHERS, install
from lab.linux.slapd import MAIL, SYNC, Slapd

from . import played

pytestmark = [pytest.mark.lab, pytest.mark.skipif(linux.why_not() is not None, reason=str(linux.why_not()))]

DISABLED = CRONTAB.replace(LINE, f"#offboard.iij_id disabled: {LINE}")
MINE = "other_directory_servers_clean"


class Company:
    """The machine, the server, and an operator with a run folder."""

    def __init__(self, folder: Path) -> None:
        linux.prepare()
        slapd.prepare()
        self.folder = folder
        self.run_dir = folder / "run"
        self.host = Host(folder / "host")
        self.server = Slapd(folder / "slapd")
        self.machines: dict[str, Any] = {"agent01": self.host.variables()}
        self.variables: dict[str, Any] = {
            "offboard_run_dir": str(self.run_dir), "offboard_options": ["directory_sync"], "offboard_vault_password": "Vault-Pass-31",
            "offboard_language": "en", "directory_sync_without_machines": True, "directory_sync_openldap_socket": self.server.socket,
            "directory_sync_linux_search": ["/opt", "/run"],
        }  # fmt: skip
        install(self.host)

    def stop(self) -> None:
        self.server.stop()
        self.host.stop()

    def play(self, playbook: str, *words: str, fails: bool = False, **variables: Any) -> str:
        groups = {"iij_id_linux_agents": {"hosts": self.machines}}
        return played.play(self.folder, groups, {**self.variables, **variables}, playbook, *words, fails=fails, secrets=[TOKEN, "Hush-Ldap"])

    def steps(self) -> dict[str, dict[str, Any]]:
        return {step["id"]: step for step in json.loads((self.run_dir / "steps.json").read_text())["steps"]}

    def open_at_last(self) -> list[tuple[str, str]]:
        found = json.loads((self.run_dir / "results" / "final_gate.json").read_text())["findings"]
        return [(item["code"], item["objects"][0]) for item in found if item["severity"] == "blocker" and item["code"] != "step_not_done"]

    def rules(self) -> list[str]:
        """The access rules of all databases, by slapd's own tool."""
        return re.findall(r"(?m)^olcAccess: .*", re.sub(r"\n ", "", self.server.run("slapcat", "-n0")))

    def has_account(self, dn: str = SYNC) -> bool:
        return f"dn: {dn}\n" in self.server.run("slapcat", "-n1")

    def state(self) -> tuple[Any, ...]:
        return self.host.fingerprint(), self.server.writes()


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    yield made
    made.stop()


@pytest.mark.long
def test_there_and_back_and_to_the_end(company: Company) -> None:
    untouched = company.state()
    output = company.play("preflight", fails=True)
    assert all(text in output for text in (f"agent01 has the cron job user:{USER}", TREE, COPY)), output
    draft = (company.run_dir / "decisions.draft.yml").read_text()
    found = yaml.safe_load(re.sub(r"(?m)^# ", "", draft))
    assert found["directory_sync_cron_jobs"] == [{"place": f"user:{USER}", "command": f"{SCRIPT} >/dev/null 2>&1"}]
    assert sorted(found["directory_sync_linux_files"]) == sorted([TREE, COPY])
    assert found["directory_sync_linux_accounts"] == [{"name": USER, "uid": UID}]
    company.variables |= {name: found[name] for name in ("directory_sync_cron_jobs", "directory_sync_linux_files", "directory_sync_linux_accounts")}
    company.variables |= {"directory_sync_openldap_entries": [SYNC], "directory_sync_openldap_access": [SYNC]}
    assert "There is no machines/agent01.yml" in company.play("freeze", fails=True)

    company.play("decommission", "--check", "--diff")
    assert company.state() == untouched
    company.play("decommission", "--tags", "snapshot,freeze")
    assert (company.host.crontab(USER).decode(), company.server.writes()) == (DISABLED, [])
    company.play("restore", "-e", "{offboard_restore: [tasks]}")
    assert company.host.crontab(USER).decode() == CRONTAB
    # OpenLDAP is not touched while a server may still read it
    assert "agent01 still has" in company.play("accounts", fails=True)
    assert (company.server.writes(), company.steps()[MINE]["done"]) == ([], False)

    rules = company.rules()
    company.play("decommission", fails=True)  # other steps wait for a person
    assert company.host.read(f"/var/spool/cron/crontabs/{USER}").decode().endswith("\n" + CRONTAB.replace(f"{LINE}\n", ""))
    company.host.run("ls", TREE, fails=True)
    company.host.run("ls", COPY, fails=True)
    company.host.run("id", USER, fails=True)
    company.host.run("ls", "-d", f"/opt/home/{USER}")  # kept
    assert company.host.run("id", "-u", "reiji").decode() == "6103\n"
    assert company.host.crontab("reiji").decode() == OTHERS
    mine = company.steps()[MINE]
    assert (mine["done"], mine["by"], mine["note"]) == (True, "offboard.iij_id.linux_machine_info", "agent01")
    assert (company.has_account(), SYNC in str(company.rules()), company.has_account(MAIL)) == (False, False, True)
    assert company.open_at_last() == []
    done = company.state()
    company.play("decommission", fails=True)
    assert company.state() == done

    # what is gone cannot be enabled, and that is said
    assert "The saved copies are" in company.play("restore", "-e", "{offboard_restore: [accounts, tasks]}", fails=True)
    assert (company.rules(), company.has_account()) == (rules, True)
    company.play("final_gate", fails=True)
    assert company.open_at_last() == [("openldap_access_present", SYNC), ("openldap_entry_present", SYNC)]


def test_nothing_of_what_was_confirmed_is_no_frozen_machine(company: Company) -> None:
    """Another inventory, or another name: no cron job would be disabled, and the stage would end well."""
    crontab = f"/var/spool/cron/crontabs/{USER}"
    company.variables["directory_sync_cron_jobs"] = [{"place": f"user:{USER}", "command": f"{SCRIPT} >/dev/null 2>&1"}]
    company.play("snapshot")
    company.host.run("mv", crontab, "/root/kept")
    assert f"None of the machines has what was confirmed: {SCRIPT}" in company.play("freeze", fails=True)
    assert "freeze" not in json.loads((company.run_dir / "machines.json").read_text())["stages"]
    company.host.run("mv", "/root/kept", crontab)
    assert re.search(r"agent01 .* changed=1 ", company.play("freeze"))
    assert company.host.crontab(USER).decode() == DISABLED
    assert re.search(r"agent01 .* changed=0 ", company.play("freeze"))
    # by its own journal it is known why
    company.host.run("rm", crontab)
    company.play("freeze")


def test_a_machine_that_cannot_be_read_hides_no_other_and_is_open(company: Company) -> None:
    company.machines["agent02"] = {**company.host.variables(), "ansible_port": 9, "ansible_ssh_timeout": 2}
    output = company.play("final_gate", fails=True)
    assert "agent02 could not be looked at" in output and "agent01 still has" in output
    assert [code for code, machine in company.open_at_last()] == ["machine_not_readable", "agent_present"]
    company.host.run("rm", "-rf", TREE, COPY)
    company.host.set_crontab(USER, "")
    company.play("final_gate", fails=True)
    assert (company.open_at_last(), company.steps()[MINE]["done"]) == ([("machine_not_readable", "agent02")], False)


def test_without_machines_in_the_group_the_step_is_a_persons(company: Company) -> None:
    company.machines.clear()
    company.variables |= {"directory_sync_openldap_entries": [SYNC], "directory_sync_openldap_access": [SYNC]}
    company.play("snapshot")
    assert MINE in company.play("accounts", fails=True)
    assert (company.steps()[MINE]["done"], company.server.writes()) == (False, [])
    company.play("confirm", "-e", f"step={MINE}", "-e", "{by: Hanako}")
    company.play("accounts")
    assert not company.has_account()


def test_an_account_that_others_need_is_refused_and_may_be_declined(company: Company) -> None:
    company.host.set_crontab(USER, f"{CRONTAB}0 2 * * * /usr/local/bin/others\n")
    company.variables |= {
        "directory_sync_cron_jobs": [{"place": f"user:{USER}", "command": f"{SCRIPT} >/dev/null 2>&1"}], "directory_sync_linux_files": [TREE, COPY],
        "directory_sync_linux_accounts": [{"name": USER, "uid": UID}],
    }  # fmt: skip
    company.play("decommission", "--tags", "snapshot,freeze")
    output = company.play("agents", fails=True)
    assert f"cron has jobs of {USER}" in output and "/usr/local/bin/others" in output
    company.host.run("id", USER)
    # another account of the name, then nobody's word
    company.variables["directory_sync_linux_accounts"] = [{"name": USER, "uid": UID + 1000}]
    assert f"{{name: '{USER}', uid: {UID}}}" in company.play("agents", fails=True)
    company.variables |= {"directory_sync_linux_accounts": [], "directory_sync_not_iij_linux_accounts": [USER]}
    company.play("agents")
    assert company.host.run("id", "-u", USER).decode() == f"{UID}\n"
    assert company.host.crontab(USER).decode() == f"{CRONTAB}0 2 * * * /usr/local/bin/others\n".replace(f"{LINE}\n", "")
