# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's clients, unmodified, against the tenant at Microsoft's own addresses: what they cannot work with, Graph is not like.

azure-identity and msgraph-sdk are in tests/unit/lab/test_tenant_clients.py.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from benchmarks import _peers
from benchmarks._harness import Missing, Tenant, run_play
from lab import company

SCRIPT = """
const { ConfidentialClientApplication } = require("@azure/msal-node");
const [tenant, clientId, clientSecret] = process.argv.slice(2);
const app = new ConfidentialClientApplication({ auth: { clientId, clientSecret, authority: `https://login.microsoftonline.com/${tenant}` } });
(async () => {
  const { accessToken } = await app.acquireTokenByClientCredential({ scopes: ["https://graph.microsoft.com/.default"] });
  const headers = { Authorization: `Bearer ${accessToken}`, ConsistencyLevel: "eventual" };
  const count = await fetch("https://graph.microsoft.com/v1.0/users/$count", { headers });
  const me = await fetch("https://graph.microsoft.com/v1.0/me", { headers });
  console.log(JSON.stringify({ count: Number(await count.text()), me: me.status, type: count.headers.get("content-type") }));
})().catch((error) => { console.log(JSON.stringify({ error: error.errorCode, message: error.errorMessage })); });
"""


class Microsoft:
    """The tenant at Microsoft's addresses, and how programs find it there."""

    def __init__(self, tenant: Tenant, inside: Sequence[str], variables: dict[str, str]) -> None:
        self.tenant, self.inside, self.variables = tenant, inside, variables
        self._environment = {**os.environ, **variables}

    def run(self, *argv: str | Path) -> str:
        done = subprocess.run([*self.inside, *map(str, argv)], env=self._environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, *argv: str | Path) -> Any:
        return json.loads(self.run(*argv))


@pytest.fixture(scope="module")
def microsoft() -> Iterator[Microsoft]:
    try:
        with _peers.microsoft() as (tenant, inside, variables):
            yield Microsoft(tenant, inside, variables)
    except Missing as missing:
        pytest.skip(str(missing))


def test_msal_node(microsoft: Microsoft, tmp_path: Path) -> None:
    try:
        folder = _peers.msal_node()
    except Missing as missing:
        pytest.skip(str(missing))
    script = tmp_path / "script.cjs"
    script.write_text(SCRIPT)
    (tmp_path / "node_modules").symlink_to(folder / "node_modules")
    who = microsoft.tenant.options()
    found = microsoft.json("node", script, who["tenant_id"], who["client_id"], who["client_secret"])
    assert found == {"count": 256, "me": 400, "type": "text/plain"}
    refused = microsoft.json("node", script, who["tenant_id"], who["client_id"], "not-the-one")
    assert (refused["error"], "AADSTS7000215" in refused["message"]) == ("invalid_client", True)


@pytest.mark.long
def test_cli_for_microsoft_365(microsoft: Microsoft) -> None:
    """400 MB of packages, so not in every run."""
    try:
        m365 = _peers.m365()
    except Missing as missing:
        pytest.skip(str(missing))
    who, person = microsoft.tenant.options(), next(company.people())
    microsoft.run(m365, "cli", "config", "set", "--key", "disableTelemetry", "--value", "true")
    microsoft.run(m365, "login", "--authType", "secret", "--appId", who["client_id"], "--tenant", who["tenant_id"], "--secret", who["client_secret"])
    user = microsoft.json(m365, "entra", "user", "get", "--userName", person.upn, "--output", "json")
    assert (user["id"], user["displayName"]) == (person.id, person.name)
    users = microsoft.json(m365, "entra", "user", "list", "--properties", "id,accountEnabled", "--output", "json")
    assert len(users) == 256
    group = microsoft.json(m365, "entra", "group", "get", "--displayName", "all-staff", "--output", "json")
    assert group["id"] == company.make_id("group", "all-staff")
    members = microsoft.json(m365, "entra", "group", "member", "list", "--groupId", group["id"], "--output", "json")
    assert len(members) == 250
    made = microsoft.json(m365, "entra", "app", "add", "--name", "m365", "--output", "json")
    assert microsoft.json(m365, "entra", "app", "get", "--appId", made["appId"], "--output", "json")["displayName"] == "m365"


@pytest.mark.long
def test_azure_collection(microsoft: Microsoft) -> None:
    """Its modules as they come. The collection is on PyPI only inside the package `ansible`, and asks for 1.8 GB of libraries: not in every run."""
    try:
        venv = _peers.azure_collection()
    except Missing as missing:
        pytest.skip(str(missing))
    who, person = microsoft.tenant.options(), next(company.people())
    account = {"tenant": who["tenant_id"], "subscription_id": who["tenant_id"], "client_id": who["client_id"], "secret": who["client_secret"]}
    new = {"user_principal_name": "from.azure@reiji.onmicrosoft.com", "account_enabled": True, "mail_nickname": "from.azure", "display_name": "Azure"}
    tasks = [
        {"azure.azcollection.azure_rm_aduser_info": {**account, "user_principal_name": person.upn}},
        {"azure.azcollection.azure_rm_adgroup_info": {**account, "attribute_name": "displayName", "attribute_value": "all-staff"}},
        {"azure.azcollection.azure_rm_aduser": {**account, **new, "password_profile": "Lab-Passw0rd!"}},
        {"azure.azcollection.azure_rm_aduser": {**account, "user_principal_name": new["user_principal_name"], "state": "absent"}},
    ]
    # the collections that the package `ansible` brings, not this checkout
    usage = run_play(tasks, venv, microsoft.inside, {**microsoft.variables, "ANSIBLE_COLLECTIONS_PATH": microsoft.variables["HOME"], "ANSIBLE_VERBOSITY": "1"})
    assert person.id in usage.output and company.make_id("group", "all-staff") in usage.output
    assert "ok=4 " in usage.output and "changed=2 " in usage.output, usage.output[-3000:]
