# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command of sh starts, and what it only talks about."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._linux import shell

FOLDER = "/opt/IIJ_ID_Service_Directory_Sync/bin"
SCRIPT = f"{FOLDER}/normal_mode.sh"
ENVIRONMENT = {"HOME": "/home/sync", "SYNC": SCRIPT, "SYNC_DIR": FOLDER}


@pytest.mark.parametrize(
    "command",
    [
        "{}",
        "{} >/dev/null 2>&1",
        "{}>/dev/null",
        ">/dev/null 2>&1 {}",
        "2>/tmp/log {} x",
        "'{}'",
        '"{}" -v',
        "sh {}",
        "/bin/bash -e {} a b",
        "bash -c '{} x'",
        "sh -ec 'umask 077; {}'",
        'sh -c "cd / && {}"',
        "cd {folder} && ./normal_mode.sh",
        "cd {folder}; sh normal_mode.sh",
        "(cd {folder} && ./normal_mode.sh)",
        "cd /opt && cd IIJ_ID_Service_Directory_Sync/bin && exec ./normal_mode.sh",
        "$SYNC",
        "${SYNC} --x",
        'cd "$SYNC_DIR"; ./normal_mode.sh',
        "A=1 B='2 3' {}",
        "S={}; $S",
        "env {}",
        "env -i HOME=/x LANG=C {}",
        "env -u X sh {}",
        "/usr/bin/env -S '{} x'",
        "nice -n 10 {}",
        "nice {}",
        "nice -19 {}",
        "ionice -c 3 nice {}",
        "ionice -c3 {}",
        "nohup {} &",
        "timeout 3600 {}",
        "timeout -k 5 -s KILL 1h sh {}",
        "flock -n /tmp/lock {}",
        "flock /tmp/lock -c '{} x'",
        "flock -w 10 /tmp/lock sh -c '{}'",
        "sudo -u sync {}",
        "sudo -u sync -H -- sh {}",
        "su - sync -c '{}'",
        "su sync -c {}",
        "su -c '{}' sync",
        "runuser -u sync -- {}",
        "runuser -l sync -c '{}'",
        "[ -x {} ] && {}",
        "test -x {} && {} x",
        "if [ -e /x ]; then {}; fi",
        "for i in 1 2; do {}; done",
        "sleep 5; {}",
        "sleep $((RANDOM % 60)) ; {}",
        "true || {}",
        "/bin/true && {}",
        "date | {}",
        "! {}",
        "time {}",
        "time { {}; }",
        "/usr/bin/time -p {}",
        "/usr/bin/time -f '%e s' -o /tmp/times -a sh {}",
        ". {}",
        "source {}",
        "eval '{} x'",
        "OUT=$({} 2>&1)",
        'OUT=`{}`; echo "$OUT"',
        'echo "$({})"',
        "chronic {}",
        "systemd-cat -t sync {}",
        "setsid -w {}",
        "stdbuf -oL {}",
        "perl {}",
        "/opt/x/../IIJ_ID_Service_Directory_Sync/bin/normal_mode.sh",
        "{} 'an open quote",
        "{ {}; } 2>&1 | logger",
        "sh -x {} # {folder}",
        "exec {}",
        "doas -u sync {}",
        "{}; exit 0",
        "/usr/bin/python3 {}",
        "java -Xmx1g -cp /x -jar {}",
        "cd {folder}/.. && bin/normal_mode.sh",
        "taskset 1 {}",
        # one word of several options, the last with a value
        "sudo -iu sync {}",
        "sudo -nu sync -- sh -c '{}'",
        "sudo -usync {}",
        "flock -nE 0 /tmp/lock {}",
        "env -iu X {}",
        "bash -eo pipefail -c '{}'",
        "bash -euo pipefail {}",
        # arguments of the login shell
        "su sync {}",
        "su - sync {} -v",
        "sh < {}",
        "bash -s <{} -v",
        "PATH={folder}:/usr/bin normal_mode.sh",
        "export PATH=/usr/bin:{folder}:$PATH; normal_mode.sh",
        "/{}",
        "setuidgid sync {}",
        "gosu sync sh {}",
        "logsave -a /var/log/sync {}",
        "prlimit --nofile=10 {}",
        "screen -dmS sync {}",
        "start-stop-daemon --start --chuid sync --exec {} -- -v",
        "start-stop-daemon -S --startas={}",
        "at -f {} now",
    ],
)
def test_started(command):
    found = shell.started(command.replace("{folder}", FOLDER).replace("{}", SCRIPT), "/home/sync", ENVIRONMENT)
    assert SCRIPT in {path for pair in found for path in pair}


@pytest.mark.parametrize(
    "command",
    [
        "tar czf /backup/x.tgz {folder}",
        "/usr/local/bin/backup --from {folder} --script {}",
        "echo {}",
        "ls -l {}",
        "cp {} /tmp",
        "chmod +x {}",
        "cat {} | mail x",
        "rsync -a {folder}/ x:/y",
        "sh /usr/local/bin/backup.sh {}",
        "bash -c 'tar cf /x {}'",
        "grep -q normal_mode {}",
        "test -x {}",
        "[ -f {} ]",
        "rm -f {}",
        "cd {folder}",
        "cd {folder}; /usr/bin/other",
        "date # {}",
        "A={}",
        "logger 'about to start {}'",
        "python3 -c 'print(1)' {}",
        "perl -e 1 {}",
        "/opt/other/check {} || true",
        "env A={} /usr/bin/other",
        "timeout 5 tar cf x {}",
        "sudo cat {}",
        "java -cp {} Main",
        "mail -s {} root",
        "find {folder} -type f",
        "logger < {}",
        "su sync -c 'cat {}'",
        "PATH={folder} /usr/bin/other",
        "at now",
    ],
)
def test_only_talked_about(command):
    found = shell.started(command.replace("{folder}", FOLDER).replace("{}", SCRIPT), "/home/sync", ENVIRONMENT)
    assert SCRIPT not in {path for pair in found for path in pair}


def test_a_chain_without_end():
    assert shell.started("sh -c " * 200 + "x", "/", {}) != []
    assert isinstance(shell.started("$(" * 500, "/", {}), list)
