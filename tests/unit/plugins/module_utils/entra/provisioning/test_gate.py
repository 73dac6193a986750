# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module of the gate ends with, by its verdict."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.plan import Plan
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
