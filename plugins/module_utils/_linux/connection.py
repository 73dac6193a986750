# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Linux machine, and the way to it: the options of the argument fragment LINUX. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Connection:
    #: its name in the inventory
    host: str
    #: of the action plugin, which lends Ansible's connection; "": there is none
    target_socket: str

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        return cls(host=params["host"] or "", target_socket=params["target_socket"] or "")
