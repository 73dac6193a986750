# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which account is meant, and what keeps one from being removed."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.accounts import plan as accounts
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import plan as cron
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import starters
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import phrases

HOME = {"exists": True, "link": "", "uid": 6102, "mount": "", "others": []}
FOUND: dict[str, Any] = {
    "name": "iijsync", "exists": True, "uid": 6102, "gid": 6102, "home": "/home/iijsync", "shell": "/bin/sh", "local": True, "reserved": False, "same_uid": [],
    "processes": [], "units": [], "at_jobs": 0, "home_dir": HOME,
}  # fmt: skip


def place(name: str, content: str, kind: str = "user", user: str = "") -> cron.Place:
    content = base64.b64encode(content.encode()).decode()
    return cron.place_of({"place": name, "kind": kind, "user": user, "home": "/", "content": content, "mode": None, "link": ""})


def rules(found: dict[str, Any], *places: cron.Place, with_home: bool = False) -> list[str]:
    jobs = [job for one in places for job in cron.jobs(one)]
    return [item.rule for item in accounts.refusals({**FOUND, **found}, jobs, [], with_home=with_home)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, []),
        ({"reserved": True}, ["system_account"]),
        ({"local": False}, ["not_local"]),
        ({"same_uid": ["admin"]}, ["shared_uid"]),
        ({"units": ["web.service"]}, ["unit_runs_as"]),
        ({"processes": [{"pid": 31, "program": "sh"}]}, ["account_in_use"]),
        ({"at_jobs": 1}, ["cron_jobs_left"]),
    ],
)
def test_what_else_needs_it(found, expected):
    assert rules(found) == expected


def test_an_account_of_nearly_that_name_is_not_taken_for_a_removed_one():
    gone = {"name": "iij-sync", "exists": False, "alike": [{"name": "iijsync", "uid": 987}]}
    accounts.check_spelling(FOUND, 987)
    accounts.check_spelling({**gone, "alike": []}, 987)
    accounts.check_spelling(gone, 988)  # that one is gone, and the other one somebody else
    with pytest.raises(OffboardError) as error:
        accounts.check_spelling(gone, 987)
    assert (error.value.code, error.value.details) == ("not_exact", {"candidates": [{"name": "iijsync"}]})


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (place("user:iijsync", "0 1 * * * true\n", user="iijsync"), ["cron_jobs_left"]),
        (place("user:iijsync", "#offboard.iij_id disabled: 0 1 * * * true\n", user="iijsync"), ["cron_jobs_left"]),
        (place("user:iijsync", "MAILTO=x\n# 0 1 * * * true\n", user="iijsync"), []),
        (place("user:reiji", "0 1 * * * true\n", user="reiji"), []),
        (place("/etc/cron.d/x", "0 1 * * * iijsync true\n", "system"), ["cron_jobs_left"]),
        (place("/etc/cron.d/x", "@reboot\tiijsync\ttrue\n", "system"), ["cron_jobs_left"]),
        (place("/etc/cron.d/x", "0 1 * * * root su - iijsync -c /opt/x\n", "system"), ["cron_jobs_left"]),
        (place("/etc/cron.d/x", "0 1 * * * root sudo -u iijsync /opt/x\n", "system"), ["cron_jobs_left"]),
        (place("/etc/cron.d/x", "0 1 * * * root tar cf /x.tar /home/iijsync /opt/iijsync.old\n", "system"), []),
        (place("/etc/cron.daily/x", "#!/bin/sh\nsu - iijsync -c /opt/x\n", "script"), ["cron_jobs_left"]),
        (place("/etc/cron.daily/x", "#!/bin/sh\n# of iijsync\ntar cf /x.tar /home/iijsync\n", "script"), []),
    ],
)
def test_jobs_of_cron(where, expected):
    assert rules({}, where) == expected


OWN = "/home/iijsync/.config/systemd/user/own.timer"


@pytest.mark.parametrize(
    ("timer", "refused"),
    [
        ({"user": "iijsync", "path": OWN}, True),
        ({"user": "iijsync", "path": OWN, "enabled": False}, False),
        ({"user": "reiji"}, False),
        ({"user": "*"}, False),
        ({"commands": ["/usr/sbin/runuser -u iijsync -- /opt/x"]}, True),
        ({"commands": ["/bin/tar cf /x.tar /home/iijsync"]}, False),
        ({"name": "own.service", "commands": ["/usr/sbin/runuser -u iijsync -- /opt/x"]}, True),
        ({"name": "own.path", "user": "iijsync", "path": OWN}, True),
    ],
)
def test_timers_of_systemd(timer, refused):
    """A user's own timer is no unit of the machine, and runs as that user all the same."""
    given = {"name": "own.timer", "path": "/etc/systemd/system/own.timer", "service": "own.service", "user": "", "uid": 6102, "home": "/home/iijsync"}
    answer = {**given, "enabled": True, "commands": ["/bin/true"], "folder": "", "environment": [], "environment_files": [], "runs_as": "", **timer}
    found = list(accounts.refusals(FOUND, [], [starters.of_unit(answer)], with_home=False))
    assert [item.rule for item in found] == (["unit_runs_as"] if refused else [])
    assert all(answer["path"] in item.msg and "systemctl" in item.msg for item in found)


def test_a_job_of_at_that_names_it():
    """Its own are counted by the machine."""
    answer = {"number": 1, "path": "/var/spool/at/a0", "home": "/", "script": "cd / || {\n\texit 1\n}\nsu iijsync -c /opt/x\n"}
    for user, expected in (("root", ["unit_runs_as"]), ("iijsync", ["unit_runs_as"])):
        assert [item.rule for item in accounts.refusals(FOUND, [], [starters.of_at({**answer, "user": user})], with_home=False)] == expected
    quiet = starters.of_at({**answer, "user": "iijsync", "script": "true\n"})
    assert not list(accounts.refusals(FOUND, [], [quiet], with_home=False))


@pytest.mark.parametrize(
    ("home", "there", "fires"),
    [
        ("/home/iijsync", {}, False),
        ("/var/lib/iijsync", {}, False),
        ("/opt/iij/home", {}, False),
        ("/home/iijsync", {"exists": False}, False),
        ("/nonexistent", {"exists": False}, False),
        *((home, {}, True) for home in ("/", "/home", "/root", "/opt", "/var/lib", "/etc/iij", "/usr/lib/iij", "/home/../etc", "relative", "")),
        ("/home/iijsync", {"link": "/home"}, True),
        ("/home/iijsync", {"uid": 0}, True),
        ("/home/iijsync", {"mount": "/home/iijsync/data"}, True),
        ("/home/iijsync", {"others": ["reiji"]}, True),
    ],
)
def test_a_home_goes_only_where_it_is_its_own_alone(home, there, fires):
    found = {"home": home, "home_dir": {**HOME, **there}}
    assert rules(found, with_home=True) == (["home_refused"] if fires else [])
    assert rules(found) == []


def test_the_number_is_part_of_the_account():
    item = accounts.object_of("agent01", FOUND)
    assert item.id == "agent01/iijsync/6102"
    assert not accounts.is_meant({**FOUND, "uid": 6110}, 6102) and accounts.is_meant(FOUND, 6102)
    change = accounts.removal(item, with_home=True)
    assert (change.before or {})["uid"] == 6102 and change.risk == "high"
    assert "useradd --uid 6102 --gid 6102 --home-dir /home/iijsync --shell /bin/sh iijsync" in change.undo
    assert phrases.understood(change.undo) is not None
