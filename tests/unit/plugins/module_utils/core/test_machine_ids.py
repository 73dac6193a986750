# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in a journal says on which machine it is."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.machine_ids import host_of, is_of, on_host
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import anything_left


@pytest.mark.parametrize(
    ("host", "identity"),
    [
        ("sync01", on_host("sync01", "\\IIJ\\sync")),
        ("sync01", on_host("sync01", "HKLM", "64", "{A}")),
        ("lin01.example", on_host("lin01.example", "/opt/iij")),
        ("fe80::1", on_host("fe80::1", "/opt/iij")),
        # a file of a Linux machine in a journal of 1.0
        ("lin01.example", "lin01.example:/opt/iij"),
    ],
)
def test_the_machine_is_known_by_the_id(host: str, identity: str) -> None:
    assert host_of(identity) == host and is_of(host, identity) and not is_of(f"{host}2", identity) and not is_of(host[:-1], identity)


@pytest.mark.parametrize("identity", [on_host("lin01", "/opt/iij"), "lin01:/opt/iij", on_host("lin01", "/etc/crontab", "7")])
def test_what_a_stopped_run_has_begun_on_a_linux_machine_is_left_to_do(identity: str) -> None:
    nothing = {"jobs": [], "timers": [], "files": [], "accounts": [], "not_looked_at": []}
    facts = Facts(linux_machines={"lin01": nothing})
    assert anything_left(facts, Confirmed(), [{"id": identity}]) and not anything_left(facts, Confirmed(), [])
    assert not anything_left(facts, Confirmed(), [{"id": identity.replace("lin01", "lin02")}])
