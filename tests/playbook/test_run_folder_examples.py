# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the modules that keep the run folder, word for word but for its place, by a real ansible-playbook; and once more."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

#: in the order of a run; readiness_info's own examples first ask a tenant, which the Entra modules' tests have
MODULES = ("manual_steps", "manual_steps_info", "vault_file", "vault_file_info", "run_report")


def test_examples_and_once_more(tmp_path: Path) -> None:
    run_dir, password = tmp_path / "offboard-run", tmp_path / "vault-password"
    run_dir.mkdir()
    password.write_text("a-password-of-the-test")
    for name in ("expenses-sign-in.pdf", "last-search.txt"):
        (tmp_path / name).write_text("no relying party trust of IIJ ID")
    texts = [importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}").EXAMPLES for name in MODULES]
    tasks = yaml.safe_load(
        "\n".join(texts)
        .replace("/srv/offboard-run", str(run_dir))
        .replace("/etc/offboard/vault-password", str(password))
        .replace("/home/hanako", str(tmp_path))
    )
    variables = {"ansible_python_interpreter": sys.executable, "found": {"products": ["IIJ ID Service Directory Sync"]}}
    (tmp_path / "book.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]))

    def changed() -> int:
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local", "book.yml"],
            env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return int(re.findall(r"changed=(\d+)", done.stdout)[-1])

    # two steps registered, and confirmed, one with files; the file; the report
    assert changed() == 6
    assert {"steps.json", "report.json", "report.html"} <= {file.name for file in run_dir.iterdir()}
    assert (run_dir / "snapshot/machines/sync01.yml").read_text().startswith("$ANSIBLE_VAULT;")
    assert changed() == 0
