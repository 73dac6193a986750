# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd's units and jobs of at start, and how they are stopped."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import starters
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron.plan import DEFAULT_COMMAND_PATHS

SCRIPT = "/opt/IIJ_ID_Service_Directory_Sync/bin/normal_mode.sh"
PATHS = list(DEFAULT_COMMAND_PATHS)


TIMER = {"name": "iij.timer", "path": "/etc/systemd/system/iij.timer", "service": "iij.service", "user": "", "uid": None, "home": "/root", "enabled": True}


def timer(*commands, **more):
    return starters.of_unit({**TIMER, "commands": commands, "folder": "", "environment": [], "environment_files": [], "runs_as": "", **more})


def test_timers():
    other = timer(f"/bin/tar cf /x {SCRIPT} --password=Hush", name="tar.timer")
    told = starters.told(starters.meant([timer(f"-{SCRIPT}"), other], PATHS, {}, []))
    (found,) = told["timers"]
    assert (found["timer"], found["enabled"], found["commands"], told["other_starts"]) == ("iij.timer", True, [SCRIPT], [])
    assert "Hush" not in str(starters.told(starters.meant([other], [], {}, [])))


@pytest.mark.parametrize(
    ("name", "excepted", "left"),
    [("iij.service", [], 1), ("iij.path", [], 1), ("iij.service", ["iij.service"], 0), ("iij.path", [TIMER["path"]], 0), ("iij.path", ["iij.service"], 1)],
)
def test_other_units(name, excepted, left):
    told = starters.told(starters.meant([timer(SCRIPT, name=name, runs_as="%p")], PATHS, {}, excepted))
    assert [(one["name"], one["stop"], one["runs_as"]) for one in told["other_starts"]] == [(name, f"systemctl disable --now {name}", "iij")] * left
    assert told["timers"] == []


DEBIAN = """#!/bin/sh
# atrun uid=6102 gid=6102
# mail sync 0
umask 22
PATH=/opt/IIJ_ID_Service_Directory_Sync/bin:/usr/bin; export PATH
SECRET=Hush; export SECRET
cd /home/sync/my\\ files || {
\t echo 'Execution directory inaccessible' >&2
\t exit 1
}
"""
FEDORA = DEBIAN + "${SHELL:-/bin/sh} << 'marcinDELIMITER3f9c2a1b'\n"


@pytest.mark.parametrize(
    ("script", "meant"),
    [
        (f"{DEBIAN}{SCRIPT} >/dev/null\n", True),
        (f"{DEBIAN}normal_mode.sh --password=Hush\n", True),
        (f"{FEDORA}sudo -u sync {SCRIPT}\nmarcinDELIMITER3f9c2a1b\n", True),
        (f"{DEBIAN}cd ../bin; ./mine.sh\n", True),
        (f"{DEBIAN}cd bin; ./mine.sh\n", False),
        (f"{DEBIAN}tar cf /x {SCRIPT}\n", False),
        (SCRIPT, True),
        ("", False),
    ],
)
def test_jobs_of_at(script, meant):
    at = starters.of_at({"number": 257, "path": "/var/spool/cron/atjobs/a00101019f3a2c", "script": script, "user": "sync", "home": "/home/sync"})
    (found,) = starters.told(starters.meant([at], [], {}, []))["other_starts"]
    assert (found["name"], found["enabled"], found["stop"], found["user"]) == ("at:257", True, "atrm 257", "sync")
    assert "Hush" not in str(found)
    assert bool(starters.meant([at], [*PATHS, "/home/sync/bin/mine.sh"], {}, [])) == meant
    assert not starters.meant([at], PATHS, {}, ["at:257"])


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("%h/bin/sync.sh", {"home": "/home/sync"}),
        ("./sync.sh", {"home": "/home/sync", "folder": "-~/bin"}),
        ("./sync.sh", {"home": "/home/sync", "folder": "%h/bin"}),
        ("/home/%i/bin/sync.sh", {"service": "iij@sync.service"}),
        ("%f.sh", {"service": "iij@home-sync-bin-sync.service"}),
        ("/%I", {"service": "iij@home-sync-bin-sync\\x2esh.service"}),
        ("/home/%N/bin/sync.sh", {"service": "sync.service"}),
        ("/home/%j/bin/sync.sh", {"service": "iij-sync@x.service"}),
        ("/%P/sync.sh", {"service": "home-sync-bin@x.service"}),
        ("/home/%u/bin/sync.sh", {"user": "sync"}),
        ('"/home/sync/bin/sync.sh" "--all"', {}),
        ("@/bin/sh sh -c '/home/sync/bin/sync.sh'", {}),
        ("${WHERE}/sync.sh", {"environment": ['"UNUSED=a b" WHERE=/home/sync/bin', "'open"]}),
        ("${WHERE}/sync.sh", {"environment": ["WHERE=/old"], "environment_files": ["# x=1\n;WHERE=/no\n\nWHERE='/home/sync/bin'\nOPEN='x\n"]}),
        ("/bin/sh -c 'sync.sh -v'", {"environment_files": ["PATH=/usr/bin:/home/sync/bin\r\n"]}),
        ("/usr/local/bin/sync", {}),
    ],
)
def test_what_a_timer_starts(command, more):
    assert starters.meant([timer(command, **more)], ["/home/sync/bin/sync.sh"], {"/usr/local/bin/sync": "/home/sync/bin/sync.sh"}, [])


@pytest.mark.parametrize(
    ("more", "stop"),
    [
        ({}, "systemctl disable --now iij.timer"),
        ({"path": "/run/systemd/transient/iij.timer"}, "systemctl stop iij.timer"),
        ({"user": "*"}, "systemctl --global disable iij.timer"),
        ({"user": "a b", "uid": 7}, "runuser -u 'a b' -- env XDG_RUNTIME_DIR=/run/user/7 systemctl --user disable --now iij.timer"),
        ({"name": "a;id.timer"}, "systemctl disable --now 'a;id.timer'"),
    ],
)
def test_how_a_timer_is_stopped(more, stop):
    assert timer(**more).stop == stop


@pytest.mark.parametrize(
    ("script", "meant"),
    [
        (f"#!/bin/sh\ncase $1 in\nstart) su - sync -c {SCRIPT} ;;\nesac\n", True),
        (f"#!/bin/sh\nDAEMON={SCRIPT}\nstart-stop-daemon --start --exec $DAEMON\n", True),
        (f"#!/bin/sh\n# {SCRIPT}\ntar cf /x {SCRIPT}\n", False),
    ],
)
@pytest.mark.parametrize(("name", "stop", "shown"), [("iij", ["update-rc.d", "iij", "disable"], "update-rc.d iij disable"), ("", "", "vi /etc/rc.local")])
def test_scripts_of_the_boot(script, meant, name, stop, shown):
    path = f"/etc/init.d/{name}" if name else "/etc/rc.local"
    one = starters.of_boot({"name": name, "path": path, "enabled": True, "script": script, "stop": stop})
    told = starters.told(starters.meant([one], PATHS, {}, []))["other_starts"]
    assert [(item["name"], item["path"], item["stop"], item["enabled"]) for item in told] == [(path, path, shown, True)] * meant
    assert one.by == "init" and not starters.meant([one], PATHS, {}, [path])


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        (f"/srv/people IN_CLOSE_WRITE,IN_MOVED_TO {SCRIPT} $@/$#", True),
        (f"/srv/my\\ people\tIN_MODIFY\tnice {SCRIPT}", True),
        (f"# /srv/people IN_MODIFY {SCRIPT}", False),
        (f"{SCRIPT} IN_MODIFY /usr/bin/logger", False),
        ("/srv IN_MODIFY bin/mine.sh", True),
        ("", False),
        ("/srv", False),
    ],
)
@pytest.mark.parametrize(("is_system", "stop"), [(False, "incrontab -u sync -e"), (True, "vi /etc/incron.d/iij")])
def test_tables_of_incron(line, meant, is_system, stop):
    path = "/etc/incron.d/iij" if is_system else "/var/spool/incron/sync"
    one = starters.of_incron({"path": path, "user": "sync", "script": f"{line}\n/x IN_MODIFY true", "is_system": is_system}, {"sync": "/home/sync"})
    told = starters.told(starters.meant([one], [*PATHS, "/home/sync/bin/mine.sh"], {}, []))["other_starts"]
    assert [(item["name"], item["stop"], item["runs_as"], item["enabled"]) for item in told] == [(path, stop, "sync", True)] * meant
