# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of accounts: parsed before anything is opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ConfirmedAccount:
    """It goes only while it has the uid with which people have seen it."""

    name: str
    uid: int
    remove_home: bool


@dataclass(frozen=True)
class Options:
    """Of linux_account: which go."""

    accounts: Sequence[ConfirmedAccount]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        return cls(accounts=[ConfirmedAccount(item["name"], item["uid"], item["remove_home"]) for item in params["accounts"]])


@dataclass(frozen=True)
class InfoOptions:
    """Of linux_account_info: which are looked at."""

    #: each once
    names: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        return cls.named(params["names"])

    @classmethod
    def named(cls, names: Iterable[str]) -> InfoOptions:
        return cls(names=list(dict.fromkeys(names)))
