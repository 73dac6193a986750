# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small JSON client for the lab's own programs: kept connections, the lab's CA, nothing else."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reply:
    """`data` is the decoded JSON body, None without one."""

    status: int
    headers: dict[str, str]
    data: Any


class Rest:
    """One host over TLS, certificate checked against `ca_file`. Raises OSError when it cannot be reached."""

    def __init__(self, url: str, ca_file: Path, timeout: float = 60.0) -> None:
        parts = urllib.parse.urlsplit(url)
        self._connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=timeout, context=ssl.create_default_context(cafile=str(ca_file))
        )

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        """`body` goes out as JSON; bytes go out as they are."""
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        try:
            self._connection.request(method, path, body, sent)
            response = self._connection.getresponse()
            raw = response.read()
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise OSError(f"{self._connection.host}:{self._connection.port}: {error}") from error
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, json.loads(raw) if raw else None)

    def close(self) -> None:
        self._connection.close()
