# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Linux part of the lab: a machine with Directory Sync, and the OpenLDAP that it reads."""

from __future__ import annotations

from typing import Any

from .. import paths, process
from ..part import Part
from . import host, slapd
from .host import SCRIPT, TOKEN, TREE, UID, USER, Host
from .slapd import SYNC, Slapd

MACHINE = "linux01"
#: an old copy of the folder, which the uninstallation of a newer version left
COPY = "/opt/old/Directory Sync 1.0"
COMMAND = f"{SCRIPT} >/dev/null 2>&1"
LINE = f"30 3 * * * {COMMAND}"
CRONTAB = f"MAILTO=ops@reiji.example\n{LINE}\n# 0 1 * * * /usr/local/bin/backup\n"
#: of somebody else
OTHERS = "0 1 * * * /usr/local/bin/backup\n"


def install(machine: Host) -> None:
    """Put Directory Sync on it, with its copy, and its cron job among others."""
    for tree in (TREE, COPY):
        machine.write(f"{tree}/bin/normal_mode.sh", "#!/bin/sh\n", "0755")
        machine.write(f"{tree}/config/secret.yml", f"token: {TOKEN}\n", "0600")
    machine.set_crontab(USER, CRONTAB)
    machine.set_crontab("reiji", OTHERS)


class LinuxPart(Part):
    """Whatever it was, it begins as the fixture says: the machine's files live in memory."""

    name = "linux"

    def __init__(self) -> None:
        self._state = paths.part_state(self.name)

    def why_not(self) -> str | None:
        return host.why_not()

    def prepare(self) -> None:
        host.prepare()
        slapd.prepare()

    def start(self) -> None:
        runs = self._running()
        self.server()
        machine = self.machine()
        if not runs:
            install(machine)

    def stop(self) -> None:
        if process.running(self._state / "slapd", "slapd"):
            self.server().stop()
        process.stop(self._state / "host", "sshd")

    def reset(self) -> None:
        if self._running():
            self.stop()
            self.start()

    def status(self) -> dict[str, object]:
        return {"running": self._running()} | ({"machine": MACHINE, "address": f"{paths.LINUX_ADDRESS}:{self.machine().port}"} if self._running() else {})

    def _running(self) -> bool:
        return process.running(self._state / "host", "sshd") is not None and process.running(self._state / "slapd", "slapd") is not None

    # What tests and the demo use.

    def machine(self) -> Host:
        """The machine, started when it does not run."""
        return Host(self._state / "host")

    def server(self) -> Slapd:
        """The server, started when it does not run."""
        return Slapd(self._state / "slapd")

    def inventory(self) -> dict[str, dict[str, Any]]:
        """The machines of the inventory's group; none while the part does not run."""
        return {MACHINE: self.machine().variables()} if self._running() else {}

    def decisions(self) -> dict[str, Any]:
        """What the operator of 例示商事 decided about it, and where the server is. Nothing while the part does not run."""
        if not self._running():
            return {}
        return {
            "directory_sync_linux_search": ["/opt", "/run"],
            "directory_sync_cron_jobs": [{"place": f"user:{USER}", "command": COMMAND}],
            "directory_sync_linux_files": [TREE, COPY],
            "directory_sync_linux_accounts": [{"name": USER, "uid": UID}],
            "directory_sync_openldap_socket": self.server().socket,
            "directory_sync_openldap_entries": [SYNC],
            "directory_sync_openldap_access": [SYNC],
        }
