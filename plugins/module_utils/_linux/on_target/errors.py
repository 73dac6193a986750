# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine cannot do, in words and by a code. Kept apart from _core, whose Python is the controller's."""

from __future__ import annotations

import contextlib


class TargetError(Exception):
    """`msg` for people, `code` of the vocabulary, `details` as in OffboardError."""

    def __init__(self, msg, code, **details):
        super().__init__(msg)
        self.msg = msg
        self.code = code
        self.details = details


@contextlib.contextmanager
def reading(what, code):
    """An error of the system while something is read, as ours."""
    try:
        yield
    except OSError as exc:
        raise TargetError(f"cannot read {what}: {exc.strerror or exc}", code, path=what) from exc
