# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths and arguments as Windows' command line wants them."""

from __future__ import annotations

from .._core.errors import OffboardError


def quoted(path: str) -> str:
    """A path between quotes, for a line that cmd.exe interprets. Raises OffboardError `path_invalid` where quotes do not protect."""
    if not path or set(path) & set('"%<>|*?\r\n\0'):
        raise OffboardError(f'{path!r} is not a plain Windows path: none of " % < > | * ? may be in it', code="path_invalid", details={"path": path})
    return f'"{path}"'
