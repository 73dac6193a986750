# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX makes of a survey's answers: an empty one is null for ansible-core 2.19 (an empty text before), several are a list or lines."""

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
from lab import inventory
from lab.testing import RunningTenant

LOCALHOST = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


def play(folder: Path, playbook: str, answers: str, **variables: Any) -> tuple[int, str]:
    """`answers` is a file of extra variables as AWX writes it."""
    (folder / "answers.yml").write_text(answers)
    (folder / "inventory.json").write_text(
        json.dumps({"all": {"hosts": {"localhost": LOCALHOST}, "vars": {"offboard_run_dir": str(folder / "run"), **variables}}})
    )
    argv = [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.json", f"offboard.iij_id.{playbook}", "-e", "@answers.yml"]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(places.tree()), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _steps(folder: Path, *done: str) -> None:
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    records = [
        {"id": name, "stage": "gate", "en": name, "ja": name, "blocks_final_gate": True, "source": "", "done": name in done, "by": "", "at": "", "note": ""}
        for name in ("provisioning_stopped", "break_glass_tested")
    ]
    (folder / "run" / "steps.json").write_text(json.dumps({"steps": records}))


@pytest.mark.parametrize(
    ("answers", "confirmed"),
    [
        ("step: [provisioning_stopped]\nwithdraw: 'false'\nnote: !unsafe ''\n", {"provisioning_stopped": ""}),
        ("step: !unsafe |\n  provisioning_stopped\n  break_glass_tested\nwithdraw:\nnote:\nby: Somebody Else\n",
         {"provisioning_stopped": "", "break_glass_tested": ""}),
        ("step: provisioning_stopped, break_glass_tested\nwithdraw: ''\nnote: ticket 4711\n",
         {"provisioning_stopped": "ticket 4711", "break_glass_tested": "ticket 4711"}),
        ("step:\n", None),
        ("step: !unsafe ''\n", None),
        ("step: provisioning_stopped\nnote: [a]\n", "note a text"),
        # what is no answer to a question of yes or no confirms nothing
        ("step: provisioning_stopped\nwithdraw: ture\n", "withdraw true or false"),
        ("step: provisioning_stopped\nwithdraw: はい\n", "withdraw true or false"),
        ("step: provisioning_stopped\nwithdraw: [true]\n", "withdraw true or false"),
        ("step: provisioning_stopped\nwithdraw: ' No '\n", {"provisioning_stopped": ""}),
        ("step: provisioning_stopped\nwithdraw: YES\n", {}),
    ],
)  # fmt: skip
def test_confirm(tmp_path: Path, answers: str, confirmed: dict[str, str] | str | None) -> None:
    _steps(tmp_path)
    code, output = play(tmp_path, "confirm", f"{answers}awx_user_name: hanako\n")
    recorded = json.loads((tmp_path / "run" / "steps.json").read_text())["steps"]
    if not isinstance(confirmed, dict):
        assert code and (confirmed or "Which step?") in output and not any(step["done"] for step in recorded)
    else:
        assert not code, output
        assert {step["id"]: step["note"] for step in recorded if step["done"]} == confirmed
        assert {step["by"] for step in recorded if step["done"]} == ({"hanako"} if confirmed else set())


def _given(name: str) -> bool:
    """Whether preflight of this tenant cannot do without it: who signs in and where, and the password of the files."""
    return name in {
        "offboard_run_dir", "offboard_tenant_id", "offboard_client_id", "offboard_client_secret", "offboard_graph_url", "offboard_authority",
        "offboard_ca_file", "offboard_vault_password", "offboard_options", "offboard_break_glass", "microsoft_365_domains", "microsoft_365_max_users",
        "offboard_iij_client_id",
    }  # fmt: skip


def _options() -> dict[str, dict[str, Any]]:
    """Every variable of the roles of the exit."""
    return {
        name: option
        for file in sorted(places.ROOT.glob("roles/*/meta/argument_specs.yml"))
        if file.parts[-3] not in ("awx", "guest_federation")
        for entry in yaml.safe_load(file.read_text())["argument_specs"].values()
        for name, option in entry["options"].items()
    }


@pytest.mark.parametrize("empty", ["null", *(pytest.param(empty, marks=pytest.mark.long) for empty in ("''", "' '"))])
def test_preflight_with_nothing_answered(tenant: RunningTenant, tmp_path: Path, empty: str) -> None:
    decisions = {name: value for name, value in inventory.decisions().items() if _given(name)}
    credentials = {f"offboard_{name}": value for name, value in tenant.credentials().items()}
    addresses = {"offboard_graph_url": tenant.url, "offboard_authority": tenant.url, "offboard_ca_file": str(tenant.ca_file)}
    variables = {**decisions, **credentials, **addresses, "offboard_options": ["microsoft_365"], "offboard_vault_password": inventory.VAULT_PASSWORD}
    asked = [name for name in _options() if not _given(name)]
    assert len(asked) > 100
    code, output = play(tmp_path, "preflight", "".join(f"{name}: {empty}\n" for name in asked), **variables)
    assert not code, output
    assert "cannot be converted" not in output and "length' failed" not in output


@pytest.mark.parametrize("empty", ["null", "''"])
@pytest.mark.parametrize("playbook", ["status", "confirm", "preflight"])
def test_a_run_folder_that_was_not_answered_is_named(tmp_path: Path, playbook: str, empty: str) -> None:
    code, output = play(tmp_path, playbook, f"offboard_run_dir: {empty}\noffboard_language: {empty}\nstep: a\n")
    assert code and "offboard_run_dir is empty" in output and "offboard_run_dir が空" in output, output


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("offboard_language: JA", "value of offboard_language must be one of: en, ja, both, got: JA"),
        ("offboard_options: 5", "offboard_options: no list was given"),
    ],
)
@pytest.mark.parametrize("playbook", ["status", "confirm"])
def test_what_no_variable_of_all_may_be_is_told_by_its_name(tmp_path: Path, playbook: str, variable: str, told: str) -> None:
    _steps(tmp_path)
    code, output = play(tmp_path, playbook, f"{variable}\nstep: provisioning_stopped\nby: Hanako\n")
    assert code and told in output and "何も実行していません" in output, output


def test_blanks_are_no_password_and_no_number(tmp_path: Path) -> None:
    """One blank for everything: what is missing is told in words, in which Ansible hides no blank."""
    code, output = play(tmp_path, "export", "".join(f"{name}: ' '\n" for name in _options() if name not in ("offboard_run_dir", "offboard_options")))
    assert code and "There is no access token of IIJ ID" in output and not re.search(r"\w\*{8}\w", output), output
