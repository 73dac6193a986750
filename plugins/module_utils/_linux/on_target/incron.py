# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of incron: what it starts when a file changes. Reading alone."""

from __future__ import annotations

import os

from .errors import reading
from .files import files_of, text_of

#: Of users, each by its name; and of the system, whose commands run as root.
USERS, SYSTEM = "/var/spool/incron", "/etc/incron.d"


def tables():
    """Each with its text and whose it is ("root" of the system's)."""
    found = []
    for folder in (USERS, SYSTEM):
        for path in files_of(folder):
            with reading(path, "crontab_unreadable"):
                text = text_of(path)
            found.append({"path": path, "user": os.path.basename(path) if folder == USERS else "root", "script": text, "is_system": folder == SYSTEM})
    return found
