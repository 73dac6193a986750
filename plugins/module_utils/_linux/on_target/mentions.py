# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the machine's configuration that name something: of supervisors and schedulers that nobody here understands. Reading alone; no text is told."""

from __future__ import annotations

import contextlib
import os
import stat

from .files import file_system, mount_points
from .programs import DISKS

#: Where supervisord, monit, runit, s6, daemontools, inittab, xinetd, fcron and others are told what they start.
FOLDERS = ("/etc", "/usr/local/etc", "/service", "/var/service", "/var/spool/fcron")
#: Where the homes of accounts stand, who are told apart.
ACCOUNTS = ("/etc/passwd", "/etc/passwd-")
#: No file of such a kind is longer; and of so many files nobody has made a configuration.
_MOST_BYTES, _MOST_FILES = 1000000, 100000


def named_in(names, understood):
    """Paths of the plain files there of which a line that is no remark holds one of the texts.

    What cannot be read is passed over, and so are other file systems, links, and the files and folders that are `understood`.
    """
    found, left, mounts = [], _MOST_FILES, mount_points()
    texts = [name.encode("utf-8", "surrogateescape") for name in names]
    passed_over = {*understood, *ACCOUNTS}

    def is_meant(path):
        return path not in passed_over and file_system(path, mounts)[0] in DISKS

    for top in filter(is_meant, FOLDERS if texts else ()):
        for folder, below, files in os.walk(top):
            below[:] = sorted(name for name in below if is_meant(os.path.join(folder, name)))
            for path in filter(is_meant, (os.path.join(folder, name) for name in sorted(files))):
                left -= 1
                if left < 0:
                    return found
                with contextlib.suppress(OSError):
                    content = _content(path)
                    if any(text in content for text in texts) and any(_says(line, texts) for line in content.splitlines()):
                        found.append(path)
    return found


def _says(line, texts):
    return not line.lstrip().startswith((b"#", b";")) and any(text in line for text in texts)


def _content(path):
    what = os.lstat(path)
    if not stat.S_ISREG(what.st_mode) or what.st_size > _MOST_BYTES:
        return b""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(_MOST_BYTES)
