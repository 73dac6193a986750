# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directory Sync for Linux: what is told before, what keeps the final gate closed, and what spares a person the look."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import phrases
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import linux
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.linux import LinuxDecisions
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import agents_gate, final_gate, linux_gate, preflight

TREE, COPY = "/opt/IIJ_ID_Service_Directory_Sync", "/var/tmp/IIJ_ID_Service_Directory_Sync"
COMMAND = f"{TREE}/bin/normal_mode.sh"
JOB = {"place": "user:iijsync", "user": "iijsync", "schedule": "30 3 * * *", "command": COMMAND, "enabled": True, "why": ["x"]}
SAID_JOB = {"place": "user:iijsync", "command": COMMAND}
TIMER = {
    "timer": "iij.timer",
    "path": "/etc/systemd/system/iij.timer",
    "service": "iij.service",
    "enabled": True,
    "commands": [COMMAND],
    "why": ["x"],
    "user": "",
}
TIMER["stop"] = "systemctl disable --now iij.timer"
OWN_TIMER = {**TIMER, "user": "sync", "path": "/home/sync/.config/systemd/user/iij.timer"}
SERVICE = {**{key: value for key, value in TIMER.items() if key not in ("timer", "service")}, "name": "iij.service"}
OWN_PATH = {**SERVICE, "name": "iij.path", "user": "sync", "path": "/home/sync/.config/systemd/user/iij.path"}
AT = {**SERVICE, "name": "at:17", "user": "sync", "path": "/var/spool/cron/atjobs/a0001101a3b4c5", "stop": "atrm 17"}


def there(path: str = TREE, **more: Any) -> dict[str, Any]:
    return {"path": path, "exists": True, "link": "", "owner": "iijsync", **more}


GONE = {"path": TREE, "exists": False, "link": ""}
CLEAN = {"jobs": [], "timers": [], "files": [GONE], "not_looked_at": []}
FULL = {"jobs": [JOB], "timers": [], "files": [there()], "not_looked_at": []}
CONFIRMED = {"cron_jobs": [SAID_JOB], "linux_files": [TREE]}


def codes(found):
    return [(item.severity, item.code, item.objects[-1]) for item in found]


@pytest.mark.parametrize("passed_over", ["", "passed_over_name_debian", "passed_over_end_debian", "passed_over_mode", "passed_over_name"])
def test_a_job_that_cron_may_pass_over_is_told(passed_over):
    why = phrases.english(passed_over) if passed_over else ""
    (found,) = linux.unconfirmed({"agent01": {**CLEAN, "jobs": [{**JOB, "passed_over": why}]}}, LinuxDecisions())
    assert ("It may never run" in found.text.en, bool(why) and why in found.text.en) == (bool(why), bool(why))
    assert ("実行されていない可能性" in found.text.ja) is bool(why)


@pytest.mark.parametrize(
    ("machine", "confirmed", "expected"),
    [
        # what the freeze would refuse is told before it, confirmed or not
        ({**CLEAN, "jobs": [{**JOB, "starts_besides": ["tar"]}]}, CONFIRMED, [("blocker", "script_does_more", COMMAND)]),
        ({**CLEAN, "jobs": [{**JOB, "starts_besides": []}]}, CONFIRMED, []),
        (CLEAN, {}, []),
        (FULL, {}, [("blocker", "cron_job_not_confirmed", COMMAND), ("blocker", "linux_file_not_confirmed", TREE)]),
        (FULL, CONFIRMED, []),
        (FULL, {"cron_jobs": [{"command": COMMAND}], "linux_files": ["/opt/IIJ_ID_Service_Directory_Sync/"]}, []),
        (FULL, {**CONFIRMED, "cron_jobs": [{"place": "user:root", "command": COMMAND}]}, [("blocker", "cron_job_not_confirmed", COMMAND)]),
        ({**CLEAN, "jobs": [{**JOB, "enabled": False}]}, {}, [("blocker", "cron_job_not_confirmed", COMMAND)]),
        # a copy in a folder that is confirmed, and one beside it whose name begins alike
        ({**CLEAN, "files": [there(f"{TREE}/old")]}, CONFIRMED, []),
        ({**CLEAN, "files": [there(f"{TREE}.old")]}, CONFIRMED, [("blocker", "linux_file_not_confirmed", f"{TREE}.old")]),
        ({**CLEAN, "files": [there(COPY)]}, {"not_iij_linux_files": [COPY]}, []),
        ({**CLEAN, "files": [there(COPY)]}, {"linux_files": ["/", ""]}, [("blocker", "linux_file_not_confirmed", COPY)]),
        # what is behind a link nobody knows
        ({**CLEAN, "files": [{**GONE, "link": "/opt"}]}, {}, [("blocker", "linux_file_behind_link", TREE)]),
        ({**CLEAN, "files": [{**GONE, "link": "/opt"}]}, {"not_iij_linux_files": [TREE]}, []),
        ({**CLEAN, "timers": [TIMER]}, CONFIRMED, [("blocker", "timer_starts_it", "iij.timer")]),
        ({**CLEAN, "timers": [OWN_TIMER]}, CONFIRMED, [("blocker", "timer_starts_it", OWN_TIMER["path"])]),
        ({**CLEAN, "timers": [{**TIMER, "enabled": False}], "other_starts": [{**SERVICE, "enabled": False}]}, {}, []),
        (
            {**CLEAN, "other_starts": [SERVICE, OWN_PATH, AT]},
            CONFIRMED,
            [("blocker", "timer_starts_it", name) for name in ("iij.service", OWN_PATH["path"], "at:17")],
        ),
    ],
)
def test_what_is_not_confirmed_is_a_blocker_of_the_preflight_and_of_the_stage(machine, confirmed, expected):
    facts = Facts(linux_machines={"agent01": machine})
    for gate in (preflight, agents_gate):
        assert codes(item for item in gate(facts, Confirmed(**confirmed)) if item.severity == "blocker") == expected


@pytest.mark.parametrize("machine", [None, {"error": "no route", "code": "unreachable"}])
def test_a_machine_that_could_not_be_read_is_open(machine):
    facts = Facts(linux_machines={"agent01": machine, "agent02": CLEAN})
    for gate in (preflight, agents_gate, final_gate, linux_gate):
        assert codes(gate(facts, Confirmed())) == [("blocker", "machine_not_readable", "agent01")]


@pytest.mark.parametrize(
    ("machine", "confirmed", "expected"),
    [
        (CLEAN, CONFIRMED, []),
        (FULL, CONFIRMED, [f"cron job user:iijsync: {COMMAND}", f"folder {TREE}"]),
        ({**CLEAN, "jobs": [{**JOB, "enabled": False}]}, CONFIRMED, [f"cron job user:iijsync: {COMMAND}"]),
        ({**CLEAN, "timers": [TIMER, {**TIMER, "enabled": False}]}, {}, ["systemd timer iij.timer"]),
        ({**CLEAN, "timers": [OWN_TIMER]}, {}, ["systemd timer /home/sync/.config/systemd/user/iij.timer"]),
        ({**CLEAN, "other_starts": [SERVICE, {**AT, "enabled": False}, AT]}, {}, [f"what starts it ({name})" for name in ("iij.service", "at:17")]),
        ({**CLEAN, "files": [{**GONE, "link": TREE}]}, CONFIRMED, [f"link {TREE}"]),
        ({**CLEAN, "files": [there(COPY)]}, {"not_iij_linux_files": ["/var/tmp"]}, []),
    ],
)
def test_what_is_left_keeps_the_final_gate_closed_and_the_step_open(machine, confirmed, expected):
    facts = Facts(linux_machines={"agent01": machine})
    for gate in (final_gate, linux_gate):
        found = gate(facts, Confirmed(**confirmed))
        assert [item.objects[1:] for item in found] == ([tuple(expected)] if expected else [])
        assert {(item.severity, item.code) for item in found} <= {("blocker", "agent_present")}


@pytest.mark.parametrize(
    ("confirmed", "open_"),
    [({}, ["/home/a", "/var/lib/x/y"]), ({"not_iij_linux_files": ["/var/lib/x"]}, ["/home/a"]), ({"not_iij_linux_files": ["/var/lib/x", "/home"]}, [])],
)
def test_where_nobody_has_looked(confirmed, open_):
    facts = Facts(linux_machines={"agent01": {**CLEAN, "not_looked_at": ["/home/a", "/var/lib/x/y"]}})
    for gate, severity in ((preflight, "warning"), (final_gate, "blocker"), (linux_gate, "blocker")):
        assert [(item.severity, item.code, list(item.objects[1:])) for item in gate(facts, Confirmed(**confirmed))] == (
            [(severity, "linux_folder_not_looked_at", open_)] if open_ else []
        )


def test_what_names_the_agent_and_is_not_understood():
    """No blocker, for it may be a backup; but it never reads as if nothing started it, and a person says that nothing is left."""
    machine = {**CLEAN, "named_by": [f"user:root: @daily ls {COMMAND} | xargs sh", "/etc/supervisor/conf.d/iij.conf"]}
    facts = Facts(linux_machines={"agent01": machine})
    for gate, severity in ((preflight, "warning"), (final_gate, "warning"), (linux_gate, "blocker")):
        assert codes(gate(facts, Confirmed())) == [(severity, "names_linux_agent", "/etc/supervisor/conf.d/iij.conf")]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True), ({"jobs": [{**JOB, "enabled": False}]}, False), ({"timers": [TIMER]}, False), ({"other_starts": [AT]}, False),
        ({"named_by": ["x"]}, False), ({"files": [GONE]}, False), ({"files": [{**GONE, "link": TREE}]}, False),
    ],
)  # fmt: skip
def test_an_agent_that_nothing_starts_is_told(more, expected):
    found = preflight(Facts(linux_machines={"agent01": {**FULL, "jobs": [], **more}}), Confirmed(**CONFIRMED))
    assert ("linux_start_not_found" in {item.code for item in found}) is expected


@pytest.mark.parametrize("machines", [None, {}])
def test_a_person_says_that_there_is_none(machines):
    facts = Facts(linux_machines=machines)
    assert [item.code for item in linux_gate(facts, Confirmed())] == ["no_linux_machines"]
    assert preflight(facts, Confirmed()) == final_gate(facts, Confirmed()) == agents_gate(facts, Confirmed()) == []


ACCOUNT = {"name": "iijsync", "exists": True, "uid": 6102, "home": "/home/iijsync"}
SAID_ACCOUNT = {"name": "iijsync", "uid": 6102}
OPEN = [("blocker", "linux_account_not_confirmed", "iijsync")]


@pytest.mark.parametrize(
    ("confirmed", "before", "left"),
    [
        ({}, OPEN, []),
        ({"linux_accounts": [SAID_ACCOUNT]}, [], ["account iijsync"]),
        ({"linux_accounts": [{**SAID_ACCOUNT, "uid": "6102"}]}, [], ["account iijsync"]),
        ({"not_iij_linux_accounts": ["iijsync"]}, [], []),
        # another one of the same name, and one that nobody has given a number
        ({"linux_accounts": [{**SAID_ACCOUNT, "uid": 7000}]}, OPEN, []),
        ({"linux_accounts": [{"name": "iijsync"}]}, OPEN, []),
        # on one machine it is the agent's, on another one somebody else's
        ({"linux_accounts": [{**SAID_ACCOUNT, "uid": 7000}], "not_iij_linux_accounts": ["iijsync"]}, [], []),
        ({"linux_accounts": [{**SAID_ACCOUNT, "uid": 7000}, SAID_ACCOUNT], "not_iij_linux_accounts": ["iijsync"]}, [], ["account iijsync"]),
    ],
)
def test_the_account_that_runs_it(confirmed, before, left):
    facts = Facts(linux_machines={"agent01": {**CLEAN, "accounts": [ACCOUNT, {"name": "gone", "exists": False}]}})
    for gate in (preflight, agents_gate):
        assert codes(item for item in gate(facts, Confirmed(**confirmed)) if item.severity == "blocker") == before
    for gate in (final_gate, linux_gate):
        assert [item.objects[1:] for item in gate(facts, Confirmed(**confirmed))] == ([tuple(left)] if left else [])


def test_another_account_of_the_name_is_told_apart():
    facts = Facts(linux_machines={"agent01": {**CLEAN, "accounts": [ACCOUNT]}})
    (found,) = agents_gate(facts, Confirmed(linux_accounts=[{"name": "iijsync", "uid": 7000}]))
    assert "not the one of that name that was confirmed (number 7000)" in found.text.en and "{name: 'iijsync', uid: 6102}" in found.text.en
    assert "UID 7000" in found.text.ja and "{name: 'iijsync', uid: 6102}" in found.text.ja


@pytest.mark.parametrize(
    ("confirmed", "expected"),
    [
        (Confirmed(), [("directory_sync_cron_jobs", SAID_JOB), ("directory_sync_linux_files", TREE)]),
        (Confirmed(cron_jobs=[SAID_JOB], linux_files=[TREE]), []),
        (Confirmed(cron_jobs=[SAID_JOB], not_iij_linux_files=["/opt"]), []),
    ],
)
def test_candidates_are_named_once_with_all_their_machines(confirmed, expected):
    link = {**GONE, "link": "/srv"}
    machines = {"agent01": FULL, "agent02": FULL, "agent03": {**CLEAN, "files": [link]}, "agent04": None}
    found = list(linux.propose(Facts(linux_machines=machines), confirmed))
    assert [(variable, value) for variable, value, _why in found] == expected
    if expected:
        assert found[0][2].en == "On agent01, agent02."


def test_accounts_are_candidates_too():
    machine = {**CLEAN, "accounts": [ACCOUNT]}
    (found,) = linux.propose(Facts(linux_machines={"agent01": machine, "agent02": machine}), Confirmed())
    assert (found[0], found[1], found[2].en) == ("directory_sync_linux_accounts", SAID_ACCOUNT, "On agent01, agent02.")
    assert not list(linux.propose(Facts(linux_machines={"agent01": machine}), Confirmed(linux_accounts=[SAID_ACCOUNT])))
