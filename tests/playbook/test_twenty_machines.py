# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twenty machines, two of which cannot be reached: a Windows server by WinRM, and a Linux machine by SSH. The other eighteen are folders of this one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev import places

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="crontabs of others can be read by root alone")

GONE = {"agent07": "Failed to connect to the host via ssh", "sync01": "refused the connection to http://127.0.0.1:9/wsman"}


class Company:
    def __init__(self, folder: Path) -> None:
        self.folder, self.run_dir = folder, folder / "run"
        self.trees = {f"agent{number:02}": folder / f"machines/agent{number:02}/IIJ_ID_Service_Directory_Sync" for number in range(1, 20)}
        for tree in self.trees.values():
            for name in ("bin/normal_mode.sh", "config/secret.yml"):
                (tree / name).parent.mkdir(parents=True)
                (tree / name).write_text("x\n")

    def play(self, playbook: str) -> tuple[int, str]:
        here = {"ansible_connection": "local", "ansible_become": False}
        linux: dict[str, Any] = {
            name: {"directory_sync_linux_files": [str(tree)], "directory_sync_linux_search": [str(tree.parent)], **here} for name, tree in self.trees.items()
        }
        linux["agent07"] |= {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
        windows = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_connection": "winrm", "ansible_winrm_scheme": "http"}
        windows |= {"ansible_winrm_transport": "ntlm", "ansible_user": "u", "ansible_password": "Hush-31"}
        groups = {"iij_id_linux_agents": {"hosts": linux}, "iij_id_agents": {"hosts": {"sync01": windows}}}
        (self.folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"localhost": here}}, **groups}))
        variables = {"offboard_run_dir": str(self.run_dir), "offboard_options": ["directory_sync"], "offboard_language": "en"}
        variables |= {"offboard_vault_password": "Vault-31", "directory_sync_linux_folders": [], "ansible_python_interpreter": sys.executable}
        (self.folder / "variables.json").write_text(json.dumps(variables))
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.yml", "-e", "@variables.json", "-f", "10",
             places.ROOT / "playbooks" / f"{playbook}.yml"],
            env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=self.folder, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        assert "Hush-31" not in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    def stopped(self, playbook: str) -> None:
        """It ends as a failure, with one message that names both, each with its own reason."""
        code, output = self.play(playbook)
        assert code == 2, output
        (told,) = set(re.findall(r'"msg": "(.*machines failed.*)"', output))
        assert told.startswith("2 of 20 machines failed; the others are done."), told
        for name, why in GONE.items():
            assert f" {name}: " in told and told.count(why) == 1, told
        assert "agent08" not in told


def saved(company: Company) -> list[str]:
    """Saves the machines; those of the others are there."""
    company.stopped("snapshot")
    others = sorted(company.trees.keys() - GONE.keys())
    assert sorted(file.stem for file in (company.run_dir / "snapshot/machines").glob("*.yml")) == others
    return others


def test_the_others_are_saved_and_one_message_names_both(tmp_path: Path) -> None:
    saved(Company(tmp_path))


@pytest.mark.long
def test_the_others_are_done_and_the_gate_stays_open(tmp_path: Path) -> None:
    company = Company(tmp_path)
    others = saved(company)
    company.stopped("agents")
    assert [name for name in company.trees if name not in others] == [name for name, tree in company.trees.items() if tree.exists()] == ["agent07"]
    code, output = company.play("final_gate")
    found = json.loads((company.run_dir / "results/final_gate.json").read_text())["findings"]
    there = [(item["code"], item["objects"][0]) for item in found if item["severity"] == "blocker" and item["code"] != "step_not_done"]
    assert code == 2 and sorted(there) == [("machine_not_readable", name) for name in sorted(GONE)], output


def test_a_machine_of_users_that_cannot_be_read_fails_the_stage_clients_and_is_not_touched(tmp_path: Path) -> None:
    """Also where a stopped run has begun something there."""
    windows = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_connection": "winrm", "ansible_winrm_scheme": "http"}
    windows |= {"ansible_winrm_transport": "ntlm", "ansible_user": "u", "ansible_password": "Hush-31"}
    groups = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}, "iij_id_browser_machines": {"hosts": {"pc1": windows}}}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(groups))
    record = {
        "record": "intent",
        "run": "r",
        "at": "2026-11-01T00:00:00Z",
        "kind": "windows_certificate",
        "id": "127.0.0.1/machine/x",
        "name": "x",
        "action": "remove",
    }
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "journal.jsonl").write_text(json.dumps(record, separators=(",", ":")) + "\n")
    variables = {"offboard_run_dir": str(tmp_path / "run"), "offboard_options": ["multi_factor_authentication"], "offboard_language": "en"}
    (tmp_path / "variables.json").write_text(json.dumps({**variables, "offboard_vault_password": "Vault-31"}))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.yml", "-e", "@variables.json", places.ROOT / "playbooks" / "clients.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert done.returncode == 2 and "1 of 1 machines failed. pc1: 127.0.0.1: refused the connection" in output, output
    assert "Remove the confirmed device certificates" not in output and "Traceback" not in output, output
