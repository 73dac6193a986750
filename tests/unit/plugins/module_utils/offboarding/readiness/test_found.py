# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles hand over reaches the judgement, all of it, in its types."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.facts import Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.found import KEYS, merged
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.info import confirmed_by

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
    """What is neither handed over here nor given by the task itself would be found by a role, and judged by nobody."""
    by_the_task = {
        "machines",
        "linux_machines",
        "openldap",
        "directory_objects",
        "steps",
        "people",
        "export",
        "needs_directory",
        "uninstalled_on",
        "app",
        "now",
    }
    assert {field.name for field in dataclasses.fields(Facts)} == {*KEYS, *by_the_task} - {"confirmed"}


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
