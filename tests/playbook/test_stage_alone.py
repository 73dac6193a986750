# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage that is played alone in check mode has predictions of its own, on the controller and on the machines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml


def test_a_stage_alone_plans_on_what_it_plans(tmp_path: Path) -> None:
    run = {"ansible.builtin.import_role": {"name": "offboard.iij_id.offboard"}}
    step = {"id": "a", "stage": "gate", "en": "a", "ja": "a"}
    task = {"path": str(tmp_path / "steps.json"), "steps": [step], "predictions": "{{ offboard_changes.predictions }}"}
    again = {"register": "again", "offboard.iij_id.manual_steps": task, "delegate_to": "localhost"}
    plays = [
        {"hosts": "iij_id_agents", "serial": 1, "gather_facts": False, "tasks": [run, again]},
        {"hosts": "localhost", "gather_facts": False, "tasks": [run, again, {"ansible.builtin.assert": {"that": "not again.changed"}}]},
    ]
    (tmp_path / "book.yml").write_text(yaml.safe_dump(plays))
    hosts = {"hosts": {"b-server": {}, "a-server": {}}}
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "offboard_run_dir": str(tmp_path / "run")}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {"vars": variables, "hosts": {"localhost": {}}, "children": {"iij_id_agents": hosts}}}))
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "inventory.yml", "--check", "book.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "run").exists()
