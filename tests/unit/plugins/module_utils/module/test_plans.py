# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check run's plan is kept, approved, and is all that a real run does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import runner as task
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.run_plan.resource import RunPlan

from .test_runner import Finished, Lamps, Module


def run(lamps, check=False, **params):
    module = Module(check_mode=check, max_changes=9, **params)
    with pytest.raises(Finished) as caught:
        task.run(module, lambda _params: lamps)
    return caught.value.result, module.warnings


class Bulbs(Lamps):
    """Lamps of a kind that the vocabulary knows."""

    kinds = ("user",)

    def read(self):
        return [type(item)("user", item.id, item.name, item.state) for item in super().read()]

    def plan(self, current):
        plan = super().plan(current)
        changes = [type(change)(**{**change.to_dict(), "kind": "user", "action": "update"}) for change in plan.changes]
        made = type(plan)()
        for change in changes:
            made.changes.append(change)
        return made


def keep(tmp_path, lamps):
    """The plan of a check run, kept; its hash and its file."""
    predictions = tmp_path / "predictions.jsonl"
    predictions.touch()
    run(Bulbs(lamps), check=True, predictions=str(predictions))
    options = {"run_dir": str(tmp_path / "run"), "predictions": str(predictions), "language": "ja"}
    with pytest.raises(Finished) as caught:
        task.run(Module(**options), RunPlan)
    first = caught.value.result
    assert first["changed"] is bool(first["count"])
    with pytest.raises(Finished) as caught:
        task.run(Module(**options), RunPlan)
    assert (caught.value.result["changed"], caught.value.result["sha256"]) == (False, first["sha256"])
    return first


def approved(kept):
    return {"path": kept["path"], "sha256": kept["sha256"]}


def test_what_was_approved_is_done_and_nothing_else(tmp_path):
    kept = keep(tmp_path, {"a": True, "b": True})
    assert (kept["count"], kept["lines"]) == (2, ["利用者、更新: 2"])
    assert os.stat(kept["path"]).st_mode & 0o777 == 0o600 and os.stat(tmp_path / "run").st_mode & 0o777 == 0o700
    lamps = Bulbs({"a": True, "b": True, "c": True})  # one more since
    result, _unused = run(lamps, approved_plan=approved(kept))
    assert (result["failure"]["code"], lamps.writes) == ("not_approved", [])
    assert "Users: lamp c (c), updated: not in the plan" in result["msg"] and kept["sha256"][:12] in result["msg"]
    assert result["failure"]["details"]["count"] == 1
    result, _unused = run(Bulbs({"a": True, "b": True, "c": True}), check=True, approved_plan=approved(kept))
    assert result["failure"]["code"] == "not_approved"
    lamps = Bulbs({"a": False, "b": True})  # a part is done
    result, _unused = run(lamps, approved_plan={**approved(kept), "sha256": f" {kept['sha256'].upper()}\n"})
    assert "failure" not in result and lamps.writes == ["b"]
    lamps = Bulbs({"c": True})
    lamps.in_run_folder = True  # records of the run need nobody's approval
    assert "failure" not in run(lamps, approved_plan=approved(kept))[0]


def test_nothing_planned_is_nothing_to_approve(tmp_path):
    kept = keep(tmp_path, {"a": False})
    assert (kept["count"], kept["path"], kept["lines"], (tmp_path / "run").exists()) == (0, "", [], False)
    lamps = Bulbs({"a": True})  # and then there is something to do
    result, _unused = run(lamps, approved_plan={"path": str(tmp_path / "run" / "plans" / "x.jsonl"), "sha256": kept["sha256"]})
    assert (result["failure"]["code"], lamps.writes) == ("not_approved", [])


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda path: path.unlink(), "plan_missing"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b'"on":false', b'"on":true ')), "plan_damaged"),
        (lambda path: path.write_text(""), "plan_damaged"),
        (lambda path: path.chmod(0o666), "run_folder_unsafe"),
        (lambda path: (path.rename(path.with_suffix(".x")), path.symlink_to(path.with_suffix(".x"))), "run_folder_unsafe"),
    ],
)
def test_a_plan_that_is_not_the_one_approves_nothing(tmp_path, spoil, code):
    kept = keep(tmp_path, {"a": True})
    spoil(Path(kept["path"]))
    lamps = Bulbs({"a": True})
    result, _unused = run(lamps, approved_plan=approved(kept))
    assert (result["failure"]["code"], lamps.writes) == (code, [])


@pytest.mark.parametrize(
    "wrong", [{"kind": ["user"]}, {"id": 1}, {"name": None}, {"action": {}}, {"before": ["x"]}, {"after": "x"}, {"after": 1}, {"risk": "none"}, {"kind": None}]
)
def test_predictions_of_another_type_are_damaged(tmp_path, wrong):
    whole = {"kind": "user", "id": "1", "name": "n", "action": "update", "before": {}, "after": {"x": 1}}
    predictions = tmp_path / "predictions.jsonl"
    predictions.write_text(json.dumps(whole | wrong) + "\n")
    with pytest.raises(Finished) as caught:
        task.run(Module(run_dir=str(tmp_path / "run"), predictions=str(predictions), language="ja"), RunPlan)
    assert caught.value.result["failure"]["code"] == "predictions_damaged"


def test_what_is_no_hash(tmp_path):
    result, _unused = run(Bulbs({"a": True}), approved_plan={"path": str(tmp_path / "x.jsonl"), "sha256": "yes"})
    assert result["failure"]["code"] == "plan_missing" and "64 hexadecimal digits" in result["msg"]


def test_a_damaged_kept_plan_is_written_anew(tmp_path):
    kept = keep(tmp_path, {"a": True})
    whole = Path(kept["path"]).read_bytes()
    Path(kept["path"]).write_text("")
    (tmp_path / "again").mkdir()
    assert keep(tmp_path / "again", {"a": True})["sha256"] == kept["sha256"]
    options = {"run_dir": str(tmp_path / "run"), "predictions": str(tmp_path / "predictions.jsonl"), "language": "en"}
    with pytest.raises(Finished) as caught:
        task.run(Module(**options), RunPlan)
    assert caught.value.result["changed"] is True and Path(kept["path"]).read_bytes() == whole
    assert json.loads(whole)["action"] == "update"
