# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook of the collection, played by ansible-playbook as an operator does, with an inventory of a test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dev import places


def play(
    folder: Path, groups: Mapping[str, Any], variables: Mapping[str, Any], playbook: str, *words: str, fails: bool = False, secrets: Collection[str] = ()
) -> str:
    """All that it prints. groups: of the inventory, beside localhost. secrets: what must never be printed."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": local}}, **groups}))
    (folder / "variables.json").write_text(json.dumps(variables))
    argv = ["-i", folder / "inventory.json", "-e", f"@{folder / 'variables.json'}", places.ROOT / "playbooks" / f"{playbook}.yml", *words]
    environment = {**os.environ, "ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "ANSIBLE_NOCOLOR": "1"}
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run([program, *argv], env=environment, capture_output=True, text=True, timeout=1800, check=False, cwd=folder)
    output = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, output
    assert not [text for text in (*secrets, "Traceback") if text in output]
    return output
