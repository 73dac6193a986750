# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry points that several playbooks share: the steps of a person of any role, and looking at a machine that cannot be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from dev import places

OPTIONS = [
    "directory_sync",
    "microsoft_365",
    "custom_applications",
    "multi_factor_authentication",
    "external_identity_providers",
    "integrated_windows_authentication",
]


def play(folder: Path, tasks: list[dict[str, Any]], hosts: dict[str, Any], **variables: Any) -> str:
    own = {"ansible_python_interpreter": sys.executable, "offboard_run_dir": str(folder / "run"), **variables}
    (folder / "book.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"vars": own, "hosts": hosts}}))
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "inventory.yml", "book.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_role_has_its_steps_by_one_entry(tmp_path: Path) -> None:
    roles = sorted(file.parts[-3] for file in places.ROOT.glob("roles/*/vars/steps.yml"))
    assert roles == sorted([*OPTIONS, "report"])
    entry = {"name": "offboard.iij_id.offboard", "tasks_from": "steps"}
    tasks = [{"ansible.builtin.import_role": entry, "vars": {"__offboard_steps_of": names}} for names in (["report"], "{{ offboard_options }}")]
    play(tmp_path, tasks, {"localhost": {"ansible_connection": "local"}}, offboard_options=[*OPTIONS, OPTIONS[0]])  # one named twice is one
    wanted = {step["id"] for role in roles for steps in yaml.safe_load((places.ROOT / f"roles/{role}/vars/steps.yml").read_text()).values() for step in steps}
    assert {step["id"] for step in json.loads((tmp_path / "run" / "steps.json").read_text())["steps"]} == wanted


def test_a_machine_that_cannot_be_read_is_remembered_and_ends_nothing(tmp_path: Path) -> None:
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.import_role": {"name": "offboard.iij_id.directory_sync", "tasks_from": "look"}},
        {"ansible.builtin.debug": {"msg": "remembered: {{ __directory_sync_looked.kept.error }}"}},
    ]
    server = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_connection": "winrm", "ansible_user": "u", "ansible_password": "p"}
    output = play(tmp_path, tasks, {"server": server}, offboard_options=["directory_sync"])
    assert "remembered: " in output
    assert "rescued=1" in output
