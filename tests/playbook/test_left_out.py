# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage of which `--limit` leaves machines out says so at its end, and so does everything after it until they are done."""

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


class Company:
    """Three folders of this machine as Linux machines with Directory Sync."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run_dir = folder, folder / "run"
        self.trees = {f"lnx{number}": folder / f"machines/lnx{number}/IIJ_ID_Service_Directory_Sync" for number in (1, 2, 3)}
        for tree in self.trees.values():
            (tree / "config").mkdir(parents=True)
            (tree / "config/secret.yml").write_text("x\n")
        here = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": sys.executable}
        linux: dict[str, Any] = {
            name: {"directory_sync_linux_files": [str(tree)], "directory_sync_linux_search": [str(tree.parent)], **here} for name, tree in self.trees.items()
        }
        groups = {"iij_id_linux_agents": {"hosts": linux}}
        (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"localhost": here}}, **groups}))
        (folder / "rest.retry").write_text("lnx2\nlocalhost\n")

    def play(self, playbook: str, *words: str, language: str = "en", code: int = 0) -> str:
        variables = {"offboard_run_dir": str(self.run_dir), "offboard_options": ["directory_sync"], "offboard_language": language}
        variables |= {"offboard_vault_password": "Vault-31", "directory_sync_linux_folders": []}
        (self.folder / "variables.json").write_text(json.dumps(variables))
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.yml", "-e", "@variables.json", *words,
             places.ROOT / "playbooks" / f"{playbook}.yml"],
            env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=self.folder, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def told(self, output: str) -> list[str]:
        """The last lines."""
        found = re.findall(r"^TASK \[\S+ : Tell wh(?:at was done|ere the run)[^]]*\] \*+\n(.*?)^ok: ", output, re.DOTALL | re.MULTILINE)
        return found[-1].splitlines()


def test_a_limit_is_told_until_the_rest_is_done(tmp_path: Path) -> None:
    company = Company(tmp_path)
    out = "Not looked at (snapshot): 2 of the inventory's machines, left out by --limit or not reached: lnx2, lnx3"
    rest = "Still to be done (snapshot): 2 of 3 machines: lnx2, lnx3. Run snapshot for them too."
    # a check run tells what it left out, and keeps nothing
    assert out in company.told(company.play("snapshot", "--check", "--limit", "lnx1,localhost"))
    assert not (company.run_dir / "machines.json").exists()
    output = company.play("snapshot", "--limit", "lnx1,localhost")
    assert {out, rest} <= {*company.told(output)}
    # the rest of them by a file that a run has left behind
    told = company.told(company.play("snapshot", "--limit", "@rest.retry", language="ja"))
    assert "未確認（snapshot）: --limit の対象外または接続不可のため、インベントリーのマシン2台を確認していません: lnx1, lnx3" in told
    assert "未実施（snapshot）: 3台中1台のマシン: lnx3。snapshot をこれらのマシンでも実行してください。" in told
    # later, by others: the state is told too, and a stage after it does not take it for done
    rest = "Still to be done (snapshot): 1 of 3 machines: lnx3. Run snapshot for them too."
    assert rest in company.told(company.play("status"))
    output = company.play("agents", code=2)
    assert rest in company.told(output) and "1 of 3 machines failed; the others are done." in output and "lnx3: There is no machines/lnx3.yml" in output
    assert [name for name, tree in company.trees.items() if tree.exists()] == ["lnx3"]
    # nor does the final gate believe a record
    output = company.play("final_gate", "--limit", "lnx1,localhost", code=2)
    found = json.loads((company.run_dir / "results/final_gate.json").read_text())["findings"]
    assert sorted(item["objects"][0] for item in found if item["code"] == "machine_not_readable") == ["lnx2", "lnx3"]
    # nor what follows the agents: it cannot be known whether they still need the account
    (step,) = [item for item in json.loads((company.run_dir / "steps.json").read_text())["steps"] if item["id"] == "other_directory_servers_clean"]
    assert not step["done"]


def test_what_is_stepped_over_was_not_done(tmp_path: Path) -> None:
    company = Company(tmp_path)
    output = company.play("snapshot", "--start-at-task", "Look at the confirmed accounts and groups")
    assert "Not looked at (snapshot): 3 of the inventory's machines, left out by --limit or not reached: lnx1, lnx2, lnx3" in company.told(output)
