# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found stands with the step that it is about."""

from __future__ import annotations

import re
import zoneinfo
from pathlib import Path

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import page as report_page
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import plan as report
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps import found

ROOT = Path(__file__).parents[5]


def finding(code: str, number: int = 0) -> dict[str, object]:
    return {"severity": "warning", "code": code, "en": f"{code} {number} <here>", "ja": f"{code} {number} 番", "objects": []}


@pytest.mark.parametrize(
    ("step", "codes", "shown"),
    [
        ("device_certificates_deleted", ["certificate_left", "browser_settings_left"], ["certificate_left"]),
        ("spnego_settings_removed", ["certificate_left", "logon_scripts_by_hand"], ["logon_scripts_by_hand"]),
        ("batch_logon_right_removed", ["task_account", "orphaned_rights"], ["task_account", "orphaned_rights"]),
        ("batch_logon_right_removed", ["local_right_entries", "task_account"], ["local_right_entries", "task_account"]),
        ("contract_terminated", ["task_account"], []),
    ],
)
def test_what_a_step_is_about(step: str, codes: list[str], shown: list[str]) -> None:
    assert [item["code"] for item in found.of_step(step, [finding(code) for code in codes])] == shown


def test_each_step_and_each_code_exists() -> None:
    steps = {item["id"] for path in ROOT.glob("roles/*/vars/steps.yml") for found in yaml.safe_load(path.read_text()).values() for item in found}
    assert found._CODES.keys() <= steps
    sources = "\n".join(path.read_text() for path in (ROOT / "plugins/module_utils").rglob("*.py") if path.name != "found.py")
    assert [code for codes in found._CODES.values() for code in codes if not re.search(rf'"{code}"', sources)] == []


def test_the_report_shows_what_was_found_last_with_an_open_step() -> None:
    step = {"id": "device_certificates_deleted", "en": "Delete", "ja": "削除", "done": False, "blocks_final_gate": True, "source": "", "stage": "clients"}
    step |= {"by": "", "at": "", "note": ""}
    before, now = [finding("certificate_left", 99)], [finding("certificate_left", number) for number in range(12)]
    made = report.build([], [step], before, now, None, "Reiji")
    assert (made["steps"][0]["found_count"], len(made["steps"][0]["found"])) == (12, 10)
    shown = report_page.page(made, "ja", zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert "検出されたもの" in shown and "certificate_left 3 &lt;here&gt;" in shown and "ほか2件" in shown
    assert report.build([], [step], before, None, None, "Reiji")["steps"][0]["found_count"] == 1
    assert report.build([], [step | {"done": True}], before, now, None, "Reiji")["steps"][0]["found_count"] == 0
