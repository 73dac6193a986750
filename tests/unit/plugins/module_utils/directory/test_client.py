# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name with several addresses, as a domain's own has those of all its controllers."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.client import Client
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.connection import Connection
from dev.options import given


def refused(monkeypatch, addresses, timeout=1):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_unused, **_unused2: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in addresses])
    options = given("directory_object_info", host="ad.reiji.example", timeout=timeout, authentication="simple", username="a", password="b")
    with pytest.raises(OffboardError) as caught:
        Client(Connection.from_params(options), read_only=True)._open()
    return caught.value


def test_why_no_address_answers_is_told_in_words(monkeypatch, dead):
    exc = refused(monkeypatch, [dead, ("127.0.0.1", 1), ("127.0.0.2", 1)])
    assert exc.code == "unreachable"
    assert "timed out; " in exc.msg and exc.msg.count("Connection refused") == 1 and "(" not in exc.msg
