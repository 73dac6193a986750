# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.provisioning.plan import (
    Census,
    Deeds,
    Victim,
    blocked_list,
    deeds,
    of_the_stop,
    source,
    variables,
    victims,
)

E3, P1 = "05e9a617-0261-4cee-bb44-138d3ef5d965", "4b9405b0-7788-4568-add1-99614e613b69"


def entry(at, activity="Update user", user="u1", result="success", kind="User", **changed):
    modified = [{"displayName": name, "oldValue": old, "newValue": new} for name, (old, new) in changed.items()]
    target = {"id": user, "type": kind, "userPrincipalName": f"{user}@a", "modifiedProperties": modified}
    return {"activityDateTime": f"2026-01-{at}Z", "activityDisplayName": activity, "result": result, "targetResources": [target]}


def skus(*ids):
    return json.dumps([f"[SkuName=X, AccountId=00000000-0000-0000-0000-000000000001, SkuId={sku}, DisabledPlans=[]]" for sku in ids])


BLOCK = {"AccountEnabled": ("[true]", "[false]")}
UNBLOCK = {"AccountEnabled": ("[false]", "[true]")}
TAKE = {"AssignedLicense": (skus(E3, P1), skus(P1))}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], {}),
        ([entry("05T01:00:00", **BLOCK)], {"u1": Deeds("u1@a", "2026-01-05T01:00:00Z")}),
        # as text, and by the activity alone
        ([entry("05T01:00:00", AccountEnabled=('["True"]', '["False"]'))], {"u1": Deeds("u1@a", "2026-01-05T01:00:00Z")}),
        ([entry("05T01:00:00", "Disable account")], {"u1": Deeds("u1@a", "2026-01-05T01:00:00Z")}),
        # two entries of one block keep its time; the log comes newest first
        ([entry("05T01:00:02", **BLOCK), entry("05T01:00:00", "Disable account")], {"u1": Deeds("u1@a", "2026-01-05T01:00:00Z")}),
        ([entry("05T02:00:00", **UNBLOCK), entry("05T01:00:00", **BLOCK)], {}),
        ([entry("05T01:00:00", **UNBLOCK), entry("05T02:00:00", **BLOCK)], {"u1": Deeds("u1@a", "2026-01-05T02:00:00Z")}),
        # within one second: Graph leaves out a fraction of zero, and a point comes before a Z
        ([entry("05T01:00:00.5", **UNBLOCK), entry("05T01:00:00", **BLOCK)], {}),
        ([entry("05T01:00:00.5", **BLOCK), entry("05T01:00:00", **UNBLOCK)], {"u1": Deeds("u1@a", "2026-01-05T01:00:00.5Z")}),
        # licences: what was taken and not given back
        ([entry("05T01:00:00", **TAKE)], {"u1": Deeds("u1@a", None, {E3: "2026-01-05T01:00:00Z"})}),
        ([entry("05T01:00:00", **TAKE), entry("05T02:00:00", AssignedLicense=(skus(P1), skus(P1, E3)))], {}),
        # long entries come without their values
        ([entry("05T01:00:00", "Change user license")], {"u1": Deeds("u1@a", None, {}, "2026-01-05T01:00:00Z")}),
        (
            [entry("05T01:00:00", "Change user license"), entry("05T01:00:01", **TAKE)],
            {"u1": Deeds("u1@a", None, {E3: "2026-01-05T01:00:01Z"})},
        ),
        # what failed did nothing; other objects and properties are no matter
        ([entry("05T01:00:00", result="failure", **BLOCK)], {}),
        ([entry("05T01:00:00", kind="Group", **BLOCK)], {}),
        ([entry("05T01:00:00", JobTitle=('["a"]', '["b"]'))], {}),
    ],
)
def test_deeds(entries, expected) -> None:
    assert deeds(entries) == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], None),
        (["2026-01-05T01:00:00Z"], ("2026-01-05T01:00:00Z", "2026-01-05T01:00:00Z")),
        (["2026-01-09T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-09T20:00:00Z"], ("2026-01-09T00:00:00Z", "2026-01-09T20:00:00Z")),
        # as many on two days: the later one
        (["2026-01-01T00:00:00Z", "2026-01-09T20:00:00Z"], ("2026-01-09T20:00:00Z", "2026-01-09T20:00:00Z")),
    ],
)
def test_the_stop_is_where_most_of_it_happened(times, expected) -> None:
    assert of_the_stop(times) == expected


def test_victims_and_the_files_for_the_operator() -> None:
    at = "2026-01-09T00:00:0"
    done = {
        "left": Deeds("left@a", "2026-01-02T00:00:00Z"),
        "one": Deeds("one@a", f"{at}1Z", {E3: f"{at}2Z"}),
        "two": Deeds("two@a", f"{at}3Z"),
        "licence": Deeds("licence@a", None, {E3: f"{at}4Z"}),
        "repaired": Deeds("repaired@a", f"{at}5Z", {E3: f"{at}5Z"}),
    }
    users = [{"id": name, "userPrincipalName": f"{name}@a", "enabled": name in ("repaired", "licence"), "licences": set()} for name in [*done, "other"]]
    users[-2]["licences"] = {E3}
    found = victims(users, done)
    assert found == [
        Victim("licence", "licence@a", None, (E3,), True),
        Victim("left", "left@a", "2026-01-02T00:00:00Z", (), False),
        Victim("one", "one@a", f"{at}1Z", (E3,), True),
        Victim("two", "two@a", f"{at}3Z", (), True),
    ]
    text = variables(found, "/run/x.jsonl").decode()
    assert yaml.safe_load(text) == {"microsoft_365_also_enable": ["one@a", "two@a"], "microsoft_365_users_src": "/run/x.jsonl"}
    assert '#  - "left@a"  # 2026-01-02T00:00:00Z' in text
    assert [json.loads(line) for line in source(found).splitlines()] == [
        {"userPrincipalName": name, "licences": {"add": [E3]}} for name in ("licence@a", "one@a")
    ]
    assert yaml.safe_load(variables(found[1:2], None)) == {"microsoft_365_also_enable": []}


@pytest.mark.parametrize(
    ("blocked", "unlicensed", "settled", "percent", "expected"),
    [
        (0, 0, {}, 50, []),
        (5, 0, {}, 50, []),
        (6, 0, {}, 50, ["a"]),
        (0, 6, {}, 50, ["a"]),
        (6, 0, {"also_enable": {"u0@a"}}, 50, []),
        (6, 0, {"also_enable": {"u0"}}, 50, []),
        (6, 0, {"licensed": {"u0@a"}}, 50, ["a"]),
        (0, 6, {"licensed": {"u0@a"}}, 50, []),
        # who is left alone counts neither way
        (6, 0, {"exclude": {"u0@a", "u1@a", "u2@a"}}, 50, []),
        (10, 10, {}, 100, []),
        (1, 0, {}, 0, ["a"]),
    ],
)
def test_census(blocked, unlicensed, settled, percent, expected) -> None:
    census = Census(**settled)
    told = 0
    for number in range(10):
        told += census.add(f"U{number}", f"U{number}@A", enabled=number >= blocked, licensed=number >= unlicensed)
        assert not census.add(f"fine{number}", f"fine{number}@b", enabled=True, licensed=True)
    assert told == census.domains["a"]["blocked"]
    assert [item["domain"] for item in census.unusual(percent)] == expected


def test_some_blocked_and_others_without_a_licence_are_most_of_a_domain_together() -> None:
    """Half of it blocked, the other half without licences: the snapshot kept that as normal."""
    census = Census()
    for number in range(4):
        census.add(f"u{number}", f"u{number}@a", enabled=number >= 2, licensed=number < 2)
        census.add(f"v{number}", f"v{number}@b", enabled=number >= 2, licensed=number >= 2)
    assert [item["domain"] for item in census.unusual(50)] == ["a"] and census.unusual(100) == []
    assert census.answer()[0] == {"domain": "a", "total": 4, "blocked": 2, "unlicensed": 2}


def test_the_list_of_the_blocked_is_taken_line_by_line() -> None:
    listed = blocked_list(["a@x.example", "山田@x.example"]).decode()
    assert yaml.safe_load(listed) == {"microsoft_365_also_enable": None}
    assert yaml.safe_load(listed.replace("\n#  -", "\n  -")) == {"microsoft_365_also_enable": ["a@x.example", "山田@x.example"]}
