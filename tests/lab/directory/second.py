# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second domain controller, joined to the running directory for whoever needs two. The lab has no KCC, so a test says when something replicates."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

from .. import paths, process, tls
from ..part import Part
from . import settings
from .part import ENVIRONMENT, START_SECONDS, DirectoryPart, answers, log_on_by_smb, run

_PORTS = (389, 445, 636)
#: Samba looks for its partners by name, and for the domain by the first controller's DNS; nobody else on this machine shall.
_PRIVATE = f"""{settings.PRIVATE_RUN}
mount --bind "$NAMES/hosts" /etc/hosts && mount --bind "$NAMES/resolv.conf" /etc/resolv.conf
exec "$@"
"""


class SecondController:
    """`paths.SECOND_DC_HOST`, from `start` to `stop`. Its SYSVOL is empty, as that of a Windows server whose DFS replication has not begun."""

    def __init__(self, folder: Path) -> None:
        self._state = folder
        self._environment = {
            **ENVIRONMENT, "KRB5_CONFIG": f"{folder}/krb5.conf", "TMPDIR": f"{folder}/run", "NAMES": str(folder), "KRB5CCNAME": f"FILE:{folder}/run/ticket",
            "SYSVOL": str(settings.sysvol(folder)),
        }  # fmt: skip

    def start(self) -> None:
        """Join the domain, which takes some ten seconds, and serve it."""
        for name in ("dc/private", "dc/state", "dc/cache", "dc/bind-dns", "lock", "run", "log"):
            (self._state / name).mkdir(parents=True)
        settings.write(self._state, paths.SECOND_DC_HOST, paths.SECOND_DC_ADDRESS)
        (self._state / "krb5.conf").write_text(settings.krb5_conf())
        names = [f"{address} {host} {host.partition('.')[0]}" for host, address in self.addresses().items()]
        (self._state / "hosts").write_text("\n".join(["127.0.0.1 localhost", *names, ""]))
        (self._state / "resolv.conf").write_text(f"nameserver {paths.DC_ADDRESS}\n")
        tls.server_certificate(self._state / "tls", [paths.SECOND_DC_HOST, paths.SECOND_DC_ADDRESS])
        _, _, domain = paths.DC_HOST.partition(".")
        self._tool("domain", "join", domain, "DC", f"--server={paths.DC_HOST}", "--dns-backend=SAMBA_INTERNAL")
        self._take_ids()
        process.start(
            [*self._inside(), "samba", "--foreground", "--no-process-group", "--model=single", f"--configfile={self._state / settings.SERVER_CONF}"],
            self._state, "samba", self._environment,
        )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if not process.running(self._state, "samba") or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"the second domain controller does not answer; see {self._state}/samba.log")
            time.sleep(0.05)

    def _take_ids(self) -> None:
        """The first controller's numbers for users and groups, without which nobody else may read what is copied from its SYSVOL
        (wiki.samba.org, "Joining a Samba DC to an Existing Active Directory": Built-in User & Group ID Mappings)."""
        run("tdbbackup", "-s", ".copy", (ids := DirectoryPart().state / "dc" / "private" / "idmap.ldb"))
        ids.with_name("idmap.ldb.copy").replace(self._state / "dc" / "private" / "idmap.ldb")

    @staticmethod
    def _answers() -> bool:
        if not all(answers(paths.SECOND_DC_ADDRESS, port) for port in _PORTS):
            return False
        with contextlib.suppress(RuntimeError):
            log_on_by_smb(paths.SECOND_DC_ADDRESS)
            return True
        return False

    def replicate(self) -> None:
        """Bring what the first controller has. The first one takes nothing from this one; `connect` is for that."""
        self._tool("drs", "replicate", paths.SECOND_DC_HOST, paths.DC_HOST, paths.AD_BASE)

    def connect(self, first: DirectoryPart) -> None:
        """Let the first controller know that it replicates from this one, as the KCC does within minutes."""
        run("samba_kcc", "-s", first.state / "smb.conf")

    def take_sysvol(self, first: DirectoryPart) -> None:
        """SYSVOL as the first controller has it."""
        run("cp", "--archive", settings.sysvol(first.state), settings.sysvol(self._state).parent)

    def stop(self) -> None:
        process.stop(self._state, "samba")
        end = time.monotonic() + 10
        while time.monotonic() < end and any(answers(paths.SECOND_DC_ADDRESS, port) for port in _PORTS):
            time.sleep(0.02)

    @staticmethod
    def addresses() -> dict[str, str]:
        """Name of each domain controller → its address."""
        return {paths.DC_HOST: paths.DC_ADDRESS, paths.SECOND_DC_HOST: paths.SECOND_DC_ADDRESS}

    @staticmethod
    def _inside() -> list[str]:
        return ["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", _PRIVATE, "sh"]

    def _tool(self, *words: str) -> None:
        who = f"-U{paths.AD_NETBIOS}\\Administrator%{paths.PASSWORD}"
        run(*self._inside(), "samba-tool", *words, "-s", self._state / "smb.conf", who, env=self._environment)


class SecondControllerPart(Part):
    """Joined anew at each start, and well: the other knows it, and it has that one's SYSVOL. After a reset of the part `directory`, reset this one too."""

    name = "second_controller"

    def __init__(self) -> None:
        self._state = paths.part_state(self.name) / "dc2"
        self._first = DirectoryPart()
        self._controller = SecondController(self._state)

    def why_not(self) -> str | None:
        return self._first.why_not()

    def prepare(self) -> None:
        self._first.prepare()

    def start(self) -> None:
        if process.running(self._state, "samba"):
            return
        if not self._first.status()["running"]:
            raise RuntimeError("it joins the part directory, which does not run")
        shutil.rmtree(self._state, ignore_errors=True)
        self._controller.start()
        self._controller.connect(self._first)
        self._controller.take_sysvol(self._first)
        self._controller.replicate()

    def stop(self) -> None:
        self._controller.stop()

    def reset(self) -> None:
        ran = process.running(self._state, "samba")
        self.stop()
        if ran:
            self.start()

    def status(self) -> dict[str, object]:
        pid = process.running(self._state, "samba")
        return {"running": True, "address": f"ldaps://{paths.SECOND_DC_HOST} ({paths.SECOND_DC_ADDRESS})", "pids": [pid]} if pid else {"running": False}

    def hosts(self) -> Path:
        """A file as /etc/hosts that names both: who looks at one is told the other's name."""
        return self._state / "hosts"
