# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that something starts: where their paths lead, and the texts of those that are scripts."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import stat

from .files import file_system, mount_points, text_of

#: No script that starts something is longer.
_MOST_BYTES = 65536
#: Of what scripts name, at most so much comes along: the rest is asked for, where it is started.
_MOST_AHEAD, _MOST_BYTES_AHEAD = 500, 1000000
#: And only from the machine's own disks: a server of files that does not answer would hold up all, and a file of the kernel may do something when it is read.
DISKS = frozenset({"bcachefs", "btrfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "reiserfs", "squashfs", "tmpfs", "xfs", "zfs"})
#: No kernel takes a longer path.
_LONGEST = 4096
_PATH = re.compile(r"(?<![\w./~-])/[\w.+@-]+(?:/[\w.+@-]+)+")


def look(paths):
    """Of each path where it leads, links followed (of a pattern, as a shell does, the first that it fits); the texts of those that are scripts.

    What these name comes along, and what that names, so that nobody has to ask again.
    """
    real = {path: os.path.realpath(_meant_by(path)) for path in paths}
    found = {"real": real, "scripts": {path: text for path in paths if (text := _script(real[path]))}}
    _add_named(found, list(found["scripts"].values()))
    return found


def named_in(texts):
    """The same of all that texts name, as far as it comes along."""
    found = {"real": {}, "scripts": {}}
    _add_named(found, list(texts))
    return found


def _add_named(found, texts):
    left, more, mounts = _MOST_BYTES_AHEAD, 0, mount_points()
    for text in texts:  # which grows
        for path in _PATH.findall(text):
            if path in found["real"] or more >= _MOST_AHEAD or left <= 0 or not (real := _for_all(path, mounts)):
                continue
            more += 1
            found["real"][path] = real
            if script := _script(real):
                found["scripts"][path] = script
                left -= len(script)
                texts.append(script)


def _for_all(path, mounts):
    """Where a path leads, if everybody may read what is there: what nobody is known to start is not taken along else."""
    with contextlib.suppress(OSError, ValueError):
        if len(path) > _LONGEST or file_system(path, mounts)[0] not in DISKS:
            return ""
        mode, real = os.stat(path).st_mode, os.path.realpath(path)
        if stat.S_ISREG(mode) and mode & stat.S_IROTH and file_system(real, mounts)[0] in DISKS and _is_open(os.path.dirname(real)):
            return real
    return ""


def _is_open(folder):
    """Whether everybody may go through it and all folders above."""
    while os.stat(folder).st_mode & stat.S_IXOTH:
        if folder == "/":
            return True
        folder = os.path.dirname(folder)
    return False


def _meant_by(path):
    if not glob.has_magic(path) or os.path.lexists(path):
        return path
    return next(iter(sorted(glob.glob(path))), path)


def _script(path):
    """Its text; "" of a program, and of what cannot be read."""
    text = ""
    with contextlib.suppress(OSError):
        text = text_of(path, _MOST_BYTES)
    return "" if "\0" in text else text
