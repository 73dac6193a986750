# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a plan was approved, all of a stage is compared with it before its first change."""

from __future__ import annotations

import collections
import json
import os
import re
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
  ansible.builtin.assert: {that: approved | bool or not (__offboard_comparison | default(false))}
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
    (tmp_path / "tasks").symlink_to(places.ROOT / "playbooks" / "stages" / "tasks")
    task = {"ansible.builtin.import_tasks": "tasks/as_approved.yml", "vars": {"__offboard_tasks": "tasks.yml"}}
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


@pytest.mark.parametrize(("words", "told"), [((), "offboard_plan_hash stands in the inventory"), (("-e", "offboard_plan_hash=cd34"), "")])
def test_a_hash_in_the_inventory_is_refused(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    """Nothing would be compared before the first change."""
    variables = {"offboard_run_dir": str(tmp_path / "run"), "offboard_language": "en", "offboard_options": ["custom_applications"]}
    inventory = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}, "vars": {**variables, "offboard_plan_hash": "ab12"}}}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.yml", *words, places.ROOT / "playbooks" / "users.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (told in done.stdout) and (done.returncode != 0) == bool(told), done.stdout + done.stderr
    assert (tmp_path / "run").exists() != bool(told)


@pytest.mark.parametrize(
    ("words", "refused"),
    [((), False), (("-e", "offboard_plan_hash="), False), (("-e", "offboard_plan_hash=ab12"), True), (("--check", "-e", "offboard_plan_hash=ab12"), False)],
)
def test_what_compares_nothing_changes_nothing_where_a_plan_was_approved(tmp_path: Path, words: tuple[str, ...], refused: bool) -> None:
    """A playbook that knows of no approval would do all of it, whatever was approved."""
    order = {"order": ["azureActiveDirectory"], "graph_url": "https://localhost:9", "access_token": "x", "timeout": 1, "max_retries": 0}
    kept = {"path": str(tmp_path / "kept.yml"), "content": {"a": 1}, "vault_password": "Vault-31"}
    tasks = [{"offboard.iij_id.vault_file": kept}, {"offboard.iij_id.entra_redemption_order": order}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    env = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_COLLECTIONS_PATH": str(places.tree())}
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", *words, "play.yml"],
        env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and done.stdout.count("ok: [localhost]") + done.stdout.count("changed: [localhost]") == 1, done.stdout + done.stderr
    assert ('"code": "plan_hash_not_heeded"' in done.stdout) == refused, done.stdout


#: Each task plans for what the ones of its file before would leave behind, and for nothing that has been done since.
PREDICTIONS = """
- name: Tell where it stands
  ansible.builtin.lineinfile:
    path: "{{ place }}/seen"
    create: true
    line: "{{ __offboard_tasks }} {{ __offboard_comparison is defined }} {{ predictions if predictions is string else '-' }}"
  vars:
    predictions: "{{ offboard_changes.predictions }}"
  check_mode: false
"""


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        ((), ["False"]),
        (("-e", "offboard_plan_hash=ab12"), ["True", "False"]),
        (("--check",), ["False"]),
        (("--check", "-e", "offboard_plan_hash=ab12"), ["False"]),
    ],
)
def test_what_a_comparison_predicts_is_for_itself(tmp_path: Path, words: tuple[str, ...], passes: list[str]) -> None:
    """A check run with a hash compares anyway, and would find nothing left to do beside predictions of its own."""
    (tmp_path / "tasks").symlink_to(places.ROOT / "playbooks" / "stages" / "tasks")
    tasks = []
    for name in ("a.yml", "b.yml"):
        (tmp_path / name).write_text(PREDICTIONS)
        tasks.append({"ansible.builtin.import_tasks": "tasks/as_approved.yml", "vars": {"__offboard_tasks": name}})
    files = [str(places.ROOT / "roles" / "offboard" / folder / "main.yml") for folder in ("defaults", "vars")]
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars_files": files, "tasks": tasks}]))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", "-e", f"place={tmp_path}", *words, "play.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [line.split() for line in (tmp_path / "seen").read_text().splitlines()]
    assert [told[:2] for told in seen] == [[name, rehearsal] for name in ("a.yml", "b.yml") for rehearsal in passes]
    compared = [told[2] for told in seen if told[1] == "True"]
    assert len({*compared}) == len(compared)
    assert all(name.endswith(".jsonl") for name in compared)
    planned = [told[2] for told in seen if told[1] == "False"]
    assert all(name.endswith("/offboard-predictions.jsonl") == ("--check" in words) and name not in compared for name in planned)


def test_every_stage_plays_its_own_tasks_twice(tmp_path: Path) -> None:
    """Those of machines, and of what is edited before them, in plays that have no host where no plan was approved."""
    headings = {}
    for given in ("", "ab12"):
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "--list-tasks", "-e", f"offboard_plan_hash={given}",
             places.ROOT / "playbooks" / "decommission.yml"],
            env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        plays = [play for play in done.stdout.split("\n  play #")[1:] if given or not re.match(r"\d+ \(!all\b", play)]
        lines = "\n".join(plays).splitlines()
        headings[given] = collections.Counter(line.partition("TAGS:")[0].strip() for line in lines if line.startswith("      ") and "TAGS:" in line)
    more = headings["ab12"] - headings[""]
    told = {name.partition(" : ")[2] for name in more}
    assert {
        "Do what shall be otherwise than the snapshot says", "Give passwords or passes and write them into the hand-over file",
        "Remove grants, service principal and application", "Disable or remove the confirmed accounts and groups", "Disable or remove the confirmed accounts",
        "Take the accounts of Directory Sync out of OpenLDAP", "Take off what is there", "Remove the confirmed assignments in Intune",
        "Take IIJ ID's hosts out of the confirmed group policies", "Disable the schedule of Directory Sync", "Disable the cron jobs of Directory Sync",
    } <= told  # fmt: skip
    assert "Convert the domains to managed, one after the other" not in told


@pytest.mark.parametrize("words", [(), ("-e", "offboard_plan_hash=ab12"), ("--check", "-e", "offboard_plan_hash=ab12")])
def test_what_is_brought_back_is_compared_before(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "journal.jsonl").touch(mode=0o600)
    given = {"offboard_run_dir": str(tmp_path / "run"), "offboard_options": ["microsoft_365"], "offboard_restore": ["app"]}
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", "-e", json.dumps(given), *words,
         places.ROOT / "playbooks" / "restore.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    compared = words[:1] == ("-e",)
    assert done.stdout.count("TASK [offboard.iij_id.microsoft_365 : Bring IIJ ID's app registrations back]") == (2 if compared else 1), done.stdout
