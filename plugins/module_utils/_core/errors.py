# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that end as a clear message with a code, never as a traceback."""

from __future__ import annotations

from typing import Any


class OffboardError(Exception):
    """An error a user can act on.

    msg: for people; names the object, the value, the rule and the way out.
    code: for machines; lower_snake_case, stable between releases (returned as `failure.code`).
    details: JSON-serialisable facts (never secrets), returned as `failure.details`.
    """

    def __init__(self, msg: str, *, code: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(msg)
        self.msg = msg
        self.code = code
        self.details = details or {}

    def to_dict(self) -> dict[str, Any]:
        """The `failure` return value."""
        return {"code": self.code, "details": self.details}


class AmbiguousMatch(OffboardError):
    """More than one object matches; the candidates are in `details["candidates"]`."""

    def __init__(self, msg: str, candidates: list[dict[str, Any]]) -> None:
        super().__init__(msg, code="ambiguous_match", details={"candidates": candidates})


class NotExact(OffboardError):
    """Nothing is what was named, but something nearly is: a spelling mistake must not look like "already removed". The candidates are in the details."""

    def __init__(self, msg: str, candidates: list[dict[str, Any]]) -> None:
        super().__init__(msg, code="not_exact", details={"candidates": candidates})


class NotSeen(OffboardError):
    """A change was accepted, but reading again did not show it within the time allowed. Never counted as success."""

    def __init__(self, msg: str, **details: Any) -> None:
        super().__init__(msg, code="not_seen", details=details)
