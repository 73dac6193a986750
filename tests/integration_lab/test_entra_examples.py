# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the documentation of the Entra modules run, as they stand, one after the other."""

from __future__ import annotations

import importlib
import os
import re
import subprocess

import yaml

from .entra import VAULT_PASSWORD, connection


def examples(module: str) -> list[dict]:
    return yaml.safe_load(importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{module}").EXAMPLES)


def test_examples(tenant, tmp_path):
    for name in ("reiji-group.example",):
        tenant.arrange("domains", name, authenticationType="Managed")
    convert, go_back = examples("entra_domain")
    tasks = [
        *examples("entra_domain_info"),
        *examples("entra_snapshot"),
        convert,
        *examples("entra_users"),
        *examples("entra_users_info"),
        *examples("entra_app_info"),
        *examples("entra_app"),
        *[task for task in examples("readiness_info") if "ansible.builtin.assert" not in task],  # the contract may not end yet
        go_back,
    ]
    defaults = {"group/offboard.iij_id.entra": connection(tenant)}
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play, sort_keys=False, allow_unicode=True))
    (tmp_path / "vault-password").write_text(VAULT_PASSWORD)
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-e", "ansible_python_interpreter={{ ansible_playbook_python }}", "play.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    recap = re.search(r"ok=(\d+)\s+changed=(\d+)", done.stdout)
    assert recap, printed
    assert int(recap[1]) == len(tasks), printed
    assert int(recap[2]) >= 5, printed
