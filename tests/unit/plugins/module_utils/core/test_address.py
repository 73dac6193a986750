# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import address
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests.options import invitation
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import fetch
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.connection import Connection

SECRET = "hush-me"
SECRETS = [
    f"http://me:{SECRET}@host/x",
    f"http://{SECRET}@host",
    f"http://me:a@{SECRET}@host/x",
    f"http://me:a/{SECRET}@host/x",
    f"http://host/x?sv=2022&sig={SECRET}&x=1",
    f"http://host/x?access_token={SECRET}#y",
    f"http://host/x#id_token={SECRET}",
    f"http://host/x?a=1;api-key={SECRET}",
    f"http://host/x?Password={SECRET}",
]


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_of_an_address_are_hidden(text):
    assert SECRET not in address.shown(text) and "//" in address.shown(text)


@pytest.mark.parametrize("text", ["https://host:443/a?appid=1&x=2#y", "https://host/a@b?c=d", "host", "", "https://host/metadata?entity=a@b.example"])
def test_everything_else_stays(text):
    assert address.shown(text) == (text if "a@b?c" not in text else "https://***@b?c=d")


@pytest.mark.parametrize("text", SECRETS)
def test_no_message_quotes_them(text):
    with pytest.raises(OffboardError) as fetched:
        fetch.fetch(text)
    with pytest.raises(OffboardError) as connected:
        Connection.from_params({"tenant_id": "t", "graph_url": text})
    with pytest.raises(OffboardError) as invited:
        invitation({}, {}, text)
    for caught in (fetched, connected, invited):
        assert SECRET not in caught.value.msg


def test_no_address_takes_long():
    began = time.process_time()
    for text in ("//" * 20_000, "?" * 40_000, "?key" * 10_000, "&" + "a" * 40_000):
        address.shown(text)
    assert time.process_time() - began < 3
