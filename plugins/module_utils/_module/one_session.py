# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine holds of several kinds, read in one session; each kind also alone, for its `_info` module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Session(Protocol):
    def close(self) -> None: ...


_Client = TypeVar("_Client", bound=Session)
Info = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Kind(Generic[_Client]):
    """One kind: what is asked of it, which raises OffboardError before anything is opened, and the reader of that."""

    parse: Callable[[Mapping[str, Any]], Any]
    read: Callable[[_Client, Any], dict[str, Any]]


def of_one(connect: Callable[[Mapping[str, Any]], _Client], kind: Kind[_Client]) -> Info:
    """The reader of one kind, with a session of its own."""

    def info(params: Mapping[str, Any]) -> dict[str, Any]:
        options = kind.parse(params)
        with closing(connect(params)) as client:
            return kind.read(client, options)

    return info


def parsed(params: Mapping[str, Any], kinds: Mapping[str, Kind[_Client]]) -> dict[str, Any]:
    """What is asked of each kind that is asked for, under its name."""
    return {name: kind.parse(params[name]) for name, kind in kinds.items() if params[name] is not None}


def of_all(connect: Callable[[Mapping[str, Any]], _Client], kinds: Mapping[str, Kind[_Client]]) -> Info:
    """The reader of all kinds that are asked for: of each, under its name, what `of_one` would give."""

    def info(params: Mapping[str, Any]) -> dict[str, Any]:
        asked = parsed(params, kinds)
        with closing(connect(params)) as client:
            return {name: kinds[name].read(client, options) for name, options in asked.items()}

    return info
