# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a plan was approved, all machines of a stage are compared with it before the first of them is changed. They are folders of this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev import places

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="crontabs of others can be read by root alone")


#: A command that has the folder named first in place of /etc/cron.d, for itself alone.
WITH_CRON = ("unshare", "--mount", "sh", "-c", 'mount --bind "$1" /etc/cron.d && shift && exec "$@"', "sh")


class Company:
    def __init__(self, folder: Path) -> None:
        self.folder, self.run_dir, self.cron = folder, folder / "run", folder / "cron.d"
        self.cron.mkdir()
        self.trees = {name: folder / f"machines/{name}/IIJ_ID_Service_Directory_Sync" for name in ("agent1", "agent2")}
        for tree in self.trees.values():
            (tree / "config").mkdir(parents=True)
            (tree / "config/secret.yml").write_text("x\n")

    def job(self, name: str) -> dict[str, str]:
        """Both machines have one /etc/cron.d."""
        return {"place": f"/etc/cron.d/{name}", "command": f"{self.trees[name]}/bin/normal_mode.sh"}

    def play(self, playbook: str, *words: str, off: str = "", alone: str = "", **variables: Any) -> tuple[int, str]:
        here = {"ansible_connection": "local", "ansible_become": False}
        hosts: dict[str, Any] = {
            # a text is the list that it means, among the variables of a machine as well
            name: {
                "directory_sync_linux_files": f"{tree}\n",
                "directory_sync_linux_search": json.dumps([str(tree.parent)]),
                "directory_sync_cron_jobs": [self.job(name)],
                "directory_sync_not_iij_cron_jobs": [self.job(other)["place"] for other in self.trees if other != name],
                **here,
            }
            for name, tree in self.trees.items()
        }
        if off:
            hosts[off] |= {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
        hosts["agent2"] |= {"offboard_plan_hash": alone} if alone else {}
        inventory = {"all": {"hosts": {"localhost": here}}, "iij_id_linux_agents": {"hosts": hosts}}
        (self.folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
        given = {"offboard_run_dir": str(self.run_dir), "offboard_options": ["directory_sync"], "offboard_language": "en"}
        given |= {"offboard_vault_password": "Vault-31", "directory_sync_linux_folders": [], "ansible_python_interpreter": sys.executable}
        (self.folder / "variables.json").write_text(json.dumps(given | variables))
        done = subprocess.run(
            [*WITH_CRON, self.cron, Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.yml", "-e", "@variables.json", *words,
             places.ROOT / "playbooks" / f"{playbook}.yml"],
            env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=self.folder, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    def approved(self, playbook: str, **variables: Any) -> str:
        """The hash of what would be done now."""
        before = set(self.plans())
        code, output = self.play(playbook, "--check", **variables)
        assert code == 0, output
        (plan,) = set(self.plans()) - before
        return plan.stem

    def plans(self) -> list[Path]:
        return [*self.run_dir.glob("plans/*")]

    @property
    def left(self) -> list[str]:
        return [name for name, tree in self.trees.items() if tree.exists()]


def test_all_machines_are_compared_before_the_first_is_changed(tmp_path: Path) -> None:
    """One company from its approval to its end: each run costs many seconds."""
    company = Company(tmp_path)
    code, output = company.play("snapshot")
    assert code == 0, output
    sha256 = company.approved("agents")

    more = company.trees["agent2"] / "config/new.yml"
    more.write_text("somebody is at work here\n")
    for language, told in (
        ("en", "No machine was changed. Machines on which something would be done that was not approved: 1. agent2: "),
        ("ja", "どのマシンも"),
    ):
        code, output = company.play("agents", offboard_plan_hash=sha256, offboard_language=language)
        assert code == 2 and company.left == ["agent1", "agent2"], output
        assert told in output, output
        assert "agent1" not in output.rpartition(told)[2].partition("PLAY RECAP")[0], output
        record = json.loads((company.run_dir / "machines.json").read_text())["stages"]
        assert "agents" not in record, record
    more.unlink()

    # a machine that is switched off holds back no other; a hash among a machine's own variables would compare this one alone
    code, output = company.play("agents", off="agent1", alone=sha256)
    assert code == 2 and company.left == ["agent1", "agent2"], output
    assert "offboard_plan_hash stands among the variables of this machine" in output, output

    code, output = company.play("agents", off="agent1", offboard_plan_hash=sha256)
    assert code == 2 and company.left == ["agent1"], output
    assert json.loads((company.run_dir / "machines.json").read_text())["stages"]["agents"]["done"] == ["agent2"]

    code, output = company.play("agents", alone=sha256, offboard_plan_hash=sha256)
    assert code == 0 and company.left == [], output


def test_all_machines_are_compared_before_the_first_is_brought_back(tmp_path: Path) -> None:
    company = Company(tmp_path)
    jobs = {name: company.cron / name for name in company.trees}
    for name, job in jobs.items():
        job.write_text(f"0 3 * * * root {company.job(name)['command']}\n")
    before = {name: job.read_bytes() for name, job in jobs.items()}
    for playbook in ("snapshot", "freeze"):
        code, output = company.play(playbook)
        assert code == 0, output
    frozen = {name: job.read_bytes() for name, job in jobs.items()}
    assert all(frozen[name] != before[name] for name in jobs)

    back = {"offboard_restore": "tasks"}
    jobs["agent2"].write_bytes(before["agent2"])
    sha256 = company.approved("restore", **back)
    jobs["agent2"].write_bytes(frozen["agent2"])
    code, output = company.play("restore", offboard_plan_hash=sha256, **back)
    assert code == 2 and "No machine was changed. Machines on which something would be done that was not approved: 1. agent2: " in output, output
    assert {name: job.read_bytes() for name, job in jobs.items()} == frozen

    sha256 = company.approved("restore", **back)
    code, output = company.play("restore", offboard_plan_hash=sha256, **back)
    assert code == 0 and {name: job.read_bytes() for name, job in jobs.items()} == before, output
