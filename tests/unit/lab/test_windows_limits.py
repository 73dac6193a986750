# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of the lab's WinRM service, and the collection's client against them: no machine, no socket."""

from __future__ import annotations

import types
from pathlib import Path

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Client
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.connection import Connection
from dev.options import given
from lab.windows import winrm
from winrm.exceptions import WinRMTransportError

OPTIONS = given("win_file", host="win", username="u", password="p")


#: fewer than a fresh Windows allows, so that the tests are short
OPERATIONS = 300


class _Command:
    exit_code = 0

    def receive(self, seconds: float) -> tuple[list[tuple[str, bytes]], int | None]:
        return [], 0

    def kill(self) -> None:
        pass

    forget = kill


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def client(tmp_path: Path, clock: _Clock) -> Client:
    """pywinrm's own protocol; only its transport is the service itself."""
    machine = types.SimpleNamespace(name="win", start=lambda *_command: _Command())
    service = winrm.Service(machine, winrm.Rules(), winrm.Log(tmp_path / "requests.jsonl"), clock)
    service.limits.operations = OPERATIONS
    made = Client(Connection.from_params(OPTIONS))

    def send(message: str | bytes) -> bytes:
        service.close_idle()  # the server does so before each request
        status, body = service.handle(message if isinstance(message, bytes) else message.encode(), "u")
        if status == 200:
            return body
        raise WinRMTransportError("http", status, body.decode())

    made.protocol.transport.send_message = send
    return made


def test_the_quota_ends_a_shell_that_is_never_renewed(client: Client) -> None:
    with client.own_shell() as shell:
        for _ in range(OPERATIONS):
            shell.run(["tasklist.exe"])
        with pytest.raises(OffboardError) as error:
            shell.run(["tasklist.exe"])
    assert error.value.code == "winrm_quota" and "300 concurrent operations" in error.value.msg


def test_a_wait_longer_than_the_quota(client: Client) -> None:
    with client.own_shell() as shell:
        shell.run(["uninstall.exe"])
        for _ in range(OPERATIONS + 1):
            client.run("tasklist.exe")
        assert shell.run(["whoami.exe"]).exit_code == 0


def test_a_shell_that_idled_too_long_is_made_again(client: Client, clock: _Clock) -> None:
    client.run("tasklist.exe")
    first = client.shell
    clock.now = winrm.IDLE_SECONDS
    client.run("tasklist.exe")
    assert client.shell is first
    clock.now += winrm.IDLE_SECONDS + 1
    client.run("tasklist.exe")
    assert client.shell is not first
