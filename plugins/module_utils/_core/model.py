# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of every module: Object, Change, Skip, Refusal, Outcome. Plain data, JSON in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: How bad it is when a change turns out to be wrong. low: undone in seconds; medium: undone with effort from the
#: snapshot; high: people may be unable to sign in, or it cannot be undone.
RISKS = ("low", "medium", "high")


@dataclass(frozen=True)
class Object:
    """Something that is there: `state` holds the properties that plans compare."""

    kind: str
    id: str
    name: str
    state: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One change of one object, the same in check mode and in real mode.

    before: the properties that will change, as they are; None when the object does not exist.
    after: the same properties as they will be; None when the object will not exist.
    undo: how to go back, in one sentence; empty when it cannot be undone.
    Secret values never go in: write a word such as "(new password)" instead.
    """

    kind: str
    id: str
    name: str
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    risk: str = "low"
    undo: str = ""

    def __post_init__(self) -> None:
        if self.risk not in RISKS:
            raise ValueError(f"risk {self.risk!r} is not one of {', '.join(RISKS)}")

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the object in journals and predictions."""
        return self.kind, self.id

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable; shares its values with the change, since copying those of 100,000 changes is what a run would mostly do."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Change:
        """The inverse of `to_dict`; unknown keys are ignored so that newer journals can be read."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})


@dataclass(frozen=True)
class Skip:
    """An object that is deliberately left alone although the desired state differs."""

    kind: str
    id: str
    name: str
    code: str
    msg: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


@dataclass(frozen=True)
class Refusal:
    """A guard that fires: the module stops before anything is written.

    rule: lower_snake_case name of the guard, returned as `failure.details.refusals[].rule`.
    allow_with: the option (and value) by which the operator takes the responsibility; empty when nothing allows it.
    """

    rule: str
    msg: str
    objects: tuple[str, ...] = ()
    allow_with: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return {**asdict(self), "objects": list(self.objects)}


@dataclass(frozen=True)
class Outcome:
    """What became of one change: status is done, unchanged, skipped or failed."""

    change: Change
    status: str
    code: str = ""
    msg: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable; the change is named, not repeated."""
        change = self.change
        data: dict[str, Any] = {"kind": change.kind, "id": change.id, "name": change.name, "action": change.action, "status": self.status}
        for name in ("code", "msg"):
            if getattr(self, name):
                data[name] = getattr(self, name)
        if self.details:
            data["details"] = dict(self.details)
        return data
