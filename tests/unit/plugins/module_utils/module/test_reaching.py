# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name with several addresses: each client's `timeout` is for all of them."""

from __future__ import annotations

import errno
import socket
import threading
import time

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client as ldap
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import connection as directory
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.sysvol import Sysvol
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import fetch
from ansible_collections.offboard.iij_id.plugins.module_utils._iij import scim
from ansible_collections.offboard.iij_id.plugins.module_utils._module import reaching
from ansible_collections.offboard.iij_id.plugins.module_utils._windows import client as winrm
from ansible_collections.offboard.iij_id.plugins.module_utils._windows import connection as windows
from dev.options import given

HOST, SECONDS = "dc.reiji.example", 1
#: WinRM waits two seconds at least; five times one would be more
TOO_LONG = 4
ACCOUNT = {"host": HOST, "username": "a@reiji.example", "password": "b", "timeout": SECONDS}


def by_scim():
    scim.Scim(f"https://{HOST}/scim/v2", "token", timeout=SECONDS)._exchange(f"https://{HOST}/scim/v2/Users")


def by_ldap():
    ldap.Client(directory.Connection.from_params(given("directory_object_info", **ACCOUNT)), read_only=True)._open()


def by_smb():
    Sysvol(directory.Connection.from_params(given("group_policy_info", **ACCOUNT))).read("sysvol")


def by_winrm():
    winrm.Client(windows.Connection.from_params(given("win_file", **ACCOUNT))).run("hostname.exe")


def by_https():
    fetch.fetch(f"https://{HOST}/metadata", timeout=SECONDS)


CLIENTS = [by_scim, by_ldap, by_smb, by_winrm, by_https]


@pytest.mark.parametrize("ask", CLIENTS)
def test_five_dead_addresses_share_the_time(monkeypatch, dead, ask):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_unused, **_unused2: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", dead)] * 5)
    begin = time.monotonic()
    with pytest.raises(OffboardError) as caught:
        ask()
    assert caught.value.code in ("timeout", "unreachable")
    assert time.monotonic() - begin < TOO_LONG


def test_a_machine_without_ipv6_takes_the_other_address(monkeypatch):
    real = socket.socket

    def made(family=socket.AF_INET, *more, **named):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, *more, **named)

    with real() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        found = [(family, socket.SOCK_STREAM, 6, "", place) for family, place in ((socket.AF_INET6, ("::1", 9)), (socket.AF_INET, server.getsockname()))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_unused, **_unused2: found)
        monkeypatch.setattr(socket, "socket", made)
        with reaching.create_connection((HOST, 9), SECONDS) as connection:
            assert connection.getpeername() == server.getsockname()


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch, ask):
    answer = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_unused, **_unused2: answer.wait(2 * TOO_LONG) and [])
    begin = time.monotonic()
    with pytest.raises(OffboardError) as caught:
        ask()
    answer.set()
    assert caught.value.code in ("timeout", "unreachable")
    assert time.monotonic() - begin < TOO_LONG


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_name_that_is_none(ask):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", _no_name)
        with pytest.raises(OffboardError) as caught:
            ask()
    assert caught.value.code in ("host_unknown", "unreachable")


def _no_name(*_unused, **_unused2):
    raise UnicodeEncodeError("idna", "", 0, 1, "label too long")
