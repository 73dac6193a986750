# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of assignments in Intune: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError
from ..references.plan import Matcher
from .plan import WantedAssignment


def _wanted(params: Mapping[str, Any]) -> list[WantedAssignment]:
    """Raises OffboardError `bad_option` for an object that is named by anything but its id: names match more than one thinks."""
    found = [WantedAssignment(one["kind"], names.uuid(one["object"]), one["target"]) for one in params["assignments"]]
    for one in found:
        if not names.is_uuid(one.object):
            raise OffboardError(f"assignments: {one.object!r} is not the id of an object of Intune (UUID)", code="bad_option")
        if not one.target.strip():
            raise OffboardError(f"assignments: {one.object} has no target", code="bad_option")
    return found


@dataclass(frozen=True)
class Options:
    """Of intune_assignment: what goes, or comes back."""

    #: else they shall be there again
    absent: bool
    #: none: with `absent` unset, all that the journal knows
    wanted: Sequence[WantedAssignment]
    beta: bool
    #: what tells that an object is IIJ ID's
    matcher: Matcher
    #: ids of objects that may be touched although nothing tells so
    expected_objects: frozenset[str]
    #: "" where none is needed
    journal: str
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        wanted, absent = _wanted(params), params["state"] == "absent"
        if absent and not wanted:
            raise OffboardError("assignments: name those that shall go", code="bad_option")
        if not absent and not params["journal"]:
            raise OffboardError("journal: what shall come back is known only from the journal of the run that removed it", code="bad_option")
        return cls(
            absent=absent,
            wanted=wanted,
            beta=params["beta"],
            matcher=Matcher(params["hosts"], params["identifiers"]),
            expected_objects=frozenset(map(names.uuid, params["expected_objects"])),
            journal=params["journal"] or "",
            verify_timeout=params["verify_timeout"],
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of intune_assignment_info: what is looked for."""

    wanted: Sequence[WantedAssignment]
    beta: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        return cls(wanted=_wanted(params), beta=params["beta"])
