# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the documentation of the Entra modules run, as they stand, one after the other."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
from pathlib import Path

import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.redemption_order.plan import PRIMARY
from lab import company

from .entra import VAULT_PASSWORD, connection


def examples(module: str) -> list[dict]:
    return yaml.safe_load(importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{module}").EXAMPLES)


def play(tenant, folder: Path, tasks: list[dict]) -> int:
    """Run the tasks in a play of their own; how many of them changed something."""
    defaults = {"group/offboard.iij_id.entra": connection(tenant)}
    plays = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}]
    (folder / "play.yml").write_text(yaml.safe_dump(plays, sort_keys=False, allow_unicode=True))
    (folder / "vault-password").write_text(VAULT_PASSWORD)
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-e", "ansible_python_interpreter={{ ansible_playbook_python }}", "play.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "OFFBOARD_2_SECRET": company.app("offboard2")["secret"]},
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    recap = re.search(r"ok=(\d+)\s+changed=(\d+)", done.stdout)
    assert recap, printed
    assert int(recap[1]) == len(tasks), printed
    return int(recap[2])


def test_examples(tenant, tmp_path):
    for name in ("reiji-group.example",):
        tenant.arrange("domains", name, authenticationType="Managed")
    look, convert, go_back = examples("entra_domain")
    tasks = [
        *examples("entra_domain_info"),
        *examples("entra_snapshot"),
        look,
        convert,
        *examples("entra_users"),
        *examples("entra_users_info"),
        *examples("entra_users_readiness_info"),
        examples("entra_provisioning_info")[0],  # nothing is unusual here, so there is nothing to tell
        *examples("entra_app_info"),
        *examples("entra_app"),
        *[task for task in examples("readiness_info") if "ansible.builtin.assert" not in task],  # the contract may not end yet
        go_back,
    ]
    assert play(tenant, tmp_path, tasks) >= 5


def test_guests(tenant, tmp_path):
    invite, reset, reinvite, *others = examples("entra_guests")
    assert play(tenant, tmp_path, [invite]) == 1
    for address in ("adele@fabrikam.example", "taro@fabrikam.example"):
        tenant.redeem(address)
    order = {"primaryIdentityProviderPrecedenceOrder": list(PRIMARY), "fallbackIdentityProvider": "microsoftAccount"}
    body = {"invitationRedemptionIdentityProviderConfiguration": order}
    assert tenant.client().call("PATCH", "/policies/crossTenantAccessPolicy/default", body).status == 204
    assert play(tenant, tmp_path, [reset]) == 1
    tenant.redeem("taro@fabrikam.example")
    assert play(tenant, tmp_path, [reinvite, *others, *examples("entra_guests_info")]) == 1 + len(others)


def test_intune(tenant, tmp_path):
    """Of the app that the examples name; without the snapshot of the exit, which is none here."""
    absent, present = examples("intune_assignment")
    name = "offboard.iij_id.intune_assignment"
    to_users, to_group = absent[name]["assignments"]
    rows = [company.assignment("allLicensedUsers", "available"), company.assignment("all-staff", "required")]
    rows[1]["target"]["groupId"] = to_group["target"]
    table = tenant.store.tables["mobile_apps"]
    app = table.objects[company.make_id("mobile_apps", "IIJ SmartKey")]
    tenant.arrange("mobile_apps", to_users["object"], **{**app, "id": to_users["object"], "_assignments": rows})
    for task in (absent, present):
        task[name]["requires"] = {"run_dir": "offboard-run"}
    assert play(tenant, tmp_path, [absent, *examples("intune_assignment_info"), present]) == 2
    assert len(table.objects[to_users["object"]]["_assignments"]) == 2
