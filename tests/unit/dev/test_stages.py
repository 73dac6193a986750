# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How `./dev test` runs its stages."""

from __future__ import annotations

from pathlib import Path

import pytest
from dev import stages


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The stages do nothing but say that they ran; each passes one test."""
    names: list[str] = []

    def stand_in(stage: stages.Stage) -> None:
        """says that it ran"""
        names.append(stage.name)
        stage.passed += 1

    monkeypatch.setattr(stages, "_new_folder", lambda: tmp_path)
    monkeypatch.setattr(stages, "STAGES", dict.fromkeys(stages.STAGES, stand_in))
    monkeypatch.setattr(stages, "LANES", ((stand_in,),))
    return names


def test_every_stage_is_in_one_lane() -> None:
    functions = [function for lane in stages.LANES for function in lane]
    assert sorted(map(id, functions)) == sorted(map(id, stages.STAGES.values()))


def test_all_are_run_and_told(ran: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert stages.main([]) == 0
    assert sorted(ran) == sorted(stages.STAGES)
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(stages.STAGES)} passed, 0 failed, 0 skipped"


def test_only_those_that_are_named(ran: list[str]) -> None:
    assert (stages.main(["unit", "lint"]), sorted(ran)) == (0, ["lint", "unit"])


def test_a_stage_that_breaks_keeps_no_other(ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(_stage: stages.Stage) -> None:
        """breaks"""
        raise RuntimeError("gone")

    monkeypatch.setattr(stages, "STAGES", {**stages.STAGES, "unit": breaks})
    monkeypatch.setattr(stages, "LANES", (*stages.LANES, (breaks,)))
    assert stages.main([]) == 1
    assert sorted(ran) == sorted(set(stages.STAGES) - {"unit"})
    printed = capsys.readouterr().out
    assert "FAILED RuntimeError: gone" in printed and printed.splitlines()[-1] == f"{len(ran)} passed, 1 failed, 0 skipped"
