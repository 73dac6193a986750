# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of the machine: whose they are, and what runs under them. Reading alone; ansible.builtin.user removes."""

from __future__ import annotations

import contextlib
import os
import pwd
import re

from . import at, files, units
from .errors import TargetError, reading

PASSWD = "/etc/passwd"
LOGIN_DEFS = "/etc/login.defs"
#: Below it are those that every distribution comes with, where login.defs says nothing.
_FIRST_OF_PACKAGES = 100
_NOBODY = (65534, 65535)


def look(names):
    """Each of the accounts, there or not, and what would be left without it."""
    if os.geteuid() != 0:
        raise TargetError("what runs under others can be seen by root alone; use become", "not_root")
    local = _local()
    first = _first_of_packages()
    found = []
    for name in names:
        try:
            account = pwd.getpwnam(name)
        except (KeyError, ValueError):  # ValueError: no name at all, such as a crontab may hold
            alike = [{"name": other, "uid": local[other][0]} for other in sorted(local) if _rough(other) == _rough(name)]
            found.append({"name": name, "exists": False, "alike": alike})
            continue
        uid = account.pw_uid
        found.append(
            {
                "name": name,
                "exists": True,
                "uid": uid,
                "gid": account.pw_gid,
                "home": account.pw_dir,
                "shell": account.pw_shell,
                "local": name in local,
                "reserved": uid < first or uid in _NOBODY,
                "same_uid": sorted(other for other, (number, _home) in local.items() if number == uid and other != name),
                "processes": _processes(uid),
                "units": _units(name, uid),
                "at_jobs": _at_jobs(uid),
                "home_dir": _home_dir(name, account.pw_dir, local),
            }
        )
    return found


def _rough(name):
    return re.sub(r"[\W_]", "", name).lower()


def with_own_systemd():
    """Accounts that may have units of their own: the machine's, and those of a directory that are signed in or whose systemd runs without them."""
    found = {}
    for ask, keys in ((pwd.getpwnam, [*_local(), *_names(units.LINGER)]), (pwd.getpwuid, [int(name) for name in _names(units.RUNTIME) if name.isdigit()])):
        for key in keys:
            with contextlib.suppress(KeyError, ValueError, OverflowError):  # there is none (any more)
                account = ask(key)
                found[account.pw_name] = account
    return [found[name] for name in sorted(found)]


def _names(folder):
    with reading(folder, "account_unreadable"):
        try:
            return os.listdir(folder)
        except FileNotFoundError:
            return []


def _local():
    """{name: (uid, home)} of the machine's own accounts, not those of a directory."""
    found = {}
    with reading(PASSWD, "account_unreadable"), open(PASSWD, encoding="utf-8", errors="surrogateescape") as stream:
        for line in stream:
            fields = line.rstrip("\n").split(":")
            if len(fields) == 7 and fields[2].isdigit():
                found.setdefault(fields[0], (int(fields[2]), fields[5]))
    return found


def _first_of_packages():
    with contextlib.suppress(OSError), open(LOGIN_DEFS, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if given := re.match(r"\s*SYS_UID_MIN\s+(\d+)", line):
                return int(given[1])
    return _FIRST_OF_PACKAGES


def _processes(uid):
    found = []
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        with contextlib.suppress(OSError):  # it has ended
            with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as stream:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)
            if str(uid) in status.get("Uid", "").split():
                found.append({"pid": int(pid), "program": status.get("Name", "")})
    return found


def _units(name, uid):
    """systemd's units that run under it, with their own additions (drop-ins)."""
    found = set()
    for folder in units.FOLDERS:
        for path in _unit_files(folder):
            if any(user in (name, str(uid)) for user in units.settings_of(path).get("User", ())[-1:]):
                found.add(os.path.basename(path) if path.endswith((".service", ".socket")) else os.path.basename(os.path.dirname(path))[: -len(".d")])
    return sorted(found)


def _unit_files(folder):
    with reading(folder, "account_unreadable"):
        try:
            names = sorted(os.listdir(folder))
        except FileNotFoundError:
            return
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith((".service", ".socket")):
                yield path
            elif name.endswith((".service.d", ".socket.d")) and os.path.isdir(path):
                yield from (os.path.join(path, addition) for addition in sorted(os.listdir(path)) if addition.endswith(".conf"))


def _at_jobs(uid):
    """How many jobs of at(1) wait for it."""
    number = 0
    for folder in at.FOLDERS:
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            number += sum(entry.stat(follow_symlinks=False).st_uid == uid and entry.is_file(follow_symlinks=False) for entry in entries)
    return number


def _home_dir(name, home, local):
    """Whether its home may go with it."""
    path = os.path.normpath(home) if home.startswith("/") else home
    inside = path.rstrip("/") + "/"
    try:
        owner = os.lstat(path).st_uid
    except OSError:
        return {"exists": False, "link": "", "uid": None, "mount": "", "others": []}
    mounts = [point for point in files.mount_points() if f"{point}/".startswith(inside)]
    others = sorted(other for other, (_uid, theirs) in local.items() if other != name and f"{os.path.normpath(theirs)}/".startswith(inside))
    return {"exists": True, "link": files.link_above(path), "uid": owner, "mount": mounts[0] if mounts else "", "others": others}
