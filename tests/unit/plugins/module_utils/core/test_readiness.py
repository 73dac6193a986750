# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.readiness import Confirmed, Facts, agents_left, final_gate, message, preflight

IIJ = {"idp": "iij"}
AGENT = {"product_code": "{1}_is1", "name": "IIJ ID Service Directory Sync", "publisher": "IIJ"}


def domain(name, authentication="Federated", federation=None, parent=None):
    return {"id": name, "authentication_type": authentication, "is_root": parent is None, "parent": parent, "federation": federation}


def step(identity, done=False, blocks=True):
    return {"id": identity, "stage": "gate", "en": f"do {identity}", "ja": f"{identity}をする", "blocks_final_gate": blocks, "source": "", "done": done}


def app(client_id, why=(), deleted=False):
    return {"client_id": client_id, "display_name": f"app {client_id}", "why": list(why), "deleted": deleted}


def counts(**other):
    return {"total": 10, "blocked": 0, "unlicensed": 0, "without_usage_location": 0, "synced": 4, **other}


def codes(findings):
    return [(item.severity, item.code, item.objects[0] if item.objects else "") for item in findings]


@pytest.mark.parametrize(
    ("facts", "confirmed", "expected"),
    [
        ({}, {}, []),
        # domains
        ({"domains": [domain("a", federation=IIJ)]}, {}, [("blocker", "domain_not_listed", "a")]),
        ({"domains": [domain("a", federation=IIJ)]}, {"domains": ["A"]}, [("info", "domains_affected", "a")]),
        # a federation that cannot be read may be IIJ ID's
        ({"domains": [domain("a")]}, {}, [("blocker", "domain_not_listed", "a")]),
        # a subdomain follows its root
        ({"domains": [domain("a", "Managed"), domain("b.a", parent="a")]}, {}, []),
        ({"domains": [domain("a", federation={"idp": "other"})]}, {}, [("info", "domains_of_others", "a")]),
        # users
        ({"users": [{"domain": "a", "counts": counts()}]}, {}, [("info", "users_affected", "a")]),
        ({"users": [{"domain": "a", "counts": counts(total=0, synced=0)}]}, {}, []),
        (
            {"users": [{"domain": "a", "counts": counts(blocked=2, without_usage_location=1)}]},
            {},
            [("warning", "users_blocked", "a"), ("warning", "users_without_usage_location", "a"), ("info", "users_affected", "a")],
        ),
        # apps
        ({"apps": [app("1", ["name"])]}, {}, [("warning", "app_candidate", "1")]),
        ({"apps": [app("1", ["name"])]}, {"client_ids": ["1"]}, []),
        ({"apps": [app("1", ["name"], deleted=True)]}, {}, []),
        ({"apps": [app("1", ["permissions"])]}, {"own_client_id": "1"}, []),
        ({"apps": []}, {"client_ids": ["1"]}, [("warning", "app_not_found", "1")]),
        # machines
        ({"machines": {}}, {}, [("warning", "no_machines", "")]),
        ({"machines": {"m": None}}, {}, [("blocker", "machine_not_readable", "m")]),
        ({"machines": {"m": {"error": "no route"}}}, {}, [("blocker", "machine_not_readable", "m")]),
        ({"machines": {"m": {"products": [], "tasks": [], "folders": []}}}, {}, []),
        ({"machines": {"m": {"products": [AGENT]}}}, {}, [("blocker", "product_not_confirmed", "m"), ("info", "agents", "m: IIJ ID Service Directory Sync")]),
        (
            {"machines": {"m": {"products": [AGENT]}}},
            {"products": [{"name": AGENT["name"], "publisher": "IIJ"}]},
            [("info", "agents", "m: IIJ ID Service Directory Sync")],
        ),
        ({"machines": {"m": {"products": [AGENT]}}}, {"products": [{"product_code": "{1}_IS1"}]}, [("info", "agents", "m: IIJ ID Service Directory Sync")]),
        (
            {"machines": {"m": {"products": [AGENT]}}},
            {"products": [{"name": AGENT["name"], "publisher": "somebody else"}]},
            [("blocker", "product_not_confirmed", "m"), ("info", "agents", "m: IIJ ID Service Directory Sync")],
        ),
        (
            {"machines": {"m": {"filters": [{"name": "f", "why": ["DLL"]}]}}},
            {},
            [("blocker", "password_filter_not_confirmed", "m"), ("info", "agents", "m: password filter f")],
        ),
        ({"machines": {"m": {"filters": [{"name": "f", "why": ["DLL"]}]}}}, {"password_filters": ["F"]}, [("info", "agents", "m: password filter f")]),
        # accounts
        ({"directory_objects": [{"dn": "CN=a", "found_by": ["SPN"], "removal_refusals": []}]}, {"accounts": ["cn=A"]}, []),
        ({"directory_objects": [{"dn": "CN=a", "found_by": ["SPN"]}]}, {}, [("warning", "account_candidate", "CN=a")]),
        ({"directory_unusable": [{"name": "x", "found_by": ["config"], "msg": "gone"}]}, {}, [("warning", "account_not_found", "x")]),
        # dry runs
        ({"dry_runs": [{"stage": "domains", "msg": "m", "failure": {"code": "not_found"}}]}, {}, [("blocker", "not_found", "")]),
        (
            {
                "dry_runs": [
                    {
                        "stage": "domains",
                        "msg": "m",
                        "failure": {
                            "code": "guard_refused",
                            "details": {
                                "refusals": [{"rule": "default_domain", "msg": "x", "objects": ["a"]}, {"rule": "break_glass", "msg": "y", "objects": []}]
                            },
                        },
                    }
                ]
            },
            {},
            [("blocker", "default_domain", "a"), ("blocker", "break_glass", "")],
        ),
    ],
)
def test_preflight(facts, confirmed, expected):
    assert codes(preflight(Facts(**facts), Confirmed(**confirmed))) == expected


@pytest.mark.parametrize(
    ("facts", "confirmed", "expected"),
    [
        ({}, {}, []),
        ({"domains": [domain("a", federation=IIJ), domain("b", "Managed"), domain("c", federation={"idp": "other"})]}, {}, [("domain_federated", "a")]),
        ({"apps": [app("1"), app("2"), app("3", deleted=True)]}, {"client_ids": ["1", "3"]}, [("app_present", "1")]),
        (
            {"machines": {"m": None, "n": {"products": [], "tasks": [{"name": "t"}], "folders": []}}},
            {},
            [("machine_not_readable", "m"), ("agent_present", "n")],
        ),
        ({"machines": {"n": {"products": [], "tasks": [], "folders": ["C:\\x"]}}}, {}, [("agent_present", "n")]),
        ({"machines": {"n": {"products": [], "tasks": [], "folders": []}}}, {}, []),
        ({"machines": {"n": {"filters": [{"name": "f", "why": []}]}}}, {}, [("agent_present", "n")]),
        ({"steps": [step("a"), step("b", done=True), step("c", blocks=False)]}, {}, [("step_not_done", "a")]),
    ],
)
def test_final_gate(facts, confirmed, expected):
    found = final_gate(Facts(**facts), Confirmed(**confirmed))
    assert [(item.code, item.objects[0]) for item in found] == expected
    assert all(item.severity == "blocker" for item in found)


def test_the_message_names_every_blocker_in_both_languages():
    found = final_gate(Facts(steps=[step("a"), step("b")]), Confirmed())
    assert message(found).startswith("2 things stand in the way. 1. ")
    assert "do b" in message(found) and "bをする" in message(found)
    assert message(preflight(Facts(machines={}), Confirmed())) == ""


def test_what_is_left_on_a_machine_is_named():
    machine = {"products": [AGENT], "tasks": [{"name": "sync"}], "folders": ["C:\\x"]}
    assert agents_left(machine) == ["IIJ ID Service Directory Sync", "task sync", "folder C:\\x"]
