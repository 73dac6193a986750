# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator says of the restarts of domain controllers reaches the module that restarts them."""

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

ROLE = places.ROOT / "roles" / "directory_sync"


@pytest.mark.parametrize("ignored", [None, ["dc9.ad.reiji.example"], ["dc8", "dc9.ad.reiji.example"]])
def test_domain_controllers_whose_state_does_not_matter(tmp_path: Path, ignored: list[str] | None) -> None:
    (task,) = (one for one in yaml.safe_load((ROLE / "tasks" / "restart.yml").read_text()) if "offboard.iij_id.win_restart" in one)
    asked = task["offboard.iij_id.win_restart"]
    told: dict[str, Any] = {"ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(tmp_path / "told.json")}}
    told["vars"] = {"told": {name: asked[name] for name in ("ignore", "also", "machines")}}
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": [str(ROLE / "defaults/main.yml"), str(ROLE / "vars/main.yml")], "tasks": [told]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    (tmp_path / "inventory").write_text("localhost\n[iij_id_domain_controllers]\ndc1\ndc2\n")
    said = {"ansible_python_interpreter": sys.executable, **({"directory_sync_restart_ignored": ignored} if ignored is not None else {})}
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory", "-c", "local", "-e", json.dumps(said), "play.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "told.json").read_text()) == {"ignore": ignored or [], "also": [], "machines": ["dc1", "dc2"]}
