# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people decide in variables reaches the judgement, and only where its option of the contract is in use."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.lookup.judged import LookupModule
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import ANSWERS, DECISIONS, Confirmed, confirmed
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.options import confirmed_by
from dev import places

ALL = ("directory_sync", "microsoft_365", "multi_factor_authentication", "external_identity_providers", "integrated_windows_authentication")


@pytest.mark.parametrize(
    ("values", "in_use", "expected"),
    [
        ({}, ALL, {}),
        # what is empty says nothing: the default stays
        ({"microsoft_365_max_users": "", "microsoft_365_disable_app": None, "microsoft_365_domains": ""}, ALL, {}),
        ({"microsoft_365_disable_app": False, "directory_sync_tasks": []}, ALL, {"disable_app": False, "tasks": []}),
        ({"directory_sync_accounts": ["a"], "integrated_windows_authentication_accounts": ["b"]}, ALL, {"accounts": ["a", "b"]}),
        ({"directory_sync_accounts": ["a"], "integrated_windows_authentication_accounts": ["b"]}, ("directory_sync",), {"accounts": ["a"]}),
        ({"offboard_iij_client_id": "x", "microsoft_365_old_client_ids": ["y"]}, ALL, {"client_ids": ["x", "y"]}),
        # an app signs people in also with an external identity provider alone; what all share counts without any option
        ({"offboard_iij_client_id": "x", "microsoft_365_old_client_ids": ["y"], "microsoft_365_max_users": 5}, ("external_identity_providers",),
         {"client_ids": ["x", "y"]}),
        ({"offboard_iij_client_id": "x", "microsoft_365_old_client_ids": ["y"]}, ("directory_sync",), {"client_ids": ["x"]}),
        ({"offboard_kept_group_policies": ["g"], "directory_sync_policies": ["h"]}, (), {"kept_policies": ["g"]}),
        ({"microsoft_365_domains": "a.example, B.example\nc.example"}, ALL, {"domains": ["a.example", "B.example", "c.example"]}),
        ({"nobody_knows_this": ["a"], "offboard_break_glass": ["admin"]}, ALL, {}),
    ],
)  # fmt: skip
def test_what_is_confirmed(values: dict[str, Any], in_use: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert confirmed(values, in_use) == expected
    confirmed_by([{"confirmed": expected}], {})


def test_what_is_confirmed_has_the_type_that_its_role_gives_it() -> None:
    specs = [yaml.safe_load(file.read_text())["argument_specs"] for file in places.ROOT.glob("roles/*/meta/argument_specs.yml")]
    options = {name: option for entries in specs for entry in entries.values() for name, option in entry["options"].items()}
    for one in DECISIONS:
        option = options[one.variable]
        assert (option["type"] != "list") is one.one or one.variable == "microsoft_365_domains", one.variable
        assert (option["type"] if one.one else option.get("elements", "str")) == one.holds, one.variable
    assert {one.confirms for one in DECISIONS if one.confirms} <= {field.name for field in dataclasses.fields(Confirmed)}


def test_the_roles_ask_by_the_tables() -> None:
    made = LookupModule()
    assert made.run(["decisions"]) == [one.variable for one in DECISIONS]
    assert set(made.run(["answers"])) == {one.registered for one in ANSWERS} and len(set(made.run(["answers"]))) == len(made.run(["answers"]))
    assert set(made.run(["lists_of_mappings"])) < set(made.run(["lists"]))
    with pytest.raises(Exception, match="none of decisions, answers, variables, lists"):
        made.run(["others"])
