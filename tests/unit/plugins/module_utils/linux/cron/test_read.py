# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine starts by itself, by one reading."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import redaction
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import plan as cron
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import starters
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron.options import InfoOptions
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron.read import starts
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron.resource import info

SCRIPT = "/opt/IIJ_ID_Service_Directory_Sync/bin/normal_mode.sh"
SERVICE = {"name": "iij.service", "service": "iij.service", "path": "/etc/systemd/system/iij.service", "user": "", "uid": None, "home": "/root", "folder": ""}
SERVICE |= {"environment": [], "environment_files": []}
AT = {"number": 1, "path": "/var/spool/at/a0", "user": "root", "home": "/root", "script": "systemctl start iij\n"}


class Machine:
    """Answers as `on_target` does: one crontab of root, a service that is not enabled, a job of at."""

    host = "agent01"

    def __init__(self, line: str, *others: dict[str, Any], scripts: dict[str, str] | None = None) -> None:
        self.others = others
        self.scripts = scripts or {}
        self.asked: list[str] = []
        self.named_in: list[str] = []
        content = base64.b64encode(f"30 3 * * * {line}\n".encode()).decode()
        self.crontab = {"place": "user:root", "kind": "user", "user": "root", "home": "/root", "content": content, "mode": None, "link": ""}

    def ask(self, operation: str, **arguments: Any) -> Any:
        if operation == "programs_look":
            assert not set(arguments["paths"]) & set(self.asked), "asked twice"
            self.asked += arguments["paths"]
            return {
                "real": {path: path for path in arguments["paths"]},
                "scripts": {path: self.scripts[path] for path in arguments["paths"] if path in self.scripts},
            }
        units = [{**SERVICE, "commands": [SCRIPT], "runs_as": "", "enabled": False}, *self.others]
        init = {"name": "sync", "path": "/etc/init.d/sync", "enabled": False, "script": f"case $1 in start) {SCRIPT} ;; esac\n", "stop": ["x"]}
        found = {"units": units, "at_jobs": [AT], "boot_scripts": [init], "incron_tables": [], "programs": {"real": {}, "scripts": {}}}
        return {"places": [self.crontab], "orphans": [], "homes": {}, "not_looked_at": [], "named_in": self.named_in, **found}


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("systemctl start iij.service", True), ("systemctl restart iij", True), ("systemctl stop iij", False), ("true", False),
        ("service iij start", True), ("/usr/sbin/service sync restart", True), ("invoke-rc.d sync start", True), ("/etc/init.d/sync start", True),
        ("service sync status", False), ("systemctl start sync", True), ("service other start", False),
    ],
)  # fmt: skip
def test_who_has_systemd_start_a_service_starts_what_that_does(line, meant):
    found = starts(Machine(line))  # type: ignore[arg-type]
    paths = list(cron.DEFAULT_COMMAND_PATHS)
    assert [bool(cron.why(job, paths, found.real)) for job in found.jobs] == [meant]
    assert [(one.name, one.enabled) for one, _why in starters.meant(found.others, paths, found.real, [])] == [
        ("iij.service", False),
        ("at:1", True),
        ("/etc/init.d/sync", False),
    ]


def test_a_unit_whose_service_has_systemd_start_another_one_starts_what_that_does():
    """Through any number of them, also in a circle."""
    more = {**SERVICE, "runs_as": "", "enabled": True}
    timer = {**more, "name": "night.timer", "service": "night.service", "commands": ["/usr/bin/systemctl start evening"]}
    evening = {**more, "name": "evening.service", "service": "evening.service", "enabled": False, "commands": ["systemctl start iij night.timer"]}
    found = starts(Machine("systemctl start night.timer", timer, evening))  # type: ignore[arg-type]
    paths = list(cron.DEFAULT_COMMAND_PATHS)
    told = [(one.name, one.enabled) for one, _why in starters.meant(found.others, paths, found.real, [])]
    assert ("night.timer", True) in told and ("evening.service", False) in told
    assert [bool(cron.why(job, paths, found.real)) for job in found.jobs] == [True]


WRAPPER, INNER = "/usr/local/bin/nightly.sh", "/usr/local/lib/sync/inner"


@pytest.mark.parametrize(
    ("line", "scripts", "besides"),
    [
        (WRAPPER, {WRAPPER: f"#!/bin/sh\n{SCRIPT}\n"}, []),
        (f"sh {WRAPPER}", {WRAPPER: f"cd {SCRIPT.rpartition('/')[0]} && ./normal_mode.sh\n"}, []),
        (f"at now < {WRAPPER}", {WRAPPER: f"{SCRIPT}\n"}, []),
        (f". {WRAPPER}", {WRAPPER: f"{SCRIPT}\n"}, []),
        (f"sg - sync -c '{WRAPPER} -v'", {WRAPPER: f"{SCRIPT}\n"}, []),
        (WRAPPER, {WRAPPER: f"exec {INNER}\n", INNER: f"#!/bin/bash\n{SCRIPT}\n"}, []),
        (f"{WRAPPER} | mail root", {WRAPPER: f"{SCRIPT}\ntar cf /backup.tar /home\n"}, ["tar"]),
        (WRAPPER, {WRAPPER: f"{INNER}\nrsync /a /b\n", INNER: f"{SCRIPT}\nmysqldump x\n"}, ["mysqldump", "rsync"]),
        (f"{INNER}; {WRAPPER}", {WRAPPER: f"{SCRIPT}\n", INNER: "mysqldump x\n"}, []),
        (WRAPPER, {WRAPPER: "systemctl is-active -q iij || systemctl start iij\n"}, []),
        (WRAPPER, {WRAPPER: "systemctl stop web; systemctl start iij; systemctl start web\n"}, ["systemctl", "web.service"]),
        (WRAPPER, {WRAPPER: f"{WRAPPER} again\n{SCRIPT}\n"}, []),  # in a circle
        (f"IN={SCRIPT} {WRAPPER}", {WRAPPER: "$IN\n"}, []),
        (WRAPPER, {WRAPPER: "tar cf /backup.tar /home\n"}, None),
        # of another language a path is enough, and nobody knows what else it does
        (WRAPPER, {WRAPPER: f"#!/usr/bin/python3\nsubprocess.run(['{SCRIPT}'])\n"}, [f"{WRAPPER} (no script of a shell)"]),
        (f"perl {WRAPPER}", {WRAPPER: f'#!/usr/bin/perl\nsystem "{SCRIPT} -v";\n'}, [f"{WRAPPER} (no script of a shell)"]),
        (WRAPPER, {WRAPPER: f"#!/usr/bin/python3\nprint('see {INNER}')\n", INNER: f"exec {SCRIPT}\n"}, None),
        (WRAPPER, {WRAPPER: f"{INNER}\n", INNER: f"#!/usr/bin/python3\nrun('{SCRIPT}', '/usr/bin/env')\n"}, [f"{INNER} (no script of a shell)"]),
        # a program that is a script itself is told by its name
        (WRAPPER, {WRAPPER: f"{SCRIPT}\n/usr/bin/ldd x\n", "/usr/bin/ldd": "#!/bin/bash\ngetopt x\n"}, ["/usr/bin/ldd"]),
        (WRAPPER, {WRAPPER: f"#!/usr/bin/python3\ncopy('/srv{SCRIPT}.bak', 'x{SCRIPT}')\n"}, None),
        (f"tar cf {WRAPPER}", {WRAPPER: f"{SCRIPT}\n"}, None),
    ],
)
def test_scripts_that_start_the_agent(line, scripts, besides):
    found = starts(Machine(line, scripts=scripts))  # type: ignore[arg-type]
    paths = list(cron.DEFAULT_COMMAND_PATHS)
    (job,) = found.jobs
    assert bool(cron.why(job, paths, found.real)) is (besides is not None)
    assert cron.does_more(job, paths, found.real, found.behind) == (besides or [])
    # a script that is named is all the agent's
    assert cron.does_more(job, [*paths, WRAPPER], found.real, found.behind) == []


@pytest.mark.parametrize(
    "text",
    [
        'cd "$(dirname "$0")" && ./normal_mode.sh',
        "cd `dirname $0`; ./normal_mode.sh",
        '"${0%/*}"/normal_mode.sh',
        'HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" >/dev/null 2>&1 && pwd)\n"$HERE/normal_mode.sh"',
        'HOME=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd -P)\n$HOME/bin/normal_mode.sh',
        'cd $(dirname $(realpath $0)) || exit 1\nexec ./normal_mode.sh "$@"',
    ],
)
def test_a_script_beside_the_agent(text):
    mine = SCRIPT.replace("normal_mode", "run")
    found = starts(Machine(mine, scripts={mine: f"#!/bin/sh\n{text}\n"}))  # type: ignore[arg-type]
    assert cron.why(found.jobs[0], list(cron.DEFAULT_COMMAND_PATHS), found.real)


@pytest.mark.parametrize(
    ("text", "besides"),
    [
        ("#!/bin/sh\nsystemctl start iij.service\n", []),
        ("#!/bin/sh\n[ -d /run/systemd/system ] || exit 0\n/bin/systemctl --no-block restart iij >/dev/null\n", []),
        ("#!/bin/sh\nservice sync start\n", []),
        ("#!/bin/sh\nsystemctl start iij\nsystemctl restart postfix\n", ["postfix.service"]),
        ("#!/bin/sh\nsystemctl start iij\nsystemctl reboot\n", ["systemctl"]),
    ],
)
def test_a_script_of_cron_that_has_systemd_start_the_agent(text, besides):
    machine = Machine("true")
    content = base64.b64encode(text.encode()).decode()
    machine.crontab |= {"place": "/etc/cron.daily/iij", "kind": "script", "user": "", "content": content, "mode": 0o755}
    found = starts(machine)  # type: ignore[arg-type]
    paths = list(cron.DEFAULT_COMMAND_PATHS)
    assert cron.why(found.jobs[0], paths, found.real)
    assert cron.does_more(found.jobs[0], paths, found.real, found.behind) == besides


FOLDER, CONFIG = "/opt/IIJ_ID_Service_Directory_Sync", "/etc/sysconfig/sync"
VARIABLES, USED = f"# of the agent\nBASE='{FOLDER}'\nMODE=normal\n", '"$BASE/bin/${MODE}_mode.sh"'


@pytest.mark.parametrize(
    ("line", "scripts"),
    [
        # variables that come out of a file which is read
        (WRAPPER, {WRAPPER: f"#!/bin/sh\n. {CONFIG}\n{USED}\n", CONFIG: VARIABLES}),
        (WRAPPER, {WRAPPER: f"#!/bin/sh\n[ -r {CONFIG} ] && . {CONFIG}\n{USED}\n", CONFIG: VARIABLES}),
        (WRAPPER, {WRAPPER: f"if [ -f {CONFIG} ]; then\n  source {CONFIG}\nfi\ncd $BASE/bin && ./normal_mode.sh\n", CONFIG: VARIABLES}),
        (WRAPPER, {WRAPPER: f"for f in /etc/x {CONFIG}; do\n  test -r $f && . $f\ndone\n{USED}\n", CONFIG: VARIABLES}),
        (WRAPPER, {WRAPPER: f"cd /etc/sysconfig\n. ./sync\n{USED}\n", CONFIG: VARIABLES}),
        (WRAPPER, {WRAPPER: f'. "$(dirname "$0")/env.sh"\n{USED}\n', "/usr/local/bin/env.sh": VARIABLES}),
        (WRAPPER, {WRAPPER: f'HERE=$(cd $(dirname "${{BASH_SOURCE[0]}}") && pwd)\n. $HERE/env.sh\n{USED}\n', "/usr/local/bin/env.sh": VARIABLES}),
        (WRAPPER, {WRAPPER: f"set -a; . {CONFIG}; set +a\nexec {INNER}\n", CONFIG: VARIABLES, INNER: f"#!/bin/sh\n{USED}\n"}),
        (WRAPPER, {WRAPPER: f". {CONFIG}\n{USED}\n", CONFIG: ". /etc/base\nMODE=normal\n", "/etc/base": f"BASE={FOLDER}\n"}),
        (WRAPPER, {WRAPPER: f"eval $(cat {CONFIG})\n{USED}\n", CONFIG: VARIABLES}),
        (WRAPPER, {WRAPPER: f"load() {{\n  . {CONFIG}\n}}\nmain() {{\n  load\n  {USED}\n}}\nmain\n", CONFIG: VARIABLES}),
        (f". {CONFIG}; {USED}", {CONFIG: VARIABLES}),
        (f"bash -c '. {CONFIG} && {USED}'", {CONFIG: VARIABLES}),
        # what a script is given
        (f"{WRAPPER} {SCRIPT}", {WRAPPER: 'date\nexec "$@"\n'}),
        (f"{WRAPPER} 30 {SCRIPT} -v", {WRAPPER: 'T=$1\nshift\ntimeout $T "$@" || mail root\n'}),
        (f"{WRAPPER} '{SCRIPT} -v'", {WRAPPER: 'sh -c "$1"\n'}),
        (f"{WRAPPER} normal", {WRAPPER: f"{FOLDER}/bin/${{1}}_mode.sh\n"}),
        (WRAPPER, {WRAPPER: f'run() {{ "$BASE/bin/$1"; }}\nBASE={FOLDER}\nrun normal_mode.sh\n'}),
        # loops, shortened variables, texts over several lines
        (WRAPPER, {WRAPPER: f"for s in {{normal,recovery}}_mode; do\n  {FOLDER}/bin/$s.sh\ndone\n"}),
        (WRAPPER, {WRAPPER: f": ${{BASE:={FOLDER}/}}\n${{BASE%/}}/bin/normal_mode.sh\n"}),
        (WRAPPER, {WRAPPER: f'su - sync -c "cd {FOLDER}/bin &&\n  ./normal_mode.sh"\n'}),
        (WRAPPER, {WRAPPER: f"# don't\nB={FOLDER}/bin\n\"$B\"/normal_mode.sh # it's the nightly one\n"}),
    ],
)
def test_what_a_script_is_told_by_files_and_arguments(line, scripts):
    found = starts(Machine(line, scripts=scripts))  # type: ignore[arg-type]
    (job,), paths = found.jobs, list(cron.DEFAULT_COMMAND_PATHS)
    assert [reason for reason in cron.why(job, paths, found.real) if "not all is known" not in reason]
    # neither a file of variables nor what stands around the command is work of others
    assert not {"main", "load", "run", f". {CONFIG}"} & set(cron.does_more(job, paths, found.real, found.behind))


def test_a_script_that_serves_many_jobs_is_the_agents_in_its_job_alone():
    """Otherwise each of them would be a candidate."""
    machine = Machine(f"{WRAPPER} {SCRIPT}", scripts={WRAPPER: 'logger "$1"\n"$@"\nmail root\n'})
    content = base64.b64decode(machine.crontab["content"]) + f"1 1 * * * {WRAPPER} /usr/bin/backup\n2 1 * * * {WRAPPER}\n".encode()
    machine.crontab["content"] = base64.b64encode(content).decode()
    found = starts(machine)  # type: ignore[arg-type]
    paths = list(cron.DEFAULT_COMMAND_PATHS)
    assert [bool(cron.why(job, paths, found.real)) for job in found.jobs] == [True, False, False]
    # the line is the agent's, whatever the script does around it
    assert cron.does_more(found.jobs[0], paths, found.real, found.behind) == []


@pytest.mark.parametrize(
    ("line", "scripts", "told"),
    [
        ("$IIJ_HOME/bin/normal_mode.sh", {}, True),
        ("cd $WHERE && ./normal_mode.sh", {}, True),
        ('"$WHERE"/bin/$MODE"_mode.sh"', {}, True),
        (f"{FOLDER}/bin/$NAME", {}, True),
        ("$IIJ_SYNC", {}, True),
        (WRAPPER, {WRAPPER: ". /etc/gone\n$WHERE/bin/recovery_mode.sh\n"}, True),
        (WRAPPER, {WRAPPER: "#!/usr/bin/python3\nimport os\nos.system(HOME + '/bin/normal_mode.sh')\n"}, True),
        (WRAPPER, {WRAPPER: "#!/usr/bin/perl\nsystem(qq{$home/bin/normal_mode.sh});\n"}, True),
        (f"/usr/bin/cronwrap -t 5 {SCRIPT}", {}, True),
        (f"docker exec x sh -c '{SCRIPT} -v'", {}, True),
        (f"perl -e 'alarm shift; exec @ARGV' 60 {SCRIPT}", {}, True),
        (f"{WRAPPER} -t 5 {SCRIPT}", {WRAPPER: 'while [ $# -gt 1 ]; do shift; done\n"$@"\n'}, True),
        # of nobody's, or of thousands
        ("$PYTHON $SCRIPT", {}, False),
        ('"$@"', {}, False),
        ("$BASE/bin/backup.sh /data", {}, False),
        (f"tar cf /x {SCRIPT}", {}, False),
        (f"sudo rsync -a {FOLDER}/bin/normal_mode.sh b:", {}, False),
        (f"/usr/local/bin/backup-all --script {SCRIPT}", {}, False),
        (f"/usr/bin/other {FOLDER}", {}, False),
        (WRAPPER, {WRAPPER: "#!/usr/bin/python3\nimport os\nos.system('x')\nopen('/etc/backup.conf')\n"}, False),
    ],
)
def test_what_cannot_be_resolved_is_told_where_it_may_be_the_agent(line, scripts, told):
    found = starts(Machine(line, scripts=scripts))  # type: ignore[arg-type]
    assert bool(cron.why(found.jobs[0], list(cron.DEFAULT_COMMAND_PATHS), found.real)) is told


@pytest.mark.parametrize(
    "script",
    [
        "A=x\n" + "A=$A$A\n" * 200 + "$A\n",
        "set -- a a\n" + "set -- $@ $@\n" * 200,
        "".join(f"{INNER} {number}\n" for number in range(3000)),
        "f() { g; g; g; g; g; g; g; }\ng() { h; h; h; h; h; h; h; }\nh() { f; f; f; f; k; }\n" + "f\n" * 2000,
        "for a in 1 2 3 4 5 6 7 8 9; do for b in 1 2 3 4 5 6 7 8 9; do for c in 1 2 3 4 5 6 7 8 9; do x; done; done; done\n" * 400,
        "while x\n" * 9000,
        "for a in " * 11_000,
    ],
)
def test_a_hostile_script_takes_no_time(script):
    begun = time.process_time()
    starts(Machine(WRAPPER, scripts={WRAPPER: script, INNER: f"{WRAPPER} $1\n" * 3000}))  # type: ignore[arg-type]
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    "line",
    [
        f"ls {SCRIPT} | xargs sh -c", f"cd {FOLDER} && ls | xargs -I@ sh @", "find /opt -name normal_mode.sh -print0 | xargs -0 sh",
        f"echo {SCRIPT} > /tmp/x; sh /tmp/x", f"cp {SCRIPT} /tmp/x.sh; /tmp/x.sh", f"cp {SCRIPT} /tmp/; sh /tmp/x*.sh", f"ln -sf {SCRIPT} /tmp/x; /tmp/x",
        f"cat {SCRIPT} | sed s/a/b/ | sh", f"grep -v '^#' {SCRIPT} | bash", f"ls {SCRIPT} | while read f; do sh $f; done", f"test -f {SCRIPT} && sh $_",
        f"sudo -u sync sh < {SCRIPT}", f"ssh localhost < {SCRIPT}", f"echo {SCRIPT} | su - sync", f"(echo {SCRIPT}) | sh", f"sed -n '1e {SCRIPT}' /etc/hosts",
        f"gawk 'BEGIN {{ system(\"cd {FOLDER} && ./normal_mode.sh\") }}'", f"tar -x --to-command={SCRIPT} -f x.tar",
    ],
)  # fmt: skip
@pytest.mark.parametrize("in_script", [False, True])
def test_what_names_the_agent_and_is_not_understood_is_told(line, in_script):
    """It must never read as if nothing started it."""
    command, scripts = WRAPPER if in_script else line, {WRAPPER: f"#!/bin/sh\n{line}\n"}

    def found(*excepted):
        return info(Machine(command, scripts=scripts), InfoOptions(cron.DEFAULT_COMMAND_PATHS, excepted))  # type: ignore[arg-type]

    assert (found()["jobs"], found()["named_by"]) == ([], [f"user:root: 30 3 * * * {redaction.command_line(command)}"])
    assert found(command)["named_by"] == []


def test_whatever_else_names_the_agent_is_told():
    """A supervisor's configuration, and a unit whose command is not understood; not what starts nothing, nor what names others."""
    unit = {**SERVICE, "name": "x.service", "path": "/etc/systemd/system/x.service", "commands": [f"/bin/tar cf - {FOLDER}"], "runs_as": "", "enabled": True}
    others = (unit, {**unit, "name": "y.service", "enabled": False}, {**unit, "name": "z.service", "commands": ["z"]})

    def found(paths, *excepted):
        machine = Machine("tar cf /backup/home.tar /home", *others)
        machine.named_in = ["/etc/supervisor/conf.d/iij.conf"]
        return info(machine, InfoOptions(paths, excepted))["named_by"]  # type: ignore[arg-type]

    told = ["x.service", "/etc/supervisor/conf.d/iij.conf"]
    for excepted, left in (([], told), ([unit["path"]], told[1:]), ([told[1]], told[:1])):
        assert found(cron.DEFAULT_COMMAND_PATHS, *excepted) == left
    assert found([]) == []


@pytest.mark.parametrize(
    ("command_path", "names"),
    [
        (cron.DEFAULT_COMMAND_PATHS[0], ["IIJ_ID_Service_Directory_Sync"]),
        ("/opt/sync/bin/run.sh", ["/opt/sync/bin/run.sh"]), ("/opt/sync/bin/", ["/opt/sync"]),
        ("/opt/sync/*/run", ["/opt/sync"]), ("*/sync.sh", ["sync.sh"]),
    ],
)  # fmt: skip
def test_by_which_text_something_names_what_a_command_path_means(command_path, names):
    assert cron.folder_names([command_path]) == names
