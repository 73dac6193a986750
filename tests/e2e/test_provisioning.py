# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why there is a gate: what is repaired before IIJ ID's provisioning has stopped is undone, what is repaired afterwards stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import company
from lab.iij import console
from lab.tenant.part import TenantPart, control

from . import worlds
from .conftest import GATE_STEPS, reset, stop_provisioning
from .playbooks import Operator

pytestmark = [pytest.mark.lab, pytest.mark.long]

PEOPLE = {person.number: person for person in company.people()}
#: Blocked by IIJ ID before the exit began; the operator wants them back.
WANTED = [PEOPLE[11], PEOPLE[12]]
#: Works, and no administrator (IIJ ID's app may not block those).
WORKING = PEOPLE[5]
#: Stays as it is: left the company.
GONE = PEOPLE[231]


def _enabled(person: company.Person) -> bool:
    return worlds.users(worlds.tenant())[person.upn]["accountEnabled"]


def _who_wrote(person: company.Person) -> list[str]:
    """Keys of the apps that changed the user, in order."""
    keys = {company.app(key)["client_id"]: key for key in ("iij", "offboard")}
    lines = control().call("GET", "/_lab/requests?write=1").data
    return [keys[line["app_id"]] for line in lines if line["method"] == "PATCH" and line["path"].endswith(person.id) and line["status"] < 300]


@pytest.fixture(scope="module")
def operator(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """A snapshot has been taken, and the gate has told what it wants."""
    reset()
    operator = Operator(tmp_path_factory.mktemp("provisioning"), microsoft_365_also_enable=[person.upn for person in WANTED])
    operator.run("snapshot").must()
    operator.run("gate").failed("provisioning_stopped")
    return operator


def test_a_wrong_word_is_found_out_by_the_audit_log(operator: Operator) -> None:
    operator.confirm(*GATE_STEPS)
    operator.run("gate").must()  # so far IIJ ID has changed nothing since the person's word
    control().call("PATCH", f"/_lab/objects/users/{WORKING.id}", {"jobTitle": "changed by hand"})
    console.command(None)
    operator.run("gate").failed("IIJ ID still changes the tenant", "microsoft_365_evidence_hours")


def test_repair_before_the_stop_is_undone(operator: Operator) -> None:
    """The gate believes the person here, who is wrong. IIJ ID's next cycle is a while off, as it is in the real world."""
    console.stop()
    operator.run("users").failed("gate")  # its last verdict was closed
    operator.run("gate", microsoft_365_evidence_hours=0).must()
    operator.run("users").must()
    assert all(_enabled(person) for person in WANTED)
    TenantPart().start()
    console.command(None)
    for person in WANTED:
        assert _who_wrote(person) == ["offboard", "iij"]
        assert not _enabled(person)


def test_repair_after_the_stop_holds(operator: Operator) -> None:
    stop_provisioning()
    assert not _enabled(WORKING)  # that is what the stop does to everybody
    operator.run("users").must()
    for _ in range(2):
        console.command(None)
    assert all(_enabled(person) for person in [*WANTED, WORKING])
    assert not _enabled(GONE)
    assert operator.run("users").must().changed == 0


def test_with_its_app_switched_off_iij_id_can_do_neither(lab: None, tmp_path: Path) -> None:
    reset()
    operator = Operator(tmp_path, microsoft_365_disable_app=True)
    operator.run("snapshot").must()
    # A token that it has already is good for up to 90 minutes more: the gate says until when to wait with the stop.
    operator.run("gate").failed("token", "90 minutes", "provisioning_stopped")
    operator.run("gate", microsoft_365_token_minutes=0).failed("provisioning_stopped", "offboard.iij_id.confirm")
    console.stop()  # and with it the token that the actor holds
    TenantPart().start()
    control().call("PATCH", f"/_lab/objects/users/{WORKING.id}", {"jobTitle": "changed by hand"})
    before = worlds.users(worlds.tenant())
    assert "refused" in console.command(None)["last"]["error"]
    assert "refused" in console.command(False)["last"]["error"]
    assert worlds.users(worlds.tenant()) == before
