# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant as a program: `python -m lab.tenant.server`. Sign-in service, Graph and the lab's controls on one TLS port."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import ssl
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from .. import company, paths, tls
from . import control
from .graph import VERSIONS, Drop, Graph, Incoming
from .settings import Settings
from .signin import SignInError, instance_discovery, openid_configuration, user_realm
from .store import Store


class Tenant:
    """One tenant on one address. `folder` keeps its state, its request log and its certificate."""

    def __init__(self, folder: Path, address: str, port: int, settings: Settings | None = None, names: Sequence[str] = ()) -> None:
        self.graph = Graph(Store(folder), folder, settings)
        self._folder, self._address, self._port, self._names = folder, address, port, names
        self._runner: web.ServerRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; port 0 takes a free one. `url` is known afterwards."""
        certificate, key = tls.server_certificate(self._folder / "tls", [self._address, "localhost", *self._names])
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._address, self._port, ssl_context=context).start()
        self.url = f"https://{self._address}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self.graph.store.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        try:
            for version in VERSIONS:
                if path.startswith(f"/{version}/"):
                    return await self._graph(request, version, path.removeprefix(f"/{version}"), query)
            if path.startswith("/_lab/"):
                return await self._control(request, path.removeprefix("/_lab/"), query)
            return await self._sign_in(request, path)
        except Drop:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)

    async def _graph(self, request: web.BaseRequest, version: str, path: str, query: str) -> web.Response:
        incoming = Incoming(
            method=request.method,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
            base=f"https://{request.host}",
            version=version,
        )
        answer = await self.graph.serve(incoming)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def _control(self, request: web.BaseRequest, path: str, query: str) -> web.Response:
        raw = await request.read()
        try:
            body = json.loads(raw) if raw else None
            status, data = control.handle(self.graph, request.method, urllib.parse.unquote(path), dict(urllib.parse.parse_qsl(query)), body)
        except (ValueError, TypeError) as error:
            status, data = 400, {"error": str(error)}
        return web.json_response(data, status=status) if data is not None else web.Response(status=status)

    def _token_lifetime(self, form: dict[str, str]) -> float:
        settings = self.graph.settings
        return settings.iij_token_lifetime if form.get("client_id") == company.app("iij")["client_id"] else settings.token_lifetime

    async def _sign_in(self, request: web.BaseRequest, path: str) -> web.Response:
        base = f"https://{request.host}"
        parts = path.strip("/").split("/")
        fault = self.graph.faults.hit(request.method, path, False)
        status, data, app_id = 404, {"error": "not_found"}, None
        try:
            if fault is not None:
                await asyncio.sleep(fault.delay)
                if fault.drop:
                    raise Drop
                if fault.status:
                    raise SignInError(fault.status, fault.code or "temporarily_unavailable", 90033, fault.message)
            if path.startswith("/common/discovery/instance"):
                status, data = 200, instance_discovery(base)
            elif parts[:2] == ["common", "userrealm"] and len(parts) == 3:
                status, data = 200, user_realm(self.graph.store, self.graph.outside, urllib.parse.unquote(parts[2]))
            elif parts[1:] in (["v2.0", ".well-known", "openid-configuration"], [".well-known", "openid-configuration"]):
                status, data = 200, openid_configuration(base, parts[0])
            elif parts[1:] == ["oauth2", "v2.0", "token"] and request.method == "POST":
                form = dict(urllib.parse.parse_qsl((await request.read()).decode()))
                app_id = form.get("client_id")
                status, data = 200, self.graph.signin.token(parts[0], form, base, self._token_lifetime(form))
        except SignInError as error:
            status, data = error.status, error.body()
        finally:
            self.graph.log.add(method=request.method, path=path, status=status, write=False, app_id=app_id, batch=None)
            self.graph.log.flush()
        return web.json_response(data, status=status)


def _settings(items: list[str]) -> Settings:
    settings = Settings()
    for item in items:
        name, _, value = item.partition("=")
        settings.change({name: json.loads(value)})
    return settings


async def _serve(tenant: Tenant) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await tenant.start()
    print(f"listening on {tenant.url}", flush=True)
    await stopped.wait()
    await tenant.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="lab.tenant.server", description=__doc__)
    parser.add_argument("--address", default=paths.TENANT_ADDRESS)
    parser.add_argument("--port", type=int, default=paths.TENANT_PORT)
    parser.add_argument("--state", type=Path, default=None, help="folder of the tenant's state (default: the lab's)")
    parser.add_argument("--name", action="append", default=[], help="a further host name that the certificate is made for")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, its value as JSON")
    options = parser.parse_args()
    try:
        settings = _settings(options.set)
    except ValueError as error:
        parser.error(str(error))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Tenant(options.state or paths.part_state("tenant"), options.address, options.port, settings, options.name)))


if __name__ == "__main__":
    main()
