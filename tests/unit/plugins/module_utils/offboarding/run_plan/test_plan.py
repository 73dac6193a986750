# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a plan to be approved is written, and how it is told: tables."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Object
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.run_plan import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.run_plan.options import Options
from dev.options import given

LINES = [b'{"kind":"domain"}\n', b'{"kind":"user"}\n']


def test_the_name_is_the_hash_of_what_it_holds() -> None:
    planned = plan.Planned.of(LINES)
    assert planned == plan.Planned(hashlib.sha256(b"".join(LINES)).hexdigest(), 2)
    assert planned.path("/run") == f"/run/plans/{planned.sha256}.jsonl"


@pytest.mark.parametrize(
    ("there", "lines", "written"),
    [
        (False, LINES, True),
        (True, LINES, False),
        (False, [], False),  # nothing to approve
    ],
)
def test_it_is_written_once(there: bool, lines: list[bytes], written: bool) -> None:
    planned = plan.Planned.of(lines)
    made = plan.plan_file([Object(plan.KIND, "/run/x", "x", {})] * there, planned, "/run/x")
    assert [change.after for change in made.changes] == [{"sha256": planned.sha256}] * written
    assert made.unchanged == (not written)


@pytest.mark.parametrize(("language", "told"), [("en", ["Two", "One"]), ("ja", ["二", "一"]), ("both", ["Two", "二", "One", "一"])])
def test_it_is_told_in_the_language(language: str, told: list[str]) -> None:
    assert plan.lines([{"en": "Two", "ja": "二"}, {"en": "One", "ja": "一"}], language) == told


def test_the_folder_of_the_run_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert Options.of(given("run_plan", run_dir="run", predictions="/p")).run_dir == "/run"
