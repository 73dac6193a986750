# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task that takes hosts out of a machine's browsers is told which group policies bring them back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev import places

ROLE = places.ROOT / "roles" / "integrated_windows_authentication"
ONE, OTHER, NONE = (f"{{{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 12}}}" for digit in "A12")
FOUND = {"policies": [{"guid": ONE, "mentions": [{"kind": "registry"}]}, {"guid": OTHER, "mentions": [{}]}, {"guid": NONE, "mentions": []}]}


@pytest.mark.parametrize(
    ("found", "check", "guids"),
    [
        (FOUND, False, [ONE, OTHER]),
        (FOUND, True, [OTHER]),
        (FOUND, None, [OTHER]),
        ({"skipped": True}, False, []),
        ({"failed": False, "msg": "no"}, True, []),
        (None, False, []),
    ],
)
def test_what_the_task_is_told(tmp_path: Path, found: Any, check: bool | None, guids: list[str]) -> None:
    (task,) = yaml.safe_load((ROLE / "tasks" / "machine.yml").read_text())
    told = {"ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(tmp_path / "told.json")}, "check_mode": False}
    told["vars"] = {"told": task["offboard.iij_id.win_browser_sign_in"]["policies"]}
    if check is None:  # compared with an approved plan
        told["vars"]["__offboard_comparison"] = "compared.jsonl"
    plays: list[dict[str, Any]] = [
        {"hosts": "localhost", "tasks": [{"ansible.builtin.set_fact": {"__offboard_group_policies": found}}] if found else []},
        {"hosts": "pc1", "vars_files": [str(ROLE / "defaults/main.yml"), str(ROLE / "vars/main.yml")], "tasks": [told]},
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"gather_facts": False, **play} for play in plays]))
    confirmed = {"integrated_windows_authentication_policies": [ONE.strip("{}").lower()], "ansible_python_interpreter": sys.executable}
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,pc1,", "-c", "local", "-e", yaml.safe_dump(confirmed, default_flow_style=True),
         *(["--check"] if check else []), "play.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [policy["guid"] for policy in yaml.safe_load((tmp_path / "told.json").read_text())] == guids


def test_the_stage_reads_them_after_its_own_edit_and_compares_all_of_it_before() -> None:
    stage = places.ROOT / "playbooks/stages/clients.yml"
    tasks = [task for play in yaml.safe_load(stage.read_text()) for block in play["tasks"] for task in block.get("block", [block])]
    played = [
        f"{task['ansible.builtin.import_tasks']} {task.get('vars', {}).get('__offboard_tasks', '')}".strip()
        if "ansible.builtin.import_tasks" in task
        else task["ansible.builtin.import_role"]["tasks_from"]
        for task in tasks
    ]
    compared = ["tasks/comparison.yml tasks/policies_and_devices.yml", "read_client", "clients_left", "group_policies"]
    compared += ["tasks/compared_machine.yml tasks/client.yml", "all_compared"]
    assert played == [*compared, "tasks/policies_and_devices.yml", "group_policies", "tasks/client.yml", "all_machines"]
    edit = yaml.safe_load((stage.parent / "tasks/policies_and_devices.yml").read_text())
    assert [task["ansible.builtin.import_role"]["tasks_from"] for task in edit] == ["intune", "policies"]
