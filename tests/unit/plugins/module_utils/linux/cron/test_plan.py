# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in crontabs, which jobs are meant, and what a place holds afterwards."""

from __future__ import annotations

import base64
import time

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import phrases
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import plan as cron

SCRIPT = "/opt/IIJ_ID_Service_Directory_Sync/bin/normal_mode.sh"
PATHS = list(cron.DEFAULT_COMMAND_PATHS)


def place(content, kind="user", name="user:sync", user="sync", home="/home/sync", mode=None, link=""):
    data = content if isinstance(content, bytes) else content.encode()
    return cron.place_of({"place": name, "kind": kind, "user": user, "home": home, "content": base64.b64encode(data).decode(), "mode": mode, "link": link})


@pytest.mark.parametrize(
    ("kind", "line", "schedule", "user", "command"),
    [
        ("user", f"30 3 * * * {SCRIPT}", "30 3 * * *", "sync", SCRIPT),
        ("user", f"  */5\t1-3  *  jan mon   {SCRIPT} a  b ", "*/5 1-3 * jan mon", "sync", f"{SCRIPT} a  b"),
        ("user", f"@daily {SCRIPT}", "@daily", "sync", SCRIPT),
        ("user", f"@reboot sleep 5 && {SCRIPT}", "@reboot", "sync", f"sleep 5 && {SCRIPT}"),
        ("user", f"0 1 * * * {SCRIPT} \\%x %input\\%", "0 1 * * *", "sync", f"{SCRIPT} %x"),
        ("user", f"-0 1 * * * {SCRIPT}", "0 1 * * *", "sync", SCRIPT),
        ("user", f"0 1 * * * -n -q {SCRIPT}", "0 1 * * *", "sync", SCRIPT),
        ("user", f"0 1 * * * {SCRIPT}\0 x", "0 1 * * *", "sync", SCRIPT),
        ("user", f"0 1 * * * {SCRIPT} \\", "0 1 * * *", "sync", f"{SCRIPT} \\"),  # cron joins no lines
        ("system", f"30 3 * * * root {SCRIPT}", "30 3 * * *", "root", SCRIPT),
        ("system", f"@hourly iij {SCRIPT}", "@hourly", "iij", SCRIPT),
        ("anacron", f"7 10 iij.weekly {SCRIPT}", "7 10", "root", SCRIPT),
        ("anacron", f"7 10 42 {SCRIPT}", "7 10", "root", SCRIPT),
        ("anacron", f"@monthly 45 iij.monthly nice {SCRIPT}", "@monthly", "root", f"nice {SCRIPT}"),
    ],
)
def test_a_line(kind, line, schedule, user, command):
    (job,) = cron.jobs(place(line, kind, user="sync" if kind == "user" else ""))
    assert (job.schedule, job.user, job.command, job.enabled) == (schedule, user, command, True)
    assert cron.why(job, PATHS, {}) == [f"it starts {SCRIPT}, which matches {PATHS[0]}"]


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (f"/bin/sh%{SCRIPT}", True),
        (f"sudo -u sync true; sh%cd /opt%{SCRIPT} -v%", False),  # which of several reads it nobody knows
        ("sh%cd /opt/IIJ_ID_Service_Directory_Sync/bin%./normal_mode.sh 10\\% -v%", True),
        (f"at now%{SCRIPT}", True),
        (f"mail root%{SCRIPT}", False),
        (f"sleep $((RANDOM % 60)); {SCRIPT}", False),  # what is behind the % is its input, which it does not read
    ],
)
def test_what_a_command_is_given_as_input(command, meant):
    (job,) = cron.jobs(place(f"30 3 * * * {command}\n"))
    assert bool(cron.why(job, PATHS, {})) is meant


@pytest.mark.parametrize(
    "line", ["", "   ", "# 30 3 * * * /x", "MAILTO=ops@reiji.example", 'PATH = "/usr/bin:/bin"', "not a line", "30 3 * * *", "#", "@daily"]
)
def test_no_job(line):
    assert cron.jobs(place(line)) == []


@pytest.mark.parametrize(
    "text",
    [
        "HOME=/opt/IIJ_ID_Service_Directory_Sync\n1 1 * * * root bin/normal_mode.sh\n",
        "1 1 * * * iij cd IIJ_ID_Service_Directory_Sync && ./bin/normal_mode.sh\n",
    ],
)
def test_where_a_command_of_the_system_is_started(text):
    (job,) = cron.jobs(place(text, "system", "/etc/cron.d/iij", user="", home="/root"), {"iij": "/opt"})
    assert cron.why(job, ["/opt/IIJ_ID_Service_Directory_Sync"], {})


@pytest.mark.parametrize(
    ("kind", "name", "mode", "text", "why"),
    [
        ("system", "/etc/cron.d/iij", 0o644, "", ""),
        ("system", "/etc/cron.d/IIJ_sync-2", 0o600, "", ""),
        ("system", "/etc/cron.d/iij.cron", 0o644, "", "passed_over_name_debian"),
        ("system", "/etc/cron.d/iij.rpmsave", 0o644, "", "passed_over_name"),
        ("system", "/etc/cron.d/iij~", 0o644, "", "passed_over_name"),
        ("system", "/etc/cron.d/iij", 0o664, "", "passed_over_mode"),
        ("system", "/etc/crontab", 0o644, "", ""),
        ("system", "/etc/cron.d/iij", 0o644, "@daily root true", "passed_over_end_debian"),
        ("anacron", "/etc/anacrontab", 0o644, "", ""),
        ("user", "user:a.b", None, "", ""),
        ("user", "user:sync", None, "@daily true", "passed_over_end_debian"),
        ("script", "/etc/cron.daily/iij.sh", 0o755, "", "passed_over_name_debian"),
        ("script", "/etc/cron.daily/iij", 0o775, "", ""),
    ],
)
def test_what_cron_passes_over(kind, name, mode, text, why):
    """As cron(8) and run-parts(8) say: it stays a candidate, since another cron may start it."""
    line = f"7 10 {'iij ' if kind == 'anacron' else '* * * root '}{SCRIPT}\n"
    job = cron.jobs(place(line + text, kind, name, user="sync" if kind == "user" else "", mode=mode))[0]
    assert cron.state_of(job)["passed_over"] == (phrases.english(why) if why else "")


def test_variables_of_a_crontab_count_for_the_lines_below():
    text = f"1 1 * * * $TOOL\nTOOL='{SCRIPT}'\n2 1 * * * $TOOL\nTOOL=/usr/bin/other\n3 1 * * * ${{TOOL}}\n4 1 * * * cd ~/IIJ && ./a.sh\n"
    first, second, third, fourth = cron.jobs(place(text))
    assert [bool(cron.why(job, PATHS, {})) for job in (first, second, third)] == [False, True, False]
    assert cron.why(fourth, ["/home/sync/IIJ"], {})


@pytest.mark.parametrize(
    ("command", "paths", "real", "meant"),
    [
        (SCRIPT, PATHS, {}, True),
        (SCRIPT.replace("normal", "recovery"), PATHS, {}, True),
        ("/var/tmp/old/IIJ_ID_Service_Directory_Sync/bin/normal_mode_dry_run.sh", PATHS, {}, True),
        ("/opt/iij_id_service_directory_sync/bin/normal_mode.sh", PATHS, {}, False),
        ("/opt/IIJ_ID_Service_Directory_Sync/bin/other.sh", PATHS, {}, False),
        (SCRIPT, ["/opt/IIJ_ID_Service_Directory_Sync"], {}, True),
        (SCRIPT, ["/opt/IIJ_ID_Service_Directory_Sync/"], {}, True),
        (SCRIPT, ["/opt/IIJ_ID_Service"], {}, False),
        ("/opt/IIJ_ID_Service_Directory_Sync2/bin/normal_mode.sh", ["/opt/IIJ_ID_Service_Directory_Sync"], {}, False),
        ("/usr/local/bin/sync", PATHS, {"/usr/local/bin/sync": SCRIPT}, True),
        ("/usr/local/bin/sync", PATHS, {"/usr/local/bin/sync": "/usr/local/bin/sync"}, False),
        (f"tar czf /backup.tgz {SCRIPT}", PATHS, {}, False),
    ],
)
def test_which_jobs_are_meant(command, paths, real, meant):
    (job,) = cron.jobs(place(f"0 0 * * * {command}\n"))
    assert bool(cron.why(job, paths, real)) is meant


@pytest.mark.parametrize("path", ["*", "/", "/*", "*.sh", "/usr/bin/*", "", "relative/path", "/opt/*/bin/*"])
def test_a_command_path_that_says_nothing(path):
    with pytest.raises(OffboardError) as error:
        cron.check_command_paths([path])
    assert error.value.code == "action_path_too_broad"


CRONTAB = (
    f"MAILTO=x\n# mine\n30 3 * * * {SCRIPT} >/dev/null\n\n0 1 * * * /usr/local/bin/backup\n30 3 * * * {SCRIPT} >/dev/null".encode() + b"\n# \xff no text \r\n"
)


@pytest.mark.parametrize("content", [CRONTAB, CRONTAB.rstrip(), f"@daily {SCRIPT}".encode()])
def test_every_other_byte_stays(content):
    job = cron.jobs(place(content))[0]
    disabled = b"".join(cron.changed_lines(job, "disable"))
    assert disabled == content.replace(content.splitlines(keepends=True)[job.line], cron.MARKER + content.splitlines(keepends=True)[job.line], 1)
    again = cron.jobs(place(disabled))[0]
    assert (again.enabled, again.id("h"), again.command) == (False, job.id("h"), job.command)
    assert b"".join(cron.changed_lines(again, "enable")) == content
    removed = b"".join(cron.changed_lines(job, "delete"))
    assert removed == content.replace(content.splitlines(keepends=True)[job.line], b"", 1)
    assert b"".join(cron.changed_lines(again, "delete")) == removed


def test_the_same_line_twice_is_two_jobs():
    first, _backup, second = cron.jobs(place(CRONTAB))
    assert second.id("h") == first.id("h") + " #2"
    first.place.lines = cron.changed_lines(first, "delete")
    assert second.place.lines[second.line].startswith(b"30 3")


def test_secrets_are_not_shown():
    (job,) = cron.jobs(place(f"0 0 * * * {SCRIPT} --password=Hush-31 --user a:Hush-32\n"))
    assert "Hush" not in f"{job.name}{job.shown}{cron.state_of(job)}{job.id('h')}"
    assert job.place.holds_a_secret
    assert job.is_confirmed([{"command": f"{SCRIPT}  --password=Hush-31 --user a:Hush-32"}])
    assert job.is_confirmed([{"place": "user:sync", "command": job.shown}])
    assert not cron.jobs(place(CRONTAB))[0].place.holds_a_secret


def test_blanks_in_a_line_take_no_time():
    begun = time.process_time()
    assert cron.jobs(place("A=x" + " " * 100_000 + "y\n")) == []
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ({"place": "user:sync"}, True),
        ({"command": SCRIPT}, True),
        ({"place": "user:sync", "command": SCRIPT}, True),
        ({"place": "user:Sync"}, False),
        ({"place": "user:other", "command": SCRIPT}, False),
        ({"command": SCRIPT.upper()}, False),
        ({"command": "normal_mode.sh"}, False),
        ({}, False),
        ({"place": "", "command": None}, False),
    ],
)
def test_confirmed(wanted, meant):
    (job,) = cron.jobs(place(f"0 0 * * * {SCRIPT}\n"))
    assert job.is_confirmed([wanted]) is meant


@pytest.mark.parametrize(
    ("text", "meant", "others"),
    [
        ("#!/bin/sh\nset -e\n# nightly\ncd /opt/IIJ_ID_Service_Directory_Sync/bin\nexec ./normal_mode.sh\n", True, []),
        (f"#!/bin/bash\n[ -x {SCRIPT} ] || exit 0\nsleep 5\n{SCRIPT} \\\n  -v\n", True, []),
        (f"#!/usr/bin/env bash\n{SCRIPT}\n/usr/local/bin/backup /x\n", True, ["/usr/local/bin/backup"]),
        (f"#!/bin/sh\ntar cf /x {SCRIPT}\n", False, ["tar"]),
        ("#!/bin/sh\nPATH=/usr/bin:/opt/IIJ_ID_Service_Directory_Sync/bin\nnormal_mode.sh\ntar cf x y\n", True, ["tar"]),
        # work of its own, though nothing of this machine is started
        (f"#!/bin/sh\n{SCRIPT}\nssh -f -N tunnel@relay\n", True, ["ssh"]),
        (f"#!/bin/sh\n{SCRIPT}\ntmux kill-session -t x\n", True, ["tmux"]),
        (f"#!/bin/sh\nnice ionice -c 3 {SCRIPT}\n", True, []),
        (f"#!/usr/bin/python3\n{SCRIPT}\n", False, []),
        ("\x7fELF", False, []),
    ],
)
def test_a_script(text, meant, others):
    (job,) = cron.jobs(place(text, "script", "/etc/cron.daily/sync", "", mode=0o755))
    assert (job.schedule, job.command, job.enabled) == ("daily", "/etc/cron.daily/sync", True)
    assert bool(cron.why(job, PATHS, {})) is meant
    assert cron.does_more(job, PATHS, {}) == others


def test_a_script_that_is_a_link():
    (job,) = cron.jobs(place("", "script", "/etc/cron.daily/sync", "", mode=0o755, link=SCRIPT))
    assert cron.why(job, PATHS, {})


@pytest.mark.parametrize(("mode", "disabled"), [(0o755, 0o644), (0o700, 0o600), (0o750, 0o640)])
def test_modes(mode, disabled):
    assert cron.changed_mode(mode, "disable") == disabled
    assert cron.changed_mode(disabled, "enable") == mode


def test_saved_files_have_names_of_their_own():
    one, other = place(CRONTAB), place(CRONTAB + b"\n")
    assert one.file_name("host") != other.file_name("host")
    assert one.file_name("host", b"key") != one.file_name("host")
    assert one.file_name("host").startswith("host-user-sync-")
