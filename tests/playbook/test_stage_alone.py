# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage that is played alone in check mode has predictions of its own, on the controller and on the machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAGES = "preflight,snapshot,freeze,gate,users,domains,passwords,app,relying_parties,agents,accounts,clients,final_gate,report"
START = {"ansible.builtin.import_role": {"name": "offboard.iij_id.offboard", "tasks_from": "start"}}


def test_a_stage_alone_plans_on_what_it_plans(tmp_path: Path) -> None:
    step = {"id": "a", "stage": "gate", "en": "a", "ja": "a"}
    task = {"path": str(tmp_path / "steps.json"), "steps": [step], "predictions": "{{ offboard_changes.predictions }}"}
    again = {"register": "again", "offboard.iij_id.manual_steps": task, "delegate_to": "localhost"}
    plays = [
        {"hosts": "iij_id_agents", "serial": 1, "gather_facts": False, "tasks": [START, again]},
        {"hosts": "localhost", "gather_facts": False, "tasks": [START, again, {"ansible.builtin.assert": {"that": "not again.changed"}}]},
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


def play(tmp_path: Path, book: Path, *words: str, **variables: object) -> tuple[int, str]:
    """An ansible-playbook with one machine of agents that cannot be reached; how it ended, and what it said."""
    machine = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_user": "x", "ansible_password": "x", "ansible_connection": "winrm"}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"iij_id_agents": {"hosts": {"sync01": machine}}}))
    (tmp_path / "variables.json").write_text(json.dumps({"offboard_run_dir": str(tmp_path / "run"), **variables}))
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "inventory.yml", "-e", "@variables.json", *words, book],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("playbook", "words"),
    [
        ("freeze", ["--skip-tags", "always"]),
        ("freeze", ["--start-at-task", "Disable the schedule of Directory Sync"]),
        ("final_gate", ["--skip-tags", "always"]),
        ("preflight", ["--start-at-task", "Look for products, scheduled tasks, folders and password filters of the agents"]),
        ("agents", ["--start-at-task", "Look for products, scheduled tasks, folders and password filters of the agents"]),
        ("snapshot", ["--skip-tags", "always"]),
    ],
)
def test_the_play_that_refuses_a_limit_cannot_be_stepped_over(tmp_path: Path, playbook: str, words: list[str]) -> None:
    """Nobody would count the failure, or judge, and it would end with 0."""
    code, output = play(tmp_path, ROOT / "playbooks" / f"{playbook}.yml", "--limit", "sync01", *words, directory_sync_products=[{"product_code": "x"}])
    assert code != 0 and "leaves localhost out" in output, output


@pytest.mark.parametrize("playbook", sorted(file.stem for file in ROOT.glob("playbooks/*.yml") if file.stem != "ending"))
def test_no_playbook_runs_with_a_limit_that_leaves_the_controller_out(tmp_path: Path, playbook: str) -> None:
    """Whatever it does: nobody would be there to do or to judge it, and it would end with 0. `ending` only tells what the others have done."""
    code, output = play(tmp_path, ROOT / "playbooks" / f"{playbook}.yml", "--limit", "sync01")
    assert code != 0 and "--limit sync01 leaves localhost out" in output and "--limit 'sync01,localhost'" in output and "TASK" in output, output
    assert "failed=1" in output and "changed=0" in output and not (tmp_path / "run").exists(), output


@pytest.mark.parametrize("playbook", sorted(file.stem for file in ROOT.glob("playbooks/*.yml") if file.stem != "ending"))
def test_no_playbook_runs_with_tags_that_choose_nothing_of_it(tmp_path: Path, playbook: str) -> None:
    """A stage's own playbook has no tags, also not that of its stage, and a tag of decommission may be misspelt: it made the run folder and ended with 0."""
    code, output = play(tmp_path, ROOT / "playbooks" / f"{playbook}.yml", "--tags", "preflihgt" if playbook == "decommission" else playbook)
    assert code != 0 and "chooses nothing of this playbook" in output, output
    assert "failed=1" in output and "changed=0" in output and not (tmp_path / "run").exists(), output


@pytest.mark.parametrize(
    ("playbook", "words"),
    [
        ("users", ("--tags", "users", "--skip-tags", "freeze")),
        ("status", ("--skip-tags", "untagged")),
        ("decommission", ("--tags", "users", "--skip-tags", "users")),
        ("decommission", ("--tags", "report", "--skip-tags", "final_gate")),
        ("decommission", ("--tags", "tagged", "--skip-tags", STAGES)),
        ("decommission", ("--tags", "preflihgt", "--skip-tags", "gate")),
        ("decommission", ("--tags", "untagged")),
        ("decommission", ("--skip-tags", "all")),
    ],
    ids=str,
)
def test_nor_with_tags_that_are_skipped_again(tmp_path: Path, playbook: str, words: tuple[str, ...]) -> None:
    code, output = play(tmp_path, ROOT / "playbooks" / f"{playbook}.yml", *words)
    assert code != 0 and "chooses nothing of this playbook" in output and all(word in output for word in words if "," not in word), output
    assert "failed=1" in output and "changed=0" in output and not (tmp_path / "run").exists(), output


@pytest.mark.parametrize(
    "words", [("--tags", "mine"), ("--tags", "mine", "--skip-tags", "other"), ("--tags", "mine,other"), ("--skip-tags", "other")], ids=" ".join
)
def test_tags_of_whoever_imports_a_playbook_choose_it(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "book.yml").write_text(yaml.safe_dump([{"ansible.builtin.import_playbook": str(ROOT / "playbooks" / "report.yml"), "tags": "mine"}]))
    code, output = play(tmp_path, tmp_path / "book.yml", *words, offboard_options=["directory_sync"], offboard_vault_password="Vault-31")
    assert code == 0 and (tmp_path / "run" / "report.html").exists(), output


def test_decommission_has_a_tag_for_each_of_its_stages_and_knows_all_of_them() -> None:
    begin, *others = yaml.safe_load((ROOT / "playbooks" / "decommission.yml").read_text())
    tags = {tag for play in others for tag in ([play["tags"]] if isinstance(play["tags"], str) else play["tags"])} - {"always"}
    assert (
        {tag for stage in begin["vars"]["__offboard_tags"] for tag in stage} == tags
        and "tags" not in begin
        and all((ROOT / "playbooks" / f"{tag}.yml").exists() for tag in tags)
    )


@pytest.mark.parametrize("words", [("--skip-tags", STAGES), ("--tags", "report"), ("--tags", "report", "--skip-tags", "users")], ids=["none", "one", "both"])
def test_whatever_stages_are_chosen_the_run_begins_and_ends(tmp_path: Path, words: tuple[str, ...]) -> None:
    """The variables are checked, the steps registered, and what comes next is told."""
    book = ROOT / "playbooks" / "decommission.yml"
    code, output = play(tmp_path, book, *words, offboard_options=["directory_sync"], offboard_vault_password="Vault-31")
    assert code == 0 and (tmp_path / "run" / "steps.json").exists() and "Tell what was done, what waits for a person" in output, output
    assert (tmp_path / "run" / "report.html").exists() == ("report" in words), output


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"offboard_gate_max_age_hours": -1}, "offboard_gate_max_age_hours"),
        ({"offboard_gate_max_age_hours": 10**12}, "offboard_gate_max_age_hours"),
        ({"microsoft_365_max_blocked_percent": 101}, "microsoft_365_max_blocked_percent"),
        ({"offboard_max_changes": "many"}, "offboard_max_changes"),
        ({"directory_sync_accounts_recently_used_days": -3}, "directory_sync_accounts_recently_used_days"),
        ({"microsoft_365_min_break_glass": True}, "microsoft_365_min_break_glass"),
        ({"offboard_run_dir": ""}, "offboard_run_dir"),
        ({"offboard_run_dir": None}, "offboard_run_dir"),
        ({"offboard_options": ""}, "offboard_options"),
        ({"offboard_options": None}, "offboard_options"),
    ],
    ids=str,
)
def test_what_must_not_begin_a_run_is_told_before_anything_is_done(tmp_path: Path, variables: dict[str, object], told: str) -> None:
    book = tmp_path / "book.yml"
    book.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [START]}]))
    code, output = play(tmp_path, book, **variables)
    assert code != 0 and told in output and not (tmp_path / "run").exists(), output


def test_a_stage_that_begins_later_demands_the_gate_whatever_the_number(tmp_path: Path) -> None:
    """With null the option was as if it had not been given, and nobody asked for the gate's verdict."""
    for role in ("microsoft_365", "directory_sync"):
        for given in (None, "", 24):
            words = ["-i", "localhost,", "-m", "ansible.builtin.debug", "-a", f"var=__{role}_requires"]
            words += [word for of in ("offboard", role) for word in ("-e", f"@{ROOT}/roles/{of}/vars/main.yml")]
            more = {"__offboard_run_dir": "/x", "offboard_options": ["microsoft_365"], "offboard_gate_max_age_hours": given, "groups_of": []}
            done = subprocess.run(
                [Path(sys.executable).parent / "ansible", *words, "-e", json.dumps(more), "localhost"],
                env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            found = json.loads(done.stdout.partition("=>")[2])[f"__{role}_requires"]
            assert int(found["gate_max_age_hours"]) == 24, done.stdout


def test_nothing_is_brought_back_from_a_folder_that_knows_nothing(tmp_path: Path) -> None:
    """A name that differs by a letter is a new folder: it was made, nothing was brought back, and it ended well."""
    variables = {"offboard_options": ["directory_sync"], "offboard_restore": ["tasks"], "offboard_language": "en", "offboard_vault_password": "Vault-31"}
    code, output = play(tmp_path, ROOT / "playbooks" / "restore.yml", **variables)
    assert code != 0 and "has neither a journal nor a snapshot" in output and "元に戻すもの" not in output, output
    assert "Enable the schedule" not in output.partition("neither a journal")[2] and "Traceback" not in output, output


SLICE = {"workflow_job_id": 7, "workflow_job_name": "exit: users", "job_template_name": "exit: users", "workflow_job_launch_type": "manual"}


@pytest.mark.parametrize(
    ("given", "in_workflow"),
    [
        ({}, False),
        (SLICE | {"workflow_job_name": "exit"}, True),
        # of a template that is sliced AWX makes a workflow of its own
        (SLICE, False),
        (SLICE | {"workflow_job_launch_type": "scheduled"}, False),
        # a node of the workflow that is sliced
        (SLICE | {"workflow_job_launch_type": "workflow"}, True),
        ({"workflow_job_id": 7}, True),
    ],
    ids=str,
)
def test_a_slice_is_no_job_of_a_workflow_that_goes_on(tmp_path: Path, given: dict[str, object], in_workflow: bool) -> None:
    for prefix in ("awx", "tower"):
        words = ["-i", "localhost,", "-m", "ansible.builtin.debug", "-a", "var=__offboard_in_workflow", "-e", f"@{ROOT}/roles/offboard/vars/main.yml"]
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible", *words, "-e", json.dumps({f"{prefix}_{name}": value for name, value in given.items()}), "localhost"],
            env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert json.loads(done.stdout.partition("=>")[2])["__offboard_in_workflow"] is in_workflow, done.stdout
