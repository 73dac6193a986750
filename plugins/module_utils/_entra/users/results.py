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

from ..._core.errors import OffboardError
from ..._module.files import append_records, read_records


class Results:
    """One line for each user in a JSON-lines file; nothing without a path.

    Each run makes a new file, which takes the old one's place before the first change: a run that stops before loses nothing.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._fresh = self._file = f"{path}.{os.getpid()}.new"
        self._lines: list[dict[str, Any]] = []
        self._corrections: dict[str, dict[str, str]] = {}

    def add(self, user_id: str, upn: str, status: str, code: str = "", msg: str = "", details: Mapping[str, Any] | None = None) -> None:
        """Keep one line; lines go to the disk a thousand at a time."""
        if self._path is None:
            return
        line = {"id": user_id, "userPrincipalName": upn, "status": status, "code": code, "msg": msg, **(details or {})}
        self._lines.append({name: value for name, value in line.items() if value not in ("", [])})
        if len(self._lines) >= 1000:
            self.flush()

    def correct(self, user_id: str, status: str, code: str, msg: str) -> None:
        """What was said of a user turned out otherwise; their line is another after `rewrite`."""
        self._corrections[user_id] = {"status": status, "code": code, "msg": msg}

    def rewrite(self) -> None:
        """One line for each user again. Raises OffboardError `file_write_failed`."""
        self.flush()
        if self._path is None or not self._corrections:
            return
        lines = ({**line, **self._corrections.get(line["id"], {})} for line in read_records(self._path))
        while chunk := list(islice(lines, 1000)):
            append_records(self._fresh, chunk)
        self._replace(self._path)
        self._corrections = {}

    def flush(self) -> None:
        """Raises OffboardError `file_write_failed`."""
        if self._path is None:
            return
        append_records(self._file, self._lines)
        self._lines = []

    def publish(self) -> None:
        """All who were looked at have a line; from here on lines are added to the file itself. Raises OffboardError `file_write_failed`."""
        self.flush()
        if self._path is not None:
            self._replace(self._path)
            self._file = self._path

    def _replace(self, path: str) -> None:
        try:
            os.replace(self._fresh, path)
        except OSError as exc:
            raise OffboardError(f"cannot write {path}: {exc.strerror or exc}", code="file_write_failed") from exc

    def close(self) -> None:
        """Leave nothing behind of a run that changed nothing."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._fresh)
