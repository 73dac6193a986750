# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.heads import Heads
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object, Refusal, Skip
from ansible_collections.offboard.iij_id.plugins.module_utils._core.plan import Plan
from ansible_collections.offboard.iij_id.plugins.module_utils._module import budget, runner
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import runner as task
from ansible_collections.offboard.iij_id.plugins.plugin_utils import diffs

EVENT = 100_000
USERS = 100_000


class Finished(Exception):
    pass


class Module:
    _name = "offboard.iij_id.people"

    def __init__(self, check_mode=False, **params):
        self.check_mode, self._diff, self.params = check_mode, True, params

    def warn(self, text):
        pass

    def exit_json(self, **result):
        raise Finished(False, result)

    def fail_json(self, **result):
        raise Finished(True, result)


class People(runner.Resource):
    """Many, with Japanese names; of ten one is left alone, and of ten one fails."""

    noun, kinds = "people", ("person",)

    def __init__(self, number, refusals=()):
        self._number, self._refusals = number, refusals

    def read(self):
        return (Object("person", f"{number:036}", f"従業員{number}@例.example", {}) for number in range(self._number))

    def plan(self, current):
        plan = Plan()
        for number, one in enumerate(current):
            if number % 10 == 9 and len(plan.skipped) < 1000:
                plan.skipped.append(Skip(one.kind, one.id, one.name, "is_blocked", "停止中の利用者です" * 10))
            else:
                state = {"部署": "情報システム部", "enabled": False}
                plan.changes.append(Change(one.kind, one.id, one.name, "update", state, {**state, "enabled": True}, undo="元に戻す" * 20))
        return plan

    def guard(self, plan):
        return self._refusals

    def apply(self, change):
        if change.id.endswith("0"):
            raise OffboardError("できません" * 20, code="refused")

    def verify(self, applied):
        return ()


def event(module, resource):
    """(failed, result, the greatest event that AWX makes of it): what a failed task returned is in it as data, and as the line that is printed."""
    with pytest.raises(Finished) as ended:
        task.run(module, lambda params: resource)
    failed, result = ended.value.args
    shown = {**result, "diff": diffs.for_people(result["diff"]), "invocation": result.get("invocation", {"module_args": module.params})}
    printed = json.dumps(shown, ensure_ascii=False) if failed else ""
    difference = {"diff": shown["diff"], "stdout": "".join(entry["before"] + entry["after"] for entry in shown["diff"])}
    return failed, result, max(len(json.dumps({"res": shown, "stdout": printed})), len(json.dumps(difference)))


def test_the_plan_of_100_000_users_is_a_small_event_that_says_how_many_there_are(tmp_path):
    failed, result, size = event(Module(check_mode=True, predictions=str(tmp_path / "plan.jsonl"), max_changes=USERS), People(USERS))

    planned = result["counts"]["planned"]
    assert not failed
    assert size < EVENT
    assert planned == USERS - 1000
    assert result["cut"]["plan"] == {"shown": len(result["plan"]), "of": planned}
    assert result["cut"]["diff"]["of"] == planned
    assert result["cut"]["files"] == [str(tmp_path / "plan.jsonl")]
    assert len((tmp_path / "plan.jsonl").read_text().splitlines()) == planned
    assert min(len(result[name]) for name in ("plan", "skipped_objects", "restore", "diff")) > 5


def test_a_run_in_which_2000_fail_is_a_small_event_and_names_the_file_of_all(tmp_path):
    results = str(tmp_path / "users.jsonl")

    failed, result, size = event(Module(results_file=results, max_changes=USERS), People(20_000))

    assert failed
    assert size < EVENT
    assert result["cut"]["failed_objects"] == {"shown": len(result["failed_objects"]), "of": result["counts"]["failed"]}
    assert result["cut"]["files"] == [results]
    assert f"{result['counts']['failed'] - 1} more in {results}" in result["msg"]
    assert min(len(result[name]) for name in ("plan", "applied", "failed_objects", "skipped_objects")) > 5


def test_refusals_and_options_are_short_as_well(tmp_path):
    many = tuple(f"従業員{number}@例.example" for number in range(USERS))
    handed_over = [{"name": name} for name in many]

    failed, result, size = event(Module(max_changes=USERS, found=handed_over, domain="例.example"), People(10, (Refusal("blocked", "100000人", many),)))

    assert failed
    assert size < EVENT
    assert result["failure"]["details"]["refusals"][0]["objects"][0] == many[0]
    assert result["invocation"]["module_args"]["domain"] == "例.example"
    assert "bytes" in result["invocation"]["module_args"]["found"]


def test_what_has_room_is_whole_and_nothing_is_said_of_it():
    result = {"plan": [{"name": "a"}], "applied": [], "diff": [], "facts": list(range(10)), "msg": "done"}

    assert budget.answer(result, {"plan": 1}, ["journal"]) == result


def test_the_plan_is_the_same_whatever_else_is_in_the_answer():
    plan = [{"name": f"従業員{number}"} for number in range(1000)]

    check, real = ({"plan": plan, "applied": applied, "msg": ""} for applied in ([], plan))

    assert budget.answer(check, {}, [])["plan"] == budget.answer(real, {}, [])["plan"] != plan


@pytest.mark.parametrize("first", [10, 100_000])
def test_a_list_that_is_short_leaves_its_room_to_the_others_and_one_that_has_none_is_empty(first):
    kept = budget.cut({"plan": ["x" * first], "applied": ["y" * 100] * 1000}, 20_000)

    assert len(kept["plan"]) == (first == 10)
    assert len(kept["applied"]) > (180 if first == 10 else 90)


def test_of_each_kind_some_are_shown_where_there_is_room_for_few():
    heads = Heads()
    for number in range(1000):
        heads.add("rare" if number in (990, 999) else "usual", {"name": f"従業員{number}"})

    shown = budget.sample_of(heads, ["usual", "rare"])

    assert budget.size(shown) <= budget.SAMPLE_BYTES
    assert [one["name"] for one in shown[-2:]] == ["従業員990", "従業員999"]
    assert len(shown) > 300
    assert budget.sample(list("ab")) == ["a", "b"]
