# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a person has to read of a whole run in which there is nothing to do: each task is a heading."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
INVENTORY = "[iij_id_agents]\na\n[iij_id_domain_controllers]\na\n[iij_id_linux_agents]\nb\n[iij_id_browser_machines]\na\n"
#: With a machine in every group, and without Linux. What is done only where something is to be done, failed or is checked, is an include, a rescue or a play
#: without hosts (!all), which is not among them. Nobody reads more: hand numbers on by `__offboard_hand_on`, keep by `__offboard_kept`, see CONTRIBUTING.md.
MOST, MOST_WITHOUT_LINUX = 84, 77
#: Of the includes, those that a company with OpenLDAP and with restarts of domain controllers goes into, although there is nothing to do any more: what
#: they hold comes on top.
WITH_EVERYTHING = ("openldap_saved", "openldap_remove", "restart")
MOST_WITH_EVERYTHING = 90


def _headings(tasks: list[dict[str, Any]], folder: Path) -> int:
    """How many headings a file of tasks prints when nothing fails; an include is one."""
    number = 0
    for task in tasks:
        role = task.get("ansible.builtin.import_role")
        if "block" in task:
            number += _headings(task["block"], folder)
        elif name := task.get("ansible.builtin.import_tasks"):
            number += _headings(yaml.safe_load((folder / name).read_text()), folder)
        elif role:
            place = folder.parents[1] / role["name"].rpartition(".")[2] / "tasks"
            number += _headings(yaml.safe_load((place / f"{role.get('tasks_from', 'main')}.yml").read_text()), place)
        else:
            number += 1
    return number


def test_a_run_with_nothing_to_do_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text(INVENTORY)
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "inventory", "--list-tasks", ROOT / "playbooks" / "decommission.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    plays = [play for play in re.split(r"^  play #(?=\d+ )", done.stdout, flags=re.MULTILINE)[1:] if not re.match(r"\d+ \(!all\b", play)]
    numbers = {play.partition("\n")[0]: len(re.findall(r"^      \S.*TAGS: ", play, re.MULTILINE)) for play in plays}
    assert sum(numbers.values()) <= MOST, numbers
    assert sum(number for play, number in numbers.items() if "(iij_id_linux_agents)" not in play) <= MOST_WITHOUT_LINUX, numbers
    folder = ROOT / "roles" / "directory_sync" / "tasks"
    more = {name: _headings(yaml.safe_load((folder / f"{name}.yml").read_text()), folder) for name in WITH_EVERYTHING}
    assert sum(numbers.values()) + sum(more.values()) <= MOST_WITH_EVERYTHING, (sum(numbers.values()), more)
