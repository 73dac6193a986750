# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run folder that cannot be read is no run folder of which nothing is recorded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import gate
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.status.info import info
from dev.options import given


def test_what_is_no_run_folder_is_told_and_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, told in (("nowhere", "nowhere, and none was made"), ("file", "file (that is a file), and none"), ("file/run", "file/run, and none")):
        with pytest.raises(OffboardError) as refused:
            info(given("run_status_info", run_dir=str(tmp_path / name)))
        assert refused.value.code == "run_dir_missing" and told in refused.value.msg
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_which_no_run_has_begun_is_told_apart(tmp_path: Path) -> None:
    """Somebody else's folder looks as one at the very beginning."""
    (tmp_path / "notes.txt").write_text("mine")
    assert info(given("run_status_info", run_dir=str(tmp_path), language="en"))["lines"][1].startswith("No run has begun here.")
    step = {"id": "a", "stage": "gate", "en": "e", "ja": "j", "blocks_final_gate": True, "source": "", "done": False, "by": "", "at": "", "note": ""}
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [step]}))
    assert not any("No run has begun" in line for line in info(given("run_status_info", run_dir=str(tmp_path)))["lines"])


@pytest.mark.parametrize(("stopped_at", "state"), [("2026-01-05T09:00:00Z", "recorded"), ("2026-01-05T11:00:00Z", "stopped")])
def test_a_verdict_of_before_the_confirmed_stop_is_none(tmp_path: Path, stopped_at: str, state: str) -> None:
    step = {"id": "provisioning_stopped", "stage": "gate", "en": "e", "ja": "j", "blocks_final_gate": True, "source": ""}
    step |= {"done": True, "by": "Hanako", "at": stopped_at, "note": ""}
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [step]}))
    (tmp_path / "gate.json").write_text(json.dumps({**gate.judge("T1", ["a.example"], "", 0, []), "at": "2026-01-05T10:00:00Z"}))
    found = info(given("run_status_info", run_dir=str(tmp_path)))
    assert {stage["stage"]: stage["state"] for stage in found["stages"]}["gate"] == state


@pytest.mark.parametrize(("back_at", "state"), [("2026-01-05T09:00:00Z", "recorded"), ("2026-01-05T11:00:00Z", "stopped")])
def test_a_verdict_of_before_the_app_came_back_is_none(tmp_path: Path, back_at: str, state: str) -> None:
    line = {"record": "outcome", "run": "r", "at": back_at, "kind": "service_principal", "id": "i", "name": "IIJ ID", "action": "restore", "status": "done"}
    (tmp_path / "journal.jsonl").write_text(json.dumps(line, separators=(",", ":")) + "\n")
    (tmp_path / "run.json").write_text('{"tenant_id": "T1"}')
    (tmp_path / "gate.json").write_text(json.dumps({**gate.judge("T1", ["a.example"], "", 0, []), "at": "2026-01-05T10:00:00Z"}))
    found = info(given("run_status_info", run_dir=str(tmp_path)))
    assert {stage["stage"]: stage["state"] for stage in found["stages"]}["gate"] == state


@pytest.mark.parametrize("summary", [False, True])
def test_what_another_account_keeps_is_not_told_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, summary: bool) -> None:
    def denied(path: Any, **_options: Any) -> os.stat_result:
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as patched:  # root, who runs the tests, may read everything
        patched.setattr(os, "stat", denied)
        with pytest.raises(OffboardError) as refused:
            info(given("run_status_info", summary=summary, run_dir=str(tmp_path / "run")))
    assert refused.value.code == "file_read_failed" and refused.value.msg == f"cannot read {tmp_path}/run: Permission denied"
