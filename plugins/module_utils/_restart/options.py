# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of restarts: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core.errors import OffboardError
from .._directory.connection import Connection as Directory
from .plan import check_machines


@dataclass(frozen=True)
class NamedMachine:
    """A machine of the task."""

    #: in the inventory; "": none
    name: str
    host: str
    #: its name as a domain controller; None: as the machine itself is called
    domain_controller: str | None
    #: the options of its connection, looked at only when it is asked: a machine that need not be restarted need not be reached
    reached: Mapping[str, Any]


@dataclass(frozen=True)
class Options:
    """Of win_restart."""

    machines: Sequence[NamedMachine]
    #: None: no domain controllers are restarted
    directory: Directory | None
    only_unregistered: bool
    #: names or hosts that are restarted too
    also: Sequence[str]
    #: so many other domain controllers must be well
    healthy_others: int
    #: domain controllers that need not be well
    ignore: Sequence[str]
    gone_minutes: int
    back_minutes: int
    healthy_minutes: int
    journal: str | None
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        single = [{**params, "name": ""}] if params["host"] else []
        machines = [NamedMachine(one["name"] or "", one["host"] or "", one["domain_controller"], one) for one in (*params["machines"], *single)]
        for one in machines:
            if not one.host:
                raise OffboardError(f"machines: {one.name or 'one of them'} is no host of the inventory, and has no host", code="bad_option")
        check_machines([(one.name, one.host) for one in machines], params["healthy_others"])
        if params["only_unregistered"] and not params["journal"]:
            raise OffboardError("only_unregistered needs a journal, which says what was unregistered", code="bad_option")
        return cls(
            machines=machines,
            directory=Directory.from_params(params["directory"]) if params["directory"] is not None else None,
            only_unregistered=params["only_unregistered"],
            also=params["also"],
            healthy_others=params["healthy_others"],
            ignore=params["ignore"],
            gone_minutes=params["gone_minutes"],
            back_minutes=params["back_minutes"],
            healthy_minutes=params["healthy_minutes"],
            journal=params["journal"] or None,
            verify_timeout=params["verify_timeout"],
        )
