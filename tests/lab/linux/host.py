# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Linux machine for tests: this one's programs, with an /etc, an /opt, a /run and cron's spool of its own. Nothing of the real ones is touched.

crontab and sshd are Debian's, unpacked and not installed. sshd listens on loopback, and lets root in by a key that is made for this machine.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .. import paths, process, surroundings

#: unpacked, with the libraries that nothing else here needs
PACKAGES = ("cron", "openssh-server", "libwrap0")
USER = "iijsync"
#: its number in the lab
UID = 6102
TREE = "/opt/IIJ_ID_Service_Directory_Sync"
SCRIPT = f"{TREE}/bin/normal_mode.sh"
TOKEN = "lab-iij-linux-token"
_ROOT = paths.CACHE / "linux" / "root"
_START_SECONDS = 20.0
#: What is written there is this machine's alone: another lab's, and the real one, know nothing of it. An overlay wants its upper folder on another kind of
#: file system than its own.
_MOUNTS = """
set -e
mount -t tmpfs tmpfs "$WORK/over"
for folder in etc usr/local; do
  mkdir -p "$WORK/over/$folder" "$WORK/over/work/$folder"
  mount -t overlay overlay -o lowerdir="/$folder",upperdir="$WORK/over/$folder",workdir="$WORK/over/work/$folder" "/$folder"
done
for folder in /opt /run /var/spool /var/mail; do mkdir -p "$folder"; mount -t tmpfs tmpfs "$folder"; done
mkdir -p /run/sshd /var/spool/cron/crontabs
rm -rf /etc/cron.d/* /etc/cron.hourly /etc/cron.daily/* /etc/cron.weekly /etc/cron.monthly /etc/crontab
mkdir /etc/cron.hourly /etc/cron.weekly
rm -f /etc/.pwd.lock /etc/passwd.lock /etc/shadow.lock /etc/group.lock /etc/gshadow.lock
printf '%s\n' sshd:x:6101:6101::/run/sshd:/usr/sbin/nologin iijsync:x:6102:6102::/opt/home/iijsync:/bin/sh >> /etc/passwd
printf '%s\n' reiji:x:6103:6103::/opt/home/reiji:/bin/sh >> /etc/passwd
printf '%s\n' iijsync:x:6102: reiji:x:6103: >> /etc/group
printf '%s\n' 'iijsync:*:19000:0:99999:7:::' 'reiji:*:19000:0:99999:7:::' >> /etc/shadow
mkdir -p /opt/home/iijsync /opt/home/reiji; chown 6102:6102 /opt/home/iijsync; chown 6103:6103 /opt/home/reiji
exec "$ROOT/usr/sbin/sshd" -D -e -f "$WORK/sshd_config"
"""


def why_not() -> str | None:
    """One sentence why this machine cannot have one, or None."""
    if os.geteuid() != 0:
        return "a Linux machine of its own takes root (mount namespace)"
    missing = [name for name in ("unshare", "nsenter", "ssh", "ssh-keygen", "apt-get", "dpkg-deb") if not shutil.which(name)]
    return f"programs are missing: {' '.join(missing)}" if missing else None


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


class Host:
    """One machine that runs until `stop`, whoever made it: what lives in the folder is taken, else it is started. Nothing of it outlives a stop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key, self.known_hosts = folder / "client", folder / "known_hosts"
        self.path = f"{_ROOT}/usr/bin:{_ROOT}/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        self._pid = process.running(folder, "sshd") or self._start()
        self.port = int(re.findall(r"(?m)^Port (\d+)", (folder / "sshd_config").read_text())[0])
        self._wait()

    def _start(self) -> int:
        folder = self.folder
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "over").mkdir(parents=True)
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        with socket.socket() as free:
            free.bind((paths.LINUX_ADDRESS, 0))
            port = free.getsockname()[1]
        self.known_hosts.write_text(f"[{paths.LINUX_ADDRESS}]:{port} {(folder / 'host.pub').read_text()}")
        (folder / "sshd_config").write_text(
            f"ListenAddress {paths.LINUX_ADDRESS}\nPort {port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/client.pub\nPasswordAuthentication no\n"
            f"PermitRootLogin prohibit-password\nStrictModes no\nUsePAM no\nPidFile none\nSubsystem sftp internal-sftp\nSetEnv PATH={self.path}\n"
        )
        environment = {**surroundings.clean(os.environ), "WORK": str(folder), "ROOT": str(_ROOT), "LD_LIBRARY_PATH": f"{_ROOT}/usr/lib/x86_64-linux-gnu"}
        return process.start(["unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNTS], folder, "sshd", environment)

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and process.running(self.folder, "sshd"):
            with socket.socket() as trial:
                if trial.connect_ex((paths.LINUX_ADDRESS, self.port)) == 0:
                    return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the Linux machine does not start: {(self.folder / 'sshd.log').read_text()[-1500:]}")

    def stop(self) -> None:
        process.stop(self.folder, "sshd")

    def command(self, *argv: str) -> list[str]:
        """The words that run a program on the machine."""
        return ["nsenter", "--mount", f"--target={self._pid}", "env", f"PATH={self.path}", *argv]

    def run(self, *argv: str, data: bytes = b"", fails: bool = False) -> bytes:
        """What a program prints there."""
        done = subprocess.run(self.command(*argv), input=data, capture_output=True, check=False, cwd="/", timeout=60)
        assert (done.returncode != 0) == fails, done.stderr.decode()
        return done.stdout

    def write(self, path: str, content: bytes | str, mode: str = "0644") -> None:
        data = content.encode() if isinstance(content, str) else content
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"', "sh", path, mode, data=data)

    def read(self, path: str) -> bytes:
        return self.run("cat", path)

    def set_crontab(self, user: str, content: bytes | str) -> None:
        self.run("crontab", "-u", user, "-", data=content.encode() if isinstance(content, str) else content)

    def crontab(self, user: str) -> bytes:
        return self.run("crontab", "-l", "-u", user)

    def fingerprint(self) -> bytes:
        """Every file that a test may touch, with its mode, owner, time and content: equal where nothing was written."""
        folders = "/etc/cron* /etc/systemd /etc/passwd /etc/group /var/spool/cron /opt"
        return self.run("sh", "-c", f"find {folders} -printf '%p %y %m %u %g %T@ %l\\n' | sort; find {folders} -type f -exec sha256sum {{}} + | sort")

    def variables(self) -> dict[str, object]:
        """Variables of the inventory with which Ansible reaches it."""
        return {
            "ansible_host": paths.LINUX_ADDRESS, "ansible_port": self.port, "ansible_user": "root", "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.known_hosts} -o ControlMaster=no", "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_remote_tmp": "/run/ansible",
        }  # fmt: skip
