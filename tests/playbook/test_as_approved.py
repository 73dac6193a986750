# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a plan was approved, all of a stage is compared with it before its first change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dev import places

#: A first task that writes, one in an include, and a last one that is not approved.
TASKS = """
- name: Write
  ansible.builtin.copy: {content: written, dest: "{{ place }}/first"}
- name: Go on
  ansible.builtin.include_tasks: more.yml
- name: Compare
  ansible.builtin.assert: {that: approved | bool or not (__offboard_rehearsal | default(false))}
"""
MORE = """
- name: Write more
  ansible.builtin.copy: {content: written, dest: "{{ place }}/second"}
"""


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ((), True),
        (("-e", "offboard_plan_hash="), True),
        (("-e", "offboard_plan_hash='  '"), True),
        (("-e", '{"offboard_plan_hash": null}'), True),
        (("-e", "offboard_plan_hash=ab12"), False),
        (("-e", "offboard_plan_hash=ab12", "-e", "approved=true"), True),
        (("--check", "-e", "offboard_plan_hash=ab12", "-e", "approved=true"), False),
        (("--check",), False),
    ],
)
def test_nothing_is_written_before_the_last_task_is_compared(tmp_path: Path, words: tuple[str, ...], written: bool) -> None:
    (tmp_path / "tasks.yml").write_text(TASKS)
    (tmp_path / "more.yml").write_text(MORE)
    place = tmp_path / "place"
    place.mkdir()
    first = {"ansible.builtin.import_tasks": str(places.ROOT / "playbooks" / "stages" / "tasks" / "as_approved.yml")}
    task = {**first, "vars": {"__offboard_tasks": str(tmp_path / "tasks.yml")}}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", "-e", f"place={place}", "-e", "approved=false",
         *words, "play.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert [file.name for file in sorted(place.iterdir())] == (["first", "second"] if written else []), done.stdout + done.stderr
    assert "empty" not in done.stderr
    refused = "offboard_plan_hash=ab12" in words and "approved=true" not in words
    assert (done.returncode != 0) == refused, done.stdout + done.stderr
