# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.machines import agents_left, uninstalled_on
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import (
    agents_gate,
    agents_left_on,
    every_agent_gate,
    final_gate,
    freeze_gate,
    preflight,
)
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.telling import lines, message, verdict

IIJ = {"idp": "iij"}
GUID = "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11"
AGENT = {"product_code": "{1}_is1", "name": "IIJ ID Service Directory Sync", "publisher": "IIJ"}

#: the same with the place that its installer has written down
PLACED = AGENT | {"install_location": "C:\\P\\Directory Sync\\"}
#: what is left of an agent whose product nobody has found
PERHAPS = {"name": "\\a\\b", "enabled": True, "actions": ["cmd /c x"], "why": ["cmd /c x names x, and what it does with it cannot be made out"]}
FILES = {"tasks": [{"name": "sync"}], "folders": ["C:\\x"]}

APP_ID, OTHER_ID = "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f1a", "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f1b"


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
        # how many users one task may change
        ({"users": [{"domain": "a", "counts": counts()}]}, {"max_users": 6}, [("info", "users_affected", "a")]),
        (
            {"users": [{"domain": "a", "counts": counts()}]},
            {"max_users": 5},
            [("blocker", "max_users_too_low", "a"), ("info", "users_affected", "a")],
        ),
        # synchronized users count only when they get a password, too
        (
            {"users": [{"domain": "a", "counts": counts()}]},
            {"max_users": 9, "synced_password": "set"},
            [("blocker", "max_users_too_low", "a"), ("info", "users_affected", "a")],
        ),
        (
            {"users": [{"domain": "a", "counts": counts()}]},
            {"max_users": 5, "passwords": "temporary_access_pass"},
            [("blocker", "max_users_too_low", "a"), ("info", "users_affected", "a")],
        ),
        # no password is touched, but the users may have to be repaired
        (
            {"users": [{"domain": "a", "counts": counts()}]},
            {"max_users": 5, "passwords": "keep"},
            [("warning", "max_users_may_be_too_low", "a"), ("info", "users_affected", "a")],
        ),
        # passwords go domain by domain, the repair does not
        (
            {"users": [{"domain": "a", "counts": counts()}, {"domain": "b", "counts": counts()}]},
            {"max_users": 11},
            [("warning", "max_users_may_be_too_low", "a"), ("info", "users_affected", "a"), ("info", "users_affected", "b")],
        ),
        # apps
        ({"apps": [app("1", ["name"])]}, {}, [("warning", "app_candidate", "1")]),
        ({"apps": [app("1a", ["name"])]}, {"not_iij_client_ids": ["1A"]}, []),
        ({"apps": [app("1", ["name"])]}, {"client_ids": ["1"]}, []),
        ({"apps": [app("1", ["name"], deleted=True)]}, {}, []),
        ({"apps": [app("1", ["permissions"])]}, {"own_client_id": "1"}, []),
        ({"apps": []}, {"client_ids": ["1"]}, [("warning", "app_not_found", "1")]),
        # machines
        ({"machines": {}}, {}, [("blocker", "no_machines", "")]),
        ({"machines": {}}, {"without_machines": True}, []),
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
            [
                ("blocker", "product_not_confirmed", "m"),
                ("warning", "agents_not_found", "IIJ ID Service Directory Sync"),
                ("info", "agents", "m: IIJ ID Service Directory Sync"),
            ],
        ),
        (
            {"machines": {"m": {"filters": [{"name": "f", "why": ["DLL"]}]}}},
            {},
            [("blocker", "password_filter_not_confirmed", "m"), ("info", "agents", "m: password filter f")],
        ),
        ({"machines": {"m": {"filters": [{"name": "f", "why": ["DLL"]}]}}}, {"password_filters": ["F"]}, [("info", "agents", "m: password filter f")]),
        ({"machines": {"m": {"filters": [{"name": "f", "why": ["DLL"]}]}}}, {"password_filters": [" Ｆ "]}, [("info", "agents", "m: password filter f")]),
        ({"machines": {"m": FILES}}, {}, [("blocker", "agent_without_product", "m"), ("info", "agents", "m: task sync, folder C:\\x")]),
        # a confirmed product that this machine does not have says nothing about its files
        (
            {"machines": {"m": FILES}},
            {"products": [{"product_code": "{1}_is1"}]},
            [("blocker", "agent_without_product", "m"), ("warning", "agents_not_found", "{1}_is1"), ("info", "agents", "m: task sync, folder C:\\x")],
        ),
        ({"machines": {"m": FILES}}, {"leftovers": ["M"]}, [("info", "agents", "m: task sync, folder C:\\x")]),
        # accounts
        ({"directory_objects": None}, {"accounts": ["CN=a"]}, [("blocker", "directory_not_given", "CN=a")]),
        ({"directory_objects": None, "needs_directory": ["directory_sync"]}, {}, [("warning", "directory_not_given", "directory_sync")]),
        ({"directory_objects": [], "needs_directory": ["directory_sync"]}, {"accounts": ["CN=a"]}, []),
        ({"directory_objects": [{"dn": "CN=a", "found_by": ["SPN"], "removal_refusals": []}]}, {"accounts": ["cn=A"]}, []),
        ({"directory_objects": [{"dn": "CN=a", "found_by": ["SPN"]}]}, {}, [("warning", "account_candidate", "CN=a")]),
        ({"directory_objects": [{"dn": "CN=b", "objectGUID": GUID, "found_by": ["SPN"]}]}, {"accounts": [f"<GUID={GUID}>;CN=a"]}, []),
        (
            {"directory_objects": [{"dn": "CN=a", "objectGUID": GUID[::-1], "found_by": ["SPN"]}]},
            {"accounts": [f"<GUID={GUID}>;CN=a"]},
            [("warning", "account_candidate", "CN=a")],
        ),
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
    tasks = [{"name": "sync"}] if any((machine or {}).get("tasks") for machine in facts.get("machines", {}).values()) else []
    assert codes(preflight(Facts(**facts), Confirmed(**{"tasks": tasks, **confirmed}))) == expected


HERE = {"products": [AGENT], "tasks": [{"name": "sync"}], "filters": [{"name": "f", "why": []}]}
JOB = {"place": "user:root", "command": "/opt/IIJ/normal.sh", "schedule": "@daily"}
LINUX = {"jobs": [JOB], "timers": [], "files": [{"path": "/opt/IIJ", "exists": True, "link": ""}], "accounts": []}
NOTHING: dict = {"products": [], "jobs": [], "timers": [], "files": []}
PRODUCT, TASK, CRON = {"name": AGENT["name"], "publisher": "IIJ"}, {"name": "sync"}, {"command": "/opt/IIJ/normal.sh"}


@pytest.mark.parametrize(
    ("facts", "confirmed", "unknown", "stops"),
    [
        ({"machines": {"m": HERE, "n": NOTHING}}, {"products": [PRODUCT], "tasks": [TASK], "password_filters": ["F"]}, [], False),
        ({"machines": {"m": HERE}}, {"products": [PRODUCT, {"product_code": "{2}"}], "tasks": [TASK, {"action": "x"}]}, ["{2}", "x"], False),
        ({"machines": {"m": NOTHING}}, {"products": [PRODUCT], "password_filters": ["f"]}, [AGENT["name"], "f"], True),
        ({"machines": {"m": NOTHING}}, {}, [], False),
        # found by its code or by its name, though nothing else speaks for it
        ({"machines": {"m": {"named": ["Agent of another name"]}}}, {"products": [{"product_code": "{1}_IS1"}]}, [], False),
        ({"machines": {"m": {"named": ["Agent of another name"]}}}, {"products": [{"name": "agent of another Name"}, PRODUCT]}, [AGENT["name"]], False),
        # something else than what was confirmed is there, which the stage tells
        ({"machines": {"m": {"perhaps": [PERHAPS]}}}, {"products": [PRODUCT]}, [AGENT["name"]], False),
        # why it is gone may be known, or nobody has looked everywhere
        ({"machines": {"m": NOTHING}, "begun_kinds": {"windows_scheduled_task"}}, {"products": [PRODUCT]}, [], False),
        ({"machines": {"m": NOTHING}}, {"products": [PRODUCT], "leftovers": ["m"]}, [], False),
        ({"machines": {"m": NOTHING, "n": None}}, {"products": [PRODUCT]}, [], False),
        ({"machines": {"m": NOTHING, "n": {"error": "off"}}}, {"products": [PRODUCT]}, [], False),
        # an empty group, which preflight tells of first
        ({"machines": {}}, {"products": [PRODUCT], "without_machines": True}, [AGENT["name"]], True),
        # what the stage clients has begun says nothing of agents
        ({"machines": {"m": NOTHING}, "begun_kinds": {"windows_certificate", "windows_browser_sign_in"}}, {"products": [PRODUCT]}, [AGENT["name"]], True),
        # by a command line whose secret is hidden where it was found; it is not told
        (
            {"machines": {"m": {"tasks": [{"name": "s", "actions": ["C:\\x\\a.exe --password=***"]}]}}},
            {"tasks": [{"action": "C:\\x\\a.exe --password=Hidden-1"}, {"action": "C:\\x\\b.exe --password=Hidden-1"}]},
            ["C:\\x\\b.exe --password=***"],
            False,
        ),
        # Linux machines, of which a folder may be confirmed by what is in it
        ({"linux_machines": {"l": LINUX}}, {"cron_jobs": [CRON], "linux_files": ["/opt/IIJ/"]}, [], False),
        ({"linux_machines": {"l": LINUX}}, {"cron_jobs": [CRON, {"command": "y"}], "linux_files": ["/srv"]}, ["y", "/srv"], False),
        ({"linux_machines": {"l": NOTHING}}, {"linux_accounts": [{"name": "iijsync", "uid": 1}], "cron_jobs": [CRON]}, [JOB["command"], "iijsync"], True),
        ({"linux_machines": {"l": NOTHING}, "begun_kinds": {"linux_cron_job"}}, {"cron_jobs": [CRON]}, [], False),
        ({"linux_machines": {"l": NOTHING}, "begun_kinds": {"windows_software"}}, {"cron_jobs": [CRON]}, [JOB["command"]], True),
        ({"linux_machines": {"l": NOTHING, "k": {"error": "off"}}}, {"cron_jobs": [CRON]}, [], False),
        ({"linux_machines": {}}, {"cron_jobs": [CRON]}, [JOB["command"]], True),
        (
            {"linux_machines": {"l": {"jobs": [{"place": "user:root", "command": "/opt/x --password=***", "schedule": "@daily"}]}}},
            {"cron_jobs": [{"command": "/opt/x --password=Hidden-1"}, {"command": "/opt/y --password=Hidden-1"}]},
            ["/opt/y --password=***"],
            False,
        ),
    ],
)
def test_what_was_confirmed_and_no_machine_has(facts, confirmed, unknown, stops):
    """Other machines are in the inventory, or a name is wrong: the stage would take nothing off, and end well."""
    told = [item for item in preflight(Facts(**facts), Confirmed(**confirmed)) if item.code == "agents_not_found"]
    assert [(item.severity, list(item.objects)) for item in told] == ([("warning", unknown)] if unknown else [])
    stopped = every_agent_gate(Facts(**facts), Confirmed(**confirmed))
    assert [(item.severity, list(item.objects)) for item in stopped] == ([("blocker", unknown)] if stops else [])


SID = "S-1-12-1-1111111111-2222222222-333333333-444444444"
OWN = AGENT | {"scope": f"user:{SID}", "publisher": "somebody"}


@pytest.mark.parametrize(
    ("machine", "confirmed", "expected"),
    [
        # an entry that a user has written holds nobody up, whatever it says
        ({"products": [OWN]}, {}, ["product_of_one_account"]),
        ({"products": [AGENT | {"scope": "machine64"}, OWN]}, {"products": [PRODUCT]}, ["product_of_one_account"]),
        ({"products": [AGENT | {"scope": "machine32"}, OWN]}, {}, ["product_not_confirmed", "product_of_one_account"]),
        # and explains nothing that is left on the machine
        ({"products": [OWN], **FILES}, {"tasks": [TASK]}, ["product_of_one_account", "agent_without_product"]),
        (
            {"products": [PLACED | OWN | {"publisher": "IIJ"}], **FILES},
            {"tasks": [TASK], "products": [PRODUCT]},
            ["product_of_one_account", "agent_without_product"],
        ),
    ],
)
def test_what_one_account_has_is_told_and_stops_nothing(machine, confirmed, expected):
    for found in (agents_gate(Facts(machines={"m": machine}), Confirmed(**confirmed)), preflight(Facts(machines={"m": machine}), Confirmed(**confirmed))):
        told = [item for item in found if item.code in ("product_of_one_account", "product_not_confirmed", "agent_without_product")]
        assert sorted(item.code for item in told) == sorted(expected)
        (own,) = (item for item in told if item.code == "product_of_one_account")
        assert own.severity == "warning" and all(SID in text for text in own.text)
    assert agents_left(machine)[len(machine["products"]) - 1] == f"{AGENT['name']} of the account {SID} alone"


NONE, SOME = {"nothing_found": True}, {"nothing_found": False}
SECRET_TASK = {"action": "C:\\x\\a.exe --password=Hidden-1"}


@pytest.mark.parametrize(
    ("facts", "confirmed", "told"),
    [
        ({"machines": {"m": NONE, "n": NONE}}, {"tasks": [TASK, SECRET_TASK]}, [["sync", "C:\\x\\a.exe --password=***"]]),
        ({"linux_machines": {"l": NONE}}, {"cron_jobs": [CRON]}, [[JOB["command"]]]),
        ({"machines": {"m": NONE}, "linux_machines": {"l": NONE}}, {"tasks": [TASK], "cron_jobs": [CRON]}, [["sync"], [JOB["command"]]]),
        # one side says nothing of the other
        ({"machines": {"m": NONE}, "linux_machines": {"l": SOME}}, {"tasks": [TASK], "cron_jobs": [CRON]}, [["sync"]]),
        # a group that is empty
        ({"machines": {}, "linux_machines": {"l": SOME}}, {"tasks": [TASK], "cron_jobs": [CRON]}, [["sync"]]),
        ({"machines": {"m": SOME}, "linux_machines": {}}, {"tasks": [TASK]}, []),
        # some have nothing, nobody has looked everywhere, or it failed there
        ({"machines": {"m": NONE, "n": SOME}}, {"tasks": [TASK]}, []),
        ({"machines": {"m": NONE, "n": {}}}, {"tasks": [TASK]}, []),
        ({"machines": {"m": NONE, "n": None}}, {"tasks": [TASK]}, []),
        # why may be known
        ({"machines": {"m": NONE}, "begun_kinds": {"windows_scheduled_task"}}, {"tasks": [TASK]}, []),
        ({"machines": {"m": NONE}, "begun_kinds": {"linux_cron_job", "windows_certificate"}}, {"tasks": [TASK]}, [["sync"]]),
        ({"machines": {"m": NONE}}, {"tasks": [TASK], "leftovers": ["m"]}, []),
        ({"linux_machines": {"l": NONE}, "begun_kinds": {"linux_cron_job"}}, {"cron_jobs": [CRON]}, []),
        ({"machines": {"m": SOME}, "linux_machines": {"l": SOME}}, {}, []),
        ({}, {"tasks": [TASK], "cron_jobs": [CRON]}, []),
    ],
)
def test_nothing_can_be_called_frozen_where_nothing_was_found(facts, confirmed, told):
    found = freeze_gate(Facts(**facts), Confirmed(**confirmed))
    assert [(item.severity, item.code, list(item.objects)) for item in found] == [("blocker", "agents_not_found", objects) for objects in told]
    assert "Hidden" not in str(found)


@pytest.mark.parametrize(
    ("tasks", "stops"),
    [
        ([{"action": "C:\\x\\a.exe --password=Hidden-1"}], False),
        ([{"action": "C:\\x\\a.exe --password=***"}], False),
        ([{"action": "C:\\x\\b.exe --password=Hidden-1"}], True),
    ],
)
def test_a_task_may_be_confirmed_by_its_whole_command_line(tasks, stops):
    """The stages take it so; what was found has its secret hidden, and the gate refused it."""
    found = {"m": {"tasks": [{"name": "s", "actions": ["C:\\x\\a.exe --password=***"]}]}}
    told = agents_gate(Facts(machines=found), Confirmed(tasks=tasks, leftovers=["m"]))
    assert [item.code for item in told] == ["task_not_confirmed"] * stops


@pytest.mark.parametrize(
    ("facts", "confirmed", "expected"),
    [
        ({}, {}, []),
        ({"domains": [domain("a", federation=IIJ), domain("b", "Managed"), domain("c", federation={"idp": "other"})]}, {}, [("domain_federated", "a")]),
        ({"apps": [app("1"), app("2"), app("3", deleted=True)]}, {"client_ids": ["1", "3"]}, [("app_present", "1")]),
        # what may be IIJ ID's is judged as well, until somebody says whose it is
        ({"apps": [app("1", ["permissions"]), app("2"), app("3", ["name"], deleted=True)]}, {}, [("app_candidate", "1")]),
        ({"apps": [app("1", ["permissions"]), app("2", ["name"])]}, {"own_client_id": "1", "not_iij_client_ids": ["2"]}, []),
        ({"apps": [app("1", ["its client id was named"])]}, {"client_ids": ["1"]}, [("app_present", "1")]),
        # as they are pasted
        (
            {"apps": [app(APP_ID), app(OTHER_ID, ["name"])]},
            {"client_ids": [f" {{{APP_ID.upper()}}}"], "not_iij_client_ids": [f"{OTHER_ID} "]},
            [("app_present", APP_ID)],
        ),
        (
            {"directory_objects": [{"dn": r"CN=a\, b,DC=e", "enabled": True}]},
            {"accounts": [r"cn=a\2c b, dc=E"]},
            [("account_enabled", r"CN=a\, b,DC=e")],
        ),
        ({"machines": {}}, {}, [("no_machines", "")]),
        ({"machines": {}}, {"without_machines": True}, []),
        ({}, {"accounts": ["CN=a"]}, [("directory_not_given", "CN=a")]),
        (
            {"directory_objects": [{"dn": "CN=a", "enabled": True}, {"dn": "CN=b", "enabled": False}, {"dn": "CN=c"}, {"dn": "CN=d", "enabled": True}]},
            {"accounts": ["cn=A", "CN=b", "CN=c"]},
            [("account_enabled", "CN=a")],
        ),
        ({"directory_objects": []}, {"accounts": ["CN=a"]}, []),
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
    found = final_gate(Facts(**facts), Confirmed(**{"tasks": [{"name": "sync"}], **confirmed}))
    assert codes(found) == [("blocker", *item) for item in expected]


@pytest.mark.parametrize(
    ("machine", "facts", "confirmed", "expected"),
    [
        ({}, {}, {}, []),
        (None, {}, {}, ["machine_not_readable"]),
        ({"products": [AGENT], **FILES}, {}, {"products": [{"product_code": "{1}_is1"}]}, []),
        ({"products": [AGENT], **FILES}, {}, {}, ["product_not_confirmed"]),
        (FILES, {}, {}, ["agent_without_product"]),
        (FILES, {}, {"products": [{"product_code": "{1}_is1"}]}, ["agent_without_product"]),
        (FILES, {}, {"leftovers": ["m"]}, []),
        (FILES, {}, {"leftovers": [" \uff2d\u200b"]}, []),
        # tasks that only match
        (FILES, {}, {"leftovers": ["m"], "tasks": []}, ["task_not_confirmed"]),
        (FILES, {}, {"leftovers": ["m"], "tasks": [{"name": "other"}]}, ["task_not_confirmed"]),
        ({"tasks": [{"name": "\\a\\b", "actions": ['"C:\\x.bat" 1']}]}, {}, {"leftovers": ["m"], "tasks": [{"action": "c:\\X.bat 1"}]}, []),
        ({"tasks": [{"name": "\\a\\b", "actions": ["C:\\x.bat 2"]}]}, {}, {"leftovers": ["m"], "tasks": [{"action": "C:\\x.bat 1"}]}, ["task_not_confirmed"]),
        # and one of which nobody can tell what it starts
        ({"products": [], "perhaps": [PERHAPS]}, {}, {"tasks": [{"name": "A\\B"}]}, ["task_perhaps"]),
        # this run was stopped between the uninstallation and what it leaves
        (FILES, {"uninstalled_on": {"m"}}, {}, []),
        ({"host": "192.0.2.1", **FILES}, {"uninstalled_on": {"192.0.2.1"}}, {}, []),
        ({"host": "192.0.2.1", **FILES}, {"uninstalled_on": {"192.0.2.2"}}, {}, ["agent_without_product"]),
        # the other agent's folder, whose product nobody has found
        ({"products": [PLACED], "folders": ["c:\\P\\directory sync"]}, {}, {"products": [{"product_code": "{1}_is1"}]}, []),
        ({"products": [PLACED], "folders": ["C:\\P\\Password Sync"]}, {}, {"products": [{"product_code": "{1}_is1"}]}, ["agent_without_product"]),
        ({"products": [PLACED], "folders": ["C:\\P\\Directory"]}, {}, {"products": [{"product_code": "{1}_is1"}]}, ["agent_without_product"]),
        ({"products": [PLACED], "folders": ["C:\\P\\Password Sync"]}, {"uninstalled_on": {"m"}}, {"products": [{"product_code": "{1}_is1"}]}, []),
        (
            {"products": [{**PLACED, "install_location": "D:\\x", "uninstall": '"C:\\P\\Password Sync\\unins000.exe"'}], "folders": ["C:\\P\\Password Sync"]},
            {},
            {"products": [{"product_code": "{1}_is1"}]},
            [],
        ),
        # a product that is there and not confirmed counts whatever was uninstalled before
        ({"products": [AGENT], **FILES}, {"uninstalled_on": {"m"}}, {"leftovers": ["m"]}, ["product_not_confirmed"]),
    ],
)
def test_agents_gate(machine, facts, confirmed, expected):
    found = agents_gate(Facts(machines={"m": machine}, **facts), Confirmed(**{"tasks": [{"name": "sync"}], **confirmed}))
    assert codes(found) == [("blocker", code, "m") for code in expected]


@pytest.mark.parametrize(
    ("machine", "confirmed", "intents", "filter_files", "left"),
    [
        ({"products": [], "tasks": [], "folders": []}, {}, [], False, False),
        ({"products": [AGENT], **FILES}, {"products": [{"product_code": "{1}_is1"}]}, [], False, True),
        # what stands in the way is no reason to pass a machine by
        (None, {}, [], False, True),
        ({"error": "off", "code": "unreachable"}, {}, [], False, True),
        ({"products": [], "perhaps": [PERHAPS]}, {"tasks": [{"name": "A\\B"}]}, [], False, True),
        ({"products": [], "perhaps": [PERHAPS]}, {}, [], False, False),
        # this run was stopped there, and only names of filters' files are known
        ({"host": "192.0.2.1"}, {}, [{"id": "192.0.2.1/x"}], False, True),
        ({"host": "192.0.2.1"}, {}, [{"id": "192.0.2.10/x"}], False, False),
        ({}, {}, [], True, True),
    ],
)
def test_on_which_machines_the_stage_agents_has_something_to_do(machine, confirmed, intents, filter_files, left):
    facts = Facts(machines={"clean": {"products": []}, "m": machine}, linux_machines={"lnx": {"jobs": [], "timers": [], "files": []}})
    expected = {"m"} if left else set()
    assert set(agents_left_on(facts, Confirmed(**confirmed), iter(intents), filter_files)) == expected | ({"clean"} if filter_files else set())
    facts = Facts(linux_machines={"clean": {"jobs": [], "timers": [], "files": []}, "lnx": None})
    assert agents_left_on(facts, Confirmed(**confirmed), intents, filter_files) == ["lnx"]


@pytest.mark.parametrize(
    ("task", "confirmed", "severity"),
    [
        (PERHAPS, [], "warning"),
        (PERHAPS, [{"name": "A\\B"}], "blocker"),
        ({**PERHAPS, "enabled": False}, [{"name": "A\\B"}], "warning"),
    ],
)
def test_a_task_that_cannot_be_made_out_stops_nobody_who_has_not_confirmed_it(task, confirmed, severity):
    machine = {"products": [], "tasks": [], "folders": [], "perhaps": [task]}
    (found,) = (item for item in preflight(Facts(machines={"m": machine}), Confirmed(tasks=confirmed)) if item.code == "task_perhaps")
    assert found.severity == severity and "判別不能" in found.text.ja and "schtasks" in found.text.en and "directory_sync_not_iij_tasks" in found.text.ja


def test_the_journal_tells_where_a_product_was_uninstalled():
    def record(record="intent", kind="windows_software", action="uninstall", host="a"):
        return {"record": record, "kind": kind, "action": action, "id": f"{host}/machine64/x"}

    records = [record(), record("outcome", host="b"), record(kind="windows_file", host="c"), record(action="remove", host="d"), {"record": "refusal"}]
    assert uninstalled_on(records) == {"a"}


@pytest.mark.parametrize(
    ("facts", "confirmed", "words"),
    [
        ({"users": [{"domain": "a", "counts": counts()}]}, {"max_users": 5}, ["microsoft_365_max_users", "6", "5"]),
        ({"machines": {}}, {}, ["iij_id_agents", "directory_sync_without_machines"]),
        ({"machines": {"m": FILES}}, {}, ["m ", "C:\\x", "directory_sync_products", "directory_sync_leftovers"]),
        ({"machines": {"m": FILES}}, {"leftovers": ["m"], "tasks": []}, ["m ", "sync", "directory_sync_tasks", "directory_sync_not_iij_tasks"]),
        ({}, {"accounts": ["CN=a"]}, ["CN=a", "offboard_directory_host", "directory_sync_accounts"]),
    ],
)
def test_blockers_name_the_way_out_in_both_languages(facts, confirmed, words):
    (found,) = (item for item in preflight(Facts(**facts), Confirmed(**{"tasks": [{"name": "sync"}], **confirmed})) if item.severity == "blocker")
    assert [word for word in words if word not in found.text.en or word not in found.text.ja] == []


@pytest.mark.parametrize(
    ("language", "first", "there", "not_there"),
    [
        ("en", "2 things stand in the way. 1. ", "do b", "bをする"),
        ("ja", "2件の要対応の項目があります。 1. ", "bをする", "do b"),
        ("both", "2 things stand in the way. / 2件の要対応の項目があります。 1. ", "do b / 手順 b が確認されていません: bをする", "\n"),
    ],
)
def test_the_message_names_every_blocker_in_the_language_asked_for(language, first, there, not_there):
    found = final_gate(Facts(steps=[step("a"), step("b")]), Confirmed())
    assert message(found, language).startswith(first)
    assert there in message(found, language) and not_there not in message(found, language)
    assert message(preflight(Facts(users=[{"domain": "a", "counts": counts()}]), Confirmed()), language) == ""


def test_each_point_is_a_line_with_how_grave_it_is():
    found = preflight(Facts(users=[{"domain": "a", "counts": counts(blocked=1)}], machines={}), Confirmed())
    assert [line[:8] for line in lines(found, "en")] == ["[Blocker", "[Warning", "[Fact] a"]
    assert [line[:6] for line in lines(found, "both")] == ["[Block", "[要対応] ", "[Warni", "[警告] a", "[Fact]", "[事実] a"]
    assert verdict(found, "ja") == "1件の要対応の項目があります。"
    assert verdict([], "both") == "Nothing stands in the way. / 妨げになるものはありません。"
    assert verdict([], "en", final=True) == "Nothing points at IIJ ID any more, and everybody has a way to sign in."


def test_what_is_left_on_a_machine_is_named():
    machine = {"products": [AGENT], "tasks": [{"name": "sync"}], "folders": ["C:\\x"]}
    assert agents_left(machine) == ["IIJ ID Service Directory Sync", "task sync", "folder C:\\x"]


def test_the_reasons_of_an_unusable_name_are_joined():
    (found,) = preflight(
        Facts(directory_unusable=[{"name": "x", "found_by": ["bind user in config.yml (ad.ldap.user)", "named in objects"], "msg": "no such object"}]),
        Confirmed(),
    )
    assert found.text.en == "x (bind user in config.yml (ad.ldap.user); named in objects): no such object"
    assert found.text.ja == "x（config.yml のバインド用アカウント（ad.ldap.user）、objects に指定）: オブジェクトがありません"


@pytest.mark.parametrize(
    ("field", "confirmed", "code"),
    [("without_usage_location", {"usage_location": "JP"}, "users_without_usage_location"), ("blocked", {"also_enable": ["a@b"]}, "users_blocked")],
)
def test_advice_that_is_followed_is_given_no_more(field, confirmed, code):
    facts = Facts(users=[{"domain": "a", "counts": counts(**{field: 2})}])
    assert code in [item.code for item in preflight(facts, Confirmed())]
    assert code not in [item.code for item in preflight(facts, Confirmed(**confirmed))]


def test_who_stays_blocked_is_told_however_many_shall_work_again():
    looked = {"domains": [{"domain": "A", "total": 40, "blocked": 18, "unlicensed": 0}], "blocked_users": [], "unusual": [], "log": {}}
    facts = Facts(users=[{"domain": "a", "counts": counts(blocked=19)}], provisioning=looked)
    (found,) = [item for item in preflight(facts, Confirmed(also_enable=["one@a"])) if item.code == "users_blocked"]
    assert "18 users" in found.text.en and "18人" in found.text.ja


def test_an_account_that_runs_a_task_is_named_among_the_candidates():
    task = {"name": "sync", "run_as": "CONTOSO\\svc-sync"}
    (found,) = [item for item in preflight(Facts(machines={"m": {"tasks": [task], "products": []}}), Confirmed(leftovers=["m"])) if item.code == "task_account"]
    assert found.severity == "warning" and "CONTOSO\\svc-sync" in found.text.en and "sync" in found.text.en and "m" in found.objects
    for own in ("S-1-5-18", "NT AUTHORITY\\SYSTEM", "SYSTEM", "S-1-5-32-544", "", "LocalSystem", "NT SERVICE\\x", "S-1-5-80-1-2-3-4-5", "IIS APPPOOL\\x"):
        machine = {"tasks": [task | {"run_as": own}], "products": []}
        assert "task_account" not in [item.code for item in preflight(Facts(machines={"m": machine}), Confirmed(leftovers=["m"]))]


def people(domains=(), counts=None, left_alone=0, taken="2026-01-01T00:00:00Z", enabled=True):
    found = [
        {"id": f"{code}-{number}", "name": f"{code}{number}@a", "code": code, "msg": code} for code, many in (counts or {}).items() for number in range(many)
    ]
    sync = {"enabled": enabled, "last": "2026-01-01T00:00:00Z"}
    return {"domains": list(domains), "counts": counts or {}, "exceptions": found, "left_alone": left_alone, "snapshot_taken": taken, "synchronization": sync}


@pytest.mark.parametrize(
    ("found", "steps_done", "percent", "expected"),
    [
        (people(), (), 50, []),
        (people(taken=None), (), 50, [("blocker", "users_not_compared")]),
        (people(counts={"no_way_in": 27}), (), 50, [("blocker", "no_way_in")]),
        (people(counts={"user_gone": 1, "user_blocked": 1}), (), 50, [("blocker", "user_blocked"), ("warning", "user_gone")]),
        (
            people(counts={"new_user_unlicensed": 1, "new_user_blocked": 2}),
            (),
            50,
            [("warning", "new_user_unlicensed"), ("warning", "new_user_blocked")],
        ),
        # a person's word is all that there is, and is told as that
        (people(counts={"administrator_without_password": 2}), (), 50, [("blocker", "administrator_without_password")]),
        (people(counts={"administrator_without_password": 2}), ("administrators_have_passwords",), 50, [("warning", "administrator_without_password")]),
        (people(counts={"password_is_synced": 2}), (), 50, [("blocker", "password_is_synced")]),
        (people(counts={"password_is_synced": 2}), ("password_hash_sync_verified",), 50, [("info", "password_is_synced")]),
        (people(counts={"password_is_synced": 2}, enabled=False), ("password_hash_sync_verified",), 50, [("blocker", "password_is_synced")]),
        # a snapshot of after the stop
        (people([{"domain": "a", "total": 34, "stays_blocked": 32}]), (), 50, [("blocker", "mostly_blocked")]),
        (people([{"domain": "a", "total": 34, "stays_blocked": 17}]), (), 50, []),
        (people([{"domain": "a", "total": 34, "stays_blocked": 34}]), (), 100, []),
        (people([{"domain": "a", "total": 10, "stays_blocked": 0, "gone": 11}]), (), 50, [("blocker", "mostly_gone")]),
        (people([{"domain": "a", "total": 11, "stays_blocked": 0, "gone": 11}]), (), 50, []),
        (people(left_alone=3), (), 50, [("info", "users_left_alone")]),
    ],
)
def test_final_gate_judges_people(found, steps_done, percent, expected) -> None:
    facts = Facts(people=found, steps=[step(identity, done=True) for identity in steps_done], now="2026-01-01T12:00:00Z")
    judged = final_gate(facts, Confirmed(max_blocked_percent=percent))
    assert [(item.severity, item.code) for item in judged if item.code != "directory_not_given"] == expected


def test_final_gate_tells_of_a_synchronization_that_has_stopped_and_no_time_that_moves() -> None:
    def judged(now: str, last: str | None = "2026-01-01T00:00:00Z"):
        found = people(counts={"password_is_synced": 2})
        found["synchronization"]["last"] = last
        facts = Facts(people=found, steps=[step("password_hash_sync_verified", done=True)], now=now)
        (finding,) = final_gate(facts, Confirmed())
        return finding

    fresh = judged("2026-01-01T00:30:00Z")
    assert fresh.severity == "info" and fresh == judged("2026-01-01T20:10:00Z", "2026-01-01T20:00:00Z")  # the same text in each rerun
    late = judged("2026-01-02T00:00:01Z")
    assert late.severity == "warning" and "2026-01-01T00:00:00Z" in late.text.en and "2026-01-01T00:00:00Z" in late.text.ja
    assert judged("2026-01-02T00:00:01Z", None).severity == "warning"


def test_final_gate_names_the_exceptions() -> None:
    (finding,) = final_gate(Facts(people=people(counts={"no_way_in": 27})), Confirmed())
    assert finding.text.en.startswith("27 users ")
    assert "no_way_in9@a (+17)" in finding.text.en and "no_way_in9@a (+17)" in finding.text.ja
    assert len(finding.objects) == 27
    assert finding.text.en.endswith(". All are in results/users_readiness.jsonl.") and "results/users_readiness.jsonl" in finding.text.ja
    (few,) = final_gate(Facts(people=people(counts={"no_way_in": 3})), Confirmed())
    assert "results/" not in few.text.en + few.text.ja


LOOKED = {"looked_at": True, "msg": "", "since": "2026-01-01T00:00:00Z"}


def provisioning(blocked=0, unlicensed=0, log=LOOKED, by_app=0, licences=0, not_told=0, file="/run/list.yml"):
    domains = [{"domain": "a", "total": 40, "blocked": blocked, "unlicensed": unlicensed}, {"domain": "b", "total": 0, "blocked": 0, "unlicensed": 0}]
    told = {"blocked": by_app, "unlicensed": licences, "licences_not_told": not_told, "first": "2026-01-09T00:00:00Z", "last": "2026-01-09T00:05:00Z"}
    return {"domains": domains, "log": log, "file": file if by_app or licences else None, **told}


@pytest.mark.parametrize(
    ("named", "blocked", "told"),
    [
        (None, 2, "blocked already: 2 users; without"),
        ([], 2, "blocked already: 2 users; without"),
        (["u1@A", "u2@a", "x@b"], 2, "blocked already: 2 users (u1@A, u2@a); without"),
        ([f"u{number}@a" for number in range(20)], 25, "blocked already: 25 users (" + ", ".join(f"u{number}@a" for number in range(20)) + " (+5)); without"),
    ],
)
def test_who_is_blocked_before_the_first_snapshot_is_named(named, blocked, told) -> None:
    looked = None if named is None else {**provisioning(blocked=blocked), "blocked_users": named, "blocked_file": "/run/blocked.yml"}
    facts = Facts(users=[{"domain": "a", "counts": counts(blocked=blocked)}], provisioning=looked)
    (found,) = [item for item in preflight(facts, Confirmed(max_blocked_percent=100)) if item.code == "users_blocked"]
    assert told in found.text.en and found.objects == ("a",)
    assert ("/run/blocked.yml" in found.text.en, "/run/blocked.yml" in found.text.ja) == ((True, True) if blocked > 20 else (False, False))
    assert all(name in found.text.ja for name in (named or [])[:2])


@pytest.mark.parametrize(
    ("found", "percent", "told"),
    [
        (provisioning(), 50, None),
        (provisioning(blocked=20, unlicensed=20), 50, None),
        # half is blocked, and the other half has no licence
        ({**provisioning(blocked=20, unlicensed=20), "unusual": ["a"]}, 50, "of 40 users 20 are blocked and 20 have no licence"),
        ({"skipped": True, "changed": False}, 50, None),
        (provisioning(blocked=34), 100, None),
        (provisioning(blocked=34, by_app=32), 50, "blocked 32 users (2026-01-09T00:00:00Z to 2026-01-09T00:05:00Z)"),
        (provisioning(blocked=34, by_app=32), 50, "-e @/run/list.yml"),
        (provisioning(unlicensed=21, licences=20), 50, "took the licences of 20"),
        (provisioning(blocked=21, by_app=1, not_told=3), 50, "Of 3 it does not say which licences"),
        # too old, not readable
        (provisioning(blocked=21), 50, "it reaches back to 2026-01-01T00:00:00Z; Microsoft keeps 30 days, 7 in Entra ID Free"),
        (provisioning(blocked=21, log={"looked_at": False, "msg": "no permission", "since": None}), 50, "The audit log was not read: no permission."),
    ],
)
def test_most_blocked_before_the_first_snapshot(found, percent, told) -> None:
    judged = preflight(Facts(provisioning=found), Confirmed(max_blocked_percent=percent))
    assert [(item.severity, item.code, item.objects) for item in judged if item.code == "mostly_blocked"] == (
        [("blocker", "mostly_blocked", ("a",))] if told else []
    )
    if told:
        assert told in judged[0].text.en and "microsoft_365_max_blocked_percent" in judged[0].text.ja


LACKS = {
    "missing": [
        {"work": "users", "stages": ["users"], "permissions": ["User.ReadWrite.All"], "roles": []},
        {"work": "passwords", "stages": ["passwords"], "permissions": [], "roles": ["User Administrator", "Global Administrator"]},
        {"work": "passes", "stages": ["passwords"], "permissions": ["UserAuthMethod-TAP.ReadWrite.All"], "roles": []},
        {"work": "app", "stages": ["app"], "permissions": ["Application.ReadWrite.All"], "roles": []},
    ]
}


@pytest.mark.parametrize(
    ("confirmed", "about"),
    [
        ({}, ["User.ReadWrite.All", "User Administrator"]),
        ({"passwords": "temporary_access_pass"}, ["User.ReadWrite.All", "UserAuthMethod-TAP.ReadWrite.All"]),
        ({"passwords": "keep"}, ["User.ReadWrite.All"]),
        ({"client_ids": ["1"]}, ["User.ReadWrite.All", "User Administrator", "Application.ReadWrite.All"]),
    ],
)
def test_what_the_app_lacks_is_told_for_each_stage_that_will_be_played(confirmed, about):
    found = [item for item in preflight(Facts(permissions=LACKS), Confirmed(**confirmed)) if item.code == "permission_missing"]
    assert [(item.severity, item.objects[0]) for item in found] == [("warning", name) for name in about]
    assert found[0].text.en.startswith("Stage users: the app that signs in (offboard_client_id) lacks User.ReadWrite.All.")
    told = " ".join(item.text.en for item in found)
    assert ("one of the directory roles User Administrator, Global Administrator" in told) is ("passwords" not in confirmed)
    assert preflight(Facts(permissions={"missing": []}), Confirmed()) == preflight(Facts(), Confirmed()) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("user_blocked", "1 user is blocked, but was enabled in the snapshot or is named to be enabled."),
        ("user_enabled_not_meant", "1 user is enabled, but was blocked in the snapshot or is named to be blocked."),
        ("blocked_before_snapshot", "1 user is blocked, as they were in the snapshot, and the exit left them so."),
        ("new_user_blocked", "1 user is not in the snapshot and is blocked, and nobody"),
        ("new_user_unlicensed", "1 user is not in the snapshot and has no licence, while"),
        ("licence_missing", "1 user does not have the licences that they had in the snapshot"),
        ("licence_not_as_meant", "1 user has other licences"),
        ("access_pass_ended", "1 user was given a Temporary Access Pass"),
        ("administrator_without_password", "1 user is an administrator, whom the tool may not give a password"),
        ("password_is_synced", "1 user signs in with their Active Directory password"),
    ],
)
def test_of_one_user_it_is_told_as_of_one(code, expected):
    people = {"snapshot_taken": True, "counts": {code: 1}, "exceptions": [{"code": code, "name": "x@a"}], "domains": [], "left_alone": 0}
    people["synchronization"] = {"enabled": True, "last": None}
    (found,) = (item for item in final_gate(Facts(people=people, now="2026-01-01T00:00:00Z"), Confirmed()) if item.code == code)
    assert found.text.en.startswith(expected)


@pytest.mark.parametrize(("synced", "told"), [(0, False), (2, True)])
def test_nobody_synchronized_is_not_told(synced, told):
    (found,) = (
        item for item in preflight(Facts(users=[{"domain": "a", "counts": counts(total=1, synced=synced)}]), Confirmed()) if item.code == "users_affected"
    )
    assert ("Active Directory" in found.text.en, "Active Directory" in found.text.ja) == (told, told)
    assert found.text.en.startswith("a: 1 user; ")


@pytest.mark.parametrize(
    ("export", "expected"),
    [
        (None, []),
        ({"latest": None}, [("warning", "export_missing")]),
        ({"latest": None, "not_known": ["/run/iij-id-export/1"]}, [("warning", "export_missing")]),
        ({"latest": {"users": 0}}, [("warning", "export_missing")]),  # what was read after the end holds nobody
        ({"latest": {"users": 3, "groups": 0}}, []),
    ],
)
def test_what_is_lost_with_the_contract_is_told(export, expected):
    found = final_gate(Facts(export=export), Confirmed())
    assert [(item.severity, item.code) for item in found] == expected
    assert all(word in found[0].text.en for word in ("attributes", "groups", "FIDO2", "iij_id.export")) if found else True
    for name in (export or {}).get("not_known", ()):
        assert name in found[0].text.en and "vault's password" in found[0].text.en and f"{name} の内容は不明です" in found[0].text.ja
    assert preflight(Facts(export=export), Confirmed()) == []


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"groups": 0}, []),
        ({"groups": 5, "groups_cut": 0, "groups_not_checked": 0}, []),
        ({"groups": 5, "groups_cut": 2, "groups_not_checked": 0}, ["2 groups of 5 lack members"]),
        ({"groups": 5, "groups_cut": 0, "groups_not_checked": 5}, ["Nothing tells"]),
        ({"groups": 5}, ["Nothing tells"]),  # of an export that does not say, nobody has looked
    ],
)
@pytest.mark.parametrize("judge", [preflight, final_gate])
def test_who_is_in_a_group_that_was_cut_is_not_known(judge, state, told):
    found = judge(Facts(export={"latest": {"users": 3, **state}}), Confirmed())
    assert [(item.severity, item.code) for item in found] == [("warning", "export_cut")] * len(told)
    assert all(words in item.text.en for words, item in zip(told, found, strict=True))


def test_evidence_that_is_lost_is_warned_of():
    entry = {"file": "evidence/a/x", "name": "x", "sha256": "0" * 64, "bytes": 1, "by": "Hanako", "at": "2026-11-28T00:00:00Z"}
    steps = [{**step(name, done=True), "evidence": [{**entry, "state": state}]} for name, state in (("a", "kept"), ("b", "missing"), ("c", "changed"))]
    found = [(item.severity, item.objects) for item in final_gate(Facts(steps=steps), Confirmed()) if item.code == "evidence_damaged"]
    assert found == [("warning", ("b",)), ("warning", ("c",))]
