# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenLDAP for tests: Debian's slapd, unpacked and not installed, in a folder, on its own socket and on no port."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .. import names, paths, process, surroundings

PACKAGES = ("slapd", "libltdl7", "libwrap0", "libodbc2", "libargon2-1")
SUFFIX = names.called("dc=reiji,dc=example")
SYNC = f"cn=iij-dirsync,ou=services,{SUFFIX}"
MAIL = f"cn=mail,ou=services,{SUFFIX}"
DATABASE = "olcDatabase={1}mdb,cn=config"
#: the agent's clauses among others; the last rule would open what the third closes
RULES = (
    "{0}to attrs=userPassword by self write by anonymous auth by * none",
    f'{{1}}to dn.subtree="ou=people,{SUFFIX}" by dn.exact="{SYNC}" read by dn.exact="{MAIL}" read '
    f'by group.exact="cn=readers,ou=groups,{SUFFIX}" read by * none',
    f'{{2}}to dn.subtree="ou=groups,{SUFFIX}" by dn.exact="{SYNC}" read',
    f'{{3}}to dn.subtree="ou=services,{SUFFIX}" by dn.exact="{SYNC}" none by users read',
    "{4}to * by users read by * none",
)
_ROOT = paths.CACHE / "linux" / "slapd"
_PEER = "dn.exact=gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"


def prepare() -> None:
    """Fetch and unpack the packages, once."""
    if _ROOT.exists():
        return
    _ROOT.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_ROOT.parent) as folder:
        environment = surroundings.download(os.environ)
        subprocess.run(["apt-get", "--quiet", "download", *PACKAGES], cwd=folder, env=environment, check=True, capture_output=True)
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, Path(folder, "root")], check=True)
        Path(folder, "root").rename(_ROOT)


class Slapd:
    """One server that runs until `stop`, whoever made it: what lives in the folder is taken, else it is made anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {**surroundings.clean(os.environ), "LD_LIBRARY_PATH": f"{_ROOT}/usr/lib/x86_64-linux-gnu"}
        if not process.running(folder, "slapd"):
            self._start()
        self.socket = (folder / "socket").read_text()
        end = time.monotonic() + 20
        while not self._answers():
            if not process.running(folder, "slapd") or time.monotonic() > end:
                raise RuntimeError(f"slapd does not start: {(folder / 'slapd.log').read_text()[-1500:]}")
            time.sleep(0.02)

    def _start(self) -> None:
        folder = self.folder
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("config", "data"):
            (folder / name).mkdir(parents=True)
        (folder / "config.ldif").write_text(self._config())
        (folder / "data.ldif").write_text(_DATA)
        self.run("slapadd", "-n0", "-l", str(folder / "config.ldif"))
        self.run("slapadd", "-n1", "-l", str(folder / "data.ldif"))
        address = f"{tempfile.mkdtemp(prefix='slapd-')}/ldapi"  # a socket's path has to be short
        (folder / "socket").write_text(address)
        command = [str(_ROOT / "usr/sbin/slapd"), "-d", "stats", "-F", str(folder / "config"), "-h", f"ldapi://{address.replace('/', '%2F')}"]
        process.start(command, folder, "slapd", self._environment)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as trial:
            return trial.connect_ex(self.socket) == 0

    def run(self, program: str, *argv: str) -> str:
        """One of slapd's own tools on the server's configuration; what it prints."""
        command = [str(_ROOT / "usr/sbin" / program), "-F", str(self.folder / "config"), *argv]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self._environment, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def may_read(self, who: str, entry: str) -> bool:
        """What the server itself makes of its rules (slapacl)."""
        return "ALLOWED" in self.run("slapacl", "-D", who, "-b", entry, "cn/read")

    def writes(self) -> list[str]:
        """Requests that write, by the server's own log."""
        return re.findall(r" (?:MOD|ADD|DEL|MODRDN) dn=.*", (self.folder / "slapd.log").read_text(errors="replace"))

    def stop(self) -> None:
        process.stop(self.folder, "slapd")
        shutil.rmtree(Path(self.socket).parent, ignore_errors=True)

    def _config(self) -> str:
        rules = "\n".join(f"olcAccess: {rule}" for rule in RULES)
        schema = "\n".join(f"include: file://{_ROOT}/etc/ldap/schema/{name}.ldif" for name in ("core", "cosine", "nis", "inetorgperson"))
        return (
            f"dn: cn=config\nobjectClass: olcGlobal\ncn: config\n\n"
            f"dn: cn=module,cn=config\nobjectClass: olcModuleList\ncn: module\nolcModulePath: {_ROOT}/usr/lib/ldap\nolcModuleLoad: back_mdb\n\n"
            f"dn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n\n{schema}\n\n"
            f"dn: olcDatabase={{-1}}frontend,cn=config\nobjectClass: olcDatabaseConfig\nolcDatabase: {{-1}}frontend\n"
            f"olcAccess: {{0}}to * by {_PEER} manage by * break\n\n"
            f"dn: olcDatabase={{0}}config,cn=config\nobjectClass: olcDatabaseConfig\nolcDatabase: {{0}}config\n"
            f"olcAccess: {{0}}to * by {_PEER} manage by * none\n\n"
            f"dn: {DATABASE}\nobjectClass: olcDatabaseConfig\nobjectClass: olcMdbConfig\nolcDatabase: {{1}}mdb\nolcSuffix: {SUFFIX}\n"
            f"olcDbDirectory: {self.folder}/data\nolcRootDN: {_PEER.removeprefix('dn.exact=')}\n{rules}\n"
        )


_DATA = f"""dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: {names.called("Reiji")}
dc: {names.called("reiji")}

dn: ou=people,{SUFFIX}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{SUFFIX}
objectClass: organizationalUnit
ou: groups

dn: ou=services,{SUFFIX}
objectClass: organizationalUnit
ou: services

dn: {SYNC}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: iij-dirsync
userPassword: Hush-Ldap-31

dn: {MAIL}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: mail
userPassword: Hush-Ldap-32

dn: uid=taro,ou=people,{SUFFIX}
objectClass: inetOrgPerson
uid: taro
cn: Taro
sn: Reiji

dn: cn=all,ou=groups,{SUFFIX}
objectClass: groupOfNames
cn: all
member: uid=taro,ou=people,{SUFFIX}
"""
