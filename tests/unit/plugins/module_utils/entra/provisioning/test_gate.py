# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module of the gate ends with, by its verdict."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Object
from ansible_collections.offboard.iij_id.plugins.module_utils._core.plan import Plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.apps.plan import PRINCIPAL
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.provisioning.resource import ProvisioningGate
from dev.options import given


@pytest.mark.parametrize(
    ("required", "is_open", "check_mode", "code", "warned"),
    [
        (True, True, False, None, False),
        (True, False, False, "gate_closed", False),
        (True, False, True, None, True),
        (True, True, True, None, False),
        (False, False, False, None, False),
        (False, False, True, None, False),
    ],
)
def test_a_closed_gate_stops_the_stage_that_requires_it(
    monkeypatch: pytest.MonkeyPatch, required: bool, is_open: bool, check_mode: bool, code: str | None, warned: bool
) -> None:
    warnings: list[str] = []
    module = "ansible_collections.offboard.iij_id.plugins.module_utils._entra.provisioning.resource"
    monkeypatch.setattr(f"{module}.Client", lambda connection: None)
    monkeypatch.setattr(f"{module}.Connection.from_params", lambda params: None)
    made = ProvisioningGate(given("entra_provisioning_gate", path="gate.json", required=required), check_mode, warnings.append)
    error = made.verdict(Plan(facts={"open": is_open, "told": "IIJ ID is at work. / IIJ IDが動作中です。", "verdict": {"reasons": ["IIJ ID is at work."]}}))
    assert (error.code if error else None) == code and bool(warnings) is warned
    assert all("IIJ ID is at work" in told for told in ([error.msg] if error else []) + warnings)


class _Tenant:
    """What the gate asks of a client, and by how many seconds the clock of this machine is ahead of the tenant's."""

    def __init__(self, clock_ahead: float | None) -> None:
        self.clock_ahead = clock_ahead

    def identity(self) -> dict[str, str]:
        return {"tenant_id": "t"}


@pytest.mark.parametrize(
    ("ahead", "hours", "is_open"),
    [(0.4, 24, True), (-240, 24, True), (None, 24, True), (301, 24, False), (-7200, 24, False), (86400 * 2, 24, False), (7200, 0, True)],
)
def test_a_wrong_clock_hides_no_activity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ahead: float | None, hours: int, is_open: bool) -> None:
    """By a clock that is ahead, what the app did after its confirmed stop came before it."""
    module = "ansible_collections.offboard.iij_id.plugins.module_utils._entra.provisioning.resource"
    monkeypatch.setattr(f"{module}.Client", lambda connection: _Tenant(ahead))
    monkeypatch.setattr(f"{module}.Connection.from_params", lambda params: None)
    monkeypatch.setattr(f"{module}.read_app", lambda client, client_id: [Object(PRINCIPAL, "sp", "IIJ", {"deleted": False, "accountEnabled": True})])
    monkeypatch.setattr(f"{module}.entries_of", lambda client, client_id, since: [])
    app = "0b1f3e8a-57a1-4f0c-8a10-aa11d0000001"
    made = ProvisioningGate(given("entra_provisioning_gate", path=str(tmp_path / "gate.json"), app_id=app, activity_hours=hours))
    facts = made.plan([]).facts
    assert facts["open"] is is_open
    assert is_open or ("clock" in facts["told"] and "時計" in facts["told"])


@pytest.mark.parametrize(("confirmed_later", "written"), [(False, False), (True, True)])
def test_a_verdict_is_written_again_when_the_stop_was_confirmed_since(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, confirmed_later: bool, written: bool
) -> None:
    module = "ansible_collections.offboard.iij_id.plugins.module_utils._entra.provisioning.resource"
    monkeypatch.setattr(f"{module}.Client", lambda connection: _Tenant(0))
    monkeypatch.setattr(f"{module}.Connection.from_params", lambda params: None)
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=10)
    stop = before + datetime.timedelta(minutes=5 if confirmed_later else -5)
    step = {
        "id": "provisioning_stopped",
        "stage": "gate",
        "en": "e",
        "ja": "j",
        "blocks_final_gate": True,
        "source": "",
        "done": True,
        "by": "Hanako",
        "note": "",
    }
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [step | {"at": f"{stop:%Y-%m-%dT%H:%M:%SZ}"}]}))
    made = ProvisioningGate(given("entra_provisioning_gate", path=str(tmp_path / "gate.json"), activity_hours=0))
    found = made.plan([]).facts["verdict"] | {"at": f"{before:%Y-%m-%dT%H:%M:%SZ}"}
    assert len(made.plan([Object("gate_verdict", "gate.json", "gate.json", found)]).changes) == written


@pytest.mark.parametrize(
    ("old", "at", "is_open"),
    [
        ([], "12:00:00", True),
        (["0B1F3E8A-57A1-4F0C-8A10-AA11D0000002"], "12:00:00", False),
        # before the confirmed stop; and of the app itself, which was looked at already
        (["0b1f3e8a-57a1-4f0c-8a10-aa11d0000002"], "09:00:00", True),
        (["0b1f3e8a-57a1-4f0c-8a10-aa11d0000001"], "12:00:00", True),
    ],
)
def test_a_forgotten_app_of_iij_id_keeps_the_gate_closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: list[str], at: str, is_open: bool) -> None:
    module = "ansible_collections.offboard.iij_id.plugins.module_utils._entra.provisioning.resource"
    monkeypatch.setattr(f"{module}.Client", lambda connection: _Tenant(0))
    monkeypatch.setattr(f"{module}.Connection.from_params", lambda params: None)
    monkeypatch.setattr(f"{module}.read_app", lambda client, client_id: [Object(PRINCIPAL, "sp", "IIJ", {"deleted": False, "accountEnabled": True})])
    entries = {"0b1f3e8a-57a1-4f0c-8a10-aa11d0000002": [{"activityDateTime": f"2026-01-05T{at}Z"}]}
    monkeypatch.setattr(f"{module}.entries_of", lambda client, client_id, since: entries.get(client_id, []))
    step = {"id": "provisioning_stopped", "stage": "gate", "en": "e", "ja": "j", "blocks_final_gate": True, "source": ""}
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [step | {"done": True, "by": "Hanako", "note": "", "at": "2026-01-05T10:00:00Z"}]}))
    app = "0b1f3e8a-57a1-4f0c-8a10-aa11d0000001"
    made = ProvisioningGate(given("entra_provisioning_gate", path=str(tmp_path / "gate.json"), app_id=app, old_app_ids=old))
    assert made.plan([]).facts["open"] is is_open
