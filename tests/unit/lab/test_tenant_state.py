# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant as a process: its state outlives a kill, its controls answer, and it carries many users."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import company, paths
from lab.rest import Rest
from lab.tenant.store import Store
from lab.testing import RunningTenant

TESTS = Path(company.__file__).parents[1]
UPN = "sato.taro@reiji.example"


class Program:
    """`python -m lab.tenant.server` on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "OFFBOARD_LAB": str(folder), "PYTHONPATH": str(TESTS)}
        self.start()

    def start(self) -> None:
        argv = [sys.executable, "-m", "lab.tenant.server", "--address", "127.0.0.1", "--port", "0", "--set", "visibility_delay=0.0"]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=self.environment)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()
        self.rest = Rest(self.url, self.folder / "tls" / "ca.pem")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def token(self) -> dict[str, str]:
        app = company.app("offboard")
        form = f"grant_type=client_credentials&client_id={app['client_id']}&client_secret={app['secret']}&scope={self.url}/.default"
        data = self.rest.call("POST", f"/{company.tenant_id()}/oauth2/v2.0/token", form.encode()).data
        return {"Authorization": f"Bearer {data['access_token']}"}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    running = Program(tmp_path)
    yield running
    running.kill()


def test_state_and_tokens_outlive_a_kill_and_reset_forgets(program: Program) -> None:
    headers = program.token()
    assert program.rest.call("PATCH", f"/v1.0/users/{UPN}", {"jobTitle": "顧問"}, headers).status == 204
    assert program.rest.call("DELETE", "/v1.0/users/reception@reiji-shop.example", None, headers).status == 204
    assert program.rest.call("PATCH", "/v1.0/domains/reiji.example", {"authenticationType": "Managed"}, headers).status == 204
    program.kill()
    program.start()
    assert program.rest.call("GET", f"/v1.0/users/{UPN}", headers=headers).data["jobTitle"] == "顧問"
    assert program.rest.call("GET", "/v1.0/users/reception@reiji-shop.example", headers=headers).status == 404
    assert program.rest.call("GET", "/v1.0/domains/sales.reiji.example", headers=headers).data["authenticationType"] == "Managed"
    assert len(program.rest.call("GET", "/_lab/requests?write=1").data) == 3
    begin = time.monotonic()
    assert program.rest.call("POST", "/_lab/reset", {}).data == {"users": 256}
    assert time.monotonic() - begin < 5
    assert program.rest.call("GET", "/v1.0/domains/reiji.example", headers=headers).data["authenticationType"] == "Federated"
    assert program.rest.call("GET", "/_lab/requests?write=1").data == []


def test_the_controls(program: Program) -> None:
    call = program.rest.call
    assert call("GET", "/_lab/status").data["users"] == 256
    assert call("PATCH", "/_lab/settings", {"latency": 0.01}).data["latency"] == 0.01
    assert call("PATCH", "/_lab/settings", {"lateness": 1}).status == 400
    assert call("PATCH", "/_lab/settings", {"throttling": 1}).status == 400
    assert call("POST", "/_lab/faults", {"path": "/v1.0/domains", "status": 503}).status == 201
    assert call("GET", "/v1.0/domains", headers=program.token()).status == 503
    assert call("DELETE", "/_lab/faults").status == 204
    assert call("GET", "/_lab/faults").data == []
    assert call("POST", "/_lab/password", {"user": "breakglass1@reiji.onmicrosoft.com", "password": "x"}).data == {"matches": False, "count": 0}
    key = company.make_id("user", "person-1")
    assert call("PATCH", f"/_lab/objects/users/{key}", {"jobTitle": "x"}).data["jobTitle"] == "x"
    assert call("GET", "/_lab/objects/nothing").status == 400
    assert call("GET", "/_lab/nothing").status == 400
    assert call("GET", "/_lab/violations").data == []
    assert not [line for line in call("GET", "/_lab/requests").data if line["write"]]


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path)
    store = Store(tmp_path)
    store.put("users", company.make_id("user", "person-1"), {"jobTitle": "一"})
    store.close()
    with open(tmp_path / "journal.jsonl", "a") as journal:
        journal.write(json.dumps(["put", "users", company.make_id("user", "person-1"), {"jobTitle": "二"}])[:-3])
    store = Store(tmp_path)
    assert store.tables["users"].objects[company.make_id("user", "person-1")]["jobTitle"] == "一"
    store.put("users", company.make_id("user", "person-2"), {"jobTitle": "三"})
    store.close()
    assert Store(tmp_path).tables["users"].objects[company.make_id("user", "person-2")]["jobTitle"] == "三"


def test_many_users_in_fast_pages(tenant: RunningTenant) -> None:
    tenant.reset(users=5000)
    tenant.settings.contract = False
    client, path, times = tenant.client(), "/users?$select=id,accountEnabled,assignedLicenses&$top=999", []
    for _ in range(2):
        rows, link, begin = 0, path, time.monotonic()
        while link:
            data = client.get(link).data
            rows += len(data["value"])
            link = data.get("@odata.nextLink", "").partition("/v1.0")[2]
        times.append(time.monotonic() - begin)
        assert rows == 5006
    # Generous, for a busy machine: 5,006 users in six pages, client included. Seen: 0.1 s.
    assert times[1] < 2
    sku = client.get("/subscribedSkus").data["value"][0]
    assert sku["prepaidUnits"]["enabled"] - sku["consumedUnits"] >= 4750  # there are seats for everybody
