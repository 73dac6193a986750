# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of at(1) and batch(1) that wait to be run. Reading alone."""

from __future__ import annotations

import os
import pwd
import re
import stat

from .errors import reading
from .files import files_of

#: Debian and SUSE, RHEL
FOLDERS = ("/var/spool/cron/atjobs", "/var/spool/atjobs", "/var/spool/at")
#: The queue, the number, and the minute at which it is due. A job that is being run has a "=" for its queue.
_NAME = re.compile(r"[A-Za-z](?P<number>[0-9a-f]{5})[0-9a-f]{8}")
_MOST_BYTES = 1000000


def jobs():
    """Each with its number, as atq(1) shows it, whose it is, and its script."""
    found = []
    for folder in FOLDERS:
        for path in files_of(folder):
            name = _NAME.fullmatch(os.path.basename(path))
            if not name or os.path.islink(path):  # neither does atd start a link
                continue
            with reading(path, "crontab_unreadable"):
                try:
                    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                except FileNotFoundError:  # it has been run meanwhile
                    continue
                with os.fdopen(descriptor, "rb") as stream:
                    what = os.fstat(stream.fileno())
                    script = stream.read(_MOST_BYTES).decode("utf-8", "replace") if stat.S_ISREG(what.st_mode) else ""
            found.append({"number": int(name["number"], 16), "path": path, "script": script, **_whose(what.st_uid)})
    return found


def _whose(uid):
    try:
        account = pwd.getpwuid(uid)
    except KeyError:
        return {"user": str(uid), "home": "/"}
    return {"user": account.pw_name, "home": account.pw_dir}
