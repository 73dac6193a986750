# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tests run the Entra modules: in this process where speed matters, and by `ansible` where the whole way does."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.offboard.iij_id.plugins.module_utils._graph import permissions
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.client import Client
from lab import company
from lab.testing import RunningTenant

VAULT_PASSWORD = "lab-vault-password"
BREAK_GLASS = [item["upn"] for item in company.data()["tenant"]["users"]["break_glass"]]
PEOPLE = {person.number: person for person in company.people()}


def connection(tenant: RunningTenant, app: str = "offboard") -> dict[str, Any]:
    """The connection options of every Entra module."""
    return {**tenant.credentials(app), "graph_url": tenant.url, "authority": tenant.url, "ca_file": str(tenant.ca_file), "verify_timeout": 20}


def run_module(capsys: pytest.CaptureFixture[str], name: str, options: dict[str, Any], *, check: bool = False, diff: bool = False) -> dict[str, Any]:
    """A module's main() in this process; what it answers. `failed` is there when it failed."""
    module = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}")
    capsys.readouterr()
    sent: list[tuple[str, str, Any]] = []
    with watched(sent), patch_module_args({**options, "_ansible_check_mode": check, "_ansible_diff": diff}), pytest.raises(SystemExit):
        module.main()
    lacking = undeclared(name, sent)
    assert not lacking, f"permissions.MODULES, and with it the manual, does not name what {name} needs: {lacking}"
    return json.loads(capsys.readouterr().out)


def watched(sent: list[tuple[str, str, Any]]) -> Any:
    """Notes each operation that modules in this process ask Graph for, those in batches, too."""
    exchange = Client._exchange

    async def noted(self: Client, application: Any, method: str, path: str, body: Any, *more: Any, **options: Any) -> Any:
        if path == "/$batch":
            sent.extend((item["method"], item["url"].partition("?")[0], item.get("body")) for item in body["requests"])
        else:
            sent.append((method, path.partition("?")[0], body))
        return await exchange(self, application, method, path, body, *more, **options)

    return mock.patch.object(Client, "_exchange", noted)


def undeclared(module: str, sent: list[tuple[str, str, Any]]) -> list[tuple[str, str, tuple[str, ...]]]:
    """The operations for which none of the permissions that the module is said to need is good enough."""
    declared = {name for names in permissions.MODULES.get(module, {}).values() for name in names}
    found = []
    for method, path, body in sent:
        need = permissions.needed(method, path, body)
        names = () if need is None else tuple(part for text in need.permissions for part in re.findall(r"[A-Z][\w-]+(?:\.[\w-]+)+", text))
        if need is None or not any(permissions.granted_for(name) & declared for name in names):
            found.append((method, re.sub(r"[0-9a-f-]{36}", "{id}", path), names))
    return sorted(set(found))


def ansible(name: str, options: dict[str, Any], *flags: str, environment: dict[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """The module by the `ansible` command: its answer, and everything that was printed."""
    secret = {"AZURE_CLIENT_SECRET": options.pop("client_secret")} if "client_secret" in options else {}
    done = subprocess.run(
        ["ansible", "localhost", "-m", f"offboard.iij_id.{name}", "-a", json.dumps(options), *flags],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1", **secret, **(environment or {})},
    )
    printed = done.stdout + done.stderr
    found = re.search(r"^localhost \| \S+ => (\{.*?^\})", done.stdout, re.DOTALL | re.MULTILINE)
    assert found, printed
    return json.loads(found[1]), printed


def lines(path: Path) -> list[dict[str, Any]]:
    """A JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
