# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that something starts: where their paths lead, and the texts of those that are scripts."""

from __future__ import annotations

import contextlib
import glob
import os

from .files import text_of

#: No script that starts something is longer.
_MOST_BYTES = 65536


def look(paths):
    """Of each path where it leads, links followed (of a pattern, as a shell does, the first that it fits); the texts of those that are scripts."""
    real = {path: os.path.realpath(_meant_by(path)) for path in paths}
    return {"real": real, "scripts": {path: text for path in paths if (text := _script(real[path]))}}


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
