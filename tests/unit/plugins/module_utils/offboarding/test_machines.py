# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which machines a stage is done, and what is told of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.machines.plan import failure, left_out, lines, merged, parse, reasons, rows
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.machines.resource import RunMachines, read_machines
from dev.options import given

ALL = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("before", "done", "failed", "expected"),
    [
        (None, ["a"], [], ["a"]),
        (["a"], ["b"], [], ["a", "b"]),
        # a later failure overrules an earlier success, and what the same run has done besides
        (["a", "b"], ["a"], ["a"], ["b"]),
        # what the inventory has no longer
        (["gone"], [*ALL, "other"], [], ALL),
    ],
)
def test_runs_add_up(before: list[str] | None, done: list[str], failed: list[str], expected: list[str]) -> None:
    record = None if before is None else {"machines": before, "done": before}
    assert merged(record, ALL, done, failed) == {"machines": ALL, "done": expected}


def test_what_is_told() -> None:
    assert left_out(ALL, ["a"], ["b"]) == ["c"]
    records = {"freeze": {"machines": ALL, "done": ["a", "b"]}, "agents": {"machines": ALL, "done": ALL}}
    found = rows(records, {"agents": ["b"]})
    assert [(row["stage"], row["left_out"], row["not_done"]) for row in found] == [("freeze", [], ["c"]), ("agents", ["b"], [])]
    told = lines(found)
    assert [text.en for text in told] == [
        "Still to be done (freeze): 1 of 3 machines: c. Run freeze for them too.",
        "Not looked at (agents): 1 of the inventory's machines, left out by --limit or not reached: b",
    ]
    assert all("c" in text.ja or "b" in text.ja for text in told)
    assert rows({"freeze": {"machines": ALL, "done": ALL}}, {}) == []
    (many,) = lines(rows({}, {"clients": [f"pc{number:03}" for number in range(100)]}))
    assert "100 of" in many.en and many.en.endswith("pc019 (+80)")


@pytest.mark.parametrize(
    "content",
    [
        None, [], {}, {"stages": []}, {"stages": {"gate": {"machines": [], "done": []}}}, {"stages": {"freeze": []}},
        {"stages": {"freeze": {"machines": "ab", "done": []}}}, {"stages": {"freeze": {"machines": [], "done": [1]}}}, {"stages": {"freeze": {"machines": []}}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_record(tmp_path: Path, content: Any) -> None:
    with pytest.raises(ValueError, match="it "):
        parse(content)
    (tmp_path / "machines.json").write_text(json.dumps(content))
    with pytest.raises(OffboardError) as caught:
        read_machines(str(tmp_path))
    assert caught.value.code == "file_read_failed"


@pytest.mark.parametrize(
    ("changed", "code", "told"),
    [
        ({}, None, ""),
        ({"done": []}, None, ""),  # left out by --limit
        ({"machines": [], "done": [], "may_be_none": True}, None, ""),
        ({"machines": [], "done": []}, "no_machines", "The groups iij_id_agents and iij_id_linux_agents hold no machine"),
        ({"failed": {"b": "no way", "c": "off"}}, "machines_failed", "2 of 3 machines failed; the others are done. b: no way c: off"),
        ({"failed": {"b": "no", "c": "x"}, "language": "ja"}, "machines_failed", "3台中2台のマシンで失敗しました（ほかは完了しています）。 b: no c: x"),
        ({"failed": {"b": "no way"}, "done": []}, "machines_failed", "1 of 3 machines failed; 2 were not looked at (a, c). b: no way"),
        (
            {"failed": {"b": "no"}, "language": "ja", "done": []},
            "machines_failed",
            "3台中1台のマシンで失敗しました（2台は未確認: a, c）。 b: no",
        ),
    ],
    ids=str,
)
def test_what_stops_the_run(tmp_path: Path, changed: dict[str, Any], code: str | None, told: str) -> None:
    asked = {"run_dir": str(tmp_path), "stage": "agents", "machines": ALL, "done": ["a"], "failed": {}, "language": "en", **changed}
    kept = RunMachines(given("run_machines", **asked))
    plan = kept.plan(kept.read())
    error = kept.verdict(plan)
    assert (error.code if error else None) == code and (error.msg if error else "").startswith(told)
    assert len(plan.changes) == bool(changed.get("machines", ALL) or changed.get("may_be_none")), "of no machine only where there may be none"


def test_reasons_of_many() -> None:
    failed = {f"pc{number:03}": "off" for number in range(30)}
    assert reasons(failed).endswith("pc019: off (+10)") and failure([*failed], failed, []).en == "30 of 30 machines failed."


def test_two_slices_keep_both(tmp_path: Path) -> None:
    def record(stage: str, *done: str) -> RunMachines:
        return RunMachines(given("run_machines", run_dir=str(tmp_path), stage=stage, machines=ALL, done=list(done), failed={}))

    one, other = record("freeze", "a"), record("freeze", "b")
    plans = [(item, item.plan(item.read())) for item in (one, other, record("agents", *ALL))]
    for item, plan in plans:
        for change in plan.changes:
            item.apply(change)
        assert not list(item.verify(plan.changes))
    assert read_machines(str(tmp_path)) == {"freeze": {"machines": ALL, "done": ["a", "b"]}, "agents": {"machines": ALL, "done": ALL}}
    again = record("freeze", "a")
    assert not len(again.plan(again.read()).changes)
