# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of the objects in AWX: parsed before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..steps import services
from . import plan

#: what the collection itself tells, and no option
_OF_COLLECTION = ("playbooks", "steps")


@dataclass(frozen=True)
class InfoOptions:
    """Of awx_objects_info."""

    #: the folder of the collection
    collection: Path
    #: what AWX has, as its own modules tell it
    found: Mapping[str, Any]
    absent: bool
    #: ids of the steps that services have
    steps_of_services: Sequence[str]
    #: the other fields of `plan.WantedSetup`
    wanted: Mapping[str, Any]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        return cls(
            collection=Path(params["collection"]),
            found=params["found"],
            absent=params["state"] == "absent",
            steps_of_services=[services.step_id(service) for service in params["services"] if service.get("id") or service.get("name")],
            wanted={one.name: params[one.name] for one in fields(plan.WantedSetup) if one.name not in _OF_COLLECTION},
        )
