# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samba's own group policy client: what reaches a computer of the domain, after its own rules."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .. import paths
from .part import DirectoryPart

_CHROME = "/etc/chromium/policies/managed/policies.json"
_CLIENT = """
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
rm -f /etc/resolv.conf {chrome}
echo "nameserver {address}" > /etc/resolv.conf
printf '127.0.0.1 localhost\\n{address} {host} {domain}\\n' > /etc/hosts
mkdir -p /etc/samba
cp {state}/smb.conf /etc/samba/smb.conf
export KRB5_CONFIG={state}/krb5.conf
while read word; do
  timeout 60 samba-gpupdate -s {state}/smb.conf --target=Computer -U 'Administrator%{password}' < /dev/null >&2
  cat {chrome} 2>/dev/null || echo '{{}}'
  echo; echo .
done
"""


@contextlib.contextmanager
def policy_client(log: Path | None = None) -> Iterator[Callable[[], dict[str, Any]]]:
    """With an /etc of its own. Each call applies what is new, and gives what Chrome has been told. log: where the client's own words go."""
    part = DirectoryPart()
    script = _CLIENT.format(chrome=_CHROME, address=paths.DC_ADDRESS, host=paths.DC_HOST, domain=part.domain, state=part.state, password=paths.PASSWORD)
    command = ["unshare", "--mount", "--propagation", "private", "bash", "-c", script]
    with contextlib.ExitStack() as stack:
        stderr = stack.enter_context(open(log, "a", encoding="utf-8")) if log else None
        process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True))
        asked, told = process.stdin, process.stdout
        assert asked and told

        def update() -> dict[str, Any]:
            asked.write("go\n")
            asked.flush()
            lines: list[str] = []
            while (line := told.readline()) != ".\n":
                if not line:
                    raise RuntimeError(f"samba-gpupdate's client ended with {process.wait()}")
                lines.append(line)
            found: dict[str, Any] = json.loads("".join(lines))
            return found

        yield update
        asked.close()
