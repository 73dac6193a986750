# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian 13 tree that holds Wine 10, and the way into it.

Debian 12's Wine 8 will not do: its `sc`, `tasklist`, `findstr` and `whoami` are stubs that always answer alike.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import paths, surroundings

#: Debian packages that must be on the host, and the program by which each is recognised
PACKAGES = {
    "debootstrap": "debootstrap",
    "gcc-mingw-w64-x86-64-win32": "x86_64-w64-mingw32-gcc-win32",
    "wixl": "wixl",
    "msitools": "msibuild",
    "nsis": "makensis",
    "npm": "npm",
}

CACHE = paths.CACHE / "windows"
TREE = CACHE / "trixie"
LOG = CACHE / "prepare.log"
#: where the cache and the lab's state appear inside the tree, that is on each machine's drive Z:
INSIDE_CACHE, INSIDE_STATE = "/cache", "/state"

_INNO = CACHE / "innosetup"
INNO_VERSION = "6.4.1"

# The namespaces make two promises: nothing stays mounted, and when the first process dies the kernel ends every Wine process.
_ENTER = """
set -e
mount -t proc proc "$0/proc"
mount --bind "$1" "$0$2"
mount --bind "$3" "$0$4"
shift 4
exec "$@"
"""


def missing_packages() -> list[str]:
    """The Debian packages of `PACKAGES` whose program is not on this machine."""
    return [package for package, program in PACKAGES.items() if shutil.which(program) is None]


def namespaces_refused() -> bool:
    """Whether this process may not make mount and pid namespaces (needs root)."""
    probe = ["unshare", "-m", "-p", "-f", "--propagation", "private", "true"]
    return shutil.which("unshare") is None or subprocess.run(probe, capture_output=True, check=False).returncode != 0


def inside(path: Path) -> str:
    """`path`, which lies in the cache or the state folder, as processes in the tree see it."""
    for outer, inner in ((CACHE, INSIDE_CACHE), (paths.part_state("windows"), INSIDE_STATE)):
        if path.is_relative_to(outer):
            return f"{inner}/{path.relative_to(outer)}"
    raise ValueError(f"{path} lies neither in the cache nor in the state folder")


def windows_path(path: Path) -> str:
    r"""`path` as a Windows program sees it, `Z:\...`."""
    return "Z:" + inside(path).replace("/", "\\")


def namespace(argv: Sequence[str]) -> list[str]:
    """`argv` in mount and pid namespaces of its own, with the tree's mounts made.

    `argv` becomes process 1 there: it has to reap orphans (`server.reap`).
    """
    state = paths.part_state("windows")
    enter = ["sh", "-c", _ENTER, str(TREE), str(CACHE), INSIDE_CACHE, str(state), INSIDE_STATE]
    return ["unshare", "-m", "-p", "-f", "--kill-child", "--propagation", "private", *enter, *argv]


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is being done and how long it took."""
    begin = time.monotonic()
    print(f"windows: {text} ...", flush=True)
    yield
    print(f"windows: {text}: {time.monotonic() - begin:.1f} s", flush=True)


def run(argv: Sequence[str], **options: object) -> None:
    """Run a program of the preparation, its output in the log; RuntimeError with the end of the log when it fails."""
    options = {"env": surroundings.download(os.environ), **options}  # some of them fetch
    with open(LOG, "ab") as log:
        done = subprocess.run(list(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, pass_fds=held_locks, **options)  # type: ignore[call-overload]
    if done.returncode:
        tail = LOG.read_text(errors="replace").splitlines()[-15:]
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}; the end of {LOG}:\n" + "\n".join(tail))


#: the open lock, to be inherited by every program of the preparation: when this process is killed alone, what it
#: started goes on for a while and must keep the next preparation waiting
held_locks: list[int] = []


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """One preparation at a time; a second one waits for the first."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("windows: waiting for another preparation to end ...", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        held_locks.append(handle.fileno())
        try:
            yield
        finally:
            held_locks.clear()


def _mirror() -> str:
    """The Debian mirror that this machine's apt uses."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(COMPONENT)|$(CODENAME)|$(SITE)", "Created-By: Packages"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for line in targets.splitlines():
        origin, component, codename, site = line.split("|")
        if origin == "Debian" and component == "main" and "-" not in codename:
            return site
    raise RuntimeError("apt knows no Debian mirror on this machine: add one to /etc/apt/sources.list.d and run apt-get update")


def _host_settings(tree: Path) -> None:
    """Let apt in the tree reach the mirror the way the host does: proxy, certificates, names."""
    acquire = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=True).stdout
    (tree / "etc/apt/apt.conf.d/00host").write_text(acquire)
    for name in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"):
        if Path(name).exists():
            target = tree / name[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copyfile(name, target)


def _chroot(tree: Path, *argv: str) -> None:
    clean = "env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive"
    script = f'mount -t proc proc "$0/proc"; exec chroot "$0" {clean} "$@"'
    run(["unshare", "-m", "--propagation", "private", "sh", "-ec", script, str(tree), *argv])


def _build_tree() -> None:
    building = TREE.with_name("trixie.building")
    shutil.rmtree(building, ignore_errors=True)
    mirror = _mirror()
    with step("unpacking a Debian 13 tree (about a minute, 100 MB from your mirror)"):
        # in a private mount namespace, since debootstrap mounts /proc and may be killed
        run(["unshare", "-m", "--propagation", "private", "debootstrap", "--variant=minbase", "--include=locales", "trixie", str(building), mirror])
    with step("installing Wine in it (1 to 2 minutes, 300 MB)"):
        _host_settings(building)
        (building / "etc/apt/sources.list").write_text(f"deb {mirror} trixie main\n")
        (building / "etc/dpkg/dpkg.cfg.d/lab").write_text("force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\n")
        _chroot(building, "dpkg", "--add-architecture", "i386")
        _chroot(building, "apt-get", "update", "-q")
        _chroot(building, "apt-get", "install", "-q", "-y", "--no-install-recommends", "wine64", "wine32:i386", "wine")
        _chroot(building, "apt-get", "clean")
    with step("making its locales"):
        for locale in ("ja_JP", "hi_IN", "en_US"):
            _chroot(building, "localedef", "-i", locale, "-f", "UTF-8", f"{locale}.UTF-8")
    # who WinRM users are, as Wine takes the name of the Windows user from here
    passwd = building / "etc/passwd"
    passwd.write_text(passwd.read_text().replace("root:", f"{paths.WINDOWS_USER}:", 1))
    for mount_point in (INSIDE_CACHE, INSIDE_STATE):
        (building / mount_point[1:]).mkdir()
    building.rename(TREE)


def _fetch_inno() -> None:
    """The real Inno Setup compiler, out of its npm package; its install script would only look for a system-wide Wine."""
    building = _INNO.with_name("innosetup.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    with step(f"fetching the Inno Setup {INNO_VERSION} compiler"):
        run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(building), f"innosetup@{INNO_VERSION}"])
        shutil.rmtree(_INNO, ignore_errors=True)
        building.rename(_INNO)


def inno_compiler() -> Path:
    """ISCC.exe in the cache."""
    found = next(_INNO.rglob("ISCC.exe"), None)
    if found is None:
        raise RuntimeError(f"no ISCC.exe under {_INNO}: remove that folder and run the lab's up again")
    return found


def prepare() -> None:
    """Build what is missing. Made under another name and renamed at the end, so that a killed build leaves nothing half-made."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not TREE.exists():
        _build_tree()
    if not _INNO.exists():
        _fetch_inno()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    with locked():
        prepare()
    sys.exit(0)
