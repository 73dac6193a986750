# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers and refusals."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn


class GraphError(Exception):
    """An answer with Graph's error body."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


def bad_request(message: str, code: str = "Request_BadRequest") -> NoReturn:
    raise GraphError(400, code, message)


def denied() -> NoReturn:
    raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def not_found(key: str) -> NoReturn:
    raise GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


@dataclass(frozen=True)
class Answer:
    """`body` is JSON, encoded."""

    status: int
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


NO_CONTENT = Answer(204)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


#: made once: json.dumps would make an encoder for each call
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()
