# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part `directory`: a Samba AD DC on a loopback address, started from a cached seed."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException

from .. import company, names, part, paths, process, surroundings, tls
from . import fixture, group_policies, settings

#: Debian packages of the part, and the program or library by which each is recognised.
PACKAGES = {
    "samba-ad-dc": "/usr/sbin/samba",
    "samba-ad-provision": "/usr/share/samba/setup",
    "ldb-tools": "/usr/bin/ldbsearch",
    "krb5-user": "/usr/bin/kinit",
    "ldap-utils": "/usr/bin/ldapsearch",
    "smbclient": "/usr/bin/smbclient",
    "attr": "/usr/bin/getfattr",
    "acl": "/usr/bin/getfacl",
    "tdb-tools": "/usr/bin/tdbbackup",
    "zstd": "/usr/bin/zstd",
}
# The seed is a throw-away: without this, provisioning spends most of its time in fsync.
ENVIRONMENT = {**surroundings.clean(os.environ), "TDB_NO_FSYNC": "1"}
PORTS = (88, 389, 445, 636)
START_SECONDS = 60.0


def run(*argv: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    options = {"env": ENVIRONMENT, **options}
    result = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False, **options)
    if result.returncode:
        raise RuntimeError(f"{argv[0]} {argv[1]} ended with {result.returncode}: {(result.stderr or result.stdout).strip()[-2000:]}")
    return result


def answers(address: str, port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError):
        socket.create_connection((address, port), timeout=1).close()
        return True
    return False


def log_on_by_smb(address: str) -> None:
    """Raises RuntimeError. smbd listens a second or two before winbindd lets anybody in."""
    credentials = {"USER": f"{paths.AD_NETBIOS}\\Administrator", "PASSWD": paths.PASSWORD}
    run("smbclient", f"//{address}/sysvol", "-s", "/dev/null", "-c", "exit", env={**ENVIRONMENT, **credentials})


class DirectoryPart(part.Part):
    """Domain `paths.AD_REALM` with the accounts, groups and protections of company.yml's section `directory`."""

    name = "directory"

    def __init__(self) -> None:
        self.state = paths.part_state(self.name)
        self.domain = paths.DC_HOST.partition(".")[2]

    def why_not(self) -> str | None:
        missing = [package for package, file in PACKAGES.items() if not Path(file).exists()]
        if missing:
            return f"Debian packages are missing: apt-get install --no-install-recommends {' '.join(missing)}"
        if os.geteuid() != 0:
            return "Samba's domain controller needs root for the ports 389 and 636 and for a private /run/samba."
        return None

    # --- the seed -------------------------------------------------------------------------------

    def _steps(self) -> list[dict[str, Any]]:
        return fixture.steps(company.data()["directory"], list(company.people())) + group_policies.steps()

    def _seed_file(self) -> Path:
        """The seed's path in the cache. Its name changes with whatever the seed is made from."""
        here = Path(__file__)
        made_from = json.dumps(
            [
                self._steps(),
                [here.with_name(name).read_text() for name in ("part.py", "seed.py", "settings.py")],
                [paths.DC_ADDRESS, paths.DC_HOST, paths.AD_REALM, paths.AD_NETBIOS, paths.PASSWORD],
                run("/usr/sbin/samba", "--version").stdout,
            ]
        )
        return paths.CACHE / self.name / f"seed-{names.COMPANY}-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}.tar.zst"

    def prepare(self) -> None:
        seed = self._seed_file()
        if seed.exists():
            return
        started = time.monotonic()
        print(f"directory: making domain {self.domain} (once, some 15 s)", flush=True)
        seed.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=seed.parent) as folder:
            work = Path(folder)
            self._layout(work)
            conf = work / "smb.conf"
            dc = paths.DC_HOST.partition(".")[0]
            run(
                "samba-tool", "domain", "provision", "-s", conf, f"--realm={paths.AD_REALM}", f"--domain={paths.AD_NETBIOS}",
                "--server-role=dc", f"--host-name={dc}", f"--host-ip={paths.DC_ADDRESS}", "--dns-backend=SAMBA_INTERNAL",
                f"--adminpass={paths.PASSWORD}", "--use-rfc2307",
            )  # fmt: skip
            run("samba_spnupdate", "-s", conf)  # without it Kerberos does not know ldap/dc1
            # A cached seed outlives the default maximum password age of 42 days.
            run("samba-tool", "domain", "passwordsettings", "set", "--min-pwd-age=0", "--max-pwd-age=0", "--history-length=0", "-s", conf)
            run("/usr/bin/python3", Path(__file__).with_name("seed.py"), conf, input=json.dumps(self._steps()))
            run("samba-tool", "ntacl", "sysvolreset", "-s", conf)
            packed = work / "seed"
            # SYSVOL's NT ACLs are extended attributes.
            run("tar", "-C", work, "--xattrs", "--xattrs-include=*", "--zstd", "-S", "-cf", packed, "dc")
            for old in seed.parent.glob(f"seed-{names.COMPANY}-*.tar.zst"):
                old.unlink()
            packed.replace(seed)
        print(f"directory: domain made in {time.monotonic() - started:.0f} s", flush=True)

    @staticmethod
    def _layout(folder: Path) -> None:
        """Folders and smb.conf of a domain controller below `folder`."""
        for name in ("dc/private", "dc/state", "dc/cache", "dc/bind-dns", "lock", "run", "log"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        settings.write(folder)

    # --- running --------------------------------------------------------------------------------

    def start(self) -> None:
        if process.running(self.state, "samba"):
            return
        if not (self.state / "dc").exists():
            self.prepare()
            unpacked = self.state / "unpacked"
            shutil.rmtree(unpacked, ignore_errors=True)
            unpacked.mkdir()
            run("tar", "-C", unpacked, "--xattrs", "--xattrs-include=*", "--zstd", "-xf", self._seed_file())
            (unpacked / "dc").rename(self.state / "dc")
            unpacked.rmdir()
        self._layout(self.state)
        tls.server_certificate(self.state / "tls", [paths.DC_HOST, self.domain, paths.DC_ADDRESS])
        (self.state / "krb5.conf").write_text(settings.krb5_conf())
        process.start(
            ["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", settings.PRIVATE_RUN + 'exec "$@"', "sh",
             "samba", "--foreground", "--no-process-group", "--model=single", f"--configfile={self.state / settings.SERVER_CONF}"],
            self.state, "samba",
            {**ENVIRONMENT, "KRB5_CONFIG": f"{self.state}/krb5.conf", "TMPDIR": f"{self.state}/run", "SYSVOL": str(settings.sysvol(self.state))},
        )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                for port in PORTS:
                    socket.create_connection((paths.DC_ADDRESS, port), timeout=1).close()
                self.connect().unbind()
                log_on_by_smb(paths.DC_ADDRESS)
                return
            except (OSError, LDAPException, RuntimeError) as error:
                if not process.running(self.state, "samba"):
                    raise RuntimeError(f"samba ended at once; see {self.state}/samba.log and {self.state}/log") from error
                if time.monotonic() > end:
                    self.stop()
                    raise RuntimeError(f"samba does not answer after {START_SECONDS:.0f} s: {error}") from error
                time.sleep(0.05)

    def connect(self, user: str = paths.AD_ADMIN, password: str = paths.PASSWORD) -> ldap3.Connection:
        """A bound LDAPS connection for looking at, or preparing, the directory from outside the collection."""
        secure = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(paths.ca_file()), valid_names=[paths.DC_HOST])
        server = ldap3.Server(paths.DC_ADDRESS, port=636, use_ssl=True, tls=secure, get_info=ldap3.NONE, connect_timeout=5)
        return ldap3.Connection(server, user, password, auto_bind=True, raise_exceptions=True)

    def stop(self) -> None:
        process.stop(self.state, "samba")
        end = time.monotonic() + 10
        while time.monotonic() < end and any(answers(paths.DC_ADDRESS, port) for port in PORTS):
            time.sleep(0.02)  # smbd and winbindd end a moment after their parent

    def reset(self) -> None:
        ran = process.running(self.state, "samba")
        self.stop()
        part.remove_at_once(self.state / "dc")
        for name in ("lock", "run", "log"):
            shutil.rmtree(self.state / name, ignore_errors=True)
        if ran:
            self.start()

    def status(self) -> dict[str, object]:
        pid = process.running(self.state, "samba")
        if not pid:
            return {"running": False}
        since = datetime.datetime.fromtimestamp((self.state / "samba.pid").stat().st_mtime).astimezone()
        return {
            "running": True,
            "address": f"ldaps://{paths.DC_HOST} ({paths.DC_ADDRESS})",
            "domain": self.domain,
            "since": since.isoformat(timespec="seconds"),
            "pids": [pid],
        }

    # --- evidence -------------------------------------------------------------------------------

    def writes(self, since: float = 0.0) -> list[dict[str, Any]]:
        """Every change that a client asked for after `since` (seconds since 1970), from Samba's own audit log.

        What the server changes by itself (a counter of logons, say) has no remote address and is left out. Refused
        requests are in: a program that tried to write has not been shown to be read only.
        """
        return [change for change in self._audit() if change["time"] > since]

    def _audit(self) -> Iterator[dict[str, Any]]:
        try:
            text = (self.state / "log" / settings.AUDIT_LOG).read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        # Not line by line: Samba puts other messages between the records, some without an end of line, and a record
        # that is overlooked would look like a server to which nobody wrote.
        decoder = json.JSONDecoder()
        for found in re.finditer(r'\{"timestamp": ', text):
            record, _ = decoder.raw_decode(text, found.start())
            change = record["dsdbChange"]
            if change["remoteAddress"] is None:
                continue
            yield {
                "time": datetime.datetime.fromisoformat(record["timestamp"]).timestamp(),
                "write": True,
                "operation": change["operation"],
                "dn": change["dn"],
                "attributes": sorted(change.get("attributes", {})),
                "status": change["status"],
                "user_sid": change["userSid"],
            }
