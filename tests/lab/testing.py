# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pytest fixtures with a running tenant, for every test that talks to Microsoft Graph."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from . import company, paths
from .rest import Reply, Rest
from .tenant.faults import Faults
from .tenant.outside import Outside
from .tenant.resources.guests import redeem
from .tenant.resources.users import password_matches
from .tenant.server import Tenant
from .tenant.settings import Settings
from .tenant.store import Object, Store


class RunningTenant:
    """A tenant on a free loopback port, in a thread of this process, so that its truth can be read directly."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tenant", daemon=True)
        self._thread.start()
        with mock.patch.object(paths, "STATE", folder):
            self._tenant = Tenant(paths.part_state("tenant"), "127.0.0.1", 0)
            self._wait(self._tenant.start())
            #: the certificate authority that clients have to trust
            self.ca_file = paths.ca_file()
        self._folder = folder
        self.url = self._tenant.url
        self.tenant_id = company.tenant_id()

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def stop(self) -> None:
        async def end() -> None:
            waiting = asyncio.all_tasks() - {asyncio.current_task()}  # answers that a test delayed, and nobody waits for any more
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            await self._tenant.stop()

        self._wait(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def graph_url(self) -> str:
        return f"{self.url}/v1.0"

    @property
    def store(self) -> Store:
        """The truth, whatever reads through Graph show."""
        return self._tenant.graph.store

    @property
    def settings(self) -> Settings:
        return self._tenant.graph.settings

    @property
    def faults(self) -> Faults:
        return self._tenant.graph.faults

    @property
    def outside(self) -> Outside:
        """Partners' DNS and other tenants."""
        return self._tenant.graph.outside

    def redeem(self, guest: str) -> Object:
        """The guest opens their invitation in a browser; their account afterwards."""
        return redeem(self._tenant.graph, guest)

    def reset(self, users: int = 0, seeded: str = "blocked") -> None:
        """Back to the fixture company; arguments as in `company.Fixture`."""

        async def reset() -> None:
            with mock.patch.object(paths, "STATE", self._folder):
                self._tenant.graph.reset(users, seeded)

        self._wait(reset())

    def requests(self) -> list[dict[str, Any]]:
        """Every request since the last reset or `clear_requests`."""
        return self._tenant.graph.log.read()

    def writes(self) -> list[dict[str, Any]]:
        """The requests among them that write to the tenant, refused ones too."""
        return [item for item in self.requests() if item["write"]]

    def clear_requests(self) -> None:
        self._tenant.graph.log.clear()

    def violations(self) -> list[str]:
        """Where a client or the tenant itself broke Microsoft's description. A test that leaves any fails."""
        return self._tenant.graph.contract.violations

    def user(self, upn: str) -> Object:
        """The user's true present state."""
        return self.store.tables["users"].objects[self.store.upns[upn.casefold()]]

    def password_is(self, upn: str, password: str) -> bool:
        return password_matches(self.user(upn), password)

    def credentials(self, app: str = "offboard") -> dict[str, str]:
        """`tenant_id`, `client_id` and `client_secret` of an app registration of `company.yml`, by its key."""
        entry = company.app(app)
        return {"tenant_id": self.tenant_id, "client_id": entry["client_id"], "client_secret": entry["secret"]}

    def arrange(self, table: str, key: str, **values: Any) -> None:
        """Set properties of an object without a tenant write."""
        self.store.delay = 0.0
        self.store.put(table, key, values)

    def client(self, app: str = "offboard") -> GraphClient:
        """A bare client with a token, for tests of the tenant itself and for arranging."""
        return GraphClient(self, app)


class GraphClient:
    """Plain HTTP with a bearer token."""

    def __init__(self, tenant: RunningTenant, app: str) -> None:
        self.rest = Rest(tenant.url, tenant.ca_file)
        credentials = tenant.credentials(app)
        form = f"grant_type=client_credentials&client_id={credentials['client_id']}&client_secret={credentials['client_secret']}&scope={tenant.url}/.default"
        reply = self.rest.call("POST", f"/{credentials['tenant_id']}/oauth2/v2.0/token", form.encode())
        assert reply.status == 200, reply.data
        self._headers = {"Authorization": f"Bearer {reply.data['access_token']}"}

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        return self.rest.call(method, f"/v1.0{path}", body, self._headers | (headers or {}))

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, headers=headers)


@pytest.fixture(scope="session")
def _tenant_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTenant]:
    running = RunningTenant(tmp_path_factory.mktemp("lab"))
    yield running
    running.stop()


@pytest.fixture
def tenant(_tenant_server: RunningTenant) -> Iterator[RunningTenant]:
    """A running tenant that holds the fresh fixture company. Fails the test that broke Microsoft's description."""
    _tenant_server.reset()
    yield _tenant_server
    assert _tenant_server.violations() == []
