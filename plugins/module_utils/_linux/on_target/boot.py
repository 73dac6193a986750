# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine starts when it comes up, besides systemd's units: scripts of System V's init, and rc.local. Reading alone."""

from __future__ import annotations

import glob
import os

from .errors import reading
from .files import files_of, text_of

#: Debian and SUSE, RHEL
FOLDERS = ("/etc/init.d", "/etc/rc.d/init.d")
#: A link S…NAME in one of these starts the script NAME; they are those of the levels in which a machine runs.
LINKS = ("/etc/rc[S2-5].d", "/etc/rc.d/rc[2-5].d", "/etc/init.d/rc[S2-5].d", "/etc/init.d/boot.d")
#: Of a person, started whole: everywhere where it may be executed; SUSE's always.
LOCAL = ("/etc/rc.local", "/etc/rc.d/rc.local")
LOCAL_ALWAYS = ("/etc/init.d/boot.local", "/etc/init.d/after.local", "/etc/rc.d/boot.local")
#: systemd makes a unit of a script, unless there is one of that name.
RUNS_SYSTEMD = "/run/systemd/system"
_PROGRAMS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")


def scripts():
    """Each with its text, whether it is started, and how that is ended, as a command of root."""
    wanted = {os.path.basename(path)[3:] for links in LINKS for path in glob.glob(os.path.join(links, "S[0-9][0-9]*"))}
    found, seen = [], set()
    for path in (path for folder in FOLDERS for path in files_of(folder)):
        name = os.path.basename(path)
        if path not in LOCAL_ALWAYS:
            _add(found, seen, {"name": name, "path": path, "enabled": name in wanted, "stop": _stop(name)})
    for path in (*LOCAL, *LOCAL_ALWAYS):
        if os.path.isfile(path):
            executed = path in LOCAL_ALWAYS or bool(os.stat(path).st_mode & 0o111)
            _add(found, seen, {"name": "", "path": path, "enabled": executed, "stop": ""})
    return found


def _add(found, seen, script):
    real = os.path.realpath(script["path"])
    if real not in seen:
        seen.add(real)
        with reading(script["path"], "crontab_unreadable"):
            found.append({**script, "script": text_of(script["path"])})


def _stop(name):
    """The program that takes the links away is the distribution's; of systemd's own it is the one that knows."""
    programs = {tool for tool in ("update-rc.d", "chkconfig") for folder in _PROGRAMS if os.path.exists(os.path.join(folder, tool))}
    if "update-rc.d" in programs:
        return ["update-rc.d", name, "disable"]
    return ["chkconfig", name, "off"] if "chkconfig" in programs or not os.path.isdir(RUNS_SYSTEMD) else ["systemctl", "disable", "--now", name]
