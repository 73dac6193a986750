# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the machine by the socket that the action plugin has lent. The only file that knows how."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

from .._core.errors import OffboardError
from .connection import Connection

#: The action plugin ends the task when the connection does; this is for a machine that answers and does not end.
_LONGEST_SECONDS = 3600.0


class Client:
    """One machine. `ask` raises OffboardError with what the machine or the connection said: `unreachable`, `connection_lost`, or a code of on_target."""

    def __init__(self, connection: Connection) -> None:
        self.host = connection.host
        self._path = connection.target_socket
        self._stream: Any = None

    def ask(self, operation: str, **arguments: Any) -> Any:
        """What the operation of `on_target` gives."""
        stream = self._stream = self._stream or self._open()
        secret = {"content": arguments.pop("content")} if "content" in arguments else {}
        try:
            stream.write(json.dumps({"operation": operation, "arguments": arguments, **secret}).encode() + b"\n")
            stream.flush()
            line = stream.readline()
        except OSError as exc:
            raise self._lost(operation) from exc
        if not line.endswith(b"\n"):
            raise self._lost(operation)
        answer = json.loads(line)
        if "failure" in answer:
            msg, code, details = (answer["failure"].get(name) for name in ("msg", "code", "details"))
            raise OffboardError(f"{self.host}: {msg}", code=code, details=details)
        return answer["answer"]

    def _open(self) -> Any:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
                made.settimeout(_LONGEST_SECONDS)
                made.connect(self._path)
                return made.makefile("rwb")
        except OSError as exc:
            msg = "there is no way to the machine: the module runs by its action plugin, in a task for that host"
            raise OffboardError(msg, code="unreachable") from exc

    def _lost(self, operation: str) -> OffboardError:
        return OffboardError(f"{self.host}: the connection ended during {operation}; what was being done may or may not have been done", code="connection_lost")

    def close(self) -> None:
        """Give the connection back; safe when there is none."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.close()
            self._stream = None
