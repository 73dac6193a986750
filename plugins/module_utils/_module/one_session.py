# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine holds of several kinds, read in one session; each kind also alone, for its `_info` module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Protocol, TypeVar


class Session(Protocol):
    def close(self) -> None: ...


_Client = TypeVar("_Client", bound=Session)
Read = Callable[[_Client, Mapping[str, Any]], dict[str, Any]]
Info = Callable[[Mapping[str, Any]], dict[str, Any]]


def of_one(connect: Callable[[Mapping[str, Any]], _Client], read: Read[_Client]) -> Info:
    """The reader of one kind, with a session of its own."""

    def info(options: Mapping[str, Any]) -> dict[str, Any]:
        with closing(connect(options)) as client:
            return read(client, options)

    return info


def of_all(connect: Callable[[Mapping[str, Any]], _Client], reads: Mapping[str, Read[_Client]]) -> Info:
    """The reader of all kinds that are asked for: of each, under its name, what `of_one` would give."""

    def info(options: Mapping[str, Any]) -> dict[str, Any]:
        with closing(connect(options)) as client:
            return {kind: read(client, options[kind]) for kind, read in reads.items() if options[kind] is not None}

    return info
