# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The itemised result: a line for each user."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from itertools import islice
from typing import Any

from .._module.files import append_records, read_records


class Results:
    """One line for each user in a JSON-lines file; nothing without a path. Starts afresh with each run."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._lines: list[dict[str, Any]] = []
        self._corrections: dict[str, dict[str, str]] = {}
        self._fresh = True

    def add(self, user_id: str, upn: str, status: str, code: str = "", msg: str = "", details: Mapping[str, Any] | None = None) -> None:
        """Keep one line; lines go to the disk a thousand at a time."""
        if self._path is None:
            return
        line = {"id": user_id, "userPrincipalName": upn, "status": status, "code": code, "msg": msg, **(details or {})}
        self._lines.append({name: value for name, value in line.items() if value not in ("", [])})
        if len(self._lines) >= 1000:
            self.flush()

    def correct(self, user_id: str, status: str, code: str, msg: str) -> None:
        """What was said of a user turned out otherwise; his line is another after `rewrite`."""
        self._corrections[user_id] = {"status": status, "code": code, "msg": msg}

    def rewrite(self) -> None:
        """One line for each user again. Raises OffboardError `file_write_failed`."""
        self.flush()
        if self._path is None or not self._corrections:
            return
        fresh = f"{self._path}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        lines = ({**line, **self._corrections.get(line["id"], {})} for line in read_records(self._path))
        while chunk := list(islice(lines, 1000)):
            append_records(fresh, chunk)
        os.replace(fresh, self._path)
        self._corrections = {}

    def flush(self) -> None:
        """Raises OffboardError `file_write_failed`."""
        if self._path is None:
            return
        if self._fresh:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
            self._fresh = False
        append_records(self._path, self._lines)
        self._lines = []
