# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what was found on the users' machines."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import clients
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import final_gate, preflight

SETTING = {"path": r"HKLM\SOFTWARE\Policies\Microsoft\Edge\AuthServerAllowlist", "entries": ["auth.iij.jp"], "broader": [], "others": 1}
WIDE = SETTING | {"entries": [], "broader": ["*iij.jp"]}
AWAY = {"sid": "S-1-5-21-1", "name": "tanaka"}


def machine(*settings, **more):
    return {"browsers": {"settings": list(settings), "users_not_signed_in": [], "automatic_logon": [], **more}}


@pytest.mark.parametrize(
    ("machines", "decided", "before", "after"),
    [
        ({}, "", [], []),
        ({"pc1": machine()}, "", [], []),
        ({"pc1": machine(SETTING)}, "", ["blocker browser_settings_found"], ["blocker browser_settings_left"]),
        ({"pc1": machine(SETTING)}, "absent", ["info browser_settings_found"], ["blocker browser_settings_left"]),
        ({"pc1": machine(SETTING)}, "keep", [], []),
        ({"pc1": machine(WIDE)}, "absent", ["warning browser_entries_broader"], ["warning browser_entries_broader"]),
        ({"pc1": machine(automatic_logon=[{"path": "x", "zone": 1}])}, "", ["warning browser_entries_broader"], ["warning browser_entries_broader"]),
        ({"pc1": machine(users_not_signed_in=[AWAY])}, "", ["warning browser_users_not_seen"], ["warning browser_users_not_seen"]),
        # a machine that is off is not clean, whatever was decided
        ({"pc1": {"error": "x", "code": "unreachable"}}, "keep", ["warning client_not_readable"], ["blocker client_not_readable"]),
        ({"pc1": None}, "", ["warning client_not_readable"], ["blocker client_not_readable"]),
        ({"pc1": {"error": "it was not looked at"}}, "", ["warning client_not_readable"], ["blocker client_not_readable"]),
    ],
)
def test_the_table_of_findings(machines, decided, before, after):
    facts, confirmed = Facts(clients=machines), Confirmed(browser_settings=decided)
    assert [f"{item.severity} {item.code}" for item in preflight(facts, confirmed)] == before
    assert [f"{item.severity} {item.code}" for item in final_gate(facts, confirmed)] == after


def test_thousands_are_counted_and_a_few_named():
    many = {f"pc{number}": {"error": f"pc{number} does not answer", "code": "unreachable"} for number in range(3000)}
    many |= {f"on{number}": machine(SETTING, users_not_signed_in=[AWAY]) for number in range(2000)}
    found = {item.code: item for item in final_gate(Facts(clients=many), Confirmed())}
    assert {code: len(item.objects) for code, item in found.items()} == dict.fromkeys(found, clients.NAMED)
    assert "3000 of 5000" in found["client_not_readable"].text.en and "(+2990)" in found["client_not_readable"].text.en
    assert "2000 machines" in found["browser_settings_left"].text.en and "2000台" in found["browser_settings_left"].text.ja
    assert all(len(text) < 1500 for item in found.values() for text in item.text)
