# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles hand over reaches the judgement, all of it, in its types."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.found import KEYS, merged, of_answers
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import ANSWERS, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.options import confirmed_by
from dev import places

A, B, C = {"domain": "a"}, {"domain": "b"}, {"domain": "c"}


@pytest.mark.parametrize(
    ("handed_over", "made"),
    [
        ([], {}),
        ([{}, {}], {}),
        ([{"domains": [A]}, {}, {"domains": [B, C]}], {"domains": [A, B, C]}),
        ([{"affected": ["a"], "normal": {}}], {}),
        ([{"confirmed": {"accounts": ["a"]}}, {"confirmed": {"accounts": ["b"], "without_machines": True}}],
         {"confirmed": {"accounts": ["a", "b"], "without_machines": True}}),
        ([{"confirmed": {"max_users": 5}}, {"confirmed": {"max_users": None}}], {"confirmed": {"max_users": 5}}),
        ([{"confirmed": {"without_machines": True}}, {"confirmed": {"without_machines": False}}], {"confirmed": {"without_machines": False}}),
        ([{"provisioning": {"skipped": True}}, {"dry_runs": [A]}], {"provisioning": {"skipped": True}, "dry_runs": [A]}),
    ],
)  # fmt: skip
def test_how_they_are_put_together(handed_over, made):
    assert merged(handed_over) == made


def test_no_fact_of_the_judgement_is_lost_between_the_roles_and_it():
    """What is neither registered by a task of the roles nor given by the judging task itself would be found by a role, and judged by nobody."""
    by_the_task = {"machines", "linux_machines", "openldap", "steps", "export", "needs_directory", "uninstalled_on", "begun_kinds", "missing", "app", "now"}
    assert {field.name for field in dataclasses.fields(Facts)} == {*KEYS, *by_the_task} - {"confirmed"}


FAILED = {"failed": False, "msg": "no", "failure": {"code": "x"}, "changed": False}


@pytest.mark.parametrize(
    ("answers", "before", "after"),
    [
        ({}, {}, {}),
        # a task that was skipped has looked at nothing, which is not "nothing there"
        ({"__microsoft_365_domains": {"skipped": True}, "__microsoft_365_apps": {}, "__report_objects": {"skipped": True, "changed": False}}, {}, {}),
        ({"__microsoft_365_domains": {"domains": []}}, {"domains": []}, {"domains": []}),
        ({"__microsoft_365_users": {"results": [{"item": "a", "counts": {"total": 1}}]}}, {"users": [{"domain": "a", "counts": {"total": 1}}]}, {}),
        ({"__offboard_group_policies": FAILED}, {"group_policies": FAILED}, {"group_policies": FAILED}),
        # an earlier look is none of the final gate's
        ({"__directory_sync_candidates": {"objects": [A], "unusable": []}, "__integrated_windows_authentication_candidates": {"objects": [B], "unusable": [C]},
          "__report_objects": {"objects": [C]}},
         {"directory_objects": [A, B], "directory_unusable": [C]}, {"directory_objects": [C]}),
        ({"__microsoft_365_trial": FAILED, "__directory_sync_trial": {"changed": True, "plan": []},
          "__directory_sync_openldap_access_tried": {"results": [FAILED, {"changed": True}]}},
         {"dry_runs": [{"stage": "domains", "msg": "no", "failure": {"code": "x"}}, {"stage": "accounts", "msg": "no", "failure": {"code": "x"}}]}, {}),
        ({"__nobody_knows_this": {"domains": [A]}}, {}, {}),
    ],
)  # fmt: skip
def test_what_the_tasks_have_registered(answers, before, after):
    assert of_answers(answers, "preflight") == before and of_answers(answers, "final") == after and of_answers(answers, "agents") == {}


def test_every_answer_is_registered_by_a_task_of_the_roles():
    text = "".join(file.read_text() for file in places.ROOT.glob("roles/*/tasks/*.yml"))
    assert [one.registered for one in ANSWERS if f"register: {one.registered}\n" not in text] == []
    assert {one.fact for one in ANSWERS} <= {field.name for field in dataclasses.fields(Facts)}


def test_texts_of_the_command_line_become_what_the_options_are():
    """-e max_users=5 gives a text, -e without_machines=true too."""
    confirmed = confirmed_by([{"confirmed": {"max_users": "5", "without_machines": "true", "domains": "a.example,b.example"}}], {})
    assert (confirmed["max_users"], confirmed["without_machines"], confirmed["domains"]) == (5, True, ["a.example", "b.example"])
    assert confirmed["passwords"] == "generate", "what nobody hands over has its default"


def test_what_the_task_says_itself_wins():
    found = [{"confirmed": {"max_users": 5, "accounts": ["a"], "iij_client_id": "x"}}]
    confirmed = confirmed_by(found, {"max_users": 7, "own_client_id": "y"})
    assert (confirmed["max_users"], confirmed["accounts"], confirmed["own_client_id"]) == (7, ["a"], "y")


@pytest.mark.parametrize("wrong", [{"max_users": "many"}, {"nobody_knows_this": True}, {"passwords": "none"}])
def test_what_no_option_knows_is_refused_and_not_lost(wrong):
    with pytest.raises(OffboardError) as caught:
        confirmed_by([{"confirmed": wrong}], {})
    assert caught.value.code == "bad_option"
